"""Manual journals: what is posted must balance (F 6.165)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.simulator.conftest import Product, Sent, rows_of, text


def journal(*lines: tuple[str, str], **others: object) -> Sent:
    rows = [{"AccountCode": code, "LineAmount": amount, "Description": "x"} for code, amount in lines]
    fields: Sent = {"Narration": "Accrual", "Date": "2026-01-05", "JournalLines": rows}
    return fields | others


def balance(product: Product, code: str) -> Decimal:
    return product.books.balance(product.books.account(code).id)


def test_only_a_posted_journal_stands_in_the_ledger(product: Product) -> None:
    draft = product.call("PUT", "ManualJournals", journal(("400", "100.00"), ("850", "-100.00"))).one("ManualJournals")
    assert (draft["Status"], draft["LineAmountTypes"]) == ("DRAFT", "NoTax")
    assert balance(product, "400") == 0

    path = f"ManualJournals/{text(draft, 'ManualJournalID')}"
    assert product.call("POST", path, {"Status": "POSTED"}).one("ManualJournals")["Status"] == "POSTED"
    assert (balance(product, "400"), balance(product, "850")) == (Decimal("100.00"), Decimal("-100.00"))

    assert product.call("POST", path, {"Status": "DELETED"}).status == 400
    product.call("POST", path, {"Status": "VOIDED"})
    assert balance(product, "400") == 0
    assert product.call("POST", path, {"Status": "POSTED"}).status == 400


def test_debits_must_equal_credits(product: Product) -> None:
    reply = product.call("PUT", "ManualJournals", journal(("400", "100.00"), ("850", "-10.00")))

    assert reply.messages() == ["The total debits (100.00) must equal total credits (-10.00)"]
    assert product.books.manual_journals == ()


def test_tax_of_a_line_goes_to_the_tax_account(product: Product) -> None:
    lines = [
        {"AccountCode": "400", "LineAmount": "115.00", "TaxType": "INPUT2"},
        {"AccountCode": "850", "LineAmount": "-115.00", "TaxType": "NONE"},
    ]

    made = product.call(
        "PUT", "ManualJournals", journal(LineAmountTypes="Inclusive", Status="POSTED") | {"JournalLines": lines}
    )

    assert rows_of(made.one("ManualJournals"), "JournalLines")[0]["TaxAmount"] == Decimal("15.00")
    assert (balance(product, "400"), balance(product, "820")) == (Decimal("100.00"), Decimal("15.00"))


@pytest.mark.parametrize("code", ["090", "610", "820"])
def test_bank_and_system_accounts_take_no_journal(product: Product, code: str) -> None:
    """F 6.13."""
    reply = product.call("PUT", "ManualJournals", journal((code, "1.00"), ("850", "-1.00")))

    assert reply.messages() == [f"Account code '{code}' is not a valid code for this document."]


def test_an_unknown_account_is_dropped_from_a_draft_with_a_warning_and_refused_when_posted(product: Product) -> None:
    """F 5.48."""
    sent = journal(("476", "1.00"), ("850", "-1.00"))

    draft = product.call("PUT", "ManualJournals", sent).one("ManualJournals")
    posted = product.call("PUT", "ManualJournals", sent | {"Status": "POSTED"})

    assert rows_of(draft, "Warnings")[0]["Message"] == (
        "Account code '476' has been removed as it does not match a recognised account."
    )
    assert posted.messages() == ["Account code '476' is not a valid code for this document."]


def test_an_unpaged_list_has_no_lines(product: Product) -> None:
    """F 4.08."""
    product.books.add_journal("Accrual", {"400": Decimal(1), "850": Decimal(-1)})

    assert product.call("GET", "ManualJournals").one("ManualJournals")["JournalLines"] == []
    page = product.call("GET", "ManualJournals?page=1")
    assert len(rows_of(page.one("ManualJournals"), "JournalLines")) == 2
    assert "pagination" in page.row
