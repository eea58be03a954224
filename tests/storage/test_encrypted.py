"""Whoever holds the file but not the key reads nothing, and whoever writes into it is found out."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Final, cast

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import Product

from xerosync import App, AsyncKeyRotation, Connections, Fleet, KeyRing, KeyRotation, Secret, Xero, encrypted
from xerosync.errors import InvalidInput, KeyMissing, NotEncrypted, SealBroken, StoreFailed, VersionConflict
from xerosync.simulator import VirtualClock
from xerosync.storage import Fence, MemoryStore, Record, RecordKey
from xerosync.storage.adapt import stepped_storage
from xerosync.storage.encrypted import AsyncEncryptedStore
from xerosync.storage.owner import this_process

OLD: Final = KeyRing.new_key()
NEW: Final = KeyRing.new_key()
NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
WORD: Final = "zweckverband"
LINK: Final = Record("link", "books", "c-1", json.dumps({"name": WORD}), "open", NOW, (("xero_id", "7"),))
OTHER: Final = evolve(LINK, tenant="other")


def raw(store: MemoryStore, record: Record = LINK) -> Record:
    """*record* as it lies in the store."""
    (kept,) = store.get_many([record.identity])
    assert kept is not None
    return kept


def read(store: MemoryStore, *keys: Secret, record: Record = LINK) -> str:
    """The body of *record*, read with these *keys*."""
    (kept,) = encrypted(store, KeyRing(*keys)).get_many([record.identity])
    assert kept is not None
    return kept.body


def test_what_is_written_lies_encrypted_in_the_store_and_is_read_as_it_was() -> None:
    store = MemoryStore()

    encrypted(store, KeyRing(NEW)).commit([LINK])

    assert WORD not in raw(store).body
    json.loads(raw(store).body)
    assert read(store, NEW) == LINK.body
    assert encrypted(store, KeyRing(NEW)).query("link", "books", lookup=("xero_id", "7"))[0].body == LINK.body


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_comes_back(body: str) -> None:
    store, record = MemoryStore(), evolve(LINK, body=body)
    encrypted(store, KeyRing(NEW)).commit([record])

    assert read(store, NEW) == body
    assert len(body) < 4 or body not in raw(store).body


def _elsewhere(store: MemoryStore) -> Record:
    encrypted(store, KeyRing(NEW)).commit([OTHER])
    return evolve(raw(store, OTHER), body=raw(store).body)


def _edited(change: Callable[[dict[str, str]], dict[str, str]]) -> Callable[[MemoryStore], Record]:
    def edit(store: MemoryStore) -> Record:
        body = cast(dict[str, str], json.loads(raw(store).body))
        return evolve(raw(store), body='{"sealed":"' + change(body)["sealed"] + '","key":"' + body["key"] + '"}')

    return edit


def _flipped(body: dict[str, str]) -> dict[str, str]:
    sealed = bytearray(base64.b64decode(body["sealed"]))
    sealed[20] ^= 1
    return {"sealed": base64.b64encode(sealed).decode()}


TAMPERINGS: Final[dict[str, Callable[[MemoryStore], Record]]] = {
    "moved to another organisation": _elsewhere,
    "put back under a later version": raw,
    "given another state": lambda store: evolve(raw(store), state="closed", version=0),
    "given another due time": lambda store: evolve(raw(store), due=None),
    "given another look-up": lambda store: evolve(raw(store), lookups=()),
    "changed by a bit": _edited(_flipped),
    "cut short": _edited(lambda body: {"sealed": body["sealed"][:8]}),
    "emptied": _edited(lambda _: {"sealed": ""}),
    "no base64": _edited(lambda _: {"sealed": "ü"}),
    "cut in the middle": lambda store: evolve(raw(store), body=raw(store).body[:-4]),
}


class Tampered(MemoryStore):
    """Gives out one record in another's place, at the version that it claims to have."""

    def __init__(self) -> None:
        super().__init__()
        self.instead: Record | None = None

    def get_many(self, keys: Sequence[RecordKey]) -> list[Record | None]:
        return super().get_many(keys) if self.instead is None else [self.instead for _ in keys]


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_a_record_that_was_moved_changed_or_exchanged_is_not_read(tampering: str) -> None:
    store = Tampered()
    encrypted(store, KeyRing(NEW)).commit([LINK])
    changed = TAMPERINGS[tampering](store)
    later = changed.version + (tampering == "put back under a later version")

    store.instead = evolve(changed, version=later)

    with pytest.raises(SealBroken, match="restore it from a backup") as refused:
        read(store, NEW, record=changed)
    assert WORD not in str(refused.value)
    store.instead = None
    assert read(store, NEW) == LINK.body


