"""What an app must ask the user for: the least granular scopes for what it does, each in plain words (F 1.44–1.49)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Final

from attrs import frozen

from xerosync.errors import InvalidInput

if TYPE_CHECKING:
    from xerosync.client.oauth import Tokens

BROAD_SCOPES_END: Final = date(2027, 9, 13)
"""From this day on the broad scopes serve no more, and every user must have consented to granular ones (F 1.45)."""


@frozen
class ScopeNeed:
    """A *scope*, what it *allows* in plain words, and the *features* that need it."""

    scope: str
    allows: str
    features: tuple[str, ...]


_ALLOWS: Final[Mapping[str, str]] = {
    "openid": "know which Xero user signs in",
    "profile": "see the user's name",
    "email": "see the user's e-mail address",
    "offline_access": "stay connected while the user is away, for up to 60 days between two uses",
    "accounting.contacts": "read and change customers and suppliers",
    "accounting.contacts.read": "read customers and suppliers",
    "accounting.invoices": "read and change invoices, bills, credit notes, quotes and orders, repeating ones too",
    "accounting.invoices.read": "read invoices, bills, credit notes, quotes and orders, repeating ones too",
    "accounting.payments": "read, record and remove payments, batch payments, overpayments and prepayments",
    "accounting.payments.read": "read payments, batch payments, overpayments and prepayments",
    "accounting.banktransactions": "read and change money spent and received, and transfers between bank accounts",
    "accounting.banktransactions.read": "read money spent and received, and transfers between bank accounts",
    "accounting.manualjournals": "read and change manual journals",
    "accounting.manualjournals.read": "read manual journals",
    "accounting.settings": "read the organisation's own record; read and change accounts, items, tax rates, tracking",
    "accounting.settings.read": "read the organisation's own record, accounts, items, tax rates and tracking",
    "accounting.attachments": "read and add files on documents",
    "accounting.attachments.read": "read files on documents",
    "accounting.budgets.read": "read budgets",
    "accounting.journals.read": "read every entry of the general ledger (Xero's Advanced tier only)",
    "accounting.reports.aged.read": "read what each contact owes and is owed, by age",
    "accounting.reports.balancesheet.read": "read the balance sheet",
    "accounting.reports.banksummary.read": "read the bank summary",
    "accounting.reports.budgetsummary.read": "read the budget summary",
    "accounting.reports.executivesummary.read": "read the executive summary",
    "accounting.reports.profitandloss.read": "read the profit and loss report",
    "accounting.reports.trialbalance.read": "read the balance of every account",
    "accounting.reports.taxreports.read": "read tax reports",
    "app.connections": "list and end the app's connections, without a user",
}

_SALES: Final = (
    "accounting.contacts", "accounting.invoices", "accounting.payments", "accounting.settings.read",
)  # fmt: skip
_REPORTS: Final[Mapping[str, str]] = {
    "aged reports": "aged",
    "balance sheet": "balancesheet",
    "bank summary": "banksummary",
    "budget summary": "budgetsummary",
    "executive summary": "executivesummary",
    "profit and loss": "profitandloss",
    "tax reports": "taxreports",
    "trial balance": "trialbalance",
}

FEATURES: Final[Mapping[str, tuple[str, ...]]] = {
    "receivables": _SALES,
    "payables": (*_SALES, "accounting.attachments"),
    "card spend": ("accounting.banktransactions", "accounting.settings.read"),
    "clearing balance": ("accounting.reports.trialbalance.read",),
    "account set-up": ("accounting.settings",),
    "read only": (
        "accounting.contacts.read", "accounting.invoices.read", "accounting.payments.read",
        "accounting.banktransactions.read", "accounting.settings.read",
    ),
    "contacts": ("accounting.contacts",),
    "invoices": ("accounting.invoices",),
    "payments": ("accounting.payments",),
    "bank transactions": ("accounting.banktransactions",),
    "manual journals": ("accounting.manualjournals",),
    "items": ("accounting.settings",),
    "attachments": ("accounting.attachments",),
    "budgets": ("accounting.budgets.read",),
    "journals": ("accounting.journals.read",),
    "reports": tuple(f"accounting.reports.{report}.read" for report in _REPORTS.values()),
    **{name: (f"accounting.reports.{report}.read",) for name, report in _REPORTS.items()},
    "sign in": ("openid", "profile", "email"),
}  # fmt: skip
"""What an app may do, and the scopes each needs. ``items`` are Xero's settings, whatever its pages say (F 1.47)."""

