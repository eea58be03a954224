"""The words Xero uses for types and states. New ones may come: each set is open."""

from __future__ import annotations

from xerosync.models.base import OpenEnum


class AccountClass(OpenEnum):
    """Where an account stands: on the balance sheet, or the profit and loss."""

    ASSET = "ASSET"
    EQUITY = "EQUITY"
    EXPENSE = "EXPENSE"
    LIABILITY = "LIABILITY"
    REVENUE = "REVENUE"


class AccountStatus(OpenEnum):
    """Whether an account can still be used (F 6.10)."""

    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    DELETED = "DELETED"


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
    PAYG = "PAYG"


class AddressType(OpenEnum):
    """What an address is for. Only organisations have DELIVERY."""

    POBOX = "POBOX"
    STREET = "STREET"
    DELIVERY = "DELIVERY"


class BankAccountType(OpenEnum):
    """What kind of bank account a BANK account is."""

    BANK = "BANK"
    CREDITCARD = "CREDITCARD"
    PAYPAL = "PAYPAL"
    NONE = "NONE"


class BankTransactionStatus(OpenEnum):
    """Money moved stands, or was removed."""

    AUTHORISED = "AUTHORISED"
    DELETED = "DELETED"
    VOIDED = "VOIDED"


class BankTransactionType(OpenEnum):
    """What kind of money moved; over- and prepayments are listed under shorter words, too (F 6.107)."""

    RECEIVE = "RECEIVE"
    RECEIVE_OVERPAYMENT = "RECEIVE-OVERPAYMENT"
    RECEIVE_PREPAYMENT = "RECEIVE-PREPAYMENT"
    SPEND = "SPEND"
    SPEND_OVERPAYMENT = "SPEND-OVERPAYMENT"
    SPEND_PREPAYMENT = "SPEND-PREPAYMENT"
    RECEIVE_TRANSFER = "RECEIVE-TRANSFER"
    SPEND_TRANSFER = "SPEND-TRANSFER"
    AROVERPAYMENT = "AROVERPAYMENT"
    APOVERPAYMENT = "APOVERPAYMENT"
    ARPREPAYMENT = "ARPREPAYMENT"
    APPREPAYMENT = "APPREPAYMENT"


class BatchPaymentType(OpenEnum):
    """Money paid out (PAYBATCH) or received (RECBATCH)."""

    PAYBATCH = "PAYBATCH"
    RECBATCH = "RECBATCH"


class ContactGroupStatus(OpenEnum):
    """Whether a contact group is still there."""

    ACTIVE = "ACTIVE"
    DELETED = "DELETED"


class ContactStatus(OpenEnum):
    """Whether a contact can still be used (F 6.30)."""

    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    GDPRREQUEST = "GDPRREQUEST"


