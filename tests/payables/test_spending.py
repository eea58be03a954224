"""Card receipts as spend money, refunds as receive money, each once (85)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import BANK, DAY, Product, nzd

from xerosync import BillLine, BillSettings, CardSpend, MemoryStore, Money, Payables, Rules, WhenLocked
from xerosync.errors import InvalidInput
from xerosync.models import AccountCode, LineAmountTypes


def spend(amount: str = "23.00", spend_id: str = "s1", account: str = BANK) -> CardSpend:
    line = BillLine(description="taxi", amount=nzd(amount), account=AccountCode("493"))
    return CardSpend(
        id=spend_id,
        vendor="Taxi Ltd",
        on=DAY,
        account=account,
        lines=[line],
        reference="T-1",
        amounts=LineAmountTypes.INCLUSIVE,
    )


def test_a_receipt_is_spend_money_with_its_tax(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.spend([spend()]))

    (spent,) = product.books.bank_transactions
    assert (spent.type, spent.total, spent.total_tax, spent.date) == ("SPEND", Decimal("23.00"), Decimal("3.00"), DAY)
    assert spent.reference.startswith("T-1 XS-")
    assert product.books.balance(product.books.account(BANK).id) == -23


def test_a_refund_is_receive_money(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.spend([spend("-23.00")]))

    (received,) = product.books.bank_transactions
    assert (received.type, received.total) == ("RECEIVE", Decimal("23.00"))
    assert product.books.balance(product.books.account(BANK).id) == 23


def test_spending_again_plans_nothing(product: Product, purchases: Payables) -> None:
    plan = purchases.spend([spend()])
    purchases.apply(plan)
    purchases.apply(plan)

    again = purchases.spend([spend()])

    assert (len(again), again.findings, len(product.books.bank_transactions)) == (0, (), 1)


def test_a_receipt_sent_again_with_other_content_is_a_finding(purchases: Payables) -> None:
    purchases.apply(purchases.spend([spend()]))

    again = purchases.spend([spend("24.00")])

    assert [each.code for each in again.findings] == ["changed since posted"]


def test_a_receipt_removed_in_xero_is_not_posted_again(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.spend([spend()]))
    product.books.remove_bank_transaction(product.books.bank_transactions[0].id)

    again = purchases.spend([spend()])

    assert (len(again), [each.code for each in again.findings]) == (0, ["removed in Xero"])


def test_a_store_that_forgot_takes_over_the_receipt_by_its_mark(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.spend([spend()]))
    forgetful = Payables(product.xero(store=MemoryStore()))

    plan = forgetful.spend([spend()])
    forgetful.apply(plan)

    assert plan.counts()["adopt"] == 1
    assert len(product.books.bank_transactions) == 1
    assert not forgetful.spend([spend()])


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (spend(account="429"), "account does not fit"),
        (spend(account="nothing"), "account does not fit"),
        (evolve(spend(), lines=[BillLine(description="x", amount=nzd("1.00"))]), "no account"),
        (evolve(spend(), lines=[BillLine(description="x", amount=Money("1.00", "USD"))]), "another currency"),
        (evolve(spend(), lines=[]), "cannot be posted"),
    ],
)
def test_what_cannot_be_posted_is_a_finding(purchases: Payables, wrong: CardSpend, code: str) -> None:
    plan = purchases.spend([wrong])

    assert (len(plan), [each.code for each in plan.findings]) == (0, [code])


def test_rules_and_closed_books_are_as_with_bills(product: Product) -> None:
    product.books.lock_period(DAY)
    settings = BillSettings(rules=Rules(default=AccountCode("429")), when_locked=WhenLocked.MOVE)
    purchases = Payables(product.xero(), bills=settings)
    bare = evolve(spend(), lines=[BillLine(description="x", amount=nzd("1.00"))])

    plan = purchases.spend([bare])
    purchases.apply(plan)

    (spent,) = product.books.bank_transactions
    assert (spent.date - DAY).days == 1
    assert "account by default" in plan.rows()[-1]["reason"]
    assert not purchases.spend([bare])


def test_each_receipt_is_given_once(purchases: Payables) -> None:
    with pytest.raises(InvalidInput, match="id"):
        purchases.spend([spend(), spend()])
