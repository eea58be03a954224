"""
The quick way from a document to Xero's JSON object: one straight-line function for each model, as in `fast`.

It writes what is as it should be. A function that raises anything has said no more than "ask the detailed way of
`outgoing`", which either writes the document all the same or says what is wrong with it.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, NewType, cast, get_args, get_origin

import attrs

from xerosync.client._wire.checks import check_extra
from xerosync.client._wire.fast import Unfit, plain_fields
from xerosync.client._wire.names import OURS, wire_name
from xerosync.models import OpenEnum
from xerosync.models.base import NO_EXTRA, Referred, own_id

Writer = Callable[[object], dict[str, object]]

_LONGEST: Final = 24
"""Characters of an amount that is certainly one."""
_DIGIT: Final = b"x"
_DIGITS: Final = b"0123456789abcdef"
_UUID: Final = b"-".join(_DIGIT * each for each in (8, 4, 4, 4, 12))
_TO_DIGITS: Final = bytes.maketrans(_DIGITS + _DIGIT, _DIGIT * len(_DIGITS) + b"?")
"""What makes of an id `_UUID`, and of no other text: it takes half the time of a regular expression."""
_IS_NO_ID: Final = "type(v) is not str or v.encode().translate(TO_DIGITS) != UUID"
_COUNT_MAX: Final = 2**31
_BLANK: Final = frozenset({type(None), bool, str, list, dict})
"""The kinds of what is nothing to Xero where it is empty, null or false, as most of what is not known here is."""


def writer(kind: type, *, to_write: bool) -> Writer:
    """
    The function that writes a *kind*, written when it is first asked for; *to_write*, without what Xero alone writes.

    Raises `Unfit` for a class that is more than its fields.
    """
    found = _WRITERS.get((kind, to_write))
    if found is None:
        found = _WRITERS[kind, to_write] = cast(Writer, _SCOPE[_called(kind, to_write=to_write)])
    return found


def extras(extra: object, known: frozenset[str]) -> Mapping[str, object]:
    """*extra*, checked to be what may stand beside the *known* fields."""
    named = cast("Mapping[str, object]", extra)
    said = named.values()
    says_nothing = not any(said) and _BLANK.issuperset(map(type, said))
    if not (says_nothing and "".join(named).isprintable() and known.isdisjoint(named)):
        check_extra(extra, known)
    return named


_WRITERS: Final[dict[tuple[type, bool], Writer]] = {}
_NAMES: Final[dict[tuple[type, bool], str]] = {}
_SCOPE: Final[dict[str, object]] = {
    "Decimal": Decimal, "Unfit": Unfit, "date": datetime.date, "datetime": datetime.datetime, "UTC": datetime.UTC,
    "NO_EXTRA": NO_EXTRA, "UUID": _UUID, "TO_DIGITS": _TO_DIGITS, "extras": extras,
}  # fmt: skip
"""What the functions written here name: each other too."""


def _called(kind: type, *, to_write: bool) -> str:
    """The name of the function that writes a *kind*; it is written, if it was not yet."""
    name = f"write_{kind.__name__}_{len(_NAMES)}"
    known = _NAMES.setdefault((kind, to_write), name)
    if known != name:
        return known
    try:
        text = "\n".join(_lines(kind, name, to_write=to_write))
    except Unfit:
        del _NAMES[kind, to_write]
        raise
    exec(text, _SCOPE)  # noqa: S102 - made of our own classes' fields alone
    return name


def _lines(kind: type, name: str, *, to_write: bool) -> list[str]:
    fields, hints = plain_fields(kind)
    ours = [each for each in fields if each.name not in OURS]
    _SCOPE[f"kind_{name}"], _SCOPE[f"known_{name}"] = kind, frozenset(map(wire_name, ours))
    body = [f"if type(it) is not kind_{name}: raise Unfit", "row = {}"]
    for each in ours:
        if not (to_write and each.metadata.get("read_only", False)):
            body += _lines_of(each, hints[each.name], to_write=to_write)
    if any(each.name == "extra" for each in fields):
        body.append(f"if it.extra is not NO_EXTRA and it.extra: row.update(extras(it.extra, known_{name}))")
    return [f"def {name}(it):", *(f"    {line}" for line in [*body, "return row"])]


def _lines_of(each: attrs.Attribute[Any], hint: object, *, to_write: bool) -> list[str]:
    """The lines that write one field."""
    place = f"row[{wire_name(each)!r}]"
    taken = f"v = it.{each.name}"
    if get_origin(hint) is tuple:
        (inside, *_) = get_args(hint)
        most = each.metadata.get("most", 0)
        bound = [f"    if len(v) > {most}: raise Unfit"] if most and to_write else []
        return [
            taken,
            "if v is not None and type(v) is not tuple: raise Unfit",
            *(["if v:", *bound] if bound else ["if v:"]),
            *_listed(inside, place, each, to_write=to_write),
        ]
    parts = [part for part in get_args(hint) if part is not type(None)]
    if len(parts) != 1:
        raise Unfit
    return [taken, "if v is not None:", *(f"    {line}" for line in _one(parts[0], place, each, to_write=to_write))]


def _listed(inside: object, place: str, each: attrs.Attribute[Any], *, to_write: bool) -> list[str]:
    if isinstance(inside, type) and attrs.has(inside):
        return [f"    {place} = [{_named(inside, to_write=to_write)}(each) for each in v]"]
    lines = _one(inside, "one", each, to_write=to_write)
    return [
        f"    {place} = made = []",
        "    for v in v:",
        *(f"        {line}" for line in [*lines, "made.append(one)"]),
    ]


def _one(kind: object, place: str, each: attrs.Attribute[Any], *, to_write: bool) -> list[str]:
    """The lines that write one value of *kind* to its *place*."""
    if isinstance(kind, NewType) and (kind.__name__ or "").endswith("Id"):
        return [f"if {_IS_NO_ID}: raise Unfit", f"{place} = v"]
    if isinstance(kind, type) and attrs.has(kind):
        return [f"{place} = {_named(kind, to_write=to_write)}(v)"]
    if kind is Decimal:
        # Written as people write amounts, what it says can be read again by anybody.
        plain = f"len(text) > {_LONGEST} or 'E' in text or not v.is_finite()"
        return ["text = str(v) if type(v) is Decimal else 'E'", f"if {plain}: raise Unfit", f"{place} = v"]
    if kind is datetime.datetime:
        written = f"{place} = v.astimezone(UTC).replace(tzinfo=None).isoformat()"
        return ["if type(v) is not datetime or v.tzinfo is None: raise Unfit", written]
    if kind is datetime.date:
        return ["if type(v) is not date: raise Unfit", f"{place} = v.isoformat()"]
    if kind is bool:
        return ["if type(v) is not bool: raise Unfit", f"{place} = v"]
    if kind is int:
        return [f"if type(v) is not int or not -{_COUNT_MAX} < v < {_COUNT_MAX}: raise Unfit", f"{place} = v"]
    return _text(kind, place, each, to_write=to_write)


def _text(kind: object, place: str, each: attrs.Attribute[Any], *, to_write: bool) -> list[str]:
    is_word = isinstance(kind, type) and issubclass(kind, OpenEnum)
    if not (is_word or kind is str or isinstance(kind, NewType)):
        raise Unfit
    # What can be printed holds neither control characters, which Xero cannot keep, nor halves of characters.
    checks = ["not isinstance(v, str)" if is_word else "type(v) is not str", "not v.isprintable()"]
    longest, without = each.metadata.get("longest", 0), each.metadata.get("without", "")
    if longest and not is_word:
        checks.append(f"len(v) > {longest}")
    if without and to_write and not is_word:
        checks += [f"{letter!r} in v" for letter in without]
    return [f"if {' or '.join(checks)}: raise Unfit", f"{place} = {'str(v)' if is_word else 'v'}"]


def _named(kind: type, *, to_write: bool) -> str:
    """The name of the function that writes a *kind* inside another document: one that has an id, by that alone."""
    name = _called(kind, to_write=to_write)
    own = [each for each in attrs.fields(kind) if issubclass(kind, Referred) and each.name == own_id(kind)]
    if not to_write or not own:
        return name
    inside = f"{name}_inside"
    lines = [
        f"if type(it) is not kind_{name}: raise Unfit",
        f"v = it.{own[0].name}",
        f"if v is None: return {name}(it)",
        f"if {_IS_NO_ID}: raise Unfit",
        f"return {{{wire_name(own[0])!r}: v}}",
    ]
    if inside not in _SCOPE:
        _SCOPE[f"kind_{name}"] = kind
        exec("\n".join([f"def {inside}(it):", *(f"    {line}" for line in lines)]), _SCOPE)  # noqa: S102 - as above
    return inside
