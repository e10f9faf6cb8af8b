from django.db import migrations


class Migration(migrations.Migration):
    """Leave room on each page, so that a mark writes its row beside the old one (a HOT update)."""

    dependencies = [("assignments", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE assignments_assignment SET (fillfactor = 85)",
            "ALTER TABLE assignments_assignment RESET (fillfactor)",
        ),
    ]
