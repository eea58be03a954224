"""What holds for every file of the project: its size, its words, and what the package costs to import."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).parents[1]
PACKAGE: Final = PROJECT / "src" / "xerosync"
SOURCES: Final = sorted(PACKAGE.rglob("*.py"))
PROGRAMS: Final = [
    *SOURCES,
    *sorted((PROJECT / "tests").rglob("*.py")),
    *sorted((PROJECT / "docs").rglob("*.py")),
    PROJECT / "noxfile.py",
]
PAGES: Final = [PROJECT / "README.md", PROJECT / "CHANGELOG.md", *sorted((PROJECT / "docs").rglob("*.md"))]

LINES_IN_A_FILE_MAX: Final = 600
LINES_IN_A_FUNCTION_MAX: Final = 50

# Words that say nothing in a name: what is it the data of, and what does the manager do?
EMPTY_WORDS: Final = {"data", "info", "manager", "handler", "helper", "helpers", "util", "utils", "misc"}
HEAVY: Final = {"authlib", "cattrs", "httpx", "msgspec", "rich", "sqlalchemy", "sqlite3", "tenacity"}


def in_project(file: Path) -> str:
    return str(file.relative_to(PROJECT))


def named(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Every function, method and class that *file* defines."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node


def words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many lines *function* has; its docstring does not count, as it is read on its own."""
    first = function.body[0]
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if ast.get_docstring(function) else 0
    return (function.end_lineno or function.lineno) - function.lineno + 1 - docstring


def test_a_file_holds_one_idea() -> None:
    lengths = {in_project(file): len(file.read_text(encoding="utf-8").splitlines()) for file in PROGRAMS}

    assert {file: lines for file, lines in lengths.items() if lines > LINES_IN_A_FILE_MAX} == {}


def test_a_function_fits_a_screen() -> None:
    functions = [(file, node) for file in PROGRAMS for node in named(file) if not isinstance(node, ast.ClassDef)]
    lengths = {f"{in_project(file)}:{node.name}": lines_of(node) for file, node in functions}

    assert {function: lines for function, lines in lengths.items() if lines > LINES_IN_A_FUNCTION_MAX} == {}


def test_names_say_what_a_thing_is() -> None:
    names = {(in_project(file), name) for file in SOURCES for name in (file.stem, *(node.name for node in named(file)))}

    assert {
        (file, name) for file, name in names if EMPTY_WORDS & set(words(name)) or words(name)[:1] == ["process"]
    } == set()


def test_nothing_names_the_machine_it_was_written_on() -> None:
    places = ["/" + "work/", "/" + "root/", "/" + "tmp/"]
    texts = {in_project(file): file.read_text(encoding="utf-8") for file in [*PROGRAMS, *PAGES]}

    assert [(file, place) for file, text in texts.items() for place in places if place in text] == []


def test_nothing_but_what_serves_tests_reads_xml_or_unpickles() -> None:
    """An answer is JSON; what a parser of XML may fetch or unfold, and what a pickle may run, has no way in."""
    unsafe = {"xml", "defusedxml", "lxml", "pickle", "marshal", "shelve"}
    found: set[str] = set()
    for path in SOURCES:
        if path.relative_to(PACKAGE).parts[0] in {"simulator", "testing"}:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found |= {f"{path.name} imports {name}" for name in names if name.partition(".")[0] in unsafe}

    assert found == set()


def test_the_public_names_are_a_literal_and_all_there() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    lists = [
        statement.value
        for statement in tree.body
        if isinstance(statement, ast.Assign | ast.AnnAssign) and "__all__" in ast.unparse(statement).partition("=")[0]
    ]

    assert len(lists) == 1
    names = ast.literal_eval(lists[0]) if lists[0] is not None else []
    asked_for = f"import xerosync; print([name for name in {names!r} if not hasattr(xerosync, name)])"
    assert printed(asked_for) == "[]"


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert printed(f"import sys, xerosync; print(sorted({HEAVY!r} & sys.modules.keys()))") == "[]"


def printed(program: str) -> str:
    """What *program* prints in a Python of its own."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program], check=True, capture_output=True, text=True, timeout=60
    ).stdout.strip()
