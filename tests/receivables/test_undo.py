"""Undoing a settlement: everything that was posted for it goes, or nothing, with each reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import BANK, CLEARING, DAY, Product, found_product, nzd

from xerosync import (
    Fee,
    FeesAs,
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
from xerosync.models import AccountCode, BankTransaction, BankTransactionId, LineItem
from xerosync.simulator import Fault


def collecting(xero: Xero) -> Receivables:
    chosen = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd", surplus=Surplus.PARK)
    return Receivables(xero, clearing_account=CLEARING, settlements=chosen)


def settled(*amounts: tuple[str, str], paid_out: bool = False, kind: LineKind = LineKind.COLLECTED) -> Settlement:
    lines = [
        SettlementLine(id=f"L{place}", transaction=transaction, amount=nzd(amount), kind=kind)
        for place, (transaction, amount) in enumerate(amounts)
    ]
    return Settlement(
        id="S1", on=DAY, lines=lines, fees=[Fee(amount=nzd("1.00"))], paid_out_on=DAY if paid_out else None
    )


def clearing(product: Product) -> Decimal:
    return product.books.balance(product.books.account(CLEARING).id)


def test_what_was_posted_is_taken_back_and_its_invoices_are_open_again(product: Product, xero: Xero) -> None:
    first, second = product.collectable("100.00"), product.collectable("60.00", "Bo Lee")
    sales = collecting(xero)
    settlement = settled((first.id, "100.00"), (second.id, "75.00"))
    sales.apply(sales.settle(settlement))
    assert clearing(product) == Decimal("174.00")

    plan = sales.undo_settlement(settlement)
    report = sales.apply(plan)

    assert plan.findings == ()
    assert plan.counts() == {"removal": 2, "bank_transaction_removal": 2}
    assert not report.unfinished
    assert clearing(product) == 0
    assert [product.books.invoice(each.id).amount_due for each in (first, second)] == [Decimal(100), Decimal(60)]
    assert sales.reconcile().clean
    assert not sales.undo_settlement(settlement)
    assert not sales.settle(settlement)
    assert {line.code for line in sales.settlement_report(settlement).crossed()} == {"undone"}


def test_what_was_posted_goes_also_where_the_settlement_is_given_without_a_line_of_it(
    product: Product, xero: Xero
) -> None:
    first, second = product.collectable("100.00"), product.collectable("60.00", "Bo Lee")
    sales = collecting(xero)
    whole = settled((first.id, "100.00"), (second.id, "75.00"), paid_out=True)
    sales.apply(sales.settle(whole))

    sales.apply(sales.undo_settlement(settled((first.id, "100.00"))))

    assert product.live_payments() == []
    assert clearing(product) == 0
    assert not sales.undo_settlement(whole)


def date_fees_later(product: Product) -> None:
    (fees,) = (each for each in product.books.bank_transactions if each.type == "SPEND")
    later = BankTransaction(bank_transaction_id=BankTransactionId(fees.id), date=DAY + timedelta(days=2))
    product.xero().bank_transactions.update_one(later)


def code_fees_otherwise(product: Product) -> None:
    (fees,) = (each for each in product.books.bank_transactions if each.type == "SPEND")
    line = LineItem(description="fees", unit_amount=fees.total, account_code=AccountCode("453"))
    product.clock.advance(60)
    coded = BankTransaction(bank_transaction_id=BankTransactionId(fees.id), line_items=(line,))
    product.xero().bank_transactions.update_one(coded)


@pytest.mark.parametrize(
    ("touch", "cause"),
    [
        (lambda product, payment: product.books.reconcile_payment(payment), "it is reconciled"),
        (lambda product, _: product.books.lock_period(DAY + timedelta(days=1)), "it lies in closed books"),
        (
            lambda product, _: product.books.reconcile_transfer(product.books.bank_transfers[0].id),
            "it is reconciled",
        ),
        (lambda product, _: date_fees_later(product), "it was edited in Xero since: date"),
        (lambda product, _: code_fees_otherwise(product), "it was edited in Xero since: lines"),
    ],
)
def test_where_one_thing_must_stay_nothing_is_taken_back(
    product: Product, xero: Xero, touch: object, cause: str
) -> None:
    first, second = product.collectable("100.00"), product.collectable("60.00", "Bo Lee")
    sales = collecting(xero)
    settlement = settled((first.id, "100.00"), (second.id, "60.00"), paid_out=True)
    sales.apply(sales.settle(settlement))
    before = clearing(product)
    assert callable(touch)
    touch(product, product.live_payments()[0].id)

    plan = sales.undo_settlement(settlement)
    sales.apply(plan)

    assert not plan
    assert {finding.code for finding in plan.findings} == {"cannot be undone"}
    assert cause in {finding.cause for finding in plan.findings}
    assert clearing(product) == before
    assert len(product.live_payments()) == 2


def test_an_undo_that_was_begun_is_ended_though_books_were_closed_meanwhile(product: Product, xero: Xero) -> None:
    first, second = product.collectable("100.00"), product.collectable("60.00", "Bo Lee")
    sales = collecting(xero)
    settlement = settled((first.id, "100.00"), (second.id, "60.00"), paid_out=True)
    sales.apply(sales.settle(settlement))
    plan = sales.undo_settlement(settlement)
    product.simulator.faults.plan(Fault.DAY_LIMIT, method="POST", path="/BankTransactions")
    with pytest.raises(RateLimited):
        sales.apply(plan)
    left = len(product.live_payments())
    product.simulator.faults.clear()
    product.clock.advance(86_400)
    product.books.lock_period(DAY - timedelta(days=100))

    report = sales.apply(plan)

    assert left < 2
    assert not report.unfinished
    assert (clearing(product), len(product.live_payments())) == (Decimal(0), 0)


def test_an_undo_goes_on_where_the_books_were_closed_before_it_was_planned(product: Product, xero: Xero) -> None:
    product.books.lock_period(DAY - timedelta(days=1))
    invoice = product.collectable("100.00")
    sales = collecting(xero)
    settlement = settled((invoice.id, "100.00"))
    sales.apply(sales.settle(settlement))

    report = sales.apply(sales.undo_settlement(settlement))

    assert not report.unfinished
    assert clearing(product) == 0


@pytest.mark.parametrize(("days", "left"), [(100, 0), (1, 0), (0, 1)])
def test_an_undo_is_held_back_by_books_closed_meanwhile_only_where_its_documents_lie_in_them(
    product: Product, xero: Xero, days: int, left: int
) -> None:
    invoice = product.collectable("100.00")
    sales = collecting(xero)
    settlement = settled((invoice.id, "100.00"))
    sales.apply(sales.settle(settlement))
    plan = sales.undo_settlement(settlement)
    product.books.lock_period(DAY - timedelta(days=days))

    report = sales.apply(plan)

    assert len(report.unfinished) == left * len(plan)
    assert len(product.live_payments()) == left


def test_a_settlement_given_under_another_id_takes_nothing_back_of_the_one_that_was_posted(
    product: Product, xero: Xero
) -> None:
    """Its lines are known, and its fees and payout are not: half of it would be gone."""
    invoice = product.collectable("100.00")
    sales = collecting(xero)
    settlement = settled((invoice.id, "100.00"), paid_out=True)
    sales.apply(sales.settle(settlement))

    plan = sales.undo_settlement(evolve(settlement, id="S1 again"))
    sales.apply(plan)

    assert not plan
    assert [(each.about, each.cause) for each in plan.findings] == [
        ("L0", "it was posted for settlement S1, not for S1 again")
    ]
    assert len(product.live_payments()) == 1
    assert sales.reconcile(settlement).clean


def in_portions(product: Product, xero: Xero) -> tuple[Receivables, Settlement, Settlement]:
    """A portion that was settled alone, and the settlement that it was paid out with."""
    first, second = product.collectable("100.00"), product.collectable("60.00", "Bo Lee")
    sales = collecting(xero)
    whole = settled((first.id, "130.00"), (second.id, "60.00"), paid_out=True)
    portion = Settlement(id="P1", on=DAY, lines=whole.lines[:1])
    sales.apply(sales.settle(portion))
    return sales, portion, whole


@pytest.mark.parametrize("given_without", [True, False])
def test_a_settlement_is_undone_with_what_was_posted_of_it_in_portions(
    product: Product, xero: Xero, *, given_without: bool
) -> None:
    sales, portion, whole = in_portions(product, xero)
    sales.apply(sales.settle(whole))
    assert clearing(product) == 0

    plan = sales.undo_settlement(evolve(whole, lines=whole.lines[1:]) if given_without else whole)
    report = sales.apply(plan)

    assert (plan.findings, report.unfinished) == ((), ())
    assert plan.counts() == {"removal": 2, "bank_transaction_removal": 2, "transfer_removal": 1}
    assert (clearing(product), len(product.live_payments())) == (Decimal(0), 0)
    assert product.books.balance(product.books.account(BANK).id) == 0
    for each in (portion, whole):
        assert (len(sales.undo_settlement(each)), sales.undo_settlement(each).findings) == (0, ())
        assert {line.code for line in sales.settlement_report(each).crossed()} == {"undone"}
        assert not sales.settle(each)
        assert {found.code for found in sales.reconcile(each).discrepancies} == {"undone"}
    assert Ledger(xero).audit().findings == ()


def test_a_portion_that_was_paid_out_with_another_settlement_is_not_undone_alone(product: Product, xero: Xero) -> None:
    """The payout holds its money: without it, clearing would be below nothing."""
    sales, portion, whole = in_portions(product, xero)
    sales.apply(sales.settle(whole))

    plan = sales.undo_settlement(portion)
    sales.apply(plan)

    assert not plan
    assert {(each.code, each.cause) for each in plan.findings} == {
        ("cannot be undone", "it was paid out with settlement S1")
    }
    assert "undo settlement S1" in plan.findings[0].fix
    assert clearing(product) == 0
    assert sales.reconcile(whole).clean


def test_what_was_undone_is_not_paid_out_by_the_settlement_that_it_is_given_with_later(
    product: Product, xero: Xero
) -> None:
    sales, portion, whole = in_portions(product, xero)
    sales.apply(sales.undo_settlement(portion))

    plan = sales.settle(whole)
    sales.apply(plan)

    assert [(each.code, each.about) for each in plan.findings] == [("undone", "L0"), ("payout held", "S1")]
    assert plan.findings[0].cause == "it was taken back when settlement P1 was undone"
    assert not product.books.bank_transfers
    assert clearing(product) == Decimal("59.00")
    sales.apply(sales.undo_settlement(whole))
    assert clearing(product) == 0


def test_a_settlement_half_posted_is_undone_after_its_portion(product: Product, xero: Xero) -> None:
    sales, portion, whole = in_portions(product, xero)
    sales.apply(sales.settle(whole).only(lambda action: action.host_ref == "L1"))
    too_early = sales.undo_settlement(whole)

    sales.apply(sales.undo_settlement(portion))
    sales.apply(sales.undo_settlement(whole))

    assert {each.cause for each in too_early.findings} == {"it was posted for settlement P1, not for S1"}
    assert (clearing(product), len(product.live_payments())) == (Decimal(0), 0)


def test_a_refund_posted_for_another_settlement_is_not_undone_with_this_one(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    sales = collecting(xero)
    sales.apply(sales.settle(Settlement(id="S0", on=DAY, lines=[line_of(invoice.id, "L1")])))
    refund = settled((invoice.id, "10.00"), paid_out=True, kind=LineKind.REFUNDED)
    sales.apply(sales.settle(refund))
    before = clearing(product)

    plan = sales.undo_settlement(evolve(refund, id="S1 again"))
    sales.apply(plan)

    assert not plan
    assert {each.cause for each in plan.findings} == {"it was posted for settlement S1, not for S1 again"}
    assert clearing(product) == before


def test_a_payout_by_transfer_is_undone_too(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    sales = collecting(xero)
    settlement = settled((invoice.id, "100.00"), paid_out=True)
    sales.apply(sales.settle(settlement))
    bank = product.books.account(BANK).id
    assert product.books.balance(bank) == Decimal("99.00")

    report = sales.apply(sales.undo_settlement(settlement))

    assert not report.unfinished
    assert (clearing(product), product.books.balance(bank)) == (Decimal(0), Decimal(0))
    assert [each.status for each in product.books.bank_transfers] == ["DELETED"]
    assert sales.reconcile().clean
    again = sales.settle(settlement)
    assert (len(again), again.findings) == (0, ())
    assert Ledger(xero).audit().findings == ()
    assert len(Ledger(xero).drift()) == 0


def test_fees_posted_as_a_bill_are_undone_with_their_payment(product: Product, xero: Xero) -> None:
    chosen = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd", fees_as=FeesAs.BILL)
    sales = Receivables(xero, clearing_account=CLEARING, settlements=chosen)
    settlement = settled((product.collectable("100.00").id, "100.00"))
    sales.apply(sales.settle(settlement))

    plan = sales.undo_settlement(settlement)
    report = sales.apply(plan)

    assert plan.counts() == {"removal": 2, "bill_voiding": 1}
    assert not report.unfinished
    assert clearing(product) == 0
    assert [each.status for each in product.books.invoices if each.type == "ACCPAY"] == ["VOIDED"]
    assert sales.settle(settlement).findings == ()
    assert len(Ledger(xero).drift()) == 0


def in_batches(product: Product, xero: Xero) -> tuple[Receivables, Settlement]:
    """A settlement whose payments moved as one sum."""
    chosen = SettlementSettings(bank_account=BANK, batches=True)
    sales = Receivables(xero, clearing_account=CLEARING, settlements=chosen)
    first, second = product.collectable("100.00"), product.collectable("60.00", "Bo Lee")
    lines = [
        SettlementLine(id=f"L{each.id[:2]}", transaction=each.id, amount=nzd(each.total)) for each in (first, second)
    ]
    settlement = Settlement(id="S1", on=DAY, lines=lines)
    sales.apply(sales.settle(settlement))
    return sales, settlement


def test_a_bill_of_fees_that_was_undone_is_not_paid_any_more(product: Product, xero: Xero) -> None:
    chosen = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd", fees_as=FeesAs.BILL)
    sales = Receivables(xero, clearing_account=CLEARING, settlements=chosen)
    settlement = settled((product.collectable("100.00").id, "100.00"))
    plan = sales.settle(settlement)
    sales.apply(plan.only(lambda action: action.kind != "payment" or action.host_ref != "fees/S1"))

    sales.apply(sales.undo_settlement(settlement))

    assert (len(sales.settle(settlement)), clearing(product)) == (0, Decimal(0))


def test_what_was_not_posted_when_its_settlement_was_undone_is_not_posted_after(product: Product, xero: Xero) -> None:
    chosen = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd")
    sales = Receivables(xero, clearing_account=CLEARING, settlements=chosen)
    invoices = [product.collectable("100.00", contact) for contact in ("Ana Costa", "Bea Diaz")]
    settlement = settled(*((each.id, "100.00") for each in invoices))
    plan = sales.settle(settlement)
    sales.apply(plan.only(lambda action: action.host_ref == "L0"))

    sales.apply(sales.undo_settlement(settlement))
    again = sales.settle(settlement)

    assert (len(again), clearing(product)) == (0, Decimal(0))
    assert [(each.code, each.about) for each in again.findings] == [("undone", "L1"), ("undone", "S1")]
    (report,) = sales.settlement_report([settlement]).settlements
    assert [each.code for each in report.lines if each.what != "payout"] == ["undone"] * 3


def test_what_was_undone_is_settled_again_under_a_new_id_of_the_settlement_and_of_the_line(
    product: Product, xero: Xero
) -> None:
    """Fees and payout go by the settlement's id: a new line alone would be posted without them."""
    invoice = product.collectable("100.00")
    sales = collecting(xero)
    settlement = settled((invoice.id, "100.00"), paid_out=True)
    sales.apply(sales.settle(settlement))
    sales.apply(sales.undo_settlement(settlement))
    anew = evolve(settlement, lines=[line_of(invoice.id, "L0 again")])

    same_id = sales.settle(anew)
    sales.apply(same_id)
    sales.apply(sales.settle(evolve(anew, id="S1 again")))

    (finding,) = same_id.findings
    assert (finding.code, finding.about, clearing(product)) == ("undone", "L0 again", Decimal(0))
    assert finding.fix == "settle it under new ids, the settlement's and the line's, or leave it"
    assert product.books.balance(product.books.account(BANK).id) == Decimal("99.00")
    assert sales.reconcile(evolve(anew, id="S1 again")).clean


