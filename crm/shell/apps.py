from django.apps import AppConfig


class ShellConfig(AppConfig):
    """What spans the apps: navigation, people, activity, health, commands."""

    name = "crm.shell"
    label = "shell"
    verbose_name = "Shell"
