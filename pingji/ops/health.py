"""How the service is: measurements judged as green, amber, red, or honestly unknown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
GIGABYTE = 1 << 30
MEGABYTE = 1 << 20

SLOW_MS = 200.0
LATE_S = 10.0  # the live figures are read every 2 s
BUSY = 500  # requests waiting to be written
DRIFT_S, DRIFT_BADLY_S = 1.0, 5.0  # movements are ordered by their clocks
CERTIFICATE_DAYS, CERTIFICATE_BADLY_DAYS = 30, 7
BACKUP_H, BACKUP_BADLY_H = 26.0, 72.0  # a nightly one may take two hours
VERIFIED_DAYS = 8.0  # a weekly one may come a day late
LOCKED_MANY = 5


class Light(StrEnum):
    """What a duty officer sees from across the room."""

    GREEN = "green"
    GREY = "grey"  # nobody can tell, or nobody asked for it to be watched
    AMBER = "amber"
    RED = "red"


_ORDER = list(Light)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `state` names its text, `values` fill it."""

    name: str
    light: Light
    state: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Room:
    """A folder's disk, in bytes."""

    free: int
    total: int


def worst(checks: Iterable[Check]) -> Light:
    """The light of all together; what nobody can tell makes it no worse.

    >>> worst([Check("a", Light.GREEN, "ok"), Check("b", Light.GREY, "unknown")])
    <Light.GREEN: 'green'>
    """
    lights = [check.light for check in checks if check.light is not Light.GREY]
    return max(lights, key=_ORDER.index, default=Light.GREY)


def database(ms: float | None, current: bool, values: Mapping[str, object]) -> Check:
    """The store: `ms` until it answered, None where it did not."""
    if ms is None:
        return Check("database", Light.RED, "down", values)
    values = {**values, "ms": round(ms, 1)}
    if not current:
        return Check("database", Light.RED, "other_version", values)
    return (
        Check("database", Light.AMBER, "slow", values) if ms > SLOW_MS else Check("database", Light.GREEN, "ok", values)
    )


def stream(age_s: float | None, screens: int) -> Check:
    """The live stream: seconds since its figures were read."""
    values = {"screens": screens, "seconds": round(age_s or 0, 1)}
    if age_s is None:
        return Check("stream", Light.RED, "never", values)
    return Check("stream", Light.RED, "late", values) if age_s > LATE_S else Check("stream", Light.GREEN, "ok", values)


def writer(waiting: int) -> Check:
    """The writer of counts.

    >>> writer(2).light
    <Light.GREEN: 'green'>
    """
    busy = waiting > BUSY
    return Check("writer", Light.AMBER if busy else Light.GREEN, "busy" if busy else "ok", {"waiting": waiting})


def disk(name: str, room: Room | None) -> Check:
    """Room on the disk of the store, or of its backups."""
    if room is None:
        return Check(name, Light.GREY, "unknown")
    share = room.free / room.total if room.total else 0.0
    values = {"free_gb": round(room.free / GIGABYTE, 1), "share": round(share * 100)}
    if share < 0.05 or room.free < 500 * MEGABYTE:
        return Check(name, Light.RED, "full", values)
    low = share < 0.15 and room.free < 50 * GIGABYTE
    return Check(name, Light.AMBER if low else Light.GREEN, "low" if low else "ok", values)


def clock(offset_s: float | None, synchronised: bool | None) -> Check:
    """This machine's clock against the database's, and whether anything keeps it true.

    >>> clock(0.01, True).state, clock(-7.0, True).light, clock(None, None).state
    ('ok', <Light.RED: 'red'>, 'unknown')
    """
    values = {"seconds": round(offset_s or 0.0, 2)}
    apart = abs(offset_s or 0.0)
    if apart > DRIFT_S:
        return Check("clock", Light.RED if apart > DRIFT_BADLY_S else Light.AMBER, "drift", values)
    if synchronised is None:
        return Check("clock", Light.GREY, "unknown", values)
    return Check("clock", Light.GREEN, "ok", values) if synchronised else Check("clock", Light.AMBER, "free", values)


def certificate(days: float | None, *, watched: bool) -> Check:
    """Days that the certificate is valid for; None where it could not be read."""
    if not watched:
        return Check("certificate", Light.GREY, "unwatched")
    if days is None:
        return Check("certificate", Light.RED, "unreadable")
    values = {"days": int(days)}
    if days <= 0:
        return Check("certificate", Light.RED, "over", values)
    if days < CERTIFICATE_DAYS:
        return Check("certificate", Light.RED if days < CERTIFICATE_BADLY_DAYS else Light.AMBER, "soon", values)
    return Check("certificate", Light.GREEN, "ok", values)


def backup(age_s: float | None, *, watched: bool) -> Check:
    """Age of the latest backup."""
    if not watched:
        return Check("backup", Light.GREY, "unwatched")
    if age_s is None:
        return Check("backup", Light.RED, "never")
    hours = age_s / HOUR_S
    values = {"hours": round(hours)}
    if hours > BACKUP_H:
        return Check("backup", Light.RED if hours > BACKUP_BADLY_H else Light.AMBER, "old", values)
    return Check("backup", Light.GREEN, "ok", values)


def audit(age_s: float | None, whole: bool | None) -> Check:
    """When the audit's chain was last checked, and what came out."""
    if age_s is None or whole is None:
        return Check("audit", Light.AMBER, "never")
    values = {"days": round(age_s / DAY_S, 1)}
    if not whole:
        return Check("audit", Light.RED, "broken", values)
    old = age_s / DAY_S > VERIFIED_DAYS
    return Check("audit", Light.AMBER if old else Light.GREEN, "old" if old else "ok", values)


def sign_ins(locked: int) -> Check:
    """Accounts that are locked after wrong passwords: one is a typing error, many are somebody at work."""
    if not locked:
        return Check("sign_ins", Light.GREEN, "ok")
    return Check("sign_ins", Light.RED if locked >= LOCKED_MANY else Light.AMBER, "locked", {"n": locked})
