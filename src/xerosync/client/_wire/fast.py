"""
The quick way from a parsed row to a document: one straight-line function for each model, written from its fields.

It takes what Xero's answers are made of, and nothing odd: a function that raises anything has said no more than "ask
the detailed converter of `codec`", which either takes the row all the same or says where it cannot be read. So what is
told here is how a field that is as it should be gets into its place, and a test holds both ways to the same result.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, Final, NewType, TypeVar, cast, get_args, get_origin, get_type_hints

import attrs

from xerosync.client._wire import dates
from xerosync.client._wire.names import OURS, TOLD, is_told, wire_name
from xerosync.models import OpenEnum, Shape
from xerosync.models.base import NO_EXTRA

T = TypeVar("T")
Reader = Callable[[dict[str, object]], T]

_TOO_LARGE: Final = 10**30
_MET_MAX: Final = 40
"""Names of unknown fields that are remembered of one model; a few more may slip in with the last row."""
_NAME: Final = re.compile(r"[A-Za-z]\w{,60}", re.ASCII)
"""A name as Xero gives them; a row with any other is an oddity that need not be quick."""


class Unfit(Exception):
    """This value is for the detailed converter."""


def reader(kind: type[T]) -> Reader[T]:
    """
    The function that makes a *kind* of a row; it is written when it is first called.

    Raises `Unfit` for a class that is more than its fields, beside what the row makes it raise.
    """
    if kind not in _READERS:
        name = f"read_{kind.__name__}"
        if name in _SCOPE:
            name += f"_{len(_READERS)}"

        def at_first(row: dict[str, object]) -> object:
            # Documents stand inside each other: those that no answer holds are never written.
            if _READERS[kind] is at_first:
                exec("\n".join(_lines(kind, name)), _SCOPE)  # noqa: S102 - made of our own classes' fields alone
                _READERS[kind] = cast(Reader[object], _SCOPE[name])
            return _READERS[kind](row)

        _READERS[kind] = _SCOPE[name] = at_first
        _CALLED[kind] = name
    return cast("Reader[T]", _READERS[kind])


def number(value: object) -> Decimal:
    """An amount that is no `Decimal` yet: a whole number."""
    if type(value) is not int or abs(value) >= _TOO_LARGE:
        raise Unfit
    return Decimal(value)


def texts(values: object) -> tuple[str, ...]:
    """A list of texts."""
    if any(type(each) is not str for each in cast(list[object], values)):
        raise Unfit
    return tuple(cast(list[str], values))


def unknown(full: Mapping[str, object], known: int, met: dict[str, None]) -> Mapping[str, object]:
    """What stands in *full* behind its *known* first fields, and is told nowhere else; its names are *met* now."""
    rest = dict(islice(full.items(), known, None))
    if len(met) < _MET_MAX:
        met.update(dict.fromkeys(filter(_NAME.fullmatch, rest)))
    return {name: value for name, value in rest.items() if value is not None and not is_told(name)} or NO_EXTRA


def plain_fields(kind: type) -> tuple[Sequence[attrs.Attribute[Any]], Mapping[str, object]]:
    """The fields of *kind*, and what each holds. Raises `Unfit` for a class that is more than its fields."""
    fields = attrs.fields(cast(type[attrs.AttrsInstance], kind))
    if hasattr(kind, "__attrs_post_init__") or any(each.validator or each.converter for each in fields):
        raise Unfit
    return fields, get_type_hints(kind)


def told_beside(names: Sequence[str]) -> list[str]:
    """What may stand beside fields of these *names*, and says what is told elsewhere."""
    return sorted({*TOLD, *(f"{each}String" for each in names if is_told(f"{each}String"))}.difference(names))


def twin(kind: type) -> type:
    """
    A class laid out as *kind* is, whose values can become values of it.

    Filling the slots of a frozen class costs a call a field. A class of the same slots that is not frozen takes plain
    assignments, and Python lets the value change over to the real one.
    """
    return type(kind.__name__, kind.__bases__, {"__slots__": cast(Any, kind).__slots__})


_READERS: Final[dict[type, Reader[object]]] = {}
_CALLED: Final[dict[type, str]] = {}
MET: Final[dict[type, dict[str, None]]] = {}
"""The names of fields that stood in a model's rows, though the model has none such."""
_SCOPE: Final[dict[str, object]] = {
    "Decimal": Decimal, "NO_EXTRA": NO_EXTRA, "ROW": Shape.ROW, "Unfit": Unfit, "day": dates.day,
    "instant": dates.instant, "new": object.__new__, "number": number, "texts": texts, "unknown": unknown,
}  # fmt: skip
"""What the functions written here name: each other too."""


