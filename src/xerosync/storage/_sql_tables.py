"""
The tables of a store in a host's database, by schema number, and how they are made and brought up to date.

Keys sort by code point in every database, whatever language it was made for. A shelf stands for a kind and a tenant,
which keeps their 40 letters out of every index; its row is also what its writers queue at, so that the numbers of its
commits become visible in order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    inspect,
    select,
    text,
)

from xerosync.errors import StoreFailed

metadata: Final = MetaData()

_NUMBER: Final = BigInteger()
_TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")

schema: Final = Table("xerosync_schema", metadata, Column("number", Integer, nullable=False))
shelves: Final = Table(
    "xerosync_shelves",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True),
    Column("kind", _TEXT, nullable=False),
    Column("tenant", _TEXT, nullable=False),
    Column("latest", _NUMBER, nullable=False),
    UniqueConstraint("kind", "tenant", name="xerosync_shelves_by_name"),
)
records: Final = Table(
    "xerosync_records",
    metadata,
    Column("shelf", _NUMBER, nullable=False),
    Column("key", _TEXT, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", _TEXT, nullable=False),
    Column("due", _NUMBER),
    Column("lookups", Text, nullable=False),
    Column("version", _NUMBER, nullable=False),
    Column("changed", _NUMBER, nullable=False),
    PrimaryKeyConstraint("shelf", "key", name="xerosync_records_by_key"),
)
Index("xerosync_records_by_change", records.c.shelf, records.c.changed)
_is_due: Final = records.c.due.is_not(None)
Index(
    "xerosync_records_by_due",
    records.c.shelf,
    records.c.due,
    postgresql_where=_is_due,
    sqlite_where=_is_due,
)
_has_state: Final = records.c.state != text("''")
Index(
    "xerosync_records_by_state",
    records.c.shelf,
    records.c.state,
    records.c.key,
    postgresql_where=_has_state,
    sqlite_where=_has_state,
)
lookups: Final = Table(
    "xerosync_lookups",
    metadata,
    Column("shelf", _NUMBER, nullable=False),
    Column("name", _TEXT, nullable=False),
    Column("value", _TEXT, nullable=False),
    Column("key", _TEXT, nullable=False),
    PrimaryKeyConstraint("shelf", "name", "value", "key", name="xerosync_lookups_by_value"),
)
leases: Final = Table(
    "xerosync_leases",
    metadata,
    Column("name", _TEXT, primary_key=True),
    Column("epoch", _NUMBER, nullable=False),
    Column("owner", Text),
    Column("until", _NUMBER, nullable=False),
)
streams: Final = Table(
    "xerosync_streams",
    metadata,
    Column("name", _TEXT, primary_key=True),
    Column("latest", _NUMBER, nullable=False),
)
events: Final = Table(
    "xerosync_events",
    metadata,
    Column("stream", _TEXT, nullable=False),
    Column("number", _NUMBER, nullable=False),
    Column("at", _NUMBER, nullable=False),
    Column("name", Text, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("stream", "number", name="xerosync_events_by_number"),
)

SCHEMA_NUMBER: Final = 1

# What leads from each number to the next, oldest first: a new number adds a step here and changes the tables above.
UPGRADES: Final[Sequence[Callable[[Connection], None]]] = ()

_ONE_AT_A_TIME: Final = text("SELECT pg_advisory_xact_lock(8748170215116533615)")  # "xerosync", and unlikely yours


def prepare(connection: Connection) -> None:
    """
    Make the tables where there are none, and bring those of an earlier xerosync up to date, within a transaction.

    Raises `StoreFailed` for tables of a later one.
    """
    number = _number(connection)
    if number == SCHEMA_NUMBER:
        return
    if number is not None and number > SCHEMA_NUMBER:
        raise StoreFailed(
            f"The store was written by a newer xerosync (schema {number}, this one knows {SCHEMA_NUMBER}): upgrade "
            "xerosync."
        )
    if connection.dialect.name == "postgresql":
        # A statement of its own: what comes after it must see what whoever held the lock has done.
        connection.execute(_ONE_AT_A_TIME)
        number = _number(connection)
    if number is None:
        metadata.create_all(connection)
        connection.execute(schema.insert().values(number=SCHEMA_NUMBER))
        return
    for upgrade in UPGRADES[number - 1 :]:
        upgrade(connection)
    connection.execute(schema.update().values(number=SCHEMA_NUMBER))


def _number(connection: Connection) -> int | None:
    if not inspect(connection).has_table(schema.name):
        return None
    return connection.execute(select(schema.c.number)).scalar()
