"""The reconciliation report: what settlements say against what Xero holds, each discrepancy once, with its fixes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import BANK, CLEARING, DAY, Product, nzd
from tests.receivables.collected import CHOSEN, Collected, paid_out_and_in_flight

from xerosync import (
    Fix,
    Ledger,
    LineKind,
    MemoryStore,
    Plan,
    Receivables,
    Settlement,
    SettlementLine,
)
from xerosync.errors import InvalidInput, Misconfigured
from xerosync.simulator import Fault


@pytest.fixture
def collected(product: Product) -> Collected:
    return paid_out_and_in_flight(product)


def test_what_is_settled_and_not_paid_out_is_in_flight_and_nothing_else(collected: Collected) -> None:
    report = collected.report()

    assert report.clean
    assert (report.in_flight, report.payments) == (nzd("38.50"), 3)
    assert str(report) == "clearing 38.50 NZD = 38.50 NZD in flight + 0 exceptions"


def test_what_the_host_has_and_xero_has_not_is_a_discrepancy_that_a_plan_posts(collected: Collected) -> None:
    collected.settle("S3", collected.product.collectable("10.00", "Di Fox"), paid_out=False)

    assert collected.found() == [("not posted yet", "S3-0", "-10.00"), ("not posted yet", "S3", "1.50")]

    collected.sales.apply(collected.report().plan(Fix.POST))

    assert collected.report().clean


def test_what_xero_has_and_the_host_has_not_is_a_discrepancy_that_a_plan_removes(collected: Collected) -> None:
    """Orphans of our own: the host lost a settlement, or it was a test."""
    collected.settlements.pop()

    assert collected.found() == [
        ("not in your settlements", "S2-0", "40.00"),
        ("not in your settlements", "S2", "-1.50"),
    ]

    collected.sales.apply(collected.report().plan(Fix.REMOVE))

    assert collected.report().clean
    assert collected.report().balance == nzd(0)


def test_a_line_that_the_host_dropped_from_its_settlement_is_an_orphan(collected: Collected) -> None:
    first, second = collected.settlements
    collected.settlements = [evolve(first, lines=first.lines[:1], fees=(), paid_out_on=None), second]

    assert collected.found() == [
        ("not in your settlements", "S1-1", "60.00"),
        ("not in your settlements", "S1", "-1.50"),
        ("not in your settlements", "S1", "-158.50"),
    ]


def test_settlements_of_before_the_first_day_need_not_be_given(collected: Collected) -> None:
    later = collected.settlements[1]

    report = collected.sales.reconcile([later], first=DAY + timedelta(days=1))

    assert report.clean
    assert (report.opening, report.balance) == (nzd(0), nzd("38.50"))
    assert (report.statement.money_in, report.statement.money_out) == (nzd("40.00"), nzd("1.50"))


def test_settlements_that_begin_in_the_middle_are_told_to_name_their_first_day(collected: Collected) -> None:
    report = collected.sales.reconcile(collected.settlements[1])

    assert {each.code for each in report.discrepancies} == {"not in your settlements"}
    assert all("name that day: first=" in each.fix for each in report.discrepancies)


def test_a_first_day_to_come_is_the_last_one_too(collected: Collected) -> None:
    first = collected.product.clock.now().date() + timedelta(days=400)

    report = collected.sales.reconcile(collected.settlements, first=first)

    assert (report.statement.first, report.statement.last) == (first, first)
    assert (report.opening, report.balance, report.statement.movements) == (nzd("38.50"), nzd("38.50"), ())


def test_the_report_of_an_earlier_day_leaves_out_what_came_later(collected: Collected) -> None:
    report = collected.sales.reconcile(collected.settlements, last=DAY + timedelta(days=1))

    assert report.clean
    assert (report.balance, report.in_flight) == (nzd(0), nzd(0))


def test_what_people_removed_is_told_of_its_line_once(collected: Collected) -> None:
    books = collected.product.books
    (payment,) = [each for each in books.payments if each.amount == 60]
    books.remove_payment(payment.id)
    (transfer,) = books.bank_transfers
    (fees,) = [each for each in books.bank_transactions if each.type == "SPEND" and each.date > DAY]
    books.remove_bank_transaction(fees.id)

    report = collected.report()

    assert [(each.code, each.about, each.amount) for each in report.discrepancies] == [
        ("removed in Xero", "S1-1", nzd("-60.00")),
        ("removed in Xero", "S2", nzd("1.50")),
    ]
    assert report.discrepancies[0].xero_id == payment.id
    assert transfer.status == "AUTHORISED"


def test_each_thing_that_somebody_typed_is_told_and_removed(collected: Collected) -> None:
    books = collected.product.books
    other = collected.product.invoice("Ed Poe", "9.00")
    typed = books.add_payment(other.id, account=CLEARING, date=DAY)
    received = books.add_bank_transaction(other.contact_id, type="RECEIVE", bank=CLEARING, amount=Decimal(5), date=DAY)
    moved = books.add_transfer(from_bank=CLEARING, to_bank=BANK, amount=Decimal(3), date=DAY)

    report = collected.report()

    assert [(each.code, each.about, each.fixes) for each in report.discrepancies] == [
        ("payment not posted here", typed.id, (Fix.REMOVE, Fix.IGNORE)),
        ("bank transaction not posted here", received.id, (Fix.REMOVE, Fix.IGNORE)),
        ("transfer not posted here", moved.id, (Fix.REMOVE, Fix.IGNORE)),
    ]

    collected.sales.apply(report.plan(Fix.REMOVE))

    assert collected.report().clean
    assert books.invoice(other.id).amount_due == 9


def test_what_is_reconciled_is_left_and_the_reason_said(collected: Collected) -> None:
    other = collected.product.invoice("Ed Poe", "9.00")
    typed = collected.product.books.add_payment(other.id, account=CLEARING, date=DAY)
    collected.product.books.reconcile_payment(typed.id)

    plan = collected.report().plan(Fix.REMOVE)

    assert not plan
    (finding,) = plan.findings
    assert "it is reconciled" in finding.fix


def test_a_transfer_whose_side_is_reconciled_is_left_too(collected: Collected) -> None:
    books = collected.product.books
    typed = books.add_transfer(from_bank=CLEARING, to_bank=BANK, amount=Decimal("5.00"), date=DAY)
    books.reconcile_transfer(typed.id)

    (found,) = collected.report().discrepancies

    assert found.fixes == (Fix.IGNORE,)
    assert "it is reconciled" in found.fix


def test_what_is_accepted_stays_in_the_sum_and_is_told_again_when_it_changes(collected: Collected) -> None:
    books = collected.product.books
    for amount in ("9.00", "4.00"):
        other = collected.product.invoice("Ed Poe", amount)
        books.add_payment(other.id, account=CLEARING, date=DAY)
    (nine,) = [each for each in collected.report().discrepancies if each.amount == nzd("9.00")]

    collected.sales.apply(collected.report().plan(Fix.IGNORE, only=lambda each: each.amount == nzd("9.00")))

    report = collected.report()
    assert [each.about for each in report.accepted] == [nine.about]
    assert [each.amount for each in report.discrepancies] == [nzd("4.00")]
    books.remove_payment(nine.about)
    assert collected.report().accepted == ()


def test_each_kind_may_be_fixed_in_its_own_way(collected: Collected) -> None:
    other = collected.product.invoice("Ed Poe", "9.00")
    collected.product.books.add_payment(other.id, account=CLEARING, date=DAY)
    collected.settle("S3", collected.product.collectable("10.00", "Di Fox"), paid_out=False)
    report = collected.report()

    plan = report.plan({"not posted yet": Fix.POST, "payment not posted here": Fix.REMOVE})
    collected.sales.apply(plan)

    assert plan.counts() == {"payment": 1, "bank_transaction": 1, "removal": 1}
    assert collected.report().clean
    assert not report.plan(lambda _: None)
    assert len(report.plan(lambda _: None).findings) == 3


def test_a_charge_back_that_is_not_posted_is_in_the_sum(collected: Collected) -> None:
    transaction = collected.settlements[1].lines[0].transaction
    back = SettlementLine(id="B1", transaction=transaction, amount=nzd("40.00"), kind=LineKind.CHARGED_BACK)
    collected.settlements.append(Settlement(id="S3", on=DAY + timedelta(days=9), lines=[back]))

    assert collected.found() == [("not posted yet", "B1", "40.00")]

    collected.sales.apply(collected.report().plan(Fix.POST))

    assert collected.report().clean
    assert collected.report().balance == nzd("-1.50")


def test_a_payment_that_the_store_has_forgotten_is_taken_over(collected: Collected) -> None:
    forgetful = Receivables(collected.product.xero(store=MemoryStore()), clearing_account=CLEARING, settlements=CHOSEN)
    collected.sales = forgetful
    codes = {code for code, _, _ in collected.found()}

    assert codes <= {"payment the store does not know", "not created here", "not posted yet"}


def test_a_lost_answer_is_a_finding_until_it_is_recovered(collected: Collected) -> None:
    collected.settle("S3", collected.product.collectable("10.00", "Di Fox"), paid_out=False)
    collected.product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Payments")
    collected.apply()

    report = collected.report()
    assert [(each.code, each.amount) for each in report.discrepancies] == [("still open", nzd("0.00"))]
    assert report.discrepancies[0].fixes == ()
    assert json.loads(report.json())["discrepancies"][0]["retry"] is True

    collected.sales.recover()
    assert collected.report().clean


def test_each_discrepancy_leads_to_its_document_and_to_who_can_fix_it(collected: Collected) -> None:
    books = collected.product.books
    other = collected.product.invoice("Ed Poe", "9.00")
    typed = books.add_payment(other.id, account=CLEARING, date=DAY)

    (discrepancy,) = collected.report().discrepancies

    assert (discrepancy.who, discrepancy.worth, discrepancy.xero_id) == ("the bookkeeper", nzd("9.00"), typed.id)
    assert discrepancy.link is not None
    assert typed.id in discrepancy.link


def test_what_has_one_cause_is_one_cause(collected: Collected) -> None:
    for _ in range(3):
        other = collected.product.invoice("Ed Poe", "9.00")
        collected.product.books.add_payment(other.id, account=CLEARING, date=DAY)

    report = collected.report()

    (cause,) = report.causes
    assert (len(cause.waits), cause.worth) == (3, (nzd("27.00"),))
    assert "27.00 NZD 3 × payment not posted here" in str(report)
    assert "(the bookkeeper)" in str(report)


def test_what_is_ignored_of_one_settlement_its_fees_and_its_payout_stays_so(collected: Collected) -> None:
    collected.settlements.pop(0)
    report = collected.report()
    assert {each.part for each in report.discrepancies if each.about == "S1"} == {("fees", "S1"), ("payout", "S1")}
    (cause,) = report.causes
    assert (cause.code, len(report.discrepancies)) == ("not in your settlements", 4)

    collected.sales.apply(report.plan(Fix.IGNORE))

    assert collected.report().clean
    assert not collected.report().plan(Fix.IGNORE)


def test_days_in_the_wrong_order_are_refused(collected: Collected) -> None:
    with pytest.raises(InvalidInput, match="last"):
        collected.sales.reconcile(first=DAY, last=DAY - timedelta(days=1))
    with pytest.raises(InvalidInput, match="first"):
        collected.sales.reconcile(first=date.min)


def test_a_blank_account_is_not_taken_for_the_story_s_own(collected: Collected) -> None:
    with pytest.raises(Misconfigured, match="no account"):
        collected.sales.reconcile(account="")


def test_what_somebody_removed_is_put_back_once(collected: Collected) -> None:
    books = collected.product.books
    (payment,) = [each for each in books.payments if each.amount == 60]
    books.remove_payment(payment.id)
    fees = [each for each in books.bank_transactions if each.type == "SPEND"]
    books.remove_bank_transaction(fees[0].id)

    report = collected.report()
    assert {each.fixes for each in report.discrepancies} == {(Fix.RESTORE, Fix.IGNORE)}
    plan = report.plan(Fix.RESTORE)
    collected.sales.apply(plan)
    collected.sales.apply(plan)

    assert collected.report().clean
    assert collected.sales.settlement_report(collected.settlements).complete
    assert not collected.sales.settle(collected.settlements)
    assert sorted(each.amount for each in books.payments if each.status == "AUTHORISED") == [40, 60, 100]


def test_a_payment_of_a_voided_invoice_is_not_put_back_and_the_reason_said(collected: Collected) -> None:
    books = collected.product.books
    (paid,) = (each for each in books.payments if each.amount == 100)
    books.remove_payment(paid.id)
    books.void_invoice(collected.settlements[0].lines[0].transaction)

    (found,) = collected.report().discrepancies
    plan = Ledger(collected.product.xero()).drift().restore()

    assert found.fixes == (Fix.IGNORE,)
    assert "its invoice was voided" in found.fix
    assert (len(plan), [each.code for each in plan.findings]) == (0, ["cannot be put back"])


def test_what_was_put_back_is_removed_put_back_and_charged_back_again(collected: Collected) -> None:
    books = collected.product.books
    for _ in range(2):
        (payment,) = [each for each in books.payments if each.amount == 40 and each.status == "AUTHORISED"]
        books.remove_payment(payment.id)
        assert collected.found() == [("removed in Xero", "S2-0", "-40.00")]
        collected.sales.apply(collected.report().plan(Fix.RESTORE))
        assert collected.report().clean
    assert Ledger(collected.product.xero()).drift().drifts == ()

    transaction = collected.settlements[1].lines[0].transaction
    back = SettlementLine(id="B1", transaction=transaction, amount=nzd("40.00"), kind=LineKind.CHARGED_BACK)
    collected.settlements.append(Settlement(id="S3", on=DAY + timedelta(days=9), lines=[back]))
    collected.apply()

    assert collected.report().clean
    assert books.invoice(transaction).amount_due == 40


def test_a_settlement_that_was_put_back_can_be_undone(collected: Collected) -> None:
    books = collected.product.books
    (payment,) = [each for each in books.payments if each.amount == 40]
    books.remove_payment(payment.id)
    collected.sales.apply(collected.report().plan(Fix.RESTORE))

    collected.sales.apply(collected.sales.undo_settlement(collected.settlements[1]))

    assert [each.amount for each in books.payments if each.status == "AUTHORISED"] == [100, 60]
    assert books.balance(books.account(CLEARING).id) == 0


def test_a_lost_answer_while_something_is_put_back_puts_it_back_once(collected: Collected) -> None:
    books = collected.product.books
    (payment,) = [each for each in books.payments if each.amount == 40]
    books.remove_payment(payment.id)
    collected.product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Payments")

    collected.sales.apply(collected.report().plan(Fix.RESTORE))
    assert [(each.code, each.retry) for each in collected.report().discrepancies] == [("still open", True)]
    collected.sales.recover()

    assert collected.report().clean
    assert len([each for each in books.payments if each.amount == 40 and each.status == "AUTHORISED"]) == 1


_LOOKED_AT: dict[str, Callable[[Collected], Plan]] = {
    "report": lambda it: it.sales.reconcile(it.settlements).plan(Fix.RESTORE),
    "brief report": lambda it: it.sales.reconcile(it.settlements, brief=True).plan(Fix.RESTORE),
    "report without settlements": lambda it: it.sales.reconcile().plan(Fix.RESTORE),
    "drift": lambda it: Ledger(it.product.xero()).drift().restore(),
}


@pytest.mark.parametrize("look", _LOOKED_AT.values(), ids=_LOOKED_AT)
@pytest.mark.parametrize("path", ["/Payments", "/BankTransactions"])
def test_what_was_removed_again_before_its_lost_answer_was_looked_for_is_put_back(
    collected: Collected, path: str, look: Callable[[Collected], Plan]
) -> None:
    """It is known by then that it was posted, and by Xero that it stands no more."""
    collected.settle("S3", collected.product.collectable("77.00", "Di Fox"), on=DAY + timedelta(days=8), paid_out=False)
    for again in (collected.apply, lambda: collected.sales.apply(look(collected))):
        collected.product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path=path)
        again()
        collected.remove_last(path)
        assert [each.code for each in collected.sales.recover().findings] == ["removed in Xero"]
        assert len(collected.found()) == 1

    report = collected.sales.apply(look(collected))

    assert (report.findings, collected.found()) == ((), [])
    assert not collected.sales.settle(collected.settlements)
    assert Ledger(collected.product.xero()).drift().drifts == ()


@pytest.mark.parametrize("in_doubt", [True, False])
@pytest.mark.parametrize("look", _LOOKED_AT.values(), ids=_LOOKED_AT)
def test_the_payments_of_a_batch_that_was_removed_are_put_back_one_by_one(
    product: Product, look: Callable[[Collected], Plan], *, in_doubt: bool
) -> None:
    """Whether it was known to stand by then or not: what was part of a batch that is gone stands in nobody's way."""
    sales = Receivables(product.xero(), clearing_account=CLEARING, settlements=evolve(CHOSEN, batches=True))
    collected = Collected(product, sales)
    collected.settle("S1", product.collectable("100.00"), product.collectable("60.00", "Bo Lee"), paid_out=False)
    if in_doubt:
        product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/BatchPayments")
    collected.apply()
    product.books.remove_batch_payment(product.books.batch_payments[0].id)
    sales.recover()
    assert sorted(collected.found()) == [
        ("removed in Xero", "S1-0", "-100.00"),
        ("removed in Xero", "S1-1", "-60.00"),
    ]

    report = sales.apply(look(collected))

    assert (report.findings, collected.found()) == ((), [])
    assert sorted(each.amount for each in product.live_payments()) == [60, 100]
    assert product.books.balance(product.books.account(CLEARING).id) == Decimal("158.50")
    again = sales.settle(collected.settlements)
    assert (len(again), again.findings, Ledger(product.xero()).drift().drifts) == (0, (), ())


