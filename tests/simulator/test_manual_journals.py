"""Manual journals: what is posted must balance (F 6.165)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.simulator.conftest import Product, Sent, connect, rows_of, text


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


def test_what_was_created_is_shown_with_less_than_what_was_updated(product: Product) -> None:
    """F 4.12, as the specification shows both."""
    made = product.call("PUT", "ManualJournals", journal(("400", "1.00"), ("850", "-1.00"))).one("ManualJournals")
    path = f"ManualJournals/{text(made, 'ManualJournalID')}"

    changed = product.call("POST", path, {"Narration": "Provision"}).one("ManualJournals")

    assert "HasAttachments" not in made
    assert "TaxAmount" not in rows_of(made, "JournalLines")[0]
    assert (changed["Narration"], changed["HasAttachments"], changed["Attachments"]) == ("Provision", False, [])
    assert rows_of(changed, "JournalLines")[0]["TaxAmount"] == Decimal("0.00")
    assert product.call("GET", path).one("ManualJournals") == changed


def test_tax_beside_the_lines_counts_towards_the_balance(product: Product) -> None:
    lines = [
        {"AccountCode": "400", "LineAmount": "100.00", "TaxType": "INPUT2"},
        {"AccountCode": "850", "LineAmount": "-115.00", "TaxType": "NONE"},
    ]
    sent = journal(LineAmountTypes="Exclusive", Status="POSTED")

    whole = product.call("PUT", "ManualJournals", sent | {"JournalLines": lines})
    without = product.call("PUT", "ManualJournals", sent | {"JournalLines": lines, "LineAmountTypes": "NoTax"})

    assert whole.status == 200
    assert without.messages() == ["The total debits (100.00) must equal total credits (-115.00)"]
    balances = [balance(product, code) for code in ("400", "820", "850")]
    assert balances == [Decimal("100.00"), Decimal("15.00"), Decimal("-115.00")]


@pytest.mark.rank(38)
def test_an_archived_account_is_refused_in_two_messages(product: Product) -> None:
    """F 5.42, 6.18; also when a draft that names it is posted."""
    draft = product.books.add_journal("Accrual", {"404": Decimal(1), "850": Decimal(-1)}, status="DRAFT")
    product.books.archive_account("404")

    reply = product.call("POST", f"ManualJournals/{draft.id}", {"Status": "POSTED"})

    assert reply.messages() == [
        "Account code '404' is not a valid code for this document.",
        "Account code '404' has been archived, or has been deleted. Each line item must reference a valid account.",
    ]


@pytest.mark.rank(37)
def test_a_journal_in_a_closed_period_is_neither_posted_nor_voided(product: Product) -> None:
    """F 6.67."""
    made = product.books.add_journal("Accrual", {"400": Decimal(1), "850": Decimal(-1)})
    product.books.lock_period(product.books.today)

    new = product.call("PUT", "ManualJournals", journal(("400", "1.00"), ("850", "-1.00"), Date="2025-12-01"))
    gone = product.call("POST", f"ManualJournals/{made.id}", {"Status": "VOIDED"})

    assert "cannot be before the period lock date" in new.messages()[0]
    assert gone.messages() == ["The document cannot be edited as it is currently dated before the period lock date"]
    assert [one.status for one in product.books.manual_journals] == ["POSTED"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"Narration": ""}, {"Status": "VOIDED"}, {"Url": "no address"}, {"JournalLines": []},
        {"JournalLines": [{"AccountCode": "400", "LineAmount": "0.00"}]},
        {"JournalLines": [{"AccountCode": "400"}, {"AccountCode": "850"}]},
    ],
)  # fmt: skip
def test_a_journal_that_lacks_something_is_refused(product: Product, wrong: Sent) -> None:
    reply = product.call("PUT", "ManualJournals", journal(("400", "1.00"), ("850", "-1.00")) | wrong)

    assert reply.status == 400
    assert product.books.manual_journals == ()


@pytest.mark.rank(31)
def test_journals_have_a_scope_of_their_own(product: Product) -> None:
    """F 1.45, 1.53."""
    invoices_only = connect(product.simulator, product.books, "accounting.invoices accounting.settings")
    reader = connect(product.simulator, product.books, "accounting.manualjournals.read")

    assert invoices_only.call("GET", "ManualJournals").status == 401
    assert reader.call("GET", "ManualJournals").status == 200
    assert reader.call("PUT", "ManualJournals", journal(("400", "1.00"), ("850", "-1.00"))).status == 401


@pytest.mark.rank(17, 35)
def test_journals_are_filtered_and_read_by_what_has_changed(product: Product) -> None:
    """F 4.21."""
    product.books.add_journal("Accrual", {"400": Decimal(1), "850": Decimal(-1)}, status="DRAFT")
    product.books.add_journal("Provision", {"400": Decimal(1), "850": Decimal(-1)})

    drafts = product.call("GET", 'ManualJournals?where=Status=="DRAFT"').one("ManualJournals")
    later = product.call("GET", "ManualJournals", If_Modified_Since="2099-01-01T00:00:00")

    assert drafts["Narration"] == "Accrual"
    assert later.rows("ManualJournals") == []
