"""A new set of grids from a file, as a change set."""

import uuid
from pathlib import Path

from pingji.dashboard.context import Context, now_us
from pingji.data.engine import reading, writing
from pingji.data.files.reading import ImportOptions
from pingji.data.grids.incoming import GridReport, keep_grids, plan_grids
from pingji.data.notify import notify
from pingji.ops.change_set import UNNAMED, ChangeSet, NameNeeded, Reason


def import_grids(
    context: Context, path: Path, options: ImportOptions, *, name: str, reason: Reason, note: str, actor: str
) -> tuple[ChangeSet | None, GridReport]:
    """Read a file of grids and keep it as a change set; None where the report has errors, and nothing is kept.

    The file is read and matched on a snapshot: what somebody publishes in the meantime makes the draft stale, as it
    does every draft.

    Raises
    ------
    FileError, OpsError
        What spoils the whole file; NameNeeded, or NothingNew where it is what stands today.
    """
    if actor in ("", UNNAMED):
        raise NameNeeded()
    with reading(context.engine) as conn:
        plan = plan_grids(conn, path, options)
    if plan.report.errors:
        return None, plan.report
    with writing(context.engine) as conn:
        kept = keep_grids(
            conn,
            plan,
            id=str(uuid.uuid4()),
            name=name,
            reason=reason,
            note=note,
            actor=actor,
            at=now_us(),
        )
        notify(conn, "drafts")
    context.on_change()
    return kept, plan.report
