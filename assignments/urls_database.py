"""The pages of one database, under /manage/databases/: its records, whose they are, its changes."""

from django.urls import path

from assignments.views import (
    database_archive,
    database_attention,
    database_change,
    database_columns,
    database_removal,
    database_rows,
)

app_name = "database"
urlpatterns = [
    path("<int:pk>/", database_rows.database_detail, name="detail"),
    path("<int:pk>/scan/", database_rows.scan_rows, name="scan_rows"),
    path("<int:pk>/change/", database_change.database_change, name="change"),
    path("<int:pk>/columns/", database_columns.columns, name="columns"),
    path("<int:pk>/retry-change/", database_columns.retry_change, name="retry_change"),
    path("<int:pk>/drop-change/", database_columns.drop_change, name="drop_change"),
    path("<int:pk>/attention/", database_attention.attention, name="attention"),
    path("<int:pk>/attention/<int:row>/", database_attention.repair, name="repair"),
    path("<int:pk>/attention/<int:row>/skip/", database_attention.skip, name="skip"),
    path("<int:pk>/archive/", database_archive.archive, name="archive"),
    path("<int:pk>/unarchive/", database_archive.unarchive, name="unarchive"),
    path("<int:pk>/delete/", database_removal.delete, name="delete"),
    path("<int:pk>/undo/", database_removal.undo, name="undo"),
    path("<int:pk>/recall/", database_removal.recall, name="recall"),
]
