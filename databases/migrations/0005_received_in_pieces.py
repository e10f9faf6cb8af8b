from django.db import migrations, models


def all_arrived(apps, schema_editor):
    """What was received so far came in one piece."""
    received = apps.get_model("databases", "ReceivedFile")
    received.objects.update(arrived=models.F("size"))


class Migration(migrations.Migration):
    dependencies = [
        ("databases", "0004_corrections"),
    ]

    operations = [
        migrations.AddField(
            model_name="receivedfile",
            name="arrived",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="receivedfile",
            name="sha256",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
        migrations.RunPython(all_arrived, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            model_name="receivedfile",
            constraint=models.CheckConstraint(
                condition=models.Q(("arrived__gte", 0), ("arrived__lte", models.F("size"))),
                name="received_no_more_than_all",
            ),
        ),
        migrations.AddConstraint(
            model_name="receivedfile",
            constraint=models.CheckConstraint(
                condition=models.Q(("sha256", ""), ("arrived", models.F("size")), _connector="OR"),
                name="received_file_is_whole",
            ),
        ),
    ]
