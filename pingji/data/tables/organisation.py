"""Tables of the organisation: units, posts and who held them, departments of communities, calls, and its rules.

Times are microseconds since 1970 UTC.
"""

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, PrimaryKeyConstraint, Table

from pingji.data.tables.base import metadata, number, sealed, text
from pingji.data.tables.people import party_link

# A node of the tree. Places are units by themselves: a row here gives one of them its kind, name or parent. Units that
# are no place have codes of their own.
org_unit = Table(
    "org_unit",
    metadata,
    text("county", required=True),
    text("code", required=True),
    text("name"),
    text("kind", required=True),  # a value of `ops.organisation.UnitKind`
    text("level", required=True),
    text("place"),
    text("parent"),
    text("township"),
    text("community"),
    text("grid"),
    PrimaryKeyConstraint("county", "code"),
)

# A post with its holder: one row from the day on which they came to the day on which they left. The row of a code that
# has no `ended_on` is the one that stands; there is at most one.
org_post = Table(
    "org_post",
    metadata,
    Column("id", Integer, primary_key=True),
    text("county", required=True),
    text("code", required=True),  # unit:kind:n
    text("unit", required=True),
    text("kind", required=True),
    text("title"),
    text("level", required=True),
    text("place"),
    text("township"),
    text("community"),
    text("grid"),
    text("chain"),
    sealed("org_post.holder"),
    sealed("org_post.holder_phone"),
    sealed("org_post.deputy"),
    sealed("org_post.deputy_phone"),
    text("department"),  # that the holder comes from
    Column("term_from", Date),
    Column("term_to", Date),
    text("superior"),  # a post's code where it is not the next one up
    number("rank"),
    Column("began_on", Date),
    Column("ended_on", Date),
    text("source"),
    Index("ix_org_post_county_code", "county", "code"),
    Index("ix_org_post_county_unit", "county", "unit"),
    Index("ix_org_post_county_community", "county", "community"),
)

# A department that is paired with a community 包保.
org_pair = Table(
    "org_pair",
    metadata,
    text("county", required=True),
    text("department", required=True),
    text("community", required=True),
    PrimaryKeyConstraint("county", "community", "department"),
)

# A post that was asked in an operation. No names: they are those of the post, for whoever may see them.
org_call = Table(
    "org_call",
    metadata,
    text("county", required=True),
    text("operation", required=True),
    text("post", required=True),
    text("unit", required=True),
    text("kind", required=True),
    text("level", required=True),
    text("place"),
    text("township"),
    text("community"),
    text("grid"),
    text("superior"),
    Column("exercise", Boolean, nullable=False),
    text("state", required=True),
    text("acting", required=True),
    Column("has_deputy", Boolean, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("deadline", BigInteger),
    Column("answered_at", BigInteger),
    text("answered_by"),
    Column("handed_over_at", BigInteger),
    Column("escalated_at", BigInteger),
    Column("handed_back_at", BigInteger),
    PrimaryKeyConstraint("county", "operation", "post"),
    Index("ix_org_call_county_deadline", "county", "deadline"),
)

org_rule = Table(
    "org_rule",
    metadata,
    text("county", required=True),
    text("name", required=True),
    Column("value", Integer, nullable=False),
    PrimaryKeyConstraint("county", "name"),
)

# Whom a member looks after; the key of the table finds only who looks after a household.
Index("ix_party_link_county_member", party_link.c.county, party_link.c.member)
