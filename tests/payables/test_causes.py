"""Trouble is told once for each cause; putting it right, or handling it outside, releases all that waits (109, 110)."""

from __future__ import annotations

from datetime import timedelta

from tests.conftest import DAY, Product, nzd

from xerosync import Bill, BillLine, BillPayment, Payables
from xerosync.models import AccountCode


def bill(bill_id: str, amount: str = "10.00", *, vendor: str = "Paper Ltd", days: int = 0) -> Bill:
    line = BillLine(description="paper", amount=nzd(amount), account=AccountCode("429"))
    return Bill(id=bill_id, vendor=vendor, number=bill_id, on=DAY + timedelta(days), lines=[line])


def test_all_bills_of_a_vendor_that_is_archived_wait_for_one_cause(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.submit([bill("first")]))
    contact = product.books.contacts[0]
    product.books.archive_contact(contact.id)
    bills = [bill("a"), bill("b", "5.50"), bill("c", vendor="PAPER  ltd"), bill("d", vendor="Other")]

    plan = purchases.submit(bills)
    (cause,) = plan.causes
    product.books.restore_contact(contact.id)
    released = purchases.submit(bills)

    assert plan.counts() == {"contact": 1, "bill": 1}
    assert (cause.code, cause.who, cause.waits) == ("archived", "the bookkeeper", ("a", "b", "c"))
    assert cause.worth == (nzd("25.50"),)
    assert released.counts() == {"contact": 1, "bill": 4}
    assert released.causes == ()


def test_all_that_lies_in_closed_books_waits_for_one_cause(product: Product, purchases: Payables) -> None:
    product.books.lock_period(DAY)
    bills = [bill("a"), bill("b"), bill("c", days=1)]

    (cause,) = purchases.submit(bills).causes
    product.books.lock_period(None)

    assert cause.waits == ("a", "b")
    assert str(cause).endswith("(2 wait)")
    assert purchases.submit(bills).counts() == {"contact": 1, "bill": 3}


def test_what_xero_refused_for_one_reason_is_one_cause_and_released_together(
    product: Product, purchases: Payables
) -> None:
    bills = [bill("a"), bill("b"), bill("c", days=1)]
    purchases.apply(purchases.submit(bills))
    payments = [BillPayment(id=f"p-{each.id}", bill_id=each.id, on=each.on) for each in bills]
    plan = purchases.pay(payments)
    product.books.lock_period(DAY)

    report = purchases.apply(plan)

    (cause,) = report.causes
    assert (cause.code, cause.waits) == ("refused by Xero", ("p-a", "p-b"))
    assert purchases.pay(payments).causes[0].waits == ("p-a", "p-b")
    product.books.lock_period(None)
    assert purchases.pay(payments, retry_refused=True).counts() == {"payment": 2}


def test_causes_for_which_most_waits_come_first(purchases: Payables) -> None:
    bills = [bill("a", vendor=" "), bill("b", "0.001"), bill("c", "0.001"), bill("d", "0.002")]

    assert [cause.waits for cause in purchases.submit(bills).causes] == [("b", "c", "d"), ("a",)]


def test_what_was_handled_outside_is_neither_planned_nor_found(product: Product, purchases: Payables) -> None:
    bills = [bill("a", vendor=" "), bill("b"), bill("c", "-4.00", vendor="Tape"), bill("d")]
    payments = [BillPayment(id=f"p-{name}", bill_id=name, on=DAY) for name in "abd"]
    purchases.apply(purchases.submit(bills[2:]))

    plan = purchases.handle_outside(["a", "b", "c"], payments=["p-d"], note="paid in cash")
    purchases.apply(plan)

    assert plan.counts() == {"handled": 4}
    assert not purchases.handle_outside(["a"])
    assert [(each.what, each.id, each.note) for each in purchases.handled_outside()] == [
        ("bill", "a", "paid in cash"),
        ("bill", "b", "paid in cash"),
        ("bill", "c", "paid in cash"),
        ("payment", "p-d", "paid in cash"),
    ]
    product.books.void_invoice(product.books.credit_notes[0].id)
    for quiet in (purchases.submit(bills), purchases.settle_credits(), purchases.pay(payments)):
        assert (quiet.actions, quiet.findings) == ((), ())


def test_what_was_handled_outside_may_be_taken_up_again(purchases: Payables) -> None:
    purchases.apply(purchases.handle_outside(["b"]))
    assert not purchases.submit([bill("b")])

    purchases.apply(purchases.take_up_again(["b", "never"]))

    assert purchases.handled_outside() == ()
    assert purchases.submit([bill("b")]).counts() == {"contact": 1, "bill": 1}
    purchases.apply(purchases.handle_outside(["b"]))
    assert not purchases.submit([bill("b")])
