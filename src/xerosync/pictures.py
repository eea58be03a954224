"""
Pictures for whoever keeps the books, and for your own pages. It needs ``pip install 'xerosync[pictures]'``.

Each is drawn of a series that `xerosync.series` makes, and returned as a figure of Matplotlib's that shows itself in a
notebook and is saved by ``savefig("clearing.svg")``. No window opens and nothing global is changed. Amounts are exact
until they become places on the paper, and the texts beside them are exact. Nothing else of xerosync imports this
module.
"""

# Matplotlib says the types of all but what its keywords may hold besides, which it hands on from one to the other.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import datetime
from collections.abc import Sequence
from io import BytesIO
from typing import Final

try:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import PathPatch, Rectangle
    from matplotlib.path import Path
    from matplotlib.ticker import FuncFormatter
except ImportError as _missing:
    raise ImportError("Matplotlib is not installed: pip install 'xerosync[pictures]'") from _missing

from attrs import frozen

from xerosync.errors import InvalidInput
from xerosync.money import Money
from xerosync.series import Ageing, BalanceOn, MoneyFlow

# Okabe and Ito's colours, which people with any kind of colour vision tell apart; a hatch or a text says it once more.
_BLUE: Final = "#0072B2"
_SKY: Final = "#9CCBEB"
_ORANGE: Final = "#E69F00"
_VERMILION: Final = "#D55E00"
_GREEN: Final = "#009E73"
_GREY: Final = "#8A8A8A"
_INK: Final = "#222222"
_STEPS: Final = (1, 2, 7, 14, 28)
"""After how many days a day is named, so that they are ten at most."""
_TICKS: Final = 10
_PAPER: Final = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1.5}
"""What lies behind a text, so that whatever is drawn there does not cross it out."""
_AGES: Final = (_GREEN, _SKY, _BLUE, _ORANGE, _VERMILION)


class Picture(Figure):
    """A figure of Matplotlib's that a notebook shows by itself, whatever its backend."""

    def _repr_png_(self) -> bytes:
        """What a notebook shows."""
        drawn = BytesIO()
        self.savefig(drawn, format="png", dpi=110)
        return drawn.getvalue()


def draw_balance(days: Sequence[BalanceOn], *, title: str = "Clearing account") -> Picture:
    """
    A clearing account over time: its balance, the band of it that was in flight, and hatched what was not.

    *days* are those of `balance_by_day`. Raises `InvalidInput` when there are none.
    """
    if not days:
        raise InvalidInput("days", "give those that balance_by_day() makes of a statement")
    picture, axes = _sheet(f"{title}, {_day(days[0].on)} to {_day(days[-1].on)}")
    on = _days_along(axes, days)
    balance, in_flight = [_place(each.balance) for each in days], [_place(each.in_flight) for each in days]
    axes.fill_between(on, in_flight, step="post", color=_SKY, linewidth=0, label="in flight")
    if any(each.exceptions for each in days):
        apart = [each.balance != each.in_flight for each in days]
        axes.fill_between(
            on,
            balance,
            in_flight,
            step="post",
            facecolor="none",
            edgecolor=_VERMILION,
            hatch="////",
            linewidth=0,
            label="exceptions",
            where=[here or before for here, before in zip(apart, [False, *apart[:-1]], strict=True)],
        )
    axes.step(on, balance, where="post", color=_INK, linewidth=1.8, label="balance in Xero")
    axes.axhline(0, color=_INK, linewidth=0.8)
    _amounts_upward(axes, days[0].balance.currency, "balance at the end of the day")
    last = days[-1].balance
    below = last.amount < 0  # on the side of the line where nothing is drawn
    axes.annotate(
        str(last),
        (on[-1], balance[-1]),
        xytext=(-4, -7 if below else 7),
        textcoords="offset points",
        ha="right",
        va="top" if below else "bottom",
        color=_INK,
        fontweight="bold",
        bbox=_PAPER,
    )
    axes.margins(y=0.14)
    # Beneath the axis, since the line may go anywhere above it.
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.16), frameon=False, ncols=3)
    return picture


