"""What the books of one organisation hold, as frozen values; a change is a new value under the same id."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from attrs import frozen

ZERO: Final = Decimal("0.00")
NO_ID: Final = "00000000-0000-0000-0000-000000000000"
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def instant(ms: int) -> datetime:
    """The instant *ms* milliseconds after 1970, aware, in UTC."""
    return EPOCH + timedelta(milliseconds=ms)


def milliseconds(moment: datetime) -> int:
    """The whole milliseconds from 1970 to *moment*."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


@frozen
class Organisation:
    """One set of books. *id* is its tenant id too (F 6.02); lock dates close what is dated up to them (F 6.03)."""

    id: str
    name: str
    country: str
    version: str
    currency: str
    timezone: str
    zone: str
    short_code: str
    created_ms: int
    year_end_day: int
    year_end_month: int
    period_lock: date | None = None
    year_lock: date | None = None
    currencies: tuple[str, ...] = ()
    invoices_numbered: int = 0
    credit_notes_numbered: int = 0
    set_ups: tuple[str, ...] = ()


@frozen
class TaxRate:
    """A tax of the organisation: *rate* in percent, and the classes of accounts it may be used with (F 6.169)."""

    id: str
    name: str
    report_type: str
    rate: Decimal
    classes: tuple[str, ...]
    status: str = "ACTIVE"
    component: str = "GST"


@frozen
class Account:
    """One account of the chart. *tax_type* is the default of lines that name none (F 6.15)."""

    id: str
    code: str
    name: str
    type: str
    tax_type: str
    updated_ms: int
    status: str = "ACTIVE"
    system: str = ""
    description: str = ""
    enable_payments: bool = False
    bank_number: str = ""
    bank_type: str = ""
    currency: str = ""
    show_in_expense_claims: bool = False

    @property
    def is_payable(self) -> bool:
        """Whether payments may go to it, were it active (F 6.14: bank accounts are payable and do not say so)."""
        return self.type == "BANK" or self.enable_payments

    @property
    def account_class(self) -> str:
        """ASSET, EQUITY, EXPENSE, LIABILITY or REVENUE."""
        return _CLASSES.get(self.type, "EXPENSE")


_CLASSES: Final = {
    "BANK": "ASSET", "CURRENT": "ASSET", "FIXED": "ASSET", "INVENTORY": "ASSET", "NONCURRENT": "ASSET",
    "PREPAYMENT": "ASSET", "CURRLIAB": "LIABILITY", "LIABILITY": "LIABILITY", "TERMLIAB": "LIABILITY",
    "PAYG": "LIABILITY", "EQUITY": "EQUITY", "REVENUE": "REVENUE", "SALES": "REVENUE", "OTHERINCOME": "REVENUE",
    "EXPENSE": "EXPENSE", "OVERHEADS": "EXPENSE", "DIRECTCOSTS": "EXPENSE", "DEPRECIATN": "EXPENSE",
}  # fmt: skip
ACCOUNT_TYPES: Final = frozenset(_CLASSES)


@frozen
class Phone:
    """One of a contact's four phones."""

    type: str
    number: str = ""
    area: str = ""
    country: str = ""


@frozen
class Address:
    """One of a contact's two addresses; *parts* are (Xero's field name, text)."""

    type: str
    parts: tuple[tuple[str, str], ...] = ()


@frozen
class Person:
    """A further person at a contact."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    include_in_emails: bool = False


@frozen
class Contact:
    """A customer, a supplier, or both. *texts* are the plain text fields by Xero's names; one never set is absent."""

    id: str
    name: str
    updated_ms: int
    status: str = "ACTIVE"
    number: str = ""
    texts: tuple[tuple[str, str], ...] = ()
    phones: tuple[Phone, ...] = ()
    addresses: tuple[Address, ...] = ()
    persons: tuple[Person, ...] = ()
    is_customer: bool = False
    is_supplier: bool = False
    merged_to: str = ""

    @property
    def email(self) -> str:
        """The email address; blank when there is none."""
        return dict(self.texts).get("EmailAddress", "")

    @property
    def updated(self) -> datetime:
        """UpdatedDateUTC."""
        return instant(self.updated_ms)


@frozen
class Line:
    """One line of a document; *amount* includes tax where the document is Inclusive (F 5.26). None: text only."""

    id: str
    description: str = ""
    quantity: Decimal | None = None
    unit_amount: Decimal | None = None
    amount: Decimal | None = None
    tax_type: str = ""
    tax: Decimal | None = None
    account_id: str = ""
    item_code: str = ""
    discount_rate: Decimal | None = None
    tracking: tuple[tuple[str, str], ...] = ()


@frozen
class Document:
    """
    An invoice, a bill or a credit note, told apart by *type*: ACCREC, ACCPAY, ACCRECCREDIT, ACCPAYCREDIT.

    Amounts are in *currency*; *rate* is units of it per unit of the base currency (F 6.70). For a credit note *paid* is
    what was refunded and *credited* what was allocated.
    """

    id: str
    type: str
    number: str
    contact_id: str
    date: dt.date
    status: str
    line_amount_types: str
    lines: tuple[Line, ...]
    currency: str
    rate: Decimal
    sub_total: Decimal
    total_tax: Decimal
    total: Decimal
    updated_ms: int
    due_date: dt.date | None = None
    reference: str = ""
    paid: Decimal = ZERO
    credited: Decimal = ZERO
    sent_to_contact: bool = False
    url: str = ""
    branding_theme: str = ""
    planned_date: dt.date | None = None
    fully_paid_on: dt.date | None = None
    made_by: str = ""

    @property
    def amount_due(self) -> Decimal:
        """What is still to be paid; of a credit note, the credit that remains (F 6.74, 6.96)."""
        return self.total - self.paid - self.credited

    @property
    def is_credit_note(self) -> bool:
        """Whether this is a credit note rather than an invoice or a bill."""
        return self.type.endswith("CREDIT")

    @property
    def is_sale(self) -> bool:
        """Whether this stands in the debtors account rather than the creditors."""
        return self.type.startswith("ACCREC")

    @property
    def is_posted(self) -> bool:
        """Whether the ledger holds this document."""
        return self.status in {"AUTHORISED", "PAID"}

    @property
    def updated(self) -> datetime:
        """UpdatedDateUTC."""
        return instant(self.updated_ms)


@frozen
class Payment:
    """Money against a document: *amount* in its currency, *bank_amount* in the account's. DELETED ones stay."""

    id: str
    document_id: str
    account_id: str
    date: dt.date
    amount: Decimal
    bank_amount: Decimal
    rate: Decimal
    type: str
    updated_ms: int
    reference: str = ""
    status: str = "AUTHORISED"
    is_reconciled: bool = False
    made_by: str = ""

    @property
    def updated(self) -> datetime:
        """UpdatedDateUTC."""
        return instant(self.updated_ms)


@frozen
class Allocation:
    """Part of a credit note set against an invoice of the same contact."""

    id: str
    credit_note_id: str
    invoice_id: str
    amount: Decimal
    date: dt.date
    updated_ms: int


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The sum of *amounts*, with two places even when there are none."""
    return sum(amounts, start=ZERO)
