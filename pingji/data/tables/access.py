"""Tables of access: accounts with their grants, sessions, and tokens of programs, walls and devices.

Nothing here can be used to sign in: passwords are argon2id hashes, sessions and tokens are kept as SHA-256 digests of
random secrets. Times are microseconds since 1970 UTC.

They belong to the installation, not to a county: the first administrator is there before any county is, and a grant
says where it holds.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, PrimaryKeyConstraint, Table, UniqueConstraint, false
from sqlalchemy.types import JSON

from pingji.data.tables.base import metadata, number, sealed, text

account = Table(
    "account",
    metadata,
    text("id", required=True),
    text("login", required=True),  # what is typed, in lower case
    text("name", required=True),  # what everybody reads: unique too, so that a journal names one person
    text("password"),  # argon2id; empty: no sign-in by password
    Column("must_change", Boolean, nullable=False, server_default=false()),  # a one-time password
    sealed("account.totp"),  # the second factor's secret; empty: none
    Column("totp_step", BigInteger, nullable=False, server_default="0"),  # last time step used: no code works twice
    text("subject"),  # issuer and subject of OIDC, empty where the account has a password
    number("failed"),  # wrong passwords in a row
    Column("locked_until", BigInteger, nullable=False, server_default="0"),
    Column("created_at", BigInteger, nullable=False),
    Column("signed_in_at", BigInteger, nullable=False, server_default="0"),
    Column("disabled_at", BigInteger),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("login"),
    UniqueConstraint("name"),
)

account_grant = Table(
    "account_grant",
    metadata,
    text("account", required=True),
    text("role", required=True),  # a value of `ops.access.Role`
    text("scope", required=True),
    PrimaryKeyConstraint("account", "role", "scope"),
)

# A browser that signed in. A device session has no account: its name and its one grant came with a one-time code.
session = Table(
    "session",
    metadata,
    text("digest", required=True),
    text("id", required=True),  # names the session where its digest must not: lists, audit
    text("kind", required=True),  # account | device
    text("account"),
    text("name"),
    Column("grants", JSON, nullable=False, server_default="[]"),  # of a device: [[role, scope], …]
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),  # the last sign of a person, not of a page that polls
    Column("expires_at", BigInteger, nullable=False),
    text("address"),
    text("agent"),
    PrimaryKeyConstraint("digest"),
    Index("ix_session_account", "account"),
)

token = Table(
    "token",
    metadata,
    text("id", required=True),
    text("digest", required=True),
    text("kind", required=True),  # api | wall | once (a one-time code that becomes a device session)
    text("name", required=True),
    Column("grants", JSON, nullable=False, server_default="[]"),
    text("created_by"),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger, nullable=False, server_default="0"),
    Column("revoked_at", BigInteger),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("digest"),
)
