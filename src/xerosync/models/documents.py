"""Invoices, bills, credit notes, over- and prepayments, and the payments and allocations that settle them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal

from attrs import field, frozen

from xerosync.models.base import (
    READ_ONLY,
    AccountCode,
    AccountId,
    AllocationId,
    BatchPaymentId,
    BrandingThemeId,
    CreditNoteId,
    InvoiceId,
    ItemId,
    LineItemId,
    OverpaymentId,
    PaymentId,
    PrepaymentId,
    Quiet,
    Referred,
    RepeatingInvoiceId,
    Shape,
    TrackingCategoryId,
    TrackingOptionId,
    longest,
    most,
    no_extra,
    wire,
)
from xerosync.models.contacts import Contact
from xerosync.models.files import Attachment
from xerosync.models.settings import Account
from xerosync.models.words import (
    BankTransactionType,
    BatchPaymentType,
    DocumentStatus,
    InvoiceType,
    LineAmountTypes,
    PaymentStatus,
    PaymentType,
)


@frozen(kw_only=True, repr=False)
class LineItemItem(Quiet):
    """The item a line sells or buys, as the answer names it; lines are written by *item_code*."""

    code: str | None = field(default=None, metadata=longest(30))
    name: str | None = field(default=None, metadata=longest(50))
    item_id: ItemId | None = None
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class LineTracking(Quiet):
    """One tracking option of a line: by name and option, or by the two ids."""

    tracking_category_id: TrackingCategoryId | None = None
    tracking_option_id: TrackingOptionId | None = None
    name: str | None = field(default=None, metadata=longest(100))
    option: str | None = field(default=None, metadata=longest(100))
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class TaxBreakdown(Quiet):
    """One authority's part of a line's sales tax, in the United States; *tax_percentage* is in per cent."""

    tax_component_id: str | None = field(default=None, metadata=wire("TaxComponentId"))
    type: str | None = None
    name: str | None = None
    tax_percentage: Decimal | None = None
    tax_amount: Decimal | None = None
    taxable_amount: Decimal | None = None
    non_taxable_amount: Decimal | None = None
    exempt_amount: Decimal | None = None
    state_assigned_no: str | None = None
    jurisdiction_region: str | None = None
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class LineItem(Quiet):
    """
    One line of a document; *unit_amount* has two decimals unless four are asked for (F 5.21).

    *discount_rate* is in per cent. Amounts contain the tax when the document's `LineAmountTypes` say so.
    """

    line_item_id: LineItemId | None = None
    description: str | None = field(default=None, metadata=longest(4000))
    quantity: Decimal | None = None
    unit_amount: Decimal | None = None
    item_code: str | None = None
    account_code: AccountCode | None = None
    account_id: AccountId | None = None
    tax_type: str | None = None
    tax_amount: Decimal | None = None
    item: LineItemItem | None = None
    line_amount: Decimal | None = None
    tracking: tuple[LineTracking, ...] = field(default=(), metadata=most(2))
    discount_rate: Decimal | None = None
    discount_amount: Decimal | None = None
    repeating_invoice_id: RepeatingInvoiceId | None = None
    taxability: str | None = None
    sales_tax_code_id: int | None = field(default=None, metadata=wire("SalesTaxCodeId"))
    tax_breakdown: tuple[TaxBreakdown, ...] = ()
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class InvoiceAddress(Quiet):
    """An address printed on the document, of the sender or the receiver."""

    invoice_address_type: str | None = None
    address_line1: str | None = None
    address_line2: str | None = None
    address_line3: str | None = None
    address_line4: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class Invoice(Referred):
    """
    A sales invoice (ACCREC) or a bill (ACCPAY).

    *invoice_number* is unique among sales invoices only; on a bill it is the supplier's own (F 6.57). *reference* is
    kept for sales invoices only (F 6.58). *amount_due* of a voided invoice means nothing (F 6.77).
    """

    invoice_id: InvoiceId | None = None
    type: InvoiceType | None = None
    contact: Contact | None = None
    line_items: tuple[LineItem, ...] = ()
    date: datetime.date | None = None
    due_date: datetime.date | None = None
    line_amount_types: LineAmountTypes | None = None
    invoice_number: str | None = field(default=None, metadata=longest(255))
    reference: str | None = None
    branding_theme_id: BrandingThemeId | None = None
    url: str | None = None
    currency_code: str | None = None
    currency_rate: Decimal | None = None
    status: DocumentStatus | None = None
    sent_to_contact: bool | None = None
    expected_payment_date: datetime.date | None = None
    planned_payment_date: datetime.date | None = None
    cis_deduction: Decimal | None = field(default=None, metadata=READ_ONLY)
    cis_rate: Decimal | None = field(default=None, metadata=READ_ONLY)
    sub_total: Decimal | None = field(default=None, metadata=READ_ONLY)
    total_tax: Decimal | None = field(default=None, metadata=READ_ONLY)
    total: Decimal | None = field(default=None, metadata=READ_ONLY)
    total_discount: Decimal | None = field(default=None, metadata=READ_ONLY)
    rounding_amount: Decimal | None = field(default=None, metadata=READ_ONLY)
    entered_total: Decimal | None = field(default=None, metadata=READ_ONLY)
    repeating_invoice_id: RepeatingInvoiceId | None = None
    has_attachments: bool | None = field(default=None, metadata=READ_ONLY)
    is_discounted: bool | None = field(default=None, metadata=READ_ONLY)
    payments: tuple[Payment, ...] = field(default=(), metadata=READ_ONLY)
    prepayments: tuple[Prepayment, ...] = field(default=(), metadata=READ_ONLY)
    overpayments: tuple[Overpayment, ...] = field(default=(), metadata=READ_ONLY)
    amount_due: Decimal | None = field(default=None, metadata=READ_ONLY)
    amount_paid: Decimal | None = field(default=None, metadata=READ_ONLY)
    fully_paid_on_date: datetime.date | None = field(default=None, metadata=READ_ONLY)
    amount_credited: Decimal | None = field(default=None, metadata=READ_ONLY)
    credit_notes: tuple[CreditNote, ...] = field(default=(), metadata=READ_ONLY)
    attachments: tuple[Attachment, ...] = field(default=(), metadata=READ_ONLY)
    invoice_addresses: tuple[InvoiceAddress, ...] = ()
    updated_date_utc: datetime.datetime | None = field(default=None, metadata=READ_ONLY)
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)
    shape: Shape = field(default=Shape.NEW, eq=False)


@frozen(kw_only=True, repr=False)
class Allocation(Quiet):
    """A part of a credit note, over- or prepayment set against an invoice; Xero derives the date itself (F 6.98)."""

    allocation_id: AllocationId | None = None
    invoice: Invoice | None = None
    overpayment: Overpayment | None = None
    prepayment: Prepayment | None = None
    credit_note: CreditNote | None = None
    amount: Decimal | None = None
    date: datetime.date | None = None
    is_deleted: bool | None = field(default=None, metadata=READ_ONLY)
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class CreditNote(Referred):
    """A credit note to a customer (ACCRECCREDIT) or from a supplier (ACCPAYCREDIT)."""

    credit_note_id: CreditNoteId | None = None
    type: InvoiceType | None = None
    contact: Contact | None = None
    date: datetime.date | None = None
    due_date: datetime.date | None = None
    status: DocumentStatus | None = None
    line_amount_types: LineAmountTypes | None = None
    line_items: tuple[LineItem, ...] = ()
    sub_total: Decimal | None = field(default=None, metadata=READ_ONLY)
    total_tax: Decimal | None = field(default=None, metadata=READ_ONLY)
    total: Decimal | None = field(default=None, metadata=READ_ONLY)
    cis_deduction: Decimal | None = field(default=None, metadata=READ_ONLY)
    cis_rate: Decimal | None = field(default=None, metadata=READ_ONLY)
    currency_code: str | None = None
    fully_paid_on_date: datetime.date | None = field(default=None, metadata=READ_ONLY)
    credit_note_number: str | None = None
    reference: str | None = None
    sent_to_contact: bool | None = field(default=None, metadata=READ_ONLY)
    currency_rate: Decimal | None = None
    remaining_credit: Decimal | None = field(default=None, metadata=READ_ONLY)
    allocations: tuple[Allocation, ...] = field(default=(), metadata=READ_ONLY)
    applied_amount: Decimal | None = field(default=None, metadata=READ_ONLY)
    payments: tuple[Payment, ...] = field(default=(), metadata=READ_ONLY)
    branding_theme_id: BrandingThemeId | None = None
    has_attachments: bool | None = field(default=None, metadata=READ_ONLY)
    invoice_addresses: tuple[InvoiceAddress, ...] = ()
    updated_date_utc: datetime.datetime | None = field(default=None, metadata=READ_ONLY)
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)
    shape: Shape = field(default=Shape.NEW, eq=False)


@frozen(kw_only=True, repr=False)
class Overpayment(Referred):
    """Money of a contact beyond what was owed, until it is allocated or refunded."""

    overpayment_id: OverpaymentId | None = None
    type: BankTransactionType | None = None
    contact: Contact | None = None
    date: datetime.date | None = None
    status: DocumentStatus | None = None
    line_amount_types: LineAmountTypes | None = None
    line_items: tuple[LineItem, ...] = ()
    sub_total: Decimal | None = field(default=None, metadata=READ_ONLY)
    total_tax: Decimal | None = field(default=None, metadata=READ_ONLY)
    total: Decimal | None = field(default=None, metadata=READ_ONLY)
    currency_code: str | None = None
    currency_rate: Decimal | None = None
    remaining_credit: Decimal | None = field(default=None, metadata=READ_ONLY)
    allocations: tuple[Allocation, ...] = field(default=(), metadata=READ_ONLY)
    applied_amount: Decimal | None = field(default=None, metadata=READ_ONLY)
    payments: tuple[Payment, ...] = field(default=(), metadata=READ_ONLY)
    has_attachments: bool | None = field(default=None, metadata=READ_ONLY)
    reference: str | None = None
    attachments: tuple[Attachment, ...] = field(default=(), metadata=READ_ONLY)
    updated_date_utc: datetime.datetime | None = field(default=None, metadata=READ_ONLY)
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)
    shape: Shape = field(default=Shape.NEW, eq=False)


@frozen(kw_only=True, repr=False)
class Prepayment(Referred):
    """Money of a contact ahead of any invoice, until it is allocated or refunded."""

    prepayment_id: PrepaymentId | None = None
    type: BankTransactionType | None = None
    contact: Contact | None = None
    date: datetime.date | None = None
    status: DocumentStatus | None = None
    line_amount_types: LineAmountTypes | None = None
    line_items: tuple[LineItem, ...] = ()
    sub_total: Decimal | None = field(default=None, metadata=READ_ONLY)
    total_tax: Decimal | None = field(default=None, metadata=READ_ONLY)
    total: Decimal | None = field(default=None, metadata=READ_ONLY)
    reference: str | None = field(default=None, metadata=READ_ONLY)
    invoice_number: str | None = field(default=None, metadata=READ_ONLY)
    currency_code: str | None = None
    branding_theme_id: BrandingThemeId | None = field(default=None, metadata=READ_ONLY)
    currency_rate: Decimal | None = None
    remaining_credit: Decimal | None = field(default=None, metadata=READ_ONLY)
    allocations: tuple[Allocation, ...] = field(default=(), metadata=READ_ONLY)
    payments: tuple[Payment, ...] = field(default=(), metadata=READ_ONLY)
    applied_amount: Decimal | None = field(default=None, metadata=READ_ONLY)
    has_attachments: bool | None = field(default=None, metadata=READ_ONLY)
    attachments: tuple[Attachment, ...] = field(default=(), metadata=READ_ONLY)
    updated_date_utc: datetime.datetime | None = field(default=None, metadata=READ_ONLY)
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)
    shape: Shape = field(default=Shape.NEW, eq=False)


@frozen(kw_only=True, repr=False)
class Payment(Quiet):
    """
    Money set against one invoice, bill or credit note, through *account*; *amount* is in the document's currency.

    *bank_amount* is in the currency of the bank account. Xero reports the payment of a credit note under *invoice*,
    with a credit type (F 6.119).
    """

    payment_id: PaymentId | None = None
    invoice: Invoice | None = None
    credit_note: CreditNote | None = None
    prepayment: Prepayment | None = None
    overpayment: Overpayment | None = None
    invoice_number: str | None = None
    credit_note_number: str | None = None
    batch_payment: BatchPayment | None = field(default=None, metadata=READ_ONLY)
    account: Account | None = None
    code: AccountCode | None = None
    date: datetime.date | None = None
    currency_rate: Decimal | None = None
    amount: Decimal | None = None
    bank_amount: Decimal | None = None
    reference: str | None = None
    is_reconciled: bool | None = None
    status: PaymentStatus | None = None
    payment_type: PaymentType | None = field(default=None, metadata=READ_ONLY)
    batch_payment_id: BatchPaymentId | None = field(default=None, metadata=READ_ONLY)
    bank_account_number: str | None = None
    particulars: str | None = None
    details: str | None = None
    has_account: bool | None = field(default=None, metadata=READ_ONLY)
    updated_date_utc: datetime.datetime | None = field(default=None, metadata=READ_ONLY)
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)
    shape: Shape = field(default=Shape.NEW, eq=False)


@frozen(kw_only=True, repr=False)
class BatchPayment(Referred):
    """Payments that move as one sum through the bank account, each still a `Payment` of its own."""

    batch_payment_id: BatchPaymentId | None = field(default=None, metadata=READ_ONLY)
    account: Account | None = None
    reference: str | None = field(default=None, metadata=longest(255))
    particulars: str | None = field(default=None, metadata=longest(12))
    code: str | None = field(default=None, metadata=longest(12))
    details: str | None = field(default=None, metadata=longest(18))
    narrative: str | None = field(default=None, metadata=longest(18))
    date: datetime.date | None = None
    amount: Decimal | None = None
    payments: tuple[Payment, ...] = ()
    type: BatchPaymentType | None = field(default=None, metadata=READ_ONLY)
    status: PaymentStatus | None = field(default=None, metadata=READ_ONLY)
    total_amount: Decimal | None = field(default=None, metadata=READ_ONLY)
    is_reconciled: bool | None = field(default=None, metadata=READ_ONLY)
    updated_date_utc: datetime.datetime | None = field(default=None, metadata=READ_ONLY)
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)
    shape: Shape = field(default=Shape.NEW, eq=False)
