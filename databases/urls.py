"""Databases and imports, for admins."""

from django.urls import path

from databases.views import lists, receiving, report, undone, uploads

app_name = "databases"

urlpatterns = [
    path("", lists.database_list, name="list"),
    path("upload/", uploads.upload, name="upload"),
    path("upload/receive/", receiving.receive, name="receive"),
    path("upload/receive/<uuid:pk>/", receiving.receive_piece, name="receive_piece"),
    path("upload/receive/<uuid:pk>/cancel/", receiving.cancel_receiving, name="cancel_receiving"),
    path("<int:pk>/edit/", lists.edit_database, name="edit"),
    # One upload on its way.
    path("imports/<int:pk>/check/", uploads.check, name="check"),
    path("imports/<int:pk>/read-again/", uploads.read_again, name="read_again"),
    path("imports/<int:pk>/confirm/", uploads.confirm_import, name="confirm_import"),
    path("imports/<int:pk>/progress/", uploads.import_progress, name="import_progress"),
    path("imports/<int:pk>/cancel/", uploads.cancel_import, name="cancel_import"),
    path("imports/<int:pk>/retry/", uploads.retry_import, name="retry_import"),
    path("imports/<int:pk>/report/", report.import_report, name="import_report"),
    path("imports/<int:pk>/undone/", undone.import_undone, name="import_undone"),
    path("imports/<int:pk>/check-again/", undone.check_again, name="check_again"),
    path("imports/<int:pk>/rows/", report.import_rows, name="import_rows"),
    path("imports/<int:pk>/correct/", report.upload_correction, name="upload_correction"),
    path(
        "imports/<int:pk>/confirm-correction/", report.confirm_correction, name="confirm_correction"
    ),
    path("imports/<int:pk>/not-ready.csv", report.not_ready_csv, name="not_ready_csv"),
    path("imports/<int:pk>/original/", report.original_file, name="original_file"),
]
