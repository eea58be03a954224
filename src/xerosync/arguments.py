"""
What callers give is what the signatures say: checked in one place, before anything is read, planned or sent.

A program without a type checker gives a text for a list, or a number for an account's code. It hears which argument is
wrong, or which field of the line that it makes, instead of how the library came to stumble over it.
"""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Final, ParamSpec, TypeVar, cast

import attrs

from xerosync.errors import InvalidInput

C = TypeVar("C")
P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

Check = Callable[[object, str], object]
"""Gives back what was given under a name, read into a tuple where it could be read but once. Raises `InvalidInput`."""

_MANY: Final = frozenset({Iterable, Collection, Sequence, AbstractSet, list, tuple, set, frozenset})
_WORDS: Final[Mapping[object, str]] = {
    str: "a text",
    bool: "True or False",
    int: "an int",
    Decimal: "a Decimal",
    date: "a date",
    types.NoneType: "None",
}


def arguments_checked(cls: type[C]) -> type[C]:
    """*cls*, with whatever is given to its public flows, and to make one, checked against their signatures."""
    for name, method in list(vars(cls).items()):
        if name == "__init__" or (not name.startswith("_") and inspect.isasyncgenfunction(method)):
            setattr(cls, name, _plain(method))
        elif not name.startswith("_") and inspect.iscoroutinefunction(method):
            setattr(cls, name, _awaited(method))
    return cls


def fields_checked(cls: type, fields: list[attrs.Attribute[object]]) -> list[attrs.Attribute[object]]:
    """
    *fields* of *cls*, each checked against its hint when one is made: what attrs calls a ``field_transformer``.

    For the values that hosts fill in. Whoever gives one line for a list of them, or a text for an amount, hears it
    where the value is made; a verb that is given it need not look into it again.
    """
    del cls
    # One that is inherited is checked already; the stubs of attrs do not know the word.
    return [each if getattr(each, "inherited", False) else _checking(each) for each in fields]


def _checking(field: attrs.Attribute[object]) -> attrs.Attribute[object]:
    fits = _fitting(field)
    validator = fits if field.validator is None else attrs.validators.and_(fits, field.validator)
    own = cast(object, field.converter)  # pyright: ignore[reportUnknownMemberType]
    if typing.get_origin(own) is not tuple:
        return field.evolve(validator=validator)
    return field.evolve(validator=validator, converter=_listed(field.name, typing.get_args(own)[0]))


def _fitting(
    field: attrs.Attribute[object],
) -> Callable[[attrs.AttrsInstance, attrs.Attribute[object], object], None]:
    """What checks *field*; a million lines are made, so that no more is looked up for each than must be."""
    name = field.name
    # That a field has no default is a value too, which whoever has nothing for it may come to give.
    default = object() if field.default is attrs.NOTHING else field.default
    check: Check | None = None
    kind: type | None = None

    def fits(made: attrs.AttrsInstance, field: attrs.Attribute[object], value: object) -> None:
        nonlocal check, kind
        del field
        if value is default or type(value) is kind:
            return
        if check is None:  # no hint can be read before all of its module is
            kind, check = _checks_of(type(made))[name]
        check(value, name)

    return fits


@functools.cache
def _checks_of(cls: type[attrs.AttrsInstance]) -> dict[str, tuple[type | None, Check]]:
    """The class that the values of each field of *cls* should be of, where its hint is one, and what checks others."""
    hints = typing.get_type_hints(cls)
    wanted = {each.name: hints[each.name] for each in attrs.fields(cls)}
    return {name: (hint if isinstance(hint, type) else None, _check(hint)) for name, hint in wanted.items()}


def _listed(name: str, part: object) -> Callable[[object], tuple[object, ...]]:
    """What makes a tuple of a list, as ``tuple`` does, and names the field where it is given none."""

    def as_listed(value: object) -> tuple[object, ...]:
        if isinstance(value, str | bytes) or not isinstance(value, Iterable):
            raise _no_list(name, part, value)
        return tuple(cast(Iterable[object], value))

    return as_listed


