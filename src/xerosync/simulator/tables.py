"""Tables of frozen values that remember every change, so that it can be kept, or undone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Final, Generic, Protocol, TypeVar

import msgspec


class Row(Protocol):
    """Anything with an id."""

    @property
    def id(self) -> str:
        """What it is found by."""
        ...


class Stamped(Row, Protocol):
    """A row with a write stamp."""

    @property
    def updated_ms(self) -> int:
        """When it was last written."""
        ...


T = TypeVar("T", bound=Row)
Keys = Callable[[T], Iterable[str]]


class AnyTable(Protocol):
    """A table, whatever it holds: what the log of changes and the keeper of the file need of it."""

    tenant: str
    kind: str
    version: int

    def encoded(self, id_: str) -> bytes | None:
        """The row *id_* as kept in a file; None when there is none."""
        ...

    def load(self, id_: str, body: bytes) -> None:
        """Take in a row as it was kept."""
        ...


class Changes:
    """What has changed since the last `settle`: steps that undo it, and which rows are to be kept."""

    def __init__(self) -> None:
        self._steps: list[tuple[AnyTable, str, Callable[[], None]]] = []

    def note(self, table: AnyTable, id_: str, undo: Callable[[], None]) -> None:
        """Remember that row *id_* of *table* is about to change, and how to take that back."""
        self._steps.append((table, id_, undo))

    def mark(self) -> int:
        """The present point, for `undo_to`."""
        return len(self._steps)

    def undo_to(self, mark: int) -> None:
        """Take back every change made after *mark*."""
        while len(self._steps) > mark:
            self._steps.pop()[2]()

    def settle(self) -> dict[tuple[str, str, str], AnyTable]:
        """The rows changed since the last time, by tenant, kind and id; they cannot be undone any more."""
        changed = {(table.tenant, table.kind, id_): table for table, id_, _ in self._steps}
        self._steps.clear()
        return changed

    def forget(self) -> None:
        """As `settle`, where nobody asks what has changed."""
        self._steps.clear()


class Table(Generic[T]):
    """Rows of one kind by id, in the order they came, with indexes by further keys."""

    def __init__(
        self,
        kind: str,
        shape: type[T],
        changes: Changes,
        *,
        tenant: str = "",
        keys: Mapping[str, Keys[T]] | None = None,
    ) -> None:
        self.tenant = tenant
        self.kind = kind
        self.version: int = 0
        self._changes = changes
        self._rows: dict[str, T] = {}
        self._keys = dict(keys or {})
        self._found: dict[str, dict[str, dict[str, None]]] = {name: {} for name in self._keys}
        self._decoder = msgspec.json.Decoder(shape)
        self._watchers: list[Callable[[T | None, T | None], None]] = []
        self._recorders: list[Callable[[T | None, T], None]] = []

    def __iter__(self) -> Iterator[T]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, id_: str) -> T | None:
        """The row *id_*, or None."""
        return self._rows.get(id_)

    def __getitem__(self, id_: str) -> T:
        return self._rows[id_]

    def by(self, name: str, key: str) -> list[T]:
        """The rows that index *name* finds under *key*, oldest first."""
        return list(map(self._rows.__getitem__, self._found[name].get(key, ())))

    def has(self, name: str, key: str) -> bool:
        """Whether index *name* finds anything under *key*."""
        return bool(self._found[name].get(key))

    def put(self, row: T) -> T:
        """Keep *row*, in place of the one with its id."""
        old = self._rows.get(row.id)
        self._changes.note(self, row.id, lambda: self._set(row.id, old))
        self._set(row.id, row)
        for recorder in self._recorders:
            recorder(old, row)
        return row

    def drop(self, id_: str) -> None:
        """Forget the row *id_*."""
        old = self._rows.get(id_)
        if old is not None:
            self._changes.note(self, id_, lambda: self._set(id_, old))
            self._set(id_, None)

    def watch(self, watcher: Callable[[T | None, T | None], None]) -> None:
        """Call *watcher* with the old and the new row at every change, undone ones included."""
        self._watchers.append(watcher)

    def record(self, recorder: Callable[[T | None, T], None]) -> None:
        """Call *recorder* with the old and the new row at every `put`, and neither when it is undone nor loaded."""
        self._recorders.append(recorder)

    def encoded(self, id_: str) -> bytes | None:
        """The row *id_* as kept in a file; None when there is none."""
        row = self._rows.get(id_)
        return None if row is None else msgspec.json.encode(row)

    def load(self, id_: str, body: bytes) -> None:
        """Take in a row as it was kept."""
        self._set(id_, self._decoder.decode(body))

    def _set(self, id_: str, row: T | None) -> None:
        old = self._rows.get(id_)
        self.version += 1
        for name, keys in self._keys.items():
            before = list(keys(old)) if old is not None else []
            after = list(keys(row)) if row is not None else []
            if before != after:
                self._index(self._found[name], id_, before, after)
        if row is None:
            self._rows.pop(id_, None)
        else:
            self._rows[id_] = row
        for watcher in self._watchers:
            watcher(old, row)

    @staticmethod
    def _index(found: dict[str, dict[str, None]], id_: str, before: Iterable[str], after: Iterable[str]) -> None:
        for key in before:
            ids = found[key]
            del ids[id_]
            if not ids:
                del found[key]
        for key in after:
            found.setdefault(key, {})[id_] = None


S = TypeVar("S", bound=Stamped)


class InStampOrder(Generic[S]):
    """
    The rows of *table* by their write stamps, apart by *group* (all in the group "" where none is given).

    A row that is written again moves to the end of its group, where its stamp belongs, so that nothing is sorted but
    after a change was taken back, or rows were loaded.
    """

    def __init__(self, table: Table[S], group: Callable[[S], str] = lambda _: "") -> None:
        self._group = group
        self._rows: dict[str, dict[str, S]] = {}
        self._last_ms: dict[str, int] = {}
        self._unsorted: set[str] = set()
        table.watch(self._follow)

    def rows(self, group: str = "") -> list[S]:
        """The rows of *group*, the one written last at the end."""
        if group in self._unsorted:
            self._unsorted.discard(group)
            ordered = sorted(self._rows[group].values(), key=by_stamp)
            self._rows[group] = {row.id: row for row in ordered}
            self._last_ms[group] = ordered[-1].updated_ms if ordered else 0
        return list(self._rows.get(group, {}).values())

    def _follow(self, old: S | None, new: S | None) -> None:
        if old is not None:
            del self._rows[self._group(old)][old.id]
        if new is None:
            return
        group, stamp = self._group(new), new.updated_ms
        self._rows.setdefault(group, {})[new.id] = new
        if stamp < self._last_ms.get(group, 0):
            self._unsorted.add(group)
        else:
            self._last_ms[group] = stamp


# One number, read in C: stamps differ, and 100,000 rows that are nearly in order are sorted in some milliseconds.
by_stamp: Final[Callable[[Stamped], int]] = attrgetter("updated_ms")
