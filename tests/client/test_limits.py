"""The four limits: however calls, answers and time come, Xero has no reason to refuse, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import selectors
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TypeVar

import pytest
from attrs import define, field
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.conftest import Product, Through, found_product

from xerosync import App, AsyncXero, Limits, MemoryStore, Tokens, Xero
from xerosync.client import _http
from xerosync.client._driver import run
from xerosync.client._wire.answers import Counters, counters
from xerosync.client.gate import Account, MemoryGate, Permit, Wait
from xerosync.errors import InvalidInput, RateLimited
from xerosync.ports import Request, Response, TransportFault
from xerosync.simulator import Fault, Simulator, VirtualClock
from xerosync.storage.adapt import stepped_storage

R = TypeVar("R")
START = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE = timedelta(seconds=60)
ACCOUNT = Account("https://api.xero.com", "app", "organisation")
SMALL = Limits(a_minute=7, at_a_time=3, a_day=200, minute_reserve=2)
SECONDS = st.floats(0, 90, allow_nan=False) | st.sampled_from([0.0, 0.1, 59.999999, 60.0, 60.000001])


@define(eq=False)
class Sent:
    permit: Permit
    sent: datetime
    background: bool
    ended: datetime | None = None


class AnyOrderOfThings(RuleBasedStateMachine):
    """Callers, Xero's answers and the clock do whatever they like; the gate is asked before every call."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = MemoryGate()
        self.now = START
        self.calls: list[Sent] = []

    def under_way(self) -> list[Sent]:
        return [call for call in self.calls if call.ended is None and call.sent + timedelta(seconds=120) > self.now]

    def ask(self, *, background: bool) -> Permit | Wait:
        return run(self.gate.acquire(ACCOUNT, SMALL, self.now, background=background))

    @rule(background=st.booleans(), times=st.integers(1, 9))
    def call(self, background: bool, times: int) -> None:
        for _ in range(times):
            answer = self.ask(background=background)
            if isinstance(answer, Permit):
                self.calls.append(Sent(answer, self.now, background))
            else:
                assert answer.seconds > 0

    @precondition(lambda self: self.under_way())
    @rule(draw=st.data(), left=st.none() | st.integers(0, 80), day=st.none() | st.integers(0, 200))
    def answered(self, draw: st.DataObject, left: int | None, day: int | None) -> None:
        call = draw.draw(st.sampled_from(self.under_way()))
        refused = draw.draw(st.sampled_from([None, None, "minute", "concurrent", "appminute", "Strange"]))
        told = Counters(left, day, draw.draw(st.none() | st.integers(0, 12_000)), refused, draw.draw(SECONDS))
        if draw.draw(st.booleans()):
            run(self.gate.observe(call.permit, told, SMALL, self.now))
        run(self.gate.release(call.permit, self.now))
        call.ended = self.now

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @invariant()
    def no_window_of_a_minute_holds_too_many(self) -> None:
        """Neither by when calls were sent, nor by any moment between sending and answer at which they may arrive."""
        for last in self.calls:
            window = [
                call
                for call in self.calls
                if call.sent <= last.sent and (call.ended or call.sent + 2 * MINUTE) > last.sent - MINUTE
            ]
            assert len(window) <= SMALL.a_minute
            in_background = sum(call.background for call in window)
            assert in_background <= SMALL.a_minute - SMALL.minute_reserve

    @invariant()
    def never_too_many_are_under_way(self) -> None:
        assert len(self.under_way()) <= SMALL.at_a_time

    @rule(background=st.booleans())
    def whoever_waits_as_told_gets_a_turn(self, background: bool) -> None:
        """Nobody else calls meanwhile, and what is under way ends: then the wait has an end, in few steps."""
        for call in self.under_way():
            run(self.gate.release(call.permit, self.now))
            call.ended = self.now
        began = self.now
        for _ in range(12):
            answer = self.ask(background=background)
            if isinstance(answer, Permit):
                self.calls.append(Sent(answer, self.now, background))
                return
            self.now += timedelta(seconds=answer.seconds)
        raise AssertionError(f"still waiting after {self.now - began}")


