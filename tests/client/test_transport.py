"""The way to Xero over real sockets: connections, bounds, and answers that are none, over either HTTP library."""

from __future__ import annotations

import asyncio
import gc
import gzip
import time
import tracemalloc
import warnings
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Final, cast

import httpx
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.client.line import answered, listening
from tests.client.ways import HEADERS, SECRET, Way, constant, each_way, get, put

from xerosync.client import _http
from xerosync.client._driver import run
from xerosync.client._wire.body import Body
from xerosync.errors import InvalidInput, Misconfigured
from xerosync.ports import AnswerLost, AnswerRefused, NotSent, Request, Response, Transport, TransportFault
from xerosync.transports import over


@each_way
def test_calls_one_after_the_other_share_a_connection(way: Way) -> None:
    with listening(constant(answered())) as line:
        outcomes = way.send(*[get(line), put(line)] * 5)

    assert [type(each) for each in outcomes] == [Response] * 10
    assert (line.connections, len(line.requests)) == (1, 10)


@each_way
def test_a_client_that_was_handed_in_stays_open_and_serves_many(way: Way) -> None:
    with listening(constant(answered())) as line:

        async def scenario() -> None:
            client = way.client()
            for _ in range(3):
                transport = over(client)
                await transport.send(get(line))
                await transport.close()
                await transport.close()
            assert not client.is_closed
            await way.close()
            with pytest.raises(Misconfigured, match="closed"):
                await over(client).send(get(line))

        way.do(scenario)

    assert (line.connections, len(line.requests)) == (1, 3)


def test_closing_twice_is_fine_and_nothing_is_sent_afterwards() -> None:
    async def scenario(transport: Transport) -> None:
        with listening(constant(answered())) as line:
            await transport.send(get(line))
            await transport.close()
            await transport.close()
            with pytest.raises(Misconfigured, match="closed"):
                await transport.send(get(line))
            assert len(line.requests) == 1

    asyncio.run(scenario(_http.AsyncTransport(_http.AsyncClock())))
    run(scenario(_http.BlockingTransport(_http.BlockingClock())))


@pytest.mark.parametrize("at_most", [1, 4])
@each_way
def test_no_more_are_under_way_at_once_than_allowed(way: Way, at_most: int) -> None:
    reached = Event()

    def together(_: bytes) -> bytes:
        # The first ones wait for as many as may come; what came beyond them would show meanwhile.
        if line.at_once >= at_most:
            reached.set()
        reached.wait(20)
        time.sleep(0.02)
        return answered()

    with listening(together) as line:

        async def scenario() -> list[Response | TransportFault]:
            transport = over(way.client())
            reached.set()
            await transport.send_all([get(line)] * 4, at_most=2)
            reached.clear()
            line.at_once = 0
            return await transport.send_all([get(line)] * 12, at_most=at_most)

        outcomes = way.do(scenario)

    assert [type(each) for each in outcomes] == [Response] * 12
    assert line.at_once == at_most


@each_way
def test_gzip_is_asked_for_and_whatever_comes_is_borne(way: Way) -> None:
    told = b'{"Invoices": []}' * 100
    halves = gzip.compress(told[:500]) + gzip.compress(told[500:])
    answers = iter(
        [
            answered(told),
            answered(gzip.compress(told), "Content-Encoding: gzip"),
            answered(gzip.compress(told), "Content-Encoding: X-GZIP"),
            answered(halves, "Content-Encoding: gzip"),
            answered(told, "Content-Encoding: identity"),
            answered(b"", "Content-Encoding: gzip", status="401 Unauthorized"),
        ]
    )
    with listening(lambda _: next(answers)) as line:
        outcomes = way.send(*[get(line)] * 6)

    assert [cast(Response, each).body for each in outcomes] == [told] * 5 + [b""]
    assert all(b"accept-encoding: gzip\r\n" in request.lower() for request in line.requests)