def _lines(kind: type, name: str) -> list[str]:
    """The text of the function *name* that reads a *kind*."""
    fields, hints = plain_fields(kind)
    filled = [each for each in fields if each.name not in OURS]
    names = [wire_name(each) for each in filled]
    told = told_beside(names)
    _SCOPE[f"twin_{name}"], _SCOPE[f"kind_{name}"] = twin(kind), kind
    _SCOPE[f"absent_{name}"] = dict.fromkeys([*names, *told])
    _SCOPE[f"met_{name}"] = MET.setdefault(kind, {})
    known = len(names) + len(told)
    ours = {
        "extra": f"it.extra = NO_EXTRA if len(full) == {known} else unknown(full, {known}, met_{name})",
        "shape": "it.shape = ROW",
    }
    body = [
        # Our fields come first and in our order, whatever the row's; what nobody knows comes behind them.
        f"full = absent_{name} | row",
        f"{', '.join(f'v{place}' for place in range(len(names)))}, *_ = full.values()",
        f"it = new(twin_{name})",
        *(line for place, each in enumerate(filled) for line in _lines_of(each, hints[each.name], f"v{place}")),
        *(ours[each.name] for each in fields if each.name in OURS),
        f"it.__class__ = kind_{name}",
        "return it",
    ]
    return [f"def {name}(row):", *(f"    {line}" for line in body)]


def _lines_of(each: attrs.Attribute[Any], hint: object, v: str) -> list[str]:
    """The lines that put one field, which came as *v*, into ``it``."""
    place = f"it.{each.name}"
    if get_origin(hint) is tuple and each.default == ():
        (inside, *_) = get_args(hint)
        made = f"texts({v})" if inside is str else f"tuple(map({_called(inside)}, {v}))"
        return [
            f"if not {v}: {place} = ()",
            f"else: {place} = {made}",
            # An object where a list is due is no empty list.
            f"if {v} is not None and type({v}) is not list: raise Unfit",
        ]
    parts = [part for part in get_args(hint) if part is not type(None)]
    if each.default is not None or len(parts) != 1:
        raise Unfit
    return [_one(parts[0], v), f"{place} = {v}"]


def _one(kind: object, v: str) -> str:
    """The line that turns *v* into the *kind* it stands for."""
    if isinstance(kind, NewType):
        kind = kind.__supertype__
    if kind in {str, int, bool}:
        return f"if {v} is not None and type({v}) is not {cast(type, kind).__name__}: raise Unfit"
    if kind is Decimal:
        return f"if {v} is not None and type({v}) is not Decimal: {v} = number({v})"
    if kind is datetime.date:
        return f"if {v} is not None: {v} = day({v})"
    if kind is datetime.datetime:
        return f"if {v} is not None: {v} = instant({v})"
    if isinstance(kind, type) and issubclass(kind, OpenEnum):
        _SCOPE[f"word_{kind.__name__}"], _SCOPE[f"words_{kind.__name__}"] = kind, kind._value2member_map_.get
        return f"if {v} is not None: {v} = words_{kind.__name__}({v}) or word_{kind.__name__}({v})"
    if isinstance(kind, type) and attrs.has(kind):
        return f"if {v} is not None: {v} = {_called(kind)}({v})"
    raise Unfit


def _called(kind: type) -> str:
    reader(kind)
    return _CALLED[kind]
