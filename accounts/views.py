"""Signing in and out, and what people say about themselves."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import activity, services
from accounts.access import Audience, MemberRequest, audience
from accounts.errors import ChangedMeanwhile
from accounts.forms import ChangePasswordForm, LanguageForm, ProfileForm, SignInForm, ThemeForm
from accounts.models import User
from accounts.signin import Outcome, confirm_password, sign_in

A_YEAR = 365 * 24 * 3600


@audience(Audience.PUBLIC)
@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def signin(request: HttpRequest) -> HttpResponse:
    """Ask for e-mail and password, and let the right ones in."""
    if request.method != "POST":
        if request.user.is_authenticated:
            return redirect(_next(request, request.user) or "home")
        return _signin_page(request, SignInForm(), Outcome())
    form, outcome = SignInForm(request.POST), Outcome()
    if form.is_valid():
        outcome = sign_in(request=request, **form.cleaned_data)
        if outcome.user is not None:
            return redirect(_next(request, outcome.user) or "home")
    return _signin_page(request, form, outcome)


def _signin_page(request: HttpRequest, form: SignInForm, outcome: Outcome) -> HttpResponse:
    context = {
        "form": form,
        "next": request.POST.get("next", request.GET.get("next", "")),
        "wrong": form.is_bound and form.is_valid() and not outcome.retry_after,
        "expired": outcome.expired,
        "wait": _wait(outcome.retry_after),
    }
    status = 429 if outcome.retry_after else 422 if form.is_bound else 200
    response = render(request, "accounts/signin.html", context, status=status)
    if outcome.retry_after:
        response.headers["Retry-After"] = str(outcome.retry_after)
    return response


def _wait(seconds: int) -> str:
    if not seconds:
        return ""
    minutes = -(-seconds // 60)
    return ngettext(
        "Try again in %(minutes)s minute.", "Try again in %(minutes)s minutes.", minutes
    ) % {"minutes": minutes}


@audience(Audience.MEMBERS)
@require_POST
def signout(request: MemberRequest) -> HttpResponse:
    """End the session, on the server too."""
    activity.write(by=request.user, kind="signout", subject=request.user)
    logout(request)
    return redirect(settings.LOGOUT_REDIRECT_URL)


@audience(Audience.MEMBERS)
@require_POST
def stay(_request: MemberRequest) -> HttpResponse:
    """Keep the session of somebody who reads on: any request does, this one costs the least."""
    return HttpResponse(status=204)


@audience(Audience.MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: MemberRequest) -> HttpResponse:
    """Show and save name, language and theme."""
    # An instance of its own: a refused form must not change the name at the top of the page.
    person = User.objects.visible_to(request.user).get(pk=request.user.pk)
    form = ProfileForm(request.POST if request.method == "POST" else None, instance=person)
    if request.method != "POST":
        return render(request, "accounts/profile.html", {"form": form})
    if not form.is_valid():
        return render(request, "accounts/profile.html", {"form": form}, status=422)
    try:
        user = services.update_profile(user=request.user, **form.cleaned_data)
    except ChangedMeanwhile as error:
        form.add_error(None, error.message)
        # Both stand on the page now; saving again is a decision about the newer one.
        typed = request.POST.copy()
        typed["version"] = str(error.current.version)
        form.data = typed
        context = {"form": form, "theirs": error.current}
        return render(request, "accounts/profile.html", context, status=error.status)
    # The answer is in the language just chosen.
    with translation.override(user.language or translation.get_language()):
        messages.success(request, _("Saved."))
    return redirect("accounts:profile")


@audience(Audience.MEMBERS)
@sensitive_post_parameters("old_password", "new_password")
@require_http_methods(["GET", "HEAD", "POST"])
def change_password(request: MemberRequest) -> HttpResponse:
    """Let people choose a password; whoever has a given one comes here first."""
    form = ChangePasswordForm(request.POST if request.method == "POST" else None, user=request.user)
    status = 422 if form.is_bound else 200
    outcome = Outcome()
    if form.is_bound and form.is_valid():
        outcome = confirm_password(
            request=request, user=request.user, password=form.cleaned_data["old_password"]
        )
        if outcome.user is not None:
            user = services.change_own_password(
                user=request.user, password=form.cleaned_data["new_password"]
            )
            update_session_auth_hash(request, user)  # the one here goes on, under a new id
            messages.success(request, _("Password changed. Your other sessions are signed out."))
            return redirect("home")
        if outcome.retry_after:
            status = 429
            form.add_error("old_password", _wait(outcome.retry_after))
        else:
            form.add_error("old_password", _("This is not your current password."))
    response = render(request, "accounts/change_password.html", {"form": form}, status=status)
    if outcome.retry_after:
        response.headers["Retry-After"] = str(outcome.retry_after)
    return response


@audience(Audience.PUBLIC)
@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Switch the language: of the person, or by a cookie where nobody is signed in."""
    form = LanguageForm(request.POST)
    response = redirect(_next(request, request.user) or "home")
    if not form.is_valid():
        return response
    language: str = form.cleaned_data["language"]
    if isinstance(request.user, User):
        services.set_preference(user=request.user, language=language)
    else:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=A_YEAR,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            samesite="Lax",
        )
    return response


@audience(Audience.PUBLIC)
@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Switch between light and dark, of the person and by a cookie for before they sign in."""
    form = ThemeForm(request.POST)
    response = redirect(_next(request, request.user) or "home")
    if not form.is_valid():
        return response
    theme: str = form.cleaned_data["theme"]
    if isinstance(request.user, User):
        services.set_preference(user=request.user, theme=theme)
    response.set_cookie(
        "theme", theme, max_age=A_YEAR, secure=settings.SESSION_COOKIE_SECURE, samesite="Lax"
    )
    return response


def _next(request: HttpRequest, user: object) -> str:
    """Give where to go on: a page of this site that `user` may open, or nothing."""
    wanted = request.POST.get("next", request.GET.get("next", ""))
    ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    if not ours:
        return ""
    try:
        view = resolve(urlsplit(wanted).path).func
    except Resolver404:
        return ""
    who = getattr(view, "audience", None)
    admitted = isinstance(who, Audience) and who.admits(user)  # type: ignore[arg-type]
    return wanted if admitted else ""
