"""Metadata, naming convention and the columns that every layer table has."""

from geoalchemy2 import Geometry
from sqlalchemy import Column, Integer, MetaData, String, Table, UniqueConstraint
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import JSON

from pingji.data.sealing.column import Sealed, SealedValues

SRID = 4490  # CGCS2000, lon/lat degrees

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def text(name: str, *, required: bool = False, index: bool = False) -> Column[str]:
    """A text column; empty text rather than NULL, so that one "nothing" exists."""
    return Column(name, String, nullable=False, server_default=None if required else "", index=index)


def sealed(label: str) -> Column[str]:
    """A text column of something personal, `table.column`: sealed in the store, plain to whoever reads through it.

    Columns that are copied into each other, or read by one query of a union, share a label; see `data.sealing`.
    """
    return Column(label.rpartition(".")[2], Sealed(label), nullable=False, server_default="")


def number(name: str, default: int = 0) -> Column[int]:
    """An integer column that is never NULL."""
    return Column(name, Integer, nullable=False, server_default=str(default))


def mapping(name: str) -> Column[dict[str, object]]:
    """A JSON object column that is never NULL."""
    return Column(name, JSON, nullable=False, server_default="{}")


def sealed_mapping(label: str) -> Column[dict[str, object]]:
    """A JSON object column in which what people wrote is sealed."""
    return Column(label.rpartition(".")[2], SealedValues(label), nullable=False, server_default="{}")


def layer_table(name: str, geometry: str, *columns: SchemaItem, of_person: bool = False) -> Table:
    """A layer's table; `of_person` where a feature's name is somebody's.

    `id` is an explicit integer key because the embedded store's R-tree points at it, and SQLite may renumber
    implicit row ids; the key that people and other tables use is (county, code).
    """
    return Table(
        name,
        metadata,
        Column("id", Integer, primary_key=True),
        text("county", required=True),
        text("code", required=True),
        sealed(f"{name}.name") if of_person else text("name"),
        *columns,
        number("revision", 1),
        text("source"),
        Column("geom", Geometry(geometry, srid=SRID, spatial_index=True), nullable=False),
        UniqueConstraint("county", "code"),
    )
