"""
The statements of a store in a host's database, built once for each dialect: SQLAlchemy then compiles each once.

Many rows travel as one parameter a column, so that a commit of a thousand records takes as many statements as one of a
single record, and each of them is the same text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Delete,
    FromClause,
    Insert,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    column,
    delete,
    func,
    literal,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite

from xerosync.storage._sql_tables import events, leases, lookups, records, shelves, streams

Cell: TypeAlias = str | int | None
_Kinds: TypeAlias = Mapping[str, type[Text | BigInteger]]

RECORD: Final = (
    records.c.key,
    records.c.body,
    records.c.state,
    records.c.due,
    records.c.lookups,
    records.c.version,
    records.c.changed,
)


class Given:
    """Rows handed to a statement as a table, whatever their number."""

    def __init__(self, dialect: str, **columns: type[Text | BigInteger]) -> None:
        self._as_arrays: Final = dialect == "postgresql"
        self.names: Final = tuple(columns)
        self.table: Final = _from_arrays(columns) if self._as_arrays else _from_json(columns)

    def bound(self, rows: Sequence[Sequence[Cell]]) -> dict[str, object]:
        """The parameters that stand for *rows*."""
        if not self._as_arrays:
            return {"given_rows": json.dumps(rows)}
        return {f"given_{name}": _array([row[place] for row in rows]) for place, name in enumerate(self.names)}

    def selected(self, *names: str) -> Select[*tuple[Cell, ...]]:
        """Its rows, with the columns *names* or all. A condition that always holds keeps SQLite from misreading it."""
        return select(*(self.table.c[name] for name in names or self.names)).where(true())


def _from_arrays(columns: _Kinds) -> FromClause:
    # As texts, which the server reads: drivers write an array element by element, which was most of a bulk commit.
    arrays = [cast(bindparam(f"given_{name}", type_=Text), ARRAY(kind)) for name, kind in columns.items()]
    named = [column(name, kind) for name, kind in columns.items()]
    return func.unnest(*arrays).table_valued(*named).render_derived()


def _array(cells: Sequence[Cell]) -> str:
    """A column of *cells* as PostgreSQL writes an array."""
    return f"{{{','.join(map(_quoted, cells))}}}"


def _quoted(cell: Cell) -> str:
    if isinstance(cell, str):
        escaped = cell.replace("\\", r"\\").replace('"', r"\"")
        return f'"{escaped}"'
    return "NULL" if cell is None else str(cell)


def _from_json(columns: _Kinds) -> FromClause:
    rows = func.json_each(bindparam("given_rows", type_=Text)).table_valued(column("value", Text))
    cells = [
        func.json_extract(rows.c.value, f"$[{place}]", type_=kind).label(name)
        for place, (name, kind) in enumerate(columns.items())
    ]
    return select(*cells).subquery()


class Statements:
    """The statements of one dialect, and the rows that each takes."""

    def __init__(self, dialect: str) -> None:
        self._insert: Final = postgresql.insert if dialect == "postgresql" else sqlite.insert

        self.shelves: Final = Given(dialect, kind=Text, tenant=Text)
        self.names: Final = Given(dialect, kind=Text, tenant=Text, key=Text)
        self.keys: Final = Given(dialect, shelf=BigInteger, key=Text)
        self.records: Final = Given(
            dialect, shelf=BigInteger, key=Text, body=Text, state=Text, due=BigInteger, lookups=Text,
            version=BigInteger, changed=BigInteger,
        )  # fmt: skip
        self.lookups: Final = Given(dialect, shelf=BigInteger, name=Text, value=Text, key=Text)
        self.events: Final = Given(dialect, stream=Text, number=BigInteger, at=BigInteger, name=Text, body=Text)

        self.read: Final = self._read()
        self.queue: Final = self._queue()
        self.before: Final = self._before()
        self.write: Final = self._write()
        self.drop: Final = _delete(records, self.keys)
        self.drop_lookups: Final = _delete(lookups, self.lookups)
        self.add_lookups: Final = (
            self._insert(lookups).from_select(self.lookups.names, self.lookups.selected()).on_conflict_do_nothing()
        )
        self.hold: Final = self._hold()
        self.number: Final = self._number()
        self.append: Final = self._insert(events).from_select(self.events.names, self.events.selected())

    def _read(self) -> Select[str, str, str, str, str, int | None, str, int, int]:
        wanted = self.names.table
        its_shelf = (shelves.c.kind == wanted.c.kind) & (shelves.c.tenant == wanted.c.tenant)
        its_record = (records.c.shelf == shelves.c.id) & (records.c.key == wanted.c.key)
        found = wanted.join(shelves, its_shelf).join(records, its_record)
        return select(shelves.c.kind, shelves.c.tenant, *RECORD).select_from(found)

    def _queue(self) -> Insert:
        # The rows come sorted, so that two commits lock them in one order and never wait for each other.
        new = self._insert(shelves).from_select(
            ["kind", "tenant", "latest"], self.shelves.selected().add_columns(literal(1))
        )
        locked = new.on_conflict_do_update(
            index_elements=[shelves.c.kind, shelves.c.tenant], set_={"latest": shelves.c.latest + 1}
        )
        return locked.returning(shelves.c.kind, shelves.c.tenant, shelves.c.id, shelves.c.latest)

    def _before(self) -> Select[int, str, int, str]:
        wanted = self.keys.table
        its_record = (records.c.shelf == wanted.c.shelf) & (records.c.key == wanted.c.key)
        found = wanted.join(records, its_record)
        return select(records.c.shelf, records.c.key, records.c.version, records.c.lookups).select_from(found)

    def _write(self) -> Insert:
        new = self._insert(records).from_select(self.records.names, self.records.selected())
        written = {name: new.excluded[name] for name in self.records.names if name not in {"shelf", "key"}}
        return new.on_conflict_do_update(index_elements=[records.c.shelf, records.c.key], set_=written)

    def _hold(self) -> Insert:
        # An update that changes nothing locks the row, and gives it as whoever held it before has left it.
        new = self._insert(leases).values(name=bindparam("lease"), epoch=0, until=0)
        held = new.on_conflict_do_update(index_elements=[leases.c.name], set_={"epoch": leases.c.epoch})
        return held.returning(leases.c.epoch, leases.c.owner, leases.c.until)

    def _number(self) -> Insert:
        new = self._insert(streams).values(name=bindparam("stream"), latest=bindparam("count"))
        begun = new.on_conflict_do_update(
            index_elements=[streams.c.name], set_={"latest": streams.c.latest + new.excluded.latest}
        )
        return begun.returning(streams.c.latest)


def _delete(table: Table, given: Given) -> Delete:
    return delete(table).where(tuple_(*(table.c[name] for name in given.names)).in_(given.selected()))


@lru_cache
def statements_for(dialect: str) -> Statements:
    """The statements of *dialect*, ``postgresql`` or ``sqlite``."""
    return Statements(dialect)
