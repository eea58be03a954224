"""The simulator itself: one door, `Simulator.handle`, behind which all of Xero stands."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from pathlib import Path
from threading import Lock, RLock
from types import TracebackType
from typing import Final, Literal, Self
from urllib.parse import parse_qsl, unquote

from attrs import evolve

from xerosync.errors import InvalidInput
from xerosync.money import exactly
from xerosync.ports import AnswerLost, Clock, Request, Response, TransportFault
from xerosync.simulator.api import UNHANDLED, Api
from xerosync.simulator.bookkeeper import Bookkeeper
from xerosync.simulator.clock import SystemClock, VirtualClock
from xerosync.simulator.consent import Reply
from xerosync.simulator.demo import DemoCompany, write_history
from xerosync.simulator.desk import Desk
from xerosync.simulator.entities import Organisation
from xerosync.simulator.faults import AnswerReset, Fault, Faults, Strike
from xerosync.simulator.gate import Caller, Flight
from xerosync.simulator.identity import Identity, Registration, SimulatedApp, Tokens
from xerosync.simulator.keeper import FileKeeper
from xerosync.simulator.loopback import Loopback
from xerosync.simulator.scopes import DEFAULT_SCOPES
from xerosync.simulator.switches import Switches
from xerosync.simulator.webhooks import Webhooks
from xerosync.simulator.world import OWNER, AccessToken, World

API: Final = "/api.xro/2.0/"
_LATE_S: Final = 60
_JUMP_S: Final = 3600


class FaultNotMet(AssertionError):
    """A fault was planned and never struck, so what was tested was a day on which nothing went wrong."""


class Simulator:
    """
    A stateful Xero: ``handle(Request) -> Response``, whatever the host in the URL says.

    With *file* the whole of it lives in one SQLite file, every change durable before its answer is given, so that a
    process killed at any moment meets the same Xero again. *seed* decides every id. Without *limits* no call is refused
    for coming too often; with *open_access* any token and any client will do.

    A *file* is one simulator's at a time: another one waits for it for *patience_s*, then raises `Misconfigured`.
    """

    def __init__(
        self,
        file: Path | str | None = None,
        *,
        clock: Clock | None = None,
        seed: int = 0,
        limits: bool = True,
        open_access: bool = False,
        switches: Switches | None = None,
        patience_s: float = 30.0,
    ) -> None:
        self.clock: Clock = VirtualClock() if clock is None else clock
        self.faults: Final = Faults()
        self.calls: int = 0
        self._turn = RLock()
        self._count_turn = Lock()
        self._in_flight: Counter[str] = Counter()
        self._depth = 0
        self._world = World(self.clock, seed, switches or Switches())
        self._keeper = FileKeeper(Path(file), patience_s=patience_s) if file is not None else None
        if self._keeper is not None:
            self._keeper.load(self._world)
            self._world.keeper = self._keeper
        self._identity = Identity(self._world, open_access=open_access)
        self._api = Api(self._world, self._identity, limits=limits)
        self.webhooks: Final = Webhooks(self._world, self.faults, self.transaction)
        self._desk = Desk(self)
        if isinstance(self.clock, VirtualClock):
            self.clock.watch(self._keep_time)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if error is None and (unmet := self.faults.unmet()):
            raise FaultNotMet(f"planned and never met: {'; '.join(map(str, unmet))}")

    def close(self) -> None:
        """Give the file back. The books stay in it."""
        with self._turn:
            self._world.keeper = None
            if self._keeper is not None:
                self._keeper.close()
                self._keeper = None

    @property
    def organisations(self) -> tuple[Organisation, ...]:
        """Every organisation, in the order they were founded."""
        every = (books.organisation for books in self._world.books.values())
        return tuple(one for one in every if one.status != "RESET")

    def add_organisation(self, name: str = "", *, country: str = "NZ") -> Bookkeeper:
        """
        Found an organisation with a chart of accounts and nothing else in its books.

        Currency, taxes and time zone follow from *country*, and so does a name that is not given. Raises `InvalidInput`
        for a country that is not served.
        """
        title = DemoCompany(country, name=name).title
        with self.transaction():
            tenant = self._world.found(title, country).tenant
        return self.bookkeeper(tenant)

    def found(self, company: DemoCompany) -> Bookkeeper:
        """Found a demo company, with the contacts, documents and payments of its history."""
        with self.transaction():
            books = self._world.found(company.title, company.country)
            keeper = self.bookkeeper(books.tenant)
            write_history(books, keeper, company.months)
        return keeper

    def bookkeeper(self, tenant_id: str) -> Bookkeeper:
        """The person who keeps the books of *tenant_id*. Raises `InvalidInput`."""
        books = self._world.books.get(tenant_id)
        if books is None:
            raise InvalidInput("tenant_id", "there is no such organisation")
        return Bookkeeper(self._world, books, self._identity, self.transaction)

    def register_app(
        self,
        name: str = "xerosync",
        *,
        tenant_id: str = "",
        kind: Literal["web", "mobile"] = "web",
        redirects: Sequence[str] = (),
        scopes: str = "",
        broad_scopes: bool | None = None,
        is_certified: bool = True,
        connections_most: int = 0,
        day_limit: int = 5000,
    ) -> SimulatedApp:
        """
        Register an app; with *tenant_id* a custom connection to that organisation (F 1.42), which has *scopes*.

        A *mobile* app has no secret and must use PKCE. *redirects* are its redirect URIs, to the letter; without any,
        every one that Xero allows will do. *broad_scopes* is whether it may ask for accounting.transactions and its
        like, as apps made before 2 March 2026 may. An organisation takes two apps that are not certified.
        """
        registration = Registration(
            name=name, tenant=tenant_id, kind=kind, redirects=tuple(redirects), scopes=scopes,
            broad_scopes=broad_scopes, is_certified=is_certified, connections_most=connections_most,
            day_limit=day_limit,
        )  # fmt: skip
        with self.transaction():
            return self._identity.register(registration)

    def app(self, name: str) -> SimulatedApp | None:
        """The app registered under *name*; None when there is none."""
        with self._turn:
            return self._identity.app(name)

    def consent(
        self, app: SimulatedApp, *, tenants: Sequence[str], scopes: str = DEFAULT_SCOPES, user: str = OWNER
    ) -> Tokens:
        """
        Let *app* into *tenants*, as *user* does at Xero's consent page: one token set for all (F 1.20).

        Raises `InvalidInput` for scopes that the app may not have.
        """
        with self.transaction():
            return self._identity.consent(app.client_id, tenants, scopes, user)

    def next_consent(self, *, tenants: Sequence[str] | None = None, cancel: bool = False, user: str = OWNER) -> None:
        """
        Say what the user will do at the consent page the next time an app sends them there.

        They tick *tenants*, all when None, or *cancel*. Without a word they tick all.
        """
        ticked = None if tenants is None else tuple(tenants)
        self._identity.page.next_reply = Reply(ticked, cancel=cancel, user=user)

    def reset_demo_company(self, tenant_id: str) -> Bookkeeper:
        """
        Reset a demo company, as Xero does every month: its name stays, its tenant id and its books are new (F 1.59).

        Calls to the old tenant are 403 from then on, though tokens can be refreshed. Raises `InvalidInput`.
        """
        old = self.bookkeeper(tenant_id)
        organisation = old.organisation
        with self.transaction():
            old.close_for_reset()
            tenant = self._world.found(organisation.name, organisation.country).tenant
        return self.bookkeeper(tenant)

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Several things done by hand as one: kept together at the end, undone together when an error leaves."""
        with self._turn:
            mark = self._world.changes.mark()
            self._depth += 1
            try:
                yield
            except BaseException:
                self._world.changes.undo_to(mark)
                raise
            finally:
                self._depth -= 1
            if self._depth == 0:
                self._world.tick()
                self._world.commit()

    @property
    def transport(self) -> SimulatedTransport:
        """The way to this Xero for a client, as the Transport port; it never suspends."""
        return SimulatedTransport(self)

    def serve(self, port: int = 0, *, latency_s: float = 0.0) -> AbstractContextManager[Loopback]:
        """Serve over loopback HTTP while the context lasts; its value knows the ``url``."""
        return Loopback(self, port, latency_s=latency_s, chore=self.webhooks.deliver)

    @exactly
    def handle(self, request: Request, *, beside: int = 0, latency_s: float = 0.0) -> Response:
        """
        Answer *request*; *beside* further calls are in flight, and this one is for *latency_s* of real time more.

        Raises `AnswerLost` where a planned fault loses the answer.
        """
        target, _, query = request.url.partition("#")[0].partition("?")
        path = _path(target)
        lower = path.lower()
        if lower.startswith("/_simulator"):
            with self._turn:
                return self._desk.answer(request, path)
        headers = {name.lower(): value for name, value in request.headers.items()}
        request = evolve(request, method=request.method.upper(), headers=headers)
        tenant = headers.get("xero-tenant-id", "").lower()
        with self._under_way(tenant, beside) as flight:
            response, strike = self._settled(request, path, query, flight)
            if latency_s:
                time.sleep(latency_s)
            if strike.fault is Fault.DELAYED:
                self._be_late()
            if strike.fault is Fault.CLOCK_JUMP:
                self._jump()
        try:
            return _spoiled(response, strike)
        finally:
            self.faults.answered(request.method, path)

    @exactly
    def inside(self, request: Request, app: SimulatedApp, tenant_id: str, *, fault: Fault | None = None) -> Response:
        """
        Answer an accounting *request* of *app* as the books do behind Xero's gateway, struck by *fault*.

        Nobody looks at tokens, scopes, roles or limits: for many schedules in a short time, in which these are not what
        is tested. Raises `AnswerLost` where the fault loses the answer.
        """
        target, _, query = request.url.partition("?")
        parts = [part for part in target.partition(API)[2].split("/") if part]
        headers = {name.lower(): value for name, value in request.headers.items()}
        caller, strike = _insider(app.client_id, tenant_id), Strike(fault)
        with self._turn:
            if strike.does(Fault.LOST_BEFORE, Fault.RESET_BEFORE):
                self._settle()
                raise _lost(strike)
            mark = self._world.changes.mark()
            try:
                response = self._api.inside(
                    Request(request.method, request.url, headers, request.body), parts, _query(query), caller, strike
                )
            except BaseException:
                self._world.changes.undo_to(mark)
                raise
            self._settle()
        return _spoiled(response, strike)

    def _settled(self, request: Request, path: str, query: str, flight: Flight) -> tuple[Response, Strike]:
        """The answer to *request*, everything it changed durable, and what is still to strike it."""
        with self._turn:
            strike = self.faults.take(request.method, path)
            if strike.does(Fault.LOST_BEFORE, Fault.RESET_BEFORE):
                self._settle()
                raise _lost(strike)
            mark = self._world.changes.mark()
            try:
                response = self._answer(request, path, query, strike, flight)
            except BaseException:
                self._world.changes.undo_to(mark)
                raise
            strike.does(*_ON_THE_WAY_BACK)
            # Of an empty body there is no half, and not every clock can be told to jump.
            if response.body:
                strike.does(Fault.TRUNCATED)
            if isinstance(self.clock, VirtualClock | SystemClock):
                strike.does(Fault.CLOCK_JUMP)
            self.faults.settle(strike)
            self._settle()
        return response, strike

    def _answer(self, request: Request, path: str, query: str, strike: Strike, flight: Flight) -> Response:
        lower = path.lower().rstrip("/")
        is_connections = f"{lower}/".startswith("/connections/")
        if not lower.startswith(API.rstrip("/")) and (away := _away(strike)) is not None:
            self.calls += is_connections
            return away
        answer = self._identity.answer(request, lower)
        if answer is not None:
            return answer
        self.calls += 1
        if is_connections:
            return self._api.connections(request, path, _query(query), strike=strike)
        if lower.startswith(API):
            parts = [part for part in path[len(API) :].split("/") if part]
            return self._api.answer(request, parts, _query(query), strike=strike, flight=flight)
        return Response(404, {"content-type": "text/html; charset=utf-8"}, b"")

    def _be_late(self) -> None:
        if isinstance(self.clock, VirtualClock):
            self.clock.advance(_LATE_S)
        else:
            time.sleep(_LATE_S)

    def _jump(self) -> None:
        if isinstance(self.clock, VirtualClock):
            self.clock.advance(_JUMP_S)
        elif isinstance(self.clock, SystemClock):
            self.clock.jump(_JUMP_S)

    @contextmanager
    def _under_way(self, tenant: str, beside: int) -> Generator[Flight]:
        with self._count_turn:
            self._in_flight[tenant] += 1
            flight = Flight(self._in_flight[tenant] + beside)
        try:
            yield flight
        finally:
            self._api.landed(flight)
            with self._count_turn:
                self._in_flight[tenant] -= 1

    def _settle(self) -> None:
        self._world.tick()
        if self._depth == 0:
            self._world.commit()

    def _keep_time(self) -> None:
        if self._world.keeper is None and not len(self._world.hooks):
            return
        with self._turn:
            busy = self._depth > 0
            if not busy and self._world.keeper is not None:
                self._world.commit()
        if not busy and len(self._world.hooks):
            self.webhooks.deliver()


