"""A settlement as one balanced object: fees, reserve, adjustments and the payout, proven before the first call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import BANK, CLEARING, DAY, Product, found_product, nzd

from xerosync import (
    Adjustment,
    Fee,
    FeesAs,
    LineKind,
    Money,
    Receivables,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Surplus,
    WhenLocked,
    Xero,
)
from xerosync.errors import InvalidInput, Misconfigured
from xerosync.simulator import Fault

FEES = "404"
KEPT = "620"
PAID_OUT = date(2026, 2, 2)


def collecting(xero: Xero, *, clearing: str = CLEARING, fees_as: FeesAs | None = None) -> Receivables:
    return Receivables(
        xero,
        clearing_account=clearing,
        settlements=SettlementSettings(
            bank_account=BANK,
            fee_account=FEES,
            reserve_account=KEPT,
            provider="Collections Ltd",
            fees_as=fees_as,
        ),
    )


def settled(
    *lines: tuple[str, str],
    fee: str = "1.30",
    net: str | None = None,
    paid_out_on: date | None = PAID_OUT,
    kinds: Sequence[LineKind] = (),
) -> Settlement:
    """Settlement S1 of *lines*, transaction and amount each, with one *fee*."""
    padded = [*kinds, *[LineKind.COLLECTED] * len(lines)]
    return Settlement(
        id="S1",
        on=DAY,
        lines=[
            SettlementLine(id=f"L{place}", transaction=transaction, amount=nzd(amount), kind=kind)
            for place, ((transaction, amount), kind) in enumerate(zip(lines, padded, strict=False))
        ],
        fees=[Fee(amount=nzd(fee))] if Decimal(fee) else [],
        net=None if net is None else nzd(net),
        paid_out_on=paid_out_on,
    )


def balances(product: Product, *codes: str) -> list[Decimal]:
    return [product.books.balance(product.books.account(code).id) for code in codes]


def test_a_payout_brings_the_net_to_the_bank_and_leaves_nothing_in_clearing(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    sales = collecting(xero)
    settlement = settled((invoice.id, "100.00"), net="98.70")

    plan = sales.settle(settlement)
    sales.apply(plan)

    assert plan.counts() == {"payment": 1, "contact": 1, "bank_transaction": 1, "transfer": 1}
    assert balances(product, CLEARING, BANK, FEES) == [0, Decimal("98.70"), Decimal("1.30")]
    (transfer,) = product.books.bank_transfers
    assert (transfer.date, transfer.reference.startswith("Payout S1 XS-")) == (PAID_OUT, True)
    assert str(sales.reconcile()) == "clearing 0.00 NZD = 0.00 NZD in flight + 0 exceptions"
    assert not sales.settle(settlement)
    assert sales.settle(settlement).findings == ()


def test_until_it_is_paid_out_the_net_is_in_flight(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    sales = collecting(xero)

    sales.apply(sales.settle(settled((invoice.id, "100.00"), paid_out_on=None)))

    assert str(sales.reconcile()) == "clearing 98.70 NZD = 98.70 NZD in flight + 0 exceptions"
    sales.apply(sales.settle(settled((invoice.id, "100.00"))))
    assert balances(product, CLEARING, BANK) == [0, Decimal("98.70")]


def test_a_clearing_account_that_is_no_bank_account_is_emptied_by_a_line_of_the_payout(
    product: Product, xero: Xero
) -> None:
    """F 6.133: transfers work between bank accounts only."""
    product.books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)
    invoice = product.collectable("100.00")
    sales = collecting(xero, clearing="650")

    plan = sales.settle(settled((invoice.id, "100.00")))
    sales.apply(plan)

    assert plan.counts() == {"payment": 1, "contact": 1, "bank_transaction": 1}
    assert balances(product, "650", BANK, FEES) == [0, Decimal("98.70"), Decimal("1.30")]
    assert sales.reconcile().clean
    assert not sales.settle(settled((invoice.id, "100.00")))


@pytest.mark.parametrize("clearing", [CLEARING, "650"])
def test_fees_may_be_a_bill_of_the_provider_paid_from_clearing(product: Product, xero: Xero, clearing: str) -> None:
    product.books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)
    invoice = product.collectable("100.00")
    sales = collecting(xero, clearing=clearing, fees_as=FeesAs.BILL)

    sales.apply(sales.settle(settled((invoice.id, "100.00"))))

    (bill,) = product.live_bills()
    assert (bill.number, bill.total, bill.status) == ("S1", Decimal("1.30"), "PAID")
    assert balances(product, clearing, BANK, FEES) == [0, Decimal("98.70"), Decimal("1.30")]
    assert sales.reconcile().clean
    assert not sales.settle(settled((invoice.id, "100.00")))


@pytest.mark.parametrize(
    ("clearing", "fees_as"), [(CLEARING, None), (CLEARING, FeesAs.BILL), ("650", FeesAs.BILL), ("650", FeesAs.NETTED)]
)
def test_fees_bear_the_tax_they_contain_however_they_are_posted(
    product: Product, xero: Xero, clearing: str, fees_as: FeesAs | None
) -> None:
    product.books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)
    invoice = product.collectable("100.00")
    sales = collecting(xero, clearing=clearing, fees_as=fees_as)
    settlement = Settlement(
        id="S1",
        on=DAY,
        lines=[SettlementLine(id="L1", transaction=invoice.id, amount=nzd("100.00"))],
        fees=[Fee(amount=nzd("1.15"), tax_type="INPUT2"), Fee(amount=nzd("0.30"), description="Untaxed")],
        net=nzd("98.55"),
        paid_out_on=DAY,
    )

    sales.apply(sales.settle(settlement))

    billed = sum(each.total_tax for each in product.books.invoices if each.type == "ACCPAY")
    moved = sum(each.total_tax for each in product.books.bank_transactions)
    assert abs(billed + moved) == Decimal("0.15")
    assert balances(product, clearing, FEES, BANK) == [0, Decimal("1.30"), Decimal("98.55")]
    assert sales.reconcile([settlement]).clean


def test_a_negative_net_leaves_the_bank(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    sales = collecting(xero)
    sales.apply(sales.settle(settled((invoice.id, "100.00"), fee="0")))
    back = Settlement(
        id="S2",
        on=date(2026, 2, 1),
        lines=[SettlementLine(id="B1", transaction=invoice.id, amount=nzd("100.00"), kind=LineKind.CHARGED_BACK)],
        fees=[Fee(amount=nzd("15.00"), description="Dispute")],
        net=nzd("-115.00"),
        paid_out_on=date(2026, 2, 3),
    )

    sales.apply(sales.settle(back))

    assert balances(product, CLEARING, BANK, FEES) == [0, Decimal("-15.00"), Decimal("15.00")]
    assert sales.reconcile().clean


def test_reserve_and_adjustments_go_where_they_belong(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    settlement = Settlement(
        id="S1",
        on=DAY,
        lines=[SettlementLine(id="L1", transaction=invoice.id, amount=nzd("100.00"))],
        adjustments=[Adjustment(amount=nzd("2.00"), description="Goodwill", account="260")],
        reserve=nzd("10.00"),
        net=nzd("92.00"),
        paid_out_on=DAY,
    )
    sales = collecting(xero)

    sales.apply(sales.settle(settlement))

    assert balances(product, CLEARING, BANK, KEPT, "260") == [0, 92, 10, -2]
    assert [row["amount"] for row in settlement.proof.rows()] == ["100.00 NZD", "-10.00 NZD", "2.00 NZD", "92.00 NZD"]


def test_a_net_that_is_not_the_sum_is_refused_before_anything_is_sent(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")

    with pytest.raises(InvalidInput, match=r"net: it is not gross"):
        collecting(xero).settle(settled((invoice.id, "100.00"), net="98.71"))

    assert product.live_payments() == []


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"provider": ""}, "provider"),
        ({"fee_account": None}, "fee_account"),
        ({"bank_account": None}, "bank_account"),
        ({"bank_account": "620"}, "bank_account"),
        ({"fee_account": "999"}, "fee_account"),
        ({"fee_account": "610"}, "fee_account"),
        ({"fees_as": FeesAs.NETTED}, "fees_as"),
    ],
)
def test_a_setting_that_cannot_be_is_named_before_anything_is_planned(
    product: Product, xero: Xero, changed: dict[str, str | None], named: str
) -> None:
    invoice = product.collectable("100.00")
    chosen = {"bank_account": BANK, "fee_account": FEES, "provider": "Collections Ltd"} | changed
    sales = Receivables(xero, clearing_account=CLEARING, settlements=SettlementSettings(**chosen))  # type: ignore[arg-type]

    with pytest.raises(Misconfigured, match=named):
        sales.settle(settled((invoice.id, "100.00")))


@pytest.mark.parametrize(
    ("archived", "named"),
    [(BANK, "bank_account"), (FEES, "fee_account"), (KEPT, "reserve_account"), ("850", "charge_back")],
)
def test_an_account_that_was_archived_since_the_last_run_is_named_before_anything_is_planned(
    product: Product, xero: Xero, archived: str, named: str
) -> None:
    chosen = SettlementSettings(
        bank_account=BANK, fee_account=FEES, reserve_account=KEPT, charge_back_account="850", provider="Collections Ltd"
    )
    sales = Receivables(xero, clearing_account=CLEARING, settlements=chosen)
    invoices = [product.collectable("100.00", contact) for contact in ("Ana Costa", "Bea Diaz")]
    sales.apply(sales.settle(settled((invoices[0].id, "100.00"), paid_out_on=None)))
    product.books.archive_account(archived)

    with pytest.raises(Misconfigured, match=named):
        sales.settle(evolve(settled((invoices[1].id, "100.00")), id="S2"))


def test_money_spent_through_an_account_that_is_no_bank_account_cannot_be(product: Product, xero: Xero) -> None:
    product.books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)

    with pytest.raises(Misconfigured, match="fees_as"):
        collecting(xero, clearing="650", fees_as=FeesAs.SPEND_MONEY).settle(settled(("t", "1.00")))


def test_a_payout_that_was_changed_since_is_a_finding_and_not_posted_again(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    sales = collecting(xero)
    sales.apply(sales.settle(settled((invoice.id, "100.00"))))

    plan = sales.settle(settled((invoice.id, "100.00"), fee="2.00"))

    assert [(each.code, each.about) for each in plan.findings] == [("changed since posted", "S1")] * 2
    assert not plan


def test_fees_that_somebody_removed_are_a_finding(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    sales = collecting(xero)
    sales.apply(sales.settle(settled((invoice.id, "100.00"))))
    (spent,) = [each for each in product.books.bank_transactions if each.type == "SPEND"]
    product.books.remove_bank_transaction(spent.id)

    plan = sales.settle(settled((invoice.id, "100.00")))

    assert [each.code for each in plan.findings] == ["removed in Xero"]
    report = sales.reconcile()
    assert [(each.code, each.amount) for each in report.exceptions] == [("removed in Xero", nzd("1.30"))]
    assert (report.balance, report.in_flight) == (nzd("1.30"), nzd("0.00"))


@pytest.mark.parametrize("path", ["/BankTransactions", "/BankTransfers"])
def test_a_payout_whose_answer_was_lost_is_found_again(product: Product, xero: Xero, path: str) -> None:
    invoice = product.collectable("100.00")
    sales = collecting(xero)
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path=path)
    sales.apply(sales.settle(settled((invoice.id, "100.00"))))

    recovery = sales.recover()

    assert (recovery.found, recovery.sent) == (1, 0)
    assert balances(product, CLEARING, BANK, FEES) == [0, Decimal("98.70"), Decimal("1.30")]


def test_what_people_do_on_the_clearing_account_is_listed_one_by_one(product: Product, xero: Xero) -> None:
    sales = collecting(xero)
    books = product.books
    ana = books.add_contact("Ana")
    books.add_transfer(from_bank=CLEARING, to_bank=BANK, amount=Decimal(7), date=DAY)
    books.add_bank_transaction(ana.id, type="RECEIVE", bank=CLEARING, amount=Decimal(5), date=DAY)

    report = sales.reconcile()

    assert [(each.code, each.amount) for each in report.exceptions] == [
        ("bank transaction not posted here", nzd("5.00")),
        ("transfer not posted here", nzd("-7.00")),
    ]
    assert report.explained


amounts = st.decimals(min_value="0.01", max_value="9999.99", places=2)


@settings(max_examples=40)
@given(
    collected=st.lists(amounts, min_size=1, max_size=4),
    fee=st.decimals(min_value="0", max_value="50", places=2),
    reserve=st.decimals(min_value="-20", max_value="20", places=2),
    through_a_bank=st.booleans(),
)
def test_whatever_was_settled_clearing_ends_at_nothing_and_nothing_is_planned_again(
    collected: list[Decimal], fee: Decimal, reserve: Decimal, *, through_a_bank: bool
) -> None:
    product = found_product()
    product.books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)
    clearing = CLEARING if through_a_bank else "650"
    sales = collecting(product.xero(), clearing=clearing)
    invoices = [product.collectable(str(amount)) for amount in collected]
    settlement = Settlement(
        id="S1",
        on=DAY,
        lines=[
            SettlementLine(id=f"L{place}", transaction=invoice.id, amount=Money(amount, "NZD"))
            for place, (invoice, amount) in enumerate(zip(invoices, collected, strict=True))
        ],
        fees=[Fee(amount=nzd(fee))] if fee else [],
        reserve=nzd(reserve),
        paid_out_on=PAID_OUT,
    )

    plan = sales.settle(settlement)
    sales.apply(plan)

    expected = [] if settlement.proof.net or through_a_bank else ["cannot be posted"]
    assert [each.code for each in plan.findings] == expected
    if not expected:
        assert balances(product, clearing, BANK) == [0, settlement.proof.net.amount]
        assert sales.reconcile().clean
    assert not sales.settle(settlement)


def test_closed_books_take_a_settlement_as_the_policy_says(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    product.books.lock_period(date(2026, 1, 31))
    settlement = settled((invoice.id, "100.00"), fee="0", paid_out_on=None)

    queueing = SettlementSettings(when_locked=WhenLocked.QUEUE)
    refused = Receivables(xero, clearing_account=CLEARING).settle(settlement)
    queued = Receivables(xero, clearing_account=CLEARING, settlements=queueing).settle(settlement)
    moving = Receivables(xero, clearing_account=CLEARING, settlements=SettlementSettings(when_locked=WhenLocked.MOVE))
    moved = moving.settle(settlement)

    assert [(len(plan), [each.code for each in plan.findings]) for plan in (refused, queued)] == [
        (0, ["books closed"]),
        (0, ["waits for open books"]),
    ]
    assert [row["reason"] for row in moved.rows()] == [
        "collected in settlement S1, moved from 2026-01-05: the books are closed"
    ]
    moving.apply(moved)
    assert product.standing(invoice.id) == [(Decimal(100), date(2026, 2, 1))]
    assert not moving.settle(settlement)
    assert moving.settle(settlement).findings == ()


@pytest.mark.parametrize("clearing", [CLEARING, "650"])
@pytest.mark.parametrize(("due", "paid"), [("100.00", "120.00"), ("0.00", "20.00")])
def test_what_was_collected_too_much_becomes_the_customers_credit(
    product: Product, xero: Xero, clearing: str, due: str, paid: str
) -> None:
    """F 6.130: too much, or an invoice that was paid elsewhere in the meantime."""
    product.books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)
    invoice = product.collectable("100.00")
    if due == "0.00":
        product.books.add_payment(invoice.id, account=BANK, amount=Decimal(100), date=DAY)
    settlement = settled((invoice.id, paid), fee="0", paid_out_on=None)
    asking = Receivables(xero, clearing_account=clearing)
    assert [each.code for each in asking.settle(settlement).findings] == ["does not fit"]
    sales = Receivables(xero, clearing_account=clearing, settlements=SettlementSettings(surplus=Surplus.PARK))

    sales.apply(sales.settle(settlement))

    assert product.books.invoice(invoice.id).amount_due == 0
    assert balances(product, clearing) == [Decimal(paid)]
    assert balances(product, "610") == [Decimal(-20)]
    assert sales.reconcile().clean
    assert not sales.settle(settlement)
    back = SettlementLine(id="B1", transaction=invoice.id, amount=nzd(paid), kind=LineKind.CHARGED_BACK)
    sales.apply(sales.settle(Settlement(id="S2", on=date(2026, 2, 1), lines=[back])))
    assert balances(product, clearing) == [0]
    assert balances(product, "610") == [Decimal(due)]
    assert not sales.settle(Settlement(id="S2", on=date(2026, 2, 1), lines=[back]))
