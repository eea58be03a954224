"""The gate in the store: workers that share nothing else share each organisation's minute, day and places."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import Product, found_product

from xerosync import App, Limits, MemoryStore, SQLiteStore, Xero
from xerosync.client._driver import run
from xerosync.client.gate import Account, Counters, MemoryGate, Permit, Wait
from xerosync.client.store_gate import StoreGate
from xerosync.simulator import Fault

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
ORGANISATION = Account("https://api.xero.com", "an app", "one")


def client_of(product: Product, gate: StoreGate, *, background: bool = False, limits: Limits | None = None) -> Xero:
    client = Xero(
        App(product.app.client_id, product.app.client_secret), product.books.tenant_id, store=product.store,
        transport=product.simulator.transport, clock=product.clock, gate=gate, background=background, limits=limits,
    )  # fmt: skip
    client.connect(product.tokens)
    return client


def acquired(
    gate: StoreGate | MemoryGate,
    now: datetime,
    account: Account = ORGANISATION,
    *,
    background: bool = False,
    **limits: int,
) -> Permit | Wait:
    return run(gate.acquire(account, Limits(**limits), now, background=background))


def test_workers_that_share_a_store_share_the_minute() -> None:
    product = found_product(limits=True)
    workers = [client_of(product, StoreGate(product.store)) for _ in range(3)]
    began, calls = product.clock.now(), product.simulator.calls

    for place in range(130):
        workers[place % 3].organisation()

    assert timedelta(minutes=2) <= product.clock.now() - began < timedelta(minutes=2, seconds=20)
    assert product.simulator.calls - calls == 130, "a refused one is sent again"
    product.simulator.close()


def test_two_processes_never_take_the_same_place(tmp_path: Path) -> None:
    """Eight workers, each with a store of its own on one file, ask for all they can get."""
    together = Barrier(8)

    def greedy(_: int) -> list[Permit]:
        with closing(SQLiteStore(tmp_path / "books.db")) as store:
            gate = StoreGate(store)
            together.wait()
            asked = [acquired(gate, NOON, at_a_time=100) for _ in range(20)]
            return [each for each in asked if isinstance(each, Permit)]

    with ThreadPoolExecutor(8) as pool:
        permits = [permit for some in pool.map(greedy, range(8)) for permit in some]

    assert sorted(each.number for each in permits) == list(range(1, 61))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["acquire", "background", "release", "day", "hidden", "refused"]), st.integers(0, 40)
        ),
        max_size=80,
    )
)
def test_it_decides_as_the_gate_of_one_process(steps: Sequence[tuple[str, int]]) -> None:
    """Whatever happens, a record that was written and read decides as a value in memory does."""
    kept, memory = StoreGate(MemoryStore()), MemoryGate()
    gates: list[StoreGate | MemoryGate] = [kept, memory]
    pairs: list[tuple[Permit, Permit]] = []
    now = NOON
    for what, seconds in steps:
        now += timedelta(seconds=seconds)
        if what in {"acquire", "background"}:
            ours, theirs = (acquired(gate, now, background=what == "background") for gate in (kept, memory))
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


def test_the_app_s_minute_is_shared_by_all_organisations_and_workers() -> None:
    store = MemoryStore()
    gates = [StoreGate(store) for _ in range(3)]
    accounts = [Account("https://api.xero.com", "an app", f"organisation {number}") for number in range(40)]

    asked = [acquired(gates[place % 3], NOON, account, app_a_minute=120) for place, account in enumerate(accounts * 5)]

    permits = [each for each in asked if isinstance(each, Permit)]
    waits = {each.which for each in asked if isinstance(each, Wait)}
    assert 100 <= len(permits) <= 120
    assert waits == {"appminute", "concurrent"}
    later = NOON + timedelta(seconds=81)
    assert isinstance(acquired(gates[0], later, accounts[-1], app_a_minute=120), Permit)


def test_a_refusal_of_the_app_holds_every_worker(product: Product) -> None:
    first, second = (client_of(product, StoreGate(product.store)) for _ in range(2))
    product.simulator.faults.plan(Fault.APP_MINUTE_LIMIT)
    first.organisation()
    product.simulator.faults.plan(Fault.APP_MINUTE_LIMIT)
    began = product.clock.now()
    second.organisation()

    assert product.clock.now() > began


def test_a_worker_that_was_killed_frees_its_place_by_itself() -> None:
    store = MemoryStore()
    for _ in range(4):
        assert isinstance(acquired(StoreGate(store), NOON), Permit)

    assert acquired(StoreGate(store), NOON + timedelta(seconds=5)) == Wait("concurrent", 0.1)
    assert isinstance(acquired(StoreGate(store), NOON + timedelta(minutes=3)), Permit)
