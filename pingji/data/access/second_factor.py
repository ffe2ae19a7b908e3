"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for the day the phone is lost.

A secret that was shown but not yet proved by a code is kept with a mark before it; it opens and hinders nothing.
"""

import hmac

import pyotp
from sqlalchemy import Connection, select, update

from pingji.data.access import tokens
from pingji.data.access.secret import new_code, typed_code
from pingji.data.tables import account

STEP_S = 30
DIGITS = 6
AROUND = 1  # steps before and after that are good too: clocks differ
RECOVERY_CODES, RECOVERY_LENGTH = 10, 16  # 79 bits: not to be guessed from its digest either
_FOREVER = 2**62
_UNPROVED = "?"


def begin(conn: Connection, account_id: str) -> str:
    """A fresh secret, to be proved by `confirm`; a factor that is on is replaced only by whoever asked before."""
    secret = pyotp.random_base32()
    conn.execute(update(account).where(account.c.id == account_id).values(totp=_UNPROVED + secret, totp_step=0))
    return secret


def confirm(conn: Connection, account_id: str, code: str, at: int) -> bool:
    """Turn the factor on, where the code proves that the app has the secret."""
    kept, step = _row(conn, account_id)
    found = _step_of(kept.removeprefix(_UNPROVED), code, at, after=step) if kept.startswith(_UNPROVED) else None
    if found is None:
        return False
    values = {"totp": kept.removeprefix(_UNPROVED), "totp_step": found}
    conn.execute(update(account).where(account.c.id == account_id).values(**values))
    return True


def unproved(conn: Connection, account_id: str) -> str:
    """The secret that was shown and waits for its first code, or empty."""
    kept, _ = _row(conn, account_id)
    return kept.removeprefix(_UNPROVED) if kept.startswith(_UNPROVED) else ""


def is_on(kept: str) -> bool:
    """Whether a column holds a factor that was proved."""
    return bool(kept) and not kept.startswith(_UNPROVED)


def use(conn: Connection, account_id: str, code: str, at: int) -> str:
    """Which factor a code is, used up by this call: `app`, `recovery`, or empty where it is none."""
    bare = typed_code(code)
    if len(bare) == DIGITS:
        kept, last = _row(conn, account_id)
        found = _step_of(kept, bare, at, after=last) if is_on(kept) else None
        if found is None:
            return ""
        conn.execute(update(account).where(account.c.id == account_id).values(totp_step=found))
        return "app"
    used = tokens.use_code(conn, tokens.RECOVERY, account_id + bare, at, owner=account_id)
    return "recovery" if used else ""


def turn_off(conn: Connection, account_id: str, at: int) -> None:
    """No second factor any more, and no recovery codes."""
    conn.execute(update(account).where(account.c.id == account_id).values(totp="", totp_step=0))
    tokens.revoke_recovery(conn, account_id, at)


def new_recovery_codes(conn: Connection, account_id: str, at: int) -> list[str]:
    """Ten codes that each work once; those of before do no longer."""
    tokens.revoke_recovery(conn, account_id, at)
    codes = [new_code(RECOVERY_LENGTH) for _ in range(RECOVERY_CODES)]
    for code in codes:
        tokens.make_token(
            conn,
            kind=tokens.RECOVERY,
            name="",
            grants=(),
            created_by=account_id,
            at=at,
            expires_at=_FOREVER,
            secret=account_id + code,  # else one person's code would be looked for among everybody's
        )
    return ["-".join(code[i : i + 4] for i in range(0, RECOVERY_LENGTH, 4)) for code in codes]


def uri_of(secret: str, login: str, issuer: str) -> str:
    """What the QR code says to an authenticator app."""
    return pyotp.TOTP(secret, digits=DIGITS, interval=STEP_S).provisioning_uri(name=login, issuer_name=issuer)


def _row(conn: Connection, account_id: str) -> tuple[str, int]:
    """The factor's secret and the last step that was used; locked, so that no code works twice at once."""
    query = select(account.c.totp, account.c.totp_step).where(account.c.id == account_id).with_for_update()
    row = conn.execute(query).one()
    return row.totp, row.totp_step


def _step_of(secret: str, code: str, at: int, *, after: int) -> int | None:
    """The time step whose code it is, among those around now and after the last one used."""
    now = at // 1_000_000 // STEP_S
    totp = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_S)
    for step in range(max(now - AROUND, after + 1), now + AROUND + 1):
        if hmac.compare_digest(totp.at(step * STEP_S), code):
            return step
    return None