TestAnyOrderOfThings = AnyOrderOfThings.TestCase
TestAnyOrderOfThings.settings = settings(max_examples=60, stateful_step_count=40)


class LeapingSelector(selectors.DefaultSelector):
    """Nothing comes from outside: instead of waiting, the loop's time leaps to when it is next due."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += timeout or 0.0
        return super().select(0)


class LeapingLoop(asyncio.SelectorEventLoop):
    """An event loop of virtual time."""

    def __init__(self) -> None:
        self.leaping = LeapingSelector()
        super().__init__(self.leaping)

    def time(self) -> float:
        return self.leaping.now


def leap(flow: Coroutine[object, object, R]) -> R:
    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        return runner.run(flow)


@define(eq=False)
class LoopClock:
    inner: VirtualClock

    def now(self) -> datetime:
        self.inner.move_to(START + timedelta(seconds=asyncio.get_running_loop().time()))
        return self.inner.now()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@define(eq=False)
class Distant:
    """A Xero that is seconds away: a call is counted some time after it was sent, its answer comes later still."""

    simulator: Simulator
    clock: LoopClock
    seconds: Callable[[int], float]
    calls: int = 0
    most: int = 0
    refused: list[str] = field(factory=list[str])
    _under_way: int = 0

    async def send(self, request: Request) -> Response:
        self.calls += 1
        there, back = self.seconds(self.calls), self.seconds(self.calls * 7)
        self._under_way += 1
        self.most = max(self.most, self._under_way)
        try:
            await asyncio.sleep(there)
            self.clock.now()
            response = self.simulator.handle(request, beside=self._under_way - 1)
            self.refused += [response.header("X-Rate-Limit-Problem") or "?"] if response.status == 429 else []
            await asyncio.sleep(back)
        finally:
            self._under_way -= 1
        return response

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        turns = asyncio.Semaphore(at_most)

        async def one(request: Request) -> Response | TransportFault:
            async with turns:
                return await self.send(request)

        return list(await asyncio.gather(*map(one, requests)))

    async def close(self) -> None:
        """Nothing is held."""


def client_of(product: Product, transport: Distant, clock: LoopClock) -> AsyncXero:
    return AsyncXero(
        App(product.app.client_id, product.app.client_secret),
        product.books.tenant_id,
        # Not in a thread of its own: the loop's time would leap while it works.
        store=stepped_storage(product.store),
        transport=transport,
        clock=clock,
    )


@pytest.mark.parametrize("slow_s", [0.15, 0.75])
@pytest.mark.parametrize(("clients", "calls"), [(1, 120), (2, 120), (1, 900), (2, 900)])
def test_work_takes_hardly_longer_than_the_limit_allows_and_nothing_is_refused(
    slow_s: float, clients: int, calls: int
) -> None:
    """The floor: sixty calls at once, sixty more each minute. Within five per cent of it, without one refusal."""
    product = found_product(limits=True)
    clock = LoopClock(product.clock)
    distant = Distant(product.simulator, clock, lambda number: slow_s * (0.5 + number * 0.37 % 1.0))

    async def story() -> float:
        several = [client_of(product, distant, clock) for _ in range(clients)]
        for each in several:
            await each.connect(product.tokens)
        await asyncio.sleep(120)
        left = iter(range(calls))

        async def worker(xero: AsyncXero) -> None:
            for _ in left:
                await xero.organisation()

        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(worker(xero) for xero in several for _ in range(4)))
        return asyncio.get_running_loop().time() - began

    seconds = leap(story())
    # The last sixty cannot be sent before the minutes of all others, and four at a time take their own time too.
    floor = (ceil(calls / 60) - 1) * 60 + 60 / 4 * 2 * slow_s

    assert (distant.refused, distant.most <= 4) == ([], True)
    assert seconds <= 1.05 * floor, f"{seconds / floor:.3f} times the floor"
    product.simulator.close()


def test_two_clients_of_one_organisation_share_its_minute() -> None:
    product = found_product(limits=True)
    refused: list[int] = []
    first, second = product.xero(), product.xero()

    for place in range(130):
        (first if place % 2 else second).organisation()
    refused += [each for each in (first.usage.minute_left, second.usage.minute_left) if each == 0]

    assert refused == []
    assert product.clock.now() - START >= timedelta(minutes=2)
    product.simulator.close()


def test_threads_share_one_budget_to_the_call() -> None:
    """A hundred threads ask at once: the gate lets through what it may, and holds nobody while it thinks."""
    gate = MemoryGate()
    limits = Limits(a_minute=40, at_a_time=40)
    through: list[Permit] = []
    together = threading.Barrier(100)

    def ask() -> None:
        together.wait()
        answer = run(gate.acquire(ACCOUNT, limits, START, background=False))
        if isinstance(answer, Permit):
            through.append(answer)

    threads = [threading.Thread(target=ask) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({permit.number for permit in through}) == 40


def test_an_idle_organisation_never_waits_behind_a_busy_one() -> None:
    product = found_product(limits=True)
    busy, idle = product.books.tenant_id, product.simulator.add_organisation("Idle").tenant_id
    given = product.simulator.consent(product.app, tenants=[busy, idle])
    clock = LoopClock(product.clock)
    distant = Distant(product.simulator, clock, lambda _: 0.01)

    async def story() -> float:
        tokens = Tokens(given.access_token, given.refresh_token, clock.now() + timedelta(seconds=given.expires_in))
        app = App(product.app.client_id, product.app.client_secret)
        clients = [
            AsyncXero(app, tenant, store=MemoryStore(), transport=distant, clock=clock) for tenant in (busy, idle)
        ]
        for each in clients:
            await each.connect(tokens)
        waiting = [asyncio.create_task(clients[0].organisation()) for _ in range(100)]
        await asyncio.sleep(5)
        assert sum(task.done() for task in waiting) < 60
        began = asyncio.get_running_loop().time()
        await clients[1].organisation()
        took = asyncio.get_running_loop().time() - began
        await asyncio.gather(*waiting)
        return took

    assert leap(story()) < 0.1
    assert distant.refused == []
    product.simulator.close()


def test_calls_of_others_in_the_same_minute_are_made_room_for() -> None:
    """Xero's counter gives them away: with nothing left but ten, ten are sent."""
    gate = MemoryGate()
    first = run(gate.acquire(ACCOUNT, Limits(), START, background=False))
    assert isinstance(first, Permit)
    run(gate.observe(first, Counters(minute_left=10), Limits(), START))
    run(gate.release(first, START))
    sent = 0
    while isinstance(answer := run(gate.acquire(ACCOUNT, Limits(), START, background=False)), Permit):
        run(gate.release(answer, START))
        sent += 1

    assert (sent, answer) == (10, Wait("minute", 60.0))


