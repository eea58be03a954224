"""
What is shown to people as a table: rows for a dataframe, and HTML for a notebook.

Whoever has rows gets its HTML from `Tabular`; a `Listing` is a tuple that has rows. Nothing is imported for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from html import escape
from typing import Final, Protocol, TypeVar, cast, runtime_checkable

import attrs

T_co = TypeVar("T_co", covariant=True)

_SHOWN: Final = 100
_CELL: Final = "padding:.2em .8em .2em 0;vertical-align:top;text-align:"
_TO_THE_RIGHT: Final = frozenset({"amount", "asked", "due", "settled", "gain", "total", "worth", "calls", "open"})
_OURS: Final = "https://"


@runtime_checkable
class _Line(Protocol):
    """What says by itself what stands in its line of a table."""

    def row(self) -> dict[str, object]: ...


class Tabular:
    """
    What has rows, and shows itself as a table in a notebook.

    Whatever stands in it is text: names out of Xero cannot become markup.
    """

    __slots__ = ()

    def rows(self) -> Sequence[Mapping[str, object]]:
        """One mapping a line, all with the same columns."""
        raise NotImplementedError

    def _shown(self) -> Sequence[Mapping[str, object]]:
        """What of its rows a notebook shows: all, unless that is too wide to be read."""
        return self.rows()

    def _repr_html_(self) -> str:
        """What a notebook shows: the first line of its text, its rows, and the findings beside them."""
        head, rows = str(self).partition("\n")[0], self._shown()
        parts = [f"<p>{escape(head)}</p>", html_table(rows)]
        findings: object = getattr(self, "findings", None)
        if isinstance(findings, Listing) and not _tells(rows):
            parts.append(html_table(cast("Listing[object]", findings).rows()))
        return "\n".join(filter(None, parts))


class Listing(tuple[T_co, ...], Tabular):
    """A tuple of what the library tells, such as findings, that can be looked at as a table."""

    __slots__ = ()

    def rows(self) -> list[dict[str, object]]:
        """
        One dict an element, all with the same columns, for a table or a dataframe.

        Amounts are texts with their currency, days are ISO 8601. Rows hold names and amounts: mind where they are
        shown.
        """
        found = [_row(each) for each in self]
        columns = dict.fromkeys(name for row in found for name in row)
        return [{name: row.get(name, "") for name in columns} for row in found]

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return html_table(self.rows()) or "<p>none</p>"


def _tells(rows: Sequence[Mapping[str, object]]) -> bool:
    """Whether *rows* say already what is to be done, so that the findings need not stand there twice."""
    return any("fix" in row for row in rows)


def html_table(rows: Sequence[Mapping[str, object]]) -> str:
    """*rows* as a table of HTML, the first hundred of them; blank where there are none."""
    if not rows:
        return ""
    head = "".join(f'<th style="{_style(name)}">{escape(name)}</th>' for name in rows[0])
    body = "\n".join(f"<tr>{_cells(row)}</tr>" for row in rows[:_SHOWN])
    more = f"\n<p>… and {len(rows) - _SHOWN:,} more</p>" if len(rows) > _SHOWN else ""
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>{more}"


def _cells(row: Mapping[str, object]) -> str:
    return "".join(f'<td style="{_style(name)}">{_cell(name, value)}</td>' for name, value in row.items())


def _cell(name: str, value: object) -> str:
    text = escape("" if value is None else str(value))
    if name == "link" and str(value).startswith(_OURS):
        return f'<a href="{text}">in Xero</a>'
    return text


def _style(name: str) -> str:
    return f"{_CELL}{'right' if name in _TO_THE_RIGHT else 'left'}"


def _row(each: object) -> dict[str, object]:
    """What *each* says of itself, or else its fields."""
    if isinstance(each, _Line):
        return each.row()
    names = [field.name for field in attrs.fields(type(cast(attrs.AttrsInstance, each)))]
    return {name: plain(getattr(each, name)) for name in names if not name.startswith("_")}


def plain(value: object) -> object:
    """*value* as a text, a number, a truth or None, whatever it is."""
    match value:
        case Enum():
            return plain(value.value)
        case None | bool() | int() | float() | str():
            return value
        case date():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case Mapping():
            return ", ".join(f"{name}: {plain(each)}" for name, each in cast("Mapping[str, object]", value).items())
        case Iterable():
            return ", ".join(str(plain(each)) for each in cast("Iterable[object]", value))
        case _:
            return str(getattr(value, "id", value))
