"""What a reconciliation report says in each of its forms, and what its plan is asked for."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
from attrs import evolve
from tests.conftest import BANK, CLEARING, DAY, Product, found_product
from tests.receivables.collected import Collected, paid_out_and_in_flight

from xerosync import Fix, Receivables, Reconciliation, Reconciliations, Tokens
from xerosync.errors import InvalidInput
from xerosync.models import AccountCode, BankTransaction, BankTransactionId, LineItem


@pytest.fixture
def collected(product: Product) -> Collected:
    return paid_out_and_in_flight(product)


def test_the_parts_of_each_cause_are_counted_and_sum_to_the_balance_in_every_form(collected: Collected) -> None:
    """What a cause is worth is the money at stake; what it explains of the balance has a sign."""
    collected.settle("S3", collected.product.collectable("10.00", "Di Fox"))

    report = collected.report()
    (cause,) = json.loads(report.json())["causes"]

    assert [str(each.amount.amount) for each in report.discrepancies] == ["-10.00", "1.50", "8.50"]
    assert (cause["count"], cause["amount"], cause["worth"]) == (3, "0.00 NZD", ["20.00 NZD"])
    assert '<td>3</td><td class="amount">0.00 NZD</td><td class="amount">20.00 NZD</td>' in report.html()
    assert "3 × not posted yet" in str(report)
    assert [row["worth"] for row in report.rows() if row["what"] == "not posted yet"] == [
        "10.00 NZD",
        "1.50 NZD",
        "8.50 NZD",
    ]
    # The page is read by others than those who run the product.
    assert "(you)" not in report.html()
    assert "(whoever runs the product)" in report.html()


def test_the_page_tells_fees_from_payout_and_names_what_is_accepted(collected: Collected) -> None:
    collected.settlements.pop(0)
    collected.sales.apply(collected.report().plan(Fix.IGNORE, only=lambda each: each.part == ("payout", "S1")))

    page = collected.report().html()

    (fees, payout) = (row for row in page.split("<tr>") if ">S1, fees<" in row or ">S1, payout<" in row)
    assert ("✗" in fees, "remove or ignore" in fees) == (True, True)
    assert ("✓" in payout, "accepted" in payout) == (True, True)


def test_what_is_of_a_settlement_names_it_in_every_form(collected: Collected) -> None:
    """Lines have ids of their own, by which nobody finds the settlement."""
    collected.settle("S3", collected.product.collectable("10.00", "Di Fox"), paid_out=False)
    other = collected.product.invoice("Ed Poe", "9.00")
    collected.product.books.add_payment(other.id, account=CLEARING, date=DAY)
    collected.settlements.pop(1)

    report = collected.report()

    found = [(each.code, each.part, each.settlement) for each in report.discrepancies]
    assert found == [
        ("not posted yet", ("line", "S3-0"), "S3"),
        ("not posted yet", ("fees", "S3"), "S3"),
        ("not in your settlements", ("line", "S2-0"), "S2"),
        ("not in your settlements", ("fees", "S2"), "S2"),
        ("payment not posted here", None, ""),
    ]
    named = ["S3", "S3", "S2", "S2", ""]
    assert [row["settlement"] for row in report.rows()] == ["", *named, ""]
    assert [each["settlement"] for each in json.loads(report.json())["discrepancies"]] == named
    assert (">S3-0, of S3<" in report.html(), ">S2, fees<" in report.html()) == (True, True)


@pytest.mark.parametrize(
    "typo", ["payment not postd here", "payment_not_posted_here", "Payment not posted here ", "not posted yett"]
)
def test_a_code_that_is_mistyped_is_told_with_the_one_that_is_meant(collected: Collected, typo: str) -> None:
    """Also where nothing of that code is found today: a mapping is written once, and used every night."""
    other = collected.product.invoice("Ed Poe", "9.00")
    collected.product.books.add_payment(other.id, account=CLEARING, date=DAY)

    with pytest.raises(InvalidInput, match=r"fix: give '(payment not posted here|not posted yet)' for"):
        collected.report().plan({typo: Fix.IGNORE})


def test_codes_of_what_is_not_found_today_are_no_mistake(collected: Collected) -> None:
    page = (Path(__file__).parents[2] / "docs" / "howto" / "why-not-zero.md").read_text(encoding="utf-8")
    codes = {
        each for line in page.splitlines() if line.startswith("| ") for each in re.findall("`([a-z][^`()]+)`", line)
    }

    plan = collected.report().plan(dict.fromkeys([*codes, "a code of a rare finding of settle()"], Fix.IGNORE))

    assert len(codes) > 15
    assert (len(plan), plan.findings) == (0, ())


def test_what_chooses_among_discrepancies_is_a_function_and_codes_are_texts(collected: Collected) -> None:
    with pytest.raises(InvalidInput, match="only: give a function"):
        collected.report().plan(Fix.IGNORE, only=cast(Callable[..., bool], "S1"))
    with pytest.raises(InvalidInput, match="fix: give codes"):
        collected.report().plan(cast(dict[str, Fix], {7: Fix.IGNORE}))


def test_only_reports_are_put_together(collected: Collected) -> None:
    report = collected.report()

    with pytest.raises(InvalidInput, match="reports: give a list of which each is a Reconciliation"):
        Reconciliations(cast(tuple[Reconciliation, ...], report))
    with pytest.raises(InvalidInput, match=r"reports\[1\]: give a Reconciliation, not a text"):
        Reconciliations(cast(tuple[Reconciliation, ...], [report, "report"]))


def test_fees_that_were_moved_out_of_books_that_are_closed_now_stay_and_the_reason_is_said(
    collected: Collected,
) -> None:
    """They would be removed where they stand, and refused on the day they were of."""
    books = collected.product.books
    (fees,) = [each for each in books.bank_transactions if each.type == "SPEND" and each.date > DAY]
    line = LineItem(description="Fees", unit_amount=Decimal("5.00"), account_code=AccountCode("404"))
    later = DAY + timedelta(days=30)
    edited = BankTransaction(bank_transaction_id=BankTransactionId(fees.id), line_items=(line,), date=later)
    collected.product.xero().bank_transactions.update_one(edited)
    books.lock_period(DAY + timedelta(days=20))

    report = collected.report()
    plan = report.plan(Fix.RESTORE)

    assert [(each.about, each.fixes) for each in report.discrepancies] == [("S2", (Fix.IGNORE,))]
    assert not plan
    assert "it lies in closed books" in plan.findings[0].fix


def test_text_rows_json_and_page_tell_the_same(collected: Collected) -> None:
    other = collected.product.invoice("Ed & Poe", "9.00")
    collected.product.books.add_payment(other.id, account=CLEARING, date=DAY)

    report = collected.report()
    told = json.loads(report.json())
    page = report.html()

    assert [(row["what"], row["amount"]) for row in report.rows()] == [
        ("in flight", "38.50 NZD"),
        ("payment not posted here", "9.00 NZD"),
        ("balance in Xero", "47.50 NZD"),
    ]
    assert (told["balance"], told["in_flight"], told["explained"], told["clean"]) == ("47.50", "38.50", True, False)
    assert [(each["code"], each["amount"], each["fixes"]) for each in told["discrepancies"]] == [
        ("payment not posted here", "9.00", ["remove", "ignore"])
    ]
    assert told["settlements"][0]["settlement"] == "S1"
    assert page.count("<section>") == 6  # the sum, the causes, one by one, two settlements, what moved
    for said in ("47.50 NZD", "38.50 NZD", "payment not posted here", "S1-0"):
        assert said in page
    assert "://" not in page.replace("https://go.xero.com/", "")


def test_several_organisations_are_one_report(collected: Collected) -> None:
    other = found_product()
    theirs = Receivables(other.xero(), clearing_account=CLEARING)

    both = Reconciliations([collected.report(), theirs.reconcile(), theirs.reconcile(account=BANK)])

    assert both.clean
    assert both.explained
    assert [row["account"] for row in both.rows()] == [CLEARING] * 2 + [CLEARING] * 2 + [BANK] * 2
    assert len(json.loads(both.json())) == 3
    assert both.html().count("What moved") == 3
    assert len(str(both).splitlines()) == len(list(both)) == 3
    other.simulator.close()


def test_a_table_of_what_is_left_names_the_fixes_and_not_how_they_are_made(collected: Collected) -> None:
    other = collected.product.invoice("Ed Poe", "9.00")
    collected.product.books.add_payment(other.id, account=CLEARING, date=DAY)

    left = collected.report().plan({"not posted yet": Fix.POST}).findings

    (row,) = left.rows()
    assert (row["code"], row["amount"], row["fixes"]) == ("payment not posted here", "9.00 NZD", "remove, ignore")
    assert "remedies" not in row
    assert "&lt;" not in left._repr_html_()


@pytest.mark.parametrize("fix", ["delete", None, 5, {"payment not posted here": "delete"}, lambda _: "delete"])
def test_a_fix_there_is_not_is_refused(collected: Collected, fix: object) -> None:
    other = collected.product.invoice("Ed Poe", "9.00")
    collected.product.books.add_payment(other.id, account=CLEARING, date=DAY)

    with pytest.raises(InvalidInput, match="fix: give one of post, remove, restore, ignore"):
        collected.report().plan(cast(Fix, fix))


def test_two_organisations_of_one_product_are_told_apart_and_neither_s_plan_does_for_the_other(
    collected: Collected,
) -> None:
    """Both lie in one store, and have settlements and lines of the same ids."""
    product = collected.product
    books = product.simulator.add_organisation("Harbour & Söhne")
    given = product.simulator.consent(product.app, tenants=[books.tenant_id])
    ends = product.clock.now() + timedelta(seconds=given.expires_in)
    there = evolve(product, books=books, tokens=Tokens(given.access_token, given.refresh_token, ends))
    other = paid_out_and_in_flight(there)
    for one in (product, there):
        typed = one.invoice("Ed Poe", "9.00" if one is product else "4.00")
        one.books.add_payment(typed.id, account=CLEARING, date=DAY)

    both = Reconciliations([collected.report(), other.report()])
    here, elsewhere = both

    assert [
        (row["organisation"], row["amount"]) for row in both.rows() if row["what"] == "payment not posted here"
    ] == [
        ("Demo Company (NZ)", "9.00 NZD"),
        ("Harbour & Söhne", "4.00 NZD"),
    ]
    assert [each["balance"] for each in json.loads(both.json())] == ["47.50", "42.50"]
    assert "Harbour &amp; Söhne, account 091" in both.html()
    assert "2 discrepancies need something done." in both.html()
    with pytest.raises(InvalidInput, match="plan: it was made for another organisation"):
        other.sales.apply(here.plan(Fix.REMOVE))
    other.sales.apply(elsewhere.plan(Fix.REMOVE))
    assert (collected.report().clean, other.report().clean) == (False, True)


def test_what_somebody_changes_after_the_plan_is_left_by_itself(collected: Collected) -> None:
    """What was approved to be removed was money of another amount."""
    books = collected.product.books
    typed = collected.product.invoice("Ed Poe", "9.00")
    books.add_payment(typed.id, account=CLEARING, date=DAY)
    money = books.add_bank_transaction(typed.contact_id, type="RECEIVE", bank=CLEARING, amount=Decimal(5), date=DAY)
    plan = collected.report().plan(Fix.REMOVE)
    collected.product.clock.advance(60)
    line = LineItem(description="Gift", unit_amount=Decimal("7.00"), account_code=AccountCode("404"))
    edited = BankTransaction(bank_transaction_id=BankTransactionId(money.id), line_items=(line,))
    collected.product.xero().bank_transactions.update_one(edited)

    outcome = collected.sales.apply(plan)

    assert len(plan) == 2
    assert [each.code for each in outcome.findings] == ["changed since planned"]
    assert [(each.about, each.amount.amount) for each in collected.report().discrepancies] == [(money.id, Decimal(7))]
    assert books.invoice(typed.id).amount_due == 9


def test_a_report_may_be_kept_and_its_plan_made_and_applied_twice(collected: Collected) -> None:
    typed = collected.product.invoice("Ed Poe", "9.00")
    collected.product.books.add_payment(typed.id, account=CLEARING, date=DAY)

    kept = pickle.loads(pickle.dumps(collected.report()))  # noqa: S301 - our own
    plan = kept.plan(Fix.REMOVE)
    for _ in range(2):
        collected.sales.apply(plan)

    assert collected.report().clean
    assert collected.product.books.invoice(typed.id).amount_due == 9
