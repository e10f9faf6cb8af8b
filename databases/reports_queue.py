"""How many imports come before one that waits."""

from __future__ import annotations

from procrastinate.contrib.django.models import ProcrastinateJob

from databases.models import Import


def imports_before(source: Import) -> int:
    """Count the imports that are run before `source`, the running one included.

    The queue decides the order, so it is asked; jobs of imports that were given up do not count.
    """
    # By their lock, not their name: corrections of an import wait in the same line.
    waiting = ProcrastinateJob.objects.filter(lock="imports", status__in=["todo", "doing"])
    jobs = [
        (args.get("import_id"), args.get("attempt"))
        for args in waiting.order_by("id").values_list("args", flat=True)
    ]
    mine = (source.pk, source.attempt)
    before = set(jobs[: jobs.index(mine)] if mine in jobs else jobs)
    alive = Import.objects.filter(
        pk__in=[import_id for import_id, _attempt in before],
        state__in=[Import.State.QUEUED, Import.State.RUNNING],
    )
    return sum(1 for found in alive.values_list("pk", "attempt") if found in before)
