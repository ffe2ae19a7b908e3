"""Tables of people: residents, and the sponsor tree centre household → Party member → household."""

from sqlalchemy import Column, Integer, PrimaryKeyConstraint, Table

from pingji.data.tables.base import metadata, text

person = Table(
    "person",
    metadata,
    text("county", required=True),
    text("code", required=True),
    text("household", required=True),
    text("name"),
    text("id_number"),
    text("phone"),
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
    text("name"),
    text("phone"),
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
