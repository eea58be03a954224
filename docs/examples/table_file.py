"""Reading a CSV file as it comes: its encoding, its delimiter, and the row numbers that a spreadsheet shows."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO

from attrs import frozen

_MARKS = ("\ufeff", "ï»¿")
_DELIMITERS = (",", ";", "\t", "|")
_END = "end of file"


@frozen
class Table:
    """
    The rows below a heading, blank ones too, each with its number: the file's first row is number 1.

    *place* says in which cell each column asked for stands, *width* how many columns the heading has.
    """

    rows: tuple[tuple[int, Sequence[str]], ...]
    place: dict[str, int]
    width: int

    def cell(self, cells: Sequence[str], column: str) -> str:
        """The cell of *column*; blank where the row ends before it."""
        place = self.place[column]
        return cells[place].strip() if place < len(cells) else ""

    def overflows(self, cells: Sequence[str]) -> bool:
        """Whether something stands beyond the last column, so that nobody can say which cell is which."""
        return not is_blank(cells[self.width :])


def read_table(content: bytes, columns: Sequence[str]) -> Table:
    """
    The table in *content*, whose heading is its first row that is not blank and names all of *columns*.

    Raises `ValueError` saying which column is missing, or where a quotation mark is left open.
    """
    text = decoded(content)
    delimiter = _delimiter(text, columns)
    records = _records(text, delimiter)
    above = next((index for index, cells in enumerate(records) if not is_blank(cells)), len(records))
    heading = records[above] if above < len(records) else []
    place = {column: _place(column, heading) for column in columns}
    rows = tuple(enumerate(records[above + 1 :], start=above + 2))
    return Table(rows, place, len(heading))


def decoded(content: bytes) -> str:
    """*content* as text: UTF-8, with a byte-order mark or a mangled one, or else Windows-1252."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    for mark in _MARKS:
        text = text.removeprefix(mark)
    return text


def is_blank(cells: Sequence[str]) -> bool:
    """Whether nothing stands in *cells*."""
    return not any(cell.strip() for cell in cells)


def _delimiter(text: str, columns: Sequence[str]) -> str:
    """The delimiter under which the heading has most of *columns*; a comma when that does not tell."""

    def found(delimiter: str) -> int:
        headings = (cells for cells in _lines(text, delimiter) if not is_blank(cells))
        heading: Sequence[str] = next(headings, ())
        return sum(_is_in(column, heading) for column in columns)

    return max(_DELIMITERS, key=found)


def _records(text: str, delimiter: str) -> list[list[str]]:
    # A quotation mark left open swallows all that follows, in silence, and with it this last line.
    ended = text + ("\n" if text and not text.endswith(("\n", "\r")) else "") + _END
    records = list(_lines(ended, delimiter))
    if records[-1] != [_END]:
        raise ValueError(f"row {len(records)}: a quotation mark is opened and never closed; correct the file")
    return records[:-1]


def _lines(text: str, delimiter: str) -> Iterator[list[str]]:
    table = csv.reader(StringIO(text, newline=""), delimiter=delimiter)
    try:
        yield from table
    except csv.Error as error:
        raise ValueError(f"line {table.line_num}: {error}; is a quotation mark never closed?") from None


def _is_in(column: str, heading: Sequence[str]) -> bool:
    return _plain(column).casefold() in {_plain(each).casefold() for each in heading}


def _place(column: str, heading: Sequence[str]) -> int:
    """Where *column* stands in *heading*: named exactly so, or else but for letter case."""
    wanted = _plain(column)
    exact = [place for place, each in enumerate(heading) if _plain(each) == wanted]
    places = exact or [place for place, each in enumerate(heading) if _plain(each).casefold() == wanted.casefold()]
    if len(places) > 1:
        raise ValueError(f"the file has {len(places)} columns named {column!r}: rename all but the one that is meant")
    if not places:
        named = ", ".join(repr(_plain(each)) for each in heading) or "no columns at all"
        raise ValueError(f"the file has no column {column!r}; it has: {named}")
    return places[0]


def _plain(name: str) -> str:
    return " ".join(name.split())
