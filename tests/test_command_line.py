"""The command line as interfaces outside rely on it: keys, exit codes, and books that a second run leaves alone."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import date, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import msgspec
import pytest

from xerosync import (
    App,
    Customer,
    KeyRing,
    Money,
    Receivables,
    Settlement,
    SettlementLine,
    SettlementSettings,
    SQLiteStore,
    State,
    Tokens,
    Xero,
    encrypted,
)
from xerosync._cli import demo, sample
from xerosync._cli.commands import main
from xerosync.errors import BudgetSpent
from xerosync.models import Account, AccountCode, Invoice, Payment
from xerosync.simulator import Simulator
from xerosync.simulator.clock import SystemClock
from xerosync.testing.sandbox import sandbox

RECEIVABLES = ["matched", "imported", "posted", "reversed", "findings", "calls", "clearing_balance"]
PAYABLES = ["rows", "vendors", "bills", "credit_notes", "payments", "findings", "calls", "total", "unposted"]


def played(store: Path, capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, dict[str, object]], int]:
    """What a run on *store* tells of each story, and how much it planned."""
    assert main(["demo", "--store", str(store), "--json"]) == 0
    outcome = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(outcome) == ["receivables", "payables", "planned"]
    planned: int = outcome.pop("planned")
    return outcome, planned


def written(store: Path) -> tuple[list[tuple[str, str]], list[tuple[str, Decimal, str]], Decimal]:
    """The documents and payments in the demo's books, and what stands on its clearing account."""
    with Simulator(f"{store}.xero") as simulator:
        books = simulator.bookkeeper(simulator.organisations[0].id)
        documents = sorted((each.id, each.status) for each in (*books.invoices, *books.credit_notes))
        payments = sorted((each.id, each.amount, each.status) for each in books.payments)
        return documents, payments, books.balance(books.account("1090").id)


def test_the_demo_tells_both_stories_in_the_keys_that_scripts_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told, _ = played(tmp_path / "demo.db", capsys)

    assert (list(told["receivables"]), list(told["payables"])) == (RECEIVABLES, PAYABLES)
    assert {type(value) for story in told.values() for value in story.values()} == {int, str}
    _, payments, balance = written(tmp_path / "demo.db")
    assert told["receivables"]["clearing_balance"] == str(balance)
    assert [status for *_, status in payments].count("DELETED") == told["receivables"]["reversed"] == 1


def test_a_second_run_of_the_demo_plans_nothing_and_leaves_the_books_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "demo.db"
    _, first = played(store, capsys)
    before = written(store)

    _, second = played(store, capsys)

    assert (first, second) == (47, 0)
    assert written(store) == before


def test_the_demo_ends_with_the_clearing_account_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo"]) == 0

    assert capsys.readouterr().out.splitlines()[-1].startswith("clearing 1343.16 NZD = 1343.16 NZD in flight")


class Found(msgspec.Struct):
    code: str
    cause: str
    fix: str
    who: str


class Checked(msgspec.Struct):
    organisation: str
    name: str
    passed: bool
    looked: bool
    findings: list[Found]


class Ran(msgspec.Struct):
    began: str
    ended: str | None
    actions: int
    done: int


class Stands(msgspec.Struct):
    organisation: str
    name: str
    open: int
    parked: int
    refused: int
    last_run: Ran
    findings: list[Found]


class Told(msgspec.Struct, forbid_unknown_fields=True):
    findings: int
    checks: list[Checked] = []
    organisations: list[Stands] = []

    @property
    def finding(self) -> Found:
        """The only one of all checks."""
        (found,) = [each for check in self.checks for each in check.findings]
        return found


def told(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, Told]:
    """The exit code of a command, and its JSON."""
    code = main([*words, "--json"])
    return code, msgspec.json.decode(capsys.readouterr().out.splitlines()[-1], type=Told)


@pytest.fixture
def demo_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    store = tmp_path / "demo.db"
    played(store, capsys)
    return store


