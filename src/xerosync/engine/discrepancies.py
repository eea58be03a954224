"""Discrepancies between what should be in a clearing account and what is: each with its cause, its worth, its fixes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import ClassVar, Final, TypeAlias

from attrs import field, fields, frozen

from xerosync.engine.actions import Action, Link
from xerosync.engine.plans import Finding
from xerosync.money import Money
from xerosync.tables import plain

USUAL_CODES: Final = frozenset(
    {
        "at another rate",
        "bank transaction not posted here",
        "changed in Xero",
        "changed since posted",
        "does not fit",
        "held back",
        "kept on the account",
        "not created here",
        "not in your settlements",
        "not posted yet",
        "other movements",
        "payment not posted here",
        "payment the store does not know",
        "payout held",
        "perhaps entered twice",
        "perhaps typed by hand",
        "posted twice",
        "removed in Xero",
        "still open",
        "transfer not posted here",
        "undone",
    }
)
"""The codes that most discrepancies have; there are others, since whatever `settle` says of a line is one too."""


def meant(code: str, found: Collection[str]) -> str | None:
    """The code that a mistyped *code* stands for, by those *found* and the usual ones; None where it may be right."""
    known = USUAL_CODES.union(found)
    if code in known:
        return None
    plainly = {_plainly(each): each for each in sorted(known)}
    return next((plainly[each] for each in get_close_matches(_plainly(code), plainly, n=1, cutoff=0.85)), None)


def _plainly(code: str) -> str:
    return code.replace("_", " ").replace("-", " ").strip().casefold()


class Fix(StrEnum):
    """What may be done about a discrepancy by a plan."""

    POST = "post"
    """What is missing is posted; what carries our mark, or was typed for it, is taken over."""
    REMOVE = "remove"
    """What does not belong there is removed in Xero."""
    RESTORE = "restore"
    """What somebody removed or changed is put back as it was posted."""
    IGNORE = "ignore"
    """It is as it should be, and not told again until it changes. Nothing is written to Xero."""


@frozen(kw_only=True, repr=False)
class Discrepancy(Finding):
    """
    A finding on a clearing account. *amount* is the part of the balance that it explains, debit positive, zero where it
    moves none; *worth* is the money at stake.

    *about* is the host's id where there is one, else Xero's, *xero_id* the document's, and *link* leads to it. *part*
    is what of a settlement it is about: ``line``, ``fees`` or ``payout``, and its id; *settlement* is the id of that
    settlement, blank where there is none. *remedies* are the actions of each fix that a plan can make; *refused* are
    Xero's words where it refused to have it put back before, and nothing has changed since.
    """

    amount: Money
    xero_id: str = ""
    link: str | None = None
    part: tuple[str, str] | None = None
    settlement: str = ""
    remedies: Mapping[Fix, tuple[Action, ...]] = field(factory=dict[Fix, "tuple[Action, ...]"])
    refused: tuple[str, ...] = ()

    def is_behind(self, root: str) -> bool:
        """As `Finding.is_behind`; a line may be called as a settlement is."""
        return super().is_behind(root) and (self.part is None or self.part == ("line", self.about))

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """The fixes that a plan can make, what we would do first."""
        return tuple(self.remedies)

    def row(self) -> dict[str, object]:
        """Its line of a table: the names of its fixes stand for what they would do; what was refused is in *fix*."""
        names = [each.name for each in fields(Discrepancy) if each.name not in {"remedies", "refused"}]
        return {name: plain(getattr(self, name)) for name in (*names, "fixes")}

    @property
    def remembered(self) -> str:
        """The name under which it is remembered that this is as it should be."""
        what = f"{self.part[0]}/" if self.part is not None else ""
        return f"{self.code}/{what}{self.about}"

    def __repr__(self) -> str:
        return f"<Discrepancy {self.code}>"


@frozen(kw_only=True, repr=False)
class AcceptDiscrepancy(Link):
    """
    Remember that a discrepancy on a clearing account is as it should be; its amount *now* is among its facts.

    In a report of some days it may have another amount than in one of others: each is kept for itself, and what it is
    *called* in all of them is among the facts.
    """

    kind: ClassVar[str] = "accepted"

    @property
    def says(self) -> Said:
        """What it says is as it should be."""
        return said_by({**self.facts, "host_id": self.host_ref})


Said: TypeAlias = tuple[str, str, str]
"""What was said to be as it should be: its name, its amount, and what its document came to where that is not said."""


def said_by(link: Mapping[str, str]) -> Said:
    """What a *link* that remembers it says is as it should be."""
    return link.get("called", link["host_id"]), link["now"], link.get("in all", "")
