"""
The code on every page of the docs runs, as a reader would run it, and prints what the page says.

A page is one test: its ``python`` blocks share a namespace and run in order, in an empty directory. What one prints is
shown as a comment behind or below its ``print``, which must be one of the lines printed, or in a ``text`` block right
below it, which must be all of them. Each command of its ``console`` blocks (``$ python …``) must succeed and print what
the page shows. Three dots stand for anything, and ``$BOOKS`` for a variable of the environment. A command that ends in
``&`` serves until the end of the page, once it has printed a line. A block in an HTML comment sets the stage: it runs,
and the reader does not see it.

The README's block needs a stage too large for its one screen: test_readme.py runs it.

Sybil and pytest-markdown-docs make every block a test of its own, which xdist then spreads over processes that do not
share what an earlier block of the page has made.
"""

from __future__ import annotations

import logging
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Final

import pytest
from attrs import frozen

PROJECT: Final = Path(__file__).parents[2]
PAGES: Final = sorted((PROJECT / "docs").rglob("*.md"))

_BLOCK: Final = re.compile(
    r"^( *)```(python|console)\n(.*?)^\1```$(?:\n\n```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL
)
_SAID: Final = re.compile(r"^ *print\(.*\)(?:  |\n *)# (.+)$", re.MULTILINE)
_COMMAND: Final = re.compile(r"^\$ ((?:.+\\\n)*.+)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


@frozen
class Block:
    """
    One fenced block: its language, its text, the line of the page that its text begins on, and what it shall print.
    """

    language: str
    text: str
    line: int
    shown: str


def blocks(page: str) -> Iterator[Block]:
    for found in _BLOCK.finditer(page):
        lines = found[3].splitlines(keepends=True)
        text = "".join(line.removeprefix(found[1]) for line in lines)
        yield Block(found[2], text, page.count("\n", 0, found.start(3)) + 1, found[4] or "")


def run_page(page: Path, *, directory: Path) -> None:
    namespace: dict[str, object] = {"__name__": "__main__"}
    servers: list[subprocess.Popen[str]] = []
    # A page may show how to listen to our logger; tests that come after it in this process must not be heard by it.
    log = logging.getLogger("xerosync")
    handlers, level = [*log.handlers], log.level
    try:
        for block in blocks(page.read_text(encoding="utf-8")):
            if block.language == "python":
                run_block(block, page, namespace)
            else:
                servers += [server for command in _COMMAND.finditer(block.text) for server in run(command, directory)]
    finally:
        log.handlers[:] = handlers
        log.setLevel(level)
        for server in servers:
            server.terminate()
            server.communicate(timeout=10)


def run_block(block: Block, page: Path, namespace: dict[str, object]) -> None:
    """Run a ``python`` *block* of *page* and compare what it prints."""
    # Blank lines before the code, so that a traceback names the line of the page.
    code = compile("\n" * (block.line - 1) + block.text, str(page), "exec", dont_inherit=True)
    printed = StringIO()
    with redirect_stdout(printed):
        exec(code, namespace)  # noqa: S102  # the page is ours, and to run it is the test
    lines = iter(printed.getvalue().splitlines())
    for said in _SAID.findall(block.text):
        assert said in lines, f"line {block.line} of {page.name} says {said!r}, but printed was\n{printed.getvalue()}"
    assert_shown(block.shown, printed.getvalue(), f"line {block.line} of {page.name}")


def assert_shown(shown: str, printed: str, what: str) -> None:
    """Compare what *what* *printed* with what the page shows, if it shows anything."""
    if not shown.strip():
        return
    pattern = ".*".join(map(re.escape, shown.strip().split("...")))
    stripped = "\n".join(line.rstrip() for line in printed.strip().splitlines())
    assert re.fullmatch(pattern, stripped, re.DOTALL), f"{what} printed\n{printed}"


def run(command: re.Match[str], directory: Path) -> Iterator[subprocess.Popen[str]]:
    """Run *command* and compare what it prints; yield it if it goes on serving."""
    program, *rest = shlex.split(command[1].replace("\\\n", " "), comments=True)
    assert program == "python", f"a console block runs python, not {program}"
    served = rest[-1:] == ["&"]
    words = [os.path.expandvars(word) for word in rest if word != "&"]
    arguments = [str(PROJECT / word) if word.startswith("docs/examples/") else word for word in words]
    environment = {**os.environ, "COLUMNS": "120", "PYTHONIOENCODING": "utf-8"}
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if served else None,
        text=True,
        encoding="utf-8",
    )
    assert process.stdout is not None
    if served:
        yield process
        assert process.stdout.readline(), f"{command[1]} ended without a word"
        return
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 0, f"{command[1]} ended with {process.returncode}"
    assert_shown(command[2], printed, command[1])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_the_code_on_the_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    run_page(page, directory=tmp_path)


