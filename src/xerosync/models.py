"""
Xero's documents as frozen values, with an accountant's names in Python's spelling.

Every field may be absent (None, or an empty tuple): Xero leaves keys out freely, and differently in a list's row, a
single document and the reply to a write (F 4.11, 4.12). Amounts are `Decimal` in the document's currency; a `date` is a
day in the organisation's own calendar, a `datetime` an instant in UTC. Fields this library does not know are kept in
``extra`` under Xero's names. Reprs show ids only, never a name or an amount.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import NewType, Self

from attrs import field, frozen

TenantId = NewType("TenantId", str)
ConnectionId = NewType("ConnectionId", str)
AccountId = NewType("AccountId", str)
AccountCode = NewType("AccountCode", str)
ContactId = NewType("ContactId", str)
InvoiceId = NewType("InvoiceId", str)
CreditNoteId = NewType("CreditNoteId", str)
PaymentId = NewType("PaymentId", str)
AllocationId = NewType("AllocationId", str)
LineItemId = NewType("LineItemId", str)


class OpenEnum(StrEnum):
    """A set of words that Xero may add to: a word not known here survives a read as itself."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member


class AccountType(OpenEnum):
    """What an account is for (F 6.10)."""

    BANK = "BANK"
    CURRENT = "CURRENT"
    CURRLIAB = "CURRLIAB"
    DEPRECIATN = "DEPRECIATN"
    DIRECTCOSTS = "DIRECTCOSTS"
    EQUITY = "EQUITY"
    EXPENSE = "EXPENSE"
    FIXED = "FIXED"
    INVENTORY = "INVENTORY"
    LIABILITY = "LIABILITY"
    NONCURRENT = "NONCURRENT"
    OTHERINCOME = "OTHERINCOME"
    OVERHEADS = "OVERHEADS"
    PREPAYMENT = "PREPAYMENT"
    REVENUE = "REVENUE"
    SALES = "SALES"
    TERMLIAB = "TERMLIAB"


class AccountStatus(OpenEnum):
    """Whether an account can still be used (F 6.10)."""

    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    DELETED = "DELETED"


class ContactStatus(OpenEnum):
    """Whether a contact can still be used (F 6.30)."""

    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    GDPRREQUEST = "GDPRREQUEST"


class InvoiceType(OpenEnum):
    """Sales invoice (ACCREC), bill (ACCPAY), and credit notes, which payments name in their place (F 6.119)."""

    ACCREC = "ACCREC"
    ACCPAY = "ACCPAY"
    ACCRECCREDIT = "ACCRECCREDIT"
    ACCPAYCREDIT = "ACCPAYCREDIT"


class DocumentStatus(OpenEnum):
    """The life of an invoice, bill or credit note (F 6.51)."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    AUTHORISED = "AUTHORISED"
    PAID = "PAID"
    VOIDED = "VOIDED"
    DELETED = "DELETED"


class PaymentStatus(OpenEnum):
    """A payment stands or was removed; there is nothing between (F 6.121)."""

    AUTHORISED = "AUTHORISED"
    DELETED = "DELETED"


class LineAmountTypes(OpenEnum):
    """Whether line amounts contain the tax (F 5.15)."""

    EXCLUSIVE = "Exclusive"
    INCLUSIVE = "Inclusive"
    NO_TAX = "NoTax"


class _Quiet:
    """Gives documents a repr with the kind and the id alone."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {getattr(self, self._id_field(), None) or 'without id'}>"

    @classmethod
    def _id_field(cls) -> str:
        return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in cls.__name__)[1:] + "_id"


def _extra() -> dict[str, object]:
    return {}


@frozen(kw_only=True, repr=False)
class Connection(_Quiet):
    """The app's access to one organisation: *connection_id* ends it, *tenant_id* addresses calls (F 1.32, 1.38)."""

    connection_id: ConnectionId
    tenant_id: TenantId
    tenant_type: str = "ORGANISATION"
    tenant_name: str | None = None
    created: datetime.datetime | None = None
    updated: datetime.datetime | None = None


@frozen(kw_only=True, repr=False)
class Organisation(_Quiet):
    """The organisation whose books these are. Its id equals the tenant id (F 6.02)."""

    organisation_id: TenantId | None = None
    name: str | None = None
    base_currency: str | None = None
    country_code: str | None = None
    timezone: str | None = None
    short_code: str | None = None
    period_lock_date: datetime.date | None = None
    end_of_year_lock_date: datetime.date | None = None
    is_demo_company: bool | None = None
    organisation_status: str | None = None
    extra: Mapping[str, object] = field(factory=_extra)


@frozen(kw_only=True, repr=False)
class Account(_Quiet):
    """One account of the chart of accounts. A bank account may have no code: address accounts by id (F 6.11)."""

    account_id: AccountId | None = None
    code: AccountCode | None = None
    name: str | None = None
    type: AccountType | None = None
    status: AccountStatus | None = None
    tax_type: str | None = None
    enable_payments_to_account: bool | None = None
    system_account: str | None = None
    currency_code: str | None = None
    updated_date_utc: datetime.datetime | None = None
    extra: Mapping[str, object] = field(factory=_extra)