@pytest.mark.parametrize("at_once", [True, False], ids=["one plan", "two plans"])
@pytest.mark.parametrize("in_doubt", [True, False])
def test_what_was_removed_and_is_charged_back_is_not_put_back_as_well(
    collected: Collected, *, in_doubt: bool, at_once: bool
) -> None:
    """The removal is taken for the charge-back, or what was put back is removed: the money went back once."""
    invoice = collected.product.collectable("77.00", "Di Fox")
    collected.settle("S3", invoice, on=DAY + timedelta(days=8), paid_out=False)
    if in_doubt:
        collected.product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Payments")
    collected.apply()
    collected.product.books.remove_payment(collected.product.books.payments_of(invoice.id)[0].id)
    collected.sales.recover()
    back = SettlementLine(id="S4-0", transaction=invoice.id, amount=nzd("77.00"), kind=LineKind.CHARGED_BACK)
    collected.settlements.append(Settlement(id="S4", on=DAY + timedelta(days=9), lines=[back]))

    report = collected.report()
    plans = [report.plan(lambda each: each.fixes[0])] if at_once else [report.plan(Fix.RESTORE), report.plan(Fix.POST)]
    for plan in plans:
        collected.sales.apply(plan)
    collected.apply()

    assert collected.found() == []
    assert collected.product.standing(invoice.id) == []


