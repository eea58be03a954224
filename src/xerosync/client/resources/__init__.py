"""
Xero's resources with one face each, awaited or in plain calls: ``list``, ``get``, ``create``, ``update``, and what a
resource has besides.

The asynchronous classes hold the flows; the plain ones have the same methods, stepped (see `xerosync.client._driver`).
"""

from __future__ import annotations

from xerosync.client._wire.answers import Remark
from xerosync.client.resources.banking import (
    AsyncBankTransactions,
    AsyncBankTransfers,
    AsyncManualJournals,
    BankTransactions,
    BankTransfers,
    ManualJournals,
)
from xerosync.client.resources.contacts import AsyncContactGroups, AsyncContacts, ContactGroups, Contacts
from xerosync.client.resources.documents import (
    AsyncBatchPayments,
    AsyncCreditNotes,
    AsyncInvoices,
    AsyncOverpayments,
    AsyncPayments,
    AsyncPrepayments,
    BatchPayments,
    CreditNotes,
    Invoices,
    Overpayments,
    Payments,
    Prepayments,
)
from xerosync.client.resources.file_names import safe_file_name
from xerosync.client.resources.linked import AsyncLinkedTransactions, LinkedTransactions
from xerosync.client.resources.orders import AsyncPurchaseOrders, AsyncQuotes, PurchaseOrders, Quotes
from xerosync.client.resources.reports import AsyncReports, Reports
from xerosync.client.resources.settings import (
    Accounts,
    AsyncAccounts,
    AsyncBrandingThemes,
    AsyncCurrencies,
    AsyncItems,
    AsyncTaxRates,
    AsyncTrackingCategories,
    AsyncUsers,
    BrandingThemes,
    Currencies,
    Items,
    TaxRates,
    TrackingCategories,
    Users,
)
from xerosync.client.resources.written import Outcome, Written

__all__ = [
    "Accounts",
    "AsyncAccounts",
    "AsyncBankTransactions",
    "AsyncBankTransfers",
    "AsyncBatchPayments",
    "AsyncBrandingThemes",
    "AsyncContactGroups",
    "AsyncContacts",
    "AsyncCreditNotes",
    "AsyncCurrencies",
    "AsyncInvoices",
    "AsyncItems",
    "AsyncLinkedTransactions",
    "AsyncManualJournals",
    "AsyncOverpayments",
    "AsyncPayments",
    "AsyncPrepayments",
    "AsyncPurchaseOrders",
    "AsyncQuotes",
    "AsyncReports",
    "AsyncTaxRates",
    "AsyncTrackingCategories",
    "AsyncUsers",
    "BankTransactions",
    "BankTransfers",
    "BatchPayments",
    "BrandingThemes",
    "ContactGroups",
    "Contacts",
    "CreditNotes",
    "Currencies",
    "Invoices",
    "Items",
    "LinkedTransactions",
    "ManualJournals",
    "Outcome",
    "Overpayments",
    "Payments",
    "Prepayments",
    "PurchaseOrders",
    "Quotes",
    "Remark",
    "Reports",
    "TaxRates",
    "TrackingCategories",
    "Users",
    "Written",
    "safe_file_name",
]
