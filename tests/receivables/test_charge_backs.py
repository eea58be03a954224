"""A charge-back removes every payment of its transaction, and the invoice is open again (R23, R24)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, localcontext

import pytest
from tests.conftest import CLEARING, DAY, Product, nzd
from tests.engine.backups import backup, restore

from xerosync import (
    Ledger,
    LineKind,
    Receivables,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Surplus,
    Xero,
)
from xerosync.errors import RateLimited
from xerosync.simulator import Fault

LATER = date(2026, 2, 4)


def collected(transaction: str, *amounts: str) -> Settlement:
    lines = [
        SettlementLine(id=f"{transaction}/{part}", transaction=transaction, amount=nzd(amount))
        for part, amount in enumerate(amounts)
    ]
    return Settlement(id="S1", on=DAY, lines=lines)


def charged_back(transaction: str, amount: str = "100.00") -> Settlement:
    back = SettlementLine(
        id=f"{transaction}/back", transaction=transaction, amount=nzd(amount), kind=LineKind.CHARGED_BACK
    )
    return Settlement(id="S2", on=LATER, lines=[back])


def assert_open_again(product: Product, invoice_id: str, payments: int) -> None:
    invoice = product.books.invoice(invoice_id)
    assert (invoice.status, invoice.amount_due) == ("AUTHORISED", invoice.total)
    assert [payment.status for payment in product.books.payments] == ["DELETED"] * payments
    assert product.books.balance(product.books.account(CLEARING).id) == 0


def test_all_payments_of_the_transaction_are_removed_in_a_later_settlement(
    product: Product, sales: Receivables
) -> None:
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(collected(invoice.id, "60.00", "40.00")))

    plan = sales.settle(charged_back(invoice.id))
    report = sales.apply(plan)

    assert (plan.counts(), report.done("removal")) == ({"removal": 2}, 2)
    assert_open_again(product, invoice.id, payments=2)


def test_what_is_collected_and_charged_back_in_one_plan_ends_open(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    both = [charged_back(invoice.id), collected(invoice.id, "60.00", "40.00")]

    plan = sales.settle(both)
    sales.apply(plan)

    assert plan.counts() == {"payment": 2, "removal": 2}
    assert_open_again(product, invoice.id, payments=2)
    assert (len(sales.settle(both)), sales.settle(both).findings) == (0, ())


def test_a_charge_back_leaves_other_transactions_alone(product: Product, sales: Receivables) -> None:
    disputed, kept = product.collectable("100.00"), product.collectable("50.00")
    sales.apply(sales.settle([collected(disputed.id, "100.00"), collected(kept.id, "50.00")]))

    sales.apply(sales.settle(charged_back(disputed.id)))

    assert product.standing(disputed.id) == []
    assert product.standing(kept.id) == [(Decimal(50), DAY)]


def test_charging_back_again_plans_nothing(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(collected(invoice.id, "100.00")))
    sales.apply(sales.settle(charged_back(invoice.id)))

    again = sales.settle([collected(invoice.id, "100.00"), charged_back(invoice.id)])

    assert (len(again), again.findings) == (0, ())


def test_nothing_to_take_back_is_a_finding(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")

    plan = sales.settle(charged_back(invoice.id))

    assert [(finding.code, finding.retry) for finding in plan.findings] == [("nothing to take back", True)]
    assert not plan


def test_nothing_to_take_back_is_said_of_a_collection_that_xero_refused(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    plan = sales.settle(collected(invoice.id, "100.00"))
    product.books.lock_period(LATER)
    sales.apply(plan)

    assert [each.code for each in sales.settle(charged_back(invoice.id)).findings] == ["nothing to take back"]


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER])
def test_a_charge_back_waits_aloud_for_a_payment_whose_outcome_is_open(
    product: Product, sales: Receivables, fault: Fault
) -> None:
    invoice = product.collectable("100.00")
    product.simulator.faults.plan(fault, method="PUT", path="/Payments")
    sales.apply(sales.settle(collected(invoice.id, "60.00")))

    waiting = sales.settle(charged_back(invoice.id, "60.00"))
    sales.recover()
    sales.apply(sales.settle(charged_back(invoice.id, "60.00")))

    assert [(finding.code, finding.retry) for finding in waiting.findings] == [("still open", True)]
    assert_open_again(product, invoice.id, payments=1)


def test_a_payment_removed_by_hand_needs_no_removal(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(collected(invoice.id, "60.00", "40.00")))
    product.books.remove_payment(product.live_payments()[0].id)

    plan = sales.settle(charged_back(invoice.id))
    sales.apply(plan)

    assert plan.counts() == {"adopt": 1, "removal": 1}
    assert_open_again(product, invoice.id, payments=2)
    assert not sales.settle([collected(invoice.id, "60.00", "40.00"), charged_back(invoice.id)])
    assert sales.settle([collected(invoice.id, "60.00", "40.00"), charged_back(invoice.id)]).findings == ()
    assert sales.reconcile([collected(invoice.id, "60.00", "40.00"), charged_back(invoice.id)]).clean


def test_a_payment_that_was_reconciled_since_it_was_planned_to_be_removed_stays_and_xero_says_why(
    product: Product, sales: Receivables
) -> None:
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(collected(invoice.id, "100.00")))
    plan = sales.settle(charged_back(invoice.id))
    product.books.reconcile_payment(product.live_payments()[0].id)

    report = sales.apply(plan)

    assert [finding.code for finding in report.findings] == ["refused by Xero"]
    assert product.standing(invoice.id) == [(Decimal(100), DAY)]
    assert [each.code for each in sales.settle(charged_back(invoice.id)).findings] == ["refused by Xero"]


def test_without_an_account_for_it_a_payment_that_stays_is_a_finding(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(collected(invoice.id, "100.00")))
    product.books.reconcile_payment(product.live_payments()[0].id)

    plan = sales.settle(charged_back(invoice.id))

    assert [(len(plan), finding.code) for finding in plan.findings] == [(0, "payment stays")]


def stays(product: Product, invoice_id: str, why: str) -> None:
    """Let the payment of 100.00 be such as cannot be removed, for the reason *why*."""
    (payment,) = product.live_payments()
    match why:
        case "reconciled":
            product.books.reconcile_payment(payment.id)
        case "closed":
            product.books.lock_period(date(2026, 1, 31))
        case _:
            raise ValueError(why)
    assert payment.document_id == invoice_id


@pytest.mark.parametrize("why", ["reconciled", "closed"])
@pytest.mark.parametrize("clearing", [CLEARING, "650"])
def test_an_invoice_takes_the_place_of_a_payment_that_stays(
    product: Product, xero: Xero, clearing: str, why: str
) -> None:
    product.books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)
    product.books.add_account("651", "Charge-backs", type="CURRENT")
    sales = Receivables(xero, clearing_account=clearing, settlements=SettlementSettings(charge_back_account="651"))
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(collected(invoice.id, "100.00")))
    stays(product, invoice.id, why)

    plan = sales.settle(charged_back(invoice.id))
    sales.apply(plan)

    assert all({"reconciled": "reconciled", "closed": "in closed books"}[why] in each.reason for each in plan)
    (owed,) = [each for each in product.books.invoices if each.id != invoice.id]
    assert (owed.contact_id, owed.amount_due, owed.status) == (invoice.contact_id, Decimal(100), "AUTHORISED")
    assert owed.reference.startswith(f"{invoice.number} XS-")
    assert product.standing(invoice.id) == [(Decimal(100), DAY)]
    clearing_id, between = (product.books.account(code).id for code in (clearing, "651"))
    assert [product.books.balance(each) for each in (clearing_id, between)] == [0, 0]
    assert sales.reconcile().clean
    assert not sales.settle(charged_back(invoice.id))
    assert sales.settle(charged_back(invoice.id)).findings == ()


@pytest.mark.parametrize("stayed", [True, False])
def test_a_dispute_that_was_won_pays_what_is_open(product: Product, xero: Xero, *, stayed: bool) -> None:
    product.books.add_account("651", "Charge-backs", type="CURRENT")
    sales = Receivables(xero, clearing_account=CLEARING, settlements=SettlementSettings(charge_back_account="651"))
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(collected(invoice.id, "100.00")))
    if stayed:
        stays(product, invoice.id, "reconciled")
    sales.apply(sales.settle(charged_back(invoice.id)))
    won = SettlementLine(id="W1", transaction=invoice.id, amount=nzd("100.00"), kind=LineKind.REINSTATED)
    back_again = Settlement(id="S9", on=date(2026, 3, 1), lines=[won])

    sales.apply(sales.settle(back_again))

    assert [each.amount_due for each in product.books.invoices] == [0] * (1 + stayed)
    assert product.books.balance(product.books.account(CLEARING).id) == 100
    assert not sales.settle(back_again)
    assert sales.reconcile().clean


def test_a_declined_line_leaves_its_invoice_as_it_is(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    line = SettlementLine(id="D1", transaction=invoice.id, amount=nzd("100.00"), kind=LineKind.DECLINED)

    plan = sales.settle(Settlement(id="S1", on=DAY, lines=[line]))

    assert (len(plan), plan.findings) == (0, ())
    assert product.books.invoice(invoice.id).amount_due == 100


@pytest.mark.parametrize("amount", ["100.00", "33.33"])
def test_a_refund_makes_the_sale_smaller_and_leaves_its_invoice_settled(
    product: Product, sales: Receivables, amount: str
) -> None:
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(collected(invoice.id, "100.00")))
    line = SettlementLine(id="R1", transaction=invoice.id, amount=nzd(amount), kind=LineKind.REFUNDED)
    refunded = Settlement(id="S2", on=date(2026, 1, 20), lines=[line])

    plan = sales.settle(refunded)
    sales.apply(plan)

    assert plan.counts() == {"sale_credit": 1, "refund": 1}
    (note,) = product.books.credit_notes
    assert (note.total, note.status, note.reference.startswith(f"{invoice.number} XS-")) == (
        Decimal(amount),
        "PAID",
        True,
    )
    assert [line.account_id for line in note.lines] == [invoice.lines[0].account_id]
    assert product.books.invoice(invoice.id).status == "PAID"
    assert product.books.balance(product.books.account(CLEARING).id) == 100 - Decimal(amount)
    assert sales.reconcile().clean
    assert not sales.settle(refunded)
    assert sales.settle(refunded).findings == ()


def test_more_than_was_sold_is_not_refunded(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(collected(invoice.id, "100.00")))
    line = SettlementLine(id="R1", transaction=invoice.id, amount=nzd("100.01"), kind=LineKind.REFUNDED)

    plan = sales.settle(Settlement(id="S2", on=DAY, lines=[line]))

    assert [(len(plan), each.code) for each in plan.findings] == [(0, "does not fit")]


def test_a_refund_is_finished_after_a_crash_between_its_two_writes(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(collected(invoice.id, "100.00")))
    line = SettlementLine(id="R1", transaction=invoice.id, amount=nzd("40.00"), kind=LineKind.REFUNDED)
    refunded = Settlement(id="S2", on=DAY, lines=[line])
    sales.apply(sales.settle(refunded).only(lambda action: action.kind == "sale_credit"))

    sales.apply(sales.settle(refunded))

    assert [each.status for each in product.books.credit_notes] == ["PAID"]
    assert product.books.balance(product.books.account(CLEARING).id) == 60


def test_a_refund_that_xero_refused_is_planned_again(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(collected(invoice.id, "100.00")))
    line = SettlementLine(id="R1", transaction=invoice.id, amount=nzd("40.00"), kind=LineKind.REFUNDED)
    refunded = Settlement(id="S2", on=DAY, lines=[line])
    product.simulator.faults.plan(Fault.PARTIAL_BATCH, method="PUT", path="/CreditNotes")
    assert [each.code for each in sales.apply(sales.settle(refunded)).findings] == ["refused by Xero", "held back"]

    sales.apply(sales.settle(refunded, retry_refused=True))

    assert [(each.total, each.status) for each in product.books.credit_notes] == [(Decimal(40), "PAID")]


def test_a_charge_back_of_less_than_was_collected_removes_nothing_and_says_so(
    product: Product, sales: Receivables
) -> None:
    """A payment is removed whole or not at all, and 60.00 of it was rightly collected."""
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(collected(invoice.id, "100.00")))

    plan = sales.settle(charged_back(invoice.id, "40.00"))

    assert (len(plan), [(each.code, each.worth) for each in plan.findings]) == (0, [("does not fit", nzd("40.00"))])
    assert product.standing(invoice.id) == [(Decimal(100), DAY)]


def test_the_hosts_own_precision_rounds_no_sum(product: Product, sales: Receivables) -> None:
    invoice = product.collectable("1234567.89")
    with localcontext(prec=6):
        plan = sales.settle(collected(invoice.id, "1000000.01", "234567.88"))
        assert plan.counts() == {"payment": 2}
    sales.apply(plan)

    with localcontext(prec=6):
        back = sales.settle(charged_back(invoice.id, "1234567.89"))

    assert (back.counts(), back.findings) == ({"removal": 2}, ())


@pytest.mark.parametrize("rounds", [1, 2])
def test_what_is_collected_charged_back_and_collected_again_in_one_plan_ends_paid(
    product: Product, sales: Receivables, rounds: int
) -> None:
    """In one plan, or with the first collection posted before: what is taken back makes room for what comes after."""
    invoice = product.collectable("100.00")
    again = SettlementLine(id="again", transaction=invoice.id, amount=nzd("100.00"))
    chain = [
        collected(invoice.id, "60.00", "40.00"),
        charged_back(invoice.id),
        Settlement(id="S3", on=date(2026, 2, 11), lines=[again]),
    ]
    if rounds == 2:
        sales.apply(sales.settle(chain[0]))

    plan = sales.settle(chain)
    report = sales.apply(plan)

    assert plan.findings == report.findings == ()
    assert product.standing(invoice.id) == [(Decimal(100), date(2026, 2, 11))]
    assert product.books.invoice(invoice.id).status == "PAID"
    assert len(product.books.payments) == 3
    assert not sales.settle(chain)
    assert sales.settle(chain).findings == ()


def test_what_was_collected_in_one_sum_is_charged_back_by_an_invoice_in_its_place(product: Product, xero: Xero) -> None:
    first, second = product.collectable("100.00"), product.collectable("60.00", "Ben Wu")
    chosen = SettlementSettings(charge_back_account="850", batches=True)
    sales = Receivables(xero, clearing_account=CLEARING, settlements=chosen)
    lines = [
        SettlementLine(id=f"L{place}", transaction=each.id, amount=nzd(each.total))
        for place, each in enumerate((first, second))
    ]
    settlement = Settlement(id="S1", on=DAY, lines=lines)
    plan = sales.settle(settlement)
    sales.apply(plan)

    back = sales.settle(charged_back(first.id))
    sales.apply(back)

    assert all("part of a batch" in each.reason for each in back)
    assert plan.counts() == {"batch_payment": 1}
    assert [(each.type, each.total) for each in product.books.batch_payments] == [("RECBATCH", Decimal(160))]
    owed = [each.total for each in product.books.invoices if each.type == "ACCREC" and each.amount_due]
    assert owed == [Decimal(100)]
    assert product.books.balance(product.books.account(CLEARING).id) == 60
    assert not sales.settle([settlement, charged_back(first.id)])
    assert sales.reconcile().exceptions == ()


def test_an_invoice_in_a_payments_place_that_is_voided_is_a_finding_and_not_made_again(
    product: Product, xero: Xero
) -> None:
    product.books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)
    sales = Receivables(xero, clearing_account="650")
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(collected(invoice.id, "100.00")))
    stays(product, invoice.id, "reconciled")
    sales.apply(sales.settle(charged_back(invoice.id)))
    (owed,) = [each for each in product.books.invoices if each.id != invoice.id]
    product.books.void_invoice(owed.id)

    plan = sales.settle(charged_back(invoice.id))

    assert (len(plan), [each.code for each in plan.findings]) == (0, ["removed in Xero"])
    report = sales.reconcile()
    assert (report.balance, report.in_flight) == (nzd("100.00"), nzd("0.00"))
    assert [(each.code, each.about) for each in report.exceptions] == [("removed in Xero", f"{invoice.id}/back")]


def test_an_invoice_in_a_payments_place_is_never_imported_not_even_while_nobody_knows_that_it_is_there(
    product: Product, xero: Xero
) -> None:
    product.books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)
    sales = Receivables(xero, clearing_account="650")
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(collected(invoice.id, "100.00")))
    stays(product, invoice.id, "reconciled")
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Invoices")
    sales.apply(sales.settle(charged_back(invoice.id)))
    assert len(product.books.invoices) == 2

    assert not sales.import_invoices()


@pytest.mark.parametrize("restored", [True, False])
def test_what_is_still_to_be_parked_when_it_is_charged_back_does_not_stay_parked(
    product: Product, *, restored: bool
) -> None:
    def selling() -> Receivables:
        chosen = SettlementSettings(surplus=Surplus.PARK)
        return Receivables(product.xero(), clearing_account=CLEARING, settlements=chosen)

    invoice = product.collectable("100.00")
    both = [collected(invoice.id, "120.00"), charged_back(invoice.id, "120.00")]
    selling().apply(selling().settle(both[:1]).only(lambda action: action.kind == "payment"))
    kept = backup(product)

    plan = selling().settle(both)
    assert plan.counts() == {"bank_transaction": 1, "removal": 1, "bank_transaction_removal": 1}
    if restored:
        product.simulator.faults.plan(Fault.DAY_LIMIT, method="POST", path="/BankTransactions")
        with pytest.raises(RateLimited):
            selling().apply(plan)
        product.clock.advance(86_400)
        restore(product, kept)
        Ledger(product.xero()).audit(adopt=True)
        plan = selling().settle(both)
    selling().apply(plan)

    assert_open_again(product, invoice.id, payments=1)
    assert [each.status for each in product.books.overpayments] == ["VOIDED"]
    again = selling().settle(both)
    assert (len(again), again.findings) == (0, ())
