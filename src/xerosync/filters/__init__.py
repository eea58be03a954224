"""
Which documents a list holds, said in Python and typed: ``filters.invoice.amount_due > Decimal(100)``.

Comparisons join with ``&``, ``|`` and ``~``. What Xero can express is sent, so that the rest need not travel; what it
cannot (a quote in a name, F 4.47) is left out there. All of it is asked again of each document that came: Xero compares
texts without regard to letter case (F 4.45), here ``A`` is not ``a`` unless you say `ignoring_case`. A field that is
missing fits no comparison but ``!=``; as a text it is blank, as a yes or no it is no.
"""

from __future__ import annotations

from typing import Final

from xerosync.filters import fields
from xerosync.filters.expressions import Filter
from xerosync.filters.kinds import Amount, Day, Flag, Id, Instant, Text, Word

__all__ = [
    "Amount",
    "Day",
    "Filter",
    "Flag",
    "Id",
    "Instant",
    "Text",
    "Word",
    "account",
    "bank_transaction",
    "bank_transfer",
    "batch_payment",
    "branding_theme",
    "contact",
    "contact_group",
    "credit_note",
    "currency",
    "invoice",
    "item",
    "manual_journal",
    "overpayment",
    "payment",
    "prepayment",
    "purchase_order",
    "quote",
    "tax_rate",
    "tracking_category",
    "user",
]

account: Final = fields.AccountFields()
bank_transaction: Final = fields.BankTransactionFields()
bank_transfer: Final = fields.BankTransferFields()
batch_payment: Final = fields.BatchPaymentFields()
branding_theme: Final = fields.BrandingThemeFields()
contact: Final = fields.ContactFields()
contact_group: Final = fields.ContactGroupFields()
credit_note: Final = fields.CreditNoteFields()
currency: Final = fields.CurrencyFields()
invoice: Final = fields.InvoiceFields()
item: Final = fields.ItemFields()
manual_journal: Final = fields.ManualJournalFields()
overpayment: Final = fields.OverpaymentFields()
payment: Final = fields.PaymentFields()
prepayment: Final = fields.PrepaymentFields()
purchase_order: Final = fields.PurchaseOrderFields()
quote: Final = fields.QuoteFields()
tax_rate: Final = fields.TaxRateFields()
tracking_category: Final = fields.TrackingCategoryFields()
user: Final = fields.UserFields()
