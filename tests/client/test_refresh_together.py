"""One token set, many workers: tasks, threads and processes share one refresh, and no mishap loses the connection."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from attrs import define, evolve
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
from xerosync.simulator import Bookkeeper, Fault, Simulator, Switches, VirtualClock


@pytest.fixture
def connected(product: Product) -> Product:
    product.xero()
    return product


@pytest.fixture(params=[30, 0], ids=["grace", "no grace"])
def strict(request: pytest.FixtureRequest) -> Iterator[Product]:
    """Connected, with Xero's grace for a refresh token that was used, and without: there a second use ends it all."""
    founded = found_product(switches=Switches(refresh_grace_minutes=request.param))
    founded.xero()
    yield founded
    founded.simulator.close()


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


def test_tasks_share_one_refresh(strict: Product) -> None:
    counted = Counted()
    strict.clock.advance(LATE)

    async def ask(xero: AsyncXero) -> str:
        return (await xero.organisation()).name or ""

    async def story() -> list[str]:
        async with strict.asynchronous(Through(strict.simulator.transport, counted)) as xero:
            return await asyncio.gather(*(ask(xero) for _ in range(8)))

    assert asyncio.run(story()) == ["Demo Company (NZ)"] * 8
    assert counted.times == 1


@define
class Standing:
    """A clock that stands while threads wait: leaping time would end the lease of one that is not running just now."""

    stands_at: VirtualClock

    def now(self) -> datetime:
        return self.stands_at.now()

    async def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.01))


def test_threads_share_one_refresh(strict: Product) -> None:
    counted = Counted()
    strict.clock.advance(LATE)
    way, clock = Through(strict.simulator.transport, counted), Standing(strict.clock)
    shared = client(strict, transport=way, clock=clock)
    workers = [shared, shared, shared, *(client(strict, transport=way, clock=clock) for _ in range(3))]

    with ThreadPoolExecutor(6) as threads:
        names = list(threads.map(lambda xero: xero.organisation().name, workers))

    assert names == ["Demo Company (NZ)"] * 6
    assert counted.times == 1


WORKER: Final = textwrap.dedent(
    """
    import sys
    from xerosync import App, Endpoints, SQLiteStore, Xero
    from xerosync.client._http import BlockingTransport
    from xerosync.simulator import SystemClock
    from datetime import timedelta

    class Telling(SystemClock):
        async def sleep(self, seconds):
            print("waiting", flush=True)
            await super().sleep(seconds)

    class Asking(BlockingTransport):
        async def send(self, request):
            if request.url.endswith("/connect/token"):
                print("refreshing", flush=True)
                sys.stdin.readline()
            return await super().send(request)

    url, store, tenant, name, secret = sys.argv[1:]
    clock = Telling(timedelta(minutes=31))
    xero = Xero(App(name, secret), tenant, store=SQLiteStore(store), endpoints=Endpoints.at(url),
                transport=Asking(clock), clock=clock)
    print(xero.organisation().name)
    """
)


def said_by(worker: subprocess.Popen[str]) -> str:
    """The first line that *worker* prints."""
    assert worker.stdout is not None
    return worker.stdout.readline().strip()


def let_go(worker: subprocess.Popen[str]) -> None:
    """Let *worker* go on, should it have begun to refresh."""
    assert worker.stdin is not None
    worker.stdin.write("\n")
    worker.stdin.flush()


@pytest.mark.parametrize("grace_minutes", [30, 0])
def test_processes_share_one_refresh(tmp_path: Path, grace_minutes: int) -> None:
    with Simulator(switches=Switches(refresh_grace_minutes=grace_minutes)) as simulator:
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
            pipe = subprocess.PIPE
            workers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(4)]
            # Nobody goes on before all have either begun to refresh or seen that they must wait.
            begun = sorted(map(said_by, workers))
            for worker in workers:
                let_go(worker)
            names = [worker.communicate(timeout=120)[0].splitlines()[-1] for worker in workers]

        assert begun == ["refreshing", "waiting", "waiting", "waiting"]
        assert names == ["Demo Company (NZ)"] * 4
        assert refresh_tokens(simulator) == before + 1


@settings(max_examples=25, stateful_step_count=20)
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
