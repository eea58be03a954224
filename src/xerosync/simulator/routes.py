"""The table of what can be called: path, verbs, and the scopes each needs (F 1.44, 1.45)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from attrs import frozen

from xerosync.simulator.refusals import NotThere, WrongVerb
from xerosync.simulator.resources import (
    accounts,
    contacts,
    credit_notes,
    invoices,
    organisations,
    payments,
    reports,
    tax_rates,
)
from xerosync.simulator.resources.call import Answer, Call

Plain: TypeAlias = Callable[[Call], Answer]
ById: TypeAlias = Callable[[Call, str], Answer]
ByTwoIds: TypeAlias = Callable[[Call, str, str], Answer]


@frozen
class Route:
    """One path and its verbs. *scope* is granular; *broad* is the older scope that covers it too."""

    path: tuple[str, ...]
    scope: str
    broad: str
    plain: Mapping[str, Plain] = {}
    by_id: Mapping[str, ById] = {}
    by_two_ids: Mapping[str, ByTwoIds] = {}

    def allows(self, scopes: str, method: str) -> bool:
        """Whether a token of *scopes* may call it with *method*; reading needs the read half only."""
        held = set(scopes.split())
        wanted = {self.scope, self.broad}
        if method == "GET":
            wanted |= {f"{scope}.read" for scope in wanted if not scope.endswith(".read")}
        return bool(held & wanted)

    def run(self, call: Call, ids: tuple[str, ...]) -> Answer:
        """Answer *call* for the *ids* of its path. Raises `WrongVerb`."""
        if len(ids) == 0 and call.method in self.plain:
            return self.plain[call.method](call)
        if len(ids) == 1 and call.method in self.by_id:
            return self.by_id[call.method](call, ids[0])
        if len(ids) == 2 and call.method in self.by_two_ids:
            return self.by_two_ids[call.method](call, ids[0], ids[1])
        raise WrongVerb


_TRANSACTIONS: Final = "accounting.transactions"
_SETTINGS: Final = "accounting.settings"
_INVOICES: Final = "accounting.invoices"
_CONTACTS: Final = "accounting.contacts"
_PAYMENTS: Final = "accounting.payments"

ROUTES: Final = (
    Route(("organisations",), _SETTINGS, _SETTINGS, plain={"GET": organisations.get_one}),
    Route(("organisations", "actions"), _SETTINGS, _SETTINGS, plain={"GET": organisations.get_actions}),
    Route(("accounts",), _SETTINGS, _SETTINGS, plain={"GET": accounts.get_many, "PUT": accounts.create}),
    Route(
        ("accounts", "{}"),
        _SETTINGS,
        _SETTINGS,
        by_id={"GET": accounts.get_one, "POST": accounts.update, "DELETE": accounts.delete},
    ),
    Route(("taxrates",), _SETTINGS, _SETTINGS, plain={"GET": tax_rates.get_many}),
    Route(
        ("contacts",),
        _CONTACTS,
        _CONTACTS,
        plain={"GET": contacts.get_many, "PUT": contacts.create, "POST": contacts.save},
    ),
    Route(("contacts", "{}"), _CONTACTS, _CONTACTS, by_id={"GET": contacts.get_one, "POST": contacts.update}),
    Route(
        ("invoices",),
        _INVOICES,
        _TRANSACTIONS,
        plain={"GET": invoices.get_many, "PUT": invoices.create, "POST": invoices.save},
    ),
    Route(("invoices", "{}"), _INVOICES, _TRANSACTIONS, by_id={"GET": invoices.get_one, "POST": invoices.update}),
    Route(
        ("creditnotes",),
        _INVOICES,
        _TRANSACTIONS,
        plain={"GET": credit_notes.get_many, "PUT": credit_notes.create, "POST": credit_notes.save},
    ),
    Route(
        ("creditnotes", "{}"),
        _INVOICES,
        _TRANSACTIONS,
        by_id={"GET": credit_notes.get_one, "POST": credit_notes.update},
    ),
    Route(
        ("creditnotes", "{}", "allocations"),
        _INVOICES,
        _TRANSACTIONS,
        by_id={"GET": credit_notes.get_allocations, "PUT": credit_notes.allocate},
    ),
    Route(
        ("creditnotes", "{}", "allocations", "{}"),
        _INVOICES,
        _TRANSACTIONS,
        by_two_ids={"DELETE": credit_notes.unallocate},
    ),
    Route(
        ("payments",),
        _PAYMENTS,
        _TRANSACTIONS,
        plain={"GET": payments.get_many, "PUT": payments.create, "POST": payments.create},
    ),
    Route(("payments", "{}"), _PAYMENTS, _TRANSACTIONS, by_id={"GET": payments.get_one, "POST": payments.remove}),
    Route(
        ("reports", "trialbalance"),
        "accounting.reports.trialbalance.read",
        "accounting.reports.read",
        plain={"GET": reports.get_trial_balance},
    ),
)
# Singular and plural are the same path to Xero (F 4.43).
_PLURAL: Final = {
    "organisation": "organisations", "account": "accounts", "taxrate": "taxrates", "contact": "contacts",
    "invoice": "invoices", "creditnote": "creditnotes", "payment": "payments", "report": "reports",
    "allocation": "allocations",
}  # fmt: skip


def find(parts: list[str]) -> tuple[Route, tuple[str, ...]]:
    """The route of a path below ``/api.xro/2.0/`` and the ids in it. Raises `NotThere`."""
    names = [_PLURAL.get(part.lower(), part.lower()) for part in parts]
    for route in ROUTES:
        if len(route.path) == len(names) and all(
            pattern in {"{}", name} for pattern, name in zip(route.path, names, strict=True)
        ):
            return route, tuple(part for pattern, part in zip(route.path, parts, strict=True) if pattern == "{}")
    raise NotThere
