"""A filter in Xero's words: what Xero can express of it, safely, and never more than it says (F 4.44–4.48)."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, TypeVar, get_args
from urllib.parse import quote

import attrs
from attrs import AttrsInstance

from xerosync.client._wire.names import wire_name
from xerosync.filters.expressions import All, Column, Condition, Either, Filter, Kind, Not, Question

M = TypeVar("M", bound=AttrsInstance)

LONGEST: Final = 1200
"""Characters of a filter in an address, at most: the address has some 2,000, and ids may stand in it too (F 4.17)."""

_METHODS: Final = {
    Question.EQUAL: "Contains",
    Question.CONTAINS: "Contains",
    Question.STARTS: "StartsWith",
    Question.ENDS: "EndsWith",
}
_OPPOSITES: Final = {
    Question.BELOW: Question.FROM,
    Question.UP_TO: Question.ABOVE,
    Question.ABOVE: Question.UP_TO,
    Question.FROM: Question.BELOW,
}
# A quote cannot be written at all (F 4.47), and nobody says whether a backslash stands for itself. What a letter beyond
# ASCII contains is for the collation to say: a run of plain characters ends before what may combine with its last.
_RUN: Final = re.compile(r"[ !#-\[\]-~]+(?=[\x00-\x7f]|$)")
_LONGEST_TEXT: Final = 200
_LONGEST_NUMBER: Final = 15
_FIRST_YEAR: Final = 1753  # of the database behind Xero
_SECOND: Final = datetime.timedelta(seconds=1)
_DAY: Final = datetime.timedelta(days=1)


def where_text(where: Filter[M], *, room: int = LONGEST) -> str:
    """
    What Xero is told of *where*, in *room* characters of an address at most; blank when that is nothing.

    Everything that fits *where* fits this too. What Xero cannot express, or compares in another way than
    `xerosync.filters` does, is left out: a part of an "and" by itself, an "or" as a whole.
    """
    said = ""
    for part in _parts(where):
        text = _weaker(part, negated=False)
        longer = f"{said} AND {text}" if said else text
        if text and len(quote(longer, safe="")) <= room:
            said = longer
    return said


def _parts(where: Filter[M]) -> Sequence[Filter[M]]:
    return where.parts if isinstance(where, All) else (where,)


def _weaker(where: Filter[M], *, negated: bool) -> str:
    """What all that fits *where*, or its opposite, is to Xero; blank when nothing can be said."""
    match where:
        case Not(part):
            return _weaker(part, negated=not negated)
        case Condition(column, question, given):
            return _condition(column, question, given, negated=negated) if column.sent else ""
        case All(parts) | Either(parts):
            texts = [_weaker(part, negated=negated) for part in parts]
            if isinstance(where, All) != negated:
                said = list(filter(None, texts))
                return said[0] if len(said) == 1 else f"({' AND '.join(said)})" if said else ""
            return f"({' OR '.join(texts)})" if texts and all(texts) else ""
        case _:
            return ""


def _condition(column: Column, question: Question, given: object, *, negated: bool) -> str:
    name = _name(column)
    if column.kind is Kind.TEXT:
        return _text(name, column, question, str(given or ""), negated=negated)
    if question is Question.BLANK or (negated and not column.always):
        # Xero is known to bear "null" for texts; where a field may be missing, "not" is for us to say.
        return ""
    equal = "!=" if negated else "=="
    match column.kind:
        case Kind.FLAG:
            return f"{name}=={'false' if negated else 'true'}"
        case Kind.ID:
            return f'{name}{equal}Guid("{given}")'
        case Kind.WORD:
            return f'{name}{equal}"{given}"' if _is_plain(str(given)) else ""
        case Kind.AMOUNT:
            return _number(name, equal if question is Question.EQUAL else _sign(question, negated=negated), given)
        case _ if question is Question.EQUAL and negated:
            return ""
        case _:
            return _ordered(name, _OPPOSITES[question] if negated else question, given)


def _text(name: str, column: Column, question: Question, text: str, *, negated: bool) -> str:
    if question is Question.BLANK or not text:
        # Some of Xero's blanks are null, some are empty.
        return f"{name}!=null" if negated else f'({name}==null OR {name}=="")'
    if negated:
        # Xero takes for equal what differs in letter case, and so leaves out what fits here.
        return ""
    ascii_only = text.isascii()
    if question is Question.EQUAL and _is_plain(text) and (ascii_only or not column.ignoring_case):
        return f'{name}=="{text}"'
    whole = ascii_only and _is_plain(text)
    run = text if whole else max((each.strip() for each in _RUN.findall(text)), key=len, default="")[:_LONGEST_TEXT]
    method = _METHODS[question] if whole else "Contains"
    # A method on null fails (F 4.46).
    return f'({name}!=null AND {name}.{method}("{run}"))' if run else ""


def _ordered(name: str, question: Question, given: object) -> str:
    if not isinstance(given, datetime.date) or not _FIRST_YEAR <= given.year < datetime.MAXYEAR:
        return ""
    if isinstance(given, datetime.datetime):
        second = given.replace(microsecond=0)
        return _between(name, question, second, second + _SECOND, exact=False)
    # Days may have a time at Xero; none shows.
    start = datetime.datetime(given.year, given.month, given.day)  # noqa: DTZ001 - a day has no zone
    return _between(name, question, start, start + _DAY, exact=True)


def _between(name: str, question: Question, start: datetime.datetime, end: datetime.datetime, *, exact: bool) -> str:
    """*question* about the span from *start* to *end*; what is not *exact* may lie anywhere in it."""
    match question:
        case Question.BELOW:
            return f"{name}<{_moment(start if exact else end)}"
        case Question.UP_TO:
            return f"{name}<{_moment(end)}"
        case Question.ABOVE:
            return f"{name}>={_moment(end if exact else start)}"
        case Question.FROM:
            return f"{name}>={_moment(start)}"
        case _:
            return f"({name}>={_moment(start)} AND {name}<{_moment(end)})"


def _moment(moment: datetime.datetime) -> str:
    parts = [moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second]
    return f"DateTime({', '.join(map(str, parts if any(parts[3:]) else parts[:3]))})"


def _sign(question: Question, *, negated: bool) -> str:
    return (_OPPOSITES[question] if negated else question).value


def _number(name: str, sign: str, given: object) -> str:
    text = f"{given:f}" if isinstance(given, Decimal) and abs(given.adjusted()) < _LONGEST_NUMBER else ""
    return f"{name}{sign}{text}" if text and len(text) <= _LONGEST_NUMBER + 3 else ""


def _is_plain(text: str) -> bool:
    """Whether *text* can stand between quotes and means itself there."""
    return text.isprintable() and '"' not in text and "\\" not in text and len(text) <= _LONGEST_TEXT


def _name(column: Column) -> str:
    """Xero's name of the field: ``contact.contact_id`` is ``Contact.ContactID``."""
    names: list[str] = []
    kind = column.model
    for part in column.path:
        names.append(wire_name(attrs.fields_dict(kind)[part]))
        kind = _inside(kind, part)
    return ".".join(names)


def _inside(kind: type[AttrsInstance], part: str) -> type[AttrsInstance]:
    """The kind of document that stands in *part* of one of *kind*; *kind* itself when it is none."""
    of: object = attrs.fields_dict(attrs.resolve_types(kind))[part].type
    return next((each for each in get_args(of) if attrs.has(each)), kind)
