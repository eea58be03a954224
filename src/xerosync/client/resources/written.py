"""What became of each document that was to be written."""

from __future__ import annotations

from enum import StrEnum
from typing import Generic, TypeVar

from attrs import AttrsInstance, frozen

from xerosync.client._wire.answers import Remark, texts
from xerosync.errors import XerosyncError

T = TypeVar("T", bound=AttrsInstance)


class Outcome(StrEnum):
    """What became of one document that was to be written."""

    CREATED = "created"
    """It is new in Xero."""
    UPDATED = "updated"
    """Xero has taken the change."""
    UNCHANGED = "unchanged"
    """It says nothing that Xero does not have, so it was not sent."""
    REJECTED = "rejected"
    """Nothing of it is in Xero: it was refused, or not looked at because of a limit or a failing connection."""
    UNKNOWN = "unknown"
    """The answer was lost or cannot be read: it may have been taken. Look before you send it again."""


@frozen(repr=False)
class Written(Generic[T]):
    """
    What became of one document to be written: the *document* as Xero's reply shows it, if it was taken, and all
    *remarks* that came with it, nested ones and warnings too: why it was refused, or what Xero noted though it took it
    (F 5.41, 5.48). *error* is why it was not taken: `or_raise` raises it.
    """

    outcome: Outcome
    document: T | None = None
    remarks: tuple[Remark, ...] = ()
    error: XerosyncError | None = None

    @property
    def messages(self) -> tuple[str, ...]:
        """What Xero said, verbatim, each text once; if it said nothing and took nothing, what happened instead."""
        return texts(self.remarks) or (() if self.error is None else (str(self.error),))

    def or_raise(self) -> T:
        """
        The document, now in Xero.

        Raises `Rejected` with Xero's words, `OutcomeUnknown`, or what else kept it from being written.
        """
        if self.document is None:
            raise self.error or ValueError("no document was written")
        return self.document

    def __repr__(self) -> str:
        return f"<Written {self.outcome} {self.document!r} with {len(self.messages)} messages>"