def test_a_batch_of_payments_is_undone_as_one(product: Product, xero: Xero) -> None:
    sales, settlement = in_batches(product, xero)
    assert clearing(product) == Decimal("160.00")

    plan = sales.undo_settlement(settlement)
    report = sales.apply(plan)

    assert plan.counts() == {"batch_payment_removal": 1}
    assert not report.unfinished
    assert clearing(product) == 0
    assert product.live_payments() == []
    assert sales.reconcile().clean
    assert {line.code for line in sales.settlement_report(settlement).crossed()} == {"undone"}
    again = sales.settle(settlement)
    assert (len(again), again.findings) == (0, ())
    assert Ledger(xero).audit().findings == ()
    assert len(Ledger(xero).drift()) == 0


def test_a_batch_with_payments_of_another_settlement_stays(product: Product, xero: Xero) -> None:
    sales = Receivables(xero, clearing_account=CLEARING, settlements=SettlementSettings(batches=True))
    settlements = [
        Settlement(id=each.id, on=DAY, lines=[line_of(each.id, f"L {each.id}")])
        for each in (product.collectable("100.00"), product.collectable("100.00", "Bo Lee"))
    ]
    sales.apply(sales.settle(settlements))

    plan = sales.undo_settlement(settlements[0])

    assert not plan
    assert [finding.cause for finding in plan.findings] == ["1 of its payments are of something else"]


