#!/usr/bin/env python3
"""Django's command line for this project."""

import os
import sys
from importlib import import_module


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        # Read first: a command that needs no setting to be found would stumble over what follows
        # from the missing one, now here, now there, and say that instead.
        import_module(os.environ["DJANGO_SETTINGS_MODULE"])
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # The sentence says which setting is missing; where in our code it was noticed helps nobody.
        sys.stderr.write(f"Not started: {error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
