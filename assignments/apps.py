from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AssignmentsConfig(AppConfig):
    """Who was given which records: requests, approvals, recalls, and the totals over them."""

    name = "assignments"
    verbose_name = _("Requests")

    def ready(self) -> None:
        from assignments import checks  # noqa: F401 -- importing registers the check
