"""Message templates, for admins, under /manage/templates/."""

from django.urls import path

from batches.views import templates

app_name = "templates"
urlpatterns = [
    path("", templates.template_list, name="list"),
    path("create/", templates.create_template, name="create"),
    path("<int:pk>/", templates.edit_template, name="edit"),
    path("<int:pk>/move/", templates.move_template, name="move"),
    path("<int:pk>/archive/", templates.archive_template, name="archive"),
    path("<int:pk>/restore/", templates.restore_template, name="restore"),
]
