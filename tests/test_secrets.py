"""Neither a secret, a name nor an amount comes out of the library; and the watch over the suite finds one that does."""

from __future__ import annotations

import gc
import json
import logging
import os
import re
import sqlite3
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Final

import httpx
import pytest
from attrs import define, evolve, field
from tests.canaries import WATCH
from tests.conftest import BANK, CLEARING, DAY, Through, nzd

from xerosync import (
    App,
    Bill,
    BillLine,
    Customer,
    Endpoints,
    KeyRing,
    KeyRotation,
    MemoryStore,
    OAuth,
    Payables,
    Receivables,
    Settlement,
    SettlementLine,
    SQLiteStore,
    Tokens,
    Vendor,
    Xero,
    encrypted,
    scopes_for,
)
from xerosync.errors import XerosyncError
from xerosync.models import AccountCode, Contact
from xerosync.ports import Request, Response
from xerosync.rotation import KINDS_OF_ALL, KINDS_OF_ORGANISATION
from xerosync.simulator import Bookkeeper, Fault, Simulator, VirtualClock
from xerosync.storage import Storage

PROJECT: Final = Path(__file__).parents[1]
ROOMS: Final = PROJECT / "src" / "xerosync"
NAME: Final = "Zebedee Quixworth"
VENDOR: Final = "Xylophagous Timber"
EMAIL: Final = "zebedee@quixworth.example"
AMOUNT: Final = "4711.13"
BILLED: Final = "8093.57"
PRIVATE: Final = (NAME, "Quixworth", "Zebedee", VENDOR, "Xylophagous", EMAIL, AMOUNT, BILLED)


@define(repr=False)
class Out:
    """All that came out of a run."""

    texts: list[tuple[str, str]] = field(factory=list[tuple[str, str]])

    def hear(self, event: str, fields: Mapping[str, object]) -> None:
        self.texts.append((f"the event {event}", repr(dict(fields))))

    def failed(self, error: BaseException) -> None:
        """An error as a host shows it: its text, repr, and traceback."""
        self.texts.append((f"a {type(error).__name__}", "".join(traceback.format_exception(error)) + repr(error)))

    def sweep(self) -> None:
        """The repr of everything of the library that is alive."""
        for each in gc.get_objects():
            module = str(getattr(type(each), "__module__", ""))
            if module.startswith("xerosync.") and not module.startswith(("xerosync.simulator", "xerosync.testing")):
                self.texts.append((f"the repr of a {type(each).__name__}", repr(each)))

    def holding(self, words: tuple[str, ...]) -> list[str]:
        return sorted({where for where, text in self.texts for word in words if word in text})


@define
class World:
    simulator: Simulator
    books: Bookkeeper
    app: App
    url: str

    def tokens(self) -> Tokens:
        """As a web app gets them."""
        with OAuth(self.app, endpoints=Endpoints.at(self.url), clock=self.simulator.clock) as oauth:
            request = oauth.authorise_url(
                redirect_uri="https://app.example/back", scopes=scopes_for("payables", "clearing balance", "sign in")
            )
            answer = self.simulator.handle(Request("GET", request.url)).headers["location"]
            return oauth.exchange(request, answer=answer)

    def xero(self, store: Storage, out: Out) -> Xero:
        return Xero(
            self.app,
            self.books.tenant_id,
            store=store,
            endpoints=Endpoints.at(self.url),
            clock=self.simulator.clock,
            quarantine_s=0.0,
            on_event=out.hear,
        )


@pytest.fixture
def world() -> Iterator[World]:
    """A Xero over real HTTP, so that the HTTP library's own logs are heard too."""
    with Simulator(limits=False) as simulator, simulator.serve() as server:
        registered = simulator.register_app("Canaries")
        app = App(registered.client_id, registered.client_secret)
        yield World(simulator, simulator.add_organisation(), app, server.url)


