"""Every address of the site. A lower app is reached only through this file."""

from django.contrib import admin
from django.urls import include, path

from accounts.access import Audience, mark_urls
from crm.shell import errors
from crm.shell.activity_page import activity
from crm.shell.health import healthz, livez
from crm.shell.home import home
from crm.shell.more import more

urlpatterns = [
    path("", home, name="home"),
    path("livez", livez, name="livez"),
    path("healthz", healthz, name="healthz"),
    path("more/", more, name="more"),
    path("", include("accounts.urls")),
    path("batches/", include("batches.urls")),
    path("request/", include("assignments.urls_staff")),
    path("manage/requests/", include("assignments.urls_manage")),
    path("manage/databases/", include("databases.urls")),
    path("manage/databases/", include("assignments.urls_database")),
    path("manage/products/", include("databases.urls_products")),
    path("manage/templates/", include("batches.urls_manage")),
    path("manage/people/", include("crm.shell.urls_people")),
    path("manage/activity/", activity, name="activity"),
    path("django-admin/", mark_urls(admin.site.urls, Audience.ADMIN)),
]

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.server_error
