"""Tables of the audit: entries chained by hashes, and the head of the chain. Entries are only ever added.

`audit_head` has one row, the sequence number and hash of the newest entry: appending reads nothing else, and cutting
off the end of `audit` shows. Triggers refuse everything but adding; `docs/audit.md` says what they are worth.
"""

from sqlalchemy import DDL, BigInteger, CheckConstraint, Column, Index, Integer, PrimaryKeyConstraint, Table, event

from pingji.data.tables.base import mapping, metadata, text

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, nullable=False, autoincrement=False),  # 1, 2, 3, … without a gap
    Column("at", BigInteger, nullable=False),  # microseconds since 1970 UTC
    text("actor"),  # who, by the unique name of the account
    text("actor_id"),
    text("door"),  # session | token | device | cli | web (nobody is signed in) | system
    text("address"),  # where from
    text("request"),  # the request's id, the same as in the logs
    text("action", required=True),  # what
    text("object"),  # on what: a code, an id, a login
    text("scope"),  # where: the code of an area or a place
    text("purpose"),  # why
    text("outcome", required=True),  # done | refused
    mapping("detail"),
    text("previous", required=True),  # the hash of the entry before
    text("hash", required=True),
    PrimaryKeyConstraint("seq"),
    Index("ix_audit_at", "at"),
    Index("ix_audit_actor_seq", "actor", "seq"),
    Index("ix_audit_action_seq", "action", "seq"),
    Index("ix_audit_object_seq", "object", "seq"),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, nullable=False, autoincrement=False),
    Column("seq", Integer, nullable=False),
    text("hash", required=True),
    PrimaryKeyConstraint("id"),
    CheckConstraint("id = 1", name="ck_audit_head_one"),
)

_SQLITE = {
    audit: (
        "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit"
        " BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit"
        " BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
    ),
    audit_head: (
        "CREATE TRIGGER audit_head_step BEFORE UPDATE ON audit_head WHEN NEW.seq <> OLD.seq + 1"
        " BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
        "CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON audit_head"
        " BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
    ),
}
# A backup of tables does not carry the function: whoever restores one makes it first.
REFUSING_FUNCTION = (
    "CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$"
)
_POSTGRESQL = {
    audit: (
        REFUSING_FUNCTION,
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
    ),
    audit_head: (
        REFUSING_FUNCTION,
        "CREATE TRIGGER audit_head_step BEFORE UPDATE ON audit_head FOR EACH ROW WHEN (NEW.seq <> OLD.seq + 1)"
        " EXECUTE FUNCTION audit_append_only()",
        "CREATE TRIGGER audit_head_no_delete BEFORE DELETE OR TRUNCATE ON audit_head"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
    ),
}
for _dialect, _statements in (("sqlite", _SQLITE), ("postgresql", _POSTGRESQL)):
    for _table, _texts in _statements.items():
        for _text in _texts:
            _ddl = DDL(_text).execute_if(dialect=_dialect)  # type: ignore[no-untyped-call]
            event.listen(_table, "after_create", _ddl, propagate=True)