def page_with(text: str, directory: Path) -> Path:
    page = directory / "page.md"
    page.write_text(text, encoding="utf-8")
    return page


def test_blocks_share_a_namespace_and_hidden_ones_set_the_stage(tmp_path: Path) -> None:
    page = page_with("<!--\n```python\nowed = 2\n```\n-->\n\n```python\nassert owed == 2\n```\n", tmp_path)

    run_page(page, directory=tmp_path)


def test_a_block_that_fails_names_its_line_of_the_page(tmp_path: Path) -> None:
    page = page_with("# Title\n\n```python\npaid = 1\nassert paid == 2\n```\n", tmp_path)

    with pytest.raises(AssertionError) as failure:
        run_page(page, directory=tmp_path)

    assert (Path(failure.traceback[-1].path), failure.traceback[-1].lineno + 1) == (page, 5)


@pytest.mark.parametrize(
    "text",
    [
        "```python\nprint(120)  # 119\n```\n",
        "```python\nprint(120)\n# 119\n```\n",
        "```python\nprint(120)  # 120\nprint(119)  # 120\n```\n",
        "```python\nprint(120)\n```\n\n```text\n119\n```\n",
        "```python\nprint('owed')\nprint(120)\n```\n\n```text\n120\n```\n",
    ],
)
def test_a_block_that_prints_something_else_than_the_page_says_fails_it(text: str, tmp_path: Path) -> None:
    page = page_with(text, tmp_path)

    with pytest.raises(AssertionError):
        run_page(page, directory=tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "```python\nprint('owed\\n120')  # 120\nprint(119)  # 119\n```\n",
        "```python\nprint('owed')\nprint(120)\n```\n\n```text\n...\n120\n```\n",
        "```python\nprint(120)\n```\n\nAnd now for:\n\n```text\n119\n```\n",
    ],
)
def test_a_block_prints_what_the_page_says(text: str, tmp_path: Path) -> None:
    page = page_with(text, tmp_path)

    run_page(page, directory=tmp_path)


@pytest.mark.parametrize("shown", ["owed\n120.00\n", "...\n120.00\n", "owed\n...\n", ""])
def test_a_command_prints_what_the_page_shows(shown: str, tmp_path: Path) -> None:
    page = page_with(f"```console\n$ python \\\n  -c \"print('owed\\n120.00')\"\n{shown}```\n", tmp_path)

    run_page(page, directory=tmp_path)


@pytest.mark.parametrize("command", ["python -c 'print(119)'", "python -c 'raise SystemExit(1)'", "rm books.db"])
def test_a_command_that_fails_or_prints_something_else_fails_the_page(command: str, tmp_path: Path) -> None:
    page = page_with(f"```console\n$ {command}\n120.00\n```\n", tmp_path)

    with pytest.raises(AssertionError):
        run_page(page, directory=tmp_path)


def test_a_command_in_the_background_serves_to_the_end_of_the_page(tmp_path: Path) -> None:
    page = page_with(
        "```console\n$ python -u -c \"import time; print('listening'); time.sleep(60)\" &\n```\n\n"
        "```python\nreached = True\n```\n",
        tmp_path,
    )

    run_page(page, directory=tmp_path)
