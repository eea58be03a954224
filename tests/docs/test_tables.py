"""Tables of the docs that say what the code says are kept equal to it."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Final

import attrs

import life_cycle
import xerosync
from feature_table import missing_tests
from xerosync import ConnectionState, DeclineReason, ImportPolicy, LeftOut
from xerosync.engine.kinds import KINDS
from xerosync.engine.states import MOVES
from xerosync.simulator import Fault, Switches

PROJECT: Final = Path(__file__).parents[2]
DOCS: Final = PROJECT / "docs"
PACKAGE: Final = PROJECT / "src" / "xerosync"

_FINDERS: Final = {"_find": 1, "find": 1, "_vendor_finding": 1, "_left_out": 1, "_finding": 0, "_failed": 1}


def tables(page: str) -> dict[str, list[tuple[str, ...]]]:
    """The tables of a page of the docs by the first word of their heads, each a list of its rows' cells."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for table in re.findall(r"(?:^\|.*\n)+", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE):
        head, _, *rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in table.splitlines()]
        found[head[0]] = rows
    return found


def quoted(cells: Iterator[str] | list[str]) -> list[str]:
    """Every word in backquotes in *cells*."""
    return [word for cell in cells for word in re.findall(r"`([^`]+)`", cell)]


def attribute_docs(kind: type) -> dict[str, str]:
    """What the source of *kind* says of each of its attributes, in the docstring below it, on one line."""
    (described,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(described, ast.ClassDef)
    said: dict[str, str] = {}
    name = ""
    for statement in described.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=found)) | ast.Assign(targets=[ast.Name(id=found)]):
                name = found
            case ast.Expr(value=ast.Constant(value=str(text))) if name:
                said[name] = " ".join(text.split())
            case _:
                continue
    return said


def finding_codes() -> set[str]:
    """Every code that a finding or an exception item of the clearing report may carry."""
    codes: set[str] = set()
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                codes.update(_codes(node))
    return codes


def _codes(call: ast.Call) -> Iterator[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    is_finding = name in {"Finding", "Discrepancy"}
    given = [keyword.value for keyword in call.keywords if is_finding and keyword.arg == "code"]
    if name in _FINDERS and len(call.args) > _FINDERS[name]:
        given.append(call.args[_FINDERS[name]])
    for value in given:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value


def test_the_life_of_a_write_is_drawn_from_the_table_of_states() -> None:
    shown = tables("concepts/exactly-once.md")["From"]

    assert shown == [
        (f"*{before}*", f"*{after}*", why) for before, moves in MOVES.items() for after, why in moves.items()
    ]


def test_the_picture_of_a_write_s_life_is_drawn_from_the_table_of_states() -> None:
    """To draw it anew: python docs/_ext/life_cycle.py."""
    assert life_cycle.PICTURE.read_text(encoding="utf-8") == life_cycle.drawn()


def test_every_kind_of_write_has_its_mark() -> None:
    shown = tables("concepts/exactly-once.md")["Kind"]

    calls = [(f"`{name}`", f"`{kind.method} {kind.path.partition('?')[0]}`") for name, kind in KINDS.items()]
    assert [row[:2] for row in shown] == calls
    assert all(mark and found_by for _, _, mark, found_by in shown)


def test_every_finding_is_explained() -> None:
    explained = quoted([row[0] for row in tables("howto/recover.md")["Finding"]])
    # Those of the doctor are in the table of its own checks.
    explained += [row[1] for row in tables("howto/doctor.md")["Check"]]

    assert finding_codes() - set(explained) == set()


def test_every_reason_to_leave_an_invoice_out_is_explained() -> None:
    shown = tables("howto/import.md")["Reason"]

    assert [row[0] for row in shown] == [f"`{reason}`" for reason in LeftOut]


def test_every_reason_of_a_decline_is_told_as_in_code() -> None:
    shown = tables("howto/charge-backs.md")["Reason"]

    said = [(f"`{each}`", each.words, "yes" if each.carries_fee else "no") for each in DeclineReason]
    assert shown == said


def test_every_import_policy_is_explained() -> None:
    shown = tables("howto/import.md")["Policy"]

    assert [quoted([row[0]])[0] for row in shown] == [policy.name for policy in ImportPolicy]


def test_every_switch_of_the_simulator_is_shown_with_its_default() -> None:
    defaults = Switches()
    shown = tables("simulator.md")["Switch"]

    switches = [(f"`{each.name}`", f"`{getattr(defaults, each.name)}`") for each in attrs.fields(Switches)]
    assert [row[:2] for row in shown] == switches


def test_every_fault_of_the_simulator_is_shown() -> None:
    shown = tables("simulator.md")["Fault"]

    assert shown == [(f"`{name}`", re.sub(r" \(F [^)]+\)", "", said)) for name, said in attribute_docs(Fault).items()]
    assert len(shown) == len(Fault)


def test_every_measure_of_security_is_shown_by_tests_that_exist() -> None:
    page = tables("concepts/security.md")
    rows = page["Demand"]

    assert {len(row) for row in rows} == {3}
    assert [fault for _, _, tests in rows for fault in missing_tests(tests, PROJECT)] == []
    named = [re.match(r"S(\d+): ", row[0]) for row in (*rows, *page["No test"])]
    assert {int(each[1]) for each in named if each} == set(range(1, 19))


def test_every_point_at_which_a_process_may_die_is_shown_by_tests_that_exist() -> None:
    rows = tables("concepts/if-it-dies-here.md")["Point"]

    assert [row[0] for row in rows] == [f"C{number}" for number in range(1, 16)]
    assert [fault for *_, tests in rows for fault in missing_tests(tests, PROJECT)] == []


def test_every_state_of_a_connection_says_who_must_act() -> None:
    shown = tables("howto/connect.md")["State"]

    assert [row[0] for row in shown] == [f"`{state.name}`" for state in ConnectionState]


def test_the_table_of_directions_names_verbs_that_there_are() -> None:
    rows = tables("howto/payables.md")["What"]

    assert {way for _, way, _ in rows} == {"Xero → product", "product → Xero"}
    assert [verb for _, _, by in rows for verb in quoted([by]) if not hasattr(xerosync.Payables, verb)] == []


def test_the_reference_leads_to_every_public_name() -> None:
    page = (DOCS / "reference.md").read_text(encoding="utf-8")

    assert [name for name in xerosync.__all__ if not re.search(rf"\b{name}\b", page)] == ["__version__"]


def test_the_glossary_is_in_order_and_names_each_thing_once() -> None:
    page = (DOCS / "glossary.md").read_text(encoding="utf-8")
    accountants, developers = (re.findall(r"^(.+)\n: \S", part, re.MULTILINE) for part in page.split("{.glossary}")[1:])

    assert accountants == sorted(accountants, key=str.lower)
    assert developers == sorted(developers, key=str.lower)
    assert len({*accountants, *developers}) == len(accountants) + len(developers) > 50


def test_completion_shows_a_page_of_names_with_all_that_the_pages_tell_one_to_type() -> None:
    pages = [page for page in DOCS.rglob("*.md") if page.name != "reference.md"]
    blocks = [
        block for page in pages for block in re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    ]
    typed = {
        alias.name
        for block in blocks
        for statement in ast.walk(ast.parse(dedent(block)))
        if isinstance(statement, ast.ImportFrom) and statement.module == "xerosync"
        for alias in statement.names
    }

    assert (typed & set(xerosync.__all__)) - set(dir(xerosync)) == set()
    assert 60 < len(dir(xerosync)) <= 130, "put what comes back of a call into _COMES_BACK of the package"
    assert set(dir(xerosync)) < set(xerosync.__all__)
