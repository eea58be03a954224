"""A settlement as the host has it: what a day's collections brought in, what was taken back, what it cost."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from attrs import evolve, field, frozen

from xerosync.arguments import fields_checked
from xerosync.errors import InvalidInput
from xerosync.mapping.declines import DeclineReason, decline_reason
from xerosync.mapping.documents import check_day, check_written_day
from xerosync.mapping.lines import LONGEST
from xerosync.money import Money
from xerosync.tables import Tabular
from xerosync.texts import check_id, check_text

ONE_CURRENCY: Final = (
    "give all amounts of one settlement in one currency, and what lines in another made there: settled=…"
)
"""What to do about amounts of several currencies in one settlement."""
TAKEN: Final = ("fees/", "payout/", "surplus/", "charged back/")
"""What no line's id may begin with: what is posted besides payments is known by such names."""
FEES: Final = "Fees"
"""What a fee is for unless it is described."""


class LineKind(StrEnum):
    """What a settlement's line says happened to a transaction."""

    COLLECTED = "collected"
    """Money came in for it."""
    DECLINED = "declined"
    """Nothing came in: its invoice stays as it is (R33). A late failure, whose money had come in, is `CHARGED_BACK`."""
    CHARGED_BACK = "charged back"
    """What was collected for it was taken back, all or one payment of it: its invoice is open again."""
    REINSTATED = "reinstated"
    """What was charged back came in again: the dispute was won."""
    REFUNDED = "refunded"
    """The host gave money back, all or a part: the sale is smaller, its invoice stays settled."""


FAILED: Final = frozenset({LineKind.DECLINED, LineKind.CHARGED_BACK})
"""What may have a reason, and cost a fee of its own."""
ATTEMPTS: Final = frozenset({LineKind.COLLECTED, LineKind.DECLINED})
"""What says that a payer's account was asked."""


def _kind(value: LineKind | str) -> LineKind:
    if type(value) is LineKind:
        return value
    # A plain text is no member: taken as it is, "collected" would be read as a charge-back.
    try:
        return LineKind(value)
    except ValueError:
        raise InvalidInput("kind", f"give one of {', '.join(LineKind)}") from None


@frozen(kw_only=True, repr=False, field_transformer=fields_checked)
class Fee:
    """
    What collecting cost: *amount* with its tax, negative where a fee was given back.

    *account* is the code of its expense account, the story's ``fee_account`` unless given; *tax_type* as Xero names it,
    no tax unless given.
    """

    amount: Money
    description: str = FEES
    account: str | None = None
    tax_type: str | None = None

    def __repr__(self) -> str:
        return "<Fee>"


@frozen(kw_only=True, repr=False, field_transformer=fields_checked)
class SettlementLine:
    """
    One line: *id* is the host's own, never used twice, and makes the payment known again; it begins with none of
    `TAKEN`. *transaction* is the transaction's id.

    *amount* is positive: what was collected, or what a charge-back took. A charge-back takes back all that is left of
    what was collected for the transaction, or one of its payments: that of the line *of*, else the newest of its
    amount. A refund may give back a part. *settled* is what it made, or cost, in the settlement's currency, where the
    invoice's is another.

    *reason* is why it was declined or charged back, one of `DeclineReason` or the bank's own code, which should hold no
    personal data; *fee* what that cost, besides the settlement's own fees. *agreed_anew* says that the payer agreed to
    this attempt after an earlier one was declined. Raises `InvalidInput` where *settled* is of the invoice's currency,
    and for an *of*, a *reason*, a *fee* or an *agreed_anew* of a line of another kind.
    """

    id: str
    transaction: str
    amount: Money
    kind: LineKind = field(default=LineKind.COLLECTED, converter=_kind)
    settled: Money | None = None
    of: str = ""
    reason: DeclineReason | None = field(default=None, converter=decline_reason)
    fee: Fee | None = None
    agreed_anew: bool = False

    def __attrs_post_init__(self) -> None:
        if self.kind not in FAILED and (self.reason is not None or self.fee is not None):
            name = "reason" if self.reason is not None else "fee"
            raise InvalidInput(name, "leave it out: only what was declined or charged back has one")
        if self.agreed_anew and self.kind not in ATTEMPTS:
            raise InvalidInput("agreed_anew", "leave it out: only what was collected or declined was an attempt")
        if self.of and self.kind is not LineKind.CHARGED_BACK:
            raise InvalidInput("of", "leave it out: only a charge-back takes back what another line brought in")
        if self.settled is not None and self.settled.currency == self.amount.currency:
            raise InvalidInput("settled", "leave it out where the settlement is in the invoice's own currency")

    @property
    def moved(self) -> Money:
        """What it moved in the settlement's currency."""
        return self.amount if self.settled is None else self.settled

    def __repr__(self) -> str:
        return f"<SettlementLine {self.id} {self.kind}>"


