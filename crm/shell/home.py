"""Where one lands: the first page of one's work."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from accounts.access import Audience, MemberRequest, audience


@audience(Audience.MEMBERS)
@require_safe
def home(request: MemberRequest) -> HttpResponse:
    """Send admins to the databases and staff to their batches."""
    return redirect("databases:list" if request.user.is_admin else "batches:list")