@lru_cache(maxsize=64)
def _insider(client_id: str, tenant_id: str) -> Caller:
    return Caller(client_id, tenant_id, AccessToken("", client_id, "", "*", 0), "STANDARD")


def _path(target: str) -> str:
    without_host = target.partition("://")[2].partition("/")[2] if "://" in target else target.lstrip("/")
    return "/" + "/".join(unquote(part) for part in without_host.split("/"))


@lru_cache(maxsize=1024)
def _query(text: str) -> Mapping[str, str]:
    return {name.lower(): value for name, value in parse_qsl(text, keep_blank_values=True)}


_ON_THE_WAY_BACK: Final = (
    Fault.LOST_AFTER, Fault.RESET_AFTER, Fault.BAD_GATEWAY, Fault.GATEWAY_TIMEOUT, Fault.DELAYED,
)  # fmt: skip
_HTML: Final = {"content-type": "text/html; charset=utf-8"}
_BAD_GATEWAY: Final = Response(
    502, {"content-type": "text/html"}, b"<html><head><title>502 Bad Gateway</title></head><body></body></html>"
)


_GATEWAY_TIMEOUT: Final = Response(
    504, {"content-type": "text/html"}, b"<html><head><title>504 Gateway Time-out</title></head><body></body></html>"
)
_LOST: Final[Mapping[Fault | None, str]] = {
    Fault.LOST_BEFORE: "the simulated network lost the call",
    Fault.LOST_AFTER: "the simulated network lost the answer",
    Fault.RESET_BEFORE: "the simulated connection was reset before the call arrived",
    Fault.RESET_AFTER: "the simulated connection was reset before the answer came",
}


