"""Relations point down the same list that imports follow; import-linter cannot see them."""

from pathlib import Path

from django.apps import apps
from django.db import models

# From the top of the house to its ground.
ORDER = ["shell", "batches", "assignments", "databases", "accounts"]


def test_every_relation_points_down_the_house() -> None:
    upwards = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in apps.get_models()
        if model._meta.app_label in ORDER
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey | models.ManyToManyField)
        and field.related_model._meta.app_label in ORDER
        and ORDER.index(field.related_model._meta.app_label) < ORDER.index(model._meta.app_label)
    ]
    assert upwards == []


def test_every_app_of_ours_has_its_place_in_the_list() -> None:
    root = Path(__file__).resolve().parents[2]
    ours = {
        config.label
        for config in apps.get_app_configs()
        if config.models_module
        and Path(config.path).is_relative_to(root)
        and not Path(config.path).is_relative_to(root / ".venv")
    }
    assert ours <= set(ORDER)
    assert ours
