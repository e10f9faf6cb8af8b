"""Sums over assignments by batch and by day, and the triggers that keep them.

`crm_day(timestamptz)` is a function of the database that gives the day in the configured zone:
the connection's own zone is UTC.
"""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from assignments.models.requests import RecordRequest
from databases.models import Database
from databases.models.totals import statement_triggers
from databases.models.whole import LOCK_DATABASE, refuse_if


class BatchStatQuerySet(models.QuerySet["BatchStat"]):
    def visible_to(self, user: User) -> BatchStatQuerySet:
        """Staff see their own batches, admins all; an emptied one is no batch any more."""
        mine = self.filter(records__gt=0)
        return mine if user.is_admin else mine.filter(staff=user)


class BatchStat(models.Model):
    """The live numbers of one batch: what one staff holds from one act of handing out.

    Without a request it is the Legacy batch of that database.
    """

    staff = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    database = models.ForeignKey(Database, on_delete=models.PROTECT, related_name="+")
    request = models.ForeignKey(
        RecordRequest, on_delete=models.PROTECT, null=True, related_name="batches"
    )
    records = models.IntegerField(default=0)
    ada = models.IntegerField(default=0)
    ceklis1 = models.IntegerField(default=0)
    tidak = models.IntegerField(default=0)
    ya = models.IntegerField(default=0)
    tidak_response = models.IntegerField(default=0)

    objects = BatchStatQuerySet.as_manager()

    class Meta:
        verbose_name = _("batch totals")
        verbose_name_plural = _("batch totals")
        constraints = [
            models.UniqueConstraint(
                fields=["staff", "database", "request"],
                nulls_distinct=False,
                name="batch_totals_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.staff_id}/{self.database_id}/{self.request_id}"

    @property
    def checked(self) -> int:
        return self.ada + self.ceklis1 + self.tidak

    @property
    def unchecked(self) -> int:
        return self.records - self.checked


class StaffDay(models.Model):
    """What one staff was given and marked on one day in one database; released ones count too."""

    staff = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    day = models.DateField()
    database = models.ForeignKey(Database, on_delete=models.PROTECT, related_name="+")
    assigned = models.IntegerField(default=0)
    ada = models.IntegerField(default=0)
    ceklis1 = models.IntegerField(default=0)
    tidak = models.IntegerField(default=0)
    ya = models.IntegerField(default=0)
    tidak_response = models.IntegerField(default=0)

    class Meta:
        verbose_name = _("day of a staff")
        verbose_name_plural = _("days of staff")
        constraints = [
            models.UniqueConstraint(
                fields=["staff", "day", "database"], name="staff_day_totals_once"
            ),
        ]
        indexes = [models.Index(fields=["day"], name="staff_day_by_day")]

    def __str__(self) -> str:
        return f"{self.staff_id}/{self.day}/{self.database_id}"


MARKS = """
    coalesce(sum(sign) FILTER (WHERE reach = 'ada'), 0) AS ada,
    coalesce(sum(sign) FILTER (WHERE reach = 'ceklis1'), 0) AS ceklis1,
    coalesce(sum(sign) FILTER (WHERE reach = 'tidak'), 0) AS tidak,
    coalesce(sum(sign) FILTER (WHERE response = 'ya'), 0) AS ya,
    coalesce(sum(sign) FILTER (WHERE response = 'tidak'), 0) AS tidak_response
"""
# What one assignment counts for, once for each day it touches: given, reached, answered.
STAFF_DAY_PARTS = """
    SELECT sign, staff_id, database_id, crm_day(assigned_at) AS day,
           1 AS assigned, NULL::text AS reach, NULL::text AS response
    FROM touched WHERE assigned_at IS NOT NULL
    UNION ALL
    SELECT sign, staff_id, database_id, crm_day(reach_at), 0, reach, NULL
    FROM touched WHERE reach IS NOT NULL
    UNION ALL
    SELECT sign, staff_id, database_id, crm_day(response_at), 0, NULL, response
    FROM touched WHERE response IS NOT NULL
"""
_ADD = ", ".join(
    f"{name} = {{table}}.{name} + EXCLUDED.{name}"
    for name in ("ada", "ceklis1", "tidak", "ya", "tidak_response")
)
_ANY = " OR ".join(f"d.{name} <> 0" for name in ("ada", "ceklis1", "tidak", "ya", "tidak_response"))
_COLUMNS = "ada, ceklis1, tidak, ya, tidak_response"

# A record on the shelf is nobody's: refuse the hand-out that did not take it from there. And a
# deleted database gives nothing; it is locked, so that nobody deletes it before this is committed.
_CHECK = (
    LOCK_DATABASE
    + refuse_if(
        """
        SELECT EXISTS (
            SELECT FROM new_rows n JOIN databases_database d ON d.id = n.database_id
            WHERE n.state <> 'released' AND d.deleted_at IS NOT NULL)
        """,
        says="no record of a deleted database can be in somebody''s hands",
    )
    + refuse_if(
        """
        SELECT EXISTS (
            SELECT FROM new_rows n WHERE NOT EXISTS (
                SELECT FROM databases_record r
                WHERE r.id = n.record_id AND r.database_id = n.database_id))
        """,
        says="only a record of this database can be in somebody''s hands",
    )
    + refuse_if(
        """
        SELECT EXISTS (
            SELECT FROM new_rows n JOIN databases_pool p USING (record_id)
            WHERE n.state <> 'released')
        """,
        says="a record is on the shelf and in somebody''s hands",
    )
)

_BODY = f"""
    UPDATE databases_databasestat s
    SET requested = s.requested + d.requested, assigned = s.assigned + d.assigned
    FROM (
        SELECT database_id,
               coalesce(sum(sign) FILTER (WHERE state = 'held'), 0) AS requested,
               coalesce(sum(sign) FILTER (WHERE state = 'active'), 0) AS assigned
        FROM {{rows}} r GROUP BY database_id ORDER BY database_id
    ) d
    WHERE s.database_id = d.database_id AND (d.requested <> 0 OR d.assigned <> 0);

    INSERT INTO assignments_batchstat AS b (staff_id, database_id, request_id, records, {_COLUMNS})
    SELECT staff_id, database_id, request_id, records, {_COLUMNS} FROM (
        SELECT staff_id, database_id, request_id, sum(sign) AS records, {MARKS}
        FROM {{rows}} r WHERE state = 'active'
        GROUP BY staff_id, database_id, request_id
    ) d WHERE d.records <> 0 OR {_ANY}
    ORDER BY staff_id, database_id, request_id
    ON CONFLICT (staff_id, database_id, request_id) DO UPDATE
    SET records = b.records + EXCLUDED.records, {_ADD.format(table="b")};

    INSERT INTO assignments_staffday AS t (staff_id, day, database_id, assigned, {_COLUMNS})
    SELECT staff_id, day, database_id, assigned, {_COLUMNS} FROM (
        WITH touched AS (SELECT * FROM {{rows}} r)
        SELECT staff_id, day, database_id, sum(sign * assigned) AS assigned, {MARKS}
        FROM ({STAFF_DAY_PARTS}) parts
        GROUP BY staff_id, day, database_id
    ) d WHERE d.assigned <> 0 OR {_ANY}
    ORDER BY staff_id, day, database_id
    ON CONFLICT (staff_id, day, database_id) DO UPDATE
    SET assigned = t.assigned + EXCLUDED.assigned, {_ADD.format(table="t")};
"""  # noqa: S608 -- our own text

assignment_triggers = statement_triggers(
    "assignment_totals",
    [pgtrigger.Insert, pgtrigger.Delete, pgtrigger.Update],
    _BODY,
    check={pgtrigger.Insert: _CHECK},
)
