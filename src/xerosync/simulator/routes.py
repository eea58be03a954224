"""The table of what can be called, from the rows that every resource brings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from xerosync.simulator.given import dashed
from xerosync.simulator.refusals import NotServed, NotThere
from xerosync.simulator.resources import (
    accounts,
    attachments,
    bank_transactions,
    bank_transfers,
    batch_payments,
    contact_groups,
    contacts,
    credit_notes,
    email,
    history,
    invoices,
    items,
    linked_transactions,
    manual_journals,
    organisations,
    over_and_prepayments,
    payments,
    purchase_orders,
    quotes,
    reports,
    settings,
    tax_rates,
    tracking_categories,
)
from xerosync.simulator.resources.route import Route

ROUTES: Final = (
    *accounts.ROUTES,
    *attachments.ROUTES,
    *bank_transactions.ROUTES,
    *bank_transfers.ROUTES,
    *over_and_prepayments.ROUTES,
    *batch_payments.ROUTES,
    *contact_groups.ROUTES,
    *contacts.ROUTES,
    *credit_notes.ROUTES,
    *email.ROUTES,
    *history.ROUTES,
    *items.ROUTES,
    *invoices.ROUTES,
    *linked_transactions.ROUTES,
    *manual_journals.ROUTES,
    *organisations.ROUTES,
    *payments.ROUTES,
    *purchase_orders.ROUTES,
    *quotes.ROUTES,
    *reports.ROUTES,
    *settings.ROUTES,
    *tracking_categories.ROUTES,
    *tax_rates.ROUTES,
)


def _plurals(routes: Iterable[Route]) -> dict[str, str]:
    """Every name of a path under its singular; the two are one path to Xero (F 4.43)."""
    names = {part for route in routes for part in route.path if part != "{}"}
    return {singular(name): name for name in names if name.endswith("s")}


def singular(name: str) -> str:
    """A plural *name* in the singular."""
    return f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")


def _by_start(routes: Iterable[Route]) -> dict[tuple[str, int], list[Route]]:
    """The routes by the first name of their path and its length."""
    found: dict[tuple[str, int], list[Route]] = {}
    for route in routes:
        found.setdefault((route.path[0], len(route.path)), []).append(route)
    return found


_PLURAL: Final = _plurals(ROUTES)
_BY_START: Final = _by_start(ROUTES)
# What the published specification has beyond the table: answered as not implemented, not as unknown.
_NOT_SERVED: Final = frozenset({
    "budgets", "expenseclaims", "invoicereminders", "journals", "paymentservices", "receipts", "repeatinginvoices",
    "setup",
})  # fmt: skip
_REPORTS_NOT_SERVED: Final = frozenset({
    "balancesheet", "budgetsummary", "executivesummary", "profitandloss", "tenninetynine",
})  # fmt: skip


def find(parts: list[str]) -> tuple[Route, tuple[str, ...]]:
    """The route of a path below ``/api.xro/2.0/`` and the ids in it. Raises `NotThere`, or `NotServed`."""
    return _found(tuple(parts))


@lru_cache(maxsize=1024)
def _found(parts: tuple[str, ...]) -> tuple[Route, tuple[str, ...]]:
    names = [_PLURAL.get(part.lower(), part.lower()) for part in parts]
    for route in _BY_START.get((names[0], len(names)), ()) if names else ():
        if all(pattern in {"{}", name} for pattern, name in zip(route.path, names, strict=True)):
            return route, tuple(_ids(route.path, parts))
    if names and (names[0] in _NOT_SERVED or names[-1] in _REPORTS_NOT_SERVED | {"cissettings"}):
        raise NotServed
    raise NotThere


def _ids(path: tuple[str, ...], parts: tuple[str, ...]) -> Iterator[str]:
    """The ids in *parts* with their dashes; the name of a file stays as it is."""
    for before, pattern, part in zip(("", *path), path, parts, strict=False):
        if pattern == "{}":
            yield part if before == "attachments" else dashed(part)
