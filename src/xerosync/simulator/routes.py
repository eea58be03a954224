"""The table of what can be called, from the rows that every resource brings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from xerosync.simulator.refusals import NotThere
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
from xerosync.simulator.resources.route import Route

ROUTES: Final = (
    *accounts.ROUTES,
    *contacts.ROUTES,
    *credit_notes.ROUTES,
    *invoices.ROUTES,
    *organisations.ROUTES,
    *payments.ROUTES,
    *reports.ROUTES,
    *tax_rates.ROUTES,
)


def _plurals(routes: Iterable[Route]) -> dict[str, str]:
    """Every name of a path under its singular; the two are one path to Xero (F 4.43)."""
    names = {part for route in routes for part in route.path if part != "{}"}
    return {singular(name): name for name in names if name.endswith("s")}


def singular(name: str) -> str:
    """A plural *name* in the singular."""
    return f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")


_PLURAL: Final = _plurals(ROUTES)


def find(parts: list[str]) -> tuple[Route, tuple[str, ...]]:
    """The route of a path below ``/api.xro/2.0/`` and the ids in it. Raises `NotThere`."""
    names = [_PLURAL.get(part.lower(), part.lower()) for part in parts]
    for route in ROUTES:
        if len(route.path) == len(names) and all(
            pattern in {"{}", name} for pattern, name in zip(route.path, names, strict=True)
        ):
            return route, tuple(part for pattern, part in zip(route.path, parts, strict=True) if pattern == "{}")
    raise NotThere
