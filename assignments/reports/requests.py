"""What the request pages show: what waits, how its people are doing, and what was decided."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import Count, F, Min, Q, Sum

from accounts.models import User
from assignments.models import BatchStat, RecordRequest, StaffDay
from assignments.models.requests import RecordRequestQuerySet
from crm.kernel import clock
from crm.kernel.paging import Page, keyset
from databases.models import Database, Product, Program
from databases.models.catalog import DatabaseQuerySet

QUEUE_SIZE = 50
HISTORY_SIZE = 50
MINE_SIZE = 20
SHELF_SIZE = 30

# Quality is of the recent past: what somebody did last year says little about today's request.
QUALITY_DAYS = 30
# Where a number deserves a second look before more is given.
MANY_UNCHECKED = 200
LOW_QUALITY = 50


@dataclass(frozen=True, slots=True)
class Work:
    """How a staff is doing: what they hold and have not checked now, and what came of it lately."""

    held: int = 0
    unchecked: int = 0
    checked: int = 0  # of the last QUALITY_DAYS, as the next two
    ada: int = 0
    ya: int = 0

    @property
    def progress(self) -> float | None:
        """Give checked of what they hold in percent, or None where they hold nothing."""
        return 100 * (self.held - self.unchecked) / self.held if self.held else None

    @property
    def quality(self) -> float | None:
        """Give Ada of checked in percent, or None where nothing was checked."""
        return 100 * self.ada / self.checked if self.checked else None

    @property
    def answered(self) -> float | None:
        """Give Ya of checked in percent, or None where nothing was checked."""
        return 100 * self.ya / self.checked if self.checked else None

    @property
    def is_behind(self) -> bool:
        return self.unchecked >= MANY_UNCHECKED

    @property
    def is_low(self) -> bool:
        return self.quality is not None and self.quality < LOW_QUALITY


@dataclass(frozen=True, slots=True)
class Row:
    """One waiting (or just decided) request with what an admin weighs."""

    request: RecordRequest
    work: Work
    available: int


@dataclass(frozen=True, slots=True)
class ProductCount:
    id: int | None
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """The queue in numbers."""

    requests: int
    records: int
    oldest: dt.datetime | None
    products: Sequence[ProductCount] = field(default_factory=tuple)


def pending_count() -> int:
    """Count the requests that wait for an admin."""
    return RecordRequest.objects.pending().count()


def waiting() -> Waiting:
    """Give the queue in numbers, by product."""
    groups = list(
        RecordRequest.objects.pending()
        .order_by("database__product__name")
        .values("database__product_id", "database__product__name")
        .annotate(requests=Count("pk"), records=Sum("quantity"), oldest=Min("created_at"))
    )
    return Waiting(
        requests=sum(group["requests"] for group in groups),
        records=sum(group["records"] for group in groups),
        oldest=min((group["oldest"] for group in groups), default=None),
        products=tuple(
            ProductCount(
                group["database__product_id"],
                group["database__product__name"] or "",
                group["requests"],
            )
            for group in groups
        ),
    )


def queue(
    user: User, *, product_id: int | None = None, search: str = "", after: str | None = None
) -> tuple[Page[RecordRequest], list[Row]]:
    """Give a page of what waits, oldest first, with what an admin weighs."""
    pending = _with_names(RecordRequest.objects.visible_to(user).pending())
    if product_id is not None:
        pending = pending.filter(database__product_id=product_id)
    if search:
        pending = pending.filter(
            Q(staff__name__icontains=search) | Q(database__name__icontains=search)
        )
    page = keyset(pending, order=["id"], after=after, size=QUEUE_SIZE)
    return page, rows_of(page.rows)


def rows_of(requests: Sequence[RecordRequest]) -> list[Row]:
    """Put beside each request what its staff has to do and how well they did lately."""
    works = work_of({request.staff_id for request in requests})
    return [
        Row(request, works.get(request.staff_id, Work()), request.database.stat.available)
        for request in requests
    ]


def row_of(user: User, request_id: int) -> Row | None:
    """Give one request as a row of the queue, or None where the user may not see it."""
    found = _with_names(RecordRequest.objects.visible_to(user)).filter(pk=request_id).first()
    return rows_of([found])[0] if found else None


def work_of(staff_ids: Iterable[int]) -> dict[int, Work]:
    """Give for each staff what they hold and have not checked, and their marks lately."""
    ids = list(staff_ids)
    checked = F("ada") + F("ceklis1") + F("tidak")
    holding = {
        pk: (held, unchecked)
        for pk, held, unchecked in BatchStat.objects.filter(staff__in=ids)
        .values("staff")
        .annotate(held=Sum("records"), left=Sum(F("records") - checked))
        .values_list("staff", "held", "left")
    }
    since = clock.today() - dt.timedelta(days=QUALITY_DAYS - 1)
    marks = {
        pk: rest
        for pk, *rest in StaffDay.objects.filter(staff__in=ids, day__gte=since)
        .values("staff")
        .annotate(checked_sum=Sum(checked), ada_sum=Sum("ada"), ya_sum=Sum("ya"))
        .values_list("staff", "checked_sum", "ada_sum", "ya_sum")
    }
    return {pk: Work(*holding.get(pk, (0, 0)), *marks.get(pk, (0, 0, 0))) for pk in ids}


@dataclass(frozen=True, slots=True)
class DecidedToday:
    """What was decided since midnight: the last of it, and the sums."""

    rows: list[RecordRequest]
    approved: int
    rejected: int
    cancelled: int

    @property
    def count(self) -> int:
        return self.approved + self.rejected + self.cancelled


def decided_today(user: User) -> DecidedToday:
    """Give what was decided today of what had been asked for."""
    start = clock.start_of_day(clock.today())
    today = RecordRequest.objects.visible_to(user).asked().decided().filter(decided_at__gte=start)
    status = RecordRequest.Status
    counts = today.aggregate(
        approved=Count("pk", filter=Q(status=status.APPROVED)),
        rejected=Count("pk", filter=Q(status=status.REJECTED)),
        cancelled=Count("pk", filter=Q(status=status.CANCELLED)),
    )
    rows = list(_with_names(today).order_by("-decided_at", "-id")[:10])
    return DecidedToday(rows=rows, **counts)


def history(
    user: User,
    *,
    status: str = "",
    staff: User | None = None,
    product: Product | None = None,
    database: Database | None = None,
    since: dt.date | None = None,
    until: dt.date | None = None,
    after: str | None = None,
) -> Page[RecordRequest]:
    """Give a page of decided requests, the last decided first; both days are whole ones."""
    decided = _with_names(RecordRequest.objects.visible_to(user).asked().decided())
    if status:
        decided = decided.filter(status=status)
    if staff is not None:
        decided = decided.filter(staff=staff)
    if product is not None:
        decided = decided.filter(database__product=product)
    if database is not None:
        decided = decided.filter(database=database)
    if since is not None:
        decided = decided.filter(decided_at__gte=clock.start_of_day(since))
    if until is not None:
        decided = decided.filter(decided_at__lt=clock.bounds_of(until)[1])
    return keyset(decided, order=["-decided_at", "-id"], after=after, size=HISTORY_SIZE)


@dataclass(frozen=True, slots=True)
class Mine:
    """What a staff waits for, and how much more they may ask."""

    pending: list[RecordRequest]

    @property
    def records(self) -> int:
        return sum(request.quantity for request in self.pending)

    @property
    def room(self) -> int:
        return max(0, int(settings.PENDING_RECORDS_CAP) - self.records)


def mine(user: User) -> Mine:
    """Give the user's own requests that wait."""
    own = RecordRequest.objects.filter(staff=user).pending()
    return Mine(list(own.select_related("database__product").order_by("-id")))


