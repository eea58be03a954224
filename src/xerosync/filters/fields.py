"""The fields that each kind of document is chosen by: those that its rows in a list show."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

from attrs import AttrsInstance

from xerosync.filters.kinds import Amount, Day, Flag, Id, Instant, Text, Word
from xerosync.models import (
    Account,
    AccountClass,
    AccountId,
    AccountStatus,
    AccountType,
    BankAccountType,
    BankTransaction,
    BankTransactionId,
    BankTransactionStatus,
    BankTransactionType,
    BankTransfer,
    BankTransferId,
    BatchPayment,
    BatchPaymentId,
    BatchPaymentType,
    BrandingTheme,
    BrandingThemeId,
    Contact,
    ContactGroup,
    ContactGroupId,
    ContactGroupStatus,
    ContactId,
    ContactStatus,
    CreditNote,
    CreditNoteId,
    Currency,
    DocumentStatus,
    Invoice,
    InvoiceId,
    InvoiceType,
    Item,
    ItemId,
    LineAmountTypes,
    ManualJournal,
    ManualJournalId,
    ManualJournalStatus,
    OrganisationRole,
    Overpayment,
    OverpaymentId,
    Payment,
    PaymentId,
    PaymentStatus,
    PaymentType,
    Prepayment,
    PrepaymentId,
    PurchaseOrder,
    PurchaseOrderId,
    PurchaseOrderStatus,
    Quote,
    QuoteId,
    QuoteStatus,
    TaxRate,
    TaxRateStatus,
    TrackingCategory,
    TrackingCategoryId,
    TrackingStatus,
    User,
    UserId,
)

M = TypeVar("M", bound=AttrsInstance)


class ContactPart(Generic[M]):
    """The contact of a document, of which a row shows hardly more than this (F 4.11)."""

    def __init__(self, model: type[M], path: str = "contact", *, sent: bool = True, always: bool = True) -> None:
        self.contact_id: Final = Id(model, f"{path}.contact_id", ContactId, sent=sent, always=always)
        self.name: Final = Text(model, f"{path}.name", sent=sent)


class AccountPart(Generic[M]):
    """The account of a document."""

    def __init__(self, model: type[M], path: str) -> None:
        self.account_id: Final = Id(model, f"{path}.account_id", AccountId, always=True)


class InvoicePart(Generic[M]):
    """What a payment pays: an invoice, a bill, or a credit note, which stands here too (F 6.119)."""

    def __init__(self, model: type[M], path: str) -> None:
        self.invoice_id: Final = Id(model, f"{path}.invoice_id", InvoiceId, always=True)
        self.invoice_number: Final = Text(model, f"{path}.invoice_number")
        self.type: Final = Word(model, f"{path}.type", InvoiceType)
        self.contact: Final = ContactPart(model, f"{path}.contact")


class SumsPart(Generic[M]):
    """What every document with lines has."""

    def __init__(self, model: type[M], *, sent: bool = True) -> None:
        self.contact: Final = ContactPart(model, sent=sent)
        self.date: Final = Day(model, "date", sent=sent, always=True)
        self.reference: Final = Text(model, "reference", sent=sent)
        self.currency_code: Final = Text(model, "currency_code", sent=sent)
        self.sub_total: Final = Amount(model, "sub_total", sent=sent, always=True)
        self.total_tax: Final = Amount(model, "total_tax", sent=sent, always=True)
        self.total: Final = Amount(model, "total", sent=sent, always=True)
        self.updated_date_utc: Final = Instant(model, "updated_date_utc", sent=sent, always=True)


class InvoiceFields(SumsPart[Invoice]):
    """
    Of invoices and bills.

    Fast, however many there are (F 4.50): ``status``, ``type``, ``contact``, ``invoice_number``, ``reference``,
    ``invoice_id``, ``amount_paid ==``, and ranges of ``date``, ``due_date`` and ``amount_due``; ``|`` between ids only.
    """

    def __init__(self) -> None:
        super().__init__(Invoice)
        self.invoice_id: Final = Id(Invoice, "invoice_id", InvoiceId, always=True)
        self.type: Final = Word(Invoice, "type", InvoiceType, always=True)
        self.status: Final = Word(Invoice, "status", DocumentStatus, always=True)
        self.invoice_number: Final = Text(Invoice, "invoice_number")
        self.due_date: Final = Day(Invoice, "due_date")
        self.amount_due: Final = Amount(Invoice, "amount_due", always=True)
        self.amount_paid: Final = Amount(Invoice, "amount_paid", always=True)
        self.amount_credited: Final = Amount(Invoice, "amount_credited")
        self.fully_paid_on_date: Final = Day(Invoice, "fully_paid_on_date")
        self.line_amount_types: Final = Word(Invoice, "line_amount_types", LineAmountTypes)
        self.url: Final = Text(Invoice, "url")
        self.sent_to_contact: Final = Flag(Invoice, "sent_to_contact")
        self.has_attachments: Final = Flag(Invoice, "has_attachments", sent=False)
        self.expected_payment_date: Final = Day(Invoice, "expected_payment_date", sent=False)
        self.planned_payment_date: Final = Day(Invoice, "planned_payment_date", sent=False)
        self.branding_theme_id: Final = Id(Invoice, "branding_theme_id", BrandingThemeId, sent=False)


class CreditNoteFields(SumsPart[CreditNote]):
    """Of credit notes."""

    def __init__(self) -> None:
        super().__init__(CreditNote)
        self.credit_note_id: Final = Id(CreditNote, "credit_note_id", CreditNoteId, always=True)
        self.type: Final = Word(CreditNote, "type", InvoiceType, always=True)
        self.status: Final = Word(CreditNote, "status", DocumentStatus, always=True)
        self.credit_note_number: Final = Text(CreditNote, "credit_note_number")
        self.remaining_credit: Final = Amount(CreditNote, "remaining_credit")
        self.fully_paid_on_date: Final = Day(CreditNote, "fully_paid_on_date")
        self.has_attachments: Final = Flag(CreditNote, "has_attachments", sent=False)


class OverpaymentFields(SumsPart[Overpayment]):
    """Of overpayments."""

    def __init__(self) -> None:
        super().__init__(Overpayment)
        self.overpayment_id: Final = Id(Overpayment, "overpayment_id", OverpaymentId, always=True)
        self.type: Final = Word(Overpayment, "type", BankTransactionType, sent=False)
        self.status: Final = Word(Overpayment, "status", DocumentStatus, always=True)
        self.remaining_credit: Final = Amount(Overpayment, "remaining_credit")
        self.has_attachments: Final = Flag(Overpayment, "has_attachments", sent=False)


class PrepaymentFields(SumsPart[Prepayment]):
    """Of prepayments."""

    def __init__(self) -> None:
        super().__init__(Prepayment)
        self.prepayment_id: Final = Id(Prepayment, "prepayment_id", PrepaymentId, always=True)
        self.type: Final = Word(Prepayment, "type", BankTransactionType, sent=False)
        self.status: Final = Word(Prepayment, "status", DocumentStatus, always=True)
        self.remaining_credit: Final = Amount(Prepayment, "remaining_credit")
        self.has_attachments: Final = Flag(Prepayment, "has_attachments", sent=False)


class PaymentFields:
    """
    Of payments.

    Fast, however many there are (F 4.51): ``payment_type``, ``status``, ranges of ``date``, ``invoice.invoice_id``,
    ``reference``; ``|`` between ids only.
    """

    def __init__(self) -> None:
        self.payment_id: Final = Id(Payment, "payment_id", PaymentId, always=True)
        self.payment_type: Final = Word(Payment, "payment_type", PaymentType, always=True)
        self.status: Final = Word(Payment, "status", PaymentStatus, always=True)
        self.date: Final = Day(Payment, "date", always=True)
        self.amount: Final = Amount(Payment, "amount", always=True)
        self.bank_amount: Final = Amount(Payment, "bank_amount")
        self.reference: Final = Text(Payment, "reference")
        self.is_reconciled: Final = Flag(Payment, "is_reconciled", always=True)
        self.invoice: Final = InvoicePart(Payment, "invoice")
        self.account: Final = AccountPart(Payment, "account")
        self.batch_payment_id: Final = Id(Payment, "batch_payment_id", BatchPaymentId, sent=False)
        self.updated_date_utc: Final = Instant(Payment, "updated_date_utc", always=True)


class BatchPaymentFields:
    """Of batch payments. Fast (F 4.52): ``type``, ``account.account_id``, ``status``."""

    def __init__(self) -> None:
        self.batch_payment_id: Final = Id(BatchPayment, "batch_payment_id", BatchPaymentId, always=True)
        self.type: Final = Word(BatchPayment, "type", BatchPaymentType, always=True)
        self.status: Final = Word(BatchPayment, "status", PaymentStatus, always=True)
        self.date: Final = Day(BatchPayment, "date", always=True)
        self.total_amount: Final = Amount(BatchPayment, "total_amount", always=True)
        self.reference: Final = Text(BatchPayment, "reference")
        self.is_reconciled: Final = Flag(BatchPayment, "is_reconciled")
        self.account: Final = AccountPart(BatchPayment, "account")
        self.updated_date_utc: Final = Instant(BatchPayment, "updated_date_utc", always=True)


class ContactFields:
    """Of contacts. Fast, however many there are (F 4.52): ``name``, ``email_address``, ``account_number``."""

    def __init__(self) -> None:
        self.contact_id: Final = Id(Contact, "contact_id", ContactId, always=True)
        self.name: Final = Text(Contact, "name")
        self.contact_number: Final = Text(Contact, "contact_number")
        self.account_number: Final = Text(Contact, "account_number")
        self.contact_status: Final = Word(Contact, "contact_status", ContactStatus, always=True)
        self.first_name: Final = Text(Contact, "first_name")
        self.last_name: Final = Text(Contact, "last_name")
        self.company_number: Final = Text(Contact, "company_number")
        self.email_address: Final = Text(Contact, "email_address")
        self.tax_number: Final = Text(Contact, "tax_number")
        self.bank_account_details: Final = Text(Contact, "bank_account_details")
        self.default_currency: Final = Text(Contact, "default_currency")
        self.is_customer: Final = Flag(Contact, "is_customer", always=True)
        self.is_supplier: Final = Flag(Contact, "is_supplier", always=True)
        self.has_attachments: Final = Flag(Contact, "has_attachments", sent=False)
        self.updated_date_utc: Final = Instant(Contact, "updated_date_utc", always=True)


class ContactGroupFields:
    """Of contact groups."""

    def __init__(self) -> None:
        self.contact_group_id: Final = Id(ContactGroup, "contact_group_id", ContactGroupId, always=True)
        self.name: Final = Text(ContactGroup, "name")
        self.status: Final = Word(ContactGroup, "status", ContactGroupStatus, always=True)


class BankTransactionFields:
    """Of money spent and received."""

    def __init__(self) -> None:
        of = BankTransaction
        self.bank_transaction_id: Final = Id(of, "bank_transaction_id", BankTransactionId, always=True)
        self.type: Final = Word(of, "type", BankTransactionType, always=True)
        self.status: Final = Word(of, "status", BankTransactionStatus, always=True)
        self.contact: Final = ContactPart(of, always=False)
        self.bank_account: Final = AccountPart(of, "bank_account")
        self.date: Final = Day(of, "date", always=True)
        self.reference: Final = Text(of, "reference")
        self.currency_code: Final = Text(of, "currency_code")
        self.sub_total: Final = Amount(of, "sub_total", always=True)
        self.total_tax: Final = Amount(of, "total_tax", always=True)
        self.total: Final = Amount(of, "total", always=True)
        self.url: Final = Text(of, "url")
        self.is_reconciled: Final = Flag(of, "is_reconciled", always=True)
        self.has_attachments: Final = Flag(of, "has_attachments", sent=False)
        self.updated_date_utc: Final = Instant(of, "updated_date_utc", always=True)


class BankTransferFields:
    """Of money moved between bank accounts."""

    def __init__(self) -> None:
        self.bank_transfer_id: Final = Id(BankTransfer, "bank_transfer_id", BankTransferId, always=True)
        self.date: Final = Day(BankTransfer, "date", always=True)
        self.amount: Final = Amount(BankTransfer, "amount", always=True)
        self.reference: Final = Text(BankTransfer, "reference")
        self.from_bank_account: Final = AccountPart(BankTransfer, "from_bank_account")
        self.to_bank_account: Final = AccountPart(BankTransfer, "to_bank_account")
        self.created_date_utc: Final = Instant(BankTransfer, "created_date_utc", always=True)


class ManualJournalFields:
    """Of journals entered by hand."""

    def __init__(self) -> None:
        self.manual_journal_id: Final = Id(ManualJournal, "manual_journal_id", ManualJournalId, always=True)
        self.narration: Final = Text(ManualJournal, "narration")
        self.status: Final = Word(ManualJournal, "status", ManualJournalStatus, always=True)
        self.date: Final = Day(ManualJournal, "date", always=True)
        self.url: Final = Text(ManualJournal, "url")
        self.updated_date_utc: Final = Instant(ManualJournal, "updated_date_utc", always=True)


class AccountFields:
    """Of the chart of accounts."""

    def __init__(self) -> None:
        self.account_id: Final = Id(Account, "account_id", AccountId, always=True)
        self.code: Final = Text(Account, "code")
        self.name: Final = Text(Account, "name")
        self.type: Final = Word(Account, "type", AccountType, always=True)
        self.account_class: Final = Word(Account, "account_class", AccountClass, always=True)
        self.status: Final = Word(Account, "status", AccountStatus, always=True)
        self.description: Final = Text(Account, "description")
        self.bank_account_type: Final = Word(Account, "bank_account_type", BankAccountType)
        self.bank_account_number: Final = Text(Account, "bank_account_number", sent=False)
        self.currency_code: Final = Text(Account, "currency_code")
        self.tax_type: Final = Text(Account, "tax_type")
        self.system_account: Final = Text(Account, "system_account")
        self.enable_payments_to_account: Final = Flag(Account, "enable_payments_to_account")
        self.has_attachments: Final = Flag(Account, "has_attachments", sent=False)
        self.updated_date_utc: Final = Instant(Account, "updated_date_utc", sent=False)


class TaxRateFields:
    """Of tax rates; the rates are in per cent."""

    def __init__(self) -> None:
        self.name: Final = Text(TaxRate, "name")
        self.tax_type: Final = Text(TaxRate, "tax_type")
        self.status: Final = Word(TaxRate, "status", TaxRateStatus, always=True)
        self.effective_rate: Final = Amount(TaxRate, "effective_rate")
        self.display_tax_rate: Final = Amount(TaxRate, "display_tax_rate")
        self.can_apply_to_assets: Final = Flag(TaxRate, "can_apply_to_assets")
        self.can_apply_to_equity: Final = Flag(TaxRate, "can_apply_to_equity")
        self.can_apply_to_expenses: Final = Flag(TaxRate, "can_apply_to_expenses")
        self.can_apply_to_liabilities: Final = Flag(TaxRate, "can_apply_to_liabilities")
        self.can_apply_to_revenue: Final = Flag(TaxRate, "can_apply_to_revenue")


class ItemFields:
    """Of what is bought and sold."""

    def __init__(self) -> None:
        self.item_id: Final = Id(Item, "item_id", ItemId, always=True)
        self.code: Final = Text(Item, "code")
        self.name: Final = Text(Item, "name")
        self.description: Final = Text(Item, "description")
        self.is_sold: Final = Flag(Item, "is_sold")
        self.is_purchased: Final = Flag(Item, "is_purchased")
        self.is_tracked_as_inventory: Final = Flag(Item, "is_tracked_as_inventory")
        self.updated_date_utc: Final = Instant(Item, "updated_date_utc", always=True)


class TrackingCategoryFields:
    """Of tracking categories."""

    def __init__(self) -> None:
        of = TrackingCategory
        self.tracking_category_id: Final = Id(of, "tracking_category_id", TrackingCategoryId, always=True)
        self.name: Final = Text(of, "name")
        self.status: Final = Word(of, "status", TrackingStatus, always=True)


class CurrencyFields:
    """Of currencies."""

    def __init__(self) -> None:
        self.code: Final = Text(Currency, "code")
        self.description: Final = Text(Currency, "description")


class UserFields:
    """Of those who may sign in."""

    def __init__(self) -> None:
        self.user_id: Final = Id(User, "user_id", UserId, always=True)
        self.email_address: Final = Text(User, "email_address")
        self.first_name: Final = Text(User, "first_name")
        self.last_name: Final = Text(User, "last_name")
        self.organisation_role: Final = Word(User, "organisation_role", OrganisationRole)
        self.is_subscriber: Final = Flag(User, "is_subscriber")
        self.updated_date_utc: Final = Instant(User, "updated_date_utc", always=True)


class BrandingThemeFields:
    """Of branding themes. Xero has no filter for them: they are all read, and chosen here."""

    def __init__(self) -> None:
        self.branding_theme_id: Final = Id(BrandingTheme, "branding_theme_id", BrandingThemeId, sent=False)
        self.name: Final = Text(BrandingTheme, "name", sent=False)


class PurchaseOrderFields(SumsPart[PurchaseOrder]):
    """Of purchase orders. Xero has no filter for them (F 4.34): they are all read, and chosen here."""

    def __init__(self) -> None:
        super().__init__(PurchaseOrder, sent=False)
        self.purchase_order_id: Final = Id(PurchaseOrder, "purchase_order_id", PurchaseOrderId, sent=False)
        self.purchase_order_number: Final = Text(PurchaseOrder, "purchase_order_number", sent=False)
        self.status: Final = Word(PurchaseOrder, "status", PurchaseOrderStatus, sent=False)
        self.delivery_date: Final = Day(PurchaseOrder, "delivery_date", sent=False)


class QuoteFields(SumsPart[Quote]):
    """Of quotes. Xero has no filter for them (F 4.35): they are all read, and chosen here."""

    def __init__(self) -> None:
        super().__init__(Quote, sent=False)
        self.quote_id: Final = Id(Quote, "quote_id", QuoteId, sent=False)
        self.quote_number: Final = Text(Quote, "quote_number", sent=False)
        self.status: Final = Word(Quote, "status", QuoteStatus, sent=False)
        self.expiry_date: Final = Day(Quote, "expiry_date", sent=False)
        self.title: Final = Text(Quote, "title", sent=False)