def listed(value: Iterable[T], part: type[T], name: str) -> tuple[T, ...]:
    """*value*, if it is a list of which each is a *part*. Raises `InvalidInput`, naming *name*, where it is none."""
    return tuple(cast("Iterable[T]", _many(part)(value, name)))


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


def _check(hint: object) -> Check:
    """What checks a value against *hint*."""
    hint = getattr(hint, "__supertype__", hint)
    # Unions are the same to Python in whatever order their parts stand, and our words tell these in theirs.
    return _check_for(hint, repr(hint))


@functools.cache
def _check_for(hint: object, written: str) -> Check:
    del written
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
    if hint is date:
        return _is(_is_day, _WORDS[date])
    if hint is int:
        return _is(lambda value: isinstance(value, int) and not isinstance(value, bool), _WORDS[int])
    if isinstance(hint, type) and hint is not object and not getattr(hint, "_is_protocol", False):
        return _is(hint.__instancecheck__, _named(hint))  # a lambda would be one call more for each field
    return lambda value, _: value


def _is(holds: Callable[[object], bool], words: str) -> Check:
    def check(value: object, name: str) -> object:
        if not holds(value):
            raise _instead(name, words, value)
        return value

    return check


def _one_of(parts: Sequence[object]) -> Check:
    checks = [_check(part) for part in parts]
    words = " or ".join(dict.fromkeys(map(_named, parts)))
    may_be_none = types.NoneType in parts

    def check(value: object, name: str) -> object:
        if value is None and may_be_none:  # most fields that may be left out are
            return value
        inside: InvalidInput | None = None
        for each in checks:
            try:
                return each(value, name)
            except InvalidInput as error:
                # What is wrong within one of them says more than that it is none of them.
                inside = error if error.field != name else inside
        raise inside or _instead(name, words, value)

    return check


def _many(part: object) -> Check:
    check_one = _check(part)

    def check(value: object, name: str) -> object:
        given = value
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
            raise _no_list(name, part, given)
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
            raise _instead(name, f"an iterator of which each is {_named(part)}", value)
        return passing(cast(Iterator[object], value), name)

    return check


def _mapping(key: object, part: object) -> Check:
    check_key, check_value = _check(key), _check(part)

    def check(value: object, name: str) -> object:
        if not isinstance(value, Mapping):
            raise _instead(name, f"a mapping from {_named(key)} to {_named(part)}", value)
        for each, found in cast(Mapping[object, object], value).items():
            check_key(each, f"{name}: its keys")
            check_value(found, f"{name}: its values")
        return cast(object, value)

    return check


def _is_day(value: object) -> bool:
    """A moment is a date too for Python, and cannot be compared with one."""
    return isinstance(value, date) and not isinstance(value, datetime)


def _instead(name: str, words: str, value: object) -> InvalidInput:
    if isinstance(value, datetime) and _WORDS[date] in words:
        return InvalidInput(name, f"give {words}, as .date() makes of a moment: Xero keeps days")
    return InvalidInput(name, f"give {words}, not {came(value)}")


def _no_list(name: str, part: object, value: object) -> InvalidInput:
    given = "one by itself" if came(value) == _named(part) else came(value)
    return InvalidInput(name, f"give a list of which each is {_named(part)}, not {given}")


def came(value: object) -> str:
    """What was given for something else, in words: its kind, and never it itself."""
    if value is None or type(value) in _WORDS:
        return _WORDS[type(value)]
    package = type(value).__module__.partition(".")[0]
    plain = package in {"builtins", "xerosync", "__main__"}
    return _with_article(type(value).__name__ if plain else f"{package}.{type(value).__name__}")


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
    return _with_article(name)


def _with_article(name: str) -> str:
    return f"{'an' if name[:1] in 'AEIOUaeio' else 'a'} {name}"
