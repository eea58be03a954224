"""What became of each document that was to be written."""

from __future__ import annotations

from enum import StrEnum
from typing import Generic, TypeVar

from attrs import AttrsInstance, frozen

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
    """Xero refused it, and changed nothing."""
    UNKNOWN = "unknown"
    """The answer was lost or cannot be read: it may have been taken. Look before you send it again."""


@frozen(repr=False)
class Written(Generic[T]):
    """
    What became of one document to be written: the *document* as Xero's reply shows it, and all *messages* that came
    with it, nested ones too: why it was refused, or what Xero remarked though it took it (F 5.41, 5.48).
    """

    outcome: Outcome
    document: T | None = None
    messages: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Written {self.outcome} {self.document!r} with {len(self.messages)} messages>"
