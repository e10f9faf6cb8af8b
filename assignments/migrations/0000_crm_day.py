"""The day of a moment in the configured time zone, as a function of the database.

The totals' triggers ask it: their connection's own zone is UTC. The zone is written into the
database here and only here, so that a setting changed later cannot split the days of one table;
a check says when the two differ, and `rebuild_totals` moves the database to the new zone.
"""

from django.conf import settings
from django.db import migrations


def create(apps, schema_editor):
    zone = schema_editor.quote_value(settings.TIME_ZONE)
    schema_editor.execute(
        "CREATE FUNCTION crm_zone() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE "
        f"AS $$ SELECT {zone}::text $$"
    )
    schema_editor.execute(
        "CREATE FUNCTION crm_day(moment timestamptz) RETURNS date LANGUAGE sql IMMUTABLE STRICT "
        "PARALLEL SAFE AS $$ SELECT (moment AT TIME ZONE crm_zone())::date $$"
    )


def drop(apps, schema_editor):
    schema_editor.execute("DROP FUNCTION crm_day(timestamptz)")
    schema_editor.execute("DROP FUNCTION crm_zone()")


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.RunPython(create, drop)]