def test_all_organisations_of_an_app_share_its_minute() -> None:
    gate = MemoryGate()
    limits = Limits(app_a_minute=5)
    answers = [
        run(gate.acquire(Account("api", "app", str(place)), limits, START, background=False)) for place in range(6)
    ]
    other_app = run(gate.acquire(Account("api", "other", "0"), limits, START, background=False))

    assert [type(each) for each in answers] == [Permit] * 5 + [Wait]
    assert answers[5] == Wait("appminute", 60.0)
    assert isinstance(other_app, Permit)


def test_the_app_s_counter_wins_over_our_own_count() -> None:
    gate = MemoryGate()
    permit = run(gate.acquire(ACCOUNT, Limits(), START, background=False))
    assert isinstance(permit, Permit)
    run(gate.observe(permit, Counters(app_minute_left=100), Limits(), START))

    assert run(gate.acquire(Account(ACCOUNT.api, ACCOUNT.app, "other"), Limits(), START, background=False)) == Wait(
        "appminute", 60.0
    )


def test_background_work_leaves_a_part_of_each_minute() -> None:
    product = found_product(limits=True)
    nightly, shown = client(product, background=True), client(product)
    product.clock.advance(120)
    before = product.clock.now()
    for _ in range(50):
        nightly.organisation()
    for _ in range(10):
        shown.organisation()

    assert product.clock.now() - before < timedelta(seconds=10)
    product.clock.advance(120)
    before = product.clock.now()
    for _ in range(51):
        nightly.organisation()
    assert product.clock.now() - before >= timedelta(minutes=1)
    product.simulator.close()


