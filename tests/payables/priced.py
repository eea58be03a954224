"""Lines of whatever prices and quantities, and what they come to, worked out beside the library."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, TypeAlias

from hypothesis import strategies as st
from tests.conftest import nzd

from xerosync import BillLine
from xerosync.models import AccountCode, LineAmountTypes

Priced: TypeAlias = tuple[int, int, str]
"""A quantity, the price of one in hundredths of a cent, and a tax."""

PRICED: Final = st.lists(
    st.tuples(st.integers(1, 400), st.integers(1, 99_999), st.sampled_from(["INPUT2", "NONE"])), min_size=1, max_size=5
)
SIGNS: Final = st.sampled_from([1, -1])
_CENT: Final = Decimal("0.01")


def lines_of(priced: Sequence[Priced], amounts: LineAmountTypes, sign: int) -> list[BillLine]:
    """The lines of a paper, of one that gives something back where *sign* is negative."""
    return [
        BillLine.priced(
            description="x",
            quantity=Decimal(sign * quantity),
            unit_price=nzd(Decimal(price) / 10_000),
            account=AccountCode("429"),
            tax_type=None if amounts is LineAmountTypes.NO_TAX else tax_type,
        )
        for quantity, price, tax_type in priced
    ]


def comes_to(priced: Sequence[Priced], amounts: LineAmountTypes) -> Decimal:
    """What they come to: amount and tax of each line are rounded by themselves, as Xero does (F 5.23)."""
    total = Decimal(0)
    for quantity, price, tax_type in priced:
        amount = (quantity * Decimal(price) / 10_000).quantize(_CENT, ROUND_HALF_UP)
        total += amount
        if amounts is LineAmountTypes.EXCLUSIVE and tax_type != "NONE":
            total += (amount * 15 / 100).quantize(_CENT, ROUND_HALF_UP)
    return total
