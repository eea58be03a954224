"""A user is let in from a notebook: a browser goes to Xero and comes back to this machine (F 1.07, 1.09)."""

from __future__ import annotations

import asyncio
import socket
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from http.client import HTTPConnection
from threading import Thread
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import pytest
from attrs import define, field, frozen

from xerosync import App, Endpoints, MemoryStore, Tokens, Xero
from xerosync.client._loopback import Landing
from xerosync.client.login import login
from xerosync.client.scopes import scopes_for
from xerosync.errors import ConsentFailed, InvalidInput, Misconfigured
from xerosync.simulator import Simulator, VirtualClock

SCOPES = scopes_for("receivables", "sign in")


def as_it_is(url: str) -> str:
    return url


@frozen
class Page:
    """What a browser shows."""

    status: int
    headers: dict[str, str]
    text: str


def visit(url: str, *, method: str = "GET", **headers: str) -> Page:
    """Go to *url* as a browser does: it keeps no log of the addresses, as the HTTP library of the client would."""
    place = urlsplit(url)
    with closing(HTTPConnection(place.hostname or "", place.port, timeout=20)) as connection:
        connection.request(method, f"{place.path}?{place.query}" if place.query else place.path, headers=headers)
        answer = connection.getresponse()
        return Page(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode())


@define
class Browser:
    """Goes where it is sent, in a thread of its own as a browser does; *stray* changes the address it comes back to."""

    stray: Callable[[str], str] = as_it_is
    pages: list[Page] = field(factory=list[Page])
    wandering: Thread | None = None

    def open(self, url: str) -> bool:
        self.wandering = Thread(target=self._go, args=(url,))
        self.wandering.start()
        return True

    def _go(self, url: str) -> None:
        self.pages.append(visit(self.stray(visit(url).headers["location"])))

    def last_page(self) -> Page:
        assert self.wandering is not None
        self.wandering.join()
        return self.pages[-1]


@define
class World:
    simulator: Simulator
    url: str
    tenant: str
    app: App

    def log_in(self, browser: Browser, *, timeout_s: float = 20.0) -> Tokens:
        return login(
            self.app,
            scopes=SCOPES,
            port=0,
            timeout_s=timeout_s,
            open_browser=browser.open,
            endpoints=Endpoints.at(self.url),
            clock=self.simulator.clock,
        )


@pytest.fixture
def world() -> Iterator[World]:
    with Simulator() as simulator:
        books = simulator.add_organisation()
        app = App(simulator.register_app("Notebook", kind="mobile").client_id)
        with simulator.serve() as server:
            yield World(simulator, server.url, books.tenant_id, app)


def test_a_user_logs_in_from_a_notebook_without_a_secret(world: World) -> None:
    browser = Browser()

    tokens = world.log_in(browser)

    assert tokens.scopes == SCOPES
    assert tokens.id_token is not None
    with Xero(
        world.app,
        world.tenant,
        store=MemoryStore(),
        endpoints=Endpoints.at(world.url),
        clock=world.simulator.clock,
    ) as xero:
        xero.connect(tokens)
        assert xero.organisation().name == "Demo Company (NZ)"
    page = browser.last_page()
    assert page.status == 200
    assert "You can close this window" in page.text


def test_it_works_inside_a_running_event_loop(world: World) -> None:
    async def cell() -> Tokens:
        return world.log_in(Browser())

    assert asyncio.run(cell()).access_token


def test_the_page_loads_nothing_and_tells_nobody_the_code(world: World) -> None:
    browser = Browser()
    world.log_in(browser)

    page = browser.last_page()

    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert "http" not in page.text
    assert "server" not in page.headers


def test_a_user_who_cancels_gets_no_tokens(world: World) -> None:
    browser = Browser()
    world.simulator.next_consent(cancel=True)

    with pytest.raises(ConsentFailed) as refused:
        world.log_in(browser)

    assert refused.value.reason == "cancelled"
    assert "was not made" in browser.last_page().text


