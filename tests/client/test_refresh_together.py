"""One token set, many workers: tasks, threads and processes share one refresh, and no mishap loses the connection."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.client.workers import (
    EARLY,
    LATE,
    Counted,
    Failing,
    Killed,
    client,
    kept,
    oauth,
    reconnect,
    refresh_tokens,
)
from tests.conftest import Product, Through, found_product

from xerosync import (
    App,
    AsyncOAuth,
    AsyncXero,
    Connections,
    ConnectionState,
    OAuth,
    SQLiteStore,
    Tokens,
    Xero,
)
from xerosync.ports import Transport
from xerosync.simulator import Bookkeeper, Fault, Simulator, Switches


@pytest.fixture
def connected(product: Product) -> Product:
    product.xero()
    return product


def test_an_idle_connection_is_kept_alive_for_years(connected: Product) -> None:
    way = oauth(connected)
    for _ in range(24):
        connected.clock.advance(31 * 24 * 3600)
        assert way.keep_alive(connected.store).refreshed == 1
        assert way.keep_alive(connected.store).refreshed == 0

    assert client(connected).organisation().name


def test_keeping_alive_leaves_alone_what_is_over_not_its_own_or_not_used(connected: Product) -> None:
    way = oauth(connected)
    idle = client(connected)
    other = connected.simulator.register_app("Staging")
    connected.clock.advance(31 * 24 * 3600)
    stranger = OAuth(
        App(other.client_id, other.client_secret), transport=connected.simulator.transport, clock=connected.clock
    )
    assert stranger.keep_alive(connected.store).refreshed == 0
    connected.simulator.faults.plan(Fault.UNAVAILABLE, path="/connect/token", times=5)
    assert way.keep_alive(connected.store).postponed == 1
    idle.disconnect()

    assert way.keep_alive(connected.store).refreshed == 0

    reconnect(connected)
    connected.clock.advance(61 * 24 * 3600)
    assert way.keep_alive(connected.store).ended == 1
    assert way.keep_alive(connected.store).ended == 0


def test_keeping_alive_can_be_awaited_and_goes_through_all_of_them(connected: Product) -> None:
    companies = [connected.simulator.add_organisation(f"Company {number}") for number in range(3)]
    for each in companies:
        connect_alone(connected, each)
    connected.clock.advance(31 * 24 * 3600)

    async def nightly() -> int:
        async with AsyncOAuth(
            App(connected.app.client_id, connected.app.client_secret),
            transport=connected.simulator.transport,
            clock=connected.clock,
        ) as way:
            return (await way.keep_alive(connected.store)).refreshed

    assert asyncio.run(nightly()) == 4
    assert {each.state for each in Connections(connected.store).list()} == {ConnectionState.CONNECTED}


def connect_alone(product: Product, books: Bookkeeper) -> None:
    given = product.simulator.consent(product.app, tenants=[books.tenant_id])
    tokens = Tokens(given.access_token, given.refresh_token, product.clock.now() + timedelta(minutes=30))
    evolve(product, books=books, tokens=tokens).xero()


def test_tasks_share_one_refresh(connected: Product) -> None:
    counted = Counted()
    connected.clock.advance(LATE)

    async def ask(xero: AsyncXero) -> str:
        return (await xero.organisation()).name or ""

    async def story() -> list[str]:
        async with connected.asynchronous(Through(connected.simulator.transport, counted)) as xero:
            return await asyncio.gather(*(ask(xero) for _ in range(8)))

    assert asyncio.run(story()) == ["Demo Company (NZ)"] * 8
    assert counted.times == 1


def test_threads_share_one_refresh(connected: Product) -> None:
    counted = Counted()
    connected.clock.advance(LATE)
    shared = client(connected, transport=Through(connected.simulator.transport, counted))
    workers = [shared, shared, shared, *(client(connected, transport=shared.books.transport) for _ in range(3))]

    with ThreadPoolExecutor(6) as threads:
        names = list(threads.map(lambda xero: xero.organisation().name, workers))

    assert names == ["Demo Company (NZ)"] * 6
    assert counted.times == 1


WORKER: Final = textwrap.dedent(
    """
    import sys
    from xerosync import App, Endpoints, SQLiteStore, Xero
    from xerosync.simulator import SystemClock
    from datetime import timedelta
    url, store, tenant, name, secret = sys.argv[1:]
    xero = Xero(App(name, secret), tenant, store=SQLiteStore(store), endpoints=Endpoints.at(url),
                clock=SystemClock(timedelta(minutes=31)))
    print(xero.organisation().name)
    """
)


def test_processes_share_one_refresh(tmp_path: Path) -> None:
    with Simulator() as simulator:
        books = simulator.add_organisation()
        app = simulator.register_app("Processes")
        given = simulator.consent(app, tenants=[books.tenant_id])
        with closing(SQLiteStore(tmp_path / "books.db")) as store:
            expires_at = simulator.clock.now() + timedelta(seconds=given.expires_in)
            Xero(
                App(app.client_id, app.client_secret),
                books.tenant_id,
                store=store,
                transport=simulator.transport,
                clock=simulator.clock,
            ).connect(Tokens(given.access_token, given.refresh_token, expires_at))
        before = refresh_tokens(simulator)
        with simulator.serve() as server:
            command = [sys.executable, "-c", WORKER, server.url, str(tmp_path / "books.db"), books.tenant_id]
            command += [app.client_id, app.client_secret]
            workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
            said = [worker.communicate(timeout=120)[0].strip() for worker in workers]

        assert said == ["Demo Company (NZ)"] * 4
        assert refresh_tokens(simulator) == before + 1


@settings(max_examples=25, stateful_step_count=20, deadline=None)
class Workers(RuleBasedStateMachine):
    """
    Workers that call, die at any step of a refresh, lose answers and disks, on one token set of strict rotation.

    As long as somebody looks within half an hour of a death, the connection is never lost: that bound is Xero's.
    """

    def __init__(self) -> None:
        super().__init__()
        self.product = evolve(found_product(switches=Switches(refresh_in_grace="another")), store=Failing())
        self.product.xero()
        self.workers = [self.worker() for _ in range(2)]
        self.has_died = False

    def worker(self, transport: Transport | None = None) -> Xero:
        return client(self.product, transport=transport)

    @rule(minutes=st.sampled_from([1, 5, 24, 26, 29]), which=st.integers(0, 1))
    def call(self, minutes: int, which: int) -> None:
        self.product.clock.advance(5 * 60 if self.has_died else minutes * 60)
        assert self.workers[which].organisation().name
        self.has_died = False

    @precondition(lambda self: not self.has_died)
    @rule(when=st.sampled_from(["before", "after"]))
    def die(self, when: str) -> None:
        def kill(_: int) -> None:
            raise Killed

        inner, counted = self.product.simulator.transport, Counted(kill)
        dying = Through(inner, before=counted) if when == "before" else Through(inner, after=counted)
        self.product.clock.advance(EARLY)
        try:
            self.worker(dying).organisation()
        except Killed:
            self.has_died = True
        self.product.clock.advance(60)

    @rule(lost=st.integers(1, 4), fault=st.sampled_from([Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.UNAVAILABLE]))
    def lose_answers(self, lost: int, fault: Fault) -> None:
        self.product.simulator.faults.clear()
        self.product.simulator.faults.plan(fault, path="/connect/token", times=lost)

    @rule(failures=st.integers(1, 4))
    def fill_the_disk(self, failures: int) -> None:
        assert isinstance(self.product.store, Failing)
        self.product.store.failures = failures

    @rule(which=st.integers(0, 1))
    def restart(self, which: int) -> None:
        self.workers[which] = self.worker()

    @precondition(lambda self: self.product.simulator.faults.unmet() == [])
    @rule()
    def keep_alive(self) -> None:
        assert oauth(self.product).keep_alive(self.product.store).ended == 0

    @invariant()
    def nobody_was_sent_to_the_user(self) -> None:
        assert kept(self.product).state == ""

    def teardown(self) -> None:
        self.product.simulator.faults.clear()
        self.product.simulator.close()


test_no_mishap_loses_the_connection = Workers.TestCase
