"""Documents as a caller makes them, for the tests of what becomes of them."""

from __future__ import annotations

from decimal import Decimal

from attrs import evolve
from tests.conftest import BANK, DAY, Product

from xerosync.models import (
    Account,
    AccountCode,
    BankTransaction,
    BankTransactionType,
    Contact,
    ContactId,
    CreditNote,
    DocumentStatus,
    Invoice,
    InvoiceType,
    LineItem,
    ManualJournal,
    ManualJournalLine,
    ManualJournalStatus,
)


def contact(product: Product, name: str = "Ana") -> Contact:
    """A contact in the books, named by its id."""
    found = [each for each in product.books.contacts if each.name == name]
    return Contact(contact_id=ContactId((found[0] if found else product.books.add_contact(name)).id))


def line(amount: str = "10.0000") -> LineItem:
    return LineItem(
        description="Work", quantity=Decimal(1), unit_amount=Decimal(amount), account_code=AccountCode("200")
    )


def sale(product: Product) -> Invoice:
    return Invoice(
        type=InvoiceType.ACCREC,
        contact=contact(product),
        line_items=(line("10.1234"),),
        date=DAY,
        due_date=DAY,
        invoice_number="S-1",
        status=DocumentStatus.AUTHORISED,
    )


def credit(product: Product) -> CreditNote:
    return CreditNote(
        type=InvoiceType.ACCRECCREDIT,
        contact=contact(product),
        line_items=(line(),),
        date=DAY,
        credit_note_number="C-1",
        status=DocumentStatus.AUTHORISED,
    )


def spent(product: Product) -> BankTransaction:
    return BankTransaction(
        type=BankTransactionType.SPEND,
        contact=contact(product),
        line_items=(evolve(line(), account_code=AccountCode("429")),),
        bank_account=Account(code=AccountCode(BANK)),
        date=DAY,
        reference="R-1",
    )


def journal(product: Product) -> ManualJournal:
    assert product.books.account("429").status == "ACTIVE"
    return ManualJournal(
        narration="Accrual",
        date=DAY,
        status=ManualJournalStatus.POSTED,
        journal_lines=(
            ManualJournalLine(line_amount=Decimal("10.00"), account_code=AccountCode("429")),
            ManualJournalLine(line_amount=Decimal("-10.00"), account_code=AccountCode("850")),
        ),
    )
