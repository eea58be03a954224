"""What all reports are made of: rows of cells that hold texts (F 6.192)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, TypeAlias

from xerosync.simulator.given import read_day
from xerosync.simulator.refusals import Invalid
from xerosync.simulator.resources.call import Answer, Call
from xerosync.simulator.wire import Row, bare_stamp

_FIRST_YEAR: Final = 1900
Attributes: TypeAlias = "Mapping[str, str]"
NONE: Final[Attributes] = {}


def report(call: Call, kind: str, *, name: str, titles: Sequence[str], rows: Sequence[Row]) -> Answer:
    """A report of *kind*, made of *rows*, with the lines of its title. Its ReportDate is today, always."""
    row: Row = {
        "ReportID": kind,
        "ReportName": name,
        "ReportType": kind,
        "ReportTitles": list(titles),
        "ReportDate": written(call.books.today()),
        "UpdatedDateUTC": bare_stamp(call.books.now()),
        "Fields": [],
        "Rows": list(rows),
    }
    return Answer({"Reports": [row]})


def day_asked(call: Call, name: str) -> date | None:
    """The day in the query under *name*; None when there is none. Raises `Invalid`."""
    given = call.query.get(name.lower(), "").strip()
    if not given:
        return None
    on = read_day(given)
    if on is None or on.year < _FIRST_YEAR:
        raise Invalid(f"The {name} is not valid")
    return on


def written(on: date) -> str:
    """A day as titles show it."""
    return f"{on.day} {on:%B %Y}"


def header(*titles: str) -> Row:
    """The titles of the columns."""
    return {"RowType": "Header", "Cells": [_cell(title, NONE) for title in titles]}


def section(rows: Sequence[Row], title: str = "") -> Row:
    """Rows that belong together."""
    return {"RowType": "Section", "Title": title, "Rows": list(rows)}


def text_row(values: Sequence[str], attributes: Sequence[Attributes]) -> Row:
    """One row; each cell bears the *attributes* of its place, such as the id of what it tells of."""
    return {"RowType": "Row", "Cells": [_cell(*cell) for cell in zip(values, attributes, strict=True)]}


def summary(values: Sequence[str]) -> Row:
    """The row of totals."""
    return {"RowType": "SummaryRow", "Cells": [_cell(value, NONE) for value in values]}


def _cell(value: str, attributes: Attributes) -> Row:
    row: Row = {"Value": value}
    if attributes:
        row["Attributes"] = [{"Value": text, "Id": name} for name, text in attributes.items()]
    return row