def test_a_key_that_is_missing_is_named_by_its_fingerprint_with_what_to_do() -> None:
    store = MemoryStore()
    encrypted(store, KeyRing(OLD)).commit([LINK])

    with pytest.raises(KeyMissing, match="put that key on it, behind the one that writes") as refused:
        read(store, NEW)

    assert KeyRing(OLD).ids[0] in str(refused.value)
    assert not {word for key in (OLD, NEW) for word in (key.reveal(), WORD) if word in str(refused.value)}
    assert read(store, NEW, OLD) == LINK.body


def test_a_store_that_is_opened_without_its_keys_says_so_and_sends_nobody_to_connect_again(product: Product) -> None:
    store = MemoryStore()
    product.xero(store=encrypted(store, KeyRing(KeyRing.new_key())))
    # What product.xero() does first is to connect.
    bare = Xero(
        App(product.app.client_id, product.app.client_secret),
        product.books.tenant_id,
        store=store,
        transport=product.simulator.transport,
        clock=product.clock,
    )

    for ask in (bare.organisation, bare.connection_state, Connections(store).list, Fleet(store).status):
        with pytest.raises(KeyMissing, match="is encrypted: read this store in your own code"):
            ask()


def test_plain_text_is_refused_unless_it_is_expected_and_then_encrypted_for_good() -> None:
    store, ring = MemoryStore(), KeyRing(NEW)
    store.commit([LINK])

    with pytest.raises(NotEncrypted, match="allow_plain"):
        read(store, NEW)

    first = encrypted(store, ring, allow_plain=True)
    (kept,) = first.get_many([LINK.identity])
    assert kept is not None
    assert kept.body == LINK.body
    assert KeyRotation(first, organisations=["books"], clock=VirtualClock()).run().rewritten == 1
    assert read(store, NEW) == LINK.body
    assert raw(store).state == LINK.state
    assert raw(store).lookups == LINK.lookups


