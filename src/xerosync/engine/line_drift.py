"""What people changed of the lines of a document whose total is as it was: how it is coded and split, and its texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import cast

from attrs import field, frozen

from xerosync.client._books import Books
from xerosync.client._wire import dates
from xerosync.client._wire.codec import Json
from xerosync.client._wire.outgoing import encode
from xerosync.engine.intents import text_at
from xerosync.engine.reference import key
from xerosync.engine.written import Written, now_in_xero
from xerosync.models import Invoice
from xerosync.money import exactly


@frozen
class _Line:
    """What counts of a line; what is None was not said when it was written, so that it may be anything."""

    amount: Decimal
    account: str | None
    item: str | None
    tax_type: str | None
    tax: Decimal | None
    tracking: frozenset[tuple[str, str]] = field(factory=frozenset[tuple[str, str]])

    def is_shown_by(self, there: _Line) -> bool:
        """Whether the line *there* is as this one was written."""
        said = ((self.account, there.account), (self.item, there.item), (self.tax_type, there.tax_type))
        return (
            self.amount == there.amount
            and self.tracking == there.tracking
            and self.tax in {None, there.tax}
            and all(was in {None, now} for was, now in said)
        )

    def __str__(self) -> str:
        options = (f"{category}: {option}" for category, option in sorted(self.tracking))
        parts = (self.item and f"item {self.item}", self.account, self.tax_type, *options)
        return " ".join([*(each for each in parts if each), f"{self.amount:f}"])


@frozen
class LinesChanged:
    """What of a document's *lines* was and is otherwise booked, and of their *texts*; None where nothing is."""

    lines: tuple[str, str] | None
    texts: tuple[str, str] | None


async def lines_changed(
    books: Books, written: Mapping[str, Written], documents: Iterable[tuple[Invoice, str]]
) -> dict[str, LinesChanged]:
    """
    How the lines of those *documents* (each with its stamp) that changed in Xero since they were *written* are
    otherwise, by the document's id. A call for 80 documents that changed at all.
    """
    changed = [
        each
        for each, stamp in documents
        if "LineItems" in (written[each.invoice_id or ""].wanted or {})
        and _is_later(stamp, written[each.invoice_id or ""].last.stamp)
    ]
    found: dict[str, LinesChanged] = {}
    for xero_id, there in (await now_in_xero(books, changed)).items():
        before, after = _rows(written[xero_id].wanted or {}), _rows(encode(there))
        was, now = _unlike(_lines(before), _lines(after))
        lines = (_in_words(was), _in_words(now)) if was or now else None
        found[xero_id] = LinesChanged(lines, _texts_changed(before, after))
    return found


def _is_later(stamp: str, than: str) -> bool:
    try:
        return dates.instant(stamp) > dates.instant(than)
    except (ValueError, OverflowError):
        return True


def _rows(document: Json | Mapping[str, object]) -> Sequence[Mapping[str, object]]:
    return cast(Sequence[Mapping[str, object]], document.get("LineItems") or ())


def _texts_changed(
    written: Iterable[Mapping[str, object]], there: Iterable[Mapping[str, object]]
) -> tuple[str, str] | None:
    """The texts that were *written* and are not *there* any more, and those in their place; blanks do not count."""
    before, after = (
        Counter(" ".join(text_at(each, "Description").split()) for each in rows) for rows in (written, there)
    )
    # A line without a text gets that of its item.
    gone = sorted((before - after).elements())
    gone = [each for each in gone if each]
    return (
        ("; ".join(gone), "; ".join(sorted(filter(None, (after - before).elements()))) or "nothing") if gone else None
    )


@exactly
def _lines(rows: Iterable[Mapping[str, object]]) -> list[_Line]:
    return [_line(each) for each in rows]


def _line(row: Mapping[str, object]) -> _Line:
    tax, tracking = row.get("TaxAmount"), cast(Sequence[Mapping[str, object]], row.get("Tracking") or ())
    quantity, price = row.get("Quantity"), row.get("UnitAmount")
    return _Line(
        amount=_plain(_number(price) * (Decimal(1) if quantity is None else _number(quantity))),
        account=text_at(row, "AccountCode").upper() or None,
        item=text_at(row, "ItemCode") or None,
        tax_type=text_at(row, "TaxType").upper() or None,
        tax=None if tax is None else _number(tax),
        tracking=frozenset((key(text_at(each, "Name")), key(text_at(each, "Option"))) for each in tracking),
    )


def _number(value: object) -> Decimal:
    return Decimal(str(value or 0))


def _plain(amount: Decimal) -> Decimal:
    """*amount* with two decimals, or more where they are not noughts."""
    shortest = amount.normalize()
    return amount.quantize(Decimal("0.01")) if cast(int, shortest.as_tuple().exponent) > -2 else shortest


def _unlike(written: Iterable[_Line], there: Iterable[_Line]) -> tuple[list[_Line], list[_Line]]:
    """The lines *written* that no line *there* shows, and the lines that are *there* besides."""
    left, gone = list(there), list[_Line]()
    for line in written:
        shown = next((place for place, each in enumerate(left) if line.is_shown_by(each)), None)
        if shown is None:
            gone.append(line)
        else:
            del left[shown]
    return gone, left


def _in_words(lines: Iterable[_Line]) -> str:
    return "; ".join(sorted(map(str, lines))) or "nothing"
