"""A report of some days: what is accepted in it, and what is of settlements on other days."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import CLEARING, DAY, Product, nzd
from tests.receivables.collected import CHOSEN, Collected, paid_out_and_in_flight
from tests.receivables.test_ordinary_account import ORDINARY, collecting

from xerosync import Fee, Fix, LineKind, Receivables, Settlement
from xerosync.models import BankTransferId


@pytest.fixture
def collected(product: Product) -> Collected:
    return paid_out_and_in_flight(product)


def test_what_is_accepted_in_one_range_of_days_stays_so_whatever_is_accepted_in_another() -> None:
    """The rest that nothing explains is 10.00 at the end of the one, and 15.00 at the end of the other."""
    made = collecting(paid_out=True)
    sales, books, later = made.sales, made.product.books, DAY + timedelta(days=10)
    for amount, on in (("10.00", DAY), ("5.00", later)):
        books.add_journal("moved", {ORDINARY: Decimal(amount), "404": -Decimal(amount)}, date=on)
    made.product.clock.advance(timedelta(days=20).total_seconds())
    days = [(None, DAY + timedelta(days=1)), (DAY, later), (None, None)]
    told = []
    for first, last in days:
        report = sales.reconcile([made.settlement], first=first, last=last)
        told.append([(each.code, each.amount) for each in report.discrepancies])
        sales.apply(report.plan(Fix.IGNORE))

    again = [sales.reconcile([made.settlement], first=first, last=last) for first, last in days]

    assert told == [[("other movements", nzd("10.00"))], [("other movements", nzd("15.00"))], []]
    assert [(each.clean, len(each.accepted), each.explained) for each in again] == [(True, 1, True)] * 3
    books.add_journal("moved", {ORDINARY: Decimal(1), "404": Decimal(-1)}, date=DAY)
    assert [each.amount for each in made.report().discrepancies] == [nzd("16.00")]


@pytest.mark.parametrize("first", [None, DAY + timedelta(days=3)])
def test_what_is_accepted_where_its_settlement_is_not_given_is_so_with_it_fees_and_their_payout_each(
    collected: Collected, first: date | None
) -> None:
    """Both bear the settlement's id, so that the one was accepted in the place of the other."""
    xero, (payout,) = collected.product.xero(), collected.product.books.bank_transfers
    xero.bank_transfers.delete(BankTransferId(payout.id))
    fees = next(each for each in collected.product.books.bank_transactions if each.reference.startswith("Fees S1"))
    collected.product.books.remove_bank_transaction(fees.id)
    collected.product.clock.advance(timedelta(days=10).total_seconds())
    given = None if first is None else collected.settlements[1:]

    alone = collected.sales.reconcile(given, first=first)
    collected.sales.apply(alone.plan(Fix.IGNORE))

    assert {(each.part, each.amount) for each in alone.discrepancies} == {
        (("fees", "S1"), nzd("1.50")),
        (("payout", "S1"), nzd("158.50")),
    }
    assert collected.sales.reconcile().clean
    assert collected.report().clean


def test_a_charge_back_of_a_settlement_after_the_last_day_is_told_by_that_with_what_to_do(collected: Collected) -> None:
    """It removed a payment of before: Xero's balance of that day is without it as well."""
    back, later = _charged_back(collected), DAY + timedelta(days=30)
    given, last = collected.settlements[:2], DAY + timedelta(days=10)

    (found,) = collected.sales.reconcile(given, last=last).discrepancies

    assert (found.code, found.about, found.settlement, found.amount) == (*_ORPHAN, "S3", nzd("-60.00"))
    assert "for a settlement of a day after the last one of this report" in found.cause
    assert "give that settlement too, or name a later last=…" in found.fix
    assert collected.sales.reconcile([*given, back], last=last).clean
    assert collected.sales.reconcile([*given, back], last=later).clean


