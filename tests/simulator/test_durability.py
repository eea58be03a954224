"""The file: a process that is killed meets the same Xero again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.simulator.conftest import connect, invoice, payment

from xerosync.errors import InvalidInput, Misconfigured
from xerosync.ports import Request
from xerosync.simulator import Simulator, VirtualClock

SOURCE = Path(__file__).resolve().parents[2] / "src"

PAYING = """
import json, sys
from decimal import Decimal
from xerosync.ports import Request
from xerosync.simulator import Simulator

with Simulator(sys.argv[1], limits=False) as simulator:
    books = simulator.add_organisation()
    app = simulator.register_app("Killed")
    tokens = simulator.consent(app, tenants=[books.tenant_id])
    contact = books.add_contact("Ridgeway")
    one = books.add_invoice(contact.id, amount=Decimal(100000))
    headers = {"Authorization": f"Bearer {tokens.access_token}", "Xero-Tenant-Id": books.tenant_id,
               "Accept": "application/json"}
    print(json.dumps([books.tenant_id, tokens.access_token]), flush=True)
    for count in range(10000):
        body = {"Invoice": {"InvoiceID": one.id}, "Account": {"Code": "090"}, "Amount": 1}
        answer = simulator.handle(Request("PUT", "https://api.xero.com/api.xro/2.0/Payments", headers | {
            "Idempotency-Key": str(count)}, json.dumps(body).encode()))
        print(json.loads(answer.body)["Payments"][0]["PaymentID"], flush=True)
