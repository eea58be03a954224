"""
What callers give is what the signatures say: checked in one place, before anything is read, planned or sent.

A program without a type checker gives a text for a list, or a number for an account's code. It hears which argument is
wrong, down to the field of a line, instead of how the library came to stumble over it.
"""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Final, ParamSpec, TypeVar, cast

import attrs

from xerosync.errors import InvalidInput

C = TypeVar("C")
P = ParamSpec("P")
R = TypeVar("R")

Check = Callable[[object, str], object]
"""Gives back what was given under a name, read into a tuple where it could be read but once. Raises `InvalidInput`."""

_MANY: Final = frozenset({Iterable, Collection, Sequence, AbstractSet, list, tuple, set, frozenset})
_WORDS: Final[Mapping[object, str]] = {
    str: "a text",
    bool: "True or False",
    int: "a whole number",
    Decimal: "a Decimal",
    date: "a date",
    types.NoneType: "None",
}
_ROOMS: Final = (
    "xerosync.mapping",
    "xerosync.matching",
    "xerosync.engine.opening",
    "xerosync.engine.paper_settings",
    "xerosync.engine.paying",
    "xerosync.engine.settling_policies",
)
"""Where the values are defined whose fields hosts fill in; what the library made, such as a plan, is not searched."""


def arguments_checked(cls: type[C]) -> type[C]:
    """*cls*, with whatever is given to its public flows, and to make one, checked against their signatures."""
    for name, method in list(vars(cls).items()):
        if name == "__init__" or (not name.startswith("_") and inspect.isasyncgenfunction(method)):
            setattr(cls, name, _plain(method))
        elif not name.startswith("_") and inspect.iscoroutinefunction(method):
            setattr(cls, name, _awaited(method))
    return cls


def fits(value: object, hint: object, name: str) -> None:
    """Raise `InvalidInput`, naming *name* or what of it is wrong, where *value* is not what *hint* says."""
    _check(hint)(value, name)


