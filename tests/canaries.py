"""
No secret comes out: not in a log, a warning, a repr, an error, an event, an address, nor in what pytest prints.

While the tests run, every secret that a simulator of this process gives away or is sent is remembered: client secrets,
access, refresh and id tokens, codes, PKCE verifiers. Whatever comes out is searched for them, and for their beginnings;
the test during which one is found fails. What other processes print is not searched: they have secrets of their own.
"""

from __future__ import annotations

import base64
import gc
import logging
import re
from collections.abc import Callable, Generator, Iterator
from hashlib import sha512
from typing import Final
from urllib.parse import parse_qs, unquote

import pytest
from attrs import define, field

from xerosync.client._books import Books
from xerosync.errors import XerosyncError
from xerosync.ports import Request, Response
from xerosync.simulator import Simulator
from xerosync.simulator.identity import Grant, Identity, Registration, SimulatedApp, Tokens
from xerosync.simulator.world import World

_WORD: Final = re.compile(r"[\w.~+/=-]{16,}")
_HEAD: Final = 16
_JWT: Final = re.compile(r"eyJ[\w-]{8,}\.")
_SWEEP_EVERY: Final = 50
_OURS: Final = ("xerosync.client", "xerosync.engine", "xerosync.storage", "xerosync.models", "xerosync.doctor")


@define(eq=False)
class Watch:
    """The secrets known so far, by their beginnings, and where one came out."""

    heads: set[str] = field(factory=set[str])
    leaks: list[str] = field(factory=list[str])
    looked_at: int = 0

    def learn(self, *secrets: str) -> None:
        """These are secret from now on. A JWT is known by its signature: all begin alike."""
        for secret in secrets:
            telling = secret.rpartition(".")[2]
            if len(telling) >= _HEAD:
                self.heads.add(telling[:_HEAD])

    def learn_app(self, name: str, secret: str) -> None:
        """The secret of an app, also as it stands in a header."""
        self.learn(secret)
        if secret:
            # The beginning is the client id, which is no secret: what follows it is.
            basic = base64.b64encode(f"{name}:{secret}".encode()).decode()
            self.learn(basic[-(len(basic) - len(name) - 24) :])

    def look(self, where: str, text: str) -> None:
        """Search *text*, which came out *where*."""
        self.looked_at += 1
        if _JWT.search(text) or any(self._is_secret(word) for word in _WORD.findall(text)):
            self.leaks.append(where)

    def _is_secret(self, word: str) -> bool:
        return any(word[start : start + _HEAD] in self.heads for start in range(len(word) - _HEAD + 1))

    def sweep(self) -> None:
        """Search the reprs of everything of the library that is alive now."""
        for each in gc.get_objects():
            kind = type(each)
            if str(getattr(kind, "__module__", "")).startswith(_OURS):
                self.look(f"the repr of a {kind.__name__}", repr(each))

    def drained(self) -> list[str]:
        """Where a secret came out since the last call, each place once."""
        leaks, self.leaks = sorted(set(self.leaks)), []
        return leaks


WATCH: Final = Watch()


class _Listener(logging.Handler):
    """Hears every log record of every library, down to the least."""

    def emit(self, record: logging.LogRecord) -> None:
        fields = {name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD}
        WATCH.look(f"a log record of {record.name}", f"{self.format(record)} {fields!r}")


# pyxero, which the simulator's tests run, writes its tokens into the log of the library below it.
_OTHERS_LOGS: Final = ("requests_oauthlib",)
_OF_EVERY_RECORD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


@pytest.fixture(scope="session", autouse=True)
def no_secret_comes_out() -> Iterator[None]:
    """Watch while this session lasts."""
    stop = watch()
    yield
    stop()


