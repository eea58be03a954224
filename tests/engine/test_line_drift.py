"""What people changed of lines although the total stayed: how they are coded and split, and their texts if chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import BANK, DAY, Product, Through, nzd

from xerosync import Bill, BillLine, BillPayment, CardSpend, DriftField, Ledger, Payables, Xero
from xerosync.models import AccountCode, BankTransaction, BankTransactionId, LineAmountTypes, LineItem

LINES = [
    BillLine(description="Paper", amount=nzd("10.00"), account=AccountCode("404"), tracking={"Region": "North"}),
    BillLine(description="Ink", amount=nzd("23.00"), account=AccountCode("453"), tax_type="INPUT2"),
]
BILL = Bill(id="b", vendor="Paper Ltd", number="1", on=DAY, due=DAY, amounts=LineAmountTypes.INCLUSIVE, lines=LINES)
NORTH = [{"Name": "Region", "Option": "North"}]
PAPER: Mapping[str, object] = {
    "Description": "Paper", "UnitAmount": "10.00", "AccountCode": "404", "Tracking": NORTH
}  # fmt: skip
INK: Mapping[str, object] = {"Description": "Ink", "UnitAmount": "23.00", "AccountCode": "453", "TaxType": "INPUT2"}


@pytest.fixture(autouse=True)
def posted(product: Product, purchases: Payables) -> str:
    product.books.add_tracking_category("Region", ["North", "South"])
    purchases.apply(purchases.submit([BILL]))
    return product.live_bills()[0].id


def edit(product: Product, *lines: Mapping[str, object]) -> None:
    product.books.edit_invoice(product.live_bills()[0].id, lines=lines)  # type: ignore[arg-type]


def drifted(xero: Xero, *fields: DriftField) -> list[tuple[DriftField, str, str]]:
    report = Ledger(xero).drift(fields) if fields else Ledger(xero).drift()
    return [(each.field, each.was, each.now) for each in report]


@pytest.mark.parametrize(
    ("lines", "was", "now"),
    [
        ([{**PAPER, "AccountCode": "429"}, INK], "404 region: north 10.00", "429 INPUT2 region: north 10.00"),
        ([PAPER, {**INK, "TaxType": "NONE"}], "453 INPUT2 23.00", "453 NONE 23.00"),
        (
            [{**PAPER, "Tracking": [{"Name": "Region", "Option": "South"}]}, INK],
            "404 region: north 10.00",
            "404 NONE region: south 10.00",
        ),
        ([PAPER, {**INK, "Tracking": NORTH}], "453 INPUT2 23.00", "453 INPUT2 region: north 23.00"),
        (
            [PAPER, {**INK, "UnitAmount": "20.00"}, {**INK, "UnitAmount": "3.00", "AccountCode": "429"}],
            "453 INPUT2 23.00",
            "429 INPUT2 3.00; 453 INPUT2 20.00",
        ),
    ],
)
def test_lines_that_are_coded_or_split_otherwise_are_told_with_what_they_were(
    product: Product, xero: Xero, lines: Sequence[Mapping[str, object]], was: str, now: str
) -> None:
    edit(product, *lines)

    assert drifted(xero) == [(DriftField.LINES, was, now)]


@pytest.mark.parametrize("lines", [[INK, PAPER], [{**PAPER, "Description": "A4"}, INK]])
def test_another_order_or_text_is_not_told_unasked(
    product: Product, xero: Xero, lines: Sequence[Mapping[str, object]]
) -> None:
    edit(product, *lines)

    assert drifted(xero) == []


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([INK, PAPER], []),
        ([{**PAPER, "Description": "Paper "}, INK], []),
        ([{**PAPER, "Description": "A4"}, INK], [("Paper", "A4")]),
        (
            [{**PAPER, "Description": "A4", "AccountCode": "429"}, {**INK, "Description": "A4"}],
            [("Ink; Paper", "A4; A4")],
        ),
        ([{**PAPER, "UnitAmount": "33.00"}], [("Ink", "nothing")]),
        ([PAPER, {**INK, "UnitAmount": "20.00"}, {**INK, "UnitAmount": "3.00", "Description": "more ink"}], []),
        ([PAPER, {**INK, "Description": "A4", "UnitAmount": "24.00"}], []),
    ],
)
def test_texts_are_told_where_they_count_for_the_host(
    product: Product, xero: Xero, lines: Sequence[Mapping[str, object]], told: list[tuple[str, str]]
) -> None:
    """A line that was added has nothing that was written; and another total says that its lines are others."""
    edit(product, *lines)

    assert drifted(xero, DriftField.TEXTS) == [(DriftField.TEXTS, was, now) for was, now in told]


def test_texts_are_followed_once_or_put_back(product: Product, purchases: Payables, xero: Xero) -> None:
    edit(product, {**PAPER, "Description": "A4"}, INK)

    purchases.apply(Ledger(xero).drift([DriftField.TEXTS]).follow())
    assert drifted(xero, *DriftField) == []
    edit(product, {**PAPER, "Description": "A5"}, INK)
    purchases.apply(Ledger(xero).drift(DriftField).restore())

    assert drifted(xero, *DriftField) == []
    assert [each.description for each in product.live_bills()[0].lines] == ["Paper", "Ink"]


def test_what_the_host_itself_changed_of_texts_has_not_drifted(purchases: Payables, xero: Xero) -> None:
    purchases.apply(purchases.update([evolve(BILL, lines=[evolve(LINES[0], description="A4"), LINES[1]])]))
    purchases.apply(purchases.pay([BillPayment(id="p", bill_id="b", on=DAY, amount=nzd("4.00"))]))

    assert drifted(xero, DriftField.TEXTS) == []


def test_another_total_is_told_as_that_alone(product: Product, xero: Xero) -> None:
    edit(product, PAPER, {**INK, "UnitAmount": "24.00"})

    assert [each for each, _, _ in drifted(xero)] == [DriftField.AMOUNT]


def test_what_the_host_wrote_and_paid_itself_has_not_drifted(product: Product, purchases: Payables, xero: Xero) -> None:
    """Also after its own changes, of which only a part is sent where money stands on the bill."""
    changed = Bill(
        id="b",
        vendor="Paper Ltd",
        number="1",
        on=DAY,
        amounts=LineAmountTypes.INCLUSIVE,
        lines=[BillLine(description="A4", amount=nzd("10.00"), account=AccountCode("429")), LINES[1]],
    )
    purchases.apply(purchases.pay([BillPayment(id="p", bill_id="b", on=DAY, amount=nzd("4.00"))]))
    assert drifted(xero) == []

    purchases.apply(purchases.update([changed]))
    assert product.live_bills()[0].lines[0].description == "A4"
    assert drifted(xero) == []


def test_changed_lines_are_put_back_or_accepted(product: Product, purchases: Payables, xero: Xero) -> None:
    edit(product, {**PAPER, "AccountCode": "429"}, INK)
    purchases.apply(Ledger(xero).drift().restore())
    assert drifted(xero) == []
    assert [product.books.account("404").id, product.books.account("453").id] == [
        each.account_id for each in product.live_bills()[0].lines
    ]

    edit(product, {**PAPER, "AccountCode": "429"}, INK)
    purchases.apply(Ledger(xero).drift().ignore("b"))
    assert drifted(xero) == []
    edit(product, {**PAPER, "AccountCode": "453"}, INK)
    assert [each for each, _, _ in drifted(xero)] == [DriftField.LINES]


def test_lines_are_read_only_of_what_changed_and_only_where_they_count(product: Product) -> None:
    urls: list[str] = []
    xero = product.xero(transport=Through(product.simulator.transport, before=lambda request: urls.append(request.url)))

    Ledger(xero).drift()
    assert not [each for each in urls if "IDs=" in each]
    product.books.add_payment(product.live_bills()[0].id, account=BANK, amount=Decimal(3))
    Ledger(xero).drift([DriftField.AMOUNT])
    assert not [each for each in urls if "IDs=" in each]
    Ledger(xero).drift()
    assert len([each for each in urls if "IDs=" in each]) == 1


@pytest.mark.parametrize("many", [2, 8])
def test_receipts_that_are_coded_otherwise_are_told_however_many_were_touched(product: Product, many: int) -> None:
    """A few are read one by one, and many in the list of what changed: never a call for each."""
    urls: list[str] = []
    xero = product.xero(transport=Through(product.simulator.transport, before=lambda request: urls.append(request.url)))
    purchases = Payables(xero)
    line = BillLine(description="taxi", amount=nzd("8.00"), account=AccountCode("429"))
    receipts = [CardSpend(id=f"r{n}", vendor="Taxi", on=DAY, account=BANK, lines=[line]) for n in range(many)]
    purchases.apply(purchases.spend(receipts))
    product.clock.advance(60)
    coded = LineItem(description="taxi", unit_amount=Decimal("8.00"), account_code=AccountCode("453"))
    for at, each in enumerate(product.books.bank_transactions):
        wanted = BankTransaction(bank_transaction_id=BankTransactionId(each.id), line_items=(coded,))
        if at == 1:
            product.xero().bank_transactions.update_one(wanted)
        product.books.reconcile_bank_transaction(each.id)
    Ledger(xero).drift([DriftField.AMOUNT])
    urls.clear()

    report = Ledger(xero).drift()

    assert [(each.about, each.field, each.was, each.now) for each in report] == [
        ("card/r1", DriftField.LINES, "429 NONE 8.00", "453 NONE 8.00")
    ]
    read = [each for each in urls if "/BankTransactions" in each]
    assert len(read) == 1 + (many if many <= 5 else 1)
