"""The Django admin's site: admins only, signed in through our own page, our own tables only."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.views import signout


class CrmAdminSite(AdminSite):
    """Data fixes for admins, behind the same rules as every page.

    `AudienceMiddleware` guards each of its URLs; `has_permission` is the second lock.
    """

    site_header = site_title = "Kontak CRM"
    index_title = _("Data fixes")
    site_url = "/"
    enable_nav_sidebar = False

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register our tables; groups mean nothing here, what axes counts and jobs are no data."""
        single = isinstance(model_or_iterable, type)
        models = [model_or_iterable] if single else model_or_iterable
        # The page of jobs would also break the policy on inline styles, and count in full.
        theirs = ("auth", "axes", "procrastinate")
        ours = [model for model in models if model._meta.app_label not in theirs]
        super().register(ours, admin_class, **options)

    def get_urls(self) -> list[Any]:
        """Leave out the redirect to things' public pages: here nothing has one."""
        urls = super().get_urls()
        return [entry for entry in urls if getattr(entry, "name", "") != "view_on_site"]

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return isinstance(user, User) and user.is_active and user.is_admin

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Send people to our own sign-in page: it is the one that counts wrong passwords."""
        if self.has_permission(request):
            return redirect("admin:index")
        wanted = request.GET.get(REDIRECT_FIELD_NAME, reverse("admin:index"))
        return redirect(
            f"{resolve_url('accounts:signin')}?{urlencode({REDIRECT_FIELD_NAME: wanted})}"
        )

    def logout(  # type: ignore[override]  # a redirect
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        return signout(request)  # type: ignore[arg-type]  # an admin's request has our user

    def password_change(  # type: ignore[override]  # a redirect
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        return redirect("accounts:change_password")

    def password_change_done(  # type: ignore[override]  # a redirect
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        return redirect("accounts:profile")
