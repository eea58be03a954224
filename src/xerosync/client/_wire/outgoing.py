"""
Documents on their way to Xero, each field checked before anything is sent.

What Xero alone writes stays behind, and a document named inside another is named by its id alone: the rest would change
it (F 6.36).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Any, Final, NewType, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

import attrs
from attrs import AttrsInstance, frozen

from xerosync.client._wire.checks import check_extra, is_money
from xerosync.client._wire.codec import Json
from xerosync.client._wire.names import OURS, wire_name
from xerosync.client._wire.writers import writer
from xerosync.errors import InvalidInput
from xerosync.models import OpenEnum
from xerosync.models.base import Referred, own_id
from xerosync.texts import UNSENDABLE

_Writer = Callable[[object, bool], object]

_COUNT_BITS: Final = 63
_FORBIDDEN: Final = re.compile(f"[{UNSENDABLE}]")


@frozen
class _Field:
    name: str
    wire: str
    read_only: bool
    is_many: bool
    most: int
    write: _Writer


def encode(document: AttrsInstance, *, to_write: bool = False) -> Json:
    """
    *document* as Xero's JSON object, without what is absent; *to_write*, also without what Xero alone writes.

    Raises `InvalidInput` naming the field that Xero could not take: a float, a date without its zone, a text too long.
    """
    try:
        return writer(type(document), to_write=to_write)(document)
    except Exception:  # noqa: BLE001 - whatever it was, the other way writes it, or says what is wrong
        return encode_in_detail(document, to_write=to_write)


def encode_in_detail(document: AttrsInstance, *, to_write: bool = False) -> Json:
    """As `encode`, the way that knows where it is."""
    row: Json = {}
    for field in _fields(type(document)):
        value: object = getattr(document, field.name)
        if value is None or value == () or (to_write and field.read_only):
            continue
        try:
            row[field.wire] = _all(field, value, to_write) if field.is_many else field.write(value, to_write)
        except InvalidInput as fault:
            raise _inside(field.name, fault) from None
    extra: Mapping[str, object] = getattr(document, "extra", {})
    if extra:
        check_extra(extra, frozenset(field.wire for field in _fields(type(document))))
    return {**row, **extra}


def _all(field: _Field, values: object, to_write: bool) -> list[object]:  # noqa: FBT001 - as given to `encode`
    if not isinstance(values, tuple | list):
        raise InvalidInput("", f"give a tuple, not a {type(values).__name__}")
    if to_write and field.most and len(cast(tuple[object, ...], values)) > field.most:
        raise InvalidInput("", f"Xero keeps {field.most} at most")
    written: list[object] = []
    for place, value in enumerate(cast(tuple[object, ...], values)):
        try:
            written.append(field.write(value, to_write))
        except InvalidInput as fault:
            raise _inside(f"[{place}]", fault) from None
    return written


def _inside(name: str, fault: InvalidInput) -> InvalidInput:
    """*fault*, told from one step further out."""
    between = "" if not fault.field or fault.field.startswith("[") else "."
    return InvalidInput(f"{name}{between}{fault.field}", fault.remedy)


@cache
def _fields(model: type[AttrsInstance]) -> tuple[_Field, ...]:
    hints = get_type_hints(model)
    return tuple(_field(each, hints[each.name]) for each in attrs.fields(model) if each.name not in OURS)


def _field(each: attrs.Attribute[Any], hint: object) -> _Field:
    is_many = get_origin(hint) is tuple
    (kind, *_) = [part for part in get_args(hint) if part is not type(None)] if _is_composed(hint) else [hint]
    about = each.metadata
    write = _writer(kind, about.get("longest", 0), about.get("without", ""))
    return _Field(each.name, wire_name(each), bool(about.get("read_only", False)), is_many, about.get("most", 0), write)


def _is_composed(hint: object) -> bool:
    return get_origin(hint) in {tuple, Union, UnionType}


def _writer(kind: object, longest: int, without: str) -> _Writer:
    if isinstance(kind, NewType):
        return _id if (kind.__name__ or "").endswith("Id") else _text(longest)
    if kind is Decimal:
        return _number
    if kind is datetime:
        return _instant
    if kind is date:
        return _day
    if kind is bool or kind is int:
        return _exactly(cast(type, kind))
    if isinstance(kind, type) and attrs.has(kind):
        return _document(kind)
    if isinstance(kind, type) and issubclass(kind, OpenEnum):
        return _text(0)
    return _text(longest, without)


def _document(kind: type[AttrsInstance]) -> _Writer:
    ids = [each for each in attrs.fields(kind) if issubclass(kind, Referred) and each.name == own_id(kind)]

    def write(value: object, to_write: bool) -> object:  # noqa: FBT001 - as given to `encode`
        if not isinstance(value, kind):
            raise InvalidInput("", f"give a {kind.__name__}, not a {type(value).__name__}")
        for each in ids:
            if to_write and (known := getattr(value, each.name)) is not None:
                try:
                    return {wire_name(each): _id(known, to_write)}
                except InvalidInput as fault:
                    raise _inside(each.name, fault) from None
        return encode_in_detail(value, to_write=to_write)

    return write


def _text(longest: int, without: str = "") -> _Writer:
    def write(value: object, to_write: bool) -> object:  # noqa: FBT001 - as given to `encode`
        if not isinstance(value, str):
            raise InvalidInput("", f"give a text, not a {type(value).__name__}")
        if longest and len(value) > longest:
            raise InvalidInput("", f"Xero keeps {longest} characters at most, these are {len(value)}")
        if _FORBIDDEN.search(value):
            raise InvalidInput("", "leave out control characters, which Xero cannot keep")
        if to_write and without and not set(without).isdisjoint(value):
            raise InvalidInput("", f"leave out {' '.join(without)}, which Xero does not take here")
        return str(value)

    return write


def _exactly(kind: type) -> _Writer:
    def write(value: object, _: bool) -> object:  # noqa: FBT001 - as given to `encode`
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise InvalidInput("", f"give a {kind.__name__}, not a {type(value).__name__}")
        if not isinstance(value, int) or value.bit_length() > _COUNT_BITS:
            raise InvalidInput("", "give a number of a reasonable size")
        return value

    return write


def _id(value: object, _: bool) -> object:  # noqa: FBT001 - as given to `encode`
    try:
        return str(UUID(cast(str, value)))
    except (ValueError, AttributeError, TypeError):
        raise InvalidInput("", "give the document's Xero id, a UUID") from None


def _number(value: object, _: bool) -> object:  # noqa: FBT001 - as given to `encode`
    if isinstance(value, float):
        raise InvalidInput("", "amounts are exact: give a Decimal, never a float")
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise InvalidInput("", f"give a Decimal, not a {type(value).__name__}")
    if isinstance(value, Decimal) and not value.is_finite():
        raise InvalidInput("", "give a number that is finite")
    if not is_money(value):
        raise InvalidInput("", "give a number that money can be, not one of so many digits")
    # Written out, since 1E+2 is a number to JSON but not to everybody who reads it.
    return Decimal(f"{value:f}") if isinstance(value, Decimal) else value


def _day(value: object, _: bool) -> object:  # noqa: FBT001 - as given to `encode`
    if isinstance(value, datetime) or not isinstance(value, date):
        raise InvalidInput("", f"give a date, the organisation's own day, not a {type(value).__name__}")
    return value.isoformat()


def _instant(value: object, _: bool) -> object:  # noqa: FBT001 - as given to `encode`
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise InvalidInput("", "give a datetime with its time zone")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat()
