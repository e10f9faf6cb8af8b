"""The admins' queue of requests, under /manage/requests/."""

from django.urls import path

from assignments.views import manage

app_name = "manage_requests"
urlpatterns = [
    path("", manage.queue, name="queue"),
    path("history/", manage.history, name="history"),
    path("bulk/", manage.bulk, name="bulk"),
    path("<int:pk>/", manage.row, name="row"),
    path("<int:pk>/approve/", manage.approve, name="approve"),
    path("<int:pk>/reject/", manage.reject, name="reject"),
]
