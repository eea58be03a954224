"""A Xero to try things on: the embedded simulator beside a store file, or one that is served elsewhere."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import msgspec
from attrs import define, field, frozen

from xerosync.client import _http
from xerosync.client._books import QUARANTINE_S
from xerosync.client._driver import run
from xerosync.client.oauth import App, Endpoints, Tokens
from xerosync.client.xero import Xero
from xerosync.errors import Misconfigured, Rejected, StoreFailed
from xerosync.events import OnEvent
from xerosync.ports import Clock, Request, Response, Transport, TransportFault
from xerosync.simulator import Simulator, VirtualClock
from xerosync.simulator.keeper import FileKeeper
from xerosync.storage.protocol import Storage
from xerosync.storage.sqlite import SQLiteStore

_HOST = "https://api.xero.com"


@frozen(repr=False)
class Connected:
    """The organisation and the app that the simulator let in."""

    tenant: str
    app: App
    tokens: Tokens


@define
class _Meter:
    """A transport that counts the calls which Xero would count: those to its API, not those for tokens or set-up."""

    inner: Transport
    calls: int = 0

    async def send(self, request: Request) -> Response:
        self._count(request)
        return await self.inner.send(request)

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        for request in requests:
            self._count(request)
        return await self.inner.send_all(requests, at_most=at_most)

    async def close(self) -> None:
        await self.inner.close()

    def _count(self, request: Request) -> None:
        self.calls += "/api.xro/" in request.url or request.url.endswith("/connections")


@define(eq=False)
class Sandbox:
    """A client on a simulated organisation, and the bookkeeper's hand to set its books up."""

    xero: Xero
    store: Storage
    _meter: _Meter = field(repr=False)
    _host: str = field(repr=False)
    _tenant: str

    @property
    def calls(self) -> int:
        """Calls made to Xero's API so far; tokens and set-up do not count."""
        return self._meter.calls

    def set_up(
        self,
        key: str,
        *,
        accounts: Sequence[Mapping[str, object]] = (),
        contacts: Sequence[Mapping[str, object]] = (),
        invoices: Sequence[Mapping[str, object]] = (),
    ) -> bool:
        """
        Enter what the bookkeeper had before the story starts: in one transaction, once for each *key*.

        False when it was done before. The fields are those of `xerosync.simulator.Bookkeeper.set_up`.
        """
        given = {"key": key, "accounts": accounts, "contacts": contacts, "invoices": invoices}
        answer = _ask(self._meter, self._host, f"organisations/{self._tenant}/set-up", given)
        return answer["done"] is True


@contextmanager
def sandbox(
    store: Path | str | None = None,
    *,
    xero: str | None = None,
    name: str = "Demo Company (NZ)",
    country: str = "NZ",
    on_event: OnEvent | None = None,
) -> Generator[Sandbox]:
    """
    A connected client on a simulated organisation, with a SQLite store in the file *store*.

    The embedded simulator keeps its books in the file ``STORE.xero``, durable before each answer, so that a killed run
    meets the same Xero again; one virtual clock, kept there too, serves all. Without *store* both files are temporary.
    *xero* is the URL of a simulator served elsewhere, with real time and the full quarantine of doubtful writes.
    """
    with ExitStack() as stack:
        path = Path(store) if store is not None else Path(stack.enter_context(TemporaryDirectory())) / "xerosync.db"
        kept = SQLiteStore(path)
        stack.callback(kept.close)
        clock, transport, host = _way(path, xero, stack, name, country)
        meter = _Meter(transport)
        connected = _connect(meter, host, clock)
        client = Xero(
            connected.app,
            connected.tenant,
            store=kept,
            transport=meter,
            clock=clock,
            endpoints=Endpoints.at(host) if xero is not None else None,
            # No request outlives the process when Xero lives inside it.
            quarantine_s=QUARANTINE_S if xero is not None else 0.0,
            on_event=on_event,
        )
        stack.callback(client.close)
        # A fresh consent each time: the tokens of an earlier run belong to the app that was registered for that one,
        # and could not be refreshed in the middle of this.
        client.connect(connected.tokens)
        yield Sandbox(client, kept, meter, host, connected.tenant)


