"""The page on layers shows those that the contracts hold."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).parents[2]


def test_the_page_shows_the_layers_of_the_contract_from_top_to_bottom() -> None:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = settings["tool"]["importlinter"]["contracts"][0]
    page = (PROJECT / "docs" / "concepts" / "layers.md").read_text(encoding="utf-8")
    diagram = page.partition("```text\n")[2].partition("```")[0]

    # Each line is: what it is for, two blanks or more, its rooms, two blanks or more, what they hold.
    shown = [re.split(r"\s{2,}", line.strip())[1] for line in diagram.splitlines()]

    held = " ".join(layer for layer in contract["layers"] if layer != "_version")
    assert re.findall(r"\w+", " ".join(shown)) == re.findall(r"\w+", held)