STRANGE: Final = {
    "cut short": (answered(b"{}", "Connection: close", length=100), AnswerLost, "RemoteProtocolError"),
    "no answer": (None, AnswerLost, "RemoteProtocolError"),
    "no HTTP": (b"SSH-2.0-OpenSSH\r\n\r\n", AnswerLost, "RemoteProtocolError"),
    "no gzip": (answered(b'{"a": 1}', "Content-Encoding: gzip"), AnswerLost, "was not"),
    "half of a gzip": (answered(gzip.compress(b"{}" * 99)[:-9], "Content-Encoding: gzip"), AnswerLost, "middle"),
    "not asked for": (answered(b"{}", "Content-Encoding: br"), AnswerRefused, "'br'"),
    "packed twice": (answered(b"{}", "Content-Encoding: gzip, gzip"), AnswerRefused, "'gzip, gzip'"),
    "two lengths": (answered(b"{}", "Content-Length: 7"), AnswerLost, "RemoteProtocolError"),
}


@pytest.mark.parametrize("name", STRANGE)
@each_way
def test_an_answer_that_is_none_leaves_the_outcome_open_and_says_what_was_seen(way: Way, name: str) -> None:
    answer, kind, says = STRANGE[name]
    with listening(constant(answer)) as line:
        (fault,) = way.send(put(line))

    assert type(fault) is kind
    assert says in str(fault)
    assert len(line.requests) == 1


@each_way
def test_a_small_answer_that_unpacks_to_a_huge_one_is_not_unpacked(way: Way) -> None:
    bomb = gzip.compress(bytes(200_000_000), 9)
    with listening(constant(answered(bomb, "Content-Encoding: gzip"))) as line:
        transport = over(way.client(), answer_bytes_max=1_000_000)
        tracemalloc.start()
        (fault,) = way.send(get(line), transport=transport)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert type(fault) is AnswerRefused
    assert "larger than 1,000,000 bytes" in str(fault)
    assert len(bomb) < 200_000
    assert peak < 8_000_000


@each_way
def test_a_large_answer_is_not_read_to_its_end(way: Way) -> None:
    sent = 0

    def pieces(_: bytes) -> bytes:
        nonlocal sent
        sent += 1
        return answered(bytes(3_000_000), length=10**12)

    with listening(pieces) as line:
        (fault, *others) = way.send(get(line), get(line), transport=over(way.client(), answer_bytes_max=100_000))

    assert type(fault) is AnswerRefused
    assert [type(each) for each in others] == [AnswerRefused]
    assert line.connections == sent == 2


@each_way
def test_a_redirect_takes_no_token_elsewhere(way: Way) -> None:
    with listening(constant(answered())) as elsewhere:
        moved = answered(b"", f"Location: {elsewhere.url}/", status="307 Temporary Redirect")
        with listening(constant(moved)) as line:
            (outcome,) = way.send(put(line), transport=over(way.client(follow_redirects=True)))

    assert cast(Response, outcome).status == 307
    assert elsewhere.requests == []


@each_way
def test_the_bounds_are_ours_whatever_the_client_was_made_with(way: Way) -> None:
    """A host's client without any timeout, with credentials of its own."""
    over_now = Event()
    with listening(lambda _: answered() if over_now.wait(20) else None) as line:
        transport = over(way.client(timeout=None, auth=("someone", "else")), timeout_s=0.2)
        start = time.monotonic()
        (fault,) = way.send(put(line), transport=transport)
        took = time.monotonic() - start
        over_now.set()

    assert type(fault) is AnswerLost
    assert str(fault) == "ReadTimeout on the way to Xero"
    assert took < 5
    assert f"authorization: bearer {SECRET}".encode() in line.requests[0].lower()


@each_way
def test_where_nobody_listens_nothing_was_sent(way: Way) -> None:
    with listening(constant(answered())) as line:
        gone = put(line)
    (fault,) = way.send(gone)

    assert type(fault) is NotSent
    assert str(fault) == "ConnectError on the way to Xero"


