"""
Fixtures for the tests of whoever builds on Xero, named ``xerosync_…``; pytest finds them once xerosync is installed.

Each test gets a Xero of its own. A fault that was planned and never struck fails the test: it proved nothing. Nothing
but this file is imported until a fixture is asked for.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypedDict, cast

import pytest

if TYPE_CHECKING:
    from datetime import datetime

    from xerosync import Xero
    from xerosync.events import OnEvent
    from xerosync.simulator import Bookkeeper, SimulatedApp, Simulator, Switches, Tokens, VirtualClock
    from xerosync.storage import Storage
    from xerosync.testing.httpx_transport import SimulatorTransport
    from xerosync.testing.served import ServedXero

_MARK: Final = (
    "xerosync(country='NZ', demo=False, seed=0, start=..., limits=True, open_access=False, latency_s=0.0, "
    "read_only=False, switches={}): how the Xero of the xerosync_ fixtures is set up"
)
_ABILITY: Final = "xerosync_ability(ability): a test of the storage kit that a store meets which claims this"
_MADE: Final = pytest.StashKey["list[Simulator]"]()

_NONE: Final[list[Simulator]] = []


class _Wanted(TypedDict, total=False):
    """What the marker may say."""

    country: str
    demo: bool
    seed: int
    start: datetime
    limits: bool
    open_access: bool
    latency_s: float
    read_only: bool
    switches: Switches | Mapping[str, object]


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known."""
    config.addinivalue_line("markers", _MARK)
    config.addinivalue_line("markers", _ABILITY)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what the storage kit has shown of each store, if it ran."""
    ended = [
        report
        for outcome in ("passed", "failed", "error")
        for report in terminalreporter.stats.get(outcome, ())
        if isinstance(report, pytest.TestReport) and any(name == "xerosync_store" for name, _ in report.user_properties)
    ]
    if ended:
        from xerosync.testing.storage_report import lines  # noqa: PLC0415

        terminalreporter.section("storage kit of xerosync")
        for line in lines(ended):
            terminalreporter.line(line)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that passed although a fault it had planned never struck."""
    outcome = yield
    unmet = [fault for simulator in item.stash.get(_MADE, _NONE) for fault in simulator.faults.unmet()]
    if unmet:
        pytest.fail(f"planned and never met: {'; '.join(map(str, unmet))}", pytrace=False)
    return outcome


@pytest.fixture
def xerosync_clock(request: pytest.FixtureRequest) -> VirtualClock:
    """The clock of this test's Xero: ``advance(seconds)`` passes hours at once. The marker's *start* sets it."""
    from xerosync.simulator import VirtualClock  # noqa: PLC0415

    start = _wanted(request).get("start")
    return VirtualClock() if start is None else VirtualClock(start)


@pytest.fixture
def xerosync_simulator(request: pytest.FixtureRequest, xerosync_clock: VirtualClock) -> Iterator[Simulator]:
    """This test's Xero, with nothing in it; plan its bad days with ``xerosync_simulator.faults.plan(…)``."""
    from xerosync.simulator import Simulator, Switches  # noqa: PLC0415

    wanted = _wanted(request)
    chosen = wanted.get("switches")
    switches = chosen if chosen is None or isinstance(chosen, Switches) else _switches(chosen)
    simulator = Simulator(
        clock=xerosync_clock,
        seed=wanted.get("seed", 0),
        limits=wanted.get("limits", True),
        open_access=wanted.get("open_access", False),
        switches=switches,
    )
    item = cast(pytest.Item, request.node)
    item.stash.setdefault(_MADE, []).append(simulator)
    yield simulator
    simulator.close()


@pytest.fixture
def xerosync_books(request: pytest.FixtureRequest, xerosync_simulator: Simulator) -> Bookkeeper:
    """
    The bookkeeper of one organisation: works in its screens by hand, and reads its books for your assertions.

    The marker's *country* (NZ, AU, GB, US …) decides currency, taxes and time zone; with *demo* it has a past.
    """
    from xerosync.simulator import DemoCompany  # noqa: PLC0415

    wanted = _wanted(request)
    country = wanted.get("country", "NZ")
    if wanted.get("demo", False):
        return xerosync_simulator.found(DemoCompany(country))
    return xerosync_simulator.add_organisation(country=country)


@pytest.fixture
def xerosync_app(xerosync_simulator: Simulator) -> SimulatedApp:
    """An app registered with this test's Xero: ``client_id`` and ``client_secret``."""
    return xerosync_simulator.register_app("Your product")


