"""
The storage protocol: the few verbs a host implements so that nothing is lost between two runs.

Every verb is atomic; `commit` is all or nothing over many records. Records are opaque to the store but for the fields
it must search by. A host implements `Storage` (plain calls) or `AsyncStorage` (the same verbs awaited), never both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, Protocol, runtime_checkable

from attrs import evolve, field, frozen

from xerosync.errors import InvalidInput
from xerosync.storage._unread import Unread

Order = Literal["key", "due", "changed"]


def _instant(value: datetime) -> datetime:
    if value.utcoffset() is None:
        raise InvalidInput("time", "give an aware datetime, such as datetime.now(UTC)")
    return value.astimezone(UTC)


def _instant_or_never(value: datetime | None) -> datetime | None:
    return None if value is None else _instant(value)


@frozen
class RecordKey:
    """What a record is found by: its *kind* (such as ``intent``), the organisation's *tenant* id, and its own *key*."""

    kind: str
    tenant: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.tenant}/{self.key}"


@frozen(repr=False)
class Record(Unread):
    """
    One record. *body* is JSON text, never read by the store; the other fields are what it is found by.

    *due* (aware, kept in UTC) is when somebody should look at it again; *lookups* are (name, value) pairs it can be
    searched by, a name may come with several values. Text with half a character (a lone surrogate) or with a NUL is
    refused with `InvalidInput`. The store sets the rest and ignores it in a put: *version* counts the commits that
    wrote the record since it was made (0: it was never stored), *changed* numbers the commit that last wrote it among
    those of its kind and organisation, or of the whole store. A record dropped and made again begins at version 1, so
    what a slow writer may still hold is better kept, in another state, than dropped.
    """

    kind: str
    tenant: str
    key: str
    body: str
    state: str = ""
    due: datetime | None = field(default=None, converter=_instant_or_never)
    lookups: tuple[tuple[str, str], ...] = ()
    version: int = 0
    changed: int = field(default=0, eq=False)

    @property
    def identity(self) -> RecordKey:
        """The key this record is stored under."""
        return RecordKey(self.kind, self.tenant, self.key)

    def with_body(self, body: str, *, state: str | None = None, due: datetime | None = None) -> Record:
        """The record that takes this one's place: another *body*, the same version to expect."""
        return evolve(self, body=body, state=self.state if state is None else state, due=due)

    def __repr__(self) -> str:
        return f"<Record {self.kind}/{self.key} {self.state} v{self.version}>"


@frozen
class Fence:
    """Proof of a held lease: its name and the epoch it was given. A later holder's epoch is greater."""

    name: str
    epoch: int


@frozen
class Owner:
    """
    Who holds a lease: a process, told apart from a later one that the system gave the same number.

    *host* and *boot* name the machine and its start, *process* and *started* the process and the moment it began in the
    system's own ticks. A successor on the same host and boot can see that the owner is dead and need not wait. *run*
    tells apart the holders within one process (threads, tasks, two clients): equal owners share a lease.
    """

    host: str
    boot: str
    process: int
    started: str
    run: str = ""


@frozen
class Event:
    """One line of the append-only record: *at* (UTC), a *name*, and JSON text without personal data."""

    at: datetime = field(converter=_instant)
    name: str
    body: str


@runtime_checkable
class Storage(Protocol):
    """
    Plain storage. Each call returns only when its effect is durable.

    Calls may come from any thread, and from several at once, as the clients of a host share its store.
    """

    def get_many(self, keys: Sequence[RecordKey]) -> list[Record | None]:
        """The records under *keys*, in order, None where there is none."""
        ...

    def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        """
        Keep all *puts* and drop all *deletes*, or change nothing.

        *expect* gives the version a record must have now (0: it must not exist), also one that is neither put nor
        dropped; records it does not name are written whatever they are. Raises `VersionConflict` with the text,
        ``str(key)``, of every record whose version is another, or `LeaseLost` when *fence* is no longer the lease's
        latest epoch or was released, or `InvalidInput` for a key named twice among *puts* and *deletes*. Dropping
        what is not there is no fault.
        """
        ...

    def query(
        self,
        kind: str,
        tenant: str,
        *,
        states: Sequence[str] = (),
        due_before: datetime | None = None,
        lookup: tuple[str, str] | None = None,
        order: Order = "key",
        after: str | None = None,
        limit: int = 1000,
    ) -> list[Record]:
        """
        Up to *limit* records of *kind*, in *order*; *after* is the `cursor` of the last record already seen.

        All conditions given must hold; *states* empty means any state, and *due_before* includes its own moment: what
        is due now is due. ``changed`` orders by the commit that last wrote the record, ``due`` by due time (records
        without one are left out); ties are broken by key, and keys are compared by code point. A commit that becomes
        visible later sorts later under ``changed``, so that whoever reads on from a cursor misses none.
        """
        ...

    def cursor(self, record: Record, order: Order) -> str:
        """Where `query` goes on *after* this record, as read from this store, under *order*."""
        ...

    def lease(
        self, name: str, owner: Owner, *, ttl_s: float, now: datetime, force: Owner | None = None
    ) -> Fence | None:
        """
        Take or renew the lease *name* until *now* + *ttl_s*; None while another owner holds it.

        The epoch grows whenever the holder changes, and when a released lease is taken again. *force* names the holder
        the caller has seen dead: the lease is taken from that one although it has not run out, and from nobody else,
        so that of two successors only one takes over.
        """
        ...

    def lease_owner(self, name: str) -> Owner | None:
        """Who holds the lease now, run out or not; None when nobody ever did or it was released."""
        ...

    def release(self, fence: Fence) -> None:
        """Give the lease back if *fence* is still its latest; otherwise nothing happens."""
        ...

    def append(self, stream: str, events: Sequence[Event]) -> None:
        """Add *events* to the end of *stream*, all or none."""
        ...

    def events(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[tuple[int, Event]]:
        """Up to *limit* events of *stream* with a number above *after*, oldest first, numbered from 1."""
        ...

    def close(self) -> None:
        """Give back files and connections. Closing twice is harmless."""
        ...


@runtime_checkable
class AsyncStorage(Protocol):
    """
    Storage whose verbs are awaited; what each means is said at `Storage`. Flows speak to this face only.

    Several tasks may await verbs at once.
    """

    async def get_many(self, keys: Sequence[RecordKey]) -> list[Record | None]:
        """As `Storage.get_many`."""
        ...

    async def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        """As `Storage.commit`."""
        ...

    async def query(
        self,
        kind: str,
        tenant: str,
        *,
        states: Sequence[str] = (),
        due_before: datetime | None = None,
        lookup: tuple[str, str] | None = None,
        order: Order = "key",
        after: str | None = None,
        limit: int = 1000,
    ) -> list[Record]:
        """As `Storage.query`."""
        ...

    async def cursor(self, record: Record, order: Order) -> str:
        """As `Storage.cursor`."""
        ...

    async def lease(
        self, name: str, owner: Owner, *, ttl_s: float, now: datetime, force: Owner | None = None
    ) -> Fence | None:
        """As `Storage.lease`."""
        ...

    async def lease_owner(self, name: str) -> Owner | None:
        """As `Storage.lease_owner`."""
        ...

    async def release(self, fence: Fence) -> None:
        """As `Storage.release`."""
        ...

    async def append(self, stream: str, events: Sequence[Event]) -> None:
        """As `Storage.append`."""
        ...

    async def events(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[tuple[int, Event]]:
        """As `Storage.events`."""
        ...

    async def close(self) -> None:
        """As `Storage.close`."""
        ...