@each_way
def test_waiting_for_a_free_connection_in_vain_sends_nothing(way: Way) -> None:
    over_now = Event()
    limits = (httpx if way.library == "httpx" else httpx2).Limits(max_connections=1)
    with listening(lambda _: answered() if over_now.wait(20) else None) as line:

        async def scenario() -> list[Response | TransportFault]:
            patient, hasty = [over(client, timeout_s=seconds) for seconds in (20, 0.2)]
            if not way.awaited:
                with ThreadPoolExecutor() as threads:
                    first = threads.submit(lambda: run(patient.send(get(line))))
                    await until(lambda: line.under_way == 1)
                    outcomes = await hasty.send_all([put(line)], at_most=1)
                    over_now.set()
                    return [first.result(), *outcomes]
            task = asyncio.create_task(patient.send(get(line)))
            await until(lambda: line.under_way == 1)
            outcomes = await hasty.send_all([put(line)], at_most=1)
            over_now.set()
            return [await task, *outcomes]

        async def until(there: Callable[[], bool]) -> None:
            while not there():
                await asyncio.sleep(0.01) if way.awaited else time.sleep(0.01)

        client = way.client(limits=limits)
        outcomes = way.do(scenario)

    assert [type(each) for each in outcomes] == [Response, NotSent]
    assert str(outcomes[1]) == "PoolTimeout on the way to Xero"
    assert len(line.requests) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Idempotency-Key", "a\r\nXero-Tenant-Id: another"),
        ("Idempotency-Key", "a\nb"),
        ("Idempotency-Key", "a\x00b"),
        ("Idempotency-Key", "añ"),
        ("Idempotency-Key", "a\u2028b"),
        ("Evil: 1\r\nName", "a"),
        ("", "a"),
    ],
)
@each_way
def test_no_value_can_make_a_header_of_its_own(way: Way, name: str, value: str) -> None:
    with listening(constant(answered())) as line:
        (fault,) = way.send(Request("PUT", line.url, {name: value}))

    assert isinstance(fault, InvalidInput)
    assert fault.field.startswith("headers")
    assert value not in str(fault) or value == "a"
    assert line.connections == 0


@pytest.mark.parametrize(
    "url", ["http://api.xero.com/x", "ftp://localhost/", "api.xero.com", "http://127.0.0.1.evil.example/", "//[", ""]
)
@each_way
def test_nothing_is_sent_where_others_read_along(way: Way, url: str) -> None:
    (fault,) = way.send(Request("GET", url, HEADERS))

    assert isinstance(fault, InvalidInput)
    assert fault.field == "url"


@each_way
def test_an_address_that_is_none_is_never_sent(way: Way) -> None:
    (fault,) = way.send(Request("GET", "https://api.xero.com:notaport/\x7f", HEADERS))

    assert isinstance(fault, NotSent | InvalidInput)
    assert SECRET not in str(fault)


@each_way
def test_what_a_hosts_own_hook_raises_leaves_the_outcome_open(way: Way) -> None:
    """A client that raises for every status is common; the write happened all the same."""

    def plainly(answer: httpx.Response) -> None:
        answer.raise_for_status()

    async def awaited(answer: httpx.Response) -> None:
        answer.raise_for_status()

    client = way.client(event_hooks={"response": [awaited if way.awaited else plainly]})
    with listening(constant(answered(status="400 Bad Request"))) as line:
        (fault,) = way.send(put(line), transport=over(client))

    assert type(fault) is AnswerLost
    assert str(fault) == "HTTPStatusError on the way to Xero"


@each_way
def test_an_answer_that_a_hook_has_read_already_is_read_all_the_same(way: Way) -> None:
    def plainly(answer: httpx.Response) -> None:
        answer.read()

    async def awaited(answer: httpx.Response) -> None:
        await answer.aread()

    told = b'{"Invoices": []}' * 100
    client = way.client(event_hooks={"response": [awaited if way.awaited else plainly]})
    with listening(constant(answered(gzip.compress(told), "Content-Encoding: gzip"))) as line:
        (outcome,) = way.send(get(line), transport=over(client))
        client = way.client(event_hooks={"response": [awaited if way.awaited else plainly]})
        (refused,) = way.send(get(line), transport=over(client, answer_bytes_max=1000))

    assert cast(Response, outcome).body == told
    assert type(refused) is AnswerRefused