@pytest.fixture
def xerosync_tokens(xerosync_simulator: Simulator, xerosync_books: Bookkeeper, xerosync_app: SimulatedApp) -> Tokens:
    """The token set that the user's consent gave the app: good for 30 minutes of this test's clock, then refresh it."""
    return xerosync_simulator.consent(xerosync_app, tenants=[xerosync_books.tenant_id])


@pytest.fixture
def xerosync_store() -> Storage:
    """
    What ``xerosync_xero`` keeps its tokens and its record in: memory.

    Override it in your ``conftest.py`` to test with the store that you use, and close that there.
    """
    from xerosync import MemoryStore  # noqa: PLC0415

    return MemoryStore()


@pytest.fixture
def xerosync_on_event() -> OnEvent | None:
    """Who hears the events of ``xerosync_xero``: nobody. Override it to return a listener of yours."""
    return None


@pytest.fixture
def xerosync_xero(
    request: pytest.FixtureRequest,
    *,
    xerosync_simulator: Simulator,
    xerosync_books: Bookkeeper,
    xerosync_app: SimulatedApp,
    xerosync_tokens: Tokens,
    xerosync_store: Storage,
    xerosync_on_event: OnEvent | None,
) -> Iterator[Xero]:
    """
    The client of xerosync, connected to the organisation of ``xerosync_books``.

    ``xerosync_store`` and ``xerosync_on_event`` are its store and its listener; the marker's *read_only* makes it one
    that writes nothing.
    """
    from xerosync import App, Tokens, Xero  # noqa: PLC0415

    client = Xero(
        App(xerosync_app.client_id, xerosync_app.client_secret),
        xerosync_books.tenant_id,
        store=xerosync_store,
        transport=xerosync_simulator.transport,
        clock=xerosync_simulator.clock,
        quarantine_s=0.0,
        on_event=xerosync_on_event,
        read_only=_wanted(request).get("read_only", False),
    )
    expires_at = xerosync_simulator.clock.now() + timedelta(seconds=xerosync_tokens.expires_in)
    client.connect(Tokens(xerosync_tokens.access_token, xerosync_tokens.refresh_token, expires_at))
    yield client
    client.close()


@pytest.fixture
def xerosync_httpx(request: pytest.FixtureRequest, xerosync_simulator: Simulator) -> SimulatorTransport:
    """The way to this test's Xero for your own httpx code: ``httpx.Client(transport=xerosync_httpx)``, or async."""
    from xerosync.testing.httpx_transport import SimulatorTransport  # noqa: PLC0415

    return SimulatorTransport(xerosync_simulator, latency_s=_wanted(request).get("latency_s", 0.0))


@pytest.fixture
def xerosync_server(
    request: pytest.FixtureRequest,
    xerosync_simulator: Simulator,
    xerosync_books: Bookkeeper,
    xerosync_app: SimulatedApp,
    xerosync_tokens: Tokens,
) -> Iterator[ServedXero]:
    """This test's Xero on a loopback port, for code in any language or SDK: its ``url`` and an app that is let in."""
    from xerosync.testing.served import ServedXero  # noqa: PLC0415

    with xerosync_simulator.serve(latency_s=_wanted(request).get("latency_s", 0.0)) as server:
        yield ServedXero(
            url=server.url,
            tenant_id=xerosync_books.tenant_id,
            client_id=xerosync_app.client_id,
            client_secret=xerosync_app.client_secret,
            access_token=xerosync_tokens.access_token,
            refresh_token=xerosync_tokens.refresh_token,
        )


def _wanted(request: pytest.FixtureRequest) -> _Wanted:
    """What the markers of a test say, its own before its class's and its module's."""
    said: dict[str, object] = {}
    for mark in request.node.iter_markers("xerosync"):
        if mark.args:
            raise pytest.UsageError("the marker xerosync takes keyword arguments only, such as country='AU'")
        said = {**mark.kwargs, **said}
    unknown = sorted(set(said) - _Wanted.__optional_keys__)
    if unknown:
        raise pytest.UsageError(f"the marker xerosync knows no {', '.join(unknown)}; it is {_MARK}")
    return cast(_Wanted, said)


def _switches(chosen: Mapping[str, object]) -> Switches:
    from attrs import fields  # noqa: PLC0415

    from xerosync.simulator import Switches  # noqa: PLC0415

    unknown = sorted(set(chosen) - {one.name for one in fields(Switches)})
    if unknown:
        raise pytest.UsageError(f"the simulator has no switch {', '.join(unknown)}")
    return Switches(**chosen)  # type: ignore[arg-type]
