"""Why a collection was declined, and whether it may be tried again: pure, and open to whatever a bank may say."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from attrs import field, frozen

from xerosync.arguments import fields_checked, fits
from xerosync.errors import InvalidInput
from xerosync.models.base import OpenEnum
from xerosync.money import Money
from xerosync.texts import check_text

_LONGEST: Final = 60


class DeclineReason(OpenEnum):
    """
    Why nothing came in, or what had come in was taken back (R37).

    Banks and networks have more reasons than these: a code that is not here is kept, and told, as it is.
    """

    NSF = "nsf"
    """The account does not hold enough."""
    ACCOUNT_CLOSED = "account closed"
    ACCOUNT_FROZEN = "account frozen"
    ACCOUNT_NOT_FOUND = "account not found"
    NO_AGREEMENT = "no agreement"
    """The payer never agreed to be collected from."""
    AGREEMENT_ENDED = "agreement ended"
    """The payer took the agreement back."""
    NOT_AS_AGREED = "not as agreed"
    """The amount or the day is another than the agreement says."""
    STOPPED = "stopped"
    """The payer told the bank not to pay."""
    DISPUTED = "disputed"
    """The payer says that it was not owed."""
    RECALLED = "recalled"
    """Whoever sent it took it back before it was done."""

    @property
    def words(self) -> str:
        """It in plain words; what is not known here, as it was given."""
        return _WORDS.get(self, self.value)

    @property
    def carries_fee(self) -> bool:
        """Whether providers usually charge for it. What it came to is theirs to say: give it as the line's ``fee``."""
        return self in _WORDS and self != DeclineReason.RECALLED


_WORDS: Final[Mapping[str, str]] = {
    DeclineReason.NSF: "not sufficient funds",
    DeclineReason.ACCOUNT_CLOSED: "the account is closed",
    DeclineReason.ACCOUNT_FROZEN: "the account is frozen",
    DeclineReason.ACCOUNT_NOT_FOUND: "there is no such account",
    DeclineReason.NO_AGREEMENT: "the payer has not agreed",
    DeclineReason.AGREEMENT_ENDED: "the payer ended the agreement",
    DeclineReason.NOT_AS_AGREED: "not on the agreement's terms",
    DeclineReason.STOPPED: "the payer stopped it",
    DeclineReason.DISPUTED: "the payer disputes it",
    DeclineReason.RECALLED: "recalled before it was done",
}


def decline_reason(value: DeclineReason | str | None) -> DeclineReason | None:
    """
    The reason that *value* is, in whatever letters a known one is written; None where none is given.

    Raises `InvalidInput` for a text that cannot be told in a line.
    """
    if value is None:
        return None
    check_text("reason", value, longest=_LONGEST, needed=True)
    told = " ".join(value.split())
    return DeclineReason(told.lower() if told.lower() in _WORDS else told)


@frozen(kw_only=True, repr=False)
class Decline:
    """
    That *amount* was declined *on* a day, or taken back then, and the *reason*.

    *line* is the settlement's line that said so, blank where the state of the transaction did.
    """

    reason: DeclineReason
    on: date
    amount: Money
    line: str = ""

    def __repr__(self) -> str:
        return f"<Decline {self.reason}>"


def _reasons(value: Collection[DeclineReason | str]) -> frozenset[DeclineReason]:
    fits(value, Collection[str], "reasons")  # of one text each letter would be a reason
    return frozenset(filter(None, map(decline_reason, value)))


@frozen(kw_only=True, field_transformer=fields_checked)
class RetryPolicy:
    """
    When what was declined may be collected again: after these *reasons*, so many *times*, *within_days* of the first
    decline.

    One retry of what was not covered, within thirty days, is the rule unless you state another (R37); after any other
    reason the payer must agree anew. A decline for which no reason was given forbids nothing. Raises `InvalidInput`
    for what are no reasons, and for numbers below zero.
    """

    reasons: frozenset[DeclineReason] = field(default=frozenset({DeclineReason.NSF}), converter=_reasons)
    times: int = 1
    within_days: int = 30

    def __attrs_post_init__(self) -> None:
        for name, number in (("times", self.times), ("within_days", self.within_days)):
            fits(number, int, name)
            if number < 0:
                raise InvalidInput(name, "give a number that is not below zero")

    def forbids(self, declines: Sequence[Decline], *, retries: int, on: date) -> str:
        """Why what met *declines* may not be collected *on* that day, by so many *retries*; blank where it may."""
        if not retries or not declines:
            return ""
        for each in declines:
            if each.reason not in self.reasons:
                return f"it was declined on {each.on.isoformat()}: {each.reason.words}"
        if retries > self.times:
            return f"it was declined, and retried {_times(self.times)} already" if self.times else "it was declined"
        first = min(each.on for each in declines)
        last = first + timedelta(days=min(self.within_days, (date.max - first).days))
        return f"a retry of what was declined had to come by {last.isoformat()}" if on > last else ""


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"
