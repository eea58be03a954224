"""Fees and payouts that people edited, and that were followed: what stands in Xero is gone by from then on."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import BANK, CLEARING, DAY, Product, nzd
from tests.receivables.collected import CHOSEN, Collected, paid_out_and_in_flight
from tests.receivables.test_ordinary_account import ORDINARY, collecting

from xerosync import (
    DriftField,
    Fee,
    FeesAs,
    Fix,
    Ledger,
    Receivables,
    Reconciliation,
    Settlement,
    SettlementLine,
    SettlementSettings,
)
from xerosync.simulator.entities import BankTransaction
from xerosync.simulator.given import Json


@pytest.fixture
def collected(product: Product) -> Collected:
    made = paid_out_and_in_flight(product)
    product.clock.advance(60)
    return made


def fees_of(product: Product) -> BankTransaction:
    """Those of the settlement that is in flight."""
    (fees,) = [each for each in product.books.bank_transactions if each.date > DAY and each.status == "AUTHORISED"]
    return fees


def edited(collected: Collected, amount: str) -> None:
    collected.product.clock.advance(60)
    collected.product.books.edit_bank_transaction(fees_of(collected.product).id, amount=Decimal(amount), account="429")


def followed(collected: Collected, amount: str) -> None:
    """Edit the fees of the settlement in flight, and follow that."""
    edited(collected, amount)
    collected.sales.apply(Ledger(collected.product.xero()).drift().follow())


def given(collected: Collected, amount: str) -> list[Settlement]:
    first, second = collected.settlements
    return [first, evolve(second, fees=[Fee(amount=nzd(amount))])]


def reports(collected: Collected, settlements: list[Settlement], since: Reconciliation) -> list[Reconciliation]:
    """All ways to explain the account: whole, brief, rolled forward, and without any settlement."""
    sales = collected.sales
    return [
        sales.reconcile(settlements),
        sales.reconcile(settlements, brief=True),
        sales.reconcile(settlements, since=since),
        sales.reconcile(),
    ]


def test_fees_that_were_followed_are_what_all_go_by(collected: Collected) -> None:
    product, sales = collected.product, collected.sales
    before = sales.reconcile(collected.settlements, brief=True)
    followed(collected, "5.00")

    wanted = given(collected, "5.00")
    plan = sales.settle(wanted)

    assert (len(plan), plan.findings, len(Ledger(product.xero()).drift())) == (0, (), 0)
    for report in reports(collected, wanted, before):
        assert (report.clean, report.in_flight, report.balance) == (True, nzd("35.00"), nzd("35.00"))
    assert not sales.settlement_report(wanted).crossed()
    sales.apply(sales.settle([wanted[0], evolve(wanted[1], paid_out_on=DAY + timedelta(days=9))]))
    assert sales.reconcile().balance == nzd("0.00")


def test_where_the_row_stays_as_it_was_both_say_what_was_followed(collected: Collected) -> None:
    followed(collected, "5.00")

    plan = collected.sales.settle(collected.settlements)
    (told,) = collected.report().discrepancies

    assert not plan
    assert [(each.code, each.about) for each in plan.findings] == [("changed since posted", "S2")]
    assert (told.code, told.about, told.amount) == ("changed since posted", "S2", nzd("-3.50"))
    for each in (plan.findings[0], told):
        assert each.cause.startswith("it was edited in Xero, and followed, to fees of 5.00 NZD")
        assert each.fix.startswith("give the settlement as it was followed")


def test_fees_that_are_edited_again_after_they_were_followed_are_told_by_what_was_followed(
    collected: Collected,
) -> None:
    ledger = Ledger(collected.product.xero())
    followed(collected, "5.00")
    edited(collected, "6.00")

    (drift,) = ledger.drift()
    (told,) = collected.sales.reconcile(given(collected, "5.00")).discrepancies
    collected.sales.apply(ledger.drift().restore())

    assert (drift.was, drift.now) == ("5.00", "6.00")
    assert (told.code, told.amount) == ("changed in Xero", nzd("-1.00"))
    assert [(each.total, each.lines[0].account_id) for each in [fees_of(collected.product)]] == [
        (Decimal(5), collected.product.books.account("429").id)
    ]
    assert (collected.sales.reconcile(given(collected, "5.00")).clean, len(ledger.drift())) == (True, 0)


def test_fees_that_were_followed_and_removed_are_put_back_as_they_were_followed(collected: Collected) -> None:
    ledger = Ledger(collected.product.xero())
    followed(collected, "5.00")
    collected.product.books.remove_bank_transaction(fees_of(collected.product).id)

    collected.sales.apply(ledger.drift().restore())

    assert collected.sales.reconcile(given(collected, "5.00")).clean
    assert fees_of(collected.product).total == 5


def test_a_settlement_whose_fees_were_followed_is_undone(collected: Collected) -> None:
    followed(collected, "5.00")

    plan = collected.sales.undo_settlement(given(collected, "5.00")[1])
    collected.sales.apply(plan)

    assert plan.findings == ()
    assert collected.sales.reconcile().balance == nzd("0.00")


def test_a_day_that_was_followed_is_told_no_more_in_a_report_of_some_days(collected: Collected) -> None:
    fees, last = fees_of(collected.product), DAY + timedelta(days=8)
    collected.product.books.edit_bank_transaction(fees.id, date=last + timedelta(days=1))

    def found() -> list[str]:
        return [each.code for each in collected.sales.reconcile(collected.settlements, last=last).discrepancies]

    assert found() == ["changed in Xero"]
    collected.sales.apply(Ledger(collected.product.xero()).drift().follow())

    assert found() == []
    assert collected.sales.settle(collected.settlements).findings == ()


def test_what_was_to_be_followed_before_something_else_was_is_left_out(collected: Collected) -> None:
    """It would put on record what has gone from Xero since."""
    ledger = Ledger(collected.product.xero())
    edited(collected, "5.00")
    first = ledger.drift().follow()
    followed(collected, "6.00")

    report = collected.sales.apply(first)

    assert [each.code for each in report.findings] == ["changed since planned"]
    assert collected.sales.reconcile(given(collected, "6.00")).clean
    assert len(ledger.drift()) == 0


def test_a_plan_that_follows_may_be_applied_again_or_kept_with_the_rows_of_the_host(collected: Collected) -> None:
    edited(collected, "5.00")
    plan = Ledger(collected.product.xero()).drift().follow()

    collected.product.store.commit(plan.records())
    report = collected.sales.apply(plan)

    assert report.findings == ()
    assert collected.sales.reconcile(given(collected, "5.00")).clean


def test_fees_on_a_payout_that_were_followed_are_what_all_go_by() -> None:
    made = collecting(paid_out=True, fees_as=FeesAs.NETTED)
    books, sales = made.product.books, made.sales
    (payout,) = books.bank_transactions
    books.edit_bank_transaction(payout.id, lines=lines((ORDINARY, "160.00"), ("404", "-5.00")))
    ledger = Ledger(made.product.xero())
    assert books.balance(books.account(ORDINARY).id) == 0
    made.product.clock.advance(60)

    sales.apply(ledger.drift().follow())
    wanted = evolve(made.settlement, fees=[Fee(amount=nzd("5.00"))])

    plan = sales.settle(wanted)
    assert (len(plan), plan.findings, len(ledger.drift())) == (0, (), 0)
    assert evolve(made, settlement=wanted).report().clean
    assert sales.reconcile().clean
    assert [each.code for each in sales.settle(made.settlement).findings] == ["changed since posted"]


def lines(*rows: tuple[str, str]) -> list[dict[str, Json]]:
    """Lines as people edit them: the account and the amount of each."""
    return [
        {"Description": "edited", "Quantity": 1, "UnitAmount": amount, "AccountCode": code, "TaxType": "NONE"}
        for code, amount in rows
    ]


@pytest.mark.parametrize(
    ("edited_to", "reserve", "fees"),
    [
        ([(ORDINARY, "160.00"), ("404", "-1.50"), (ORDINARY, "-7.00")], "7.00", "1.50"),
        ([(ORDINARY, "160.00"), ("404", "-1.50")], "", "1.50"),
        ([(ORDINARY, "155.00"), ("404", "-2.00")], "5.00", "2.00"),
        ([("404", "-2.00"), (ORDINARY, "160.00"), (ORDINARY, "-5.00")], "5.00", "2.00"),
        ([(ORDINARY, "100.00"), (ORDINARY, "60.00"), ("404", "-1.50"), (ORDINARY, "-5.00")], "5.00", "1.50"),
    ],
)
def test_a_payout_that_keeps_a_reserve_on_the_account_is_explained_once_it_was_followed(
    edited_to: list[tuple[str, str]], reserve: str, fees: str
) -> None:
    """Whatever order its lines have now, and whether the reserve has one of its own."""
    begun = collecting(paid_out=False)
    books, ledger = begun.product.books, Ledger(begun.product.xero())
    chosen = SettlementSettings(
        bank_account=BANK, fee_account="404", provider="Collections Ltd", reserve_account=ORDINARY
    )
    sales = Receivables(begun.product.xero(), clearing_account=ORDINARY, settlements=chosen)
    proven = sales.reconcile([evolve(begun.settlement, paid_out_on=None)], brief=True)
    made = evolve(begun, sales=sales, settlement=evolve(begun.settlement, reserve=nzd("5.00")), proven=proven)
    sales.apply(sales.settle(made.settlement))
    begun.product.clock.advance(60)
    (payout,) = books.bank_transactions
    books.edit_bank_transaction(payout.id, lines=lines(*edited_to))
    begun.product.clock.advance(60)

    sales.apply(ledger.drift().follow())
    kept_back = nzd(reserve) if reserve else None
    wanted = evolve(made, settlement=evolve(made.settlement, reserve=kept_back, fees=[Fee(amount=nzd(fees))]))
    kept = books.balance(books.account(ORDINARY).id)

    plan = sales.settle(wanted.settlement)
    assert (len(plan), plan.findings, len(ledger.drift())) == (0, (), 0)
    for report in (wanted.report(), sales.reconcile()):
        assert report.in_flight == nzd(0)
        assert [(each.code, str(each.amount)) for each in report.discrepancies] == (
            [("kept on the account", str(nzd(kept)))] if kept else []
        )
    sales.apply(sales.undo_settlement(wanted.settlement))
    assert sales.reconcile().clean


def test_a_payout_that_was_moved_away_and_followed_is_told_once_it_is_moved_back() -> None:
    made = collecting(paid_out=True)
    books, ledger = made.product.books, Ledger(made.product.xero())
    (payout,) = books.bank_transactions
    books.edit_bank_transaction(payout.id, amount=payout.total, account="400")
    made.product.clock.advance(60)
    made.sales.apply(ledger.drift().follow())
    away = made.balance("400")
    made.product.clock.advance(60)
    books.edit_bank_transaction(payout.id, amount=payout.total, account=ORDINARY)
    made.product.clock.advance(60)

    (told,) = made.sales.reconcile().discrepancies
    made.sales.apply(made.sales.reconcile().plan(Fix.RESTORE))

    assert (told.code, told.amount, told.fixes) == ("changed in Xero", nzd("-158.50"), (Fix.RESTORE, Fix.IGNORE))
    assert (made.balance("400"), len(ledger.drift())) == (away, 0)
    assert [each.code for each in made.report().discrepancies] == ["changed since posted"]


def test_fees_of_which_the_day_alone_is_followed_are_told_to_be_recoded_and_not_undone(collected: Collected) -> None:
    ledger, fees = Ledger(collected.product.xero()), fees_of(collected.product)
    later = fees.date + timedelta(days=2)
    collected.product.books.edit_bank_transaction(fees.id, date=later, lines=lines(("429", "1.50")))
    collected.product.clock.advance(60)

    collected.sales.apply(ledger.drift(fields=[DriftField.DATE]).follow())

    assert [each.field for each in ledger.drift()] == [DriftField.LINES]
    plan = collected.sales.undo_settlement(collected.settlements[1])
    assert (len(plan), [each.cause for each in plan.findings]) == (0, ["it was edited in Xero since: lines"])
    collected.sales.apply(ledger.drift().follow())
    collected.sales.apply(collected.sales.undo_settlement(collected.settlements[1]))
    assert collected.sales.reconcile().balance == nzd("0.00")


def test_fees_that_people_typed_are_gone_by_as_they_were_followed(product: Product) -> None:
    invoice = product.collectable("100.00").id
    product.books.add_payment(invoice, account=CLEARING, amount=Decimal(100), date=DAY)
    provider = product.books.add_contact("Collections Ltd").id
    fees = product.books.add_bank_transaction(
        provider, type="SPEND", bank=CLEARING, date=DAY, lines=lines(("404", "1.50"))
    )
    line = SettlementLine(id="L1", transaction=invoice, amount=nzd("100.00"))
    settlement = Settlement(id="S1", on=DAY, lines=[line], fees=[Fee(amount=nzd("1.50"))])
    sales = Receivables(product.xero(), clearing_account=CLEARING, settlements=CHOSEN)
    sales.apply(sales.backfill(settlement))
    ledger = Ledger(product.xero())
    told: list[tuple[DriftField, str]] = []
    for rows in (("404", "5.00"), ("429", "5.00"), ("429", "6.00")):
        product.clock.advance(60)
        product.books.edit_bank_transaction(fees.id, lines=lines(rows))
        product.clock.advance(60)
        told += [(each.field, each.was) for each in ledger.drift()]
        sales.apply(ledger.drift().follow())

    settlement = evolve(settlement, fees=[Fee(amount=nzd("6.00"))])

    assert told == [
        (DriftField.AMOUNT, "1.50"),
        (DriftField.LINES, "404 NONE 5.00"),
        (DriftField.AMOUNT, "5.00"),
    ]
    assert sales.reconcile(settlement).clean
    plan = sales.undo_settlement(settlement)
    sales.apply(plan)
    assert plan.findings == ()
    assert product.books.balance(product.books.account(CLEARING).id) == 0
