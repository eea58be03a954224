"""The clearing account over any days: opening + in − out = closing, against Xero's own balance at both ends."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import BANK, CLEARING, DAY, Product, found_product, nzd

from xerosync import (
    ClearingStatement,
    Fee,
    LineKind,
    Receivables,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Xero,
)
from xerosync.errors import InvalidInput


def collecting(xero: Xero) -> Receivables:
    chosen = SettlementSettings(bank_account=BANK, fee_account="404", provider="Collections Ltd")
    return Receivables(xero, clearing_account=CLEARING, settlements=chosen)


def settle(sales: Receivables, name: str, transaction: str, amount: str, on: date, *, paid_out: bool = True) -> None:
    settlement = Settlement(
        id=name,
        on=on,
        lines=[SettlementLine(id=f"L-{name}", transaction=transaction, amount=nzd(amount))],
        fees=[Fee(amount=nzd("1.00"))],
        paid_out_on=on if paid_out else None,
    )
    sales.apply(sales.settle(settlement))


def assert_proven(product: Product, statement: ClearingStatement) -> None:
    assert statement.proven
    assert statement.opening.balance + statement.money_in - statement.money_out == statement.closing.balance
    assert statement.closing.explained
    if statement.last >= max((each.date for each in product.books.payments), default=DAY):
        assert statement.closing.balance == nzd(product.books.balance(product.books.account(CLEARING).id))


def test_each_range_opens_where_the_one_before_closed(product: Product, xero: Xero) -> None:
    first, second = product.collectable("100.00"), product.collectable("60.00", "Bo Lee")
    sales = collecting(xero)
    settle(sales, "S1", first.id, "100.00", DAY)
    settle(sales, "S2", second.id, "60.00", DAY + timedelta(days=9), paid_out=False)

    january = sales.clearing_statement(DAY, DAY + timedelta(days=4))
    later = sales.clearing_statement(DAY + timedelta(days=5), DAY + timedelta(days=20))

    assert (january.opening.balance, january.closing.balance) == (nzd(0), nzd(0))
    assert (january.money_in, january.money_out) == (nzd("100.00"), nzd("100.00"))
    assert [(each.what, str(each.amount)) for each in january.movements] == [
        ("bank transaction", "-1.00 NZD"),
        ("payment", "100.00 NZD"),
        ("transfer", "-99.00 NZD"),
    ]
    assert later.opening.balance == january.closing.balance
    assert (later.closing.balance, later.closing.in_flight) == (nzd("59.00"), nzd("59.00"))
    assert_proven(product, january)
    assert_proven(product, later)


def test_what_people_enter_is_listed_on_its_day_and_as_an_exception(product: Product, xero: Xero) -> None:
    ours, theirs = product.collectable("100.00"), product.invoice("Bo Lee", "30.00")
    sales = collecting(xero)
    settle(sales, "S1", ours.id, "100.00", DAY, paid_out=False)
    typed = product.books.add_payment(theirs.id, account=CLEARING, date=DAY + timedelta(days=3))

    statement = sales.clearing_statement(DAY + timedelta(days=1), DAY + timedelta(days=5))

    assert [(each.about, each.on, each.ours) for each in statement.movements] == [
        (typed.id, DAY + timedelta(days=3), False)
    ]
    assert [each.code for each in statement.exceptions] == ["payment not posted here"]
    assert statement.opening.clean
    assert_proven(product, statement)


def test_an_exception_from_before_is_not_one_of_these_days(product: Product, xero: Xero) -> None:
    theirs = product.invoice("Bo Lee", "30.00")
    product.books.add_payment(theirs.id, account=CLEARING, date=DAY)

    statement = collecting(xero).clearing_statement(DAY + timedelta(days=1), DAY + timedelta(days=5))

    assert statement.exceptions == ()
    assert [each.code for each in statement.closing.exceptions] == ["payment not posted here"]
    assert_proven(product, statement)


def test_what_nothing_explains_is_that_of_these_days_alone(product: Product, xero: Xero) -> None:
    clearing, fees = (product.books.account(code) for code in ("880", "404"))
    for day, amount in ((DAY, Decimal(10)), (DAY + timedelta(days=30), Decimal(5))):
        product.books.add_journal("moved", {clearing.code: amount, fees.code: -amount}, date=day)
    sales = Receivables(xero, clearing_account="880")

    later = sales.clearing_statement(DAY + timedelta(days=1), DAY + timedelta(days=40))
    none = sales.clearing_statement(DAY + timedelta(days=1), DAY + timedelta(days=2))

    assert [(each.code, each.amount) for each in later.exceptions] == [("other movements", nzd("5.00"))]
    assert [each.amount for each in later.closing.exceptions] == [nzd("15.00")]
    assert none.exceptions == ()


def test_a_payout_that_somebody_typed_besides_is_said_to_be_entered_twice(product: Product, xero: Xero) -> None:
    ours = product.collectable("100.00")
    sales = collecting(xero)
    settle(sales, "S1", ours.id, "100.00", DAY)
    for amount in ("99.00", "98.00"):
        product.books.add_transfer(from_bank=CLEARING, to_bank=BANK, amount=Decimal(amount), date=DAY)

    report = sales.reconcile()

    assert sorted(each.code for each in report.exceptions) == ["perhaps entered twice", "transfer not posted here"]
    assert report.explained


def test_another_account_can_be_asked_for(product: Product, xero: Xero) -> None:
    ours = product.collectable("100.00")
    sales = collecting(xero)
    settle(sales, "S1", ours.id, "100.00", DAY)

    statement = sales.clearing_statement(DAY, DAY, account=BANK)

    assert statement.closing.balance == nzd("99.00")
    assert statement.proven


def test_days_in_the_wrong_order_are_refused(xero: Xero) -> None:
    with pytest.raises(InvalidInput, match="last"):
        collecting(xero).clearing_statement(DAY, DAY - timedelta(days=1))


def test_a_first_day_that_xero_cannot_read_is_refused(xero: Xero) -> None:
    with pytest.raises(InvalidInput, match="first: give a day from 1753-01-01 on"):
        collecting(xero).clearing_statement(date.min, DAY)
    with pytest.raises(InvalidInput, match="first: give a day from 1753-01-01 on"):
        collecting(xero).reconcile(first=date.min, last=DAY)


@settings(max_examples=12)
@given(
    events=st.lists(
        st.tuples(
            st.sampled_from(["settle", "settle, unpaid", "type a payment", "remove one of ours", "charge back"]),
            st.integers(0, 9),
        ),
        min_size=1,
        max_size=6,
    ),
    first=st.integers(0, 9),
    days=st.integers(0, 9),
)
def test_whatever_happens_both_ends_are_xeros_and_the_sum_holds(
    events: list[tuple[str, int]], first: int, days: int
) -> None:
    product = found_product()
    sales = collecting(product.xero())
    collected: list[tuple[str, date]] = []
    for place, (event, day) in enumerate(events):
        on = DAY + timedelta(days=day)
        if event.startswith("settle"):
            invoice = product.collectable("10.00", f"{place} Customer")
            settle(sales, f"S{place}", invoice.id, "10.00", on, paid_out=event == "settle")
            collected.append((invoice.id, on))
        elif event == "type a payment":
            typed = product.invoice(f"{place} Customer", "7.00")
            product.books.add_payment(typed.id, account=CLEARING, date=on)
        elif event == "charge back" and collected:
            transaction, paid_on = collected.pop()
            back = SettlementLine(
                id=f"B{place}", transaction=transaction, amount=nzd("10.00"), kind=LineKind.CHARGED_BACK
            )
            sales.apply(sales.settle(Settlement(id=f"S{place}", on=max(on, paid_on), lines=[back])))
        elif event == "remove one of ours" and product.live_payments():
            product.books.remove_payment(product.live_payments()[0].id)
    start = DAY + timedelta(days=first)

    statement = sales.clearing_statement(start, start + timedelta(days=days))

    assert_proven(product, statement)
    assert not [each for each in statement.closing.exceptions if each.code == "other movements"]


def test_rows_json_and_html_tell_the_same(product: Product, xero: Xero) -> None:
    ours = product.collectable("100.00")
    sales = collecting(xero)
    settle(sales, "S1", ours.id, "100.00", DAY, paid_out=False)

    statement = sales.clearing_statement(DAY, DAY)
    told = json.loads(statement.json())

    assert [row["what"] for row in statement.rows()] == ["opening", "bank transaction", "payment", "closing"]
    assert (told["opening"], told["in"], told["out"], told["closing"]) == ("0.00", "100.00", "1.00", "99.00")
    assert told["proven"] is True
    assert "Opening 0.00 NZD, in 100.00 NZD, out 1.00 NZD, closing 99.00 NZD" in statement.html()
    assert str(statement).splitlines()[0] == (
        f"{DAY} to {DAY}: opening 0.00 NZD + in 100.00 NZD − out 1.00 NZD = closing 99.00 NZD"
    )