def test_an_invoice_in_a_payment_s_place_is_undone(product: Product, xero: Xero) -> None:
    chosen = SettlementSettings(charge_back_account="850")
    sales = Receivables(xero, clearing_account=CLEARING, settlements=chosen)
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(Settlement(id="S1", on=DAY, lines=[line_of(invoice.id, "L1")])))
    product.books.reconcile_payment(product.live_payments()[0].id)
    back = Settlement(id="S2", on=DAY, lines=[line_of(invoice.id, "B1", LineKind.CHARGED_BACK)])
    sales.apply(sales.settle(back))
    assert clearing(product) == 0

    plan = sales.undo_settlement(back)
    report = sales.apply(plan)

    assert plan.counts() == {"bank_transaction_removal": 1, "sale_voiding": 1}
    assert not report.unfinished
    assert clearing(product) == Decimal(100)
    assert product.books.balance(product.books.account("850").id) == 0


def line_of(transaction: str, line_id: str, kind: LineKind = LineKind.COLLECTED) -> SettlementLine:
    return SettlementLine(id=line_id, transaction=transaction, amount=nzd("100.00"), kind=kind)


def test_money_that_was_parked_and_used_since_stays(product: Product, xero: Xero) -> None:
    first, other = product.collectable("60.00"), product.collectable("30.00")
    sales = collecting(xero)
    settlement = settled((first.id, "75.00"))
    sales.apply(sales.settle(settlement))
    (overpaid,) = xero.overpayments.list()
    xero.overpayments.allocate(overpaid.overpayment_id or "", invoice_id=other.id, amount=Decimal(5))

    plan = sales.undo_settlement(settlement)

    assert not plan
    assert [finding.cause for finding in plan.findings] == ["its money was set against something else since"]