class Busy(MemoryStore):
    """Between every read and the commit that follows, somebody else writes, *times* times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def get_many(self, keys: Sequence[RecordKey]) -> list[Record | None]:
        found = super().get_many(keys)
        if self.times:
            self.times -= 1
            super().commit([evolve(LINK, body="theirs")])
        return found


def test_a_put_that_expects_nothing_wins_over_whoever_comes_between() -> None:
    store = Busy(3)

    encrypted(store, KeyRing(NEW)).commit([LINK, OTHER])

    assert read(store, NEW) == read(store, NEW, record=OTHER) == LINK.body
    assert (raw(store).version, raw(store, OTHER).version) == (4, 1)


def test_a_put_that_never_gets_its_turn_gives_up() -> None:
    store = Busy(10**6)

    with pytest.raises(VersionConflict):
        encrypted(store, KeyRing(NEW)).commit([LINK])


def test_a_version_that_was_expected_is_refused_by_name_and_nothing_is_kept() -> None:
    store = MemoryStore()
    ours = encrypted(store, KeyRing(NEW))
    ours.commit([LINK])

    with pytest.raises(VersionConflict) as refused:
        ours.commit([OTHER, evolve(LINK, body="second")], expect={LINK.identity: 0})

    assert refused.value.keys == (str(LINK.identity),)
    assert read(store, NEW) == LINK.body
    assert store.get_many([OTHER.identity]) == [None]


class Dying(MemoryStore):
    """Its process dies at the commit after *left* more."""

    left = 10**6

    def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        self.left -= 1
        if self.left < 0:
            raise StoreFailed("the process died")
        super().commit(puts, expect=expect, fence=fence, deletes=deletes)


def test_a_rotation_that_broke_off_goes_on_where_it_was_and_everything_stays_readable() -> None:
    store = Dying()
    records = [evolve(LINK, key=f"{number:04}") for number in range(500)]
    encrypted(store, KeyRing(OLD)).commit(records)
    both, clock = encrypted(store, KeyRing(NEW, OLD)), VirtualClock()
    store.left = 2
    with pytest.raises(StoreFailed, match="died"):
        KeyRotation(both, organisations=["books"], clock=clock).run()
    store.left = 10**6

    assert {each.body for each in both.query("link", "books")} == {LINK.body}
    assert KeyRotation(both, organisations=["books"], clock=clock).run().rewritten == 100
    assert KeyRotation(both, organisations=["books"], clock=clock).run().rewritten == 0
    assert len(encrypted(store, KeyRing(NEW)).query("link", "books")) == 500


def test_an_organisation_with_a_worker_in_it_is_left_for_later() -> None:
    store, clock = MemoryStore(), VirtualClock()
    encrypted(store, KeyRing(OLD)).commit([LINK])
    both = encrypted(store, KeyRing(NEW, OLD))
    worker = store.lease("organisation/books", this_process("worker"), ttl_s=60, now=clock.now())
    assert worker is not None

    assert KeyRotation(both, organisations=["books"], clock=clock).run().busy == ("books",)
    store.release(worker)

    assert KeyRotation(both, organisations=["books"], clock=clock).run().rewritten == 1


class Overtaken(MemoryStore):
    """A worker writes one record just before a commit of several."""

    def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        if len(puts) > 1 and expect and all(expect.values()):
            super().commit([KeyRing(NEW).seal(evolve(LINK, body="newer"), version=2)])
        super().commit(puts, expect=expect, fence=fence, deletes=deletes)


def test_a_record_that_a_worker_writes_meanwhile_is_left_to_them() -> None:
    store = Overtaken()
    encrypted(store, KeyRing(OLD)).commit([LINK, evolve(LINK, key="c-2")])

    rotated = KeyRotation(encrypted(store, KeyRing(NEW, OLD)), organisations=["books"], clock=VirtualClock()).run()

    assert rotated.rewritten == 1
    assert (read(store, NEW), read(store, NEW, record=evolve(LINK, key="c-2"))) == ("newer", LINK.body)


def test_an_async_store_is_rotated_awaited() -> None:
    store = MemoryStore()
    encrypted(store, KeyRing(OLD)).commit([LINK])
    both = encrypted(stepped_storage(store), KeyRing(NEW, OLD))
    assert isinstance(both, AsyncEncryptedStore)

    rotated = asyncio.run(AsyncKeyRotation(both, organisations=["books"], clock=VirtualClock()).run())

    assert (rotated.rewritten, read(store, NEW)) == (1, LINK.body)


def test_a_key_is_32_random_bytes_and_shown_nowhere() -> None:
    key, numbers = KeyRing.new_key(), count()
    plain = base64.b64encode(base64.urlsafe_b64decode(key.reveal())).decode()

    assert KeyRing(key).ids == KeyRing(plain).ids == KeyRing(f" {plain}\n").ids
    assert KeyRing(key).ids != KeyRing(KeyRing.new_key()).ids
    assert len({KeyRing.new_key() for _ in zip(range(9), numbers, strict=False)}) == 9
    assert key.reveal()[:8] not in repr(KeyRing(key)) + repr(encrypted(MemoryStore(), KeyRing(key)))
    for wrong in ((), ("",), ("correct horse battery staple",), (base64.b64encode(b"x" * 16).decode(),), (key, "ü")):
        with pytest.raises(InvalidInput, match="32 random bytes"):
            KeyRing(*wrong)