def _lost(strike: Strike) -> AnswerLost:
    kind = AnswerReset if strike.fault in {Fault.RESET_BEFORE, Fault.RESET_AFTER} else AnswerLost
    return kind(_LOST[strike.fault])


def _away(strike: Strike) -> Response | None:
    """What is answered while the identity host, or the list of connections, is away; None while it is there."""
    if strike.does(Fault.SERVER_ERROR):
        return Response(500, _HTML, UNHANDLED)
    if strike.does(Fault.UNAVAILABLE, Fault.MAINTENANCE):
        return Response(503, _HTML, b"<html><body>Service Unavailable</body></html>")
    return None


def _spoiled(response: Response, strike: Strike) -> Response:
    match strike.fault:
        case Fault.LOST_AFTER | Fault.RESET_AFTER:
            raise _lost(strike)
        case Fault.TRUNCATED:
            promised = {**response.headers, "content-length": str(len(response.body))}
            return evolve(response, headers=promised, body=response.body[: len(response.body) // 2])
        case Fault.BAD_GATEWAY:
            return _BAD_GATEWAY
        case Fault.GATEWAY_TIMEOUT:
            return _GATEWAY_TIMEOUT
        case _:
            return response


class SimulatedTransport:
    """Carries requests to a `Simulator` in this process, one after the other."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    async def send(self, request: Request) -> Response:
        """Send *request* once. Raises `NotSent` when its claim has run out, `AnswerLost` where a fault was planned."""
        return self._exchange(request, beside=0)

    async def send_all(self, requests: Sequence[Request], *, at_most: int) -> list[Response | TransportFault]:
        """Send *requests* as if *at_most* were in flight at a time; what came of each, in order."""
        answers: list[Response | TransportFault] = []
        for place, request in enumerate(requests):
            try:
                answers.append(self._exchange(request, beside=place % at_most))
            except TransportFault as fault:
                answers.append(fault)
        return answers

    async def close(self) -> None:
        """Nothing is held."""

    def _exchange(self, request: Request, *, beside: int) -> Response:
        request.check_in_time(self._simulator.clock)
        return self._simulator.handle(request, beside=beside)
