"""Django's own admin for data fixes, behind our rules."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class CrmAdminConfig(AdminConfig):
    """Makes our site the default one."""

    default_site = "crm.shell.django_admin_site.CrmAdminSite"
