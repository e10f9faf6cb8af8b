"""Products, for admins."""

from django.urls import path

from databases.views import products

app_name = "products"

urlpatterns = [
    path("", products.product_list, name="list"),
    path("create/", products.create_product, name="create"),
    path("<int:pk>/rename/", products.rename_product, name="rename"),
    path("<int:pk>/archive/", products.archive_product, name="archive"),
    path("<int:pk>/unarchive/", products.unarchive_product, name="unarchive"),
    path("<int:pk>/delete/", products.delete_product, name="delete"),
]
