"""Gates in a store and in Redis: workers that share nothing else share each organisation's minute, day and places."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from uuid import uuid4

import pytest
from attrs import define, evolve, field
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from tests.conftest import Product, found_product
from tests.running.conftest import redis_served

from xerosync import App, AsyncXero, Limits, MemoryStore, SQLiteStore, Xero
from xerosync.client._driver import run
from xerosync.client.gate import Account, Counters, MemoryGate, Permit, Wait
from xerosync.client.store_gate import SharedGate, StoreGate
from xerosync.errors import StoreFailed
from xerosync.redis import RedisGate
from xerosync.simulator import Fault

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
ORGANISATION = Account("https://api.xero.com", "an app", "one")


@define
class Shared:
    """What workers share: each `gate` is another worker's."""

    _made: Callable[[], SharedGate]
    gates: list[SharedGate] = field(factory=list[SharedGate])

    def gate(self) -> SharedGate:
        self.gates.append(self._made())
        return self.gates[-1]


@pytest.fixture(scope="module")
def redis_port() -> Iterator[int]:
    with redis_served() as port:
        yield port


@pytest.fixture(params=["store", "redis"])
def shared(request: pytest.FixtureRequest, redis_port: int) -> Iterator[Shared]:
    if request.param == "store":
        store = MemoryStore()
        yield Shared(lambda: StoreGate(store))
        return
    with ExitStack() as stack:
        prefix = f"{uuid4()}:"
        yield Shared(lambda: RedisGate(stack.enter_context(Redis(port=redis_port)), prefix=prefix))


def client_of(product: Product, gate: SharedGate, *, background: bool = False, limits: Limits | None = None) -> Xero:
    client = Xero(
        App(product.app.client_id, product.app.client_secret), product.books.tenant_id, store=product.store,
        transport=product.simulator.transport, clock=product.clock, gate=gate, background=background, limits=limits,
    )  # fmt: skip
    client.connect(product.tokens)
    return client


def acquired(
    gate: SharedGate | MemoryGate,
    now: datetime,
    account: Account = ORGANISATION,
    *,
    background: bool = False,
    **limits: int,
) -> Permit | Wait:
    return run(gate.acquire(account, Limits(**limits), now, background=background))


def test_workers_share_the_minute(shared: Shared) -> None:
    product = found_product(limits=True)
    workers = [client_of(product, shared.gate()) for _ in range(3)]
    began, calls = product.clock.now(), product.simulator.calls

    for place in range(130):
        workers[place % 3].organisation()

    assert timedelta(minutes=2) <= product.clock.now() - began < timedelta(minutes=2, seconds=20)
    assert product.simulator.calls - calls == 130, "a refused one is sent again"
    product.simulator.close()


@pytest.mark.parametrize("where", ["store", "redis"])
def test_two_processes_never_take_the_same_place(tmp_path: Path, redis_port: int, where: str) -> None:
    """Eight workers, each with a store of its own on one file or a client of Redis, ask for all they can get."""
    together = Barrier(8)
    prefix = f"{uuid4()}:"

    def greedy(_: int) -> list[Permit]:
        with closing(SQLiteStore(tmp_path / "books.db")) as store, Redis(port=redis_port) as redis:
            gate = StoreGate(store) if where == "store" else RedisGate(redis, prefix=prefix)
            together.wait()
            asked = [acquired(gate, NOON, at_a_time=100) for _ in range(20)]
            return [each for each in asked if isinstance(each, Permit)]

    with ThreadPoolExecutor(8) as pool:
        permits = [permit for some in pool.map(greedy, range(8)) for permit in some]

    assert sorted(each.number for each in permits) == list(range(1, 59))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["acquire", "background", "release", "day", "hidden", "refused"]), st.integers(0, 40)
        ),
        max_size=80,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_decides_as_the_gate_of_one_process(redis_port: int, steps: Sequence[tuple[str, int]]) -> None:
    """Whatever happens, a record that was written and read decides as a value in memory does, with two calls less."""
    with Redis(port=redis_port) as redis:
        for kept in (StoreGate(MemoryStore()), RedisGate(redis, prefix=f"{uuid4()}:")):
            decide_alike(kept, MemoryGate(), steps)


def decide_alike(kept: SharedGate, memory: MemoryGate, steps: Sequence[tuple[str, int]]) -> None:
    gates: list[SharedGate | MemoryGate] = [kept, memory]
    pairs: list[tuple[Permit, Permit]] = []
    now = NOON
    for what, seconds in steps:
        now += timedelta(seconds=seconds)
        if what in {"acquire", "background"}:
            ours = acquired(kept, now, background=what == "background")
            theirs = acquired(memory, now, background=what == "background", a_minute=58)
            assert ours == theirs
            if isinstance(ours, Permit) and isinstance(theirs, Permit):
                pairs.append((ours, theirs))
        elif pairs:
            told = {
                "release": None,
                "day": Counters(minute_left=50, day_left=480),
                "hidden": Counters(minute_left=10, day_left=4000, app_minute_left=9000),
                "refused": Counters(refused="minute", retry_after_s=20.0),
            }[what]
            for gate, permit in zip(gates, pairs.pop(), strict=True):
                if told is None:
                    run(gate.release(permit, now))
                else:
                    run(gate.observe(permit, told, Limits(), now))


