"""Which scopes there are, and which an app may ask for (F 1.30, 1.44, 1.45)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

DEFAULT_SCOPES: Final = (
    "openid profile email offline_access accounting.contacts accounting.invoices accounting.payments "
    "accounting.settings accounting.attachments accounting.banktransactions accounting.manualjournals "
    "accounting.reports.aged.read accounting.reports.banksummary.read accounting.reports.trialbalance.read"
)
GRANULAR_ONLY_SINCE: Final = datetime(2026, 3, 2, tzinfo=UTC)
_BROAD: Final = frozenset({"accounting.transactions", "accounting.transactions.read", "accounting.reports.read"})
_BOTH_HALVES: Final = (
    "accounting.contacts", "accounting.settings", "accounting.attachments", "accounting.invoices",
    "accounting.payments", "accounting.banktransactions", "accounting.manualjournals", "accounting.transactions",
    "accounting.budgets", "files", "assets", "projects", "payroll.employees", "payroll.timesheets", "payroll.settings",
    "payroll.payruns", "payroll.payslip",
)  # fmt: skip
_REPORTS: Final = (
    "aged", "balancesheet", "banksummary", "budgetsummary", "executivesummary", "profitandloss", "trialbalance",
    "taxreports", "tenninetynine",
)  # fmt: skip
_KNOWN: Final = frozenset({
    "openid", "profile", "email", "offline_access", "app.connections", "accounting.reports.read",
    "accounting.journals.read", "paymentservices", "bankfeeds", "marketplace.billing",
    *_BOTH_HALVES, *(f"{scope}.read" for scope in _BOTH_HALVES),
    *(f"accounting.reports.{name}.read" for name in _REPORTS),
})  # fmt: skip


def unassigned(scopes: str, *, broad: bool) -> list[str]:
    """The *scopes* that do not exist, or that an app without the *broad* ones may not have."""
    return [scope for scope in scopes.split() if scope not in _KNOWN or (scope in _BROAD and not broad)]
