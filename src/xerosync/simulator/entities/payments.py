"""Payments and allocations."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from decimal import Decimal

from attrs import frozen

from xerosync.simulator.entities.base import instant


@frozen
class Payment:
    """Money against a document: *amount* in its currency, *bank_amount* in the account's. DELETED ones stay."""

    id: str
    document_id: str
    account_id: str
    date: dt.date
    amount: Decimal
    bank_amount: Decimal
    rate: Decimal
    type: str
    updated_ms: int
    reference: str = ""
    status: str = "AUTHORISED"
    is_reconciled: bool = False
    made_by: str = ""
    batch_id: str = ""

    @property
    def updated(self) -> datetime:
        """UpdatedDateUTC."""
        return instant(self.updated_ms)


@frozen
class Allocation:
    """Part of a credit note, an overpayment or a prepayment, set against an invoice of the same contact."""

    id: str
    credit_id: str
    invoice_id: str
    amount: Decimal
    date: dt.date
    updated_ms: int
