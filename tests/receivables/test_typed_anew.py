"""What people removed in Xero and typed anew: it is taken over in its place, or asked about, and never posted again."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import BANK, CLEARING, DAY, Product, nzd

from xerosync import (
    Fee,
    FeesAs,
    Ledger,
    LineKind,
    Receivables,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Xero,
)
from xerosync.models import CreditNoteId

BILLED = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd", fees_as=FeesAs.BILL)
LATER = DAY + timedelta(days=1)


@pytest.fixture
def sales(xero: Xero) -> Receivables:
    return Receivables(xero, clearing_account=CLEARING, settlements=BILLED)


def clearing(product: Product) -> Decimal:
    return product.books.balance(product.books.account(CLEARING).id)


def collected(product: Product, *, fees: str = "") -> Settlement:
    """100 of an invoice of 200, less the *fees*."""
    line = SettlementLine(id="L1", transaction=product.collectable("200.00").id, amount=nzd("100.00"))
    return Settlement(id="S1", on=DAY, lines=[line], fees=[Fee(amount=nzd(fees))] if fees else [])


def removed_and_typed(product: Product, sales: Receivables, settlement: Settlement, *, days: int) -> str:
    """The one payment of *settlement* was posted, removed, and typed anew some days later."""
    sales.apply(sales.settle(settlement))
    (ours,) = product.live_payments()
    product.clock.advance(60)
    product.books.remove_payment(ours.id)
    on = DAY + timedelta(days=days)
    return product.books.add_payment(settlement.lines[0].transaction, account=CLEARING, amount=Decimal(100), date=on).id


@pytest.mark.parametrize("choose", [True, False])
def test_a_payment_that_was_perhaps_typed_anew_is_not_put_back_before_somebody_says(
    product: Product, sales: Receivables, xero: Xero, *, choose: bool
) -> None:
    settlement = collected(product)
    typed = removed_and_typed(product, sales, settlement, days=1)
    stale = Ledger(xero).drift()

    plan = sales.backfill(settlement)
    sales.apply(plan)

    assert ([each.code for each in plan.findings], plan.counts()) == (["which one is it"], {"doubt": 1})
    assert [each.code for each in sales.settle(settlement).findings] == ["perhaps typed by hand"]
    restore = Ledger(xero).drift().restore()
    assert (len(restore), [each.code for each in restore.findings]) == (0, ["perhaps typed by hand"])
    sales.apply(stale.restore())
    assert clearing(product) == Decimal(100)
    (told,) = [each for each in sales.reconcile(settlement).discrepancies if each.about == "L1"]
    assert (told.code, "backfill(chosen=" in told.fix) == ("perhaps typed by hand", True)
    sales.apply(sales.backfill(settlement, chosen={"L1": typed if choose else ""}))
    sales.apply(Ledger(xero).drift().restore())
    assert clearing(product) == Decimal(100 if choose else 200)
    assert not sales.backfill(settlement)
    assert len(Ledger(xero).drift()) == 0
    settled = sales.settle(settlement)
    assert (len(settled), settled.findings) == (0, ())
    sales.apply(sales.undo_settlement(settlement))
    assert clearing(product) == Decimal(0 if choose else 100)


@pytest.mark.parametrize("days", [0, 1])
def test_what_was_typed_anew_is_not_put_back_although_nobody_has_looked_for_it_yet(
    product: Product, sales: Receivables, xero: Xero, *, days: int
) -> None:
    settlement = collected(product)
    removed_and_typed(product, sales, settlement, days=days)

    plan = Ledger(xero).drift().restore()
    sales.apply(plan)

    assert [(each.code, each.about) for each in plan.findings] == [("perhaps typed by hand", "L1")]
    assert clearing(product) == Decimal(100)
    report = sales.reconcile(settlement)
    assert not [each for each in report.discrepancies if each.about == "L1" and "restore" in each.fixes]


def test_payments_that_were_typed_anew_as_one_sum_are_not_put_back_beside_it(
    product: Product, sales: Receivables, xero: Xero
) -> None:
    transaction = product.collectable("400.00").id
    lines = [SettlementLine(id=name, transaction=transaction, amount=nzd("100.00")) for name in ("L1", "L2")]
    settlement = Settlement(id="S1", on=DAY, lines=lines)
    sales.apply(sales.settle(settlement))
    for each in product.live_payments():
        product.books.remove_payment(each.id)
    product.books.add_payment(transaction, account=CLEARING, amount=Decimal(200), date=DAY)

    plan = Ledger(xero).drift().restore()
    sales.apply(plan)

    assert [each.code for each in plan.findings] == ["perhaps typed by hand"] * 2
    assert clearing(product) == Decimal(200)
    asked = sales.backfill(settlement)
    assert [each.code for each in asked.findings] == ["which one is it"] * 2
    sales.apply(sales.backfill(settlement, chosen={"L1": "", "L2": ""}))
    sales.apply(Ledger(xero).drift().restore())
    assert clearing(product) == Decimal(400)


def test_an_answer_is_about_what_was_there_then(product: Product, sales: Receivables, xero: Xero) -> None:
    settlement = collected(product)
    removed_and_typed(product, sales, settlement, days=1)
    stale = Ledger(xero).drift()
    sales.apply(sales.backfill(settlement, chosen={"L1": ""}))
    again = sales.backfill(settlement)
    assert (len(again), again.findings) == (0, ())
    restore = Ledger(xero).drift().restore()
    transaction = settlement.lines[0].transaction
    product.books.add_payment(transaction, account=CLEARING, amount=Decimal(100), date=LATER)
    assert [each.code for each in Ledger(xero).drift().restore().findings] == ["perhaps typed by hand"]

    plan = sales.backfill(settlement)
    sales.apply(plan)

    assert [each.code for each in plan.findings] == ["which one is it"]
    for each in (restore, stale.restore()):
        sales.apply(each)
    assert clearing(product) == Decimal(200)


def test_fees_and_a_payout_that_were_typed_anew_are_not_put_back_beside(product: Product, xero: Xero) -> None:
    sales = Receivables(xero, clearing_account=CLEARING, settlements=evolve(BILLED, fees_as=FeesAs.SPEND_MONEY))
    settlement = evolve(collected(product, fees="1.00"), paid_out_on=DAY)
    sales.apply(sales.settle(settlement))
    (spent,) = [each for each in product.books.bank_transactions if each.type == "SPEND"]
    (moved,) = product.books.bank_transfers
    product.books.remove_bank_transaction(spent.id)
    xero.bank_transfers.delete(moved.id)
    provider = spent.contact_id
    product.books.add_bank_transaction(provider, bank=CLEARING, amount=Decimal(1), account="404", date=DAY)
    product.books.add_transfer(from_bank=CLEARING, to_bank=BANK, amount=Decimal(99), date=DAY)

    plan = Ledger(xero).drift().restore()
    sales.apply(plan)

    told = {(each.code, each.about) for each in plan.findings}
    assert told == {("perhaps typed by hand", "fees/S1"), ("perhaps typed by hand", "payout/S1")}
    assert clearing(product) == 0
    sales.apply(sales.backfill(settlement))
    assert sales.reconcile(settlement).clean
    assert len(Ledger(xero).drift()) == 0


@pytest.mark.parametrize("days", [6, 7])
def test_a_payout_that_was_typed_anew_some_days_later_is_not_put_back_beside(
    product: Product, xero: Xero, *, days: int
) -> None:
    """What comes every week is another one."""
    sales = Receivables(xero, clearing_account=CLEARING, settlements=BILLED)
    settlement = evolve(collected(product), paid_out_on=DAY)
    sales.apply(sales.settle(settlement))
    (moved,) = product.books.bank_transfers
    xero.bank_transfers.delete(moved.id)
    on = DAY + timedelta(days=days)
    product.books.add_transfer(from_bank=CLEARING, to_bank=BANK, amount=Decimal(100), date=on)

    plan = Ledger(xero).drift().restore()
    sales.apply(plan)

    is_near = days == 6
    assert [each.code for each in plan.findings] == ["perhaps typed by hand"] * is_near
    assert clearing(product) == Decimal(0 if is_near else -100)
    sales.apply(sales.backfill(settlement, chosen={"payout/S1": ""}))
    sales.apply(Ledger(xero).drift().restore())
    assert clearing(product) == Decimal(-100)


def test_a_payment_is_put_back_once_what_was_perhaps_it_is_gone(
    product: Product, sales: Receivables, xero: Xero
) -> None:
    settlement = collected(product)
    typed = removed_and_typed(product, sales, settlement, days=1)
    sales.apply(sales.backfill(settlement))
    product.books.remove_payment(typed)

    sales.apply(sales.backfill(settlement))
    sales.apply(Ledger(xero).drift().restore())

    assert clearing(product) == Decimal(100)
    assert sales.reconcile(settlement).clean


def typed_bill(product: Product, *, paid: bool, days: int = 0, account: str = CLEARING) -> str:
    """A bill of 1.00 of the provider that people typed."""
    books = product.books
    contact = next(each.id for each in books.contacts if each.name == "Collections Ltd")
    on = DAY + timedelta(days=days)
    bill = books.add_invoice(contact, type="ACCPAY", number="77", amount=Decimal(1), date=on)
    if paid:
        books.add_payment(bill.id, account=account, amount=Decimal(1), date=on)
    return bill.id


@pytest.mark.parametrize("too_early", [True, False])
def test_a_bill_taken_over_unpaid_and_paid_by_people_since_is_paid_once(
    product: Product, sales: Receivables, *, too_early: bool
) -> None:
    settlement = collected(product, fees="1.00")
    product.books.add_contact("Collections Ltd")
    bill = typed_bill(product, paid=False)
    sales.apply(sales.backfill(settlement))
    product.clock.advance(60)
    product.books.add_payment(bill, account=CLEARING, amount=Decimal(1), date=DAY)
    if too_early:
        assert [each.code for each in sales.apply(sales.settle(settlement)).findings] == ["refused by Xero"]

    plan = sales.backfill(settlement, chosen={"fees/S1": bill})
    sales.apply(plan)

    assert (plan.counts(), plan.findings) == ({"adopt": 1}, ())
    sales.apply(sales.settle(settlement))
    settled = sales.settle(settlement)
    assert (len(settled), settled.findings) == (0, ())
    assert clearing(product) == Decimal(99)
    assert sales.reconcile(settlement).clean
    assert sales.settlement_report(settlement).crossed() == ()
    assert not sales.backfill(settlement)
    sales.apply(sales.undo_settlement(settlement))
    assert clearing(product) == 0
    assert product.books.invoice(bill).status == "VOIDED"


def test_a_bill_taken_over_unpaid_and_paid_by_people_otherwise_is_asked_about(
    product: Product, sales: Receivables
) -> None:
    settlement = collected(product, fees="1.00")
    product.books.add_contact("Collections Ltd")
    bill = typed_bill(product, paid=False)
    sales.apply(sales.backfill(settlement))
    payment = product.books.add_payment(bill, account=CLEARING, amount=Decimal(1), date=LATER)
    sales.apply(sales.settle(settlement))

    plan = sales.backfill(settlement)
    sales.apply(plan)

    assert [(each.code, each.about) for each in plan.findings] == [("which one is it", "fees/S1")]
    assert [each.code for each in sales.settle(settlement, retry_refused=True).findings] == ["perhaps typed by hand"]
    sales.apply(sales.backfill(settlement, chosen={"fees/S1": payment.id}))
    settled = sales.settle(settlement)
    assert (len(settled), settled.findings) == (0, ())
    assert clearing(product) == Decimal(99)


def test_a_payment_that_people_typed_anew_on_a_bill_of_ours_is_taken_over(
    product: Product, sales: Receivables, xero: Xero
) -> None:
    settlement = collected(product, fees="1.00")
    sales.apply(sales.settle(settlement))
    (bill,) = product.live_bills()
    (ours,) = [each for each in product.live_payments() if each.amount == 1]
    product.books.remove_payment(ours.id)
    product.books.add_payment(bill.id, account=CLEARING, amount=Decimal(1), date=DAY)

    plan = sales.backfill(settlement)
    sales.apply(plan)

    assert (plan.counts(), plan.findings) == ({"adopt": 1}, ())
    settled = sales.settle(settlement)
    assert (len(settled), settled.findings, len(Ledger(xero).drift())) == (0, (), 0)
    assert clearing(product) == Decimal(99)
    assert sales.reconcile(settlement).clean


def bill_gone(product: Product) -> None:
    """People remove the bill of fees, and whatever paid it."""
    (bill,) = product.live_bills()
    product.clock.advance(60)
    for each in product.books.payments_of(bill.id):
        product.books.remove_payment(each.id)
    product.books.void_invoice(bill.id)


@pytest.mark.parametrize("paid", [True, False])
def test_a_bill_of_fees_that_people_removed_and_typed_anew_is_taken_over(
    product: Product, sales: Receivables, xero: Xero, *, paid: bool
) -> None:
    settlement = collected(product, fees="1.00")
    sales.apply(sales.settle(settlement))
    for _ in range(3):
        bill_gone(product)
        gone = sales.backfill(settlement)
        assert (len(gone), gone.findings) == (0, ())
        typed = typed_bill(product, paid=paid)

        plan = sales.backfill(settlement)
        sales.apply(plan)

        assert (plan.counts(), plan.findings) == ({"adopt": 2 if paid else 1}, ())
        assert sales.settle(settlement).counts() == ({} if paid else {"payment": 1})
        sales.apply(sales.settle(settlement))
        settled = sales.settle(settlement)
        assert (len(settled), settled.findings) == (0, ())
        assert [each.id for each in product.live_bills()] == [typed]
        assert clearing(product) == Decimal(99)
        assert sales.reconcile(settlement).clean
        assert sales.settlement_report(settlement).crossed() == ()
        assert len(Ledger(xero).drift()) == 0
        assert not sales.backfill(settlement)
    sales.apply(sales.undo_settlement(settlement))
    assert clearing(product) == 0
    assert product.live_bills() == []


@pytest.mark.parametrize("choose", [True, False])
def test_a_bill_of_fees_that_was_perhaps_typed_anew_is_asked_about(
    product: Product, sales: Receivables, *, choose: bool
) -> None:
    settlement = collected(product, fees="1.00")
    sales.apply(sales.settle(settlement))
    bill_gone(product)
    typed = typed_bill(product, paid=True, days=2)

    plan = sales.backfill(settlement)
    sales.apply(plan)

    assert [(each.code, each.about) for each in plan.findings] == [("which one is it", "fees/S1")]
    held = sales.settle(settlement)
    assert (len(held), [each.code for each in held.findings]) == (0, ["perhaps typed by hand"])
    sales.apply(sales.backfill(settlement, chosen={"fees/S1": typed if choose else ""}))
    settled = sales.settle(settlement)
    assert (len(settled), [each.code for each in settled.findings]) == (0, [] if choose else ["removed in Xero"])
    assert clearing(product) == Decimal(99)


def test_a_bill_of_fees_that_was_undone_here_is_not_taken_over_anew(product: Product, sales: Receivables) -> None:
    settlement = collected(product, fees="1.00")
    sales.apply(sales.settle(settlement))
    sales.apply(sales.undo_settlement(settlement))
    typed_bill(product, paid=True)

    plan = sales.backfill(settlement)

    assert (plan.counts(), plan.findings) == ({}, ())


def test_a_bill_typed_anew_once_is_taken_over_once_by_two_plans(product: Product, sales: Receivables) -> None:
    first = collected(product, fees="1.00")
    line = SettlementLine(id="L2", transaction=product.collectable("60.00", "Bo Lee").id, amount=nzd("60.00"))
    second = evolve(first, id="S2", lines=[line])
    sales.apply(sales.settle(first))
    bill_gone(product)
    typed_bill(product, paid=True)
    plans = [sales.backfill(second), sales.backfill(first)]

    sales.apply(plans[0])
    report = sales.apply(plans[1])

    assert [each.code for each in report.findings] == ["changed since planned"] * 2
    sales.apply(sales.settle([first, second]))
    assert clearing(product) == Decimal(159)
    assert len(product.live_bills()) == 1


def test_a_bill_of_fees_that_is_another_by_a_later_answer_takes_no_payment_of_the_one_before(
    product: Product, sales: Receivables
) -> None:
    settlement = collected(product, fees="1.00")
    product.books.add_contact("Collections Ltd")
    unpaid, paid = typed_bill(product, paid=False), typed_bill(product, paid=True)
    first, second = (sales.backfill(settlement, chosen={"fees/S1": one}) for one in (unpaid, paid))

    sales.apply(first)
    report = sales.apply(second)

    assert [each.code for each in report.findings] == ["changed since planned"] * 2
    sales.apply(sales.settle(settlement))
    assert product.books.invoice(unpaid).amount_due == 0
    (typed,) = product.books.payments_of(paid)
    assert [each.xero_id for each in sales.reconcile(settlement).discrepancies] == [typed.id]


def test_a_plan_that_takes_over_what_was_put_back_since_does_not_say_that_it_did(
    product: Product, sales: Receivables, xero: Xero
) -> None:
    settlement = collected(product)
    removed_and_typed(product, sales, settlement, days=0)
    taking = sales.backfill(settlement)
    sales.apply(sales.backfill(settlement, chosen={"L1": ""}))
    sales.apply(Ledger(xero).drift().restore())

    report = sales.apply(taking)

    assert (report.done("adopt"), [each.code for each in report.findings]) == (0, ["changed since planned"])
    assert clearing(product) == Decimal(200)


def test_edited_fees_beside_some_that_were_typed_are_put_back_once_those_are_gone(product: Product, xero: Xero) -> None:
    sales = Receivables(xero, clearing_account=CLEARING, settlements=evolve(BILLED, fees_as=FeesAs.SPEND_MONEY))
    settlement = collected(product, fees="1.00")
    sales.apply(sales.settle(settlement))
    (spent,) = [each for each in product.books.bank_transactions if each.type == "SPEND"]
    product.clock.advance(60)
    product.books.edit_bank_transaction(spent.id, amount=Decimal(2))
    typed = product.books.add_bank_transaction(
        spent.contact_id, bank=CLEARING, amount=Decimal(1), account="404", date=DAY
    )

    (finding,) = Ledger(xero).drift().restore().findings

    assert (finding.code, finding.fix) == (
        "perhaps typed by hand",
        "edit it back in Xero; or remove what was typed in Xero",
    )
    product.books.remove_bank_transaction(typed.id)
    sales.apply(Ledger(xero).drift().restore())
    assert clearing(product) == Decimal(99)


def refunded(product: Product, sales: Receivables) -> Settlement:
    """What was collected, and 10 of it given back, as it was posted."""
    whole = collected(product)
    back = evolve(whole.lines[0], id="R1", amount=nzd("10.00"), kind=LineKind.REFUNDED)
    settlement = evolve(whole, lines=[*whole.lines, back])
    sales.apply(sales.settle(settlement))
    return settlement


def typed_refund(product: Product, settlement: Settlement, *, days: int = 0) -> str:
    contact = product.books.invoice(settlement.lines[0].transaction).contact_id
    on = DAY + timedelta(days=days)
    note = product.books.add_credit_note(contact, amount=Decimal(10), date=on)
    product.books.add_payment(note.id, account=CLEARING, amount=Decimal(10), date=on)
    return note.id


def refund_gone(product: Product, *, whole: bool = True) -> str:
    """People remove the payment of the refund, and its credit note where they remove the *whole*."""
    (note,) = [each for each in product.books.credit_notes if each.status in {"AUTHORISED", "PAID"}]
    product.clock.advance(60)
    for each in product.books.payments_of(note.id):
        product.books.remove_payment(each.id)
    if whole:
        product.xero().credit_notes.void(CreditNoteId(note.id))
    return note.id


@pytest.mark.parametrize("whole", [True, False])
def test_a_refund_that_people_removed_and_typed_anew_is_taken_over(
    product: Product, sales: Receivables, xero: Xero, *, whole: bool
) -> None:
    settlement = refunded(product, sales)
    for _ in range(3):
        note = refund_gone(product, whole=whole)
        gone = sales.backfill(settlement)
        assert (len(gone), gone.findings) == (0, ())
        if whole:
            note = typed_refund(product, settlement)
        else:
            product.books.add_payment(note, account=CLEARING, amount=Decimal(10), date=DAY)

        plan = sales.backfill(settlement)
        sales.apply(plan)

        assert (plan.counts(), plan.findings) == ({"adopt": 2 if whole else 1}, ())
        settled = sales.settle(settlement)
        assert (len(settled), settled.findings) == (0, ())
        assert clearing(product) == Decimal(90)
        assert sales.reconcile(settlement).clean
        assert sales.settlement_report(settlement).crossed() == ()
        assert len(Ledger(xero).drift()) == 0
        assert not sales.backfill(settlement)
    sales.apply(sales.undo_settlement(settlement))
    assert clearing(product) == 0


@pytest.mark.parametrize("answer", [True, False])
@pytest.mark.parametrize("whole", [True, False])
def test_a_refund_that_was_perhaps_typed_anew_is_asked_about(
    product: Product, sales: Receivables, xero: Xero, *, answer: bool, whole: bool
) -> None:
    settlement = refunded(product, sales)
    note = refund_gone(product, whole=whole)
    if whole:
        typed = typed_refund(product, settlement, days=2)
    else:
        typed = product.books.add_payment(note, account=CLEARING, amount=Decimal(10), date=LATER).id

    plan = sales.backfill(settlement)
    sales.apply(plan)

    assert [(each.code, each.about) for each in plan.findings] == [("which one is it", "R1")]
    sales.apply(Ledger(xero).drift().restore())
    held = sales.settle(settlement)
    assert (len(held), {each.code for each in held.findings}) == (0, {"perhaps typed by hand"})
    sales.apply(sales.backfill(settlement, chosen={"R1": typed if answer else ""}))
    settled = sales.settle(settlement)
    assert (len(settled), [each.code for each in settled.findings]) == (0, [] if answer else ["removed in Xero"])
    sales.apply(Ledger(xero).drift().restore())
    assert clearing(product) == Decimal(90)


def test_nobody_is_asked_whether_a_refund_is_what_another_one_is_for_sure(product: Product, sales: Receivables) -> None:
    settlement = refunded(product, sales)
    refund_gone(product, whole=False)
    typed_refund(product, settlement)
    other = Settlement(id="S2", on=DAY, lines=[evolve(settlement.lines[1], id="R2")])

    plan = sales.backfill([settlement, other])
    sales.apply(plan)

    assert (plan.counts(), plan.findings) == ({"adopt": 2}, ())
    assert not sales.backfill([settlement, other])
    assert clearing(product) == Decimal(90)


@pytest.mark.parametrize("answer", [True, False])
def test_a_refund_that_was_typed_with_a_note_of_its_own_beside_ours_is_asked_about(
    product: Product, sales: Receivables, xero: Xero, *, answer: bool
) -> None:
    settlement = refunded(product, sales)
    refund_gone(product, whole=False)
    note = typed_refund(product, settlement)
    (payment,) = product.books.payments_of(note)
    early = Ledger(xero).drift().restore()
    assert (len(early), [each.code for each in early.findings]) == (0, ["perhaps typed by hand"])

    plan = sales.backfill(settlement)
    sales.apply(plan)

    assert [(each.code, each.about) for each in plan.findings] == [("which one is it", "R1")]
    sales.apply(Ledger(xero).drift().restore())
    assert clearing(product) == Decimal(90)
    sales.apply(sales.backfill(settlement, chosen={"R1": payment.id if answer else ""}))
    sales.apply(Ledger(xero).drift().restore())
    settled = sales.settle(settlement)
    assert (len(settled), settled.findings) == (0, ())
    assert clearing(product) == Decimal(90 if answer else 80)
    assert not sales.backfill(settlement)


def test_the_payment_of_fees_that_was_typed_on_another_bill_beside_ours_is_asked_about(
    product: Product, sales: Receivables, xero: Xero
) -> None:
    settlement = collected(product, fees="1.00")
    sales.apply(sales.settle(settlement))
    (ours,) = [each for each in product.live_payments() if each.amount == 1]
    product.books.remove_payment(ours.id)
    bill = typed_bill(product, paid=True)
    (payment,) = product.books.payments_of(bill)
    early = Ledger(xero).drift().restore()
    assert (len(early), [each.code for each in early.findings]) == (0, ["perhaps typed by hand"])

    plan = sales.backfill(settlement)
    sales.apply(plan)

    assert [(each.code, each.about) for each in plan.findings] == [("which one is it", "fees/S1")]
    sales.apply(Ledger(xero).drift().restore())
    assert clearing(product) == Decimal(99)
    sales.apply(sales.backfill(settlement, chosen={"fees/S1": payment.id}))
    settled = sales.settle(settlement)
    assert (len(settled), settled.findings) == (0, ())
    assert clearing(product) == Decimal(99)
