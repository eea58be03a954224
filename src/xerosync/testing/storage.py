"""
The conformance kit for storage: what every store must do, as tests that a host runs against its own.

    class TestOurStore(StorageTests):
        abilities = frozenset({Ability.REOPENED, Ability.SHARED})

        @pytest.fixture
        def store_factory(self, tmp_path: Path) -> StoreFactory:
            numbers = count()
            return lambda: OurStore(tmp_path / str(next(numbers)))   # new and empty at each call, plain or async

        @pytest.fixture
        def opener(self) -> OpenerOf:
            return lambda store: partial(OurStore, store.path)       # can be pickled, for other processes

Needs ``pip install 'xerosync[testing]'``. pytest ends with a report of what was shown of each store.
"""

# ruff: noqa: S101
from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import ClassVar, Final, cast

import pytest

from xerosync.errors import InvalidInput, LeaseLost, VersionConflict
from xerosync.storage import Event, Fence, Order, Owner, Record, RecordKey, Storage
from xerosync.testing.storage_ability import Ability, check_claimed, needs
from xerosync.testing.storage_at_once import AtOnceTests
from xerosync.testing.storage_exact import ExactTests
from xerosync.testing.storage_face import OWNERS, START, plain_face
from xerosync.testing.storage_model import check_against_model
from xerosync.testing.storage_processes import OpenerOf, SharedStoreTests
from xerosync.testing.storage_report import noted
from xerosync.testing.storage_simulated import SimulatedTests, StoreFactory, played_over
from xerosync.testing.storage_transaction import HostTransaction, TransactionTests

__all__ = [
    "Ability",
    "HostTransaction",
    "OpenerOf",
    "StorageTests",
    "StoreFactory",
    "check_against_model",
    "plain_face",
    "played_over",
]

INVOICE = Record("invoice", "books", "INV-1", '{"total":"120.00"}')
KEY = INVOICE.identity
FIRST: Final = OWNERS[0]
SECOND: Final = OWNERS[1]


