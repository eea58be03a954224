"""
Whatever the published specification lets a client say, and much that it does not, is answered as Xero answers.

``XEROSYNC_FUZZ_CASES`` chooses how many calls (``nox -s fuzz``); without it a fixed sample is made.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from decimal import Decimal
from xml.etree.ElementTree import Element

import pytest
from attrs import frozen
from defusedxml.ElementTree import fromstring
from hypothesis import HealthCheck, Phase, given, note, settings
from tests.simulator.conftest import connect
from tests.simulator.spec_cases import SPECIFICATIONS, Case, Operation, Pool, cases, operations

from xerosync.ports import Request, Response
from xerosync.simulator import Bookkeeper, Simulator, Switches
from xerosync.simulator.books import Books

CASES = int(os.environ.get("XEROSYNC_FUZZ_CASES", "0"))
ANSWERS = {200, 204, 304, 400, 401, 403, 404, 405, 501}
DAY = date(2026, 1, 5)

pytestmark = pytest.mark.skipif(
    not SPECIFICATIONS.exists(), reason="Xero's specification is not here: put it into ../shared/openapi"
)


class Undone(Exception):
    """Takes back what a case did."""


@frozen
class Stage:
    """Books that hold one of everything, and what may be said of them."""

    simulator: Simulator
    keeper: Bookkeeper
    books: Books
    pool: Pool

    def rows(self) -> dict[str, dict[str, object]]:
        """Everything the books hold: rows are frozen, so that the same row has not changed."""
        return {table.kind: dict(getattr(table, "_rows")) for table in self.books.tables()}  # noqa: B009


def one_of_each(contact: str, sale: str, credit: str) -> list[tuple[str, str, object]]:
    """Calls that fill the books with what the bookkeeper has not entered."""
    bank = {"Code": "090"}
    line = {"Description": "Work", "Quantity": 1, "UnitAmount": "100.00", "AccountCode": "200"}
    return [
        ("PUT", "Invoices", {"Type": "ACCPAY", "Contact": {"ContactID": contact}, "LineItems": [line]}),
        ("PUT", "Items", {"Code": "ITEM", "Name": "Item"}),
        ("PUT", "TrackingCategories", {"Name": "Region"}),
        ("PUT", "ContactGroups", {"Name": "Group"}),
        ("PUT", "BankTransactions", {"Type": "RECEIVE", "Contact": {"ContactID": contact}, "BankAccount": bank,
                                     "LineItems": [line]}),
        ("PUT", "BankTransactions", {"Type": "RECEIVE-OVERPAYMENT", "Contact": {"ContactID": contact},
                                     "BankAccount": bank, "LineItems": [{"Description": "x", "LineAmount": "5.00"}]}),
        ("PUT", "BankTransactions", {"Type": "RECEIVE-PREPAYMENT", "Contact": {"ContactID": contact},
                                     "BankAccount": bank, "LineItems": [line]}),
        ("PUT", "BankTransfers", {"FromBankAccount": bank, "ToBankAccount": {"Code": "091"}, "Amount": "5.00"}),
        ("PUT", "ManualJournals", {"Narration": "x", "Status": "POSTED", "JournalLines": [
            {"LineAmount": "5.00", "AccountCode": "200"}, {"LineAmount": "-5.00", "AccountCode": "400"}]}),
        ("PUT", "BatchPayments", {"Account": bank, "Date": "2026-01-05", "Payments": [
            {"Invoice": {"InvoiceID": sale}, "Amount": "2.00"}]}),
        ("PUT", "PurchaseOrders", {"Contact": {"ContactID": contact}, "LineItems": [line]}),
        ("PUT", "Quotes", {"Contact": {"ContactID": contact}, "LineItems": [line], "Date": "2026-01-05"}),
        ("PUT", f"CreditNotes/{credit}/Allocations", {"Invoice": {"InvoiceID": sale}, "Amount": "1.00"}),
        ("PUT", f"Invoices/{sale}/Attachments/a.txt", "text"),
        ("PUT", f"Invoices/{sale}/History", {"HistoryRecords": [{"Details": "x"}]}),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    # Good elements of a refused batch are kept (A.01); here each refusal must leave nothing, so none are.
    simulator = Simulator(limits=False, switches=Switches(batch_is_atomic=True))
    keeper = simulator.add_organisation()
    product = connect(simulator, keeper, SCOPES)
    contact = keeper.add_contact("Ridgeway").id
    sale = keeper.add_invoice(contact, number="INV-9", amount=Decimal(115), date=DAY)
    note_ = keeper.add_credit_note(contact, amount=Decimal(23), date=DAY)
    keeper.add_payment(sale.id, account="090", amount=Decimal(1))
    keeper.add_currency("USD")
    abroad = keeper.add_invoice(contact, amount=Decimal(100), date=DAY, CurrencyCode="USD", CurrencyRate="0.6")
    keeper.add_payment(abroad.id, account="090", amount=Decimal(1))
    for method, path, body in one_of_each(contact, sale.id, note_.id):
        assert product.call(method, path, body).status != 400
    bill = keeper.add_invoice(contact, type="ACCPAY", amount=Decimal(10), date=DAY)
    keeper.link_expense(bill.id, line_id=bill.lines[0].id, contact_id=contact)
    books = simulator._world.books[keeper.tenant_id]
    held = {table.kind: [id_ for id_ in getattr(table, "_rows") if len(id_) == 36] for table in books.tables()}  # noqa: B009
    by_name = {f"{kind.title().replace('_', '')}ID": ids for kind, ids in held.items() if ids}
    by_name |= dict.fromkeys(("InvoiceID", "CreditNoteID", "OverpaymentID", "PrepaymentID"), held["document"])
    headers = {
        "Authorization": f"Bearer {product.access_token}",
        "Xero-Tenant-Id": product.tenant_id,
        "Accept": "application/json",
    }
    words = by_name | {
        "AccountCode": ["200", "090", "400", "610"], "Code": ["200", "090", "091", "ITEM"], "ItemCode": ["ITEM"],
        "TaxType": ["OUTPUT2", "INPUT2", "NONE"], "CurrencyCode": ["NZD", "USD"], "Name": ["Ridgeway", "Region", "New"],
        "InvoiceNumber": ["INV-9", "INV-10"], "ContactNumber": ["7"], "FileName": ["a.txt", "b.pdf"],
        "Amount": ["1.00", "5", "0.01"], "UnitAmount": ["10.00"], "Quantity": ["1", "2"], "LineAmount": ["10.00"],
        "CurrencyRate": ["0.6", "1", "1.5"], "BankAmount": ["1.50"],
    }  # fmt: skip
    yield Stage(simulator, keeper, books, Pool(headers, [id_ for ids in held.values() for id_ in ids], words))
    simulator.close()


SCOPES = (
    "openid offline_access accounting.transactions accounting.contacts accounting.settings accounting.attachments "
    "accounting.reports.read accounting.journals.read accounting.budgets.read"
)


def answered(stage: Stage, case: Case) -> None:
    """Make the call of *case*, look at what came of it, and take it back."""
    before = stage.rows()
    with suppress(Undone), stage.simulator.transaction():
        note(f"{case.method} {case.url}\n{case.headers.items() - stage.pool.headers.items()}\n{case.body!r}")
        response = stage.simulator.handle(Request(case.method, case.url, case.headers, case.body))
        note(f"-> {response.status} {response.body[:500]!r}")
        assert response.status in ANSWERS
        if response.status >= 400:
            check_refusal(response)
        elif response.body:
            read(response)
        if response.status >= 400 or case.method == "GET":
            assert stage.rows() == before, "a call that was refused, or only asked, has changed the books"
        else:
            assert sum(line.balance for line in stage.keeper.trial_balance()) == 0
        raise Undone
    assert stage.rows() == before


def read(response: Response) -> object:
    """The body as its content type says, if that is one of Xero's own."""
    kind = response.headers["content-type"]
    if kind.startswith("application/json"):
        return json.loads(response.body)
    return fromstring(response.body) if kind.startswith("text/xml") else None