def test_many_threads_share_one_transport() -> None:
    with listening(constant(answered())) as line:
        client = httpx.Client()
        transport = over(client)

        def work(_: int) -> int:
            one = run(transport.send(get(line))).status
            many = run(transport.send_all([get(line)] * 3, at_most=2))
            return one + sum(cast(Response, each).status for each in many)

        with ThreadPoolExecutor(8) as threads:
            assert list(threads.map(work, range(24))) == [800] * 24
        client.close()

    assert len(line.requests) == 96
    assert line.connections <= 24


def test_one_transport_serves_one_event_loop_after_the_other_and_leaves_none_open() -> None:
    with listening(constant(answered())) as line, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        transport = _http.AsyncTransport(_http.AsyncClock())

        async def twice() -> list[int]:
            return [(await transport.send(get(line))).status for _ in range(2)]

        assert [asyncio.run(twice()) for _ in range(3)] == [[200, 200]] * 3
        gc.collect()

    assert line.connections == 3
    assert [str(each.message) for each in warned] == []


def test_event_loops_in_several_threads_share_one_transport() -> None:
    with listening(constant(answered())) as line:
        transport = _http.AsyncTransport(_http.AsyncClock())

        async def some() -> list[int]:
            return [each.status for each in await asyncio.gather(*[transport.send(get(line)) for _ in range(5)])]

        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(lambda _: asyncio.run(some()), range(8))) == [[200] * 5] * 8


def test_a_client_that_was_handed_in_serves_one_event_loop() -> None:
    with listening(constant(answered())) as line:
        client = httpx.AsyncClient()
        transport = over(client)

        async def once(*, last: bool) -> None:
            await transport.send(get(line))
            if last:
                await client.aclose()

        async def again() -> None:
            with pytest.raises(Misconfigured, match="one event loop"):
                await transport.send(get(line))

        loop = asyncio.new_event_loop()
        loop.run_until_complete(once(last=False))
        asyncio.run(again())
        loop.run_until_complete(once(last=True))
        loop.close()


def test_nothing_else_than_a_client_of_either_library_is_taken() -> None:
    class Session:
        is_closed = False
        build_request = send = print

    with pytest.raises(Misconfigured, match="httpx2"):
        over(Session())

    class Ours(httpx2.Client):
        pass

    with Ours() as ours:
        assert isinstance(over(ours), _http.BlockingTransport)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 121])
def test_a_bound_beyond_reason_is_refused(seconds: float) -> None:
    with httpx.Client() as client:
        for bound in ("timeout_s", "connect_timeout_s"):
            with pytest.raises(InvalidInput, match=bound):
                over(client, **{bound: seconds})  # type: ignore[arg-type]  # each takes a float
        with pytest.raises(InvalidInput, match="answer_bytes_max"):
            over(client, answer_bytes_max=0)


@each_way
def test_a_claim_is_compared_with_the_clock_that_is_given(way: Way) -> None:
    class Late(_http.BlockingClock):
        def now(self) -> datetime:
            return datetime.now(UTC) + timedelta(hours=1)

    with listening(constant(answered())) as line:
        claimed = Request("PUT", line.url, {}, b"{}", not_after=datetime.now(UTC) + timedelta(minutes=1))
        (sent,) = way.send(claimed)
        (fault,) = way.send(claimed, transport=over(way.client(), clock=Late()))

    assert type(sent) is Response
    assert type(fault) is NotSent


@given(st.binary(max_size=300), st.integers(1, 40), st.integers(0, 400))
def test_a_body_is_the_same_however_it_is_cut_and_never_larger_than_allowed(told: bytes, step: int, most: int) -> None:
    packed = gzip.compress(told)
    for encoding, sent in (("", told), ("gzip", packed)):
        body = Body(encoding, most)
        try:
            for start in range(0, len(sent), step):
                body.add(sent[start : start + step])
            whole = body.whole()
        except AnswerRefused:
            assert len(told) > most
        else:
            assert whole == told
            assert len(told) <= most


@given(st.binary(max_size=200))
def test_bytes_that_are_no_gzip_are_refused_or_unpacked_as_zlib_would(sent: bytes) -> None:
    try:
        body = Body("gzip", 10**6)
        body.add(sent)
        whole = body.whole()
    except AnswerLost:
        return
    assert whole == (zlib.decompress(sent, 31) if sent else b"")