def draw_ageing(aged: Ageing, *, title: str = "Open") -> Picture:
    """How old what is open is: a bar for each band of `ageing`, with its amount and its count of documents."""
    picture, axes = _sheet(f"{title} on {_day(aged.on)}: {aged.total}")
    ages = [band.age for band in aged.bands]
    bars = axes.bar(ages, [_place(band.amount) for band in aged.bands], color=_AGES, edgecolor=_INK, linewidth=0.6)
    said = [f"{band.amount}\n{band.count:,} open" for band in aged.bands]
    axes.bar_label(bars, labels=said, padding=3, color=_INK, fontsize=9)
    axes.axhline(0, color=_INK, linewidth=0.8)
    axes.margins(y=0.18)
    _amounts_upward(axes, aged.total.currency, "open")
    axes.set_xlabel("past the day on which it was due")
    return picture


def draw_flow(flow: MoneyFlow, *, title: str = "Where the money is") -> Picture:
    """
    Where money waits between the invoice and the bank: each band as wide as its amount.

    Raises `InvalidInput` when nothing was asked for.
    """
    if not flow.asked_for.amount > 0:
        raise InvalidInput("flow", "give one of transactions that ask for something")
    picture, axes = _sheet(title)
    axes.set_axis_off()
    lowest = _draw_flow(axes, *_stages(flow), 1 / _place(flow.asked_for))
    axes.set_xlim(-0.02, 2.75)
    axes.set_ylim(lowest, 1.02)
    # The longer a column, the larger the sheet: texts are as high on each, and would run into each other else.
    picture.set_figheight(0.5 + _INCHES_HIGH * (1.02 - lowest))
    return picture


@frozen
class _Place:
    """Where money is: a bar in the column number *column*, as high as its *amount*."""

    name: str
    amount: Money
    column: int
    colour: str


@frozen
class _Band:
    """The *amount* that went from one place to another, by their names."""

    source: str
    target: str
    amount: Money


def _stages(flow: MoneyFlow) -> tuple[list[_Place], list[_Band]]:
    """The bars and bands of *flow*; what is below zero came from elsewhere, as a band has no negative width."""
    asked = "asked for"
    onward = [
        _Place("in the bank", flow.in_bank, 2, _GREEN),
        _Place("waits in the clearing account", flow.in_clearing, 2, _BLUE),
        _Place("fees", flow.fees, 2, _GREY),
        _Place("other, see the reconciliation", flow.other, 2, _VERMILION),
    ]
    elsewhere = -Money.total((each.amount for each in onward if each.amount.amount < 0), flow.asked_for.currency)
    collected = "collected, or from elsewhere" if elsewhere else "collected"
    gone_on = [each for each in onward if each.amount.amount > 0]
    waits = [
        _Place("waits to be collected", flow.to_collect, 1, _ORANGE),
        _Place("declined, taken back or called off", flow.ended, 1, _GREY),
    ]
    places = [
        _Place(asked, flow.asked_for, 0, _INK),
        _Place("from elsewhere", elsewhere, 0, _VERMILION),
        _Place(collected, flow.collected + elsewhere, 1, _SKY),
        *waits,
        *gone_on,
    ]
    bands = [
        _Band(asked, collected, flow.collected),
        *(_Band(asked, each.name, each.amount) for each in waits),
        _Band("from elsewhere", collected, elsewhere),
        *(_Band(collected, each.name, each.amount) for each in gone_on),
    ]
    there = [each for each in places if each.amount.amount > 0]
    names = {each.name for each in there}
    return there, [each for each in bands if each.amount.amount > 0 and {each.source, each.target} <= names]


_INCHES_HIGH: Final = 3.4
"""How high the bar of all that was asked for is on the sheet."""
_GAP: Final = 0.09
_WIDTH: Final = 0.09
_HIGH: Final = 0.12
"""How high a bar is beside which two lines of text find room."""


