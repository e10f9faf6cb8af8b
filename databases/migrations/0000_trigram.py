from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations


class Migration(migrations.Migration):
    """The index on names matches parts of words; its operators live in an extension."""

    dependencies = []
    operations = [TrigramExtension()]
