"""Databases and imports, for admins."""

from django.urls import path

from databases.views import lists, uploads

app_name = "databases"

urlpatterns = [
    path("", lists.database_list, name="list"),
    path("upload/", uploads.upload, name="upload"),
    path("<int:pk>/", lists.database_detail, name="detail"),
    path("<int:pk>/edit/", lists.edit_database, name="edit"),
    # One upload on its way.
    path("imports/<int:pk>/check/", uploads.check, name="check"),
    path("imports/<int:pk>/read-again/", uploads.read_again, name="read_again"),
    path("imports/<int:pk>/confirm/", uploads.confirm_import, name="confirm_import"),
    path("imports/<int:pk>/progress/", uploads.import_progress, name="import_progress"),
    path("imports/<int:pk>/cancel/", uploads.cancel_import, name="cancel_import"),
    path("imports/<int:pk>/retry/", uploads.retry_import, name="retry_import"),
    path("imports/<int:pk>/report/", uploads.import_report, name="import_report"),
    path("imports/<int:pk>/not-ready.csv", uploads.not_ready_csv, name="not_ready_csv"),
    path("imports/<int:pk>/original/", uploads.original_file, name="original_file"),
]