@frozen(kw_only=True, repr=False, field_transformer=fields_checked)
class Adjustment:
    """What else changed the net: *amount* above zero came in besides, below zero was kept; *account* says what for."""

    amount: Money
    description: str
    account: str
    tax_type: str | None = None

    def __repr__(self) -> str:
        return "<Adjustment>"


@frozen(kw_only=True, repr=False, field_transformer=fields_checked)
class Settlement:
    """
    What one settlement of the host holds, on the day *on*: *lines*, *fees*, *adjustments*, and *reserve*, what was held
    back (below zero: given back).

    *net* is what the provider says that it pays out. Where it is given, it must be the sum of the rest, to the cent.
    *paid_out_on* is the day it reached the bank account, or left it when it is negative; until then it is in flight.

    All of it is in the clearing account's currency. *rate* is units of that for one of the organisation's own, where
    they differ: Xero's of the day unless given (F 6.70). Raises `InvalidInput` for one that is not above zero.
    """

    id: str
    on: date
    lines: tuple[SettlementLine, ...] = field(converter=tuple[SettlementLine, ...])
    fees: tuple[Fee, ...] = field(default=(), converter=tuple[Fee, ...])
    adjustments: tuple[Adjustment, ...] = field(default=(), converter=tuple[Adjustment, ...])
    reserve: Money | None = None
    net: Money | None = None
    paid_out_on: date | None = None
    rate: Decimal | None = None

    def __attrs_post_init__(self) -> None:
        check_day("on", self.on)
        check_written_day("on", self.on)
        if self.rate is not None and self.rate <= 0:
            raise InvalidInput("rate", "give units of the settlement's currency for one of the organisation's own")
        if self.paid_out_on is not None:
            check_day("paid_out_on", self.paid_out_on)
            check_written_day("paid_out_on", self.paid_out_on)

    @property
    def all_fees(self) -> tuple[Fee, ...]:
        """Its fees, and those that its lines carry, each told by its line's reason unless it is described."""
        return (*self.fees, *(_of_line(line, line.fee) for line in self.lines if line.fee is not None))

    @property
    def proof(self) -> SettlementProof:
        """The sum of the settlement, part by part. Raises `InvalidInput` for amounts of several currencies, or none."""
        parts = [line.moved for line in self.lines if line.kind is not LineKind.DECLINED]
        parts += [fee.amount for fee in self.all_fees]
        parts += [each.amount for each in self.adjustments]
        parts += [each for each in (self.reserve, self.net) if each is not None]
        parts = parts or [line.moved for line in self.lines[:1]]  # nothing moved
        if not parts:
            raise InvalidInput("lines", "give at least one line, fee or adjustment")
        currency = parts[0].currency
        if any(each.currency != currency for each in parts):
            raise InvalidInput("currency", ONE_CURRENCY)

        def total(*kinds: LineKind) -> Money:
            return Money.total((line.moved for line in self.lines if line.kind in kinds), currency)

        return SettlementProof(
            gross=total(LineKind.COLLECTED, LineKind.REINSTATED),
            returned=total(LineKind.CHARGED_BACK, LineKind.REFUNDED),
            fees=Money.total((fee.amount for fee in self.all_fees), currency),
            reserve=self.reserve or Money.zero(currency),
            adjustments=Money.total((each.amount for each in self.adjustments), currency),
        )

    def __repr__(self) -> str:
        return f"<Settlement {self.id} of {len(self.lines)} lines>"


