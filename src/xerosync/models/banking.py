"""What moves through bank accounts outside invoices, and manual journals."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal

from attrs import field, frozen

from xerosync.models.base import (
    READ_ONLY,
    AccountCode,
    AccountId,
    BankTransactionId,
    BankTransferId,
    ManualJournalId,
    OverpaymentId,
    PrepaymentId,
    Quiet,
    Shape,
    TrackingCategoryId,
    TrackingOptionId,
    longest,
    most,
    no_extra,
)
from xerosync.models.contacts import Contact
from xerosync.models.documents import LineItem
from xerosync.models.files import Attachment
from xerosync.models.settings import Account, TrackingCategory
from xerosync.models.words import (
    BankTransactionStatus,
    BankTransactionType,
    LineAmountTypes,
    ManualJournalStatus,
    PaymentStatus,
)


@frozen(kw_only=True, repr=False)
class BankTransaction(Quiet):
    """
    Money spent or received with lines of its own, through *bank_account*, without an invoice.

    By its type it may be an over- or prepayment too, and then bears that one's id.
    """

    bank_transaction_id: BankTransactionId | None = None
    type: BankTransactionType | None = None
    contact: Contact | None = None
    line_items: tuple[LineItem, ...] = ()
    bank_account: Account | None = None
    is_reconciled: bool | None = None
    date: datetime.date | None = None
    reference: str | None = None
    currency_code: str | None = None
    currency_rate: Decimal | None = None
    url: str | None = None
    status: BankTransactionStatus | None = None
    line_amount_types: LineAmountTypes | None = None
    sub_total: Decimal | None = field(default=None, metadata=READ_ONLY)
    total_tax: Decimal | None = field(default=None, metadata=READ_ONLY)
    total: Decimal | None = field(default=None, metadata=READ_ONLY)
    prepayment_id: PrepaymentId | None = field(default=None, metadata=READ_ONLY)
    overpayment_id: OverpaymentId | None = field(default=None, metadata=READ_ONLY)
    has_attachments: bool | None = field(default=None, metadata=READ_ONLY)
    updated_date_utc: datetime.datetime | None = field(default=None, metadata=READ_ONLY)
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)
    shape: Shape = field(default=Shape.NEW, eq=False)


@frozen(kw_only=True, repr=False)
class TrackingReference(Quiet):
    """A tracking option that a transfer bears on one of its sides, by ids."""

    tracking_category_id: TrackingCategoryId | None = None
    tracking_option_id: TrackingOptionId | None = None
    name: str | None = field(default=None, metadata={**READ_ONLY, **longest(100)})
    option: str | None = field(default=None, metadata=READ_ONLY)
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class BankTransfer(Quiet):
    """Money moved between two accounts of type BANK; *amount* is in the currency of the one it leaves (F 6.133)."""

    bank_transfer_id: BankTransferId | None = field(default=None, metadata=READ_ONLY)
    from_bank_account: Account | None = None
    to_bank_account: Account | None = None
    amount: Decimal | None = None
    date: datetime.date | None = None
    currency_rate: Decimal | None = field(default=None, metadata=READ_ONLY)
    from_bank_transaction_id: BankTransactionId | None = field(default=None, metadata=READ_ONLY)
    to_bank_transaction_id: BankTransactionId | None = field(default=None, metadata=READ_ONLY)
    from_is_reconciled: bool | None = None
    to_is_reconciled: bool | None = None
    reference: str | None = None
    has_attachments: bool | None = field(default=None, metadata=READ_ONLY)
    created_date_utc: datetime.datetime | None = field(default=None, metadata=READ_ONLY)
    status: PaymentStatus | None = field(default=None, metadata=READ_ONLY)
    from_tracking: tuple[TrackingReference, ...] = field(default=(), metadata=most(2))
    to_tracking: tuple[TrackingReference, ...] = field(default=(), metadata=most(2))
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)
    shape: Shape = field(default=Shape.NEW, eq=False)

    @property
    def is_reconciled(self) -> bool:
        """Whether either side of it was matched with a line of a bank's statement."""
        return bool(self.from_is_reconciled or self.to_is_reconciled)


@frozen(kw_only=True, repr=False)
class ManualJournalLine(Quiet):
    """One line of a manual journal: *line_amount* above zero is a debit."""

    line_amount: Decimal | None = None
    account_code: AccountCode | None = None
    account_id: AccountId | None = None
    description: str | None = None
    tax_type: str | None = None
    tracking: tuple[TrackingCategory, ...] = field(default=(), metadata=most(2))
    tax_amount: Decimal | None = None
    is_blank: bool | None = None
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)


@frozen(kw_only=True, repr=False)
class ManualJournal(Quiet):
    """A journal entered by hand, whose lines sum to zero."""

    manual_journal_id: ManualJournalId | None = None
    narration: str | None = None
    journal_lines: tuple[ManualJournalLine, ...] = ()
    date: datetime.date | None = None
    line_amount_types: LineAmountTypes | None = None
    status: ManualJournalStatus | None = None
    url: str | None = None
    show_on_cash_basis_reports: bool | None = None
    has_attachments: bool | None = field(default=None, metadata=READ_ONLY)
    attachments: tuple[Attachment, ...] = field(default=(), metadata=READ_ONLY)
    updated_date_utc: datetime.datetime | None = field(default=None, metadata=READ_ONLY)
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)
    shape: Shape = field(default=Shape.NEW, eq=False)