"""


def test_after_kill_minus_nine_every_answer_given_is_in_the_books(tmp_path: Path) -> None:
    file = tmp_path / "books.xero"
    child = subprocess.Popen(
        [sys.executable, "-c", PAYING, str(file)], stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(SOURCE)}
    )
    assert child.stdout is not None
    tenant, token = json.loads(child.stdout.readline())
    answered = [child.stdout.readline().strip() for _ in range(25)]
    os.kill(child.pid, signal.SIGKILL)
    answered += [line.strip() for line in child.stdout.read().splitlines() if len(line) == 36]
    child.wait()
    child.stdout.close()

    with Simulator(file, limits=False) as again:
        books = again.bookkeeper(tenant)
        kept = [made.id for made in books.payments]
        headers = {"Authorization": f"Bearer {token}", "Xero-Tenant-Id": tenant, "Accept": "application/json"}
        answer = again.handle(Request("GET", "https://api.xero.com/api.xro/2.0/Payments", headers))

        assert kept[: len(answered)] == answered
        assert len(kept) <= len(answered) + 1
        assert books.invoices[0].paid == len(kept)
        assert sum(line.balance for line in books.trial_balance()) == 0
        assert answer.status == 200
        assert books.add_payment(books.invoices[0].id, account="090", amount=Decimal(1)).id not in kept


def test_everything_comes_back_as_it_was(tmp_path: Path) -> None:
    """Books, credentials, the memory of keys, rate windows, and the clock."""
    file = tmp_path / "books.xero"
    with Simulator(file) as simulator:
        product = connect(simulator, simulator.add_organisation())
        contact = product.books.add_contact("Ridgeway", Phones=[{"PhoneType": "MOBILE", "PhoneNumber": "1"}])
        first = product.call("PUT", "Invoices", invoice(contact.id), Idempotency_Key="k1")
        product.call("PUT", "Payments", payment(product.books.invoices[0].id, "15.00"))
        assert isinstance(simulator.clock, VirtualClock)
        simulator.clock.advance(20)
        before = (product.books.invoices, product.books.payments, product.books.contacts, product.books.accounts)
        now, balances = simulator.clock.now(), product.books.trial_balance()

    with Simulator(file) as simulator:
        books = simulator.bookkeeper(product.tenant_id)
        again = connect(simulator, books)
        same = Request(
            "PUT",
            "https://api.xero.com/api.xro/2.0/Invoices",
            {
                "Authorization": f"Bearer {product.access_token}",
                "Xero-Tenant-Id": product.tenant_id,
                "Accept": "application/json",
                "Idempotency-Key": "k1",
            },
            json.dumps(invoice(contact.id)).encode(),
        )
        assert simulator.clock.now() >= now
        assert (books.invoices, books.payments, books.contacts, books.accounts) == before
        assert books.trial_balance() == balances
        answer = simulator.handle(same)
        assert answer.body.decode() == first.text
        assert answer.headers["x-minlimit-remaining"] == "57"
        assert again.refresh(again.refresh_token).status == 200


def test_waiting_is_kept_at_once(tmp_path: Path) -> None:
    """Who waited and was killed has still waited."""
    file = tmp_path / "books.xero"
    simulator = Simulator(file)
    simulator.add_organisation()
    assert isinstance(simulator.clock, VirtualClock)
    simulator.clock.advance(3600)
    now = simulator.clock.now()

    left = tmp_path / "left behind"
    left.mkdir()
    for each in tmp_path.glob("books.xero*"):
        shutil.copy(each, left)
    with Simulator(left / "books.xero") as again:
        assert again.clock.now() >= now
    simulator.close()


def test_an_error_inside_a_transaction_undoes_all_of_it(tmp_path: Path) -> None:
    with Simulator(tmp_path / "books.xero") as simulator:
        books = simulator.add_organisation()
        contact = books.add_contact("Ridgeway")

        def half_of_it() -> None:
            with simulator.transaction():
                books.add_invoice(contact.id, amount=Decimal(10))
                books.add_contact("ridgeway")

        with pytest.raises(InvalidInput):
            half_of_it()

        assert books.invoices == ()
        assert books.trial_balance() == ()
        assert not books.contacts[0].is_customer

    with Simulator(tmp_path / "books.xero") as again:
        assert again.bookkeeper(books.tenant_id).invoices == ()


def test_set_up_is_done_once(tmp_path: Path) -> None:
    rows = {
        "accounts": [{"code": "4001", "name": "Rent of rooms", "type": "EXPENSE"}, {"code": "091", "name": "Known"}],
        "contacts": [{"name": "0379-NEVHP"}],
        "invoices": [
            {"contact": "0379-nevhp", "number": "77", "date": "2026-01-02", "due": "2026-02-01", "amount": "12.50"}
        ],
    }  # fmt: skip
    for expected in (True, False):
        with Simulator(tmp_path / "books.xero") as simulator:
            books = (
                simulator.bookkeeper(simulator.organisations[0].id)
                if simulator.organisations
                else simulator.add_organisation()
            )
            assert books.set_up("csv", **rows) is expected
            assert [(one.number, str(one.total)) for one in books.invoices] == [("77", "12.50")]


def test_a_file_of_ten_thousand_documents_opens_quickly(tmp_path: Path) -> None:
    file = tmp_path / "books.xero"
    with Simulator(file) as simulator:
        books = simulator.add_organisation()
        contact = books.add_contact("Ridgeway")
        with simulator.transaction():
            for _ in range(10_000):
                books.add_invoice(contact.id, amount=Decimal(10))

    start = time.perf_counter()
    with Simulator(file) as again:
        took_s = time.perf_counter() - start
        assert len(again.bookkeeper(books.tenant_id).invoices) == 10_000
    assert timedelta(seconds=took_s) < timedelta(seconds=3)  # 1 s on a machine of its own


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("PRAGMA user_version=99")
    other.close()

    with pytest.raises(Misconfigured):
        Simulator(tmp_path / "other.db")


def test_a_file_is_one_simulators_at_a_time(tmp_path: Path) -> None:
    """A second one would write over what the first has written since it was read."""
    with Simulator(tmp_path / "books.xero") as simulator:
        simulator.add_organisation()
        with pytest.raises(Misconfigured, match=r"another process uses the simulator's books books\.xero"):
            Simulator(tmp_path / "books.xero", patience_s=0.05)
    with Simulator(tmp_path / "books.xero", patience_s=0.05) as again:
        assert len(again.organisations) == 1


def test_a_set_up_never_takes_an_account_of_another_type_for_the_one_it_names() -> None:
    """Else what is set up as a bank account may turn out to be an owner's drawings."""
    with Simulator() as simulator:
        books = simulator.add_organisation()

        with pytest.raises(InvalidInput, match="account 880 is there already"):
            books.set_up("clearing", accounts=[{"code": "880", "name": "Clearing", "type": "BANK"}])

        assert books.account("880").type != "BANK"
        assert books.set_up("clearing", accounts=[{"code": "1090", "name": "Clearing", "type": "BANK"}])