def check_refusal(response: Response) -> None:
    match response.status:
        case 400:
            told = read(response)
            fields = {one.tag: one.text for one in told} if isinstance(told, Element) else told
            assert isinstance(fields, dict)
            if "error" not in fields:
                assert int(fields["ErrorNumber"]) in {10, 14, 16, 17}
                assert fields["Type"]
                assert fields["Message"]
        case 401 | 403:
            told = json.loads(response.body)
            assert list(told) == ["Type", "Title", "Status", "Detail", "Instance", "Extensions"]
            assert told["Status"] == response.status
        case 404:
            assert not response.body or response.headers["content-type"].startswith("text/html")
        case 501:
            assert b"ApiMethodNotImplementedException" in response.body
        case _:
            assert response.body == b""


def group(path: str) -> str:
    return path.strip("/").partition("/")[0]


def groups() -> list[str]:
    return sorted({group(one.path) for one in operations()}) if SPECIFICATIONS.exists() else ["any"]


@pytest.mark.parametrize("name", groups())
def test_every_operation_of_the_specification_bears_anything(stage: Stage, name: str) -> None:
    every = operations()
    weighed = [one for one in every if group(one.path) == name for _ in range(weight(one))]
    share = (CASES or 500) / sum(map(weight, every))

    @settings(
        max_examples=round(share * len(weighed)) + 1,
        derandomize=not CASES,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(cases(weighed, stage.pool))
    def bears(case: Case) -> None:
        answered(stage, case)

    bears()


def weight(operation: Operation) -> int:
    """How many of the calls go to *operation*: where a body may be given, most can be said wrongly."""
    if operation.path.count("/") > 2:
        return 1
    if operation.body is not None:
        return 8 if not operation.path_names else 4
    return 2
