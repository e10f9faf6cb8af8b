"""The staff's last tab: profile, language, theme, how to install, sign out."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import Audience, MemberRequest, audience


@audience(Audience.STAFF)
@require_safe
def more(request: MemberRequest) -> HttpResponse:
    """Show what is not daily work."""
    return render(request, "shell/more.html")