def test_the_doctor_has_nothing_to_say_of_the_demo(demo_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, outcome = told(["doctor", "--store", str(demo_store)], capsys)

    assert (code, outcome.findings) == (0, 0)
    assert [check.name for check in outcome.checks][:3] == ["store", "connection", "scopes"]
    assert all(check.passed and check.looked for check in outcome.checks)
    assert main(["doctor", "--store", str(demo_store)]) == 0
    assert "✓ accounts: take payments" in capsys.readouterr().out


def test_the_doctor_examines_the_accounts_that_were_paid_through(
    demo_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Simulator(f"{demo_store}.xero") as simulator:
        simulator.bookkeeper(simulator.organisations[0].id).archive_account("1090")

    code, outcome = told(["doctor", "--store", str(demo_store)], capsys)

    assert (code, outcome.findings) == (1, 1)
    assert outcome.finding.code == "account takes no payments"
    assert outcome.finding.who == "you"
    assert "ARCHIVED" in outcome.finding.cause


def test_the_doctor_examines_a_store_whose_payments_were_all_typed_by_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, name, day = tmp_path / "typed.db", "Ana", date(2026, 1, 5)
    with sandbox(store) as box:
        sale = {"contact": name, "number": "1", "date": "2026-01-05", "due": "2026-01-15", "amount": "100.00"}
        box.set_up("typed", contacts=[{"name": name}], accounts=sample.ACCOUNTS, invoices=[sale])
        sales = Receivables(box.xero, clearing_account=sample.CLEARING)
        sales.apply(sales.match([Customer(id=name, custom_identifier=name)]))
        sales.apply(sales.import_invoices())
        (due,) = sales.transactions()
        for amount, on in ((Decimal(40), day), (Decimal(60), day + timedelta(days=1))):
            account = Account(code=AccountCode(sample.CLEARING))
            invoice = Invoice(invoice_id=due.invoice_id)
            box.xero.payments.create([Payment(invoice=invoice, account=account, amount=amount, date=on)])
        lines = [
            SettlementLine(id=amount, transaction=due.id, amount=Money(amount, "NZD")) for amount in ("40.00", "60.00")
        ]
        taken = sales.apply(sales.backfill(Settlement(id="S1", on=day, lines=lines)))
        assert [each.state for each in taken.results] == [State.CONFIRMED, State.SUSPECT]

    code, outcome = told(["doctor", "--store", str(store)], capsys)

    assert (code, outcome.findings) == (0, 0)
    assert all(check.passed for check in outcome.checks)


def test_the_doctor_examines_the_account_of_a_batch_that_was_broken_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "batches.db"
    with sandbox(store) as box:
        box.set_up("story", contacts=sample.CONTACTS, accounts=sample.ACCOUNTS, invoices=sample.invoices())
        chosen = SettlementSettings(bank_account=sample.BANK, fee_account="4000", provider="Provider", batches=True)
        sales = Receivables(box.xero, clearing_account=sample.CLEARING, settlements=chosen)
        sales.apply(sales.match(sample.customers()))
        sales.apply(sales.import_invoices())
        paid = {each.invoice_number: each.id for each in sales.transactions()}
        plan = sales.settle(sample.settlements(paid, "NZD")[0])
        with pytest.raises(BudgetSpent), box.xero.run(calls=1):
            sales.apply(plan.only(lambda action: action.kind == "batch_payment"))
    with Simulator(f"{store}.xero") as simulator:
        simulator.bookkeeper(simulator.organisations[0].id).archive_account(sample.CLEARING)

    code, outcome = told(["doctor", "--store", str(store)], capsys)

    assert (code, outcome.finding.code) == (1, "account takes no payments")


def test_the_doctor_does_not_connect_what_was_disconnected(
    demo_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Simulator(f"{demo_store}.xero") as simulator:
        simulator.bookkeeper(simulator.organisations[0].id).disconnect()

    for _ in range(2):
        code, outcome = told(["doctor", "--store", str(demo_store)], capsys)
        assert (code, outcome.finding.code, outcome.finding.who) == (1, "reconnect needed", "the user")


def test_the_doctor_asks_a_simulator_that_is_served_elsewhere(
    demo_store: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    store = tmp_path / "served.db"
    with Simulator(clock=SystemClock()) as simulator:
        organisation = simulator.add_organisation()
        with simulator.serve() as server:
            with sandbox(store, xero=server.url):
                pass
            code, outcome = told(["doctor", "--store", str(store), "--xero", server.url], capsys)
            assert (code, outcome.findings) == (0, 0)
            assert {check.organisation for check in outcome.checks} == {organisation.tenant_id}
            # Another store's consent was given by another Xero.
            code, outcome = told(["doctor", "--store", str(demo_store), "--xero", server.url], capsys)
            assert code == 1

    assert main(["doctor", "--store", str(store)]) == 2


@pytest.mark.parametrize("body", [b"", b"<p>no books here</p>"])
def test_what_is_no_simulator_is_said_to_be_none_in_one_line(
    body: bytes, demo_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (named by http.server)
            """It is nobody's to read."""

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.handle_request, daemon=True).start()
        assert main(["doctor", "--store", str(demo_store), "--xero", url]) == 2
    assert main(["doctor", "--store", str(demo_store), "--xero", url]) == 2

    another, gone = capsys.readouterr().err.splitlines()
    assert another.startswith(f"xerosync: what answers at {url} is no simulator: give the URL that")
    assert gone.startswith(f"xerosync: nothing answers at {url} (ConnectError on the way to Xero): give the URL that")


def test_several_organisations_are_told_apart_by_name_and_id(
    demo_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Simulator(f"{demo_store}.xero") as simulator, closing(SQLiteStore(demo_store)) as store:
        second = simulator.add_organisation("Second Ltd")
        app = simulator.app("xerosync")
        assert app is not None
        consent = simulator.consent(app, tenants=[second.tenant_id])
        ends = simulator.clock.now() + timedelta(seconds=consent.expires_in)
        own = App(app.client_id, app.client_secret)
        xero = Xero(own, second.tenant_id, store=store, transport=simulator.transport, clock=simulator.clock)
        xero.connect(Tokens(consent.access_token, consent.refresh_token, ends))

    for command in ("doctor", "status"):
        assert main([command, "--store", str(demo_store)]) == 0
        assert f"Second Ltd, {second.tenant_id}" in capsys.readouterr().out
        # As somebody pastes it.
        assert main([command, "--store", str(demo_store), "--organisation", f" {second.tenant_id.upper()} "]) == 0
        capsys.readouterr()


def test_status_lists_each_organisation_with_its_last_run(demo_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, outcome = told(["status", "--store", str(demo_store)], capsys)

    assert (code, outcome.findings) == (0, 0)
    (organisation,) = outcome.organisations
    assert organisation.name == "Demo Company (NZ)"
    assert (organisation.open, organisation.parked, organisation.refused) == (0, 0, 0)
    run = organisation.last_run
    assert run.done == run.actions > 0
    assert run.ended is not None
    assert run.began < run.ended
    chosen = ["status", "--store", str(demo_store), "--organisation", organisation.organisation]
    assert told(chosen, capsys) == (0, outcome)
    assert main(chosen) == 0
    assert "0 open, 0 parked, 0 refused" in capsys.readouterr().out


def test_status_shows_what_a_broken_run_left_open(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "broken.db"
    with sandbox(store) as box:
        box.set_up("story", contacts=sample.CONTACTS, accounts=sample.ACCOUNTS, invoices=sample.invoices())
        sales = Receivables(box.xero, clearing_account=sample.CLEARING)
        sales.apply(sales.match(sample.customers()))
        sales.apply(sales.import_invoices())
        paid = {each.invoice_number: each.id for each in sales.transactions()}
        plan = sales.settle(sample.settlements(paid, "NZD")[0])
        with pytest.raises(BudgetSpent), box.xero.run(calls=1):
            sales.apply(plan)

    code, outcome = told(["status", "--store", str(store)], capsys)

    (organisation,) = outcome.organisations
    assert code == 1
    assert organisation.open == len(plan) == outcome.findings
    assert organisation.last_run.ended is None
    assert {each.code for each in organisation.findings} == {"still open"}
    assert main(["status", "--store", str(store)]) == 1
    assert "it is under way, or was broken off" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["doctor", "status"])
def test_what_cannot_be_looked_at_is_one_line_and_exits_2(
    command: str, tmp_path: Path, demo_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.db"
    other.write_text("no store, but text that is long enough to be taken for a file of SQLite's, were it one" * 9)
    empty = tmp_path / "empty.db"
    SQLiteStore(empty).close()
    blank = tmp_path / "blank.db"
    blank.touch()
    sealed = tmp_path / "sealed.db"
    with closing(SQLiteStore(sealed)) as store, closing(SQLiteStore(demo_store)) as plain:
        encrypted(store, KeyRing(KeyRing.new_key())).commit(plain.query("company", ""))
    for words in (
        ["--store", str(tmp_path / "none.db")],
        ["--store", str(other)],
        ["--store", str(empty)],
        ["--store", str(demo_store), "--organisation", "another"],
        ["--store", str(sealed)],
        ["--store", str(blank)],
    ):
        assert main([command, *words]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("xerosync: ")
    assert not (tmp_path / "none.db").exists()
    assert blank.read_bytes() == b""
    assert not (tmp_path / "empty.db.xero").exists()


@pytest.mark.parametrize(
    "words", [[], ["nothing"], ["demo", "--nothing"], ["demo", "--store"], ["doctor"], ["status", "--json"]]
)
def test_wrong_use_says_so_and_exits_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)

    assert ended.value.code == 2
    assert "usage: xerosync" in capsys.readouterr().err


def test_what_fails_is_one_line_and_exits_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--store", str(tmp_path / "nowhere" / "demo.db")]) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert "check that its folder exists" in line


def test_an_interrupted_demo_is_one_line_and_exits_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "run", interrupt)

    assert main(["demo"]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
