from django.db import migrations


class Migration(migrations.Migration):
    """Sweep the shelf often: it is a queue, and a hand-out must not step over its dead rows."""

    dependencies = [("databases", "0001_initial")]
    operations = [
        migrations.RunSQL(
            """
            ALTER TABLE databases_pool SET (
                autovacuum_vacuum_scale_factor = 0.01,
                autovacuum_vacuum_threshold = 1000,
                autovacuum_vacuum_cost_delay = 0
            )
            """,
            """
            ALTER TABLE databases_pool RESET (
                autovacuum_vacuum_scale_factor,
                autovacuum_vacuum_threshold,
                autovacuum_vacuum_cost_delay
            )
            """,
        ),
    ]
