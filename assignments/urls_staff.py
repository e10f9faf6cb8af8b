"""The staff's request page, under /request/."""

from django.urls import path

from assignments.views import staff

app_name = "requests"
urlpatterns = [
    path("", staff.mine, name="mine"),
    path("databases/<int:pk>/", staff.ask, name="ask"),
    path("<int:pk>/cancel/", staff.cancel, name="cancel"),
]