def test_an_answer_with_another_state_is_not_believed_and_the_right_one_still_comes(world: World) -> None:
    """Any page of the browser can send this machine a request; none of them ends the login."""
    forgeries: list[Page] = []

    def forge_first(url: str) -> str:
        parts = urlsplit(url)
        fields = {name: values[0] for name, values in parse_qs(parts.query).items()}
        forged: tuple[dict[str, str], ...] = (
            fields | {"state": "guessed"},
            {"error": "access_denied"},
            {"state": ""},
            {},
        )
        addresses = [urlunsplit(parts._replace(query=urlencode(each))) for each in forged]
        forgeries.extend(visit(address) for address in (*addresses, f"{url}&state=guessed"))
        return url

    browser = Browser(forge_first)

    assert world.log_in(browser).refresh_token

    assert [page.status for page in forgeries] == [400] * 5
    assert "Nothing was kept" in forgeries[0].text
    assert browser.last_page().status == 200


def test_a_login_that_only_gets_forged_answers_ends_without_tokens(world: World) -> None:
    browser = Browser(lambda url: f"{url}x")

    with pytest.raises(ConsentFailed) as refused:
        world.log_in(browser, timeout_s=1.0)

    assert refused.value.reason == "timed_out"
    assert browser.last_page().status == 400


def test_a_browser_that_never_comes_back_ends_the_login(world: World) -> None:
    with pytest.raises(ConsentFailed) as refused:
        login(world.app, scopes=SCOPES, port=0, timeout_s=0.05, open_browser=str, endpoints=Endpoints.at(world.url))

    assert refused.value.reason == "timed_out"


def test_a_port_that_is_taken_is_said_so(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Misconfigured, match="is taken"):
        login(world.app, scopes=SCOPES, port=taken.getsockname()[1], open_browser=str)


def test_a_machine_without_a_browser_is_said_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: False)

    with pytest.raises(Misconfigured, match="no browser"):
        login(world.app, scopes=SCOPES, port=0, endpoints=Endpoints.at(world.url))


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"path": "callback"}, "path"),
        ({"path": "/a?b"}, "path"),
        ({"port": -1}, "port"),
        ({"port": 65536}, "port"),
        ({"timeout_s": 0.0}, "timeout_s"),
        ({"timeout_s": float("nan")}, "timeout_s"),
        ({"scopes": []}, "scopes"),
    ],
)
def test_what_cannot_be_is_refused_before_a_browser_opens(wrong: dict[str, object], named: str) -> None:
    opened: list[str] = []
    asking: dict[str, object] = {"scopes": SCOPES, "port": 0, "open_browser": opened.append} | wrong

    with pytest.raises(InvalidInput) as refused:
        login(App("client"), **asking)  # type: ignore[arg-type]

    assert (refused.value.field, opened) == (named, [])


def test_only_the_first_request_to_the_very_address_is_taken() -> None:
    with Landing(port=0, path="/back", judge=lambda _: "<seen>") as landing:
        here = landing.url.removesuffix("/back")
        silent = socket.create_connection(("127.0.0.1", urlsplit(landing.url).port or 0))
        assert visit(f"{here}/favicon.ico").status == 404
        assert visit(f"{here}/back/?code=a").status == 404
        assert visit(f"{landing.url}?code=a", Host="evil.example").status == 404
        assert visit(f"{landing.url}?code=a", method="POST").status == 501
        first = visit(f"{landing.url}?code=b")
        second = visit(f"{landing.url}?code=c")
        silent.close()

        assert landing.wait(5.0) == "/back?code=b"
        assert landing.wait(0.01) is None
    assert (first.status, second.status) == (200, 410)
    assert "&lt;seen&gt;" in first.text
    with pytest.raises(ConnectionRefusedError):
        visit(landing.url)


def test_only_this_machine_can_reach_it() -> None:
    with Landing(port=0, path="/back", judge=str) as landing:
        address = landing._server.server_address

    assert address[0] == "127.0.0.1"
    assert landing.url == f"http://localhost:{address[1]}/back"


def test_the_simulators_clock_need_not_run_for_a_login_to_end(world: World) -> None:
    assert isinstance(world.simulator.clock, VirtualClock)
    before = world.simulator.clock.now()

    world.log_in(Browser())

    assert world.simulator.clock.now() - before < timedelta(seconds=1)
