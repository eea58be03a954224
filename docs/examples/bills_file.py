"""A file of bills as documents: rows are grouped, what cannot be posted is named; nothing is dropped in silence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from attrs import frozen

from as_written import DateStyle, amount_of, date_style, exact_sum, has_decimal_comma
from table_file import Table, is_blank, read_table

_CENT = Decimal("0.01")
_LARGEST = Decimal("1e10")


@frozen
class Columns:
    """The names of the file's columns; without *account* every line goes to one account."""

    vendor: str
    amount: str
    date: str
    number: str
    account: str | None = None

    def named(self) -> list[str]:
        """The names that the heading must have, each once."""
        named = [self.vendor, self.amount, self.date, self.number, self.account]
        return list(dict.fromkeys(name for name in named if name is not None))


@frozen
class Row:
    """One row of the file that can be posted: its *number* in the file counts from 1, the heading's."""

    number: int
    vendor: str
    paper: str
    on: date
    amount: Decimal
    category: str


@frozen
class Trouble:
    """A row that a person should look at; *amount* is what is left unposted for it."""

    row: int
    cause: str
    amount: Decimal = Decimal(0)


@frozen
class Document:
    """Rows with the same vendor and number: the lines of one document, dated by its earliest line."""

    vendor: str
    vendor_key: str
    number: str
    rows: tuple[Row, ...]

    @property
    def on(self) -> date:
        """The day of its earliest line."""
        return min(row.on for row in self.rows)


@frozen
class BillsFile:
    """What a file holds: documents, troubles, how many rows there were, and how its dates were read."""

    digest: str
    documents: tuple[Document, ...]
    troubles: tuple[Trouble, ...]
    rows: int
    dates: DateStyle

    @property
    def categories(self) -> tuple[str, ...]:
        """The values of the account column, each once; blank is one."""
        return tuple(dict.fromkeys(row.category for document in self.documents for row in document.rows))

    @property
    def unposted(self) -> Decimal:
        """The amounts of the rows that cannot be posted."""
        return exact_sum(trouble.amount for trouble in self.troubles)


def read_bills(path: Path, columns: Columns, date_format: str | None = None) -> BillsFile:
    """
    The documents in the file at *path*.

    Raises `ValueError` for a column that the file lacks, a quotation mark left open, or a useless *date_format*.
    """
    content = path.read_bytes()
    table = read_table(content, columns.named())
    dates = date_style((table.cell(cells, columns.date) for _, cells in table.rows), date_format)
    decimal_comma = has_decimal_comma(table.cell(cells, columns.amount) for _, cells in table.rows)
    read = [_row(number, cells, columns, table, dates, decimal_comma=decimal_comma) for number, cells in table.rows]
    rows = [each for each in read if isinstance(each, Row)]
    troubles = [each for each in read if isinstance(each, Trouble)]
    troubles += [
        Trouble(row.number, "it has no number, so it is a document of its own") for row in rows if not row.paper
    ]
    return BillsFile(
        digest=hashlib.sha256(content).hexdigest(),
        documents=tuple(_documents(rows)),
        troubles=tuple(sorted(troubles, key=lambda trouble: trouble.row)),
        rows=len(table.rows),
        dates=dates,
    )


def _row(
    number: int, cells: Sequence[str], columns: Columns, table: Table, dates: DateStyle, *, decimal_comma: bool
) -> Row | Trouble:
    if is_blank(cells):
        return Trouble(number, "it is blank")
    vendor = _plain(table.cell(cells, columns.vendor))
    written = table.cell(cells, columns.amount)
    amount = amount_of(written, decimal_comma=decimal_comma)
    if amount is None:
        return Trouble(number, "its amount cannot be read" if written else "it has no amount")
    if table.overflows(cells):
        return Trouble(number, "it has more cells than the heading, so nobody can say which is which", amount)
    if not vendor:
        return Trouble(number, "it has no vendor", amount)
    if abs(amount) >= _LARGEST:
        return Trouble(number, "its amount is too large to post", amount)
    if amount % _CENT:
        return Trouble(number, "its amount has a fraction of a cent", amount)
    on = dates.day(table.cell(cells, columns.date))
    if on is None:
        return Trouble(number, "its date cannot be read, or lies outside the years 1900 to 2199", amount)
    category = _plain(table.cell(cells, columns.account)) if columns.account else ""
    return Row(number, vendor, _plain(table.cell(cells, columns.number)), on, amount.quantize(_CENT), category)


def _documents(rows: Iterable[Row]) -> Iterable[Document]:
    groups: dict[tuple[str, str, int], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.vendor.casefold(), row.paper, 0 if row.paper else row.number), []).append(row)
    for (vendor_key, number, _), group in groups.items():
        yield Document(group[0].vendor, vendor_key, number, tuple(group))


def _plain(text: str) -> str:
    return " ".join(text.split())
