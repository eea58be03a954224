"""Days that nobody means: found where Xero cannot read them, posted as they stand where it can."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from attrs import evolve
from tests.conftest import BANK, DAY, Product, nzd

from xerosync import Bill, BillLine, BillPayment, BillSettings, CardSpend, Payables, Settlement, WhenLocked
from xerosync.errors import InvalidInput
from xerosync.models import AccountCode


def bill(bill_id: str, on: date = DAY, due: date | None = None, amount: str = "10.00") -> Bill:
    line = BillLine(description="x", amount=nzd(amount), account=AccountCode("429"))
    return Bill(id=bill_id, vendor=f"Vendor {bill_id}", number=bill_id, on=on, due=due, lines=[line])


GOOD = bill("good", DAY + timedelta(1))
UNREAD = [
    bill("first", date.min),
    bill("due first", DAY, date.min),
    bill("credit", date.min, amount="-10.00"),
    bill("last but one", date(1752, 12, 31)),
]


@pytest.mark.parametrize("when_locked", WhenLocked)
@pytest.mark.parametrize("is_locked", [True, False])
def test_a_bill_of_a_day_that_xero_cannot_read_holds_up_no_other(
    product: Product, when_locked: WhenLocked, *, is_locked: bool
) -> None:
    """Xero refuses a whole call for it, and with it every bill of the call."""
    if is_locked:
        product.books.lock_period(DAY)
    purchases = Payables(product.xero(), payment_account=BANK, bills=BillSettings(when_locked=when_locked))

    plan = purchases.submit([*UNREAD, GOOD])
    purchases.apply(plan)
    changed = purchases.update([*UNREAD, evolve(GOOD, due=date(1, 1, 1))])

    assert [(each.code, each.about) for each in plan.findings] == [("cannot be posted", each.id) for each in UNREAD]
    assert {each.cause.partition(":")[0] for each in plan.findings} == {"on", "due"}
    assert [each.number for each in product.live_bills()] == ["good"]
    assert {each.about for each in changed.findings} == {each.id for each in [*UNREAD, GOOD]}


def test_a_payment_or_receipt_of_such_a_day_holds_up_no_other(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.submit([GOOD, bill("other")]))
    paid = purchases.pay(BillPayment(id=each, bill_id=each, on=on) for each, on in (("good", DAY), ("other", date.min)))
    receipts = [
        CardSpend(id=str(on), vendor="Taxi", on=on, account=BANK, lines=GOOD.lines) for on in (date.min, date.max)
    ]
    spent = purchases.spend(receipts)
    purchases.apply(paid)
    purchases.apply(spent)

    assert [(each.code, each.about) for each in paid.findings] == [("cannot be posted", "other")]
    assert [(each.code, each.about) for each in spent.findings] == [("cannot be posted", "0001-01-01")]
    assert len(product.live_payments()) == 1
    assert [each.date for each in product.books.bank_transactions] == [date.max]


def test_a_settlement_of_such_a_day_cannot_be_made() -> None:
    with pytest.raises(InvalidInput, match="on: give a day from 1753-01-01 on"):
        Settlement(id="S", on=date.min, lines=[])


def test_a_far_day_and_a_due_day_before_the_bills_own_are_posted_as_they_stand(
    product: Product, purchases: Payables
) -> None:
    bills = [bill("far", date.max), bill("early", DAY + timedelta(9), DAY), bill("first", date(1753, 1, 1))]
    purchases.apply(purchases.submit(bills))
    purchases.apply(purchases.pay(BillPayment(id=each.id, bill_id=each.id, on=each.on) for each in bills))

    found = {each.number: (each.date, each.due_date, each.status) for each in product.books.invoices}
    assert found == {each.id: (each.on, each.due or each.on, "PAID") for each in bills}
    assert not purchases.submit(bills)
    assert not purchases.update(bills)
    assert not purchases.follow_bills()


@pytest.mark.parametrize("when_locked", WhenLocked)
def test_books_that_are_closed_for_ever_hold_everything_back(product: Product, when_locked: WhenLocked) -> None:
    """There is no first open day to move anything to."""
    purchases = Payables(product.xero(), payment_account=BANK, bills=BillSettings(when_locked=when_locked))
    purchases.apply(purchases.submit([GOOD]))
    product.books.lock_period(date.max)

    submitted = purchases.submit([bill("b"), bill("c", amount="-10.00")])
    spent = purchases.spend([CardSpend(id="s", vendor="Taxi", on=DAY, account=BANK, lines=GOOD.lines)])
    changed = purchases.update([evolve(GOOD, number="other")])

    code = "waits for open books" if when_locked is WhenLocked.QUEUE else "books closed"
    assert [(each.code, each.about) for each in submitted.findings] == [(code, "b"), (code, "c")]
    assert [(each.code, each.about) for each in spent.findings] == [(code, "s")]
    assert [(each.code, each.about) for each in changed.findings] == [("books closed", "good")]
    assert (len(submitted), len(spent), len(changed)) == (0, 0, 0)
