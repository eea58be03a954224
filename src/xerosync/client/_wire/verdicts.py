"""What became of each element of a write: one rule for the typed client and for the engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Final, cast

from attrs import frozen

from xerosync.client._wire.answers import (
    Remark,
    is_readable,
    named_in_refusal,
    remarks_in,
    remarks_of,
    texts,
)
from xerosync.client._wire.codec import Json
from xerosync.client._wire.rows import opened
from xerosync.errors import UnreadableAnswer
from xerosync.ports import Response

NO_ID: Final = "00000000-0000-0000-0000-000000000000"
NOT_APPLIED: Final = frozenset({401, 403, 429})
"""Statuses of a write that Xero turned away before it looked at it (F 1.50, 3.10): it may be sent again."""
# 409: the same write may be under way (F 3.12).
_DOUBTFUL: Final = frozenset({408, 409})
_NO_REASON: Final = "Xero gave no reason"
# What tells documents of one kind apart, beside their ids.
_TELLING: Final = (
    "Name", "Code", "ContactNumber", "InvoiceNumber", "CreditNoteNumber", "PurchaseOrderNumber", "QuoteNumber",
    "Reference", "Narration", "Amount", "Url", "Details",
)  # fmt: skip
_BELONGING: Final = ("Invoice", "Contact")


class Verdict(Enum):
    """What became of one element of a write."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@frozen(repr=False)
class Element:
    """One element's *verdict*, the row Xero gave back for it, and all that it said of it, nested things too."""

    verdict: Verdict
    row: Json | None = None
    remarks: tuple[Remark, ...] = ()

    @property
    def messages(self) -> tuple[str, ...]:
        """The texts of all remarks, each once, in order."""
        return texts(self.remarks)


def says_nothing(response: Response) -> bool:
    """Whether nobody can say from *response* if the write was done: the edge speaks, or a page where JSON is due."""
    if response.status in {200, 204}:
        return False
    if not 400 <= response.status < 500 or response.status in _DOUBTFUL:
        return True
    return response.status == 400 and not is_readable(response)


def verdicts(response: Response, collection: str, sent: Sequence[Mapping[str, object]], id_name: str) -> list[Element]:
    """
    What *response* says of each element *sent*, in order; *id_name* is the key of the element's own id, blank where it
    has none.

    A refused batch is not atomic: what the refusal does not name may have been saved, and it names no places, so
    unless all have failed the whole batch is unknown (A.01). Statuses in `NOT_APPLIED` are not for this function.
    """
    if response.status == 200:
        found = elements(response, collection, len(sent))
        shown = Counter(str((each.row or {}).get(id_name)) for each in found)
        return [_believed(each, place, sent, id_name, shown) for place, each in enumerate(found)]
    if says_nothing(response) or response.status == 204:
        return [Element(Verdict.UNKNOWN)] * len(sent)
    said = remarks_of(response)
    named = named_in_refusal(response)
    if len(sent) == 1 or not named:
        return [Element(Verdict.REJECTED, None, said)] * len(sent)
    if len(named) == len(sent):
        return [Element(Verdict.REJECTED, row, tuple(remarks_in(row)) or said) for row in named]
    return [Element(Verdict.UNKNOWN, None, said)] * len(sent)


def elements(response: Response, collection: str, count: int) -> list[Element]:
    """
    The verdict on each of the *count* elements sent, in order, from a 200 under ``summarizeErrors=false`` (F
    5.35–5.39).

    Elements the answer does not hold are unknown, and all are when it cannot be read: an answer that cannot be read is
    no answer.
    """
    try:
        rows = tuple(opened(response.body, collection)[1])
    except UnreadableAnswer:
        rows = ()
    if len(rows) != count:
        return [Element(Verdict.UNKNOWN)] * count
    return [_element(row) for row in rows]


def _element(row: Json) -> Element:
    remarks = tuple(remarks_in(row))
    refusals = tuple(remark for remark in remarks if not remark.warning)
    status = str(row.get("StatusAttributeString", "")).upper()
    failed = row.get("HasErrors") is True or row.get("HasValidationErrors") is True
    if failed or status == "ERROR" or (refusals and (_has_no_id(row) or any(not remark.field for remark in refusals))):
        return Element(Verdict.REJECTED, row, remarks if refusals else (*remarks, Remark(_NO_REASON)))
    if refusals and status not in {"OK", "WARNING"}:
        # Something inside it is at fault, and nothing says whether that stopped it.
        return Element(Verdict.UNKNOWN, row, remarks)
    return Element(Verdict.CONFIRMED, row, remarks)


def _believed(
    element: Element, place: int, sent: Sequence[Mapping[str, object]], id_name: str, shown: Mapping[str, int]
) -> Element:
    """*element*, unknown if it speaks of something else than what was sent in its *place* (F 5.35, 5.36)."""
    if element.verdict is Verdict.UNKNOWN or element.row is None:
        return element
    mine, own = sent[place], element.row.get(id_name)
    wrong = False
    if id_name and element.verdict is Verdict.CONFIRMED:
        if not isinstance(own, str) or own in {"", NO_ID}:
            return Element(Verdict.UNKNOWN, None, (Remark("an answer that shows no id"),))
        if _same(mine.get(id_name), own):
            return element
        wrong = id_name in mine or shown[own] > 1
    others = [*sent[:place], *sent[place + 1 :]]
    if wrong or _is_anothers(_told(element.row), _told(mine), map(_told, others)):
        return Element(Verdict.UNKNOWN, None, (Remark("an answer that shows another document"),))
    return element


def _is_anothers(row: Json, sent: Json, others: Iterable[Json]) -> bool:
    """Whether *row* contradicts what was *sent* in its place and says what one of the *others* said."""
    against = [name for name in sent if _same(sent[name], row.get(name)) is False]
    return bool(against) and any(_same(other.get(name), row[name]) for other in others for name in against)


def _told(document: Mapping[str, object]) -> Json:
    """What tells *document* from others of its kind: its numbers, texts and amount, and what it belongs to."""
    told = {name: document[name] for name in _TELLING if document.get(name) not in (None, "")}
    for name in _BELONGING:
        if isinstance(inside := document.get(name), Mapping):
            told[name] = cast(Mapping[str, object], inside).get(f"{name}ID")
    return told


def _same(sent: object, answered: object) -> bool | None:
    """Whether two values are one to Xero, which minds neither letter case nor blanks; None unless both are there."""
    if sent is None or answered is None:
        return None
    if isinstance(sent, str) and isinstance(answered, str):
        return " ".join(sent.split()).casefold() == " ".join(answered.split()).casefold()
    return sent == answered


def _has_no_id(row: Json) -> bool:
    ids = [value for name, value in row.items() if name.endswith("ID") and isinstance(value, str)]
    return not ids or NO_ID in ids
