"""`where` and `order` as Xero reads them: the small part of .NET dynamic LINQ that clients use (F 4.44–4.49)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Generic, TypeAlias, TypeVar
from uuid import UUID

from attrs import frozen

from xerosync.simulator.refusals import UnreadableQuery

T = TypeVar("T")


@frozen(order=False)
class Id:
    """An id, which is no text: it compares with Guid("…") only."""

    text: str


Value: TypeAlias = bool | Decimal | str | datetime | Id | None
Getter = Callable[[T], Value]
Test = Callable[[T], bool]


@frozen
class Names(Generic[T]):
    """What may be filtered and sorted by: the properties of one *type* by their names in small letters."""

    type: str
    getters: Mapping[str, Getter[T]]

    def find(self, name: str) -> Getter[T]:
        """The reader of property *name*. Raises `UnreadableQuery` in Xero's words."""
        getter = self.getters.get(name.lower())
        if getter is None:
            raise UnreadableQuery(f"No property or field '{name.rpartition('.')[2]}' exists in type '{self.type}'")
        return getter


_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>"[^"]*")|(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<name>[A-Za-z_]\w*)"""
    r"""|(?P<sign>==|!=|<>|<=|>=|&&|\|\||[=<>().,!-]))"""
)
_COMPARE: Final = {"==", "=", "!=", "<>", "<", "<=", ">", ">="}
_DEEPEST: Final = 60
_METHODS: Final = {"contains", "startswith", "endswith", "tolower", "toupper"}


def read_where(text: str, names: Names[T]) -> Test[T]:
    """The filter *text* as a test of rows. Raises `UnreadableQuery`; so may the test (a method on null, F 4.46)."""
    reader = _Reader(_tokens(text), names)
    test = reader.either()
    reader.end()
    return test


def read_order(text: str, names: Names[T]) -> list[tuple[Getter[T], bool]]:
    """The readers of *text* to sort by, each with whether it descends. Raises `UnreadableQuery`."""
    keys: list[tuple[Getter[T], bool]] = []
    for part in text.split(","):
        words = part.split()
        if not 1 <= len(words) <= 2 or (len(words) == 2 and words[1].upper() not in {"ASC", "DESC"}):
            raise UnreadableQuery("Syntax error")
        keys.append((names.find(words[0]), words[-1].upper() == "DESC"))
    return keys


def sort_rows(rows: Sequence[T], keys: Sequence[tuple[Getter[T], bool]]) -> list[T]:
    """*rows* in the order of *keys*, the first one weighing most; nothing sorts before something."""
    ordered = list(rows)
    for getter, descends in reversed(keys):
        ordered.sort(key=_key(getter), reverse=descends)
    return ordered


def _key(getter: Getter[T]) -> Callable[[T], tuple[int, str | Decimal | datetime | int]]:
    return lambda row: _sortable(getter(row))


def at_midnight(value: date | None) -> datetime | None:
    """The day *value* as filters compare it."""
    return None if value is None else datetime(value.year, value.month, value.day)  # noqa: DTZ001 (days have no zone)


def _sortable(value: Value) -> tuple[int, str | Decimal | datetime | int]:
    if value is None:
        return (0, 0)
    if isinstance(value, Id):
        return (1, value.text)
    if isinstance(value, bool):
        return (1, int(value))
    return (1, value.lower() if isinstance(value, str) else value)


def _tokens(text: str) -> list[str]:
    found: list[str] = []
    at = 0
    while at < len(text.rstrip()):
        token = _TOKEN.match(text, at)
        if token is None:
            rest = text[at:].lstrip()
            if rest.startswith('"'):
                raise UnreadableQuery("Unterminated string literal")
            if rest.startswith("'"):
                raise UnreadableQuery("Character literal must contain exactly one character")
            raise UnreadableQuery("Syntax error")
        found.append(token[0].strip())
        at = token.end()
    return found


