"""Which statements make sense by themselves."""

from dataclasses import replace

import pytest

from pingji.ops.movement import POSITION_OF, SHELTER, TRANSFER_POINT, Kind, Movement, Reason, position_of, refusal
from pingji.ops.position import Position

ANY = Movement("m", "d", 1, Kind.NOTIFY, 1, 1, person="p")
TAP = replace(ANY, kind=Kind.COUNT, person="", place="T", count=1)
UNDO = replace(ANY, kind=Kind.CORRECT, person="", supersedes="x")


@pytest.mark.parametrize(
    ("movement", "place_kind", "reason"),
    [
        (ANY, None, None),
        (replace(ANY, supersedes="m"), None, Reason.SUPERSEDES_ITSELF),
        (replace(ANY, place="T9"), None, Reason.UNKNOWN_PLACE),
        (replace(ANY, person=""), None, Reason.SUBJECT_REQUIRED),
        (replace(ANY, person="", household="h"), None, None),
        (replace(ANY, count=1), None, Reason.COUNT_NOT_ALLOWED),
        (replace(ANY, kind=Kind.ARRIVE), None, Reason.PLACE_REQUIRED),
        (replace(ANY, kind=Kind.LEAVE), None, Reason.PLACE_REQUIRED),
        (replace(ANY, kind=Kind.ARRIVE, place="T"), TRANSFER_POINT, None),
        (TAP, TRANSFER_POINT, None),
        (replace(TAP, count=-1), SHELTER, None),
        (replace(TAP, count=0), SHELTER, Reason.COUNT_REQUIRED),
        (replace(TAP, place=""), None, Reason.PLACE_REQUIRED),
        (UNDO, None, None),
        (replace(UNDO, supersedes=""), None, Reason.SUPERSEDES_REQUIRED),
        (replace(UNDO, count=3), None, Reason.PLACE_REQUIRED),
        (replace(UNDO, count=3, place="T"), TRANSFER_POINT, None),
    ],
)
def test_refusals(movement: Movement, place_kind: str | None, reason: Reason | None) -> None:
    assert refusal(movement, place_kind) == reason


def test_what_each_kind_says_of_where_somebody_is() -> None:
    silent = {kind for kind in Kind if position_of(kind, None) is None}
    assert silent == {Kind.ARRIVE, Kind.VERIFY, Kind.COUNT, Kind.CORRECT}
    assert position_of(Kind.ARRIVE, TRANSFER_POINT) is Position.AT_TRANSFER_POINT
    assert position_of(Kind.ARRIVE, SHELTER) is Position.SHELTERED_TOGETHER
    assert {*POSITION_OF.values(), Position.AT_TRANSFER_POINT, Position.SHELTERED_TOGETHER} == set(Position) - {
        Position.NOT_REACHED
    }
