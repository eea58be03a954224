"""Settlements given again: what was posted is known as it was, and what is said otherwise now is said aloud."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import BANK, CLEARING, DAY, Product, nzd

from xerosync import (
    Fee,
    FeesAs,
    Fix,
    LineKind,
    Money,
    Receivables,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Surplus,
    Xero,
)

PAID_OUT = date(2026, 1, 14)
LATER = date(2026, 1, 12)


def collecting(
    xero: Xero,
    clearing: str = CLEARING,
    fees_as: FeesAs | None = None,
    surplus: Surplus = Surplus.ASK,
    *,
    fee_account: str = "404",
) -> Receivables:
    chosen = SettlementSettings(
        bank_account=BANK, fee_account=fee_account, provider="Collections Ltd", fees_as=fees_as, surplus=surplus
    )
    return Receivables(xero, clearing_account=clearing, settlements=chosen)


def line(name: str, transaction: str, amount: str, kind: LineKind = LineKind.COLLECTED) -> SettlementLine:
    return SettlementLine(id=name, transaction=transaction, amount=nzd(amount), kind=kind)


def settled(*lines: SettlementLine, paid_out_on: date | None = PAID_OUT, fee: str = "1.30") -> Settlement:
    fees = [Fee(amount=nzd(fee))] if Decimal(fee) else []
    return Settlement(id="S1", on=DAY, lines=lines, fees=fees, paid_out_on=paid_out_on)


def balance(product: Product, code: str) -> Decimal:
    return product.books.balance(product.books.account(code).id)


def crossed(sales: Receivables, *settlements: Settlement) -> list[tuple[str, str, str]]:
    return [(each.what, each.about, each.code) for each in sales.settlement_report(settlements).crossed()]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"kind": LineKind.DECLINED}, "kind was collected, and is now declined"),
        ({"kind": LineKind.REFUNDED}, "kind was collected, and is now refunded"),
        ({"kind": LineKind.CHARGED_BACK}, "kind was collected, and is now charged back"),
        ({"kind": LineKind.REINSTATED}, "kind was collected, and is now reinstated"),
        ({"amount": nzd("60.00")}, "amount was 40.00 NZD, and is now 60.00 NZD"),
        ({"amount": Money("40.00", "USD")}, "amount was 40.00 NZD, and is now 40.00 USD"),
        ({"transaction": "nobody's"}, "and is now nobody's"),
        ({"settled": Money("40.00", "USD")}, "settled was nothing, and is now 40.00"),
    ],
)
def test_a_posted_line_given_again_as_another_is_a_finding_with_both_values(
    product: Product, sales: Receivables, changed: dict[str, object], told: str
) -> None:
    invoice = product.collectable("100.00")
    first = line("L1", invoice.id, "40.00")
    sales.apply(sales.settle(Settlement(id="S1", on=DAY, lines=[first])))
    again = Settlement(id="S1", on=DAY, lines=[evolve(first, **changed)])  # type: ignore[arg-type]

    plan = sales.settle(again)
    sales.apply(plan)

    (finding,) = plan.findings
    assert not plan
    assert (finding.code, finding.about) == ("changed since posted", "L1")
    assert told in finding.cause
    assert product.standing(invoice.id) == [(Decimal(40), DAY)]
    assert not product.books.credit_notes
    assert [code for _, _, code in crossed(sales, again)] == ["changed since posted"]


def test_a_posted_line_given_again_on_another_day_is_a_finding_with_both_days(
    product: Product, sales: Receivables
) -> None:
    invoice = product.collectable("100.00")
    first = Settlement(id="S1", on=DAY, lines=[line("L1", invoice.id, "40.00")])
    sales.apply(sales.settle(first))

    (finding,) = sales.settle(evolve(first, on=LATER)).findings

    assert "day was 2026-01-05, and is now 2026-01-12" in finding.cause


@pytest.mark.parametrize("posted", [LineKind.CHARGED_BACK, LineKind.REFUNDED])
@pytest.mark.parametrize("given", list(LineKind))
def test_what_went_back_is_known_as_what_it_was(
    product: Product, sales: Receivables, posted: LineKind, given: LineKind
) -> None:
    invoice = product.collectable("100.00")
    sales.apply(sales.settle(Settlement(id="S1", on=DAY, lines=[line("L1", invoice.id, "100.00")])))
    back = Settlement(id="S2", on=LATER, lines=[line("B1", invoice.id, "100.00", posted)])
    sales.apply(sales.settle(back))
    standing = (product.standing(invoice.id), len(product.books.credit_notes))

    for other in (back.id, "S3"):
        again = Settlement(id=other, on=LATER, lines=[evolve(back.lines[0], kind=given)])
        plan = sales.settle(again)
        sales.apply(plan)

        told = [] if given is posted else [("changed since posted", "B1")]
        assert [(each.code, each.about) for each in plan.findings] == told
        assert not plan
    assert (product.standing(invoice.id), len(product.books.credit_notes)) == standing


def test_money_that_was_parked_is_known_again_too(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    product.books.add_payment(invoice.id, account=BANK, date=DAY)
    sales = collecting(xero, surplus=Surplus.PARK)
    parked = Settlement(id="S1", on=DAY, lines=[line("L1", invoice.id, "20.00")])
    sales.apply(sales.settle(parked))

    plan = sales.settle(evolve(parked, lines=[line("L1", invoice.id, "20.00", LineKind.DECLINED)]))

    assert [(each.code, each.about) for each in plan.findings] == [("changed since posted", "L1")]
    assert balance(product, CLEARING) == 20


def test_a_settlement_stays_in_the_account_that_it_was_begun_in(product: Product, xero: Xero) -> None:
    """R6: the clearing account changes, and what was begun in the old one ends there, at nothing."""
    product.books.add_account("095", "New clearing", type="BANK")
    invoice, late = product.collectable("100.00", "Ana"), product.collectable("50.00", "Ben")
    begun = settled(line("L1", invoice.id, "100.00"), paid_out_on=None, fee="0")
    collecting(xero).apply(collecting(xero).settle(begun))
    changed = collecting(xero, "095")
    whole = settled(line("L1", invoice.id, "100.00"), line("L2", late.id, "50.00"))

    changed.apply(changed.settle(whole))

    assert [balance(product, code) for code in (CLEARING, "095", BANK)] == [0, 0, Decimal("148.70")]
    assert crossed(changed, whole) == []
    assert not changed.settle(whole)
    for code in (CLEARING, "095"):
        assert changed.reconcile(account=code).clean
        assert changed.reconcile([whole], account=code).clean


@pytest.mark.parametrize(("before", "after"), [(CLEARING, "650"), ("650", CLEARING)])
def test_a_settlement_that_is_posted_whole_is_not_posted_again_into_an_account_of_another_kind(
    product: Product, xero: Xero, before: str, after: str
) -> None:
    product.books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)
    invoice = product.collectable("100.00")
    whole = settled(line("L1", invoice.id, "100.00"))
    collecting(xero, before).apply(collecting(xero, before).settle(whole))

    changed = collecting(xero, after)
    plan = changed.settle(whole)
    changed.apply(plan)

    assert (len(plan), plan.findings) == (0, ())
    assert crossed(changed, whole) == []
    assert [balance(product, code) for code in (before, after, BANK)] == [0, 0, Decimal("98.70")]


@pytest.mark.parametrize("posted", list(FeesAs))
@pytest.mark.parametrize("chosen", list(FeesAs))
def test_fees_that_are_posted_are_not_posted_again_in_another_way(
    product: Product, xero: Xero, posted: FeesAs, chosen: FeesAs
) -> None:
    product.books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)
    through = {FeesAs.SPEND_MONEY: CLEARING, FeesAs.NETTED: "650", FeesAs.BILL: CLEARING}
    invoice = product.collectable("100.00")
    whole = settled(line("L1", invoice.id, "100.00"))
    first = collecting(xero, through[posted], posted)
    first.apply(first.settle(whole))

    changed = collecting(xero, through[chosen], chosen)
    plan = changed.settle(whole)

    assert (len(plan), plan.findings) == (0, ())
    assert crossed(changed, whole) == []
    assert balance(product, "404") == Decimal("1.30")


@pytest.mark.parametrize("clearing", [CLEARING, "650"])
def test_a_bill_of_fees_that_xero_refused_is_posted_once_its_cause_is_mended(
    product: Product, xero: Xero, clearing: str
) -> None:
    """Its payout stands meanwhile, and holds none of the fees."""
    product.books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)
    invoice = product.collectable("100.00")
    whole = settled(line("L1", invoice.id, "100.00"))
    sales = collecting(xero, clearing, FeesAs.BILL)
    plan = sales.settle(whole)
    product.books.archive_account("404")
    sales.apply(plan)
    sales = collecting(xero, clearing, FeesAs.BILL, fee_account="429")
    refused = crossed(sales, whole)

    sales.apply(sales.settle(whole, retry_refused=True))

    assert refused == [("fees", "S1", "refused by Xero")]
    assert (balance(product, "429"), balance(product, clearing)) == (Decimal("1.30"), Decimal(0))
    assert crossed(sales, whole) == []
    assert not sales.settle(whole)
    assert sales.reconcile([whole]).clean


def test_a_bill_that_was_left_out_of_the_plan_is_planned_again_though_the_payout_stands(
    product: Product, xero: Xero
) -> None:
    product.books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)
    invoice = product.collectable("100.00")
    whole = settled(line("L1", invoice.id, "100.00"))
    sales = collecting(xero, "650", FeesAs.BILL)
    sales.apply(sales.settle(whole).only(lambda each: not each.host_ref.startswith("fees/")))

    assert crossed(sales, whole) == [("fees", "S1", "not posted yet")]
    (found,) = sales.reconcile([whole]).discrepancies
    assert (found.code, found.about, found.amount) == ("not posted yet", "S1", nzd("1.30"))

    sales.apply(sales.reconcile([whole]).plan(Fix.POST))
    assert (balance(product, "404"), balance(product, "650")) == (Decimal("1.30"), Decimal(0))


def test_fees_given_back_that_no_bill_can_be_of_are_told_each_time(product: Product, xero: Xero) -> None:
    product.books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)
    invoice = product.collectable("100.00")
    whole = settled(line("L1", invoice.id, "100.00"), fee="-1.30")
    sales = collecting(xero, "650", FeesAs.BILL)
    first = sales.settle(whole)
    sales.apply(first)
    again = sales.settle(whole)

    assert [(each.code, each.fix) for each in first.findings] == [
        ("cannot be posted", "post them with the payout, netted, or by hand")
    ]
    assert [(each.code, each.fix) for each in again.findings] == [("cannot be posted", "post them by hand")]
    assert crossed(sales, whole) == [("fees", "S1", "cannot be posted")]


def test_a_payout_that_holds_no_fees_is_told_where_they_are_to_be_netted_now(product: Product, xero: Xero) -> None:
    product.books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)
    invoice = product.collectable("100.00")
    whole = settled(line("L1", invoice.id, "100.00"))
    billing = collecting(xero, "650", FeesAs.BILL)
    billing.apply(billing.settle(whole).only(lambda each: not each.host_ref.startswith("fees/")))

    netting = collecting(xero, "650", FeesAs.NETTED)
    plan = netting.settle(whole)

    assert not plan
    (cause,) = (each.cause for each in plan.findings)
    assert cause.startswith("it was posted with a payout of 98.70 NZD on 2026-01-14 that took 98.70 NZD out of the ")
    assert cause.endswith("clearing account, and is given with one that takes 100.00 NZD")
    assert crossed(netting, whole) == [
        ("fees", "S1", "changed since posted"),
        ("payout", "S1", "changed since posted"),
    ]


def test_what_is_left_of_a_settlement_does_not_go_into_an_archived_account_nor_into_another(
    product: Product, xero: Xero
) -> None:
    product.books.add_account("095", "New clearing", type="BANK")
    invoice = product.collectable("100.00")
    begun = settled(line("L1", invoice.id, "100.00"), paid_out_on=None)
    collecting(xero).apply(collecting(xero).settle(begun))
    product.books.archive_account(CLEARING)
    changed = collecting(xero, "095")
    paid_out = settled(line("L1", invoice.id, "100.00"))

    plan = changed.settle(paid_out)

    assert not plan
    assert [(each.code, each.about) for each in plan.findings] == [("account unfit", "S1")]
    assert "091" in plan.findings[0].cause
    assert crossed(changed, paid_out) == [("payout", "S1", "account unfit")]
    assert not changed.settle(begun).findings


def test_a_settlement_given_again_without_one_of_its_lines_says_so(product: Product, xero: Xero) -> None:
    first, second = product.collectable("100.00", "Ana"), product.collectable("40.00", "Ben")
    both = settled(line("L1", first.id, "100.00"), line("L2", second.id, "40.00"))
    sales = collecting(xero)
    sales.apply(sales.settle(both))
    less = settled(line("L1", first.id, "100.00"))

    plan = sales.settle(less)

    assert not plan
    assert [(each.code, each.about) for each in plan.findings] == [
        ("changed since posted", "L2"),
        ("changed since posted", "S1"),
    ]
    line_left, payout = plan.findings
    assert "was posted with this line, collected 40.00 NZD" in line_left.cause
    assert "posted with a payout of 138.70 NZD on 2026-01-14, and is given with 98.70 NZD" in payout.cause
    assert crossed(sales, less) == [
        ("collected", "L2", "changed since posted"),
        ("payout", "S1", "changed since posted"),
    ]
    assert not sales.reconcile([less]).clean
    assert sales.reconcile([both]).clean


def test_a_settlement_given_again_with_nothing_in_it_says_what_it_was_posted_with(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    sales = collecting(xero)
    sales.apply(sales.settle(settled(line("L1", invoice.id, "100.00"))))
    empty = Settlement(id="S1", on=DAY, lines=(), net=nzd("0.00"), paid_out_on=PAID_OUT)

    plan = sales.settle(empty)

    assert not plan
    assert [(each.code, each.about) for each in plan.findings] == [
        ("changed since posted", "L1"),
        ("changed since posted", "S1"),
        ("changed since posted", "S1"),
    ]
    assert [each.cause.partition(" and is given")[0] for each in plan.findings[1:]] == [
        "it was posted with fees of 1.30 NZD on 2026-01-05,",
        "it was posted with a payout of 98.70 NZD on 2026-01-14,",
    ]
    assert not sales.settlement_report(empty).complete


@pytest.mark.parametrize("clearing", [CLEARING, "650"])
@pytest.mark.parametrize("fee", ["0", "2.00"])
def test_fees_that_are_others_than_were_posted_are_told(product: Product, xero: Xero, clearing: str, fee: str) -> None:
    product.books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)
    invoice = product.collectable("100.00")
    sales = collecting(xero, clearing)
    sales.apply(sales.settle(settled(line("L1", invoice.id, "100.00"))))
    other = settled(line("L1", invoice.id, "100.00"), fee=fee)

    plan = sales.settle(other)

    assert not plan
    assert {each.code for each in plan.findings} == {"changed since posted"}
    assert "98.70 NZD" in plan.findings[-1].cause
    assert ("payout", "S1", "changed since posted") in crossed(sales, other)


def test_a_payout_that_was_posted_and_is_not_given_any_more_is_told(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    sales = collecting(xero)
    sales.apply(sales.settle(settled(line("L1", invoice.id, "100.00"))))

    (finding,) = sales.settle(settled(line("L1", invoice.id, "100.00"), paid_out_on=None)).findings

    assert finding.cause == "it was posted with a payout of 98.70 NZD on 2026-01-14, and is given without"


def test_a_line_that_was_paid_out_with_one_settlement_is_not_paid_out_with_another(
    product: Product, xero: Xero
) -> None:
    invoice = product.collectable("100.00")
    sales = collecting(xero)
    sales.apply(sales.settle(settled(line("L1", invoice.id, "100.00"))))
    other = evolve(settled(line("L1", invoice.id, "100.00"), fee="0"), id="S2")

    plan = sales.settle(other)
    sales.apply(plan)

    assert [(each.code, each.about) for each in plan.findings] == [
        ("changed since posted", "L1"),
        ("payout held", "S2"),
    ]
    assert "settlement was S1, and is now S2" in plan.findings[0].cause
    assert balance(product, BANK) == Decimal("98.70")


def test_lines_alone_may_be_given_in_portions_and_be_paid_out_together(product: Product, xero: Xero) -> None:
    first, second = product.collectable("100.00", "Ana"), product.collectable("40.00", "Ben")
    lines = [line("L1", first.id, "100.00"), line("L2", second.id, "40.00")]
    sales = collecting(xero)
    for place, each in enumerate(lines):
        portion = Settlement(id=f"day {place}", on=DAY, lines=[each])
        sales.apply(sales.settle(portion))
    week = settled(*lines)

    plan = sales.settle(week)
    sales.apply(plan)

    assert plan.findings == ()
    assert [balance(product, code) for code in (CLEARING, BANK)] == [0, Decimal("138.70")]
    assert not sales.settle(week)
    other = evolve(settled(*lines[1:], fee="0"), id="S9")
    again = sales.settle(other)
    assert [(each.code, each.about) for each in again.findings] == [
        ("changed since posted", "L2"),
        ("payout held", "S9"),
    ]
    assert "settlement was S1, and is now S9" in again.findings[0].cause
    assert not again
    assert not sales.settle(Settlement(id="day 1", on=DAY, lines=lines[1:])).findings


def test_a_settlement_that_was_undone_may_be_given_without_what_it_had(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    whole = settled(line("L1", invoice.id, "100.00"))
    sales = collecting(xero)
    sales.apply(sales.settle(whole))
    sales.apply(sales.undo_settlement(whole))

    plan = sales.settle(evolve(whole, lines=(), fees=(), net=nzd("0.00")))

    assert (len(plan), plan.findings) == (0, ())
    assert balance(product, CLEARING) == 0