class StorageTests(ExactTests, AtOnceTests, SharedStoreTests, TransactionTests, SimulatedTests):
    """
    The contract of `Storage`, test by test. Subclass it, name the class ``Test…``, and give ``store_factory``.

    *abilities* are what the store claims besides, each with its fixture, ``opener`` or ``host_transaction``.
    *model_examples* is how many random runs are compared with the model, *schedules* how many worlds are simulated in
    which workers of a host do their business over the store while everything goes wrong.
    """

    abilities: ClassVar[frozenset[Ability]] = frozenset()
    model_examples: ClassVar[int] = 100

    @pytest.fixture(autouse=True)
    def claimed(self, request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> None:
        """Notes the test for the report, and skips it where it needs what this store does not claim."""
        noted(type(self).__name__, self.abilities, self.model_examples, self.schedules, record_property)
        check_claimed(request, self.abilities)

    @pytest.fixture
    def store_factory(self) -> StoreFactory:
        """What makes a new, empty store at each call: every subclass gives its own."""
        raise NotImplementedError("give a fixture store_factory")

    @pytest.fixture
    def opener(self) -> OpenerOf:
        """From a store to what opens its place again: a class that claims that it can be gives its own."""
        raise NotImplementedError("give a fixture opener")

    @pytest.fixture
    def store(self, store_factory: StoreFactory) -> Iterator[Storage]:
        """One empty store."""
        store = plain_face(store_factory())
        yield store
        store.close()

    # Records

    def test_a_record_is_read_back_as_it_was_kept(self, store: Storage) -> None:
        """Every field survives, times to the microsecond and in UTC, text in any script."""
        due = datetime(2026, 3, 1, 22, 0, 0, 1, tzinfo=timezone(timedelta(hours=13)))
        record = Record(
            "invoice", "books", "Čís-1 😀 '\"%", '{"t":"é"}', "open", due, (("number", "1"), ("number", "2"))
        )

        store.commit([record])

        [kept] = store.get_many([record.identity])
        assert kept is not None
        assert (kept.identity, kept.body, kept.state, kept.lookups) == (
            record.identity, record.body, record.state, record.lookups,
        )  # fmt: skip
        assert kept.due == due
        assert kept.due is not None
        assert kept.due.tzinfo is UTC
        assert kept.version == 1

    def test_many_records_come_in_the_order_asked_for(self, store: Storage) -> None:
        """None stands where there is no record, a key asked for twice comes twice."""
        store.commit([Record("invoice", "books", f"{n:04}", str(n)) for n in range(2500)])
        keys = [RecordKey("invoice", "books", f"{n:04}") for n in (*range(2600, -1, -1), 7)]

        found = store.get_many(keys)

        assert [record and record.body for record in found] == [
            str(n) if n < 2500 else None for n in (*range(2600, -1, -1), 7)
        ]
        assert store.get_many([]) == []

    def test_kinds_and_organisations_are_kept_apart(self, store: Storage) -> None:
        """The same key of another kind or organisation is another record."""
        store.commit([Record(kind, tenant, "1", kind + tenant) for kind in "ab" for tenant in "cd"])

        assert [record.body for record in store.query("a", "d")] == ["ad"]
        store.commit([], deletes=[RecordKey("a", "d", "1")])
        assert [record.body for record in store.query("a", "c") + store.query("b", "d")] == ["ac", "bd"]

    def test_the_version_counts_the_commits_that_wrote_a_record(self, store: Storage) -> None:
        """What a caller says of version and change is ignored; a record made again begins at 1."""
        for expected in (0, 1, 2):
            store.commit([Record("invoice", "books", "INV-1", "{}", version=41, changed=7)], expect={KEY: expected})
        assert _version(store) == 3

        store.commit([], deletes=[KEY, RecordKey("invoice", "books", "never there")])
        assert _version(store) == 0
        store.commit([INVOICE], expect={KEY: 0})
        assert _version(store) == 1

    @pytest.mark.parametrize("expected", [0, 2])
    def test_nothing_of_a_commit_is_kept_when_one_version_is_not_the_expected(
        self, store: Storage, expected: int
    ) -> None:
        """All or nothing, also for the records before the one at fault and for what was to be dropped."""
        other = Record("invoice", "books", "INV-2", "{}")
        new = Record("invoice", "books", "INV-0", "{}")
        store.commit([INVOICE, other])

        with pytest.raises(VersionConflict) as refusal:
            store.commit(
                [new, INVOICE.with_body("changed")],
                expect={new.identity: 0, KEY: expected},
                deletes=[other.identity],
            )

        assert refusal.value.keys == (str(KEY),)
        assert store.get_many([new.identity, KEY, other.identity])[0] is None
        assert [(record.body, record.version) for record in store.query("invoice", "books")] == [
            (INVOICE.body, 1), (other.body, 1),
        ]  # fmt: skip

    def test_a_commit_may_rest_on_a_record_it_does_not_write(self, store: Storage) -> None:
        """An expectation alone is checked too, and writes nothing."""
        link = Record("link", "books", "c-1", "{}")

        with pytest.raises(VersionConflict):
            store.commit([link], expect={KEY: 1})
        store.commit([INVOICE])
        store.commit([link], expect={KEY: 1})

        assert store.get_many([link.identity])[0] is not None
        assert _version(store) == 1

    @pytest.mark.parametrize(
        "unfit",
        [
            Record("link", "books", "2", '"\ud83d"'),
            Record("link", "books", "\ud83d", "{}"),
            Record("link", "books", "2", "{}", lookups=(("name", "a\0b"),)),
            Record("link", "books", "a\0b", "{}"),
            Record("link", "books", "2", '"\0"'),
        ],
        ids=["half a character in the body", "and in the key", "NUL in a look-up", "in the key", "in the body"],
    )
    def test_text_that_no_database_keeps_is_refused(self, store: Storage, unfit: Record) -> None:
        """With the whole commit; a store that changed it would not find it again."""
        with pytest.raises(InvalidInput):
            store.commit([Record("link", "books", "1", "{}"), unfit])

        assert store.query("link", "books") == []

    def test_a_commit_that_names_a_record_twice_is_refused(self, store: Storage) -> None:
        """Which of the two should stay, nobody could say."""
        for puts, deletes in (([INVOICE, INVOICE], []), ([INVOICE], [KEY]), ([], [KEY, KEY])):
            with pytest.raises(InvalidInput):
                store.commit(puts, deletes=deletes)
        assert _version(store) == 0

    # Queries

    def test_keys_are_ordered_by_code_point(self, store: Storage) -> None:
        """No language's own order, which would differ between two databases, and between pages after an upgrade."""
        keys = ["", " ", "-1", "1", "10", "2", "B", "a", "b", "é", "\uffee", "😀"]
        store.commit([Record("invoice", "books", key, "{}") for key in reversed(keys)])

        assert [record.key for record in store.query("invoice", "books")] == keys
        assert [record.key for record in store.query("invoice", "books", after="b")] == keys[-3:]

    def test_what_is_due_now_is_due(self, store: Storage) -> None:
        """Due times are compared to the microsecond, the moment asked for included."""
        moments = [START + timedelta(microseconds=n) for n in (2, 0, 1)]
        store.commit([Record("intent", "books", str(n), "{}", due=due) for n, due in enumerate(moments)])
        store.commit([Record("intent", "books", "never", "{}")])

        due = store.query("intent", "books", due_before=START + timedelta(microseconds=1), order="due")

        assert [record.key for record in due] == ["1", "2"]
        assert [record.key for record in store.query("intent", "books", order="due")] == ["1", "2", "0"]

    def test_records_are_found_by_what_they_are_looked_up_by_now(self, store: Storage) -> None:
        """Look-ups follow every rewrite, and go with the record."""

        def found(number: str) -> list[str]:
            return [record.key for record in store.query("invoice", "books", lookup=("number", number))]

        store.commit(
            [Record("invoice", "books", key, "{}", lookups=(("number", "7"), ("number", "8"))) for key in "ab"]
        )
        assert (found("7"), found("8"), found("%")) == (["a", "b"], ["a", "b"], [])
        store.commit([Record("invoice", "books", "a", "{}", lookups=(("number", "8"), ("number", "9")))])
        assert (found("7"), found("8"), found("9")) == (["b"], ["a", "b"], ["a"])
        store.commit([], deletes=[RecordKey("invoice", "books", "a")])
        assert (found("8"), found("9")) == (["b"], [])
        store.commit([Record("invoice", "books", "a", "{}")])
        assert found("9") == []

    def test_a_reader_of_changes_misses_none(self, store: Storage) -> None:
        """Read on from a record that was itself changed since: all that changed after it comes, in order."""
        for key in "abc":
            store.commit([Record("invoice", "books", key, "{}")])
        first = store.query("invoice", "books", order="changed", limit=1)[0]
        after = store.cursor(first, "changed")

        store.commit([Record("invoice", "books", key, "again") for key in "ba"])

        assert store.cursor(first, "changed") == after
        changed = store.query("invoice", "books", order="changed", after=after)
        assert [record.key for record in changed] == ["c", "a", "b"]

    @pytest.mark.parametrize("order", ["key", "due", "changed"])
    def test_a_page_may_end_among_records_that_tie(self, store: Storage, order: Order) -> None:
        """The next page goes on with the next key."""
        store.commit([Record("intent", "books", f"{n:02}", "{}", due=START) for n in range(20)])
        keys: list[str] = []
        after: str | None = None

        while page := store.query("intent", "books", order=order, after=after, limit=7):
            keys += [record.key for record in page]
            after = store.cursor(page[-1], order)

        assert keys == [f"{n:02}" for n in range(20)]

    def test_a_change_after_the_latest_was_dropped_is_seen(self, store: Storage) -> None:
        """The number of a commit is not used again when its records are gone."""
        store.commit([Record("invoice", "books", "b", "{}")])
        after = store.cursor(store.query("invoice", "books", order="changed")[0], "changed")

        store.commit([], deletes=[RecordKey("invoice", "books", "b")])
        store.commit([Record("invoice", "books", "a", "{}")])

        assert [record.key for record in store.query("invoice", "books", order="changed", after=after)] == ["a"]

    def test_an_unknown_order_is_refused(self, store: Storage) -> None:
        """It never reaches the SQL of a store."""
        with pytest.raises(InvalidInput):
            store.query("invoice", "books", order=cast(Order, "key; DROP TABLE records"))

    def test_a_limit_below_one_is_refused(self, store: Storage) -> None:
        """Never read as no limit."""
        for limit in (0, -1):
            with pytest.raises(InvalidInput):
                store.query("invoice", "books", limit=limit)

    # Leases

    def test_a_lease_has_one_holder(self, store: Storage) -> None:
        """Another owner waits, also another run of the same process; the holder renews under the same epoch."""
        assert store.lease_owner("books") is None
        assert _lease(store, FIRST) == Fence("books", 1)
        assert _lease(store, SECOND) is None
        assert _lease(store, FIRST, after_s=59) == Fence("books", 1)
        assert _lease(store, SECOND, after_s=100) is None
        assert store.lease_owner("books") == FIRST

    def test_a_lease_that_ran_out_goes_to_the_next_with_a_new_epoch(self, store: Storage) -> None:
        """Whoever held it before is refused from then on."""
        old = _lease(store, FIRST)
        store.commit([INVOICE], fence=old)
        assert _lease(store, SECOND, after_s=60) == Fence("books", 2)

        with pytest.raises(LeaseLost):
            store.commit([INVOICE], fence=old)

        assert _version(store) == 1
        store.commit([INVOICE], fence=Fence("books", 2))
        assert _lease(store, FIRST, after_s=61) is None

    def test_a_lease_that_ran_out_and_nobody_took_still_fences(self, store: Storage) -> None:
        """A slow holder may go on while there is no other."""
        fence = _lease(store, FIRST)
        assert _lease(store, FIRST, after_s=600) == fence
        store.commit([INVOICE], fence=fence)
        assert _version(store) == 1

    def test_a_lease_is_taken_by_force_only_from_the_owner_seen_dead(self, store: Storage) -> None:
        """Of two successors who saw the same owner dead, one takes over."""
        _lease(store, FIRST)
        third = OWNERS[2]

        assert _lease(store, SECOND, force=third) is None
        assert _lease(store, SECOND, force=FIRST) == Fence("books", 2)
        assert _lease(store, third, force=FIRST) is None
        assert store.lease_owner("books") == SECOND

    def test_a_released_lease_is_free_and_its_fence_is_dead(self, store: Storage) -> None:
        """Also for the owner that released it, and for good."""
        fence = _lease(store, FIRST)
        assert fence is not None
        store.release(fence)
        assert store.lease_owner("books") is None
        with pytest.raises(LeaseLost):
            store.commit([INVOICE], fence=fence)

        assert _lease(store, FIRST) == Fence("books", 2)
        store.release(fence)  # an old fence gives nothing back

        assert store.lease_owner("books") == FIRST
        with pytest.raises(LeaseLost):
            store.commit([INVOICE], fence=fence)
        with pytest.raises(LeaseLost):
            store.commit([INVOICE], fence=Fence("never taken", 1))
        assert _version(store) == 0

    # Events

    def test_events_are_numbered_from_one_in_each_stream(self, store: Storage) -> None:
        """They are read on from any number, none twice."""
        events = [Event(START + timedelta(microseconds=n), f"step-{n}", f'{{"n":{n}}}') for n in range(5)]
        store.append("runs", events[:2])
        store.append("other", events[:1])
        store.append("runs", [])
        store.append("runs", events[2:])

        assert store.events("runs") == list(enumerate(events, start=1))
        assert store.events("runs", after=1, limit=2) == [(2, events[1]), (3, events[2])]
        assert store.events("runs", after=5) == []
        assert store.events("nobody's") == []

    # The whole

    @needs(Ability.REOPENED)
    def test_what_was_kept_is_there_when_the_store_is_opened_again(
        self, store_factory: StoreFactory, opener: OpenerOf
    ) -> None:
        """Records, versions, leases and events."""
        raw = store_factory()
        store = plain_face(raw)
        store.commit([INVOICE])
        _lease(store, FIRST)
        store.append("runs", [Event(START, "sent", "{}")])
        store.close()
        store.close()

        again = plain_face(opener(raw)())

        assert again.get_many([KEY])[0] == Record("invoice", "books", "INV-1", INVOICE.body, version=1)
        assert _lease(again, SECOND) is None
        assert again.events("runs") == [(1, Event(START, "sent", "{}"))]
        again.close()

    def test_the_store_does_what_the_model_does(self, store_factory: StoreFactory) -> None:
        """Whatever is done in whatever order."""
        check_against_model(lambda: plain_face(store_factory()), examples=self.model_examples)


def _version(store: Storage) -> int:
    [record] = store.get_many([KEY])
    return 0 if record is None else record.version


def _lease(store: Storage, owner: Owner, *, after_s: float = 0, force: Owner | None = None) -> Fence | None:
    return store.lease("books", owner, ttl_s=60, now=START + timedelta(seconds=after_s), force=force)
