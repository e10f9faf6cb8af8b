"""People, for admins."""

from django.urls import path

from crm.shell import people

app_name = "people"

urlpatterns = [
    path("", people.people, name="list"),
    path("create/", people.create_person, name="create"),
    path("<int:pk>/", people.edit_person, name="edit"),
    path("<int:pk>/reset-password/", people.reset_password, name="reset_password"),
    path("<int:pk>/deactivate/", people.deactivate_person, name="deactivate"),
    path("<int:pk>/reactivate/", people.reactivate_person, name="reactivate"),
    path("<int:pk>/delete/", people.delete_person, name="delete"),
]
