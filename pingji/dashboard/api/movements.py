"""`POST /api/v1/movements`: what phones say, a batch at a time."""

import json
import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.concurrency import run_in_threadpool

from pingji.dashboard.access import Routes, Who, area_of, needs
from pingji.dashboard.api.common import NO_CONTROLS, NO_NUL
from pingji.dashboard.context import Context, now_us
from pingji.dashboard.errors import BadRequest, BatchTooLarge, printable
from pingji.dashboard.texts import t
from pingji.data.areas import movements_outside
from pingji.data.engine import reading
from pingji.data.ingest import Outcome
from pingji.ops.access import EVERYWHERE, Caller, Permission
from pingji.ops.movement import MAX_COUNT, Kind, Movement, Reason

MAX_BATCH = 1_000
MAX_BYTES = 4 << 20  # unpacked: 1,000 movements with long notes are far below it

UUID7 = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-7[0-9a-fA-F]{3}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
# PostgreSQL can't hold NUL; no name or note needs any other control character either.
Code = Annotated[str, StringConstraints(max_length=64, pattern=NO_CONTROLS)]


class MovementIn(BaseModel):
    """One statement of one device."""

    model_config = ConfigDict(extra="forbid", title="Movement")

    id: Annotated[str, StringConstraints(pattern=UUID7)]
    device: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NO_CONTROLS)]
    sequence: Annotated[int, Field(ge=0, lt=2**62, strict=True)]
    occurred_at: AwareDatetime
    kind: Kind
    place: Code | None = None
    person: Code | None = None
    household: Code | None = None
    count: Annotated[int, Field(ge=-MAX_COUNT, le=MAX_COUNT, strict=True)] | None = None
    supersedes: UUID | None = None
    note: Annotated[str, StringConstraints(max_length=500, pattern=NO_NUL)] | None = None


class RefusedOut(BaseModel):
    """A movement that was not taken, and why."""

    id: str
    reason: str
    detail: str
    detail_en: str


class MovementsOut(BaseModel):
    """What became of each movement; acknowledged only when durable."""

    accepted: list[str]
    duplicates: list[str]
    refused: list[RefusedOut]


class MovementsIn(BaseModel):
    """A batch; at most 1,000 movements, gzip accepted."""

    movements: list[MovementIn]


_validate = MovementIn.__pydantic_validator__.validate_python


def router(context: Context) -> APIRouter:
    """The route of the head-count."""
    routes = Routes(tags=["movements"])
    content = {"application/json": {"schema": MovementsIn.model_json_schema()}}
    schema = {"requestBody": {"required": True, "content": content}}

    @routes.post("/movements", response_model=MovementsOut, openapi_extra=schema)
    @needs(Permission.COUNT)
    async def record_movements(request: Request, who: Who) -> Response:
        """Record movements: idempotent by id, in any order; one bad entry never blocks the others."""
        entries = _entries(await _body(request))
        movements, refused, spelling = _parse(entries, now_us())
        if strange := await _outside(context, who, movements):
            refused += [_refused(spelling[m.id], Reason.OUTSIDE_AREA) for m in movements if m.id in strange]
            movements = [m for m in movements if m.id not in strange]
        outcome = Outcome()
        if movements:
            outcome = await context.writer.write(context.county_code, movements)
        refused += [_refused(spelling[i], reason) for i, reason in outcome.refused]
        taken = {"accepted": outcome.accepted, "duplicates": outcome.duplicates}
        body = {**{fate: [spelling[i] for i in ids] for fate, ids in taken.items()}, "refused": refused}
        return Response(orjson.dumps(body), media_type="application/json")

    return routes


async def _outside(context: Context, who: Caller, movements: Sequence[Movement]) -> set[str]:
    """The movements that are not the caller's to make; whoever counts in the whole county costs nothing here."""
    if not {EVERYWHERE, context.county_code}.isdisjoint(who.scopes((Permission.COUNT,))):
        return set()

    def look() -> set[str]:
        area = area_of(context, who, Permission.COUNT)
        with reading(context.engine) as conn:
            return movements_outside(conn, context.county_code, movements, area)

    return await run_in_threadpool(look)


async def _body(request: Request) -> bytes:
    size, chunks = 0, []
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BYTES:
            raise BatchTooLarge(limit=f"{MAX_BYTES >> 20} MB")
        chunks.append(chunk)
    raw = b"".join(chunks)
    if request.headers.get("content-encoding", "").lower() != "gzip":
        return raw
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(raw, MAX_BYTES)
    except zlib.error as error:
        raise BadRequest(where="gzip", what=str(error)) from error
    if unpacker.unconsumed_tail:
        raise BatchTooLarge(limit=f"{MAX_BYTES >> 20} MB")
    if not unpacker.eof:
        raise BadRequest(where="gzip", what="cut off")
    return unpacked


def _entries(body: bytes) -> Sequence[object]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        document = _lenient(body, error)
    entries = document.get("movements") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise BadRequest(where="movements", what="a list is needed")
    if len(entries) > MAX_BATCH:
        raise BatchTooLarge(limit=MAX_BATCH)
    return entries


def _lenient(body: bytes, error: ValueError) -> object:
    """Half an emoji in one note (a lone surrogate) is that entry's fault, not its batch's."""
    try:
        return json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise BadRequest(where="body", what=printable(str(error))) from error


def _parse(entries: Sequence[object], received_at: int) -> tuple[list[Movement], list[dict[str, str]], dict[str, str]]:
    """The movements, those that are none, and each id as its phone spells it: that is how it looks for the answer."""
    movements: list[Movement] = []
    refused: list[dict[str, str]] = []
    spelling: dict[str, str] = {}
    for entry in entries:
        try:
            valid = _validate(entry)
            movements.append(_movement(valid, received_at))
            spelling[movements[-1].id] = valid.id
        except ValidationError as error:
            claimed = str(entry.get("id", "")) if isinstance(entry, dict) else ""
            first = error.errors(include_url=False, include_input=False)[0]
            where = printable(".".join(map(str, first["loc"])), 64) or "-"
            what = printable(first["msg"])
            refused.append(_refused(printable(claimed, 64), Reason.MALFORMED, field=where, what=what))
    return movements, refused, spelling


def _movement(m: MovementIn, received_at: int) -> Movement:
    occurred_at = _microseconds(m.occurred_at)
    return Movement(
        m.id.lower(),
        m.device,
        m.sequence,
        m.kind,
        occurred_at,
        max(min(occurred_at, received_at), 1),  # a phone that lost its clock says 1970, and is still heard
        m.place or "",
        m.person or "",
        m.household or "",
        m.count or 0,
        str(m.supersedes) if m.supersedes else "",
        m.note or "",
    )


def _microseconds(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)


def _refused(movement_id: str, reason: Reason, **params: object) -> dict[str, str]:
    key = f"refusal.{reason.value}"
    texts = {"detail": t(key, "zh_CN", **params), "detail_en": t(key, "en", **params)}
    return {"id": movement_id, "reason": reason.value, **texts}
