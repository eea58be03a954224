"""What the bank tells of collections, as settlements: the product's own business, which knows nothing of Xero."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from host_app.models import Collection, Company, Settlement, SettlementLine
from xerosync import LineKind, Money, TransactionStatus

FEE_EACH: Final = "0.35"

_STATUS: Final = {
    LineKind.COLLECTED: TransactionStatus.APPROVED,
    LineKind.DECLINED: TransactionStatus.DECLINED,
    LineKind.CHARGED_BACK: TransactionStatus.CHARGED_BACK,
    LineKind.REFUNDED: TransactionStatus.APPROVED,
}


def settle(
    rows: Session, company: Company, collections: Sequence[Collection], *, kind: LineKind, on: date
) -> Settlement:
    """A settlement of *collections*, which all came in or were all declined, *on* that day."""
    made = _settlement(rows, company, on)
    for place, each in enumerate(collections, start=1):
        _line(made, place, each, kind, each.amount)
    if kind is LineKind.COLLECTED:
        made.fee = Money.total([Money(FEE_EACH, company.currency)] * len(collections), company.currency)
    rows.flush()
    return made


def take_back(
    rows: Session, company: Company, collection: Collection, *, kind: LineKind, amount: Money, on: date
) -> Settlement:
    """A settlement of what was charged back, or refunded, *on* that day."""
    made = _settlement(rows, company, on)
    _line(made, 1, collection, kind, amount)
    rows.flush()
    return made


def _settlement(rows: Session, company: Company, on: date) -> Settlement:
    count = rows.scalar(select(func.count()).select_from(Settlement).filter_by(company=company.id)) or 0
    made = Settlement(id=f"{on:%Y-%m-%d} no. {count + 1}", company=company.id, on=on, lines=[])
    rows.add(made)
    return made


def _line(settlement: Settlement, place: int, collection: Collection, kind: LineKind, amount: Money) -> None:
    line_id = f"{settlement.id}, line {place}"
    collection.status = _STATUS[kind]
    settlement.lines.append(SettlementLine(id=line_id, collection=collection, kind=kind, amount=amount))
