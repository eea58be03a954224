"""Bytes ↔ values: JSON with exact numbers, and the typed documents of `xerosync.models` with Xero's field names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Clamped, Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow, Underflow
from functools import cache, lru_cache, partial
from types import GenericAlias
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast, get_args, get_origin

import attrs
import msgspec

from xerosync.client._wire import dates, fast
from xerosync.client._wire.moulds import Mould
from xerosync.client._wire.names import OURS, is_told, wire_name
from xerosync.errors import UnreadableAnswer
from xerosync.models import OpenEnum, Shape
from xerosync.models.base import NO_EXTRA
from xerosync.resting import Uncollected

if TYPE_CHECKING:
    from cattrs import Converter

Json = dict[str, object]
T = TypeVar("T")

LARGEST_EXPONENT: Final = 30
"""A number of more digits than this before its point is no amount, whatever it is."""

# Exact, whatever its digits, or refused: what money cannot be shall not get in.
NUMBERS: Final = Context(
    prec=100,
    Emax=LARGEST_EXPONENT,
    Emin=-LARGEST_EXPONENT,
    traps=[Clamped, Inexact, InvalidOperation, Overflow, Underflow],
)
exact: Final = lru_cache(maxsize=64)(NUMBERS.create_decimal)
"""
The number in a text. Half of those that stand in documents are nought, one, or stood there just before: they are made
once, for all that have them. More than the last few would take longer to look up than to make.
"""
_decoder: Final = msgspec.json.Decoder(float_hook=exact)
_encoder: Final = msgspec.json.Encoder(decimal_format="number")
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, DecimalException, RecursionError)


class _Due(Exception):
    """Something else is due than what stands here; the text names kinds, never what stood there."""


def parse(body: bytes | msgspec.Raw, *, where: str) -> object:
    """
    The JSON in *body*, numbers with a point as exact `Decimal`. Raises `UnreadableAnswer`, naming *where*.

    Of a key that stands twice in one object the last one counts.
    """
    try:
        return _decoder.decode(body)
    except _UNREADABLE as error:
        raise unreadable(body, error, where=where) from None


def unreadable(body: bytes | msgspec.Raw, error: Exception, *, where: str) -> UnreadableAnswer:
    """What to raise for *body* of which the JSON library said *error*: what it looked like, nothing of what it held."""
    seen = bytes(body)
    return UnreadableAnswer(where, f"{_kind_of(seen)}, {len(seen)} bytes ({_said(error)})")


def dump(value: object) -> bytes:
    """*value* as JSON, decimals as exact numbers."""
    return _encoder.encode(value)


def decode(kind: type[T], row: object, *, where: str, shape: Shape = Shape.ROW) -> T:
    """
    *row*, as parsed from JSON, as a *kind* that came as *shape*; what stands inside it came as a row (F 4.11).

    Raises `UnreadableAnswer` with the path inside *where*.
    """
    try:
        document = fast.reader(kind)(cast(Json, row))
    except Exception:  # noqa: BLE001 - whatever it was, the other way takes it, or says what is wrong
        document = decode_in_detail(kind, row, where=where)
    if shape is not Shape.ROW and hasattr(document, "shape"):
        # Nobody else has seen this value yet; a changed copy of forty fields costs as much as decoding them.
        object.__setattr__(document, "shape", shape)
    return document


def decode_all(kind: type[T], rows: Iterable[object], *, where: str) -> list[T]:
    """Each of *rows*, those of a page, as `decode` would; a page at once is quicker."""
    read = fast.reader(kind)
    documents: list[T] = []
    with Uncollected():
        for row in rows:
            try:
                documents.append(cast(T, row.document()) if isinstance(row, Mould) else read(cast(Json, row)))
            except Exception:  # noqa: BLE001 - as in `decode`
                documents.append(decode_in_detail(kind, _parsed(row), where=where))
    return documents


def _parsed(row: object) -> object:
    """*row* as it was before it was poured into a mould."""
    return parse(dump(row), where="row") if isinstance(row, Mould) else row


def decode_in_detail(kind: type[T], row: object, *, where: str) -> T:
    """As `decode`, the way that knows where it is and takes all that can be taken."""
    import cattrs  # noqa: PLC0415 - needed for what is odd alone

    try:
        return _converter().structure(row, kind)
    except Exception as error:  # noqa: BLE001 - cattrs raises groups of whatever a hook raised
        faults = [
            fault.rpartition(" @ ") for fault in cattrs.transform_error(error, where, lambda each, _: _said(each))
        ]
        raise UnreadableAnswer(
            "; ".join(path for _, _, path in faults), "; ".join(said for said, _, _ in faults)
        ) from None


@cache
def _converter() -> Converter:
    import cattrs  # noqa: PLC0415 - as above

    converter = cattrs.Converter(detailed_validation=True)
    converter.register_structure_hook(str, _only(str))
    converter.register_structure_hook(bool, _flag)
    # By its class, not by a predicate: cattrs would ask the hook of `str` first, and keep a plain text.
    converter.register_structure_hook(OpenEnum, _word)
    converter.register_structure_hook(int, _whole)
    converter.register_structure_hook(Decimal, _decimal)
    converter.register_structure_hook(date, partial(_dated, dates.day))
    converter.register_structure_hook(datetime, partial(_dated, dates.instant))
    converter.register_structure_hook(Shape, lambda value, _: value)
    converter.register_structure_hook_func(_is_object_mapping, lambda value, _: dict(value) or NO_EXTRA)
    converter.register_structure_hook_factory(_is_list, partial(_list_hook, converter))
    converter.register_structure_hook_factory(attrs.has, partial(_document_hook, converter))
    return converter


def _only(scalar: type) -> Callable[[object, object], object]:
    def hook(value: object, _: object) -> object:
        if not isinstance(value, scalar):
            raise _Due(f"a {scalar.__name__} is due here, not {_named(value)}")
        return value

    return hook


def _word(value: object, kind: type[OpenEnum]) -> OpenEnum:
    if not isinstance(value, str):
        raise _Due(f"a word is due here, not {_named(value)}")
    return kind(value)


def _whole(value: object, _: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value != int(value):
        raise _Due(f"a whole number is due here, not {_named(value)}")
    return int(value)


def _flag(value: object, _: object) -> bool:
    # The batch inside a payment carries texts (F 8.24).
    said = {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(said, bool):
        raise _Due(f"a bool is due here, not {_named(value)}")
    return said


def _decimal(value: object, _: object) -> Decimal:
    # Some replies carry amounts as strings (F 6.118).
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise _Due(f"a number is due here, not {_named(value)}")
    try:
        number = NUMBERS.create_decimal(value)
    except InvalidOperation:
        raise _Due("a number is due here, not another text") from None
    except DecimalException:
        raise _Due("a number is due here that money can be") from None
    if not number.is_finite():
        raise _Due("a number is due here that money can be")
    return number


def _dated(read: Callable[[str], object], value: object, _: object) -> object:
    if not isinstance(value, str):
        raise _Due(f"a date is due here, not {_named(value)}")
    try:
        return read(value)
    except (ValueError, OverflowError):
        raise _Due("a date is due here, not another text") from None


def _is_object_mapping(kind: object) -> bool:
    return kind == Mapping[str, object]


def _is_list(kind: object) -> bool:
    return get_origin(kind) is tuple


def _list_hook(converter: Converter, kind: type) -> Callable[[object, object], object]:
    listed = cast(type[list[object]], GenericAlias(list, get_args(kind)[0]))

    def hook(value: object, _: object) -> object:
        # An object where a list is due is no empty list.
        if not isinstance(value, list):
            raise _Due(f"a list is due here, not {_named(value)}")
        return tuple(converter.structure(value, listed))

    return hook


def _document_hook(converter: Converter, kind: type) -> Callable[[object, object], object]:
    from cattrs.gen import make_dict_structure_fn, override  # noqa: PLC0415 - as above

    fields = {field.name: wire_name(field) for field in attrs.fields(kind) if field.name not in OURS}
    renames: dict[str, Any] = {name: override(rename=wire) for name, wire in fields.items()}
    structure = cast(Callable[[object, object], object], make_dict_structure_fn(kind, converter, **renames))
    known = frozenset(fields.values())
    # A value made here came from Xero; `decode` says more of the outermost one.
    fixed: Json = {"shape": Shape.ROW} if hasattr(kind, "shape") else {}

    def hook(value: object, _: object) -> object:
        if not isinstance(value, dict):
            raise _Due(f"an object is due here, not {_named(value)}")
        row = {name: item for name, item in cast(Json, value).items() if item is not None}
        extra = {name: row.pop(name) for name in tuple(row) if name not in known}
        return structure({**row, "extra": {name: extra[name] for name in extra if not is_told(name)}, **fixed}, kind)

    return hook


def _named(value: object) -> str:
    return f"a {type(value).__name__}"


def _said(error: BaseException) -> str:
    """What *error* says, without a value that it may quote."""
    if isinstance(error, RecursionError):
        return "nested too deep"
    if isinstance(error, DecimalException):
        return "a number that money cannot be"
    return str(error) if isinstance(error, _Due | msgspec.DecodeError | UnicodeDecodeError) else type(error).__name__


def _kind_of(body: bytes) -> str:
    head = body.lstrip()[:1]
    return {b"": "an empty body", b"<": "HTML or XML"}.get(head, "no whole JSON")