def collect(world: World, xero: Xero, out: Out) -> None:
    """Receivables, with a lost answer and a refused payment."""
    sales = Receivables(xero, clearing_account=CLEARING)
    person = world.books.add_contact(NAME)
    invoice = world.books.add_invoice(person.id, number="Q-1", amount=Decimal(AMOUNT), date=DAY)
    sales.apply(sales.match([Customer(id="1", custom_identifier=NAME)]))
    sales.apply(sales.import_invoices())
    world.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Payments")
    lines = (SettlementLine(id="l", transaction=invoice.id, amount=nzd(AMOUNT)),)
    sales.apply(sales.settle(Settlement(id="s", on=DAY, lines=lines)))
    sales.recover()
    sales.reconcile()
    world.simulator.faults.plan(Fault.SERVER_ERROR, method="GET", path="/Contacts", times=5)
    try:
        list(xero.contacts.list())
    except XerosyncError as error:
        out.failed(error)


def pay(xero: Xero, out: Out) -> None:
    """Payables, and writes that are refused here or by Xero."""
    purchases = Payables(xero, payment_account=BANK)
    line = BillLine(description=VENDOR, amount=nzd(BILLED), account=AccountCode("429"))
    bill = Bill(id="b", vendor=VENDOR, number="1", on=DAY, due=DAY, lines=(line,))
    purchases.apply(purchases.submit([bill]))
    told = Vendor(name=NAME, email=EMAIL)
    for shown in (told, purchases.matches([told, VENDOR]), purchases.match([told], create_missing=True)):
        out.texts.append(("the repr of a vendor, its match and its plan", repr(shown)))
    purchases.apply(purchases.match([told], create_missing=True))
    purchases.apply(purchases.unlink_vendor(NAME))
    written = xero.contacts.create([Contact(name=VENDOR, email_address=EMAIL)])
    out.texts.append(("the repr of an outcome", repr(written)))
    for wrong in (Contact(name=NAME * 99), Contact(name=NAME, email_address="zebedee at quixworth")):
        try:
            xero.contacts.create([wrong])
        except XerosyncError as error:
            out.failed(error)


