from django.urls import path, register_converter

from batches import views
from batches.keys import BatchKeyConverter

app_name = "batches"
register_converter(BatchKeyConverter, "batch")

urlpatterns = [
    path("", views.my_batches, name="list"),
    path("<batch:key>/", views.detail, name="detail"),
    path("customers/<int:pk>/reach/", views.mark_reach, name="mark_reach"),
    path("customers/<int:pk>/response/", views.mark_response, name="mark_response"),
    path("customers/<int:pk>/history/", views.history, name="history"),
]