_tests_seen = iter(range(1, 10**9))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Search what pytest would print, and fail the test during which a secret came out."""
    report = yield
    if isinstance(report.longrepr, str) or report.longrepr is not None:
        WATCH.look("pytest's report", report.longreprtext)
    for title, text in report.sections:
        WATCH.look(title, text)
    if call.when == "call" and next(_tests_seen) % _SWEEP_EVERY == 0:
        WATCH.sweep()
    leaks = WATCH.drained()
    if leaks and report.passed:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: a secret came out in {', '.join(leaks)}"
    elif leaks:
        report.sections.append(("Secrets", f"one came out in {', '.join(leaks)}"))
    return report


def watch() -> Callable[[], None]:
    """Watch every simulator and client of this process from now on; the way to stop it."""
    stops = [_tell_secrets_from_ids(), _learn_from_identity(), _search_errors_and_events(), _search_requests()]
    root, listener = logging.getLogger(), _Listener()
    level = root.level
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    for name in _OTHERS_LOGS:
        logging.getLogger(name).setLevel(logging.INFO)

    def stop() -> None:
        root.removeHandler(listener)
        root.setLevel(level)
        for name in _OTHERS_LOGS:
            logging.getLogger(name).setLevel(logging.NOTSET)
        for each in stops:
            each()

    return stop


def _tell_secrets_from_ids() -> Callable[[], None]:
    """Two worlds of one seed draw the same texts: what is a secret in one could be an id that is shown in the other."""
    draw = World.secret

    def secret(self: World, length: int = 43) -> str:
        return sha512(draw(self, length).encode()).hexdigest()[:length]

    World.secret = secret  # type: ignore[method-assign]

    def stop() -> None:
        World.secret = draw  # type: ignore[method-assign]

    return stop


def _learn_from_identity() -> Callable[[], None]:
    issue, register, token = Identity._issue, Identity.register, Identity._token

    def issue_and_learn(self: Identity, grant: Grant, *, refreshable: bool, tenant: str = "") -> Tokens:
        given = issue(self, grant, refreshable=refreshable, tenant=tenant)
        WATCH.learn(given.access_token, given.refresh_token, given.id_token)
        return given

    def register_and_learn(self: Identity, registration: Registration) -> SimulatedApp:
        app = register(self, registration)
        WATCH.learn_app(app.client_id, app.client_secret)
        return app

    def answer_and_learn(self: Identity, request: Request) -> Response:
        form = parse_qs(request.body.decode("utf-8", "replace"))
        WATCH.learn(*(value for name in ("code", "code_verifier") for value in form.get(name, [])))
        return token(self, request)

    Identity._issue, Identity.register = issue_and_learn, register_and_learn  # type: ignore[method-assign]
    Identity._token = answer_and_learn  # type: ignore[method-assign]

    def stop() -> None:
        Identity._issue, Identity.register, Identity._token = issue, register, token  # type: ignore[method-assign]

    return stop


def _search_errors_and_events() -> Callable[[], None]:
    make, tell = XerosyncError.__init__, Books.tell

    def make_and_look(self: XerosyncError, *args: object) -> None:
        make(self, *args)
        WATCH.look(f"a {type(self).__name__}", f"{args!r} {' '.join(map(str, args))}")

    def tell_and_look(self: Books, event: str, **fields: object) -> None:
        WATCH.look(f"the event {event}", repr(fields))
        tell(self, event, **fields)

    XerosyncError.__init__ = make_and_look  # type: ignore[method-assign]
    Books.tell = tell_and_look  # type: ignore[method-assign]

    def stop() -> None:
        XerosyncError.__init__, Books.tell = make, tell  # type: ignore[method-assign]

    return stop


def _search_requests() -> Callable[[], None]:
    handle = Simulator.handle

    def handle_and_look(self: Simulator, request: Request, *, beside: int = 0, latency_s: float = 0.0) -> Response:
        # A challenge goes in the address of the consent page by design; what it hides does not.
        WATCH.look("the address of a request", unquote(request.url))
        response = handle(self, request, beside=beside, latency_s=latency_s)
        WATCH.look("the repr of a request or its answer", f"{request!r} {response!r}")
        return response

    Simulator.handle = handle_and_look  # type: ignore[method-assign]

    def stop() -> None:
        Simulator.handle = handle  # type: ignore[method-assign]

    return stop