def test_a_whole_run_shows_no_secret_no_name_and_no_amount(
    world: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    out, store = Out(), MemoryStore()
    with caplog.at_level(logging.DEBUG), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with world.xero(store, out) as xero:
            xero.connect(world.tokens(), company="7")
            collect(world, xero, out)
            pay(xero, out)
            xero.connection_summary()
            out.sweep()
            xero.revoke()
            try:
                xero.organisation()
            except XerosyncError as error:
                out.failed(error)
    out.texts += [(f"a log record of {record.name}", record.getMessage()) for record in caplog.records]
    out.texts += [("a warning", str(each.message)) for each in warned]
    out.texts += [("what was printed", text) for text in capfd.readouterr()]

    came_out = {where for where, _ in out.texts}
    library = f"a log record of {httpx.__name__}"
    assert {library, "the repr of a Tokens", "the repr of an outcome", "a Unavailable"} <= came_out
    assert any(where.startswith("the event ") for where in came_out)
    assert out.holding(PRIVATE) == []
    for where, text in out.texts:
        WATCH.look(where, text)
    assert WATCH.drained() == []


def values_on_the_way(error: BaseException | None) -> Iterator[str]:
    """The repr of every local variable on the way of *error* and of what led to it, as error reporters send it."""
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_filename != __file__:
                yield from map(repr, frame.f_locals.values())
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize(
    ("fault", "path"),
    [
        (Fault.RESET_BEFORE, "/Contacts"),
        (Fault.RESET_AFTER, "/Contacts"),
        (Fault.TRUNCATED, "/Contacts"),
        (Fault.SERVER_ERROR, "/Contacts"),
        (Fault.FORBIDDEN, "/Contacts"),
        (Fault.RESET_AFTER, "/connect/token"),
        (Fault.UNAVAILABLE, "/connect/token"),
    ],
)
@pytest.mark.parametrize("is_write", [False, True])
def test_no_traceback_with_values_shows_a_secret(world: World, fault: Fault, path: str, is_write: bool) -> None:
    with world.xero(MemoryStore(), Out()) as xero:
        xero.connect(world.tokens())
        if path == "/connect/token":
            assert isinstance(world.simulator.clock, VirtualClock)
            world.simulator.clock.advance(31 * 60)
        world.simulator.faults.plan(fault, path=path, times=9)

        with pytest.raises(XerosyncError) as failed:
            xero.contacts.create_one(Contact(name=NAME)) if is_write else list(xero.contacts.list())
        world.simulator.faults.clear()

    shown = list(values_on_the_way(failed.value))
    assert len(shown) > 5
    for text in shown:
        WATCH.look("a traceback with values", text)
    assert WATCH.drained() == []


def shown_on_the_way(call: Callable[[], object]) -> str:
    """All that an error reporter would send of the error in which *call* ends."""
    with pytest.raises(XerosyncError) as failed:
        call()
    return "\n".join((*values_on_the_way(failed.value), *traceback.format_exception(failed.value)))


def test_tokens_that_a_damaged_file_does_not_take_stand_in_no_traceback(world: World, tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "books.db")
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("DROP TABLE lookups")
    tokens = world.tokens()

    with world.xero(store, Out()) as xero:
        shown = shown_on_the_way(lambda: xero.connect(tokens))

    assert "no such table" in shown
    assert tokens.access_token.reveal() not in shown


@pytest.mark.parametrize("damage", [{"refresh_began": "yesterday"}, {"scopes": "all"}, {"expires_at": "never"}])
def test_a_token_set_that_cannot_be_read_stands_in_no_traceback(world: World, damage: dict[str, str]) -> None:
    store, tokens = MemoryStore(), world.tokens()
    with world.xero(store, Out()) as xero:
        xero.connect(tokens)
        (grant,) = store.query("grant", "")
        store.commit([grant.with_body(json.dumps({**json.loads(grant.body), **damage}))])

    with world.xero(store, Out()) as xero:
        shown = shown_on_the_way(xero.organisation)

    assert "cannot be read" in shown
    assert tokens.access_token.reveal() not in shown


@define(eq=False)
class Curt(Through):
    """A way to Xero whose token endpoint says in words how long a token lives; *given* are the tokens that it gave."""

    given: list[str] = field(factory=list[str])

    async def send(self, request: Request) -> Response:
        said = json.loads((response := await super().send(request)).body)
        self.given += [said["access_token"], said["refresh_token"]]
        return evolve(response, body=json.dumps({**said, "expires_in": "half an hour"}).encode())


def test_tokens_in_an_answer_that_says_too_little_stand_in_no_traceback(world: World) -> None:
    curt = Curt(world.simulator.transport)
    with OAuth(world.app, transport=curt, clock=world.simulator.clock) as oauth:
        request = oauth.authorise_url(redirect_uri="https://app.example/back", scopes=scopes_for("payables"))
        answer = world.simulator.handle(Request("GET", request.url)).headers["location"]
        shown = shown_on_the_way(lambda: oauth.exchange(request, answer=answer))

    assert len(curt.given) == 2
    assert [each for each in curt.given if each in shown] == []


@pytest.mark.parametrize("other", ["a passphrase", None])
def test_a_key_beside_one_that_is_none_stands_in_no_traceback(other: str | None) -> None:
    key = KeyRing.new_key().reveal()

    shown = shown_on_the_way(lambda: KeyRing(key, other))  # type: ignore[arg-type]  # as os.environ.get() may give it

    assert key not in shown


@pytest.mark.parametrize("is_encrypted", [True, False])
def test_whoever_reads_the_file_of_an_encrypted_store_learns_no_secret_no_name_and_no_amount(
    world: World, tmp_path: Path, is_encrypted: bool
) -> None:
    file = SQLiteStore(tmp_path / "books.db")
    old, new = KeyRing.new_key(), KeyRing.new_key()
    store, out = encrypted(file, KeyRing(old)) if is_encrypted else file, Out()
    tokens = world.tokens()
    secrets = [each.reveal() for each in (tokens.access_token, tokens.refresh_token) if each]
    with world.xero(store, out) as xero:
        xero.connect(tokens, company="7")
        collect(world, xero, out)
        pay(xero, out)
    if is_encrypted:
        rotated = KeyRotation(encrypted(file, KeyRing(new, old)), clock=world.simulator.clock).run()
        assert (rotated.rewritten > 20, rotated.busy) == (True, ())
        with world.xero(encrypted(file, KeyRing(new)), out) as xero:
            assert Receivables(xero, clearing_account=CLEARING).reconcile().explained
            assert xero.organisation().base_currency == "NZD"
    file.close()

    kept = b"".join(each.read_bytes() for each in tmp_path.iterdir()).decode(errors="replace").casefold()
    shown = [word for word in (*PRIVATE, *secrets) if word.casefold() in kept]
    assert shown == [] if is_encrypted else set(secrets) <= set(shown)


def test_a_rotation_looks_at_every_kind_of_record_there_is(world: World, tmp_path: Path) -> None:
    with world.xero(file := SQLiteStore(tmp_path / "books.db"), out := Out()) as xero:
        xero.connect(world.tokens(), company="7")
        collect(world, xero, out)
        pay(xero, out)
    file.close()

    shelves = sqlite3.connect(tmp_path / "books.db").execute("SELECT kind, tenant = '' FROM shelves").fetchall()

    named = re.compile(r'Record(?:Key)?\(\s*"(\w+)"')
    source = "".join(each.read_text() for room in ("client", "engine") for each in ROOMS.joinpath(room).rglob("*.py"))
    known = {*KINDS_OF_ALL, *KINDS_OF_ORGANISATION}
    assert {kind for kind, for_all in shelves if for_all} <= set(KINDS_OF_ALL)
    assert {kind for kind, for_all in shelves if not for_all} <= set(KINDS_OF_ORGANISATION)
    assert set(named.findall(source)) <= known


LEAKY: Final = """
import logging, warnings
from xerosync import App, Tokens
from xerosync.errors import Misconfigured
from xerosync.simulator import Simulator
import pytest

@pytest.fixture
def given():
    simulator = Simulator()
    books = simulator.add_organisation()
    yield simulator.consent(simulator.register_app(), tenants=[books.tenant_id], scopes="offline_access openid")
    simulator.close()

def test_quiet(given): assert given.access_token
def test_prints(given): print(given.refresh_token)
def test_prints_a_piece(given): print("..." + given.refresh_token[:20])
def test_logs(given): logging.getLogger("some.library").debug("token=%s", given.access_token)
def test_logs_a_field(given): logging.getLogger("some.library").debug("token", extra={"token": given.refresh_token})
def test_errs(given):
    with pytest.raises(Misconfigured):
        raise Misconfigured(f"no good: {given.refresh_token}")
def test_warns(given): warnings.warn(given.id_token)
"""


def test_the_watch_fails_each_test_in_which_a_secret_comes_out(tmp_path: Path) -> None:
    (tmp_path / "test_leaky.py").write_text(LEAKY, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.canaries", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command += ["-W", "error", "-c", os.devnull, "--rootdir", str(tmp_path), str(tmp_path / "test_leaky.py")]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "PYTEST_ADDOPTS": ""}

    said = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, env=environment, check=False).stdout

    assert "6 failed, 1 passed" in said, said
    for name in ("prints", "prints_a_piece", "logs", "logs_a_field", "errs"):
        assert f"test_{name}: a secret came out in" in said
