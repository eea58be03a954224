"""Whether what is to be sent can be sent, and read again as what it is."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, DecimalException
from typing import Final, cast

from xerosync.client._wire.codec import NUMBERS
from xerosync.errors import InvalidInput

_DEEPEST: Final = 100
_INT_BITS: Final = 14_000
"""Of a whole number that Python still writes out, and the reader of JSON still takes."""
# In this order, since whether something is a mapping takes long to find out where it is none.
_LIST: Final = (list, tuple)
_ONE: Final = (str, int, Decimal, type(None))
_OBJECT: Final = (dict, Mapping)


def is_whole(text: str) -> bool:
    """Whether *text* holds whole characters alone, so that it can be sent."""
    try:
        str.encode(text)
    except UnicodeEncodeError:
        return False
    return True


def is_money(value: Decimal | int) -> bool:
    """Whether *value* could be read again, exactly: a few characters, such as 1E+999999, may be a million digits."""
    try:
        return NUMBERS.create_decimal(value).is_finite()
    except DecimalException:
        return False


def check_extra(extra: object, known: frozenset[str]) -> None:
    """Raise `InvalidInput` unless *extra* is what Xero might have sent beside the fields that are *known* here."""
    if not isinstance(extra, _OBJECT):
        raise InvalidInput("extra", f"give a mapping, not a {type(extra).__name__}")
    for name in cast(Mapping[object, object], extra):
        if name in known:
            raise InvalidInput(f"extra.{name}", "give it as the field of this document that bears this name in Xero")
    _check_plain(cast(Mapping[object, object], extra), "extra", depth=_DEEPEST)


def _check_plain(value: object, name: str, *, depth: int) -> None:
    """Raise `InvalidInput` unless *value* is JSON with exact numbers, nested no deeper than *depth*."""
    if not depth:
        raise InvalidInput(name, "give what is nested less deeply")
    if isinstance(value, _LIST):
        for place, item in enumerate(cast(list[object], value)):
            _check_plain(item, f"{name}[{place}]", depth=depth - 1)
    elif isinstance(value, _ONE) or not isinstance(value, _OBJECT):
        _check_one(value, name)
    else:
        for key, item in cast(Mapping[object, object], value).items():
            if not isinstance(key, str):
                raise InvalidInput(name, f"name fields by texts, not by a {type(key).__name__}")
            _check_one(key, name)
            _check_plain(item, f"{name}.{key}", depth=depth - 1)


def _check_one(value: object, name: str) -> None:
    """Raise `InvalidInput` unless *value* is a text, an exact number, a truth value or nothing."""
    match value:
        case str():
            if not is_whole(value):
                raise InvalidInput(name, "leave out lone surrogates, which are half a character")
        case float() | Decimal():
            if isinstance(value, float) or not is_money(value):
                raise InvalidInput(name, "give a number that is exact, finite and of few digits: a Decimal or an int")
        case int():
            if value.bit_length() > _INT_BITS:
                raise InvalidInput(name, "give a number of fewer digits")
        case None:
            pass
        case _:
            raise InvalidInput(name, f"give what JSON can say, not a {type(value).__name__}")
