"""
xerosync keeps a product's customers, invoices, bills and payments in step with its users' books in Xero.

Nothing lost, nothing twice, every cent explained. Names are imported when first used, so that importing the package is
quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from xerosync._version import __version__

if TYPE_CHECKING:
    from xerosync.catalogue import Explanation, Retry, Who, explain, explain_status
    from xerosync.client._keep_alive import KeptAlive
    from xerosync.client._limits import Limits
    from xerosync.client.authorise import ConsentRequest, authorise_url, code_of
    from xerosync.client.changes import Mark
    from xerosync.client.connections import AsyncConnections, Connections, ConnectionSummary
    from xerosync.client.consents import AsyncOAuth, OAuth
    from xerosync.client.id_token import IdToken
    from xerosync.client.login import login
    from xerosync.client.oauth import App, Endpoints, Tokens
    from xerosync.client.organisations import choose_organisation
    from xerosync.client.resources.file_names import safe_file_name
    from xerosync.client.resources.written import Outcome, Written
    from xerosync.client.scopes import (
        BROAD_SCOPES_END,
        FEATURES,
        ScopeNeed,
        broad_scopes,
        explained_scopes,
        missing_scopes,
        scopes_for,
    )
    from xerosync.client.states import ConnectionState, state_of
    from xerosync.client.store_gate import StoreGate
    from xerosync.client.xero import AsyncXero, Xero
    from xerosync.doctor import AsyncDoctor, Check, Checkup, Doctor
    from xerosync.engine.actions import CancelTransaction, ChangeTransaction, ImportInvoice, NoteTransaction
    from xerosync.engine.addresses import deep_link
    from xerosync.engine.attaching import BillFile
    from xerosync.engine.auditing import Audit
    from xerosync.engine.bringing import BillInXero, LinkBill, PaymentInXero, UpdateBill
    from xerosync.engine.categories import News, ReferenceValue, UpdateReference
    from xerosync.engine.causes import RootCause
    from xerosync.engine.clearing import ClearingChoice, ClearingReport, Eligibility, ExceptionItem, InBase
    from xerosync.engine.clearing_statement import ClearingMovement, ClearingStatement
    from xerosync.engine.coding import Coded, Rule, Rules
    from xerosync.engine.discrepancies import Discrepancy, Fix
    from xerosync.engine.drift_report import Drift, DriftField, DriftReport, FollowDrift
    from xerosync.engine.duplicates import Duplicates
    from xerosync.engine.explaining import Trail
    from xerosync.engine.handled import HandledOutside, HandleOutside
    from xerosync.engine.importing import ImportPreview, ImportRow, LeftOut
    from xerosync.engine.opening import WantedAccount
    from xerosync.engine.pair_actions import UpdateCustomer
    from xerosync.engine.paper_actions import LinkSpend
    from xerosync.engine.paper_settings import BillMapper, BillSettings, SaleMapper, SaleSettings
    from xerosync.engine.paying import BillPayment, CreditRefund, HostPayment
    from xerosync.engine.plans import Difference, Finding, Plan, Recovery, Report, Result
    from xerosync.engine.policies import ImportPolicy
    from xerosync.engine.reconciliation import Reconciliation, Reconciliations
    from xerosync.engine.sales import PostedSale
    from xerosync.engine.schedule import Ended, Why
    from xerosync.engine.settlement_report import LineMark, ReportedLine, ReportedSettlement, SettlementReport
    from xerosync.engine.settling_policies import FeesAs, HistoryNotes, SettlementSettings, Surplus, WhenLocked
    from xerosync.engine.states import State
    from xerosync.engine.trail import TrailLine, TrailStep
    from xerosync.engine.transaction_report import ReportedTransaction, Standing, TransactionReport
    from xerosync.engine.typed import Candidate, WhichOne
    from xerosync.fleet import AsyncFleet, Fleet, FleetStatus, OrganisationStatus
    from xerosync.ledger import AsyncLedger, Ledger
    from xerosync.mapping.calendar import ProcessingCalendar
    from xerosync.mapping.contacts import ContactDetails
    from xerosync.mapping.declines import Decline, DeclineReason, RetryPolicy
    from xerosync.mapping.lines import BillLine, PaperLine, SaleLine
    from xerosync.mapping.papers import Bill, Sale, map_bill, map_sale
    from xerosync.mapping.settlement import Adjustment, Fee, LineKind, Settlement, SettlementLine, SettlementProof
    from xerosync.mapping.spending import CardSpend
    from xerosync.mapping.transactions import (
        ImportSettings,
        ImportTerms,
        InvoiceMapper,
        Transaction,
        TransactionState,
        TransactionStatus,
        map_invoice,
    )
    from xerosync.matching.keys import (
        MATCH_KEYS,
        Customer,
        MatchKey,
        Party,
        Vendor,
        by_account_number,
        by_contact_number,
        by_email,
        by_name,
        by_tax_number,
    )
    from xerosync.matching.pairing import Match, MatchStatus
    from xerosync.matching.suggestions import Suggestion
    from xerosync.money import Money
    from xerosync.payables import AsyncPayables, Payables, PostedBill
    from xerosync.receivables import AsyncReceivables, Receivables
    from xerosync.rotation import AsyncKeyRotation, KeyRotation, Rotated
    from xerosync.secret import Secret
    from xerosync.storage.encrypted import encrypted
    from xerosync.storage.keys import KeyRing
    from xerosync.storage.memory import MemoryStore
    from xerosync.storage.sqlite import SQLiteStore
    from xerosync.tables import Listing
    from xerosync.webhooks import AsyncWebhookInbox, Delivery, WebhookAnswer, WebhookEvent, WebhookInbox, read_delivery
    from xerosync.worker import AsyncWorker, Due, Ran, Worker

__all__ = [
    "BROAD_SCOPES_END",
    "FEATURES",
    "MATCH_KEYS",
    "Adjustment",
    "App",
    "AsyncConnections",
    "AsyncDoctor",
    "AsyncFleet",
    "AsyncKeyRotation",
    "AsyncLedger",
    "AsyncOAuth",
    "AsyncPayables",
    "AsyncReceivables",
    "AsyncWebhookInbox",
    "AsyncWorker",
    "AsyncXero",
    "Audit",
    "Bill",
    "BillFile",
    "BillInXero",
    "BillLine",
    "BillMapper",
    "BillPayment",
    "BillSettings",
    "CancelTransaction",
    "Candidate",
    "CardSpend",
    "ChangeTransaction",
    "Check",
    "Checkup",
    "ClearingChoice",
    "ClearingMovement",
    "ClearingReport",
    "ClearingStatement",
    "Coded",
    "ConnectionState",
    "ConnectionSummary",
    "Connections",
    "ConsentRequest",
    "ContactDetails",
    "CreditRefund",
    "Customer",
    "Decline",
    "DeclineReason",
    "Delivery",
    "Difference",
    "Discrepancy",
    "Doctor",
    "Drift",
    "DriftField",
    "DriftReport",
    "Due",
    "Duplicates",
    "Eligibility",
    "Ended",
    "Endpoints",
    "ExceptionItem",
    "Explanation",
    "Fee",
    "FeesAs",
    "Finding",
    "Fix",
    "Fleet",
    "FleetStatus",
    "FollowDrift",
    "HandleOutside",
    "HandledOutside",
    "HistoryNotes",
    "HostPayment",
    "IdToken",
    "ImportInvoice",
    "ImportPolicy",
    "ImportPreview",
    "ImportRow",
    "ImportSettings",
    "ImportTerms",
    "InBase",
    "InvoiceMapper",
    "KeptAlive",
    "KeyRing",
    "KeyRotation",
    "Ledger",
    "LeftOut",
    "Limits",
    "LineKind",
    "LineMark",
    "LinkBill",
    "LinkSpend",
    "Listing",
    "Mark",
    "Match",
    "MatchKey",
    "MatchStatus",
    "MemoryStore",
    "Money",
    "News",
    "NoteTransaction",
    "OAuth",
    "OrganisationStatus",
    "Outcome",
    "PaperLine",
    "Party",
    "Payables",
    "PaymentInXero",
    "Plan",
    "PostedBill",
    "PostedSale",
    "ProcessingCalendar",
    "Ran",
    "Receivables",
    "Reconciliation",
    "Reconciliations",
    "Recovery",
    "ReferenceValue",
    "Report",
    "ReportedLine",
    "ReportedSettlement",
    "ReportedTransaction",
    "Result",
    "Retry",
    "RetryPolicy",
    "RootCause",
    "Rotated",
    "Rule",
    "Rules",
    "SQLiteStore",
    "Sale",
    "SaleLine",
    "SaleMapper",
    "SaleSettings",
    "ScopeNeed",
    "Secret",
    "Settlement",
    "SettlementLine",
    "SettlementProof",
    "SettlementReport",
    "SettlementSettings",
    "Standing",
    "State",
    "StoreGate",
    "Suggestion",
    "Surplus",
    "Tokens",
    "Trail",
    "TrailLine",
    "TrailStep",
    "Transaction",
    "TransactionReport",
    "TransactionState",
    "TransactionStatus",
    "UpdateBill",
    "UpdateCustomer",
    "UpdateReference",
    "Vendor",
    "WantedAccount",
    "WebhookAnswer",
    "WebhookEvent",
    "WebhookInbox",
    "WhenLocked",
    "WhichOne",
    "Who",
    "Why",
    "Worker",
    "Written",
    "Xero",
    "__version__",
    "authorise_url",
    "broad_scopes",
    "by_account_number",
    "by_contact_number",
    "by_email",
    "by_name",
    "by_tax_number",
    "choose_organisation",
    "code_of",
    "deep_link",
    "encrypted",
    "explain",
    "explain_status",
    "explained_scopes",
    "login",
    "map_bill",
    "map_invoice",
    "map_sale",
    "missing_scopes",
    "read_delivery",
    "safe_file_name",
    "scopes_for",
    "state_of",
]

_ROOMS = {
    "catalogue": ("Explanation", "Retry", "Who", "explain", "explain_status"),
    "client._keep_alive": ("KeptAlive",),
    "client._limits": ("Limits",),
    "client.authorise": ("ConsentRequest", "authorise_url", "code_of"),
    "client.changes": ("Mark",),
    "client.connections": ("AsyncConnections", "Connections", "ConnectionSummary"),
    "client.consents": ("AsyncOAuth", "OAuth"),
    "client.id_token": ("IdToken",),
    "client.login": ("login",),
    "client.oauth": ("App", "Endpoints", "Tokens"),
    "client.organisations": ("choose_organisation",),
    "client.resources.file_names": ("safe_file_name",),
    "client.resources.written": ("Outcome", "Written"),
    "client.scopes": (
        "BROAD_SCOPES_END",
        "FEATURES",
        "ScopeNeed",
        "broad_scopes",
        "explained_scopes",
        "missing_scopes",
        "scopes_for",
    ),
    "client.states": ("ConnectionState", "state_of"),
    "client.store_gate": ("StoreGate",),
    "client.xero": ("AsyncXero", "Xero"),
    "doctor": ("AsyncDoctor", "Check", "Checkup", "Doctor"),
    "engine.actions": ("CancelTransaction", "ChangeTransaction", "ImportInvoice", "NoteTransaction"),
    "engine.addresses": ("deep_link",),
    "engine.attaching": ("BillFile",),
    "engine.auditing": ("Audit",),
    "engine.bringing": ("BillInXero", "LinkBill", "PaymentInXero", "UpdateBill"),
    "engine.categories": ("News", "ReferenceValue", "UpdateReference"),
    "engine.causes": ("RootCause",),
    "engine.clearing": ("ClearingChoice", "ClearingReport", "Eligibility", "ExceptionItem", "InBase"),
    "engine.clearing_statement": ("ClearingMovement", "ClearingStatement"),
    "engine.coding": ("Coded", "Rule", "Rules"),
    "engine.drift_report": ("Drift", "DriftField", "DriftReport", "FollowDrift"),
    "engine.duplicates": ("Duplicates",),
    "engine.handled": ("HandleOutside", "HandledOutside"),
    "engine.explaining": ("Trail",),
    "engine.importing": ("ImportPreview", "ImportRow", "LeftOut"),
    "engine.opening": ("WantedAccount",),
    "engine.paying": ("BillPayment", "CreditRefund", "HostPayment"),
    "engine.plans": ("Difference", "Finding", "Plan", "Recovery", "Report", "Result"),
    "engine.policies": ("ImportPolicy",),
    "engine.sales": ("PostedSale",),
    "engine.discrepancies": ("Discrepancy", "Fix"),
    "engine.reconciliation": ("Reconciliation", "Reconciliations"),
    "engine.schedule": ("Ended", "Why"),
    "engine.settlement_report": ("LineMark", "ReportedLine", "ReportedSettlement", "SettlementReport"),
    "engine.settling_policies": ("FeesAs", "HistoryNotes", "SettlementSettings", "Surplus", "WhenLocked"),
    "engine.states": ("State",),
    "engine.pair_actions": ("UpdateCustomer",),
    "engine.paper_actions": ("LinkSpend",),
    "engine.paper_settings": ("BillMapper", "BillSettings", "SaleMapper", "SaleSettings"),
    "engine.trail": ("TrailLine", "TrailStep"),
    "engine.transaction_report": ("ReportedTransaction", "Standing", "TransactionReport"),
    "engine.typed": ("Candidate", "WhichOne"),
    "fleet": ("AsyncFleet", "Fleet", "FleetStatus", "OrganisationStatus"),
    "ledger": ("AsyncLedger", "Ledger"),
    "tables": ("Listing",),
    "mapping.calendar": ("ProcessingCalendar",),
    "mapping.contacts": ("ContactDetails",),
    "mapping.declines": ("Decline", "DeclineReason", "RetryPolicy"),
    "mapping.lines": ("BillLine", "PaperLine", "SaleLine"),
    "mapping.papers": ("Bill", "Sale", "map_bill", "map_sale"),
    "mapping.settlement": ("Adjustment", "Fee", "LineKind", "Settlement", "SettlementLine", "SettlementProof"),
    "mapping.spending": ("CardSpend",),
    "mapping.transactions": (
        "ImportSettings",
        "ImportTerms",
        "InvoiceMapper",
        "Transaction",
        "TransactionState",
        "TransactionStatus",
        "map_invoice",
    ),
    "matching.pairing": ("Match", "MatchStatus"),
    "matching.keys": (
        "MATCH_KEYS",
        "Customer",
        "MatchKey",
        "Party",
        "Vendor",
        "by_account_number",
        "by_contact_number",
        "by_email",
        "by_name",
        "by_tax_number",
    ),
    "matching.suggestions": ("Suggestion",),
    "money": ("Money",),
    "payables": ("AsyncPayables", "Payables", "PostedBill"),
    "receivables": ("AsyncReceivables", "Receivables"),
    "rotation": ("AsyncKeyRotation", "KeyRotation", "Rotated"),
    "secret": ("Secret",),
    "storage.encrypted": ("encrypted",),
    "storage.keys": ("KeyRing",),
    "storage.memory": ("MemoryStore",),
    "storage.sqlite": ("SQLiteStore",),
    "webhooks": (
        "AsyncWebhookInbox",
        "Delivery",
        "WebhookAnswer",
        "WebhookEvent",
        "WebhookInbox",
        "read_delivery",
    ),
    "worker": ("AsyncWorker", "Due", "Ran", "Worker"),
}
# What comes back of a call is not typed by hand: completion leaves it out, and shows what one makes or calls.
_COMES_BACK = frozenset(
    """
    Audit BillInXero BillMapper BROAD_SCOPES_END Candidate Check Checkup ClearingChoice ClearingMovement ClearingReport
    ClearingStatement Coded ConnectionSummary Delivery Difference Discrepancy Drift DriftField DriftReport Due Ended
    ExceptionItem Explanation Finding FleetStatus HandledOutside HandleOutside IdToken ImportInvoice ImportPreview
    ImportRow InBase InvoiceMapper KeptAlive LeftOut LineMark LinkBill LinkSpend Listing Match MatchKey MatchStatus
    NoteTransaction OrganisationStatus PaperLine PaymentInXero Plan PostedBill PostedSale Ran Reconciliation
    Reconciliations Recovery ReferenceValue Report ReportedLine ReportedSettlement ReportedTransaction Result Retry
    RootCause Rotated SaleMapper ScopeNeed SettlementProof SettlementReport Standing State Suggestion Trail TrailLine
    TransactionReport UpdateBill WebhookAnswer WebhookEvent WhichOne Who Why Written
    """.split()
)
_HOME = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(set(__all__) - _COMES_BACK)