def test_background_work_leaves_a_part_of_the_day_and_looks_once_an_hour() -> None:
    product = limited_day(60)
    limits = Limits(a_day=60, day_reserve_percent=50)
    nightly = client(product, limits, background=True)
    shown = client(product, limits)
    with pytest.raises(RateLimited) as refused:
        ask_often(nightly, 60)

    assert (refused.value.which, refused.value.retry_after_s <= 3600) == ("day", True)
    assert nightly.usage.day_left is not None
    assert nightly.usage.day_left >= 28
    assert shown.organisation().name
    calls = product.simulator.calls
    with pytest.raises(RateLimited):
        nightly.organisation()
    assert product.simulator.calls == calls
    product.clock.advance(3600)
    assert nightly.organisation().name
    product.simulator.close()


def test_the_day_s_end_is_told_once_by_xero_and_then_nothing_is_sent_until_it_opens() -> None:
    product = limited_day(20)
    xero = client(product, Limits(a_day=20))
    before = product.clock.now()
    with pytest.raises(RateLimited) as first:
        ask_often(xero, 30)
    calls = product.simulator.calls
    with pytest.raises(RateLimited) as again:
        client(product, Limits(a_day=20)).organisation()

    assert first.value.which == again.value.which == "day"
    assert first.value.retry_after_s > 80_000
    assert product.clock.now() - before < timedelta(minutes=2)
    # Only the list of connections was asked for, which no limit counts.
    assert product.simulator.calls <= calls + 1
    product.clock.advance(again.value.retry_after_s)
    assert xero.organisation().name
    product.simulator.close()


@pytest.mark.parametrize("which", ["Day", "DAY", " day "])
def test_the_limit_is_known_in_any_letter_case(which: str) -> None:
    """F 2.07."""
    told = counters(Response(429, {"x-rate-limit-problem": which, "retry-after": "66975"}))

    assert (told.refused, told.retry_after_s) == ("day", 66_975)


@pytest.mark.parametrize("digits", [10, 50, 400, 5000])
def test_a_number_beyond_reason_says_nothing(digits: int) -> None:
    """Neither is there such a date, nor does Python read more than some thousand digits."""
    many = "9" * digits

    told = counters(
        Response(429, {"x-rate-limit-problem": "minute", "retry-after": many, "x-daylimit-remaining": many})
    )

    assert told == Counters(refused="minute", retry_after_s=2.0)


def test_a_refusal_that_says_little_is_understood_all_the_same() -> None:
    """F 2.05, 2.08, 2.09, A.02: an empty body, no Retry-After, no word for the limit, no counter of the day."""
    assert counters(Response(429)) == Counters(refused="concurrent", retry_after_s=2.0)
    assert counters(Response(429, {"x-minlimit-remaining": "0"})).refused == "minute"
    assert counters(Response(429, {"x-daylimit-remaining": "0", "x-minlimit-remaining": "60"})) == Counters(
        60, 0, None, "day", 3600.0
    )
    assert counters(Response(200, {"x-minlimit-remaining": "many", "x-daylimit-remaining": "-1"})) == Counters()


@pytest.mark.parametrize(
    "fault", [Fault.MINUTE_LIMIT, Fault.CONCURRENT_LIMIT, Fault.APP_MINUTE_LIMIT, Fault.SILENT_LIMIT]
)
def test_a_refusal_closes_the_limit_for_every_client(product: Product, fault: Fault) -> None:
    product.simulator.faults.plan(fault, path="/Organisation", times=1)
    first, second = product.xero(), product.xero()  # the first meets it when it is connected, and waits it out

    before = product.clock.now()
    first.organisation()
    second.organisation()

    assert product.clock.now() - before < timedelta(minutes=2)