@contextmanager
def kept_connection(store: Path | str, organisation: str, *, xero: str | None = None) -> Generator[Xero]:
    """
    The client of an *organisation* that a `sandbox` on the file *store* has connected before, under that same consent.

    Nothing is set up and nothing connected anew, so that what has become of the connection shows. Raises
    `Misconfigured` where there are no books beside the store, and no *xero* is given.
    """
    path = Path(store)
    if xero is None and not _books_of(path).exists():
        raise Misconfigured(
            f"there are no books {_books_of(path)} beside the store: give the URL of the simulator that it is for; "
            "of a store that is for Xero itself ask a Doctor in your own code, which has the app's secret"
        )
    with ExitStack() as stack:
        kept = SQLiteStore(path)
        stack.callback(kept.close)
        clock, transport, host = _way(path, xero, stack, "", "NZ")
        answer = _ask(transport, host, "apps", {})
        client = Xero(
            App(str(answer["client_id"]), str(answer["client_secret"])),
            organisation,
            store=kept,
            transport=transport,
            clock=clock,
            endpoints=Endpoints.at(host) if xero is not None else None,
        )
        stack.callback(client.close)
        yield client


def kept_clock(store: Path | str) -> Clock:
    """A clock that stands where that of the embedded simulator beside the file *store* does; this machine's if none."""
    books = _books_of(Path(store))
    if not books.exists():
        return _http.BlockingClock()
    try:
        with closing(FileKeeper(books)) as keeper:
            return VirtualClock(datetime.fromtimestamp(keeper.time_kept_ms() / 1000, UTC))
    except sqlite3.Error as error:
        raise _unreadable(books, error) from error


def _unreadable(books: Path, error: Exception) -> StoreFailed:
    return StoreFailed(f"The simulator's books {books} cannot be opened: SQLite says: {error}.")


def _books_of(store: Path) -> Path:
    return store.with_name(f"{store.name}.xero")


def _way(path: Path, url: str | None, stack: ExitStack, name: str, country: str) -> tuple[Clock, Transport, str]:
    if url is not None:
        clock = _http.BlockingClock()
        return clock, _http.BlockingTransport(clock), Endpoints.at(url).api
    books = _books_of(path)
    try:
        simulator = stack.enter_context(Simulator(books))
    except sqlite3.Error as error:
        raise _unreadable(books, error) from error
    if not simulator.organisations:
        simulator.add_organisation(name, country=country)
    return simulator.clock, simulator.transport, _HOST


def _connect(transport: Transport, host: str, clock: Clock) -> Connected:
    answer = _ask(transport, host, "connect", {})
    organisations = cast(list[dict[str, str]], answer["organisations"])
    expires_at = clock.now() + timedelta(seconds=cast(int, answer["expires_in"]))
    tokens = Tokens(str(answer["access_token"]), str(answer["refresh_token"]), expires_at)
    return Connected(organisations[0]["tenant_id"], App(str(answer["client_id"]), str(answer["client_secret"])), tokens)


def _ask(transport: Transport, host: str, what: str, given: Mapping[str, object]) -> dict[str, object]:
    body = msgspec.json.Encoder(decimal_format="number").encode(given)
    headers = {"Content-Type": "application/json"}
    try:
        response = run(transport.send(Request("POST", f"{host}/_simulator/{what}", headers, body)))
    except TransportFault as fault:
        raise Misconfigured(f"nothing answers at {host} ({fault}): {_SERVED}") from fault
    if response.status not in {200, 400} or response.header("Content-Type") != "application/json":
        raise Misconfigured(f"what answers at {host} is no simulator: {_SERVED}")
    if response.status == 400:
        raise Rejected((response.body.decode(errors="replace"),), response.status)
    return cast(dict[str, object], msgspec.json.decode(response.body))


_SERVED = "give the URL that python -m xerosync simulator printed when it began"
