"""A payout waits for the lines of its settlement: no money leaves the clearing account that never came in."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from tests.conftest import BANK, CLEARING, DAY, Product, nzd

from xerosync import (
    Customer,
    Fee,
    Fix,
    LineKind,
    Receivables,
    Settlement,
    SettlementLine,
    SettlementSettings,
    WhenLocked,
    Xero,
)

PAID_OUT = date(2026, 2, 10)


def collecting(xero: Xero, when_locked: WhenLocked = WhenLocked.REFUSE, *, batches: bool = False) -> Receivables:
    chosen = SettlementSettings(
        bank_account=BANK,
        fee_account="404",
        charge_back_account="850",
        provider="Collections Ltd",
        when_locked=when_locked,
        batches=batches,
    )
    return Receivables(xero, clearing_account=CLEARING, settlements=chosen)


def line(name: str, transaction: str, amount: str, kind: LineKind = LineKind.COLLECTED) -> SettlementLine:
    return SettlementLine(id=name, transaction=transaction, amount=nzd(amount), kind=kind)


def settled(*lines: SettlementLine, fee: str = "0", name: str = "S1") -> Settlement:
    fees = [Fee(amount=nzd(fee))] if Decimal(fee) else []
    return Settlement(id=name, on=DAY, lines=lines, fees=fees, paid_out_on=PAID_OUT)


def balances(product: Product) -> list[Decimal]:
    return [product.books.balance(product.books.account(code).id) for code in (CLEARING, BANK)]


def found(sales: Receivables, *settlements: Settlement) -> list[tuple[str, str]]:
    return [(each.code, each.about) for each in sales.settle(settlements).findings]


@pytest.mark.parametrize(
    ("when_locked", "code"),
    [
        (WhenLocked.REFUSE, "books closed"),
        (WhenLocked.QUEUE, "waits for open books"),
        (WhenLocked.DRAFT, "books closed"),
    ],
)
def test_a_payout_waits_while_its_lines_lie_in_closed_books(
    product: Product, xero: Xero, when_locked: WhenLocked, code: str
) -> None:
    invoice = product.collectable("100.00")
    product.books.lock_period(date(2026, 1, 31))
    sales, settlement = collecting(xero, when_locked), settled(line("L1", invoice.id, "100.00"))

    sales.apply(sales.settle(settlement))

    assert found(sales, settlement) == [(code, "L1"), ("payout held", "S1")]
    assert balances(product) == [0, 0]
    assert [each.code for each in sales.settlement_report(settlement).crossed()] == [code, "payout held"]
    report = sales.reconcile([settlement])
    assert (report.in_flight, report.explained, report.clean) == (nzd("0.00"), True, False)
    assert [(each.code, each.amount) for each in report.exceptions] == [
        (code, nzd("-100.00")),
        ("payout held", nzd("100.00")),
    ]
    product.books.lock_period(None)
    sales.apply(sales.settle(settlement))
    assert balances(product) == [0, 100]
    assert sales.settlement_report(settlement).complete
    assert sales.reconcile([settlement]).clean


def test_a_payout_waits_for_a_line_whose_transaction_is_unknown_and_is_posted_once_it_is_linked(
    product: Product, xero: Xero
) -> None:
    invoice = product.collectable("100.00")
    other = product.invoice("Bo Lind", "12.00", "INV-12")
    sales = collecting(xero)
    settlement = settled(line("L1", invoice.id, "100.00"), line("L2", "made by hand", "12.00"), fee="1.30")

    sales.apply(sales.settle(settlement))

    assert found(sales, settlement) == [("not created here", "L2"), ("payout held", "S1")]
    assert balances(product) == [Decimal("98.70"), 0]
    held = sales.settle(settlement).findings[-1]
    assert held.cause == "lines of its settlement do not stand in the books as they are given: L2"
    assert str(sales.reconcile()) == "clearing 98.70 NZD = 98.70 NZD in flight + 0 exceptions"
    report = sales.reconcile([settlement])
    assert report.in_flight == nzd("0.00")
    assert [(each.code, each.amount) for each in report.exceptions] == [
        ("not created here", nzd("-12.00")),
        ("payout held", nzd("110.70")),
    ]
    sales.apply(sales.match([Customer(id="Bo", custom_identifier="Bo Lind")]))
    sales.apply(sales.link_transaction("made by hand", invoice=other.id))
    sales.apply(sales.settle(settlement))
    assert balances(product) == [0, Decimal("110.70")]
    assert found(sales, settlement) == []
    assert sales.reconcile([settlement]).clean


def test_a_payout_that_waits_is_told_with_what_it_waits_for(product: Product, xero: Xero) -> None:
    sales = collecting(xero)
    invoices = [product.collectable("100.00", name) for name in ("Ana", "Ben")]
    settlements = [
        settled(line("L1", invoices[0].id, "100.00")),
        settled(line("L2", invoices[1].id, "100.00"), name="S2"),
    ]
    product.books.lock_period(DAY)
    plan, report = sales.settle(settlements), sales.reconcile(settlements)

    for causes in (plan.causes, report.causes):
        (cause,) = causes
        assert (cause.code, sorted(cause.waits)) == ("books closed", ["L1", "L2", "S1", "S2"])
        assert cause.fix.startswith("move the lock date")
    (told,) = str(report).splitlines()[1:]
    assert " × books closed: " in told
    product.books.lock_period(None)
    sales.apply(sales.settle(settlements))
    assert sales.reconcile(settlements).clean


def test_a_payout_is_told_with_its_line_and_not_with_a_settlement_of_that_line_s_id(
    product: Product, xero: Xero
) -> None:
    sales = collecting(xero)
    invoices = [product.collectable("100.00", name) for name in ("Ana", "Ben")]
    product.books.add_payment(invoices[1].id, account=BANK, amount=Decimal(30), date=DAY)
    settlements = [
        settled(line("2", invoices[0].id, "100.00"), name="1", fee="2.00"),
        settled(line("1", invoices[1].id, "100.00"), name="2", fee="1.00"),
    ]

    report = sales.reconcile(settlements)

    (behind,) = (each for each in report.causes if each.code == "does not fit")
    assert behind.waits == ("1", "2")
    assert behind.worth == (nzd("100.00"),)


def test_a_payout_waits_for_a_charge_back_that_has_nothing_to_take_back(product: Product, xero: Xero) -> None:
    first, second = product.collectable("100.00", "Ana"), product.collectable("40.00", "Ben")
    sales = collecting(xero)
    settlement = settled(line("L1", first.id, "100.00"), line("B1", second.id, "40.00", LineKind.CHARGED_BACK), fee="0")

    sales.apply(sales.settle(settlement))

    assert found(sales, settlement) == [("nothing to take back", "B1"), ("payout held", "S1")]
    assert balances(product) == [100, 0]


def test_a_declined_line_holds_nothing_back(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    sales = collecting(xero)

    sales.apply(
        sales.settle(settled(line("L1", invoice.id, "60.00"), line("L2", invoice.id, "40.00", LineKind.DECLINED)))
    )

    assert balances(product) == [0, 60]


@pytest.mark.parametrize("batches", [False, True])
def test_a_line_that_xero_refuses_holds_back_the_payout_of_the_same_plan(
    product: Product, xero: Xero, *, batches: bool
) -> None:
    first, second = product.collectable("100.00", "Ana"), product.collectable("40.00", "Ben")
    sales = collecting(xero, batches=batches)
    settlement = settled(line("L1", first.id, "100.00"), line("L2", second.id, "40.00"))
    plan = sales.settle(settlement)
    product.books.void_invoice(second.id)

    report = sales.apply(plan)

    assert ("held back", "payout/S1") in [(each.code, each.about) for each in report.findings]
    assert balances(product)[1] == 0
    sales.apply(sales.settle(settlement))
    assert ("payout held", "S1") in found(sales, settlement)
    assert balances(product) == [100, 0]


@pytest.mark.parametrize("batches", [False, True])
def test_a_plan_that_is_cut_to_the_payout_keeps_the_lines_that_it_rests_on(
    product: Product, xero: Xero, *, batches: bool
) -> None:
    first, second = product.collectable("100.00", "Ana"), product.collectable("40.00", "Ben")
    sales = collecting(xero, batches=batches)
    settlement = settled(line("L1", first.id, "100.00"), line("L2", second.id, "40.00"), fee="1.30")

    sales.apply(sales.settle(settlement).only(lambda action: action.kind == "transfer"))

    assert balances(product) == [Decimal("1.30"), Decimal("138.70")]
    sales.apply(sales.reconcile([settlement]).plan(Fix.POST))
    assert balances(product) == [0, Decimal("138.70")]


def test_a_held_payout_names_a_few_of_many_lines(product: Product, xero: Xero) -> None:
    product.collectable("100.00")
    sales = collecting(xero)
    settlement = settled(*(line(f"L{place}", "unknown", "1.00") for place in range(5)))

    *_, held = sales.settle(settlement).findings

    assert held.cause.endswith(": L0, L1, L2 and 2 more")


def test_a_payout_is_said_to_come_by_itself_only_where_none_of_its_lines_is_left_to_a_person(
    product: Product, xero: Xero
) -> None:
    lines = [line(name, product.collectable("100.00", name).id, "100.00") for name in ("Ana Costa", "Bo Lind")]
    sales = collecting(xero, WhenLocked.QUEUE)
    sales.apply(sales.settle(Settlement(id="S1", on=DAY, lines=lines[:1])))
    product.books.lock_period(date(2026, 1, 31))

    def held() -> list[tuple[str, bool]]:
        return [(each.code, each.retry) for each in sales.settle(settled(*lines)).findings]

    assert held() == [("waits for open books", True), ("payout held", True)]
    product.books.lock_period(None)
    (payment,) = product.live_payments()
    product.books.remove_payment(payment.id)
    assert held() == [("removed in Xero", False), ("payout held", False)]
    assert balances(product) == [0, 0]
