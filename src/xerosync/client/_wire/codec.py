"""Bytes ↔ values: JSON with exact numbers, and the typed documents of `xerosync.models` with Xero's field names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache, partial
from typing import Any, Final, TypeVar, cast

import attrs
import cattrs
import msgspec
from cattrs.gen import make_dict_structure_fn, override

from xerosync.client._wire import dates
from xerosync.client._wire.names import OURS, wire_name
from xerosync.errors import UnreadableAnswer
from xerosync.models import OpenEnum, Shape

Json = dict[str, object]
T = TypeVar("T")

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")
LARGEST_EXPONENT: Final = 30
"""A number of more digits than this before its point is no amount, whatever it is."""

_TOLD = frozenset({"StatusAttributeString", "HasErrors", "HasValidationErrors", "ValidationErrors", "Warnings"})


def parse(body: bytes, *, where: str) -> object:
    """
    The JSON in *body*, numbers with a point as exact `Decimal`. Raises `UnreadableAnswer`, naming *where*.

    Of a key that stands twice in one object the last one counts.
    """
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, InvalidOperation, RecursionError) as error:
        said = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise UnreadableAnswer(where, f"{_kind_of(body)}, {len(body)} bytes ({said})") from None


def dump(value: object) -> bytes:
    """*value* as JSON, decimals as exact numbers."""
    return _encoder.encode(value)


def decode(kind: type[T], row: object, *, where: str, shape: Shape = Shape.ROW) -> T:
    """
    *row*, as parsed from JSON, as a *kind* that came as *shape*; what stands inside it came as a row (F 4.11).

    Raises `UnreadableAnswer` with the path inside *where*.
    """
    try:
        document = _converter().structure(row, kind)
    except Exception as error:  # noqa: BLE001 - cattrs raises groups of whatever a hook raised
        path = "; ".join(cattrs.transform_error(error, path=where))
        raise UnreadableAnswer(path or where, type(error).__name__) from None
    if shape is not Shape.ROW and hasattr(document, "shape"):
        # Nobody else has seen this value yet; a changed copy of forty fields costs as much as decoding them.
        object.__setattr__(document, "shape", shape)
    return document


@cache
def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=True)
    for scalar in (str, bool):
        converter.register_structure_hook(scalar, _only(scalar))
    # By its class, not by a predicate: cattrs would ask the hook of `str` first, and keep a plain text.
    converter.register_structure_hook(OpenEnum, lambda value, kind: kind(value))
    converter.register_structure_hook(Decimal, _decimal)
    converter.register_structure_hook(date, lambda value, _: dates.day(value))
    converter.register_structure_hook(datetime, lambda value, _: dates.instant(value))
    converter.register_structure_hook(Shape, lambda value, _: value)
    converter.register_structure_hook_func(_is_object_mapping, lambda value, _: dict(value))
    converter.register_structure_hook_factory(attrs.has, partial(_document_hook, converter))
    return converter


def _only(scalar: type) -> Callable[[object, object], object]:
    def hook(value: object, _: object) -> object:
        if not isinstance(value, scalar):
            raise TypeError(f"a {scalar.__name__} is due here, not {type(value).__name__}")
        return value

    return hook


def _decimal(value: object, _: object) -> Decimal:
    # Some replies carry amounts as strings (F 6.118).
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise TypeError(f"a number is due here, not {type(value).__name__}")
    number = Decimal(value)
    if not number.is_finite() or number.adjusted() > LARGEST_EXPONENT:
        raise ValueError("a number is due here that money can be")
    return number


def _is_object_mapping(kind: object) -> bool:
    return kind == Mapping[str, object]


def _document_hook(converter: cattrs.Converter, kind: type) -> Callable[[object, object], object]:
    fields = {field.name: wire_name(field) for field in attrs.fields(kind) if field.name not in OURS}
    renames: dict[str, Any] = {name: override(rename=wire) for name, wire in fields.items()}
    structure = cast(Callable[[object, object], object], make_dict_structure_fn(kind, converter, **renames))
    known = frozenset(fields.values())
    # A value made here came from Xero; `decode` says more of the outermost one.
    fixed: Json = {"shape": Shape.ROW} if hasattr(kind, "shape") else {}

    def hook(value: object, _: object) -> object:
        if not isinstance(value, dict):
            raise TypeError(f"an object is due here, not {type(value).__name__}")
        row = {name: item for name, item in cast(Json, value).items() if item is not None}
        unknown = {name: row.pop(name) for name in row.keys() - known}
        return structure(
            {**row, "extra": {name: unknown[name] for name in unknown if not _is_told(name)}, **fixed}, kind
        )

    return hook


def _is_told(name: str) -> bool:
    """Whether *name* says what another field or the outcome of the write says already."""
    return name in _TOLD or name.endswith(("DateString", "UTCString"))


def _kind_of(body: bytes) -> str:
    head = body.lstrip()[:1]
    return {b"": "an empty body", b"<": "HTML or XML"}.get(head, "no whole JSON")
