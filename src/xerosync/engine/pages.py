"""Reports as one self-contained page of HTML that reads on a screen and prints well."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final

from attrs import frozen

_STYLE: Final = """
:root { color-scheme: light }
body { font: 15px/1.45 system-ui, sans-serif; color: #1c2733; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin: 2rem 0 .4rem } p { margin: .2rem 0 .6rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #d7dde3 }
td { overflow-wrap: break-word } .id { overflow-wrap: anywhere } .said { width: 27% }
th { font-weight: 600 } .amount { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
td.amount, th.amount { padding-right: 1.2rem }
.mark { width: 1.2rem } .wrong { color: #a3201d } .right { color: #1f6f43 } a { color: #0b5c9e }
@media screen and (max-width: 40rem) {
  body { font-size: 13px; margin: 1rem auto }
  table { display: block; overflow-x: auto } .id { min-width: 5rem }
  th, td, td.amount, th.amount { padding-right: .5rem }
  table:has(.said) :is(thead, tbody) { display: block }
  tr:has(.said) { display: flex; flex-wrap: wrap; border-bottom: 1px solid #d7dde3 }
  tr:has(.said) > * { box-sizing: border-box; flex: 1 1 0; min-width: 0; border: 0 }
  tr:has(.said) > .amount { white-space: normal; overflow-wrap: normal; min-width: min-content }
  tr:has(.said) > .mark { flex: 0 0 1.2rem }
  tr:has(.said) > .said { flex: 0 0 100%; padding-top: 0 } tr > th.said, tr > .said:empty { display: none }
  .said::before { content: attr(data-name) ": "; color: #5a6672 }
}
@media print {
  body { margin: 0; max-width: none; font-size: 10.5pt } h2 { break-after: avoid-page }
  section { break-inside: avoid-page } section.long { break-inside: auto }
  tr { break-inside: avoid } thead { display: table-header-group } a { color: inherit; text-decoration: none }
}
"""
_MARKS: Final[Mapping[str, str]] = {"✓": "right", "✗": "wrong"}
_SUMS: Final = frozenset({"amount", "at stake"})
_IDS: Final = frozenset({"about", "line"})
_SAID: Final = frozenset({"why", "what is wrong", "what to do"})
_SHORT: Final = 12
"""How many rows of a table are kept together on paper."""


@frozen(repr=False)
class Cell:
    """What stands in a table: *text*, and where a click on it leads."""

    text: str
    address: str | None = None


@frozen(kw_only=True, repr=False)
class Section:
    """A part of a page: *heading*, a sentence, and a table; the columns of amounts stand to the right."""

    heading: str
    says: str = ""
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]


def by(who: str) -> str:
    """*who* can do something, for a page that is read by others than those whom the library calls you."""
    return "whoever runs the product" if who == "you" else who


def page(title: str, sections: Iterable[Section], *, says: str = "") -> str:
    """
    One HTML document of *sections*, with its style inside: nothing is loaded from elsewhere, and no script runs.

    Whatever stands in it is text: names out of Xero cannot become markup.
    """
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>",
    ]
    if says:
        parts.append(f"<p>{escape(says)}</p>")
    parts += map(_section, sections)
    return "\n".join([*parts, "</body>\n</html>\n"])


def _section(section: Section) -> str:
    head = "".join(f"<th{_class(name)}>{escape(name)}</th>" for name in section.columns)
    rows = "\n".join(f"<tr>{_cells(section.columns, row)}</tr>" for row in section.rows)
    says = f"<p>{escape(section.says)}</p>\n" if section.says else ""
    long = ' class="long"' if len(section.rows) > _SHORT else ""
    return (
        f"<section{long}>\n<h2>{escape(section.heading)}</h2>\n{says}"
        f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n</section>"
    )


def _cells(columns: Sequence[str], row: Sequence[Cell]) -> str:
    return "".join(
        f"<td{_class(name, cell)}{_name(name, cell)}>{_cell(cell)}</td>"
        for name, cell in zip(columns, row, strict=True)
    )


def _name(column: str, cell: Cell) -> str:
    """What a narrow screen shows before sentences, which stand below the rest of their row there."""
    return f' data-name="{escape(column)}"' if column in _SAID and cell.text else ""


def _cell(cell: Cell) -> str:
    text = escape(cell.text)
    return f'<a href="{escape(cell.address)}">{text}</a>' if cell.address is not None else text


def _class(column: str, cell: Cell | None = None) -> str:
    if column in _SUMS:
        return ' class="amount"'
    if column in _IDS:
        return ' class="id"'
    if column in _SAID:
        return ' class="said"'
    if not column:
        mark = _MARKS.get(cell.text, "") if cell is not None else ""
        return f' class="{f"mark {mark}".strip()}"'
    return ""