class DocumentStatus(OpenEnum):
    """The life of an invoice, bill or credit note (F 6.51)."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    AUTHORISED = "AUTHORISED"
    PAID = "PAID"
    VOIDED = "VOIDED"
    DELETED = "DELETED"


class InvoiceType(OpenEnum):
    """Sales invoice (ACCREC), bill (ACCPAY), and the kinds of credit that payments name in their place (F 6.119)."""

    ACCREC = "ACCREC"
    ACCPAY = "ACCPAY"
    ACCRECCREDIT = "ACCRECCREDIT"
    ACCPAYCREDIT = "ACCPAYCREDIT"
    AROVERPAYMENT = "AROVERPAYMENT"
    APOVERPAYMENT = "APOVERPAYMENT"
    ARPREPAYMENT = "ARPREPAYMENT"
    APPREPAYMENT = "APPREPAYMENT"


class LineAmountTypes(OpenEnum):
    """Whether line amounts contain the tax (F 5.15)."""

    EXCLUSIVE = "Exclusive"
    INCLUSIVE = "Inclusive"
    NO_TAX = "NoTax"


class ManualJournalStatus(OpenEnum):
    """The life of a manual journal."""

    DRAFT = "DRAFT"
    POSTED = "POSTED"
    DELETED = "DELETED"
    VOIDED = "VOIDED"
    ARCHIVED = "ARCHIVED"


class OrganisationPlan(OpenEnum):
    """What the organisation pays Xero for."""

    DEMO = "DEMO"
    TRIAL = "TRIAL"
    STARTER = "STARTER"
    STANDARD = "STANDARD"
    PREMIUM = "PREMIUM"
    PREMIUM_20 = "PREMIUM_20"
    PREMIUM_50 = "PREMIUM_50"
    PREMIUM_100 = "PREMIUM_100"
    LEDGER = "LEDGER"
    GST_CASHBOOK = "GST_CASHBOOK"
    NON_GST_CASHBOOK = "NON_GST_CASHBOOK"
    ULTIMATE = "ULTIMATE"
    LITE = "LITE"
    ULTIMATE_10 = "ULTIMATE_10"
    ULTIMATE_20 = "ULTIMATE_20"
    ULTIMATE_50 = "ULTIMATE_50"
    ULTIMATE_100 = "ULTIMATE_100"
    IGNITE = "IGNITE"
    GROW = "GROW"
    COMPREHENSIVE = "COMPREHENSIVE"
    SIMPLE = "SIMPLE"
    BASICLITE = "BASICLITE"
    ULTRA = "ULTRA"


class OrganisationRole(OpenEnum):
    """What a user may do in the organisation."""

    READONLY = "READONLY"
    INVOICEONLY = "INVOICEONLY"
    STANDARD = "STANDARD"
    FINANCIALADVISER = "FINANCIALADVISER"
    MANAGEDCLIENT = "MANAGEDCLIENT"
    CASHBOOKCLIENT = "CASHBOOKCLIENT"
    UNKNOWN = "UNKNOWN"
    REMOVED = "REMOVED"


class PaymentStatus(OpenEnum):
    """A payment stands or was removed; there is nothing between (F 6.121)."""

    AUTHORISED = "AUTHORISED"
    DELETED = "DELETED"


class PaymentTermType(OpenEnum):
    """From when the days until a document is due are counted."""

    DAYSAFTERBILLDATE = "DAYSAFTERBILLDATE"
    DAYSAFTERBILLMONTH = "DAYSAFTERBILLMONTH"
    OFCURRENTMONTH = "OFCURRENTMONTH"
    OFFOLLOWINGMONTH = "OFFOLLOWINGMONTH"


class PaymentType(OpenEnum):
    """What a payment settles, and which way the money goes."""

    ACCRECPAYMENT = "ACCRECPAYMENT"
    ACCPAYPAYMENT = "ACCPAYPAYMENT"
    ARCREDITPAYMENT = "ARCREDITPAYMENT"
    APCREDITPAYMENT = "APCREDITPAYMENT"
    AROVERPAYMENTPAYMENT = "AROVERPAYMENTPAYMENT"
    ARPREPAYMENTPAYMENT = "ARPREPAYMENTPAYMENT"
    APPREPAYMENTPAYMENT = "APPREPAYMENTPAYMENT"
    APOVERPAYMENTPAYMENT = "APOVERPAYMENTPAYMENT"


class PhoneType(OpenEnum):
    """What a telephone number is for."""

    DEFAULT = "DEFAULT"
    DDI = "DDI"
    MOBILE = "MOBILE"
    FAX = "FAX"
    OFFICE = "OFFICE"


class LinkedTransactionStatus(OpenEnum):
    """How far a billable expense has come: as far as its purchase, then as the sale it was put on (F 6.174)."""

    DRAFT = "DRAFT"
    APPROVED = "APPROVED"
    ONDRAFT = "ONDRAFT"
    BILLED = "BILLED"
    VOIDED = "VOIDED"


class LinkedTransactionType(OpenEnum):
    """What a linked transaction is for."""

    BILLABLEEXPENSE = "BILLABLEEXPENSE"


class PurchaseOrderStatus(OpenEnum):
    """The life of a purchase order."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    AUTHORISED = "AUTHORISED"
    BILLED = "BILLED"
    DELETED = "DELETED"


class QuoteLineAmountTypes(OpenEnum):
    """As `LineAmountTypes`, in the spelling that quotes have."""

    EXCLUSIVE = "EXCLUSIVE"
    INCLUSIVE = "INCLUSIVE"
    NO_TAX = "NOTAX"


class QuoteStatus(OpenEnum):
    """The life of a quote."""

    DRAFT = "DRAFT"
    SENT = "SENT"
    DECLINED = "DECLINED"
    ACCEPTED = "ACCEPTED"
    INVOICED = "INVOICED"
    DELETED = "DELETED"


class RowType(OpenEnum):
    """What a row of a report is."""

    HEADER = "Header"
    SECTION = "Section"
    ROW = "Row"
    SUMMARY_ROW = "SummaryRow"


class TaxRateStatus(OpenEnum):
    """Whether a tax rate can be used."""

    ACTIVE = "ACTIVE"
    DELETED = "DELETED"
    ARCHIVED = "ARCHIVED"
    PENDING = "PENDING"


class TrackingStatus(OpenEnum):
    """Whether a tracking category or option can be used."""

    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    DELETED = "DELETED"