def _draw_flow(axes: Axes, places: Sequence[_Place], bands: Sequence[_Band], scale: float) -> float:
    """Draw *places* and *bands*, an amount of one *scale* high; how far down they reach."""
    tops: dict[int, float] = {}
    leaves: dict[str, float] = {}
    arrives: dict[str, float] = {}
    colours = {each.name: each.colour for each in places}
    columns = {each.name: each.column for each in places}
    for each in places:
        top = tops.get(each.column, 1.0)
        height = _place(each.amount) * scale
        leaves[each.name] = arrives[each.name] = top
        tops[each.column] = top - max(height, 0.03) - _GAP
        axes.add_patch(Rectangle((each.column, top - height), _WIDTH, height, facecolor=each.colour, linewidth=0))
        is_high = height > _HIGH
        axes.text(
            each.column + _WIDTH + 0.03,
            top - 0.02 if is_high else top - height / 2,
            f"{each.name}\n{each.amount}",
            va="top" if is_high else "center",
            color=_INK,
            fontsize=9,
            bbox=None if is_high else _PAPER,
        )
    for band in bands:
        width = _place(band.amount) * scale
        start, end = leaves[band.source], arrives[band.target]
        leaves[band.source], arrives[band.target] = start - width, end - width
        left, right = columns[band.source] + _WIDTH, float(columns[band.target])
        curve = _curve(left, start, right, end, width)
        axes.add_patch(PathPatch(curve, facecolor=colours[band.target], alpha=0.3, linewidth=0, zorder=0))
    return min(tops.values())


def _curve(left: float, start: float, right: float, end: float, width: float) -> Path:
    """The outline of a band from *left* to *right*, whose upper edge leads from *start* to *end*."""
    middle = (left + right) / 2
    corners = [
        (left, start),
        (middle, start),
        (middle, end),
        (right, end),
        (right, end - width),
        (middle, end - width),
        (middle, start - width),
        (left, start - width),
    ]
    bends = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3]
    return Path(corners, bends)


def _sheet(title: str) -> tuple[Picture, Axes]:
    """A sheet of paper with its *title*, and nothing on it."""
    picture = Picture(figsize=(8.4, 4.2), layout="constrained")
    axes = picture.add_subplot()
    # A dollar sign is one, and no formula.
    axes.set_title(title, loc="left", fontweight="bold", color=_INK, parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)
    return picture, axes


def _days_along(axes: Axes, days: Sequence[BalanceOn]) -> list[int]:
    """Where each of *days* is along the axis."""
    named = _named_days(days[0].on, days[-1].on)
    axes.set_xticks([on.toordinal() for on in named], list(named.values()))
    axes.set_xlabel("day")
    axes.margins(x=0.02)
    return [each.on.toordinal() for each in days]


def _named_days(first: datetime.date, last: datetime.date) -> dict[datetime.date, str]:
    """The days from *first* to *last* that are named below the axis: every so many days, or firsts of months."""
    span = (last - first).days
    step = next((each for each in _STEPS if span <= _TICKS * each), None)
    if step is not None:
        days = range(min(first.toordinal() + 1, last.toordinal()), last.toordinal() + 1, step)
        return {on: f"{on:%d %b}" for on in map(datetime.date.fromordinal, days)}
    months = range(first.year * 12 + first.month, last.year * 12 + last.month)
    firsts = (datetime.date(month // 12, month % 12 + 1, 1) for month in months[:: -(-len(months) // _TICKS)])
    return {on: f"{on:%b %Y}" for on in firsts}


def _amounts_upward(axes: Axes, currency: str, what: str) -> None:
    axes.set_ylabel(f"{what}, {currency}")
    axes.yaxis.set_major_formatter(FuncFormatter(_thousands))
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)


def _thousands(amount: float, _position: int | None) -> str:
    return f"{amount:,.0f}".replace("-", "−")


def _place(money: Money) -> float:
    """Where on the paper *money* stands: the one point at which an amount becomes a float."""
    return float(money.amount)


def _day(on: datetime.date) -> str:
    return f"{on.day} {on:%b %Y}"
