"""The store: each verb is a transaction of its own, or part of the one that your `transaction.atomic()` has begun."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import cast

from django.db import Error, connections, transaction
from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet

from django_books.models import Kept, Lease, Lookup, Shelf, Told
from xerosync.errors import LeaseLost, StoreFailed, VersionConflict
from xerosync.storage import Event, Fence, Order, Owner, Record, RecordKey, rules

IDENTITY = ("shelf", "key")
WRITTEN = ("body", "state", "due", "lookups", "version", "changed")


class DjangoStore:
    """Storage in the database *using* of a Django project."""

    def __init__(self, using: str = "default") -> None:
        self.using = using

    def get_many(self, keys: Sequence[RecordKey]) -> list[Record | None]:
        with self._transaction():
            found = self._kept(keys)
        return [found[key].record(key.kind, key.tenant) if key in found else None for key in keys]

    def commit(
        self, puts: Sequence[Record], *, expect: Mapping[RecordKey, int] | None = None, fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:  # fmt: skip
        rules.check_commit(puts, deletes)
        rules.check_text(puts)
        keys = {*(put.identity for put in puts), *(expect or ()), *deletes}
        with self._transaction():
            shelves = {name: self._queue(*name) for name in sorted({(key.kind, key.tenant) for key in keys})}
            if fence and not self._held(fence):
                raise LeaseLost(f"lease {fence.name} is not held any more: stop, and start the run again")
            versions = {key: kept.version for key, kept in self._kept(keys).items()}
            changed = [str(key) for key, version in (expect or {}).items() if versions.get(key, 0) != version]
            if changed:
                raise VersionConflict(changed)
            rows = [Kept.row_of(put, shelves[put.kind, put.tenant], versions.get(put.identity, 0) + 1) for put in puts]
            pairs = [Lookup(shelf=row.shelf, name=n, value=v, key=row.key) for row in rows for n, v in row.lookups]
            for name, shelf in shelves.items():
                gone = [key.key for key in deletes if (key.kind, key.tenant) == name]
                stale = gone + [row.key for row in rows if row.shelf == shelf]
                self._all(Kept).filter(shelf=shelf, key__in=gone).delete()
                self._all(Lookup).filter(shelf=shelf, key__in=stale).delete()
            self._all(Kept).bulk_create(rows, update_conflicts=True, unique_fields=IDENTITY, update_fields=WRITTEN)
            self._all(Lookup).bulk_create(pairs, ignore_conflicts=True)

    def query(
        self, kind: str, tenant: str, *, states: Sequence[str] = (), due_before: datetime | None = None,
        lookup: tuple[str, str] | None = None, order: Order = "key", after: str | None = None, limit: int = 1000,
    ) -> list[Record]:  # fmt: skip
        rules.check_limit(limit)
        rules.check_order(order)
        wanted = Q(shelf__kind=kind, shelf__tenant=tenant)
        if states:
            wanted &= Q(state__in=states)
        if due_before is not None:
            wanted &= Q(due__lte=rules.to_micros(due_before))
        if order == "due":
            wanted &= Q(due__isnull=False)
        if lookup is not None:
            name, value = lookup
            its = Lookup.objects.filter(shelf=OuterRef("shelf"), key=OuterRef("key"), name=name, value=value)
            wanted &= Q(Exists(its))
        if after is not None:
            number, key = rules.place_after(after, order)
            later = Q(key__gt=key)
            wanted &= later if order == "key" else Q(**{f"{order}__gt": number}) | Q(**{order: number}) & later
        with self._transaction():
            rows = self._all(Kept).filter(wanted).order_by(order, "key")[:limit]
            return [row.record(kind, tenant) for row in rows]

    def cursor(self, record: Record, order: Order) -> str:
        return rules.cursor_of(record, order)

    def lease(
        self, name: str, owner: Owner, *, ttl_s: float, now: datetime, force: Owner | None = None
    ) -> Fence | None:
        # Durable: Django refuses it within your transaction, where a lease would protect nobody.
        with self._transaction(durable=True):
            self._all(Lease).get_or_create(name=name)
            row = self._all(Lease).select_for_update().get(name=name)
            granted = rules.grant_lease(row.holding, owner, ttl_s=ttl_s, now=now, force=force)
            if granted is None:
                return None
            row.keep(granted)
        return Fence(name, granted.epoch)

    def lease_owner(self, name: str) -> Owner | None:
        with self._transaction():
            row = self._all(Lease).filter(pk=name).first()
        return row.holding.owner if row and row.holding else None

    def release(self, fence: Fence) -> None:
        with self._transaction(durable=True):
            self._all(Lease).filter(name=fence.name, epoch=fence.epoch).update(owner=None)

    def append(self, stream: str, events: Sequence[Event]) -> None:
        with self._transaction():
            shelf = self._queue("events of", stream, len(events))
            first = shelf.latest - len(events) + 1
            self._all(Told).bulk_create(
                Told(stream=shelf, number=number, at=rules.to_micros(event.at), name=event.name, body=event.body)
                for number, event in enumerate(events, start=first)
            )

    def events(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[tuple[int, Event]]:
        rules.check_limit(limit)
        with self._transaction():
            told = self._all(Told).filter(stream__kind="events of", stream__tenant=stream, number__gt=after)
            rows = told.order_by("number")[:limit]
            return [(row.number, Event(rules.from_micros(row.at), row.name, row.body)) for row in rows]

    def close(self) -> None:
        connections[self.using].close()

    @contextmanager
    def _transaction(self, *, durable: bool = False) -> Iterator[None]:
        try:
            with transaction.atomic(using=self.using, durable=durable):
                yield
        except Error as error:  # its text may hold amounts and names
            raise StoreFailed(f"The database failed ({type(error).__name__}): see that it runs.") from None

    def _all(self, model: type[Model]) -> QuerySet:
        return model.objects.using(self.using)

    def _queue(self, kind: str, tenant: str, count: int = 1) -> Shelf:
        """Wait until this writer is the shelf's only one, as it then is until the transaction ends."""
        self._all(Shelf).get_or_create(kind=kind, tenant=tenant)
        self._all(Shelf).filter(kind=kind, tenant=tenant).update(latest=F("latest") + count)
        return cast(Shelf, self._all(Shelf).get(kind=kind, tenant=tenant))

    def _held(self, fence: Fence) -> bool:
        row = self._all(Lease).select_for_update().filter(pk=fence.name).first()
        return bool(row and row.owner and row.epoch == fence.epoch)

    def _kept(self, keys: Iterable[RecordKey]) -> dict[RecordKey, Kept]:
        """All in one statement: two would see two moments."""
        wanted: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for key in keys:
            wanted[key.kind, key.tenant].append(key.key)
        any_of = Q(pk__in=())
        for (kind, tenant), some in wanted.items():
            any_of |= Q(shelf__kind=kind, shelf__tenant=tenant, key__in=some)
        rows = self._all(Kept).filter(any_of).select_related("shelf")
        return {RecordKey(row.shelf.kind, row.shelf.tenant, row.key): row for row in rows}
