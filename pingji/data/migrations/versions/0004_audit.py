"""The audit: what was done, by whom, why and from where, chained by hashes."""

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"

_REFUSE = "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
_SQLITE = (
    f"CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit {_REFUSE}",
    f"CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit {_REFUSE}",
    f"CREATE TRIGGER audit_head_step BEFORE UPDATE ON audit_head WHEN NEW.seq <> OLD.seq + 1 {_REFUSE}",
    f"CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON audit_head {_REFUSE}",
)
_POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
    "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit"
    " FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
    "CREATE TRIGGER audit_head_step BEFORE UPDATE ON audit_head FOR EACH ROW WHEN (NEW.seq <> OLD.seq + 1)"
    " EXECUTE FUNCTION audit_append_only()",
    "CREATE TRIGGER audit_head_no_delete BEFORE DELETE OR TRUNCATE ON audit_head"
    " FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
)


def _text(name: str, *, required: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.String(), nullable=False, server_default=None if required else "")


def upgrade() -> None:
    """Add the chain with its head, which stands at 0."""
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        *(_text(name) for name in ("actor", "actor_id", "door", "address", "request")),
        _text("action", required=True),
        *(_text(name) for name in ("object", "scope", "purpose")),
        _text("outcome", required=True),
        sa.Column("detail", sa.JSON(), nullable=False, server_default="{}"),
        *(_text(name, required=True) for name in ("previous", "hash")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_at", "audit", ["at"], unique=False)
    for column in ("actor", "action", "object"):
        op.create_index(f"ix_audit_{column}_seq", "audit", [column, "seq"], unique=False)
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        _text("hash", required=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_one")),
    )
    op.execute(sa.insert(head).values(id=1, seq=0, hash="0" * 64))
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    """Take the audit away, with all that it tells of."""
    op.drop_table("audit_head")
    op.drop_table("audit")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_append_only()")