def asked(name: str, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """
    What a *function* of the host's own gives; *name* is what the host knows it by.

    Whatever it raises is about the one thing it was asked about: raises `InvalidInput`.
    """
    try:
        return function(*args, **kwargs)
    except InvalidInput:
        raise
    except Exception as error:
        # Its text may hold a name or an amount; the error itself is behind this one.
        raise InvalidInput(name, f"correct it: it raised {type(error).__name__}") from error


def _plain(method: Callable[P, R]) -> Callable[P, R]:
    bound = _Bound(method)

    @functools.wraps(method)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        given = bound.checked(*args, **kwargs)
        return method(*given.args, **given.kwargs)

    return checked


def _awaited(method: Callable[P, Coroutine[object, object, R]]) -> Callable[P, Coroutine[object, object, R]]:
    bound = _Bound(method)

    @functools.wraps(method)
    async def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        given = bound.checked(*args, **kwargs)
        return await method(*given.args, **given.kwargs)

    return checked


class _Bound:
    """The parameters of a method, and what each must be."""

    def __init__(self, method: Callable[..., object]) -> None:
        self._method: Final = method
        self._signature: Final = inspect.signature(method)

    def checked(self, *args: object, **kwargs: object) -> inspect.BoundArguments:
        given = self._signature.bind(*args, **kwargs)
        for name, check in self._checks.items():
            if name in given.arguments:
                given.arguments[name] = check(given.arguments[name], name)
        return given

    @functools.cached_property
    def _checks(self) -> dict[str, Check]:
        hints = typing.get_type_hints(self._method)
        return {name: _check(hints[name]) for name in self._signature.parameters if name in hints}


@functools.cache
def _check(hint: object) -> Check:
    """What checks a value against *hint*."""
    hint = getattr(hint, "__supertype__", hint)
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        return _one_of(parts)
    if origin in _MANY:
        return _many(parts[0] if parts else object)
    if origin is Iterator:
        return _passing(parts[0])
    if origin is Mapping:
        return _mapping(*parts)
    if origin is type:
        classes = typing.get_args(parts[0]) or parts
        return _is(lambda value: value in classes, f"the class {_named(parts[0])}")
    if origin is Callable:
        return _is(callable, "a function")
    if hint is int:
        return _is(lambda value: isinstance(value, int) and not isinstance(value, bool), _WORDS[int])
    if isinstance(hint, type) and attrs.has(hint) and hint.__module__.startswith(_ROOMS):
        return _whole(hint)
    if isinstance(hint, type) and hint is not object and not getattr(hint, "_is_protocol", False):
        return _is(lambda value: isinstance(value, hint), _named(hint))
    return lambda value, _: value


def _is(holds: Callable[[object], bool], words: str) -> Check:
    def check(value: object, name: str) -> object:
        if not holds(value):
            raise InvalidInput(name, f"give {words}")
        return value

    return check


def _one_of(parts: Sequence[object]) -> Check:
    checks = [_check(part) for part in parts]
    words = " or ".join(dict.fromkeys(map(_named, parts)))

    def check(value: object, name: str) -> object:
        inside: InvalidInput | None = None
        for each in checks:
            try:
                return each(value, name)
            except InvalidInput as error:
                # What is wrong within one of them says more than that it is none of them.
                inside = error if error.field != name else inside
        raise inside or InvalidInput(name, f"give {words}")

    return check


def _many(part: object) -> Check:
    check_one, words = _check(part), f"a list of which each is {_named(part)}"

    def check(value: object, name: str) -> object:
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
            raise InvalidInput(name, f"give {words}")
        many = cast(Iterable[object], value)
        kept = many if isinstance(many, Collection) else tuple(many)
        for place, each in enumerate(kept):
            check_one(each, f"{name}[{place}]")
        return kept

    return check


def _passing(part: object) -> Check:
    """Of what is read but once, and too much to be kept: each is checked as it is read."""
    check_one = _check(part)

    def passing(many: Iterator[object], name: str) -> Iterator[object]:
        for place, each in enumerate(many):
            check_one(each, f"{name}[{place}]")
            yield each

    def check(value: object, name: str) -> object:
        if not isinstance(value, Iterator):
            raise InvalidInput(name, f"give an iterator of which each is {_named(part)}")
        return passing(cast(Iterator[object], value), name)

    return check


def _mapping(key: object, part: object) -> Check:
    check_key, check_value = _check(key), _check(part)

    def check(value: object, name: str) -> object:
        if not isinstance(value, Mapping):
            raise InvalidInput(name, f"give a mapping from {_named(key)} to {_named(part)}")
        for each, found in cast(Mapping[object, object], value).items():
            check_key(each, f"{name}: its keys")
            check_value(found, f"{name}: its values")
        return cast(object, value)

    return check


def _whole(cls: type[attrs.AttrsInstance]) -> Check:
    """Of a value whose fields hosts fill in: it and all of them."""
    hints = typing.get_type_hints(cls)
    fields = [(each.name, _check(hints[each.name])) for each in attrs.fields(cls) if each.init]

    def check(value: object, name: str) -> object:
        if not isinstance(value, cls):
            raise InvalidInput(name, f"give {_named(cls)}")
        for field, check_field in fields:
            check_field(getattr(value, field), f"{name}.{field}")
        return value

    return check


def _named(hint: object) -> str:
    """What to give, in words."""
    hint = getattr(hint, "__supertype__", hint)
    if hint in _WORDS:
        return _WORDS[hint]
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(dict.fromkeys(map(_named, parts)))
    if origin in _MANY or origin is Iterator:
        return f"a list of which each is {_named(parts[0])}"
    if origin is Mapping:
        return "a mapping"
    name = getattr(hint, "__name__", str(hint))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return f"a {name}"
    return f"an {name}" if name[:1] in "AEIOU" else f"a {name}"
