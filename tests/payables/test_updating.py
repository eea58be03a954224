"""Bills that changed at their source are changed in Xero as far as money on them allows (95)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import DAY, Product, nzd

from xerosync import Bill, BillLine, BillPayment, Ledger, Payables
from xerosync.models import AccountCode, DocumentStatus
from xerosync.storage import MemoryStore


def line(amount: str = "10.00", account: str = "429", description: str = "paper") -> BillLine:
    return BillLine(description=description, amount=nzd(amount), account=AccountCode(account))


BILL = Bill(id="b1", vendor="Paper Ltd", number="7", on=DAY, lines=[line()])


def post(purchases: Payables, bill: Bill, *, paid: str = "") -> None:
    purchases.apply(purchases.submit([bill]))
    if paid:
        purchases.apply(purchases.pay([BillPayment(id="p1", bill_id=bill.id, on=DAY, amount=nzd(paid))]))


def test_what_has_not_changed_is_left_alone(purchases: Payables) -> None:
    post(purchases, BILL)

    assert not purchases.update([BILL])
    assert not purchases.update([evolve(BILL, id="unknown")])


def test_a_bill_is_changed_as_its_source_was(product: Product, purchases: Payables) -> None:
    post(purchases, BILL)
    changed = evolve(
        BILL,
        vendor="Other Ltd",
        number="8",
        on=DAY + timedelta(days=1),
        due=DAY + timedelta(days=9),
        lines=[line("12.00"), line("3.00", "404")],
    )

    purchases.apply(purchases.update([changed]))

    (bill,) = product.live_bills()
    assert (bill.number, bill.total, bill.date, bill.due_date) == ("8", Decimal(15), changed.on, changed.due)
    assert product.books.contact(bill.contact_id).name == "Other Ltd"
    assert (len(purchases.update([changed])), len(purchases.submit([changed]))) == (0, 0)
    assert purchases.submit([changed]).findings == ()


def test_it_may_change_again_and_back(product: Product, purchases: Payables) -> None:
    post(purchases, BILL)

    for amount in ("11.00", "10.00", "11.00"):
        purchases.apply(purchases.update([evolve(BILL, lines=[line(amount)])]))
        assert [each.total for each in product.live_bills()] == [Decimal(amount)]


def test_texts_and_coding_change_under_money_and_amounts_do_not(product: Product, purchases: Payables) -> None:
    post(purchases, BILL, paid="4.00")
    recoded = evolve(BILL, number="8", due=DAY + timedelta(days=9), lines=[line(account="404", description="glue")])

    purchases.apply(purchases.update([recoded]))
    plan = purchases.update([evolve(recoded, lines=[line("12.00", "404", "glue")])])

    (bill,) = product.live_bills()
    assert (bill.number, bill.due_date, bill.total, bill.amount_due) == ("8", recoded.due, Decimal(10), Decimal(6))
    assert bill.lines[0].account_id == product.books.account("404").id
    assert bill.lines[0].description == "glue"
    assert (len(plan), [each.code for each in plan.findings]) == (0, ["money on it"])
    assert not purchases.update([recoded])


def test_a_draft_is_approved_when_its_source_says_so_and_stays_so(product: Product, purchases: Payables) -> None:
    draft = evolve(BILL, status=DocumentStatus.DRAFT)
    post(purchases, draft)

    purchases.apply(purchases.update([BILL]))

    assert [each.status for each in product.books.invoices] == ["AUTHORISED"]
    assert not purchases.update([draft])


def test_a_bill_in_closed_books_stays(product: Product, purchases: Payables) -> None:
    post(purchases, BILL)
    product.books.lock_period(DAY)

    plan = purchases.update([evolve(BILL, lines=[line("12.00")])])

    assert (len(plan), [each.code for each in plan.findings]) == (0, ["books closed"])


@pytest.mark.parametrize("by_audit", [False, True])
def test_a_bill_that_the_store_had_forgotten_is_changed_as_any_other(product: Product, *, by_audit: bool) -> None:
    """What was sent is not known any more, so it is compared with what stands in Xero."""
    post(Payables(product.xero()), BILL)
    xero = product.xero(store=MemoryStore())
    later = Payables(xero)
    if by_audit:
        Ledger(xero).audit(adopt=True)
    later.apply(later.submit([BILL]))
    assert not later.update([BILL])

    later.apply(later.update([evolve(BILL, lines=[line("12.00")])]))

    assert [each.total for each in product.live_bills()] == [Decimal(12)]
    assert not later.update([evolve(BILL, lines=[line("12.00")])])
