"""
Draws docs/_static/life-of-a-write.svg from the engine's table of states: ``python docs/_ext/life_cycle.py``.

The states stand in a row; what leads on is an arc above it, what leads back one below. A test holds the picture to the
table.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Final

from xerosync.engine.states import MOVES, OPEN, State

PICTURE: Final = Path(__file__).parents[1] / "_static" / "life-of-a-write.svg"

_STEP: Final = 100
_HEIGHT: Final = 30
_AIR: Final = 44
_STATES: Final = tuple(State)

_HEAD: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" font-family="sans-serif"
     font-size="14" text-anchor="middle" fill="none" stroke="#777">
<title>The life of a write: its states, and which may follow which</title>
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 0 8 4 0 8z" fill="#777" stroke="none"/></marker></defs>
"""


def drawn() -> str:
    """The picture as the table has it now."""
    spans = [abs(_STATES.index(after) - _STATES.index(before)) for before, moves in MOVES.items() for after in moves]
    middle = _AIR + max(spans) * _STEP // 4
    head = _HEAD.format(width=len(_STATES) * _STEP, height=2 * middle)
    return head + "\n".join([*_arcs(middle), *_boxes(middle), "</svg>\n"])


def _arcs(middle: int) -> Iterator[str]:
    for before, moves in MOVES.items():
        for after, why in moves.items():
            start, end = _place(before), _place(after)
            leads_on = end > start
            # Side by side where they touch a box, so that each arrow can be told from the others.
            x1, x2 = (start + 12, end - 8) if leads_on else (start - 12, end + 8)
            edge = middle - _HEIGHT // 2 if leads_on else middle + _HEIGHT // 2
            radius = abs(x2 - x1) / 2
            arc = f"M{x1} {edge}A{radius:g} {radius / 2:g} 0 0 1 {x2} {edge}"
            said = escape(f"{before} to {after}: {why}")
            yield f'<path d="{arc}" marker-end="url(#tip)"><title>{said}</title></path>'


def _boxes(middle: int) -> Iterator[str]:
    for state in _STATES:
        fill = "#e8f0fa" if state in OPEN else "#fff"
        x, y = _place(state) - 42, middle - _HEIGHT // 2
        yield f'<rect x="{x}" y="{y}" width="84" height="{_HEIGHT}" rx="6" fill="{fill}"/>'
        yield f'<text x="{_place(state)}" y="{middle + 5}" fill="#222" stroke="none">{state}</text>'


def _place(state: State) -> int:
    return _STATES.index(state) * _STEP + _STEP // 2


if __name__ == "__main__":
    PICTURE.write_text(drawn(), encoding="utf-8")