@frozen(kw_only=True, repr=False)
class SettlementProof(Tabular):
    """Where a settlement's *net* comes from: gross − returned − fees − reserve + adjustments."""

    gross: Money
    returned: Money
    fees: Money
    reserve: Money
    adjustments: Money

    @property
    def net(self) -> Money:
        """What is left of the gross, and is paid out; negative when more went back than came in."""
        return self.gross - self.returned - self.fees - self.reserve + self.adjustments

    def rows(self) -> list[dict[str, str]]:
        """The sum line by line, for a table. Rows hold amounts: mind where they are shown."""
        signed = {
            "gross": self.gross,
            "returned": -self.returned,
            "fees": -self.fees,
            "reserve": -self.reserve,
            "adjustments": self.adjustments,
            "net": self.net,
        }
        return [{"what": what, "amount": str(amount)} for what, amount in signed.items() if amount or what == "net"]

    def __str__(self) -> str:
        return "\n".join(f"{row['what']:<12}{row['amount']:>20}" for row in self.rows())

    def __repr__(self) -> str:
        return "<SettlementProof>"


def checked_settlements(settlements: Iterable[Settlement]) -> list[Settlement]:
    """
    *settlements* by day, each proven to the cent.

    Raises `InvalidInput` for an amount that cannot be, a net that is not the sum of the rest, and an id used twice, or
    one that begins as the names of what is posted besides payments do.
    """
    ordered = sorted(settlements, key=lambda settlement: (settlement.on, settlement.id))
    seen: set[str] = set()
    for settlement in ordered:
        for line in settlement.lines:
            check_id("id", line.id)
            if line.id.startswith(TAKEN):
                raise InvalidInput("id", f"give the line an id that begins with none of {', '.join(TAKEN)}")
            check_id("transaction", line.transaction)
            if line.id in seen:
                raise InvalidInput("id", "give each settlement line an id of its own")
            seen.add(line.id)
            if any(each.amount <= 0 or not each.to_the_cent for each in (line.amount, line.moved)):
                raise InvalidInput("amount", "give a positive amount, to the currency's smallest coin")
    whole = [settlement for settlement in ordered if is_more_than_lines(settlement)]
    if len({settlement.id for settlement in whole} - {""}) != len(whole):
        raise InvalidInput("id", "give each settlement an id of its own: it makes its fees and its payout known again")
    for settlement in whole:
        _check_texts(settlement)
        _check_sum(settlement)
    return ordered


def _of_line(line: SettlementLine, fee: Fee) -> Fee:
    if fee.description != FEES:
        return fee
    why = f": {line.reason.words}" if line.reason is not None else ""
    return evolve(fee, description=f"{FEES}, {line.kind}{why}")


def is_more_than_lines(settlement: Settlement) -> bool:
    """Whether *settlement* says more than what happened to its transactions: costs, a reserve, a payout."""
    besides = (settlement.reserve, settlement.net, settlement.paid_out_on)
    return bool(settlement.all_fees or settlement.adjustments) or any(each is not None for each in besides)


def _check_texts(settlement: Settlement) -> None:
    check_id("id", settlement.id)
    parts: list[Fee | Adjustment] = [*settlement.all_fees, *settlement.adjustments]
    for part in parts:
        check_text("description", part.description, longest=LONGEST["description"])
        check_text("account", part.account or "")
        check_text("tax_type", part.tax_type or "")


def _check_sum(settlement: Settlement) -> None:
    proof = settlement.proof
    if not all(each.to_the_cent for each in (proof.fees, proof.reserve, proof.adjustments)):
        raise InvalidInput("amount", "give amounts to the currency's smallest coin")
    if settlement.net is not None and settlement.net != proof.net:
        remedy = "it is not gross − returned − fees − reserve + adjustments: compare with the settlement's proof"
        raise InvalidInput("net", remedy)
