"""The storage contract as a model: a dict that does the obvious, and a state machine that holds any store to it."""

# ruff: noqa: S101
from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

try:
    import hypothesis.strategies as st
    from hypothesis import HealthCheck, Phase, settings
    from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
except ImportError as _missing:
    raise ImportError("Hypothesis is not installed: pip install 'xerosync[testing]'") from _missing

from attrs import Factory, define, evolve, frozen

from xerosync.errors import LeaseLost, VersionConflict
from xerosync.storage import Event, Fence, Order, Owner, Record, RecordKey, Storage
from xerosync.testing.storage_face import OWNERS, START

# Most on one shelf, so that records often tie in an order; the other two must never be seen among them.
_KEYS: Final = (
    *(RecordKey("intent", "A", key) for key in "wxyz"),
    RecordKey("intent", "B", "x"),
    RecordKey("link", "A", "x"),
)
_STATES: Final = ("", "sent", "confirmed")
_LOOKUPS: Final = (("number", "1"), ("number", "2"), ("contact", "1"))
_LEASES: Final = ("books-A", "books-B")


def _record(key: RecordKey, body: str, state: str, due_s: int | None, lookups: list[tuple[str, str]]) -> Record:
    due = None if due_s is None else START + timedelta(seconds=due_s)
    return Record(key.kind, key.tenant, key.key, body, state, due, tuple(lookups))


_records = st.builds(
    _record,
    st.sampled_from(_KEYS),
    st.sampled_from(("{}", '{"total":"120.00"}')),
    st.sampled_from(_STATES),
    st.none() | st.integers(0, 3),
    st.lists(st.sampled_from(_LOOKUPS), max_size=2),
)
_expectations = st.dictionaries(st.sampled_from(_KEYS), st.sampled_from(("now", "one more", "one less")), max_size=3)


@frozen
class Held:
    """A lease in the model: the latest *epoch*, its *owner* (None once released), and when it runs out."""

    epoch: int
    owner: Owner | None
    until: datetime


@define
class Model:
    """What a store should hold. Records keep the number of the commit that last wrote them in ``changed``."""

    records: dict[RecordKey, Record] = Factory(dict[RecordKey, Record])
    commits: int = 0
    leases: dict[str, Held] = Factory(dict[str, Held])
    events: list[Event] = Factory(list[Event])

    def version(self, key: RecordKey) -> int:
        """The version of the record under *key*, 0 where there is none."""
        return self.records[key].version if key in self.records else 0

    def holds(self, fence: Fence) -> bool:
        """Whether *fence* is its lease's latest and was not released."""
        held = self.leases.get(fence.name)
        return held is not None and held.owner is not None and held.epoch == fence.epoch

    def commit(self, puts: Sequence[Record], deletes: Sequence[RecordKey]) -> None:
        """Keep *puts* and drop *deletes*."""
        self.commits += 1
        for put in puts:
            version = self.version(put.identity) + 1
            self.records[put.identity] = evolve(put, version=version, changed=self.commits)
        for key in deletes:
            self.records.pop(key, None)

    def query(
        self,
        kind: str,
        tenant: str,
        *,
        states: Sequence[str],
        due_before: datetime | None,
        lookup: tuple[str, str] | None,
        order: Order,
    ) -> list[Record]:
        """All records that a query read to its end should give."""
        found = [
            record
            for record in self.records.values()
            if (record.kind, record.tenant) == (kind, tenant)
            and (not states or record.state in states)
            and (due_before is None or (record.due is not None and record.due <= due_before))
            and (lookup is None or lookup in record.lookups)
            and (order != "due" or record.due is not None)
        ]
        found.sort(key=lambda record: record.key)
        if order == "changed":
            found.sort(key=lambda record: record.changed)
        if order == "due":
            found.sort(key=lambda record: record.due or START)
        return found

    def lease(self, name: str, owner: Owner, until: datetime, now: datetime, force: Owner | None) -> Fence | None:
        """The fence that *owner* should be given, None while another keeps the lease."""
        held = self.leases.get(name, Held(0, None, now))
        if held.owner not in (None, owner, force) and held.until > now:
            return None
        epoch = held.epoch if held.owner == owner else held.epoch + 1
        self.leases[name] = Held(epoch, owner, until)
        return Fence(name, epoch)