def test_what_lies_in_closed_books_is_not_put_back_and_the_reason_said(collected: Collected) -> None:
    books = collected.product.books
    (payment,) = [each for each in books.payments if each.amount == 60]
    books.remove_payment(payment.id)
    books.lock_period(DAY)

    plan = collected.report().plan(Fix.RESTORE)

    assert not plan
    assert "it lies in closed books" in plan.findings[0].fix


@pytest.mark.parametrize("brief", [False, True])
def test_what_xero_refused_to_have_put_back_is_told_and_planned_again_once_it_may_be(
    collected: Collected, *, brief: bool
) -> None:
    books, sales = collected.product.books, collected.sales
    (payment,) = [each for each in books.payments if each.amount == 40]
    books.remove_payment(payment.id)
    parts = [books.add_payment(payment.document_id, account=BANK, amount=Decimal(each), date=DAY) for each in (15, 25)]
    sales.apply(collected.report().plan(Fix.RESTORE))

    report = sales.reconcile(collected.settlements, brief=brief)
    plan = report.plan(Fix.RESTORE)

    assert not plan
    words = "Payments can only be made against Authorised documents"
    assert [(each.code, each.about, words in each.fix) for each in plan.findings] == [("removed in Xero", "S2-0", True)]
    assert words in str(report)
    assert len(report.plan(Fix.RESTORE, retry_refused=True)) == 1
    for each in parts:
        books.remove_payment(each.id)
    sales.apply(sales.reconcile(collected.settlements, brief=brief).plan(Fix.RESTORE))
    assert collected.report().clean