_BROAD: Final[Mapping[str, tuple[str, ...]]] = {
    "accounting.transactions": (
        "accounting.invoices", "accounting.payments", "accounting.banktransactions", "accounting.manualjournals",
    ),
    "accounting.transactions.read": (
        "accounting.invoices.read", "accounting.payments.read", "accounting.banktransactions.read",
        "accounting.manualjournals.read",
    ),
    "accounting.reports.read": FEATURES["reports"],
}  # fmt: skip


def scopes_for(*features: str, custom_connection: bool = False) -> tuple[str, ...]:
    """
    The least scopes for *features*, names out of `FEATURES`, all granular.

    ``offline_access``, without which the user must connect again every 30 minutes (F 1.16), is always among them, but
    for a *custom_connection*, which has no user. Raises `InvalidInput` for an unknown feature.
    """
    return tuple(need.scope for need in explained_scopes(*features, custom_connection=custom_connection))


def explained_scopes(*features: str, custom_connection: bool = False) -> tuple[ScopeNeed, ...]:
    """The scopes of `scopes_for`, each with what it allows and who needs it. Raises `InvalidInput`."""
    for feature in features:
        _check_feature(feature)
    if not features:
        raise InvalidInput("features", f"name at least one of {', '.join(FEATURES)}")
    needed = {scope for feature in features for scope in FEATURES[feature]}
    if custom_connection and needed & {"openid", "profile", "email"}:
        raise InvalidInput("features", "nobody signs in over a custom connection: leave out 'sign in'")
    least = {scope for scope in needed if _writing(scope) not in needed}
    if not custom_connection:
        least.add("offline_access")
    return tuple(
        ScopeNeed(scope, allows, _needing(scope, features)) for scope, allows in _ALLOWS.items() if scope in least
    )


def _check_feature(feature: object) -> None:
    if not isinstance(feature, str) or feature not in FEATURES:
        raise InvalidInput("features", f"there is no such one; choose among {', '.join(FEATURES)}")


def missing_scopes(tokens: Tokens, *features: str) -> tuple[str, ...]:
    """
    The scopes that *features* need and *tokens* lack; none is missing when empty.

    A writing scope covers the reading one, a broad one those that replace it while it lasts (`broad_scopes`). More
    scopes come only with another consent (F 1.23). Raises `InvalidInput` for an unknown feature.
    """
    covered = _covered(tokens.scopes)
    custom = tokens.grant_type == "client_credentials"
    return tuple(scope for scope in scopes_for(*features, custom_connection=custom) if scope not in covered)


def broad_scopes(tokens: Tokens) -> tuple[str, ...]:
    """The scopes of *tokens* that end on `BROAD_SCOPES_END`; before then the user must consent anew (F 8.08)."""
    return tuple(scope for scope in tokens.scopes if scope in _BROAD)


def _covered(granted: Iterable[str]) -> set[str]:
    covered = set(granted)
    for scope in tuple(covered):
        covered.update(_BROAD.get(scope, ()))
    return covered | {f"{scope}.read" for scope in covered if not scope.endswith(".read")}


def _writing(scope: str) -> str:
    return scope.removesuffix(".read") if scope.endswith(".read") else ""


def _needing(scope: str, features: Iterable[str]) -> tuple[str, ...]:
    named = tuple(dict.fromkeys(features))
    if scope == "offline_access":
        return named
    return tuple(feature for feature in named if {scope, f"{scope}.read"} & {*FEATURES[feature]})