class StorageMachine(RuleBasedStateMachine):
    """Random verbs, done to a store and to the model alike; after each, both must hold the same."""

    def __init__(self, store: Storage) -> None:
        super().__init__()
        self.store = store
        self.model: Final = Model()
        self.now: datetime = START
        self.fences: list[Fence] = []

    @rule(
        puts=st.lists(_records, max_size=4, unique_by=lambda record: record.identity),
        dropped=st.lists(st.sampled_from(_KEYS), max_size=2, unique=True),
        expectations=_expectations,
        fence_index=st.none() | st.integers(0, 5),
    )
    def commit(
        self,
        puts: list[Record],
        dropped: list[RecordKey],
        expectations: dict[RecordKey, Literal["now", "one more", "one less"]],
        fence_index: int | None,
    ) -> None:
        """Commit under right and wrong expectations, with live and dead fences."""
        deletes = [key for key in dropped if key not in {put.identity for put in puts}]
        fence = None if fence_index is None or not self.fences else self.fences[fence_index % len(self.fences)]
        shift = {"now": 0, "one more": 1, "one less": -1}
        expect = {key: max(self.model.version(key) + shift[how], 0) for key, how in expectations.items()}
        fence_is_good = fence is None or self.model.holds(fence)
        versions_are_good = all(self.model.version(key) == version for key, version in expect.items())
        try:
            self.store.commit(puts, expect=expect, fence=fence, deletes=deletes)
        except LeaseLost:
            assert not fence_is_good, "a commit under the latest fence was refused"
        except VersionConflict as conflict:
            assert not versions_are_good, "a commit was refused although every version was the one expected"
            wrong = {str(key) for key in expect if self.model.version(key) != expect[key]}
            assert set(conflict.keys) == wrong, "a refusal named other records than those that had changed"  # noqa: PT017
        else:
            assert fence_is_good, "a commit under a fence that is no longer the latest was kept"
            assert versions_are_good, "a commit was kept although a record had another version than expected"
            self.model.commit(puts, deletes)

    @rule(
        states=st.lists(st.sampled_from(_STATES), max_size=2),
        due_s=st.none() | st.integers(0, 3),
        lookup=st.none() | st.sampled_from(_LOOKUPS),
        order=st.sampled_from(("key", "due", "changed")),
        limit=st.integers(1, 3),
    )
    def read_to_the_end(
        self,
        *,
        states: list[str],
        due_s: int | None,
        lookup: tuple[str, str] | None,
        order: Order,
        limit: int,
    ) -> None:
        """Read a query page by page: all there is, in order, once."""
        due_before = None if due_s is None else START + timedelta(seconds=due_s)
        found: list[Record] = []
        after: str | None = None
        expected = self.model.query("intent", "A", states=states, due_before=due_before, lookup=lookup, order=order)
        while len(found) <= len(expected):
            page = self.store.query(
                "intent",
                "A",
                states=states,
                due_before=due_before,
                lookup=lookup,
                order=order,
                after=after,
                limit=limit,
            )
            assert len(page) <= limit, "a page was longer than its limit"
            found += page
            if not page:
                break
            after = self.store.cursor(page[-1], order)
        assert found == expected, "a query gave other records, or in another order, than it should"

    @rule(
        name=st.sampled_from(_LEASES),
        owner=st.sampled_from(OWNERS),
        ttl_s=st.sampled_from((1.0, 5.0)),
        force=st.none() | st.sampled_from(OWNERS),
    )
    def lease(self, name: str, owner: Owner, ttl_s: float, force: Owner | None) -> None:
        """Take, renew, or fail to take a lease."""
        fence = self.store.lease(name, owner, ttl_s=ttl_s, now=self.now, force=force)
        expected = self.model.lease(name, owner, self.now + timedelta(seconds=ttl_s), self.now, force)
        assert fence == expected, "a lease was granted, refused or numbered as it should not be"
        if fence is not None and fence not in self.fences:
            self.fences.append(fence)

    @precondition(lambda self: bool(self.fences))
    @rule(index=st.integers(0, 5))
    def release(self, index: int) -> None:
        """Release a lease through its latest fence or an older one."""
        fence = self.fences[index % len(self.fences)]
        self.store.release(fence)
        if self.model.holds(fence):
            self.model.leases[fence.name] = evolve(self.model.leases[fence.name], owner=None)

    @rule(seconds=st.sampled_from((1, 2, 5)))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    @rule(names=st.lists(st.sampled_from(("planned", "sent")), max_size=3))
    def append(self, names: list[str]) -> None:
        """Add events, also none."""
        events = [Event(self.now, name, "{}") for name in names]
        self.store.append("runs", events)
        self.model.events += events

    @invariant()
    def both_hold_the_same(self) -> None:
        """Every record, lease and event is as the model has it."""
        kept = self.store.get_many(_KEYS)
        assert kept == [self.model.records.get(key) for key in _KEYS], "a record is not what was last committed"
        for name in _LEASES:
            held = self.model.leases.get(name)
            assert self.store.lease_owner(name) == (None if held is None else held.owner), "a lease has another owner"
        assert self.store.events("runs") == list(enumerate(self.model.events, start=1)), "the events differ"

    def teardown(self) -> None:
        """Give the store back."""
        self.store.close()


def check_against_model(
    new_store: Callable[[], Storage], *, examples: int = 100, steps: int = 30, shrink: bool = True
) -> None:
    """
    Hold stores to the model, *examples* times with up to *steps* verbs; *new_store* gives an empty one at each call.

    Raises `AssertionError` with the shortest run of verbs that shows the fault, or with *shrink* off the first one met.
    """

    class _Machine(StorageMachine):
        def __init__(self) -> None:
            super().__init__(new_store())

    run_state_machine_as_test(
        _Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=[phase for phase in Phase if shrink or phase not in {Phase.shrink, Phase.explain}],
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
