"""Manual journals: what an accountant posts line by line."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from decimal import Decimal

from attrs import frozen

from xerosync.simulator.entities.base import instant


@frozen
class JournalLine:
    """One line of a manual journal: *amount* in base currency, debits positive; tax stands beside it, or inside."""

    account_id: str
    amount: Decimal
    tax_type: str
    tax: Decimal
    description: str = ""
    tracking: tuple[tuple[str, str], ...] = ()


@frozen
class ManualJournal:
    """A manual journal; only a POSTED one stands in the ledger."""

    id: str
    narration: str
    date: dt.date
    status: str
    line_amount_types: str
    lines: tuple[JournalLine, ...]
    updated_ms: int
    url: str = ""
    on_cash_basis: bool = True

    @property
    def updated(self) -> datetime:
        """UpdatedDateUTC."""
        return instant(self.updated_ms)
