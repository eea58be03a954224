"""Choosing the clearing account: three answers, each with its reason (R7)."""

from __future__ import annotations

import pytest
from tests.conftest import BANK, DAY, Product, nzd

from xerosync import Eligibility, Receivables, Settlement, SettlementLine, Xero
from xerosync.errors import Misconfigured
from xerosync.simulator import Bookkeeper


def answers(sales: Receivables) -> dict[str, tuple[Eligibility, str]]:
    """The answer and the reason for each account, by code."""
    return {choice.account.code or "": (choice.answer, choice.reason) for choice in sales.clearing_accounts()}


def settlement(transaction: str, amount: str = "100.00") -> Settlement:
    return Settlement(id="S1", on=DAY, lines=(SettlementLine(id="L1", transaction=transaction, amount=nzd(amount)),))


def test_every_account_gets_one_of_three_answers(sales: Receivables, books: Bookkeeper) -> None:
    books.add_account("690", "Old Clearing", enable_payments=True)
    books.archive_account("690")

    given = answers(sales)

    assert len(given) == len(books.accounts)
    assert given["091"] == (Eligibility.ELIGIBLE, "an active bank account")
    assert given["880"] == (Eligibility.ELIGIBLE, "payments are enabled on it")
    assert given["620"][0] is Eligibility.ONCE_ENABLED
    assert given["610"] == (Eligibility.REFUSED, "a system account (DEBTORS) takes no payments")
    assert given["690"] == (Eligibility.REFUSED, "the account is ARCHIVED, not ACTIVE")
    assert given["200"] == (Eligibility.REFUSED, "of type REVENUE, and payments are not enabled on it")


def test_a_bank_account_is_eligible_although_xero_shows_payments_as_not_enabled(sales: Receivables) -> None:
    (bank,) = [choice for choice in sales.clearing_accounts() if choice.account.code == BANK]

    assert bank.account.enable_payments_to_account is False
    assert bank.answer is Eligibility.ELIGIBLE


def test_a_current_asset_is_prepared_and_then_takes_settlements(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    sales = Receivables(xero, clearing_account="620")
    with pytest.raises(Misconfigured, match="not enabled yet"):
        sales.settle(settlement(invoice.id))

    prepared = sales.apply(sales.prepare())
    sales.apply(sales.settle(settlement(invoice.id)))

    assert prepared.done("account") == 1
    assert product.books.account("620").enable_payments
    assert product.books.balance(product.books.account("620").id) == 100
    assert not sales.prepare()


def test_an_account_that_is_ready_needs_no_preparing(sales: Receivables) -> None:
    assert len(sales.prepare()) == 0


def test_an_account_that_can_never_be_the_clearing_account_is_refused_with_the_reason(xero: Xero) -> None:
    sales = Receivables(xero, clearing_account="610")

    with pytest.raises(Misconfigured, match=r"a system account \(DEBTORS\) takes no payments"):
        sales.prepare()
    with pytest.raises(Misconfigured, match="DEBTORS"):
        sales.settle(())


def test_an_account_archived_since_it_was_chosen_is_refused_with_the_reason(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    product.books.add_account("881X", "Clearing", enable_payments=True)
    sales = Receivables(xero, clearing_account="881X")
    assert len(sales.settle(settlement(invoice.id))) == 1
    product.books.archive_account("881X")

    with pytest.raises(Misconfigured, match="ARCHIVED, not ACTIVE"):
        sales.settle(settlement(invoice.id))


def test_an_account_nobody_has_or_none_at_all_is_refused(xero: Xero) -> None:
    with pytest.raises(Misconfigured, match="has no account 999"):
        Receivables(xero, clearing_account="999").settle(())
    with pytest.raises(Misconfigured, match="choose the clearing account"):
        Receivables(xero).reconcile()


def test_the_clearing_account_may_be_named_by_its_id(product: Product, xero: Xero) -> None:
    invoice = product.collectable("40.00")
    account = product.books.account("091")
    sales = Receivables(xero, clearing_account=account.id)

    sales.apply(sales.settle(settlement(invoice.id, "40.00")))

    assert product.books.balance(account.id) == 40