def test_the_app_s_minute_is_shared_by_all_organisations_and_workers(shared: Shared) -> None:
    gates = [shared.gate() for _ in range(3)]
    accounts = [Account("https://api.xero.com", "an app", f"organisation {number}") for number in range(40)]

    asked = [acquired(gates[place % 3], NOON, account, app_a_minute=120) for place, account in enumerate(accounts * 5)]

    permits = [each for each in asked if isinstance(each, Permit)]
    waits = {each.which for each in asked if isinstance(each, Wait)}
    assert 100 <= len(permits) <= 120
    assert waits == {"appminute", "concurrent"}
    later = NOON + timedelta(seconds=81)
    assert isinstance(acquired(gates[0], later, accounts[-1], app_a_minute=120), Permit)


def test_a_refusal_of_the_app_holds_every_worker(product: Product, shared: Shared) -> None:
    first, second = (client_of(product, shared.gate()) for _ in range(2))
    product.simulator.faults.plan(Fault.APP_MINUTE_LIMIT)
    first.organisation()
    product.simulator.faults.plan(Fault.APP_MINUTE_LIMIT)
    began = product.clock.now()
    second.organisation()

    assert product.clock.now() > began


def test_a_worker_that_was_killed_frees_its_place_by_itself(shared: Shared) -> None:
    for _ in range(4):
        assert isinstance(acquired(shared.gate(), NOON), Permit)

    assert acquired(shared.gate(), NOON + timedelta(seconds=5)) == Wait("concurrent", 0.1)
    assert isinstance(acquired(shared.gate(), NOON + timedelta(minutes=3)), Permit)


@pytest.mark.parametrize("wrong", [timedelta(hours=1), timedelta(days=400)])
def test_a_worker_whose_clock_is_ahead_holds_nobody_up(shared: Shared, wrong: timedelta) -> None:
    """What it has dated counts as if it had been just now, and then for a minute, as all else does."""
    ahead = NOON + wrong
    for _ in range(58):
        permit = acquired(shared.gate(), ahead)
        assert isinstance(permit, Permit)
        run(shared.gate().observe(permit, Counters(minute_left=30, app_minute_left=9000), Limits(), ahead))

    waits = acquired(shared.gate(), NOON)
    assert isinstance(waits, Wait)
    assert (waits.which, round(waits.seconds)) == ("minute", 60)
    soon = NOON + timedelta(seconds=71)
    permit = acquired(shared.gate(), soon)
    assert isinstance(permit, Permit)
    run(shared.gate().observe(permit, Counters(minute_left=0), Limits(), soon))
    assert isinstance(acquired(shared.gate(), soon), Wait), "what Xero says now is heard"


def test_slices_that_a_clock_ahead_took_are_given_back_after_a_minute(shared: Shared) -> None:
    accounts = [evolve(ORGANISATION, organisation=f"organisation {number}") for number in range(4)]
    asked = [acquired(shared.gate(), NOON + timedelta(hours=1), each, app_a_minute=200) for each in accounts]
    assert all(isinstance(each, Permit) for each in asked), "each gate has taken a slice of fifty"

    assert isinstance(acquired(shared.gate(), NOON, app_a_minute=200), Wait)
    assert isinstance(acquired(shared.gate(), NOON + timedelta(seconds=81), app_a_minute=200), Permit)


def test_a_clock_that_is_set_back_holds_nobody_up() -> None:
    gate = MemoryGate()
    for _ in range(60):
        permit = acquired(gate, NOON)
        assert isinstance(permit, Permit)
        run(gate.release(permit, NOON))
    earlier = NOON - timedelta(hours=1)

    assert isinstance(acquired(gate, earlier, app_a_minute=60), Wait)
    assert isinstance(acquired(gate, earlier + timedelta(seconds=61), app_a_minute=60), Permit)


def test_the_day_s_reserve_is_left_to_people_by_every_worker(shared: Shared) -> None:
    now = NOON
    for _ in range(9):
        permit = acquired(shared.gate(), now, background=True, a_day=10)
        assert isinstance(permit, Permit)
        run(shared.gate().release(permit, now))

    in_background = acquired(shared.gate(), now, background=True, a_day=10)

    assert in_background == Wait("day", 3600.0)
    assert isinstance(acquired(shared.gate(), now, a_day=10), Permit)


def test_an_answer_costs_the_shared_records_one_change_more() -> None:
    """Three calls: a place taken and given back for each, and for the first a slice of the app's minute."""
    store = MemoryStore()
    commits: list[int] = []

    def committed(*given: object, **named: object) -> None:
        commits.append(1)
        keep(*given, **named)  # type: ignore[arg-type]  # what a store takes

    keep, store.commit = store.commit, committed  # type: ignore[method-assign]
    gate = StoreGate(store)
    for _ in range(3):
        permit = acquired(gate, NOON)
        assert isinstance(permit, Permit)
        run(gate.observe(permit, Counters(minute_left=50, day_left=480), Limits(), NOON))
        run(gate.release(permit, NOON))

    assert len(commits) == 7


def test_calls_through_redis_reach_xero_from_an_event_loop(product: Product, redis_port: int) -> None:
    async def called() -> str:
        async with AsyncRedis(port=redis_port) as redis:
            xero = AsyncXero(
                App(product.app.client_id, product.app.client_secret), product.books.tenant_id, store=product.store,
                transport=product.simulator.transport, clock=product.clock, gate=RedisGate(redis),
            )  # fmt: skip
            await xero.connect(product.tokens)
            return str((await xero.organisation()).name)

    assert asyncio.run(called()) == "Demo Company (NZ)"


def test_while_redis_is_away_nothing_is_sent(product: Product) -> None:
    client_of(product, StoreGate(product.store))
    before = product.simulator.calls

    with Redis(port=1) as nowhere, pytest.raises(StoreFailed, match="Redis"):
        client_of(product, RedisGate(nowhere))

    assert product.simulator.calls == before + 1, "the list of connections, which no limit counts"
