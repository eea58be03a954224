"""What every entity of the books stands on: no id, no amount, and instants as whole milliseconds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

ZERO: Final = Decimal("0.00")
NO_ID: Final = "00000000-0000-0000-0000-000000000000"
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def instant(ms: int) -> datetime:
    """The instant *ms* milliseconds after 1970, aware, in UTC."""
    return EPOCH + timedelta(milliseconds=ms)


def milliseconds(moment: datetime) -> int:
    """The whole milliseconds from 1970 to *moment*."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The sum of *amounts*, with two places even when there are none."""
    return sum(amounts, start=ZERO)