class _Reader(Generic[T]):
    """Reads one expression by recursive descent; each step returns what tests or reads a row."""

    def __init__(self, tokens: Sequence[str], names: Names[T]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self._names = names

    def either(self) -> Test[T]:
        tests = [self._both()]
        while self._take("OR", "||"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def end(self) -> None:
        if self._at != len(self._tokens):
            raise UnreadableQuery("Syntax error")

    def _both(self) -> Test[T]:
        tests = [self._single()]
        while self._take("AND", "&&"):
            tests.append(self._single())
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def _single(self) -> Test[T]:
        if self._take("!", "NOT"):
            self._deeper()
            test = self._single()
            return lambda row: not test(row)
        if self._take("("):
            self._deeper()
            test = self.either()
            self._need(")")
            return test
        left = self._operand()
        if self._peek() not in _COMPARE:
            return _truth(left)
        sign = self._next()
        return _comparison(sign, left, self._operand())

    def _operand(self) -> Getter[T]:
        token = self._next()
        if token.startswith('"'):
            return self._methods(_constant(token[1:-1]))
        if token == "-" or token[0].isdigit():
            digits = self._next() if token == "-" else token
            if not digits[0].isdigit():
                raise UnreadableQuery("Syntax error")
            return _constant(Decimal(digits) * (-1 if token == "-" else 1))
        if not (token[0].isalpha() or token[0] == "_"):
            raise UnreadableQuery("Syntax error")
        match token.lower():
            case "null":
                return _constant(None)
            case "true" | "false":
                return _constant(token.lower() == "true")
            case "guid":
                return _constant(self._guid())
            case "datetime":
                return _constant(self._date())
            case _:
                return self._property(token)

    def _property(self, first: str) -> Getter[T]:
        name = first
        while self._peek() == "." and self._peek(1).lower() not in _METHODS | {"value", "hasvalue"}:
            self._at += 1
            name += f".{self._next()}"
        getter = self._names.find(name)
        if self._peek() == "." and self._peek(1).lower() == "value":
            self._at += 2
        return self._methods(getter)

    def _methods(self, getter: Getter[T]) -> Getter[T]:
        while self._take("."):
            self._deeper()
            method = self._next().lower()
            if method not in _METHODS:
                raise UnreadableQuery(f"No applicable method '{method}' exists in type 'String'")
            self._need("(")
            argument: Getter[T] = _constant("") if method in {"tolower", "toupper"} else self._operand()
            self._need(")")
            getter = _called(method, getter, argument)
        return getter

    def _guid(self) -> Id:
        self._need("(")
        token = self._next()
        self._need(")")
        try:
            return Id(str(UUID(token.strip('"'))))
        except ValueError:
            raise UnreadableQuery("Guid should contain 32 digits with 4 dashes") from None

    def _date(self) -> datetime:
        self._need("(")
        parts = [self._next()]
        while self._take(","):
            parts.append(self._next())
        self._need(")")
        try:
            numbers = [int(part) for part in parts]
            if not 3 <= len(numbers) <= 7:
                raise UnreadableQuery("No applicable constructor exists in type 'DateTime'")
            year, month, dayth, *time = numbers
            hour, minute, second = [*time[:3], 0, 0, 0][:3]
            return datetime(year, month, dayth, hour, minute, second)  # noqa: DTZ001 (as written, like the rows' own)
        except ValueError:
            raise UnreadableQuery("Syntax error") from None

    def _deeper(self) -> None:
        """Count one step into the expression: the test made of it calls itself as often for every row."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise UnreadableQuery("Syntax error")

    def _peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        if not token:
            raise UnreadableQuery("Syntax error")
        self._at += 1
        return token

    def _take(self, *tokens: str) -> bool:
        if self._peek().upper() in tokens:
            self._at += 1
            return True
        return False

    def _need(self, token: str) -> None:
        if self._next() != token:
            raise UnreadableQuery("Syntax error")


def _constant(value: Value) -> Getter[object]:
    return lambda _: value


def _truth(getter: Getter[T]) -> Test[T]:
    def test(row: T) -> bool:
        value = getter(row)
        if not isinstance(value, bool):
            raise UnreadableQuery("Expression of type 'Boolean' expected")
        return value

    return test


def _called(method: str, getter: Getter[T], argument: Getter[T]) -> Getter[T]:
    def call(row: T) -> Value:
        text, part = getter(row), argument(row)
        if not isinstance(text, str) or not isinstance(part, str):
            raise UnreadableQuery("Object reference not set to an instance of an object.")
        match method:
            case "contains":
                return part.lower() in text.lower()
            case "startswith":
                return text.lower().startswith(part.lower())
            case "endswith":
                return text.lower().endswith(part.lower())
            case "toupper":
                return text.upper()
            case _:
                return text.lower()

    return call


def _comparison(sign: str, left: Getter[T], right: Getter[T]) -> Test[T]:
    def test(row: T) -> bool:
        one, other = left(row), right(row)
        match sign:
            case "=" | "==":
                return _equal(one, other)
            case "!=" | "<>":
                return not _equal(one, other)
            case _:
                return _ordered(sign, one, other)

    return test


def _equal(one: Value, other: Value) -> bool:
    if one is None or other is None:
        # Xero keeps no difference between a text that is blank and one that was never given.
        return one is other or "" in {one, other}
    if type(one) is not type(other):
        raise UnreadableQuery(f"Operator '==' incompatible with operand types '{_type(one)}' and '{_type(other)}'")
    if isinstance(one, str) and isinstance(other, str):
        return one.lower() == other.lower()
    return one == other


def _ordered(sign: str, one: Value, other: Value) -> bool:
    if one is None or other is None:
        return False
    if type(one) is not type(other) or isinstance(one, bool | Id):
        raise UnreadableQuery(f"Operator '{sign}' incompatible with operand types '{_type(one)}' and '{_type(other)}'")
    order = _order(one, other)
    return {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[sign]


def _order(one: Value, other: Value) -> int:
    match one, other:
        case str(), str():
            low, high = one.lower(), other.lower()
            return (low > high) - (low < high)
        case (Decimal(), Decimal()) | (datetime(), datetime()):
            return (one > other) - (one < other)  # type: ignore[operator]
        case _:
            raise UnreadableQuery("Syntax error")


def _type(value: Value) -> str:
    names: dict[type, str] = {Id: "Guid", Decimal: "Decimal", str: "String", bool: "Boolean", datetime: "DateTime"}
    return names.get(type(value), "Object")
