"""
Holds docs/features.md to its word: every test and page that it names must exist.

Tests are looked up in the syntax tree, so that checking a page runs no test. Sphinx is not imported: the tests of this
checker run without it.
"""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Collection, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PROJECT: Final = Path(__file__).parents[2]
WISHES: Final = PROJECT.parent / "shared" / "features.md"

_TEST: Final = re.compile(r"`(tests/[\w./-]+\.py)((?:::\w+)+)`")
_PAGE: Final = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
_ID: Final = re.compile(r"[RG]?[1-9]\d*")
_SPAN: Final = re.compile(r"([RG])(\d+)–\1(\d+)")


def rows(page: str) -> Iterator[tuple[str, ...]]:
    """The cells of every row of the tables in *page*, heads and rulers left out."""
    lines = [line.strip() for line in page.splitlines()]
    for above, line in pairwise(lines):
        is_ruler = re.fullmatch(r"\|[\s:|-]+\|", line)
        if line.startswith("|") and not is_ruler and above.startswith("|"):
            yield tuple(cell.strip() for cell in line.strip("|").split("|"))


def wished(page: str) -> frozenset[str]:
    """The ids of all rows in the list of what xerosync must do; a row for G7–G9 stands for each of the three too."""
    ids = {cells[0] for cells in rows(page)}
    for kind, first, last in (span.groups() for span in map(_SPAN.fullmatch, tuple(ids)) if span):
        ids |= {f"{kind}{number}" for number in range(int(first), int(last) + 1)}
    return frozenset(ids)


def faults(page: str, *, project: Path, ids: Collection[str] | None = None) -> list[str]:
    """What is wrong with the table in *page*; *ids* are the rows there must be, None when that is not known."""
    found: list[str] = []
    seen: set[str] = set()
    for cells in rows(page):
        name = cells[0]
        if len(cells) != 3:
            found.append(f"{name}: a row has three cells, its id, its tests and its page")
            continue
        if name in seen:
            found.append(f"{name}: a second row")
        seen.add(name)
        if not (_ID.fullmatch(name) or _SPAN.fullmatch(name)) or (ids is not None and name not in ids):
            found.append(f"{name}: there is no such feature")
        found += [f"{name}: {fault}" for fault in (*missing_tests(cells[1], project), *_page_faults(cells[2], project))]
    without = {each for each in ids or () if _ID.fullmatch(each)} - wished(page)
    return [*found, *(f"{name}: has no row" for name in sorted(without))]


def missing_tests(cell: str, project: Path) -> Iterator[str]:
    """What is wrong with the tests that *cell* names: there are none, or one does not exist."""
    tests = _TEST.findall(cell)
    if not tests:
        yield "names no test"
    if left := re.sub(r"<br>|,|\s", "", _TEST.sub("", cell)):
        yield f"'{left}' is not a test: write `tests/….py::test_name`"
    for file, path in tests:
        where = project / file
        if not where.is_file():
            yield f"{file} does not exist"
        elif not _defines(ast.parse(where.read_text(encoding="utf-8")).body, path.split("::")[1:]):
            yield f"{file} has no {path.removeprefix('::')}"


def _defines(body: list[ast.stmt], path: list[str]) -> bool:
    name, *inner = path
    for statement in body:
        match statement:
            case ast.ClassDef(name=found) if found == name and inner:
                return _defines(statement.body, inner)
            case ast.FunctionDef(name=found) | ast.AsyncFunctionDef(name=found) if found == name and not inner:
                return name.startswith("test_")
            # A state machine is a test by assignment: `test_books = Books.TestCase`.
            case ast.Assign(targets=[ast.Name(id=found)]) if found == name and not inner:
                return name.lower().startswith("test")
            case _:
                continue
    return False


def _page_faults(cell: str, project: Path) -> Iterator[str]:
    pages = _PAGE.findall(cell)
    if not pages:
        yield "links to no page"
    for page in pages:
        if not (project / "docs" / page).is_file():
            yield f"docs/{page} does not exist"


def check(_app: Sphinx) -> None:
    """Warn, and so fail the build, of each fault in the real table."""
    ids = wished(WISHES.read_text(encoding="utf-8")) if WISHES.is_file() else None
    log = logging.getLogger("sphinx.feature_table")
    for fault in faults((PROJECT / "docs" / "features.md").read_text(encoding="utf-8"), project=PROJECT, ids=ids):
        log.warning("docs/features.md: %s", fault)


def setup(app: Sphinx) -> dict[str, bool]:
    """Check the table before anything is built."""
    app.connect("builder-inited", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
