"""What people changed of the lines of a document whose total is as it was: how it is coded and split, and its texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, TypeAlias, cast

from attrs import field, frozen

from xerosync.client._books import Books
from xerosync.client._paging import whole_rows
from xerosync.client._session import Query
from xerosync.client._wire import dates
from xerosync.client._wire.codec import Json, decode
from xerosync.client._wire.outgoing import encode
from xerosync.engine.intents import text_at
from xerosync.engine.reference import key
from xerosync.engine.written import Written, now_in_xero, read_whole
from xerosync.models import BankTransaction, BankTransactionType, CreditNote, Invoice
from xerosync.money import exactly

Paper: TypeAlias = Invoice | CreditNote | BankTransaction
"""What has lines."""
_MONEY: Final = frozenset({BankTransactionType.SPEND, BankTransactionType.RECEIVE})
"""The bank transactions whose lines are as they were written; of overpayments and transfers, Xero makes them."""
_FEW: Final = 5
"""How many bank transactions are read one by one, rather than in the list of all that changed since."""
_A_SECOND: Final = timedelta(seconds=1)


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
    books: Books, written: Mapping[str, Written], documents: Mapping[str, tuple[Paper, str]]
) -> dict[str, LinesChanged]:
    """
    How the lines of those *documents* (each by its id, with its stamp) that changed in Xero since they were *written*
    are otherwise.

    A call for 80 invoices that changed at all, one for each credit note, and one for each page of bank transactions,
    where more than a few did.
    """
    known = {xero_id: written[xero_id].known for xero_id in documents}
    changed = {
        xero_id: (document, stamp)
        for xero_id, (document, stamp) in documents.items()
        if _is_later(stamp, known[xero_id][1])
        and (not isinstance(document, BankTransaction) or document.type in _MONEY)
        and "LineItems" in known[xero_id][0]
    }
    money = {xero_id: stamp for xero_id, (each, stamp) in changed.items() if isinstance(each, BankTransaction)}
    papers = [each for each, _ in changed.values() if not isinstance(each, BankTransaction)]
    now: dict[str, Paper] = {**await now_in_xero(books, papers), **await money_in_xero(books, money)}
    found: dict[str, LinesChanged] = {}
    for xero_id, there in now.items():
        before, after = _rows(known[xero_id][0]), _rows(encode(there))
        was, now_are = _unlike(_lines(before), _lines(after))
        lines = (_in_words(was), _in_words(now_are)) if was or now_are else None
        found[xero_id] = LinesChanged(lines, _texts_changed(before, after))
    return found


async def money_in_xero(books: Books, stamps: Mapping[str, str]) -> dict[str, BankTransaction]:
    """The bank transactions of these ids, whole: Xero's list has their lines (F 4.08), and cannot be asked for ids."""
    if len(stamps) <= _FEW:
        return await read_whole(books, "BankTransactions", BankTransaction, stamps)
    query = Query("BankTransactions", "BankTransactions", {"unitdp": "4"}, _before(stamps.values()))
    found: dict[str, BankTransaction] = {}
    async for row in whole_rows(await books.session(), query, "BankTransactionID"):
        if row.get("BankTransactionID") in stamps:
            transaction = decode(BankTransaction, row, where="BankTransactions")
            found[transaction.bank_transaction_id or ""] = transaction
    return found


def _before(stamps: Iterable[str]) -> datetime | None:
    """Shortly before the first of *stamps*; None where one cannot be read."""
    try:
        return min(map(dates.instant, stamps)) - _A_SECOND
    except (ValueError, OverflowError):
        return None


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
