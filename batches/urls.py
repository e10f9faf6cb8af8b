from django.urls import path, register_converter

from batches.keys import BatchKeyConverter
from batches.views import customers, lists, marks, messages, search

app_name = "batches"
register_converter(BatchKeyConverter, "batch")

urlpatterns = [
    path("", lists.my_batches, name="list"),
    path("search/", search.search, name="search"),
    path("<batch:key>/", customers.detail, name="detail"),
    path("<batch:key>/title/", lists.title, name="title"),
    path("<batch:key>/pin/", lists.pin, name="pin"),
    path("<batch:key>/message/", messages.choose_message, name="choose_message"),
    path("<batch:key>/mark/", marks.mark_many, name="mark_many"),
    path("<batch:key>/undo/", marks.undo, name="undo"),
    path("customers/<int:pk>/reach/", marks.mark_reach, name="mark_reach"),
    path("customers/<int:pk>/response/", marks.mark_response, name="mark_response"),
    path("customers/<int:pk>/history/", customers.history, name="history"),
    path("customers/<int:pk>/note/", customers.note, name="note"),
    path("customers/<int:pk>/attempt/", customers.attempt, name="attempt"),
]
