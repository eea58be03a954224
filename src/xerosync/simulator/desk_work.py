"""The bookkeeper's face over HTTP: every one of its methods by its name, with its arguments as JSON."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final, TypeAlias, cast, get_args, get_origin, get_type_hints

import msgspec

from xerosync.errors import InvalidInput
from xerosync.simulator.bookkeeper import Bookkeeper
from xerosync.simulator.given import Fields, Json, read_day

Method: TypeAlias = Callable[..., object]
_NOT_SERVED: Final = frozenset({"set_up", "close_for_reset", "attachment_content"})


def work(keeper: Bookkeeper, name: str, given: Fields) -> object:
    """
    Do what the method *name* of *keeper* does, with the arguments *given* by name; its answer as plain values.

    Raises `InvalidInput` for a method that is not there, and for an argument that is missing or of another kind.
    """
    plain = name.replace("-", "_").lower()
    method = cast("Method | None", getattr(keeper, plain, None)) if not plain.startswith("_") else None
    if not inspect.ismethod(method) or plain in _NOT_SERVED:
        raise InvalidInput("path", f"the bookkeeper does not know how to {name}")
    hints = get_type_hints(method)
    signature = inspect.signature(method)
    takes_more = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in signature.parameters.values())
    arguments: dict[str, object] = {}
    for key, value in given.items():
        if key in signature.parameters:
            arguments[key] = _as(hints[key], value, key)
        elif takes_more:
            arguments[key] = value
        else:
            raise InvalidInput(key, f"{plain} takes {', '.join(signature.parameters)}")
    try:
        bound = signature.bind(**arguments)
    except TypeError as fault:
        raise InvalidInput("arguments", str(fault)) from None
    return cast("object", msgspec.to_builtins(method(*bound.args, **bound.kwargs)))


def _as(hint: object, value: Json, name: str) -> object:
    """*value* as *hint* wants it: a Decimal from a text or a number, a date from a text, the rest as it is."""
    parts = get_args(hint)
    for kind in parts if type(None) in parts else (hint,):
        if value is None or kind is type(None):
            continue
        if kind is Decimal:
            return _decimal(value, name)
        if kind is date:
            on = read_day(value) if isinstance(value, str) else None
            if on is None:
                raise InvalidInput(name, "give a day such as 2026-01-31")
            return on
        if get_origin(kind) is Mapping or get_origin(kind) is dict:
            return _mapping(kind, value, name)
        if kind in {str, bool, bytes} and not isinstance(value, cast("type", kind)):
            raise InvalidInput(name, f"give a {cast('type', kind).__name__}")
    return value


def _mapping(hint: object, value: Json, name: str) -> object:
    if not isinstance(value, dict):
        raise InvalidInput(name, "give an object")
    wanted = get_args(hint)[1]
    return {key: _decimal(part, name) for key, part in value.items()} if wanted is Decimal else value


def _decimal(value: Json, name: str) -> Decimal:
    try:
        if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
            raise InvalidOperation
        return Decimal(value)
    except InvalidOperation:
        raise InvalidInput(name, "give an amount, as a text or a number") from None