def my_history(user: User, *, after: str | None = None) -> Page[RecordRequest]:
    """Give a page of the user's own decided requests, the newest first."""
    own = RecordRequest.objects.filter(staff=user).asked().decided()
    return keyset(
        own.select_related("database__product", "decided_by"),
        order=["-id"],
        after=after,
        size=MINE_SIZE,
    )


def shelf(
    user: User, *, product_id: int | None = None, search: str = "", after: str | None = None
) -> Page[Database]:
    """Give a page of the databases a staff can ask from, by name."""
    found = _askable(user).select_related("product", "stat")
    if product_id is not None:
        found = found.filter(product_id=product_id)
    if search:
        found = found.filter(name__icontains=search)
    return keyset(found, order=["name", "id"], after=after, size=SHELF_SIZE)


def shelf_products(user: User) -> list[ProductCount]:
    """Count the databases a staff can ask from, by product."""
    groups = (
        _askable(user)
        .order_by("product__name")
        .values("product_id", "product__name")
        .annotate(count=Count("pk"))
    )
    return [
        ProductCount(group["product_id"], group["product__name"] or "", group["count"])
        for group in groups
    ]


def shelf_database(user: User, database_id: int) -> Database | None:
    """Give one database as the request page shows it, or None where it cannot be asked from."""
    return _askable(user).select_related("product", "stat").filter(pk=database_id).first()


def pending_of(database: Database) -> tuple[int, int]:
    """Count the requests that wait for this database, and the records they hold."""
    sums = (
        RecordRequest.objects.pending()
        .filter(database=database)
        .aggregate(requests=Count("pk"), records=Sum("quantity"))
    )
    return sums["requests"], sums["records"] or 0


def _askable(user: User) -> DatabaseQuerySet:
    return Database.objects.visible_to(user).in_program(Program.STANDARD).current()


def _with_names(requests: RecordRequestQuerySet) -> RecordRequestQuerySet:
    return requests.select_related("staff", "decided_by", "database__product", "database__stat")
