"""Tables of people: residents, and the sponsor tree centre household → Party member → household."""

from sqlalchemy import Column, Integer, PrimaryKeyConstraint, Table

from pingji.data.tables.base import metadata, sealed, text

person = Table(
    "person",
    metadata,
    text("county", required=True),
    text("code", required=True),
    text("household", required=True),
    sealed("person.name"),
    sealed("person.id_number"),
    sealed("person.phone"),
    text("gender"),  # f | m
    Column("birth_year", Integer),
    text("vulnerability"),
    PrimaryKeyConstraint("county", "household", "code"),
)

party_member = Table(
    "party_member",
    metadata,
    text("county", required=True),
    text("code", required=True),
    text("centre", required=True),  # code of the party_households row
    text("household"),
    sealed("party_member.name"),
    sealed("party_member.phone"),
    PrimaryKeyConstraint("county", "code"),
)

party_link = Table(
    "party_link",
    metadata,
    text("county", required=True),
    text("member", required=True),
    text("household", required=True),
    PrimaryKeyConstraint("county", "household", "member"),
)