CHANGED = {"changed since planned", "held back"}


@pytest.mark.parametrize(
    ("touch", "left", "codes"),
    [
        (lambda product: product.books.reconcile_payment(product.books.payments[0].id), 2, CHANGED),
        (lambda product: product.books.reconcile_transfer(product.books.bank_transfers[0].id), 2, CHANGED),
        (code_fees_otherwise, 2, CHANGED),
        (lambda product: product.books.remove_payment(product.books.payments[0].id), 1, CHANGED),
        (lambda product: product.books.lock_period(DAY + timedelta(days=1)), 2, {"held back"}),
    ],
)
def test_an_undo_is_not_begun_where_one_thing_has_changed_since_it_was_planned(
    product: Product, xero: Xero, touch: Callable[[Product], object], left: int, codes: set[str]
) -> None:
    first, second = product.collectable("100.00"), product.collectable("60.00", "Bo Lee")
    sales = collecting(xero)
    settlement = settled((first.id, "100.00"), (second.id, "60.00"), paid_out=True)
    sales.apply(sales.settle(settlement))
    plan = sales.undo_settlement(settlement)
    product.clock.advance(60)
    touch(product)
    before = clearing(product)

    report = sales.apply(plan)

    assert plan.counts() == {"removal": 2, "bank_transaction_removal": 1, "transfer_removal": 1}
    assert clearing(product) == before
    assert len(product.live_payments()) == left
    assert {finding.code for finding in report.findings} == codes
    assert len(report.unfinished) == len(plan)


