"""The picture of `tests.benchmarks.growth`, in docs/_static. It needs ``pip install 'xerosync[pictures]'``."""

# As in xerosync.pictures: Matplotlib says the types of all but what its keywords may hold besides.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

# Okabe and Ito's colours, as in xerosync.pictures; a mark of its own says it once more.
_LOOKS: Final = {
    "match": ("#009E73", "o"),
    "import": ("#0072B2", "s"),
    "import in pages": ("#56B4E9", "^"),
    "settle": ("#E69F00", "D"),
    "reconcile": ("#D55E00", "v"),
}
_GREY: Final = "#BBBBBB"


def draw(figures: Mapping[int, Mapping[str, tuple[float, float]]], file: Path) -> None:
    """Draw the seconds and the MB of each work against the size, into an SVG *file*."""
    fonts = ["DejaVu Sans", "Verdana", "sans-serif"]
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "xerosync", "font.sans-serif": fonts}):
        picture = Figure(figsize=(10.5, 4.6), layout="constrained")
        times, memory = picture.subplots(1, 2)
        _draw(times, "seconds of processor time", {size: _each(works, 0) for size, works in figures.items()})
        _draw(memory, "MB more than before, at the peak", {size: _each(works, 1) for size, works in figures.items()})
        times.legend(loc="upper left", frameon=False)
        picture.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    file.write_text("\n".join(line.rstrip() for line in file.read_text("utf-8").splitlines()) + "\n", "utf-8")


def _each(works: Mapping[str, tuple[float, float]], which: int) -> dict[str, float]:
    return {name: figures[which] for name, figures in works.items()}


def _draw(axes: Axes, measured_in: str, figures: Mapping[int, Mapping[str, float]]) -> None:
    sizes = sorted(figures)
    axes.set_xscale("log")
    axes.set_yscale("log")
    for name, (colour, mark) in _LOOKS.items():
        heights = [figures[size][name] for size in sizes]
        axes.plot(sizes, heights, color=colour, marker=mark, linewidth=1.8, label=name)
        axes.plot(sizes, [heights[-1] * size / sizes[-1] for size in sizes], color=_GREY, linewidth=0.8, zorder=0)
    axes.plot([], [], color=_GREY, linewidth=0.8, label="a straight line to the last")
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes], minor=False)
    axes.xaxis.set_minor_formatter(_said(lambda _: ""))
    axes.yaxis.set_major_formatter(_said(lambda height: f"{height:,g}"))
    axes.set_xlabel("invoices")
    axes.set_title(measured_in, loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)


def _said(text: Callable[[float], str]) -> FuncFormatter:
    return FuncFormatter(lambda height, _: text(height))
