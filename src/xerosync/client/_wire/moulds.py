"""
The quickest way from a page of rows to its documents: the parser pours each row into a mould laid out as its model is.

A mould is written from the model's fields, as the functions of `fast` are, and takes even less that is odd: no field
that it was not made for, no value of another kind. Then the parser says no to the page, whose rows are read one by one
by those functions. They remember the fields that no model has, and the next mould is made for these, too.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NewType, cast, get_args, get_origin

import attrs
import msgspec
from attrs import frozen

from xerosync.client._wire import dates
from xerosync.client._wire.fast import MET, Unfit, number, plain_fields, told_beside, twin
from xerosync.client._wire.names import OURS, is_told, wire_name
from xerosync.models import OpenEnum, Shape
from xerosync.models.base import NO_EXTRA


class Mould(msgspec.Struct, gc=False):
    """One row; what stands in it bears Xero's names."""

    def get(self, name: str, /) -> object:
        """What stands in it under *name*; None if nothing does."""
        return getattr(self, name, None)

    def document(self) -> object:
        """What the row stands for. Raises anything at all where the detailed converter is to be asked."""
        raise NotImplementedError


def mould(kind: type) -> type[Mould]:
    """
    The mould for rows of *kind*; it is made anew when fields have been met meanwhile that nobody knew.

    Raises `Unfit` for a class that is more than its fields, or holds such a one.
    """
    age = sum(map(len, tuple(MET.values())))
    made = _LAST.get(kind)
    if made is None or made[0] != age:
        made = _LAST[kind] = (age, _MOULDS[_made(kind, age)])
    return made[1]


@frozen
class _Part:
    """A field of a mould: Xero's name of it, what is *poured* in, and how that gets to its place in the document."""

    wire: str
    poured: object
    lines: Sequence[str]


_LAST: Final[dict[type, tuple[int, type[Mould]]]] = {}
_NAMES: Final[dict[tuple[type, int], str]] = {}
_MOULDS: Final[dict[str, type[Mould]]] = {}
"""All moulds by their names, by which they name each other."""
_SCOPE: Final[Mapping[str, object]] = {
    "Decimal": Decimal, "NO_EXTRA": NO_EXTRA, "ROW": Shape.ROW, "day": dates.day, "instant": dates.instant,
    "new": object.__new__, "number": number,
}  # fmt: skip
"""What the functions written here name."""


def _made(kind: type, age: int) -> str:
    """The name of the mould for a *kind* at this *age*; all moulds that it names are made, too."""
    name = f"{kind.__name__}_{len(_NAMES)}"
    known = _NAMES.setdefault((kind, age), name)
    if known != name:
        return known
    try:
        _MOULDS[name] = _mould(kind, name, age)
    except Unfit:
        del _NAMES[kind, age]
        raise
    return name


def _mould(kind: type, name: str, age: int) -> type[Mould]:
    fields, hints = plain_fields(kind)
    parts = [_part(each, hints[each.name], age) for each in fields if each.name not in OURS]
    names = [part.wire for part in parts]
    others = [*told_beside(names), *(each for each in tuple(MET.get(kind, ())) if each not in names)]
    renamed = {f"other_{place}": each for place, each in enumerate(dict.fromkeys(others))}
    scope: dict[str, object] = {}
    exec(  # noqa: S102 - made of our own classes' fields, and of names that are written as texts
        _document(parts, renamed, has_shape=any(each.name == "shape" for each in fields)),
        {**_SCOPE, "twin": twin(kind), "kind": kind},
        scope,
    )
    made = msgspec.defstruct(
        name,
        [*((part.wire, part.poured, None) for part in parts), *((attribute, Any, None) for attribute in renamed)],
        bases=(Mould,),
        namespace=scope,
        module=__name__,
        rename=renamed,
        gc=False,
        forbid_unknown_fields=True,
    )
    return cast(type[Mould], made)


def _document(parts: Sequence[_Part], others: Mapping[str, str], *, has_shape: bool) -> str:
    """The text of a mould's method of that name; *others* are the names of what is no field of the model."""
    extras = {attribute: name for attribute, name in others.items() if not is_told(name)}
    body = [
        "it = new(twin)",
        *(line for part in parts for line in part.lines),
        *(["extra = {}"] if extras else []),
        *(f"if m.{attribute} is not None: extra[{name!r}] = m.{attribute}" for attribute, name in extras.items()),
        f"it.extra = {'extra or NO_EXTRA' if extras else 'NO_EXTRA'}",
        *(["it.shape = ROW"] if has_shape else []),
        "it.__class__ = kind",
        "return it",
    ]
    return "\n    ".join(["def document(m):", *body])


def _part(each: attrs.Attribute[Any], hint: object, age: int) -> _Part:
    name = wire_name(each)
    place, v = f"it.{each.name}", f"m.{name}"
    if get_origin(hint) is tuple and each.default == ():
        (inside, *_) = get_args(hint)
        if inside is str:
            return _Part(name, tuple[str, ...] | None, [f"{place} = {v} or ()"])
        poured = f"tuple[_MOULDS[{_made(inside, age)!r}], ...] | None"
        return _Part(name, poured, [f"{place} = tuple([each.document() for each in {v}]) if {v} else ()"])
    parts = [part for part in get_args(hint) if part is not type(None)]
    if each.default is not None or len(parts) != 1:
        raise Unfit
    return _one(name, parts[0], place, age)


def _one(name: str, kind: object, place: str, age: int) -> _Part:
    """The part for one value of *kind*, or none."""
    if isinstance(kind, NewType):
        kind = kind.__supertype__
    if kind in {str, int, bool} or (isinstance(kind, type) and issubclass(kind, OpenEnum)):
        return _Part(name, kind | None, [f"{place} = m.{name}"])
    taken = f"v = m.{name}"
    if kind is Decimal:
        # Poured as it is: so its numbers are made by the parser's own hook, which refuses what money cannot be.
        return _Part(name, Any, [taken, "if v is not None and type(v) is not Decimal: v = number(v)", f"{place} = v"])
    if kind is datetime.date or kind is datetime.datetime:
        read = "day" if kind is datetime.date else "instant"
        return _Part(name, str | None, [taken, f"{place} = v if v is None else {read}(v)"])
    if isinstance(kind, type) and attrs.has(kind):
        poured = f"_MOULDS[{_made(kind, age)!r}] | None"
        return _Part(name, poured, [taken, f"{place} = v if v is None else v.document()"])
    raise Unfit
