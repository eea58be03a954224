"""Opening the accounts a product needs, when they are missing (row 13)."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import DAY, Product, found_product, nzd

from xerosync import AsyncReceivables, Receivables, Settlement, SettlementLine, State, WantedAccount, Xero
from xerosync.errors import InvalidInput
from xerosync.models import AccountType
from xerosync.simulator import Bookkeeper, Fault

CLEARING = WantedAccount.clearing("690", "Collections clearing")
FEES = WantedAccount.fees("4611", "Collection fees")
REFUNDS = WantedAccount.refunds("691", "Refunds to customers")
ALL = (CLEARING, FEES, REFUNDS)


def shown(books: Bookkeeper, *codes: str) -> list[tuple[str, str, str, bool]]:
    """The accounts of *codes* as the books have them."""
    return sorted(
        (each.code, each.name, each.type, each.enable_payments) for each in books.accounts if each.code in set(codes)
    )


def findings(sales: Receivables, *wanted: WantedAccount) -> list[tuple[str, str]]:
    plan = sales.open_accounts(wanted)
    assert len(plan) == 0
    return [(each.code, each.cause) for each in plan.findings]


def test_accounts_that_are_missing_are_opened_once_and_serve_at_once(product: Product, xero: Xero) -> None:
    invoice = product.collectable("100.00")
    sales = Receivables(xero, clearing_account="690")

    plan = sales.open_accounts(ALL)
    assert str(plan) == "3 accounts to open"
    assert shown(product.books, "690", "4611", "691") == []
    report = sales.apply(plan)

    assert report.done("new_account") == 3
    assert shown(product.books, "690", "4611", "691") == [
        ("4611", "Collection fees", "EXPENSE", False),
        ("690", "Collections clearing", "CURRENT", True),
        ("691", "Refunds to customers", "CURRLIAB", True),
    ]
    assert not sales.open_accounts(ALL)
    line = SettlementLine(id="L1", transaction=invoice.id, amount=nzd("100.00"))
    sales.apply(sales.settle(Settlement(id="S1", on=DAY, lines=[line])))
    assert product.books.balance(product.books.account("690").id) == 100


def test_they_can_be_opened_with_await(product: Product) -> None:
    async def run() -> int:
        async with product.asynchronous() as xero:
            await xero.connect(product.tokens)
            sales = AsyncReceivables(xero)
            return (await sales.apply(await sales.open_accounts([FEES]))).done("new_account")

    assert asyncio.run(run()) == 1
    assert shown(product.books, "4611") == [("4611", "Collection fees", "EXPENSE", False)]


def test_a_clearing_account_may_be_a_bank_account(sales: Receivables, books: Bookkeeper) -> None:
    bank = WantedAccount.clearing("092", "Collections", bank_account_number="12-3456-7890123-00")

    sales.apply(sales.open_accounts([bank]))

    assert shown(books, "092") == [("092", "Collections", "BANK", False)]
    assert not sales.open_accounts([bank])
    assert "12-3456" not in repr(bank)


def test_an_account_that_lacks_only_payments_gets_them_and_keeps_its_name(
    sales: Receivables, books: Bookkeeper
) -> None:
    books.add_account("690", "Old name", type="CURRENT")

    report = sales.apply(sales.open_accounts([CLEARING]))

    assert report.done("account") == 1
    assert shown(books, "690") == [("690", "Old name", "CURRENT", True)]


def test_an_account_that_cannot_serve_is_a_finding_and_stays_as_it_is(sales: Receivables, books: Bookkeeper) -> None:
    books.add_account("4611", "Fees", type="REVENUE")
    books.add_account("690", "Collections", type="EXPENSE")
    books.add_account("691", "Refunds", type="CURRLIAB", enable_payments=True)
    books.archive_account("691")

    assert findings(sales, *ALL) == [
        (
            "account not opened",
            "the account of this code cannot serve: of type EXPENSE, and payments are not enabled on it",
        ),
        ("account not opened", "the account of this code is of type REVENUE, not EXPENSE"),
        ("account not opened", "the account of this code is ARCHIVED, not ACTIVE"),
    ]


def test_a_name_that_another_account_has_is_not_taken_twice(sales: Receivables, books: Bookkeeper) -> None:
    books.add_account("777", "COLLECTION fees", type="EXPENSE")

    assert findings(sales, FEES) == [("account not opened", "another account has this name, and names are unique")]


def test_an_account_opened_by_somebody_between_plan_and_apply_is_taken_as_it_is(
    sales: Receivables, books: Bookkeeper
) -> None:
    plan = sales.open_accounts([FEES])
    books.add_account("4611", "Collection fees", type="EXPENSE")

    report = sales.apply(plan)

    assert [result.state for result in report.results] == [State.CONFIRMED]
    assert len(shown(books, "4611")) == 1


def test_a_code_taken_for_something_else_between_plan_and_apply_is_refused_in_xeros_words(
    sales: Receivables, books: Bookkeeper
) -> None:
    plan = sales.open_accounts([FEES])
    books.add_account("4611", "Stamps", type="EXPENSE")

    report = sales.apply(plan)

    assert [result.messages for result in report.results] == [("Please enter a unique Code.",)]
    assert shown(books, "4611") == [("4611", "Stamps", "EXPENSE", False)]


def test_an_account_deleted_since_is_opened_again_when_it_is_wanted_again(xero: Xero) -> None:
    sales = Receivables(xero)
    sales.apply(sales.open_accounts([FEES]))
    (fees,) = [each for each in xero.accounts.list() if each.code == "4611"]
    assert fees.account_id is not None
    xero.accounts.delete(fees.account_id)

    again = sales.open_accounts([FEES])
    report = sales.apply(again)

    assert report.done("new_account") == 1
    assert not sales.open_accounts([FEES])


def test_a_lost_answer_opens_no_second_account(product: Product, xero: Xero) -> None:
    sales = Receivables(xero)
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Accounts")
    sales.apply(sales.open_accounts([FEES]))

    recovery = sales.recover()

    assert (recovery.found, recovery.sent) == (1, 0)
    assert len(shown(product.books, "4611")) == 1


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (lambda: WantedAccount.fees("", "Fees"), "code"),
        (lambda: WantedAccount.fees("12345678901", "Fees"), "code"),
        (lambda: WantedAccount.fees("4611", " "), "name"),
        (lambda: WantedAccount.fees("4611", "x" * 151), "name"),
        (lambda: WantedAccount(code="1", name="x", type=AccountType.BANK), "bank_account_number"),
        (
            lambda: WantedAccount(code="1", name="x", type=AccountType.EXPENSE, bank_account_number="1"),
            "bank_account_number",
        ),
    ],
)
def test_what_xero_could_not_take_is_refused_by_its_field(wanted: object, field: str) -> None:
    assert callable(wanted)
    with pytest.raises(InvalidInput, match=field):
        wanted()


@pytest.mark.parametrize(("other", "field"), [(("4611", "Others"), "code"), (("462", "collection FEES"), "name")])
def test_nothing_is_wanted_twice(sales: Receivables, other: tuple[str, str], field: str) -> None:
    with pytest.raises(InvalidInput, match=field):
        sales.open_accounts([FEES, WantedAccount.fees(*other)])


@given(st.lists(st.sampled_from(ALL), unique=True), st.lists(st.sampled_from(ALL), unique=True))
def test_whatever_was_opened_before_the_chart_ends_with_what_is_wanted(
    before: list[WantedAccount], wanted: list[WantedAccount]
) -> None:
    product = found_product()
    sales = Receivables(product.xero())
    for each in (before, wanted):
        sales.apply(sales.open_accounts(each))

    codes = {each.code for each in [*before, *wanted]}
    assert sorted(code for code, *_ in shown(product.books, "690", "4611", "691")) == sorted(codes)
