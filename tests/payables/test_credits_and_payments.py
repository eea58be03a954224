"""Settling credits and paying bills: exact to the cent, oldest first, and nothing paid twice (G11–G15)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import cast

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import BANK, CLEARING, DAY, Product, found_product, nzd

from xerosync import (
    Bill,
    BillLine,
    BillPayment,
    MemoryStore,
    Money,
    Payables,
    Receivables,
    Settlement,
    SettlementLine,
    Xero,
)
from xerosync.errors import InvalidInput, Misconfigured
from xerosync.models import AccountCode, DocumentStatus
from xerosync.simulator import Document

PAID_ON = date(2026, 1, 30)


def bill(bill_id: str, amount: str | Decimal, *, on: date = DAY, vendor: str = "Paper Ltd") -> Bill:
    line = BillLine(description="paper", amount=nzd(amount), account=AccountCode("429"))
    return Bill(id=bill_id, vendor=vendor, number=bill_id, on=on, lines=[line])


def payment(bill_id: str, amount: str | None = None, payment_id: str = "") -> BillPayment:
    paid = nzd(amount) if amount is not None else None
    return BillPayment(id=payment_id or f"p-{bill_id}", bill_id=bill_id, on=PAID_ON, amount=paid)


def submit(purchases: Payables, *bills: Bill) -> None:
    purchases.apply(purchases.submit(bills))


def posted(product: Product, number: str) -> Document:
    (found,) = [each for each in [*product.books.invoices, *product.books.credit_notes] if each.number == number]
    return found


def test_credit_is_set_against_the_oldest_bill_first(product: Product, purchases: Payables) -> None:
    submit(
        purchases,
        bill("new", "50.00", on=DAY + timedelta(days=2)),
        bill("old", "30.00", on=DAY),
        bill("cn", "-40.00", on=DAY + timedelta(days=3)),
    )

    plan = purchases.settle_credits()
    purchases.apply(plan)

    assert plan.counts() == {"allocation": 2}
    assert (posted(product, "old").status, posted(product, "old").amount_due) == ("PAID", Decimal(0))
    assert posted(product, "new").amount_due == Decimal("40.00")
    assert posted(product, "cn").status == "PAID"
    assert sorted(each.amount for each in product.books.allocations) == [Decimal(10), Decimal(30)]
    assert product.books.payments == ()
    assert not purchases.settle_credits()


def test_what_no_bill_takes_is_refunded_to_the_payment_account(product: Product, purchases: Payables) -> None:
    submit(purchases, bill("b", "30.00"), bill("cn", "-30.01"))

    plan = purchases.settle_credits()
    purchases.apply(plan)

    (refund,) = product.books.payments
    assert (refund.amount, refund.date, refund.account_id) == (Decimal("0.01"), DAY, product.books.account(BANK).id)
    assert refund.document_id == posted(product, "cn").id
    assert posted(product, "b").status == posted(product, "cn").status == "PAID"
    assert (plan.counts(), len(purchases.settle_credits())) == ({"allocation": 1, "refund": 1}, 0)


def test_credit_of_one_vendor_is_never_set_against_anothers_bill(product: Product, purchases: Payables) -> None:
    submit(purchases, bill("b", "30.00", vendor="Other Ltd"), bill("cn", "-30.00"))

    purchases.apply(purchases.settle_credits())

    assert product.books.allocations == ()
    assert posted(product, "b").amount_due == 30
    assert [each.amount for each in product.live_payments()] == [Decimal(30)]


def test_bills_the_library_did_not_post_are_left_alone(product: Product, purchases: Payables) -> None:
    submit(purchases, bill("cn", "-30.00"))
    vendor = product.books.contacts[0]
    theirs = product.books.add_invoice(vendor.id, type="ACCPAY", number="theirs", amount=Decimal(30))

    purchases.apply(purchases.settle_credits())

    assert product.books.invoice(theirs.id).amount_due == 30


def test_a_bill_is_paid_in_full_unless_told_otherwise(product: Product, purchases: Payables) -> None:
    submit(purchases, bill("b", "30.05"))

    plan = purchases.pay([payment("b")])
    report = purchases.apply(plan)

    document = posted(product, "b")
    assert (document.status, product.standing(document.id)) == ("PAID", [(Decimal("30.05"), PAID_ON)])
    assert product.books.balance(product.books.account(BANK).id) == Decimal("-30.05")
    assert report.done("payment") == 1
    again = purchases.pay([payment("b")])
    assert (len(again), again.findings) == (0, ())


def test_part_payments_add_up_and_one_too_many_is_a_finding(product: Product, purchases: Payables) -> None:
    submit(purchases, bill("b", "30.00"))

    plan = purchases.pay([payment("b", "10.00", "p1"), payment("b", "15.00", "p2"), payment("b", "5.01", "p3")])
    purchases.apply(plan)

    assert [(finding.code, finding.about) for finding in plan.findings] == [("does not fit", "p3")]
    assert product.standing(posted(product, "b").id) == [(Decimal(10), PAID_ON), (Decimal(15), PAID_ON)]
    purchases.apply(purchases.pay([payment("b", payment_id="p4")]))
    assert posted(product, "b").status == "PAID"


def test_paying_after_a_credit_pays_only_what_is_left(product: Product, purchases: Payables) -> None:
    submit(purchases, bill("b", "30.00"), bill("cn", "-12.34"))
    purchases.apply(purchases.settle_credits())

    purchases.apply(purchases.pay([payment("b")]))

    assert product.standing(posted(product, "b").id) == [(Decimal("17.66"), PAID_ON)]


def test_a_bill_with_nothing_due_needs_no_payment(product: Product, purchases: Payables) -> None:
    submit(purchases, bill("b", "30.00"))
    product.books.add_payment(posted(product, "b").id, account=BANK)

    plan = purchases.pay([payment("b")])

    assert (len(plan), plan.findings) == (0, ())


def test_what_cannot_be_paid_is_a_finding(product: Product, purchases: Payables) -> None:
    submit(purchases, bill("b", "30.00"), bill("void", "5.00"))
    product.books.void_invoice(posted(product, "void").id)
    dollars = BillPayment(id="p-usd", bill_id="b", on=PAID_ON, amount=Money("1.00", "USD"))

    plan = purchases.pay([payment("never"), payment("void", "5.00"), dollars])

    assert {finding.about: finding.code for finding in plan.findings} == {
        "p-never": "not created here",
        "p-void": "does not fit",
        "p-usd": "does not fit",
    }
    assert not plan


def test_a_payment_removed_by_hand_is_a_finding_and_never_posted_again(product: Product, purchases: Payables) -> None:
    submit(purchases, bill("b", "30.00"))
    purchases.apply(purchases.pay([payment("b")]))
    product.books.remove_payment(product.live_payments()[0].id)

    plan = purchases.pay([payment("b")])

    assert (len(plan), [(each.code, each.about) for each in plan.findings]) == (0, [("removed in Xero", "p-b")])


def test_a_store_that_forgot_everything_pays_no_part_twice(product: Product, purchases: Payables) -> None:
    bills, parts = [bill("b", "30.00")], [payment("b", "10.00", "p1"), payment("b", "5.00", "p2")]
    purchases.apply(purchases.submit(bills))
    purchases.apply(purchases.pay(parts[:1]))
    forgetful = Payables(product.xero(store=MemoryStore()), payment_account=BANK)
    forgetful.apply(forgetful.submit(bills))

    plan = forgetful.pay(parts)
    forgetful.apply(plan)

    assert plan.counts() == {"adopt": 1, "payment": 1}
    assert product.standing(posted(product, "b").id) == [(Decimal(5), PAID_ON), (Decimal(10), PAID_ON)]
    assert not forgetful.pay(parts)


def test_a_settlement_line_and_a_bills_payment_may_have_one_number(product: Product, xero: Xero) -> None:
    """A host numbers each of its tables from one: neither payment may be taken for the other."""
    invoice = product.collectable("100.00")
    sales = Receivables(xero, clearing_account=CLEARING)
    line = SettlementLine(id="1", transaction=invoice.id, amount=nzd("100.00"))
    sales.apply(sales.settle(Settlement(id="1", on=DAY, lines=[line])))
    purchases = Payables(xero, payment_account=BANK)
    submit(purchases, bill("1", "30.00"))

    purchases.apply(purchases.pay([payment("1", payment_id="1")]))

    assert posted(product, "1").status == "PAID"
    assert product.books.invoice(invoice.id).status == "PAID"


def test_a_payment_xero_refuses_is_told_by_the_hosts_own_number(product: Product, purchases: Payables) -> None:
    submit(purchases, bill("b", "30.00"))
    plan = purchases.pay([payment("b")])
    product.books.lock_period(PAID_ON)

    report = purchases.apply(plan)

    assert [row["host_ref"] for row in plan.rows()] == ["p-b"]
    assert [(finding.code, finding.about) for finding in report.findings] == [("refused by Xero", "p-b")]
    assert [finding.about for finding in purchases.pay([payment("b")]).findings] == ["p-b"]


def test_an_allocation_undone_by_hand_is_a_finding_and_not_done_again(product: Product, purchases: Payables) -> None:
    submit(purchases, bill("cn", "-30.00"))
    purchases.apply(purchases.settle_credits())
    product.books.remove_payment(product.live_payments()[0].id)

    plan = purchases.settle_credits()

    assert (len(plan), [each.code for each in plan.findings]) == (0, ["removed in Xero"])


def test_the_account_that_pays_must_be_one_that_can(xero: Xero) -> None:
    with pytest.raises(Misconfigured, match="choose the payment account"):
        Payables(xero).pay([])
    with pytest.raises(Misconfigured, match="cannot be paid from this account"):
        Payables(xero, payment_account="610").pay([])
    with pytest.raises(Misconfigured, match="no account 999"):
        Payables(xero, payment_account="999").settle_credits()


def test_a_payment_given_twice_is_refused(purchases: Payables) -> None:
    with pytest.raises(InvalidInput, match="each payment once"):
        purchases.pay([payment("b"), payment("b")])


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(-3000, 3000).filter(bool), min_size=1, max_size=6))
def test_credits_and_payments_close_every_document_to_the_cent(cents: list[int]) -> None:
    """What leaves the bank is the sum of the papers, whatever their mix."""
    product = found_product()
    purchases = Payables(product.xero(), payment_account=BANK)
    amounts = {f"d{place}": Decimal(each).scaleb(-2) for place, each in enumerate(cents)}
    submit(purchases, *(bill(name, amount) for name, amount in amounts.items()))

    purchases.apply(purchases.settle_credits())
    purchases.apply(purchases.pay([payment(name) for name, amount in amounts.items() if amount > 0]))

    assert {each.status for each in [*product.books.invoices, *product.books.credit_notes]} == {"PAID"}
    assert product.books.balance(product.books.account(BANK).id) == -sum(amounts.values())
    assert product.books.balance(product.books.account("800").id) == 0
    product.simulator.close()


@pytest.mark.parametrize("status", [DocumentStatus.DRAFT, DocumentStatus.SUBMITTED])
@pytest.mark.parametrize("amount", [None, nzd("1.00")])
def test_a_bill_that_nobody_approved_is_not_paid_and_that_is_said(
    product: Product, purchases: Payables, status: DocumentStatus, amount: Money | None
) -> None:
    """Until it is approved; then the same payment is posted."""
    draft = evolve(bill("b1", "10.00"), status=status)
    purchases.apply(purchases.submit([draft]))
    payment = BillPayment(id="p1", bill_id="b1", on=DAY, amount=amount)

    plan = purchases.pay([payment])

    assert (len(plan), [(each.code, each.about) for each in plan.findings]) == (0, [("not approved", "p1")])
    purchases.apply(purchases.update([evolve(draft, status=DocumentStatus.AUTHORISED)]))
    purchases.apply(purchases.pay([payment]))
    assert len(product.live_payments()) == 1


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"on": DAY + timedelta(1)}, "day"),
        ({"account": "091"}, "account"),
        ({"amount": nzd("2.00")}, "amount"),
        ({"amount": Money("1.00", "USD")}, "currency"),
        ({"bill_id": "b2"}, "bill"),
    ],
)
def test_a_payment_that_is_given_again_changed_is_a_finding(
    product: Product, purchases: Payables, change: dict[str, object], differs: str, *, batch: bool
) -> None:
    purchases.apply(purchases.submit([bill("b1", "10.00"), bill("b2", "10.00")]))
    payments = [BillPayment(id=f"p{name}", bill_id=f"b{name}", on=DAY, amount=nzd("1.00")) for name in (1, 2)]
    purchases.apply(purchases.pay(payments, batch=batch))
    given = cast(Callable[..., BillPayment], evolve)(payments[0], **change)

    plan = purchases.pay([given, payments[1]], batch=batch)

    assert (len(plan), [(each.code, each.about) for each in plan.findings]) == (0, [("changed since posted", "p1")])
    assert plan.findings[0].cause.endswith(f": {differs}")
    assert len(product.live_payments()) == 2
    assert purchases.pay(payments, batch=batch).findings == ()
