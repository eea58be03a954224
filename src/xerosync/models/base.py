"""What all documents share: ids told apart by type, open sets of words, shapes, and what a field is to Xero."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum, StrEnum
from functools import cache
from typing import Final, NewType, Self, TypeVar, cast

import attrs
from attrs import AttrsInstance, evolve

TenantId = NewType("TenantId", str)
ConnectionId = NewType("ConnectionId", str)
AccountId = NewType("AccountId", str)
AccountCode = NewType("AccountCode", str)
AllocationId = NewType("AllocationId", str)
AttachmentId = NewType("AttachmentId", str)
BankTransactionId = NewType("BankTransactionId", str)
BankTransferId = NewType("BankTransferId", str)
BatchPaymentId = NewType("BatchPaymentId", str)
BrandingThemeId = NewType("BrandingThemeId", str)
ContactGroupId = NewType("ContactGroupId", str)
ContactId = NewType("ContactId", str)
CreditNoteId = NewType("CreditNoteId", str)
InvoiceId = NewType("InvoiceId", str)
ItemId = NewType("ItemId", str)
LineItemId = NewType("LineItemId", str)
LinkedTransactionId = NewType("LinkedTransactionId", str)
ManualJournalId = NewType("ManualJournalId", str)
OverpaymentId = NewType("OverpaymentId", str)
PaymentId = NewType("PaymentId", str)
PrepaymentId = NewType("PrepaymentId", str)
PurchaseOrderId = NewType("PurchaseOrderId", str)
QuoteId = NewType("QuoteId", str)
RepeatingInvoiceId = NewType("RepeatingInvoiceId", str)
TrackingCategoryId = NewType("TrackingCategoryId", str)
TrackingOptionId = NewType("TrackingOptionId", str)
UserId = NewType("UserId", str)

T = TypeVar("T", bound=AttrsInstance)


class OpenEnum(StrEnum):
    """A set of words that Xero may add to: a word not known here survives a read as itself."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member


class Shape(Enum):
    """
    Where a document's value comes from, since Xero shows one document in three ways (F 4.11, 4.12).

    A ROW of a list, or a document inside another, leaves fields out; a SINGLE one, asked for by its id, is whole; the
    REPLY to a write is somewhere between. What the caller made is NEW.
    """

    NEW = "new"
    ROW = "row"
    SINGLE = "single"
    REPLY = "reply"


class Quiet:
    """Gives documents a repr with the kind and the id alone; the kind itself where documents have no id."""

    # Here rather than in each document, so that documents of the same slots are laid out alike.
    __slots__ = ("__weakref__",)

    def __repr__(self) -> str:
        own, kind = own_id(type(self)), type(self).__name__
        return f"<{kind} {getattr(self, own) or 'without id'}>" if hasattr(self, own) else f"<{kind}>"


class Referred(Quiet):
    """A document that others name: inside them it is written by its id alone, so that naming it changes nothing."""

    __slots__ = ()


def own_id(kind: type) -> str:
    """The name of the field that holds the id of a *kind*, where it has one."""
    return _own_id(kind.__name__)


@cache
def _own_id(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)[1:] + "_id"


READ_ONLY: Final[Mapping[str, object]] = {"read_only": True}
"""Of a field that Xero alone writes."""


def longest(characters: int) -> dict[str, object]:
    """Of a text of which Xero keeps so many *characters*."""
    return {"longest": characters}


def most(elements: int) -> dict[str, object]:
    """Of a list of which Xero keeps so many *elements*."""
    return {"most": elements}


def without(letters: str) -> dict[str, object]:
    """Of a text in which Xero takes none of these *letters*."""
    return {"without": letters}


def wire(name: str) -> dict[str, object]:
    """Of a field that has another *name* at Xero than ours tells."""
    return {"wire": name}


class NoExtra(Mapping[str, object]):
    """
    No field unknown to this library: the one value of this class, which nearly every document has.

    A dictionary for each would take about a tenth of the memory of a list that is kept.
    """

    __slots__ = ()

    def __getitem__(self, name: str) -> object:
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "{}"

    def __reduce__(self) -> str:
        return "NO_EXTRA"


NO_EXTRA: Final = NoExtra()


def no_extra() -> Mapping[str, object]:
    """No field unknown to this library."""
    return NO_EXTRA


def merged(older: T, newer: T) -> T:
    """
    One document as known from two answers: *newer* wins where it says something, an absent key overwrites nothing.

    A SINGLE *newer* is the whole truth and stands alone.
    """
    if getattr(newer, "shape", None) is Shape.SINGLE:
        return newer
    told: dict[str, object] = {}
    for each in attrs.fields(type(older)):
        value = getattr(newer, each.name)
        if each.name == "extra":
            told["extra"] = {**getattr(older, "extra"), **value}  # noqa: B009 - not every attrs class has it
        elif each.name != "shape" and value is not None and value != ():
            told[each.name] = value
    return cast(Callable[..., T], evolve)(older, **told)
