"""Two plans for the same line, made before either was applied: its money is posted once, by whichever comes first."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import BANK, CLEARING, DAY, Product, nzd
from tests.engine.scenarios import paper

from xerosync import (
    BillPayment,
    Fee,
    FeesAs,
    Fix,
    Ledger,
    LineKind,
    Payables,
    Plan,
    Receivables,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Surplus,
)
from xerosync.errors import RateLimited
from xerosync.simulator import Fault

CHANGED = "changed since planned"


def selling(product: Product, *, clearing: str = CLEARING, batches: bool = False) -> Receivables:
    product.books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)
    product.books.add_account("651", "Charge-backs", type="CURRENT")
    chosen = SettlementSettings(
        bank_account=BANK,
        fee_account="404",
        provider="Collections Ltd",
        surplus=Surplus.PARK,
        charge_back_account="651",
        batches=batches,
    )
    return Receivables(product.xero(), clearing_account=clearing, settlements=chosen)


def settled(invoice: str, *, batches: bool = False) -> Settlement:
    lines = [SettlementLine(id="L1", transaction=invoice, amount=nzd("100.00"))]
    if batches:
        lines.append(SettlementLine(id="L2", transaction=invoice, amount=nzd("1.00")))
    return Settlement(id="S1", on=DAY, lines=lines)


def applied(sales: Receivables, plan: Plan) -> tuple[int, set[str]]:
    """How much of *plan* is done by applying it, and what is found."""
    report = sales.apply(plan)
    return report.done(*plan.counts()), {each.code for each in report.findings}


def in_clearing(product: Product, clearing: str = CLEARING) -> Decimal:
    return product.books.balance(product.books.account(clearing).id)


def both_ways(
    product: Product, sales: Receivables, invoice: str, elsewhere: str, given: Settlement
) -> tuple[Plan, Plan]:
    """How *given* is settled while so much was paid *elsewhere*, and how once that payment was taken away again."""
    paid = product.books.add_payment(invoice, account=BANK, amount=Decimal(elsewhere))
    parking = sales.settle(given)
    product.books.remove_payment(paid.id)
    return parking, sales.settle(given)


@pytest.mark.parametrize("clearing", [CLEARING, "650"])
@pytest.mark.parametrize("elsewhere", ["100.00", "40.00"])
@pytest.mark.parametrize("parks_first", [True, False])
def test_what_another_plan_parked_is_not_paid_and_what_it_paid_is_not_parked(
    product: Product, clearing: str, elsewhere: str, *, parks_first: bool
) -> None:
    sales = selling(product, clearing=clearing)
    invoice = product.collectable("100.00")
    parking, paying = both_ways(product, sales, invoice.id, elsewhere, settled(invoice.id))
    first, second = (parking, paying) if parks_first else (paying, parking)

    assert applied(sales, first)[0] == 1
    assert applied(sales, second) == (0, {CHANGED})
    sales.apply(sales.settle(settled(invoice.id)))
    assert in_clearing(product, clearing) == 100
    assert not sales.settle(settled(invoice.id))


@pytest.mark.parametrize("parks_first", [True, False])
def test_a_batch_leaves_out_what_another_plan_parked(product: Product, *, parks_first: bool) -> None:
    sales = selling(product, batches=True)
    invoice = product.collectable("101.00")
    given = settled(invoice.id, batches=True)
    parking, paying = both_ways(product, sales, invoice.id, "101.00", given)
    first, second = (parking, paying) if parks_first else (paying, parking)

    sales.apply(first)

    assert applied(sales, second) == (0, {CHANGED})
    assert in_clearing(product) == 101


@pytest.mark.parametrize("clearing", [CLEARING, "650"])
@pytest.mark.parametrize("removes_first", [True, False])
def test_a_payment_is_removed_or_an_invoice_takes_its_place_but_never_both(
    product: Product, clearing: str, *, removes_first: bool
) -> None:
    sales = selling(product, clearing=clearing)
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(settled(invoice.id)))
    line = SettlementLine(id="B1", transaction=invoice.id, amount=nzd("100.00"), kind=LineKind.CHARGED_BACK)
    back = Settlement(id="S2", on=date(2026, 2, 4), lines=[line])
    product.books.lock_period(date(2026, 1, 31))
    in_its_place = sales.settle(back)
    product.books.lock_period(None)
    removing = sales.settle(back)
    first, second = (removing, in_its_place) if removes_first else (in_its_place, removing)

    sales.apply(first)
    done, found = applied(sales, second)

    assert done == 0
    assert found <= {CHANGED, "held back"}
    assert in_clearing(product, clearing) == 0
    owed = sum((each.amount_due for each in product.books.invoices), Decimal(0))
    assert owed == 100, "it is owed once"
    assert not sales.settle(back)


def in_part(product: Product, *, batches: bool = False, fees_as: FeesAs = FeesAs.SPEND_MONEY) -> list[Receivables]:
    """Two workers of one product."""
    chosen = SettlementSettings(
        bank_account=BANK, fee_account="404", provider="Collections Ltd", batches=batches, fees_as=fees_as
    )
    return [Receivables(product.xero(), clearing_account=CLEARING, settlements=chosen) for _ in range(2)]


def three_lines(product: Product) -> Settlement:
    invoices = [product.collectable("100.00", name) for name in ("Ana Costa", "Bo Lee", "Cy Day")]
    lines = [
        SettlementLine(id=f"L{place}", transaction=each.id, amount=nzd(each.total))
        for place, each in enumerate(invoices, start=1)
    ]
    return Settlement(id="S1", on=DAY, lines=lines, fees=[Fee(amount=nzd("1.00"))], paid_out_on=DAY)


def balances(product: Product) -> set[Decimal]:
    return {product.books.balance(product.books.account(code).id) for code in (CLEARING, BANK, "404")}


@pytest.mark.parametrize("batches", [True, False])
@pytest.mark.parametrize("fees_as", [FeesAs.SPEND_MONEY, FeesAs.BILL])
def test_no_more_is_posted_of_a_settlement_that_another_worker_undid_meanwhile(
    product: Product, *, batches: bool, fees_as: FeesAs
) -> None:
    undoing, settling = in_part(product, batches=batches, fees_as=fees_as)
    settlement = three_lines(product)
    undoing.apply(undoing.settle(evolve(settlement, lines=settlement.lines[:1], fees=[], paid_out_on=None)))
    rest = settling.settle(settlement)
    undoing.apply(undoing.undo_settlement(settlement))

    report = settling.apply(rest)

    assert report.done("payment", "batch_payment", "bank_transaction", "transfer", "bill") == 0
    assert {each.code for each in report.findings} <= {CHANGED, "held back"}
    assert {"its settlement or run was undone, or something of it, since this was planned"} <= {
        each.cause for each in report.findings
    }
    assert (balances(product), product.live_payments()) == ({Decimal(0)}, [])
    assert {each.code for each in settling.settle(settlement).findings} == {"undone"}


@pytest.mark.parametrize("batches", [True, False])
def test_nothing_is_undone_of_a_settlement_that_more_was_posted_of_meanwhile(
    product: Product, *, batches: bool
) -> None:
    undoing, settling = in_part(product, batches=batches)
    settlement = three_lines(product)
    undoing.apply(undoing.settle(settlement).only(lambda action: action.host_ref.startswith("fees")))
    undo = undoing.undo_settlement(settlement)
    settling.apply(settling.settle(settlement))

    done, found = applied(undoing, undo)

    assert (done, found) == (0, {"held back"})
    assert settling.reconcile(settlement).clean
    assert len(product.live_payments()) == 3
    undoing.apply(undoing.undo_settlement(settlement))
    assert (balances(product), product.live_payments()) == ({Decimal(0)}, [])


def test_an_undo_that_was_begun_is_ended_and_nothing_is_posted_between(product: Product) -> None:
    undoing, settling = in_part(product)
    settlement = three_lines(product)
    undoing.apply(undoing.settle(settlement).only(lambda action: action.host_ref[:2] in {"L1", "L2", "fe"}))
    rest, undo = settling.settle(settlement), undoing.undo_settlement(settlement)
    product.simulator.faults.plan(Fault.DAY_LIMIT, method="POST", path="/BankTransactions")
    with pytest.raises(RateLimited):
        undoing.apply(undo)
    product.simulator.faults.clear()
    product.clock.advance(86_400)

    assert len(rest) == 2
    assert applied(settling, rest) == (0, {CHANGED})
    assert undoing.apply(undo).unfinished == ()
    assert (balances(product), product.live_payments()) == ({Decimal(0)}, [])


def test_nothing_is_undone_of_a_run_that_a_later_one_put_something_back_of_meanwhile(product: Product) -> None:
    undoing, settling = in_part(product)
    settlement = three_lines(product)
    run = undoing.apply(undoing.settle(settlement)).run
    product.books.remove_payment(product.live_payments()[0].id)
    undo = Ledger(product.xero()).undo(run)
    settling.apply(Ledger(product.xero()).drift().restore())

    assert applied(undoing, undo) == (0, {"held back"})
    assert settling.reconcile(settlement).clean


def test_a_settlement_whose_batch_is_in_doubt_is_not_undone_before_that_is_known(product: Product) -> None:
    sales, _ = in_part(product, batches=True)
    settlement = three_lines(product)
    sales.apply(sales.settle(settlement).only(lambda action: action.host_ref.startswith("fees")))
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/BatchPayments")
    sales.apply(sales.settle(settlement))

    plan = sales.undo_settlement(settlement)

    assert not plan
    assert {each.fix for each in plan.findings} == {"call recover()"}
    product.simulator.faults.clear()
    product.clock.advance(3600)
    sales.recover()
    sales.apply(sales.undo_settlement(settlement))
    assert (balances(product), product.live_payments()) == ({Decimal(0)}, [])


def test_no_payout_is_posted_where_a_run_of_its_lines_was_undone_meanwhile(product: Product) -> None:
    undoing, settling = in_part(product)
    settlement = three_lines(product)
    run = undoing.apply(undoing.settle(settlement).only(lambda action: action.host_ref == "L1")).run
    rest = settling.settle(settlement)
    undoing.apply(Ledger(product.xero()).undo(run))

    assert applied(settling, rest)[1] == {CHANGED}
    assert (balances(product), product.live_payments()) == ({Decimal(0)}, [])
    settling.apply(settling.settle(settlement))
    assert product.books.balance(product.books.account(BANK).id) == 0
    assert in_clearing(product) == Decimal(199), "two lines, less the fees"


@pytest.mark.parametrize("whole", [True, False])
def test_nothing_is_undone_that_another_worker_paid_out_meanwhile(product: Product, *, whole: bool) -> None:
    undoing, settling = in_part(product)
    settlement = three_lines(product)
    portion = Settlement(id="P1", on=DAY, lines=settlement.lines)
    run = undoing.apply(undoing.settle(portion)).run
    undo = undoing.undo_settlement(portion) if whole else Ledger(product.xero()).undo(run)
    settling.apply(settling.settle(settlement))
    assert in_clearing(product) == 0

    assert applied(undoing, undo) == (0, {"held back"})
    assert in_clearing(product) == 0
    assert len(product.live_payments()) == 3
    again = undoing.undo_settlement(portion) if whole else Ledger(product.xero()).undo(run)
    assert (len(again), {each.code for each in again.findings}) == (0, {"cannot be undone"})
    undoing.apply(undoing.undo_settlement(settlement))
    assert (balances(product), product.live_payments()) == ({Decimal(0)}, [])


def test_a_payout_is_not_posted_where_a_portion_was_undone_since_it_was_planned(product: Product) -> None:
    undoing, settling = in_part(product)
    settlement = three_lines(product)
    portion = Settlement(id="P1", on=DAY, lines=settlement.lines[:1])
    undoing.apply(undoing.settle(portion))
    settle = settling.settle(settlement)
    undoing.apply(undoing.undo_settlement(portion))

    report = settling.apply(settle)

    assert [each.code for each in report.findings] == [CHANGED]
    assert not product.books.bank_transfers
    assert {each.code for each in settling.settle(settlement).findings} >= {"undone"}
    settling.apply(settling.undo_settlement(settlement))
    assert (balances(product), product.live_payments()) == ({Decimal(0)}, [])


@pytest.mark.parametrize("kind", ["parked", "parked in part", "charged back"])
@pytest.mark.parametrize("through", [CLEARING, "650"])
def test_a_payout_is_not_posted_where_what_stood_in_the_place_of_a_portion_s_payment_was_undone(
    product: Product, kind: str, through: str
) -> None:
    sales = selling(product, clearing=through)
    line = SettlementLine(id="L1", transaction=product.collectable("100.00").id, amount=nzd("100.00"))
    if kind == "charged back":
        sales.apply(sales.settle(Settlement(id="S0", on=DAY, lines=[line])))
        product.books.reconcile_payment(product.live_payments()[0].id)
        line = evolve(line, id="B1", kind=LineKind.CHARGED_BACK)
    else:
        paid = Decimal(100 if kind == "parked" else 40)
        product.books.add_payment(line.transaction, account=BANK, amount=paid, date=DAY)
    more = SettlementLine(id="L2", transaction=product.collectable("160.00", "Bo Lee").id, amount=nzd("160.00"))
    portion = Settlement(id="P1", on=DAY, lines=[line])
    whole = Settlement(id="S1", on=DAY, lines=[line, more], paid_out_on=DAY)
    before = in_clearing(product, through)
    sales.apply(sales.settle(portion))
    paying = sales.settle(whole)
    sales.apply(sales.undo_settlement(portion))
    assert in_clearing(product, through) == before

    report = sales.apply(paying)

    assert {(each.code, each.about) for each in report.findings} == {(CHANGED, "payout/S1")}
    assert in_clearing(product, through) == before + 160
    assert "undone" in {each.code for each in sales.settle(whole).findings}
    assert in_clearing(product, through) == before + 160


@pytest.mark.parametrize("by", ["drift", "reconcile"])
def test_what_was_to_be_put_back_of_a_run_that_was_undone_since_is_not(product: Product, by: str) -> None:
    """It was gone when the rest of its run was undone, so that nothing of its own says that it is not wanted."""
    undoing, settling = in_part(product)
    settlement = evolve(three_lines(product), fees=[], paid_out_on=None)
    undoing.apply(undoing.settle(evolve(settlement, lines=settlement.lines[:1])))
    run = undoing.apply(undoing.settle(settlement)).run
    ledger = Ledger(product.xero())
    product.books.remove_payment(product.live_payments()[-1].id)
    put_back = ledger.drift().restore() if by == "drift" else settling.reconcile(settlement).plan(Fix.RESTORE)
    assert put_back.counts() == {"payment": 1}
    undoing.apply(ledger.undo(run))

    assert applied(settling, put_back) == (0, {CHANGED})

    assert len(product.live_payments()) == 1
    again, report = ledger.drift().restore(), settling.reconcile(settlement)
    (told,) = (each.fix for each in report.discrepancies if each.code == "removed in Xero")
    assert [(each.code, each.about) for each in again.findings] == [("cannot be put back", "L3")]
    assert all("the run that posted it was undone" in each for each in (again.findings[0].cause, told))
    assert [each.code for each in settling.settle(settlement).findings] == ["undone", "removed in Xero"]


def test_a_payment_of_a_bill_is_not_put_back_after_its_run_was_undone(product: Product) -> None:
    purchases, ledger = Payables(product.xero(), payment_account=BANK), Ledger(product.xero())
    purchases.apply(purchases.submit([paper("b1", "30.00"), paper("b2", "20.00")]))
    run = purchases.apply(
        purchases.pay([BillPayment(id=f"p-{each}", bill_id=each, on=DAY) for each in ("b1", "b2")])
    ).run
    product.books.remove_payment(product.live_payments()[0].id)
    put_back = ledger.drift().restore()
    purchases.apply(ledger.undo(run))

    report = purchases.apply(put_back)

    assert [each.code for each in report.findings] == [CHANGED]
    assert product.live_payments() == []
    assert product.books.balance(product.books.account(BANK).id) == 0
