"""The pages of one database, under /manage/databases/: its records, whose they are, its changes."""

from django.urls import path

from assignments.views import manage

app_name = "database"
urlpatterns = [
    path("<int:pk>/archive/", manage.archive, name="archive"),
    path("<int:pk>/unarchive/", manage.unarchive, name="unarchive"),
]
