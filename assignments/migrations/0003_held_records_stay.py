from django.db import migrations


class Migration(migrations.Migration):
    """Refuse to delete records that assignments point at, asked once for all rows of a statement.

    A foreign key would lock, and so write, each wide record at every hand-out.
    """

    dependencies = [
        ("assignments", "0002_room_for_marks"),
        ("databases", "0002_shelf_is_swept"),
    ]
    operations = [
        migrations.RunSQL(
            """
            CREATE FUNCTION crm_held_records_stay() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE wrong boolean;
            BEGIN
                EXECUTE $q$
                    SELECT EXISTS (
                        SELECT FROM old_rows o
                        JOIN assignments_assignment a ON a.record_id = o.id)
                $q$ INTO wrong;
                IF wrong THEN
                    RAISE EXCEPTION 'a record with assignments cannot be deleted'
                        USING ERRCODE = 'foreign_key_violation';
                END IF;
                RETURN NULL;
            END $$;
            CREATE TRIGGER held_records_stay AFTER DELETE ON databases_record
                REFERENCING OLD TABLE AS old_rows
                FOR EACH STATEMENT EXECUTE FUNCTION crm_held_records_stay();
            """,
            """
            DROP TRIGGER held_records_stay ON databases_record;
            DROP FUNCTION crm_held_records_stay();
            """,
        ),
    ]
