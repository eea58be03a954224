"""``status`` and ``doctor``: how it stands with the organisations of a store."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from attrs import frozen

from xerosync.client.connections import Connections, ConnectionSummary
from xerosync.doctor import Check, Doctor
from xerosync.engine.actions import BILL_PAYMENT, MoveMoney, Pay, PayBatch, Refund, Transfer
from xerosync.engine.intents import Intent, read_intent, text_at
from xerosync.errors import InvalidInput, Misconfigured, StoreFailed
from xerosync.fleet import Fleet, FleetStatus, finding_row
from xerosync.storage.sqlite import SQLiteStore
from xerosync.testing.sandbox import kept_clock, kept_connection

Row = dict[str, object]

_PAGE: Final = 1000
_MOVING: Final = (Pay.kind, PayBatch.kind, Refund.kind, MoveMoney.kind, Transfer.kind)
"""The kinds of write that name the account that money moves through."""


def status(store: Path, organisation: str | None, xero: str | None) -> FleetStatus:
    """
    How it stands with each organisation of *store*, or the one asked for. Nothing is asked of Xero.

    Raises `StoreFailed` for a file that is no store, `InvalidInput` for an organisation that it does not know, and
    `Misconfigured` where it knows none.
    """
    with closing(_opened(store)) as kept:
        chosen = None if organisation is None else [organisation]
        clock = None if xero is not None else kept_clock(store)
        found = Fleet(kept, clock=clock).status(chosen)
        if not found.organisations:
            raise _none_known()
        return found


def examined(store: Path, organisation: str | None, xero: str | None) -> list[tuple[ConnectionSummary, Check]]:
    """
    Every check of the connection to each organisation of *store*, or the one asked for, with what is known of it.

    What the store says was done there says what is needed: sales' payments a clearing account, bills a payment account.
    Raises as `status` does, and `Misconfigured` where there is no Xero to ask.
    """
    with closing(_opened(store)) as kept:
        wanted = [(each, _use_of(kept, each.organisation)) for each in _connected(kept, organisation)]
    found: list[tuple[ConnectionSummary, Check]] = []
    for each, use in wanted:
        with kept_connection(store, each.organisation, xero=xero) as client:
            doctor = Doctor(client, features=use.features, clearing_account=use.clearing, payment_account=use.paid_from)
            found += [(each, check) for check in doctor.examine()]
    return found


def check_row(tenant: str, check: Check) -> Row:
    """What JSON tells of a check."""
    return {
        "organisation": tenant,
        "name": check.name,
        "passed": check.passed,
        "looked": check.looked,
        "note": check.note,
        "findings": [finding_row(each) for each in check.findings],
    }


@frozen
class _Use:
    """What was done in an organisation: by which features, and through which accounts."""

    features: tuple[str, ...]
    clearing: str | None
    paid_from: str | None


def _opened(path: Path) -> SQLiteStore:
    # SQLite would make a store of a file without a byte in it.
    if not path.is_file() or not path.stat().st_size:
        raise StoreFailed(f"There is no store {path}: check its name.")
    try:
        return SQLiteStore(path)
    except sqlite3.Error as error:
        raise StoreFailed(f"The store {path} cannot be opened: SQLite says: {error}.") from error


def _connected(kept: SQLiteStore, organisation: str | None) -> Sequence[ConnectionSummary]:
    found = Connections(kept).list()
    if organisation is None:
        if not found:
            raise _none_known()
        return found
    wanted = organisation.strip().lower()
    asked = [each for each in found if wanted in {each.organisation, each.company.lower()}]
    if not asked:
        raise InvalidInput("organisation", "the store knows no such organisation: give the id that status shows")
    return asked


def _none_known() -> Misconfigured:
    return Misconfigured("the store knows no organisation: connect one first")


def _use_of(kept: SQLiteStore, tenant: str) -> _Use:
    # Keys are hashes, so the first page is a fair sample; what was written last says what is in use now.
    sample = [each for kind in _MOVING for each in kept.query("intent", tenant, lookup=("kind", kind), limit=_PAGE)]
    written = [read_intent(record) for record in sorted(sample, key=lambda each: each.changed)]
    # A batch that Xero refused, or that is still open, is not there payment by payment.
    moved = [one for each in written for one in each.as_single() or [each]]
    of_bills = [each for each in moved if each.operation.host_ref.startswith(BILL_PAYMENT)]
    others = [each for each in moved if not each.operation.host_ref.startswith(BILL_PAYMENT)]
    of_sales = [each for each in others if _is_of_a_sale(each)]
    sells = bool(of_sales) or bool(kept.query("link", tenant, states=["transaction"], limit=1))
    buys = bool(of_bills) or bool(kept.query("intent", tenant, lookup=("kind", "bill"), limit=1))
    features = (*(["receivables", "clearing balance"] if sells else []), *(["payables"] if buys else []))
    return _Use(features, _last_account(of_sales), _last_account(of_bills))


def _is_of_a_sale(moved: Intent) -> bool:
    """Whether what *moved* money is a payment of a sale, or stands for something else of a settlement."""
    return moved.operation.kind == Pay.kind or "settlement" in moved.facts


def _last_account(moved: Sequence[Intent]) -> str | None:
    """The account that money moved through last; what people typed and was taken over, or held back, says none."""
    named = (each.facts.get("account") or text_at(each.payload, "Account", "AccountID") for each in reversed(moved))
    return next(filter(None, named), None)
