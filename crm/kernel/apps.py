from django.apps import AppConfig


class KernelConfig(AppConfig):
    """The bottom of the house: helpers without tables."""

    name = "crm.kernel"
    label = "kernel"
