"""A settlement as the host has it: what a day's collections brought in, and what was taken back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum

from attrs import field, frozen

from xerosync.errors import InvalidInput
from xerosync.mapping.documents import check_day
from xerosync.money import Money


class LineKind(StrEnum):
    """What a settlement's line says happened to a transaction."""

    COLLECTED = "collected"
    CHARGED_BACK = "charged back"


def _kind(value: LineKind | str) -> LineKind:
    # A plain text is no member: taken as it is, "collected" would be read as a charge-back.
    try:
        return LineKind(value)
    except ValueError:
        raise InvalidInput("kind", f"give one of {', '.join(LineKind)}") from None


@frozen(kw_only=True, repr=False)
class SettlementLine:
    """
    One line: *id* is the host's own, never used twice, and makes the payment known again; *transaction* is the
    transaction's id.

    *amount* is positive: what was collected, or what a charge-back took. A charge-back takes back all that was
    collected for the transaction.
    """

    id: str
    transaction: str
    amount: Money
    kind: LineKind = field(default=LineKind.COLLECTED, converter=_kind)

    def __repr__(self) -> str:
        return f"<SettlementLine {self.id} {self.kind}>"


@frozen(kw_only=True, repr=False)
class Settlement:
    """The lines that one settlement of the host holds, on the day *on* they were settled."""

    id: str
    on: date
    lines: tuple[SettlementLine, ...] = field(converter=tuple[SettlementLine, ...])

    def __attrs_post_init__(self) -> None:
        check_day("on", self.on)

    def __repr__(self) -> str:
        return f"<Settlement {self.id} of {len(self.lines)} lines>"


def checked_settlements(settlements: Iterable[Settlement]) -> list[Settlement]:
    """*settlements* by day. Raises `InvalidInput` for an amount that cannot be paid, or a line id used twice."""
    ordered = sorted(settlements, key=lambda settlement: (settlement.on, settlement.id))
    seen: set[str] = set()
    for settlement in ordered:
        for line in settlement.lines:
            if not line.id or line.id in seen:
                raise InvalidInput("id", "give each settlement line an id of its own")
            seen.add(line.id)
            if line.amount.amount <= 0 or not line.amount.to_the_cent:
                raise InvalidInput("amount", "give a positive amount, to the currency's smallest coin")
    return ordered