def test_nothing_is_undone_beside_a_payment_that_was_found_twice(product: Product, xero: Xero) -> None:
    first, second = product.collectable("100.00"), product.collectable("60.00", "Bo Lee")
    sales = collecting(xero)
    settlement = settled((first.id, "100.00"), (second.id, "30.00"))
    plan = sales.settle(settlement)
    sales.apply(plan.only(lambda action: action.host_ref != "L1"))
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Payments")
    sales.apply(sales.settle(settlement))
    product.simulator.faults.clear()
    mark = next(each.reference for each in product.live_payments() if each.amount == 30)
    copied = product.books.add_payment(second.id, account=CLEARING, amount=Decimal(30), date=DAY, reference=mark)
    sales.recover()

    plan = sales.undo_settlement(settlement)
    sales.apply(plan)

    assert [(each.about, each.cause) for each in plan.findings] == [
        ("L1", "more than one document in Xero carries its mark")
    ]
    assert len(product.live_payments()) == 3
    product.books.remove_payment(copied.id)
    sales.recover()
    sales.apply(sales.undo_settlement(settlement))
    assert (clearing(product), product.live_payments()) == (Decimal(0), [])


def test_a_payment_that_was_removed_cannot_be_brought_back(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    sales = collecting(xero)
    sales.apply(sales.settle(Settlement(id="S1", on=DAY, lines=[line_of(invoice.id, "L1")])))
    back = Settlement(id="S2", on=DAY, lines=[line_of(invoice.id, "B1", LineKind.CHARGED_BACK)])
    sales.apply(sales.settle(back))

    plan = sales.undo_settlement(back)

    assert not plan
    assert [finding.cause for finding in plan.findings] == ["what was removed cannot be brought back"]


def test_a_refund_is_undone_with_its_credit_note(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    sales = collecting(xero)
    sales.apply(sales.settle(settled((invoice.id, "100.00"))))
    back = SettlementLine(id="R1", transaction=invoice.id, amount=nzd("30.00"), kind=LineKind.REFUNDED)
    refund = Settlement(id="S2", on=DAY, lines=[back])
    sales.apply(sales.settle(refund))
    assert clearing(product) == Decimal("69.00")

    report = sales.apply(sales.undo_settlement(refund))

    assert not report.unfinished
    assert clearing(product) == Decimal("99.00")
    assert [note.status for note in product.books.credit_notes] == ["VOIDED"]


@settings(max_examples=10)
@given(lost=st.integers(0, 2), fault=st.sampled_from([Fault.LOST_BEFORE, Fault.LOST_AFTER]))
def test_a_lost_answer_on_the_way_leaves_nothing_behind(lost: int, fault: Fault) -> None:
    product = found_product()
    first, second = product.collectable("100.00"), product.collectable("60.00", "Bo Lee")
    sales = collecting(product.xero())
    settlement = settled((first.id, "100.00"), (second.id, "60.00"))
    sales.apply(sales.settle(settlement))
    plan = sales.undo_settlement(settlement)
    product.simulator.faults.plan(fault, method="POST", after=lost)

    sales.apply(plan)
    sales.recover()
    sales.apply(plan)

    assert clearing(product) == 0
    assert product.live_payments() == []