@frozen(kw_only=True, repr=False)
class Contact(_Quiet):
    """A customer or supplier. Names are unique among active contacts, whatever the letter case (F 6.23)."""

    contact_id: ContactId | None = None
    name: str | None = None
    contact_status: ContactStatus | None = None
    contact_number: str | None = None
    account_number: str | None = None
    email_address: str | None = None
    merged_to_contact_id: ContactId | None = field(default=None, metadata={"wire": "MergedToContactID"})
    updated_date_utc: datetime.datetime | None = None
    extra: Mapping[str, object] = field(factory=_extra)


@frozen(kw_only=True, repr=False)
class LineItem(_Quiet):
    """One line of an invoice, bill or credit note; *unit_amount* has two decimals unless asked for four (F 5.21)."""

    line_item_id: LineItemId | None = None
    description: str | None = None
    quantity: Decimal | None = None
    unit_amount: Decimal | None = None
    line_amount: Decimal | None = None
    account_code: AccountCode | None = None
    tax_type: str | None = None
    tax_amount: Decimal | None = None
    extra: Mapping[str, object] = field(factory=_extra)


@frozen(kw_only=True, repr=False)
class Invoice(_Quiet):
    """
    A sales invoice (ACCREC) or a bill (ACCPAY).

    *invoice_number* is unique among sales invoices only; on a bill it is the supplier's own (F 6.57). *reference* is
    kept for sales invoices only (F 6.58). *amount_due* of a voided invoice means nothing (F 6.77).
    """

    invoice_id: InvoiceId | None = None
    type: InvoiceType | None = None
    invoice_number: str | None = None
    reference: str | None = None
    contact: Contact | None = None
    date: datetime.date | None = None
    due_date: datetime.date | None = None
    status: DocumentStatus | None = None
    line_amount_types: LineAmountTypes | None = None
    line_items: tuple[LineItem, ...] = ()
    currency_code: str | None = None
    sub_total: Decimal | None = None
    total_tax: Decimal | None = None
    total: Decimal | None = None
    amount_due: Decimal | None = None
    amount_paid: Decimal | None = None
    amount_credited: Decimal | None = None
    url: str | None = None
    fully_paid_on_date: datetime.date | None = None
    updated_date_utc: datetime.datetime | None = None
    extra: Mapping[str, object] = field(factory=_extra)


@frozen(kw_only=True, repr=False)
class Allocation(_Quiet):
    """A part of a credit note set against an invoice or bill. Xero derives the date itself (F 6.98)."""

    allocation_id: AllocationId | None = None
    amount: Decimal | None = None
    date: datetime.date | None = None
    invoice: Invoice | None = None
    extra: Mapping[str, object] = field(factory=_extra)


@frozen(kw_only=True, repr=False)
class CreditNote(_Quiet):
    """A credit note to a customer (ACCRECCREDIT) or from a supplier (ACCPAYCREDIT)."""

    credit_note_id: CreditNoteId | None = None
    type: InvoiceType | None = None
    credit_note_number: str | None = None
    reference: str | None = None
    contact: Contact | None = None
    date: datetime.date | None = None
    status: DocumentStatus | None = None
    line_amount_types: LineAmountTypes | None = None
    line_items: tuple[LineItem, ...] = ()
    currency_code: str | None = None
    sub_total: Decimal | None = None
    total_tax: Decimal | None = None
    total: Decimal | None = None
    remaining_credit: Decimal | None = None
    allocations: tuple[Allocation, ...] = ()
    fully_paid_on_date: datetime.date | None = None
    updated_date_utc: datetime.datetime | None = None
    extra: Mapping[str, object] = field(factory=_extra)


@frozen(kw_only=True, repr=False)
class Payment(_Quiet):
    """
    Money set against one invoice, bill or credit note, through *account*; *amount* is in the document's currency.

    Xero reports the payment of a credit note under *invoice*, with a credit type (F 6.119).
    """

    payment_id: PaymentId | None = None
    payment_type: str | None = None
    invoice: Invoice | None = None
    credit_note: CreditNote | None = None
    account: Account | None = None
    date: datetime.date | None = None
    amount: Decimal | None = None
    reference: str | None = None
    status: PaymentStatus | None = None
    is_reconciled: bool | None = None
    batch_payment_id: str | None = field(default=None, metadata={"wire": "BatchPaymentID"})
    updated_date_utc: datetime.datetime | None = None
    extra: Mapping[str, object] = field(factory=_extra)


@frozen(kw_only=True, repr=False)
class TrialBalanceRow:
    """
    One account on the trial balance: its balance as at the report's day in base currency, on one of the two sides.

    The columns are the report's "YTD" ones; its plain debit and credit are the month's movement (F 6.193).
    """

    account_id: AccountId
    name: str
    debit: Decimal
    credit: Decimal

    @property
    def balance(self) -> Decimal:
        """Debit less credit."""
        return self.debit - self.credit

    def __repr__(self) -> str:
        return f"<TrialBalanceRow {self.account_id}>"