def test_a_charge_back_that_the_host_has_no_more_and_no_plan_takes_back_says_so(collected: Collected) -> None:
    _charged_back(collected)
    collected.settlements.pop()
    collected.product.clock.advance(timedelta(days=40).total_seconds())

    (found,) = collected.report().discrepancies

    assert (found.code, found.about, found.settlement, found.fixes) == (*_ORPHAN, "S3", (Fix.IGNORE,))
    assert found.fix.startswith("give the settlement; ")
    assert found.fix.endswith("cannot be brought back: if it never went back, settle it under new ids")


def test_an_invoice_in_a_payment_s_place_that_the_host_has_no_more_is_to_be_undone() -> None:
    """On an account that is no bank account, nothing but that invoice takes the money out."""
    made = collecting(paid_out=True)
    (payment,) = made.product.live_payments()
    made.product.books.reconcile_payment(payment.id)
    line = evolve(made.settlement.lines[0], id="B1", kind=LineKind.CHARGED_BACK)
    back = Settlement(id="S2", on=DAY, lines=[line])
    made.sales.apply(made.sales.settle([made.settlement, back]))

    (found,) = made.sales.reconcile([made.settlement]).discrepancies
    made.sales.apply(made.sales.undo_settlement(back))

    assert (found.code, found.about, found.settlement, found.fixes) == (*_ORPHAN, "S2", (Fix.IGNORE,))
    assert found.fix.endswith("a plan cannot remove it alone: undo_settlement() takes its settlement back")
    assert made.sales.reconcile([made.settlement]).clean


@pytest.mark.parametrize(
    ("kind", "stays"),
    [
        (LineKind.REFUNDED, "its credit note stays"),
        (LineKind.CHARGED_BACK, "the invoice in its payment's place stays"),
    ],
)
def test_what_would_stay_of_a_line_that_the_host_has_no_more_is_said(
    collected: Collected, kind: LineKind, stays: str
) -> None:
    books, sales = (
        collected.product.books,
        Receivables(
            collected.product.xero(),
            clearing_account=CLEARING,
            settlements=evolve(CHOSEN, charge_back_account="404"),
        ),
    )
    for payment in collected.product.live_payments():
        books.reconcile_payment(payment.id)
    line = evolve(collected.settlements[0].lines[1], id="B1", kind=kind)
    back = Settlement(id="S3", on=DAY, lines=[line])
    sales.apply(sales.settle([*collected.settlements, back]))

    (found,) = sales.reconcile(collected.settlements).discrepancies
    sales.apply(sales.undo_settlement(back))

    assert (found.code, found.about, found.fixes) == (*_ORPHAN, (Fix.REMOVE, Fix.IGNORE))
    assert found.fix.endswith(f"removed, {stays}: undo_settlement() takes back both")
    assert sales.reconcile(collected.settlements).clean


def test_what_was_kept_until_the_last_day_names_the_settlement_that_kept_it_by_then() -> None:
    made = collecting(paid_out=True)
    later, kept = DAY + timedelta(days=10), [Fee(amount=nzd("2.00"), account=ORDINARY)]
    more = [
        Settlement(id=name, on=on, lines=[], fees=kept, paid_out_on=on) for name, on in (("S2", DAY), ("S3", later))
    ]
    made.sales.apply(made.sales.settle(more))
    made.product.clock.advance(timedelta(days=20).total_seconds())

    by_then, since = (made.sales.reconcile([made.settlement, *more], last=last) for last in (DAY, None))

    assert [(each.settlement, each.amount) for each in by_then.discrepancies] == [("S2", nzd("2.00"))]
    assert [(each.settlement, each.amount) for each in since.discrepancies] == [("", nzd("4.00"))]


_ORPHAN = ("not in your settlements", "B1")


def _charged_back(collected: Collected) -> Settlement:
    """What of S1 went back a month later, in a settlement S3: its payment is removed."""
    line = evolve(collected.settlements[0].lines[1], id="B1", kind=LineKind.CHARGED_BACK)
    back = Settlement(id="S3", on=DAY + timedelta(days=30), lines=[line])
    collected.settlements.append(back)
    collected.apply()
    return back
