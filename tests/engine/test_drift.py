"""Drift: what people changed in Xero after it was written is told, each change once, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import cast

import pytest
from attrs import evolve
from tests.conftest import BANK, CLEARING, DAY, Product, nzd

from xerosync import (
    Bill,
    BillLine,
    BillPayment,
    DriftField,
    DriftReport,
    Fee,
    FollowDrift,
    Ledger,
    LineKind,
    MemoryStore,
    Payables,
    Plan,
    Receivables,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Xero,
)
from xerosync.errors import InvalidInput
from xerosync.models import AccountCode, LineAmountTypes


def write_everything(product: Product, xero: Xero) -> None:
    """A settlement with fees and a payout, a bill and its part payment."""
    invoice = product.collectable("100.00")
    chosen = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd")
    sales = Receivables(xero, clearing_account=CLEARING, settlements=chosen)
    line = SettlementLine(id="L1", transaction=invoice.id, amount=nzd("100.00"))
    settlement = Settlement(id="S1", on=DAY, lines=[line], fees=[Fee(amount=nzd("1.00"))], paid_out_on=DAY)
    sales.apply(sales.settle(settlement))
    bills = Payables(xero, payment_account=BANK)
    lines = [BillLine(description="Paper", amount=nzd("10.00"), account=AccountCode("404"))]
    bills.apply(bills.submit([Bill(id="b", vendor="Paper Ltd", number="1", on=DAY, lines=lines)]))
    bills.apply(bills.pay([BillPayment(id="p", bill_id="b", on=DAY, amount=nzd("4.00"))]))


def drifted(xero: Xero) -> list[tuple[str, str, DriftField]]:
    return [(each.kind, each.about, each.field) for each in Ledger(xero).drift()]


def test_what_nobody_touched_has_not_drifted(product: Product, xero: Xero) -> None:
    write_everything(product, xero)

    report = Ledger(xero).drift()

    assert not report
    assert report.looked_at == 5
    assert str(report) == "0 changed in Xero of 5 written"


def _remove_collection(product: Product) -> None:
    (payment,) = [each for each in product.live_payments() if each.amount == 100]
    product.books.remove_payment(payment.id)


def _remove_bill_payment(product: Product) -> None:
    (payment,) = [each for each in product.live_payments() if each.amount == 4]
    product.books.remove_payment(payment.id)


def _due_in(days: int) -> Callable[[Product], None]:
    def edit(product: Product) -> None:
        (bill,) = product.live_bills()
        product.books.edit_invoice(bill.id, due=DAY + timedelta(days=days))

    return edit


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (_remove_collection, [("payment", "L1", DriftField.EXISTENCE)]),
        (_remove_bill_payment, [("payment", "bill payment/p", DriftField.EXISTENCE)]),
        (_due_in(9), [("bill", "b", DriftField.DUE_DATE)]),
    ],
)
def test_each_change_is_told_once(
    product: Product, xero: Xero, change: Callable[[Product], None], found: list[tuple[str, str, DriftField]]
) -> None:
    write_everything(product, xero)

    change(product)

    assert drifted(xero) == found


def test_a_merged_vendor_shows_on_its_bills(product: Product, xero: Xero) -> None:
    write_everything(product, xero)
    (old,) = [each for each in product.books.contacts if each.name == "Paper Ltd"]
    product.books.merge_contacts(old.id, into=product.books.add_contact("Paper and Sons").id)

    assert drifted(xero) == [("bill", "b", DriftField.CONTACT)]


def test_what_the_library_took_back_itself_has_not_drifted(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    sales = Receivables(xero, clearing_account=CLEARING)
    line = SettlementLine(id="L1", transaction=invoice.id, amount=nzd("100.00"))
    back = SettlementLine(id="B1", transaction=invoice.id, amount=nzd("100.00"), kind=LineKind.CHARGED_BACK)
    sales.apply(sales.settle(Settlement(id="S1", on=DAY, lines=[line])))
    sales.apply(sales.settle(Settlement(id="S2", on=DAY, lines=[back])))

    assert drifted(xero) == []


def test_a_bill_that_the_host_withdrew_has_not_drifted(xero: Xero) -> None:
    bills = Payables(xero)
    for each, amount in (("b", "10.00"), ("c", "-4.00")):
        lines = [BillLine(description="Paper", amount=nzd(amount), account=AccountCode("404"))]
        bills.apply(bills.submit([Bill(id=each, vendor="Paper Ltd", number=each, on=DAY, lines=lines)]))

    bills.apply(bills.void(["b", "c"]))

    assert drifted(xero) == []


def test_what_the_host_changed_itself_has_not_drifted_and_what_people_did_after_it_has(
    product: Product, xero: Xero
) -> None:
    bills = Payables(xero)
    line = BillLine(description="Paper", amount=nzd("10.00"), account=AccountCode("404"))
    bill = Bill(id="b", vendor="Paper Ltd", number="1", on=DAY, lines=[line], amounts=LineAmountTypes.EXCLUSIVE)
    bills.apply(bills.submit([bill]))

    changed = evolve(bill, vendor="Glue", due=DAY + timedelta(days=9), lines=[evolve(line, amount=nzd("12.00"))])
    bills.apply(bills.update([changed]))

    assert drifted(xero) == []
    (document,) = product.live_bills()
    product.books.edit_invoice(document.id, amount=Decimal("10.00"))
    assert drifted(xero) == [("bill", "b", DriftField.AMOUNT)]


def test_the_host_chooses_which_fields_count(product: Product, xero: Xero) -> None:
    write_everything(product, xero)
    _remove_collection(product)
    _due_in(9)(product)

    chosen = Ledger(xero).drift([DriftField.DUE_DATE])

    assert [each.about for each in chosen] == ["b"]


def test_what_was_accepted_is_told_again_only_when_it_changes_again(product: Product, xero: Xero) -> None:
    write_everything(product, xero)
    _due_in(9)(product)
    bills = Payables(xero)

    plan = Ledger(xero).drift().ignore("b")
    bills.apply(plan)

    assert str(plan) == "1 change in Xero to accept"
    assert drifted(xero) == []
    _due_in(12)(product)
    (again,) = Ledger(xero).drift()
    assert (again.was, again.now) == (DAY.isoformat(), (DAY + timedelta(days=12)).isoformat())


@pytest.mark.parametrize("choice", [DriftReport.ignore, DriftReport.follow, DriftReport.restore])
def test_a_document_that_has_not_changed_cannot_be_chosen(
    choice: Callable[..., Plan], product: Product, xero: Xero
) -> None:
    write_everything(product, xero)
    _due_in(9)(product)
    drift = Ledger(xero).drift()

    with pytest.raises(InvalidInput, match=r"about: give your own ids"):
        choice(drift, "b", "typo")
    plan = choice(drift, "b")
    assert len(plan.actions) + len(plan.findings) == 1


@pytest.mark.parametrize("given", [["b"], 7, None])
def test_documents_are_chosen_by_texts(product: Product, xero: Xero, given: object) -> None:
    write_everything(product, xero)
    _due_in(9)(product)

    with pytest.raises(InvalidInput, match=r"about\[0\]: give a text"):
        Ledger(xero).drift().ignore(cast(str, given))


def test_a_total_that_was_edited_has_both_amounts(product: Product, xero: Xero) -> None:
    bills = Payables(xero)
    lines = [BillLine(description="Paper", amount=nzd("10.00"), account=AccountCode("404"))]
    bills.apply(bills.submit([Bill(id="b", vendor="Paper Ltd", number="1", on=DAY, lines=lines)]))
    (bill,) = product.live_bills()
    product.books.edit_invoice(bill.id, amount=Decimal(12))

    (drift,) = Ledger(xero).drift()

    assert (drift.field, drift.was, drift.now) == (DriftField.AMOUNT, "10.00", "12.00")
    assert Ledger(xero).drift().rows()[0]["field"] == "amount"
    assert (drift.link or "").endswith(drift.xero_id)


def _restore(xero: Xero) -> list[str]:
    plan = Ledger(xero).drift().restore()
    Receivables(xero).apply(plan)
    return [finding.code for finding in plan.findings]


def test_what_was_removed_is_put_back_whatever_it_was(product: Product, xero: Xero) -> None:
    write_everything(product, xero)
    _remove_collection(product)
    _remove_bill_payment(product)
    (fees,) = [each for each in product.books.bank_transactions if each.type == "SPEND"]
    product.books.remove_bank_transaction(fees.id)
    (payout,) = product.books.bank_transfers
    xero.bank_transfers.delete(payout.id)

    assert _restore(xero) == []

    assert drifted(xero) == []
    assert sorted(each.amount for each in product.live_payments()) == [4, 100]
    assert product.books.balance(product.books.account(CLEARING).id) == 0
    (bill,) = product.live_bills()
    assert bill.amount_due == 6


def test_a_bill_payment_that_was_put_back_is_paid_no_second_time(product: Product, xero: Xero) -> None:
    write_everything(product, xero)
    _remove_bill_payment(product)
    _restore(xero)

    plan = Payables(xero, payment_account=BANK).pay([BillPayment(id="p", bill_id="b", on=DAY, amount=nzd("4.00"))])

    assert (len(plan), plan.findings) == (0, ())


def test_a_bill_is_edited_back_to_what_was_submitted(product: Product, xero: Xero) -> None:
    bills = Payables(xero)
    lines = [BillLine(description="Paper", amount=nzd("10.00"), account=AccountCode("404"))]
    paper = Bill(id="b", vendor="Paper Ltd", number="1", on=DAY, lines=lines)
    bills.apply(bills.submit([paper]))
    (document,) = product.live_bills()
    product.books.edit_invoice(document.id, amount=Decimal("12.00"), due=DAY + timedelta(days=40))
    assert len(drifted(xero)) == 2

    assert _restore(xero) == []

    assert drifted(xero) == []
    (document,) = product.live_bills()
    assert document.total == 10
    assert not bills.update([paper])


def test_a_bill_is_edited_back_before_its_payment_is_put_back(product: Product, xero: Xero) -> None:
    """Once money stands on it, Xero changes no amount (F 6.66): whoever edits it removes its payment first."""
    write_everything(product, xero)
    _remove_bill_payment(product)
    (document,) = product.live_bills()
    product.books.edit_invoice(document.id, amount=Decimal("12.00"))

    assert _restore(xero) == []

    assert drifted(xero) == []
    (document,) = product.live_bills()
    assert (document.total, document.amount_due) == (Decimal(10), Decimal(6))


def test_a_bill_that_is_paid_in_part_is_due_again_on_the_day_it_was(product: Product, xero: Xero) -> None:
    """Its day of payment may change although money stands on it (F 6.66)."""
    write_everything(product, xero)
    (document,) = product.live_bills()
    _due_in(9)(product)

    assert _restore(xero) == []

    assert drifted(xero) == []
    (again,) = product.live_bills()
    assert (again.due_date, again.total, again.amount_due) == (document.due_date, Decimal(10), Decimal(6))


def test_what_only_a_person_can_put_back_is_a_finding(product: Product, xero: Xero) -> None:
    write_everything(product, xero)
    _due_in(9)(product)
    (document,) = product.live_bills()  # paid in part
    (line,) = document.lines
    product.books.edit_invoice(document.id, lines=[{"LineItemID": line.id, "AccountCode": "453"}])

    findings = Ledger(xero).drift().restore().findings
    assert {each.code for each in findings} == {"cannot be put back"}
    assert all(each.cause.endswith("money stands on it, which must be taken off first (F 6.66)") for each in findings)
    assert drifted(xero) == [("bill", "b", DriftField.DUE_DATE), ("bill", "b", DriftField.LINES)]


def test_the_host_is_told_what_to_follow_once(product: Product, xero: Xero) -> None:
    write_everything(product, xero)
    _due_in(9)(product)

    plan = Ledger(xero).drift().follow("b")
    Payables(xero).apply(plan)

    (told,) = plan.of(FollowDrift)
    assert (told.what, told.about, told.field) == ("bill", "b", "due date")
    assert (told.was, told.now) == (DAY.isoformat(), (DAY + timedelta(days=9)).isoformat())
    assert drifted(xero) == []


def test_a_contact_that_was_archived_or_merged_is_told_of_its_customer(product: Product, xero: Xero) -> None:
    first, second = product.collectable("10.00", "Ana Costa"), product.collectable("10.00", "Bo Lee")
    product.books.archive_contact(first.contact_id)
    product.books.merge_contacts(second.contact_id, into=product.books.add_contact("Bo Lee and Sons").id)

    assert sorted(drifted(xero)) == [
        ("customer", "Ana", DriftField.CONTACT_STATUS),
        ("customer", "Bo ", DriftField.CONTACT),
    ]
    assert _restore(xero) == ["cannot be put back"] * 2
    Receivables(xero).apply(Ledger(xero).drift().ignore())
    assert drifted(xero) == []


def test_a_removal_that_was_followed_is_accepted_by_the_reconciliation(product: Product, xero: Xero) -> None:
    write_everything(product, xero)
    _remove_collection(product)
    sales = Receivables(xero, clearing_account=CLEARING)

    sales.apply(Ledger(xero).drift().follow("L1"))

    report = sales.reconcile()
    assert report.clean
    assert [each.amount for each in report.accepted] == [nzd("-100.00")]


def _paid_otherwise(product: Product, xero: Xero) -> list[str]:
    """A collection was removed, its invoice paid in parts, and Xero refused to have the collection put back."""
    write_everything(product, xero)
    _remove_collection(product)
    (invoice,) = [each for each in product.books.invoices if each.type == "ACCREC"]
    parts = [product.books.add_payment(invoice.id, account=BANK, amount=Decimal(each), date=DAY) for each in (60, 40)]
    report = Receivables(xero).apply(Ledger(xero).drift().restore())
    assert [each.code for each in report.findings] == ["refused by Xero"]
    return [each.id for each in parts]


def test_what_xero_refused_to_have_put_back_is_told_with_its_words_and_not_sent_again(
    product: Product, xero: Xero
) -> None:
    _paid_otherwise(product, xero)

    report = Ledger(xero).drift()
    plan, again = report.restore(), report.restore("L1", retry_refused=True)

    words = "Payments can only be made against Authorised documents"
    assert words in str(report)
    assert words in report.rows()[0]["refused"]
    assert not plan
    assert [(each.code, each.about, words in each.cause) for each in plan.findings] == [("refused by Xero", "L1", True)]
    assert [(cause.code, cause.waits) for cause in plan.causes] == [("refused by Xero", ("L1",))]
    assert [each.code for each in Receivables(xero).apply(again).findings] == ["refused by Xero"]


def test_what_xero_refused_to_have_put_back_is_planned_again_once_its_invoice_has_changed(
    product: Product, xero: Xero
) -> None:
    for each in _paid_otherwise(product, xero):
        product.books.remove_payment(each)

    assert _restore(xero) == []

    assert drifted(xero) == []
    assert sorted(each.amount for each in product.live_payments()) == [4, 100]
    assert product.books.balance(product.books.account(CLEARING).id) == 0


def test_fees_that_closed_books_kept_from_being_put_back_are_put_back_when_told_to(
    product: Product, xero: Xero
) -> None:
    write_everything(product, xero)
    (fees,) = [each for each in product.books.bank_transactions if each.type == "SPEND"]
    product.books.remove_bank_transaction(fees.id)
    sales, plan = Receivables(xero), Ledger(xero).drift().restore()
    product.books.lock_period(DAY)
    sales.apply(plan)
    assert _restore(xero) == ["cannot be put back"]

    product.books.lock_period(DAY - timedelta(days=1))
    assert _restore(xero) == ["refused by Xero"]
    sales.apply(Ledger(xero).drift().restore(retry_refused=True))

    assert drifted(xero) == []
    assert product.books.balance(product.books.account(CLEARING).id) == 0


def test_an_edit_back_that_xero_refused_is_told_with_its_words(product: Product, xero: Xero) -> None:
    bills = Payables(xero)
    lines = [BillLine(description="Paper", amount=nzd("10.00"), account=AccountCode("404"))]
    bills.apply(bills.submit([Bill(id="b", vendor="Paper Ltd", number="1", on=DAY, lines=lines)]))
    (bill,) = product.live_bills()
    product.books.edit_invoice(bill.id, amount=Decimal(12))
    planned = Ledger(xero).drift().restore()
    product.books.lock_period(DAY)
    bills.apply(planned)
    product.books.lock_period(DAY - timedelta(days=1))

    plan = Ledger(xero).drift().restore()

    assert (len(plan), [each.code for each in plan.findings]) == (0, ["refused by Xero"])
    assert len(Ledger(xero).drift().restore(retry_refused=True)) == 1


def test_a_payment_that_was_taken_over_after_the_store_had_forgotten_it_is_told_and_put_back(
    product: Product, xero: Xero
) -> None:
    """What was sent of it is not known, and what Xero has of it is."""
    write_everything(product, xero)
    forgetful = product.xero(store=MemoryStore())
    Ledger(forgetful).audit(adopt=True)
    bills = Payables(forgetful, payment_account=BANK)
    lines = [BillLine(description="Paper", amount=nzd("10.00"), account=AccountCode("404"))]
    bills.apply(bills.submit([Bill(id="b", vendor="Paper Ltd", number="1", on=DAY, lines=lines)]))
    bills.apply(bills.pay([BillPayment(id="p", bill_id="b", on=DAY, amount=nzd("4.00"))]))
    _remove_bill_payment(product)

    assert drifted(forgetful) == [("payment", "bill payment/p", DriftField.EXISTENCE)]
    assert _restore(forgetful) == []

    assert drifted(forgetful) == []
    (bill,) = product.live_bills()
    assert product.standing(bill.id) == [(Decimal(4), DAY)]