def test_a_call_whose_worker_died_frees_its_place() -> None:
    gate = MemoryGate()
    limits = Limits(at_a_time=1)
    assert isinstance(run(gate.acquire(ACCOUNT, limits, START, background=False)), Permit)

    assert run(gate.acquire(ACCOUNT, limits, START, background=False)) == Wait("concurrent", 0.1)
    later = START + timedelta(seconds=121)
    assert isinstance(run(gate.acquire(ACCOUNT, limits, later, background=False)), Permit)


def test_a_call_whose_worker_slept_takes_no_place_that_was_given_away_meanwhile() -> None:
    product = found_product(limits=True)
    other = product.xero()
    answers: list[int] = []

    class Asleep:
        def __init__(self) -> None:
            self.naps: Iterator[float] = iter([])

        async def send(self, request: Request) -> Response:
            """Send *request*, where the process is stopped before its first byte leaves, and others go on."""
            for seconds in self.naps:
                product.clock.advance(seconds)
                for _ in range(60):
                    other.organisation()
            answer = await product.simulator.transport.send(request)
            answers.append(answer.status)
            return answer

        async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
            raise AssertionError(f"{len(requests)} calls, {at_most} at a time, were not asked for")

        async def close(self) -> None:
            """Nothing is held."""

    asleep = Asleep()
    xero = product.xero(transport=asleep)
    answers.clear()
    asleep.naps = iter([360.0])

    xero.organisation()

    assert answers == [200]
    product.simulator.close()


def test_a_gate_of_your_own_is_asked_before_every_call(product: Product) -> None:
    asked: list[bool] = []

    class Own(MemoryGate):
        async def acquire(self, account: Account, limits: Limits, now: datetime, *, background: bool) -> Permit | Wait:
            asked.append(background)
            return await super().acquire(account, limits, now, background=background)

    xero = client(product, gate=Own())
    before = len(asked)
    list(xero.contacts.list())
    with xero.run(background=True):
        xero.organisation()

    assert asked[before:] == [False, True]


def test_clients_share_a_gate_where_they_share_a_clock() -> None:
    """Moments of two clocks cannot be compared; this machine's two clients go by one."""
    stores = [MemoryStore(), MemoryStore()]
    tenant = "45e4708e-d862-4111-ab3a-dd8cd03913e1"
    plain = Xero(App("app"), tenant, store=stores[0])
    awaited = AsyncXero(App("app"), tenant, store=stores[1])
    virtual = Xero(App("app"), tenant, store=stores[0], clock=VirtualClock())

    assert plain.books.gate is awaited.books.gate
    assert virtual.books.gate is not plain.books.gate
    for each in (plain, virtual):
        each.close()
    asyncio.run(awaited.close())
    assert _http.BlockingClock().now().tzinfo is UTC


@pytest.mark.parametrize(
    "wrong", [{"a_minute": 0}, {"at_a_time": 0}, {"a_day": -1}, {"app_a_minute": 0}, {"a_minute": "7"}, {"a_day": 1.5}]
)
def test_limits_that_let_nothing_through_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(InvalidInput, match="give a whole number from 1"):
        Limits(**wrong)
    with pytest.raises(InvalidInput, match="reserve"):
        Limits(day_reserve_percent=101)


def ask_often(xero: Xero, times: int) -> None:
    for _ in range(times):
        xero.organisation()


def limited_day(calls: int) -> Product:
    """A product whose app may call *calls* times a day."""
    simulator = Simulator(limits=True)
    books = simulator.add_organisation()
    app = simulator.register_app("Small", day_limit=calls)
    given = simulator.consent(app, tenants=[books.tenant_id])
    expires_at = simulator.clock.now() + timedelta(seconds=given.expires_in)
    return Product(simulator, books, app, Tokens(given.access_token, given.refresh_token, expires_at))


def client(
    product: Product, limits: Limits | None = None, *, background: bool = False, gate: MemoryGate | None = None
) -> Xero:
    xero = Xero(
        App(product.app.client_id, product.app.client_secret),
        product.books.tenant_id,
        store=product.store,
        transport=Through(product.simulator.transport),
        clock=product.clock,
        limits=limits,
        background=background,
        gate=gate,
    )
    xero.connect(product.tokens)
    return xero
