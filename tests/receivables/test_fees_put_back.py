"""Fees and refunds that people edited, moved or removed: a report's plan puts them back, or says why it does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import CLEARING, DAY, Product, nzd
from tests.receivables.collected import CHOSEN, Collected, paid_out_and_in_flight
from tests.receivables.test_ordinary_account import ORDINARY, collecting

from xerosync import FeesAs, Fix, Ledger, LineKind, Receivables, Reconciliation, Settlement, SettlementLine
from xerosync.models import AccountCode, BankTransaction, BankTransactionId, LineItem
from xerosync.simulator import Bookkeeper

REMOVED_FIRST = (
    "somebody removed it in Xero, and its settlement was undone since",
    "settle it under new ids, the settlement's and the line's, or leave it",
)


@pytest.fixture
def collected(product: Product) -> Collected:
    return paid_out_and_in_flight(product)


def _edit_fees(product: Product) -> None:
    (fees,) = [each for each in product.books.bank_transactions if each.type == "SPEND" and each.date > DAY]
    line = LineItem(description="Fees", unit_amount=Decimal("5.00"), account_code=AccountCode("429"))
    edited = BankTransaction(bank_transaction_id=BankTransactionId(fees.id), line_items=(line,))
    product.xero().bank_transactions.update_one(edited)


def test_fees_that_somebody_edited_are_put_back(collected: Collected) -> None:
    _edit_fees(collected.product)

    report = collected.report()
    assert [(each.code, each.about, each.amount) for each in report.discrepancies] == [
        ("changed in Xero", "S2", nzd("-3.50"))
    ]
    collected.sales.apply(report.plan(Fix.RESTORE))

    assert collected.report().clean
    assert collected.report().in_flight == nzd("38.50")


def test_that_a_file_on_edited_fees_does_not_come_back_with_them_is_said(collected: Collected) -> None:
    for each in collected.product.books.bank_transactions:
        collected.product.books.attach("BankTransactions", each.id, "statement.pdf", b"%PDF-1.4")
    _edit_fees(collected.product)

    assert ["put back, it lacks its files" in each.fix for each in collected.report().discrepancies] == [True]


@pytest.mark.parametrize("given", [True, False])
def test_fees_that_somebody_moved_out_of_the_days_are_told_so_and_put_back(
    collected: Collected, *, given: bool
) -> None:
    books, last = collected.product.books, DAY + timedelta(days=3)
    (fees,) = [each for each in books.bank_transactions if each.type == "SPEND" and each.date == DAY]
    books.edit_bank_transaction(fees.id, date=last + timedelta(days=1))

    def report() -> Reconciliation:
        return collected.sales.reconcile(collected.settlements if given else None, last=last)

    (found,) = report().discrepancies
    collected.sales.apply(report().plan(Fix.RESTORE))

    assert (found.code, found.who, found.fixes) == ("changed in Xero", "the bookkeeper", (Fix.RESTORE, Fix.IGNORE))
    assert "was moved to another day in Xero" in found.cause
    assert (report().clean, len(Ledger(collected.product.xero()).drift())) == (True, 0)


def _provider(books: Bookkeeper) -> str:
    return next(each.id for each in books.contacts if each.name == "Collections Ltd")


@pytest.mark.parametrize("brief", [False, True])
@pytest.mark.parametrize(
    ("meddle", "why"),
    [
        (lambda books: books.archive_contact(_provider(books)), "its contact was archived"),
        (
            lambda books: books.merge_contacts(_provider(books), into=books.add_contact("Collections Limited").id),
            "its contact was archived, or merged",
        ),
        (lambda books: books.archive_account("404"), "account 404 is ARCHIVED"),
    ],
    ids=["contact archived", "contact merged", "account archived"],
)
def test_fees_that_xero_would_not_take_again_are_not_removed_and_the_reason_said(
    collected: Collected, meddle: Callable[[Bookkeeper], object], why: str, *, brief: bool
) -> None:
    """What stands has to go first: refused afterwards, the books would be further off than before."""
    books = collected.product.books
    _edit_fees(collected.product)
    meddle(books)
    chosen = evolve(CHOSEN, fee_account="429")  # no account can stay chosen that was archived
    sales = Receivables(collected.product.xero(), clearing_account=CLEARING, settlements=chosen)
    report = sales.reconcile(collected.settlements, brief=brief)
    before = books.trial_balance(date(2027, 1, 1))

    plan = report.plan(Fix.RESTORE)
    sales.apply(plan)

    assert (len(plan), [each.code for each in plan.findings]) == (0, ["changed in Xero"])
    assert [why in each.fix and each.fixes == (Fix.IGNORE,) for each in report.discrepancies] == [True]
    assert books.trial_balance(date(2027, 1, 1)) == before
    (told,) = Ledger(collected.product.xero()).drift().restore().findings
    assert why in told.cause


def test_fees_that_xero_would_not_take_again_are_put_back_once_it_would(collected: Collected) -> None:
    books, sales = collected.product.books, collected.sales
    _edit_fees(collected.product)
    books.archive_contact(_provider(books))
    assert not collected.report().plan(Fix.RESTORE)

    books.restore_contact(_provider(books))
    sales.apply(collected.report().plan(Fix.RESTORE))

    assert collected.report().clean


def test_a_refund_of_a_voided_credit_note_is_not_put_back_and_the_reason_said(collected: Collected) -> None:
    books, sales = collected.product.books, collected.sales
    transaction = collected.settlements[0].lines[0].transaction
    line = SettlementLine(id="R1", transaction=transaction, amount=nzd("10.00"), kind=LineKind.REFUNDED)
    collected.settlements.append(Settlement(id="S3", on=DAY + timedelta(days=8), lines=[line]))
    collected.apply()
    (refund,) = [each for each in books.payments if each.amount == 10]
    books.remove_payment(refund.id)
    books.void_invoice(books.credit_notes[0].id)

    (found,) = collected.report().discrepancies
    plan = Ledger(collected.product.xero()).drift().restore()
    sales.apply(collected.report().plan(Fix.RESTORE))

    assert (found.about, found.fixes, "its credit note was voided" in found.fix) == ("R1", (Fix.IGNORE,), True)
    assert (len(plan), {each.code for each in plan.findings}) == (0, {"cannot be put back"})
    assert any("its credit note was voided" in each.cause for each in plan.findings)
    assert [each.status for each in books.payments if each.amount == 10] == ["DELETED"]


@pytest.mark.parametrize("fees_as", [None, FeesAs.BILL])
@pytest.mark.parametrize("clearing", [ORDINARY, CLEARING])
def test_a_payout_that_was_removed_before_its_settlement_was_undone_is_undone_with_it(
    clearing: str, fees_as: FeesAs | None
) -> None:
    """There is no money left that it could pay out: to put it back was offered, and held back each time."""
    made = collecting(paid_out=True, clearing=clearing, fees_as=fees_as)
    xero, sales = made.product.xero(), made.sales
    for each in made.product.books.bank_transfers:
        xero.bank_transfers.delete(each.id)
    for money in [each for each in made.product.books.bank_transactions if each.type == "RECEIVE"]:
        made.product.books.remove_bank_transaction(money.id)
    assert made.found().fixes == (Fix.RESTORE, Fix.IGNORE)
    made.product.clock.advance(60)
    sales.apply(sales.undo_settlement(made.settlement))

    report = made.report()
    (found,) = [each for each in report.discrepancies if each.part == ("payout", "S1")]
    (told,) = [each for each in sales.settlement_report(made.settlement).crossed() if each.what == "payout"]
    plan = Ledger(xero).drift().restore()

    assert {each.code for each in report.discrepancies} == {"undone"}
    assert {each.code for each in sales.settle(made.settlement).findings} == {"undone"}
    assert (found.fixes, len(report.plan(Fix.RESTORE))) == ((Fix.IGNORE,), 0)
    assert (told.code, told.cause, told.fix) == (found.code, found.cause, found.fix) == ("undone", *REMOVED_FIRST)
    assert (len(plan), {each.code for each in plan.findings}) == (0, {"cannot be put back"})
    assert any("its settlement was undone" in each.cause for each in plan.findings)
    (alone,) = sales.reconcile().discrepancies
    assert (alone.code, alone.cause, alone.fix, alone.fixes) == ("undone", *REMOVED_FIRST, (Fix.IGNORE,))
    sales.apply(report.plan(Fix.IGNORE))
    assert made.report().clean


def test_a_payment_that_was_removed_before_its_settlement_was_undone_is_undone_with_it() -> None:
    made = collecting(paid_out=True)
    (payment,) = made.product.live_payments()
    made.product.books.remove_payment(payment.id)
    made.product.clock.advance(60)
    made.sales.apply(made.sales.undo_settlement(made.settlement))

    (found,) = [each for each in made.report().discrepancies if each.part == ("line", "L1")]

    assert (found.code, found.cause, found.fix, found.fixes) == ("undone", *REMOVED_FIRST, (Fix.IGNORE,))
    assert {each.code for each in made.sales.settle(made.settlement).findings} == {"undone"}
