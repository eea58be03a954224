"""Reads that need more words than an address has: long lists of ids and numbers, cut into several (F 4.17)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Final, TypeVar
from urllib.parse import quote

from attrs import AttrsInstance

from xerosync.client.resources.asked import Part
from xerosync.client.resources.base import as_id
from xerosync.client.resources.writing import words
from xerosync.errors import InvalidInput
from xerosync.filters.kinds import Text

T = TypeVar("T", bound=AttrsInstance)

IDS_A_READ: Final = 40
"""Ids a read, because of the length of its address (F 4.17)."""
_CHARACTERS: Final = 1600


def id_parts(**lists: tuple[str, Iterable[str] | None]) -> list[Mapping[str, str]]:
    """
    The parameters of the reads of what is in all of *lists*, ids by the parameter that takes them; none for None.

    Raises `InvalidInput`, naming the list, for what is no id.
    """
    given = {param: _ids(ids, name) for name, (param, ids) in lists.items() if ids is not None}
    at_once = max(IDS_A_READ // max(len(given), 1), 1)
    cut = [[{param: ",".join(some)} for some in _runs(ids, at_once)] for param, ids in given.items()]
    return [{param: text for one in choice for param, text in one.items()} for choice in product(*cut)]


def number_parts(param: str, numbers: Iterable[str] | None, number: Text[T]) -> list[Part[T]]:
    """
    The reads of documents with these *numbers*, in any letter case; without asking about numbers if it is None.

    *param* takes a list with commas; a number that has one itself, or blanks at its ends, is asked for by the filter on
    *number*. Raises `InvalidInput` for a blank number.
    """
    if numbers is None:
        return [Part()]
    distinct = list(dict.fromkeys(words(numbers, "numbers")))
    if not all(each.strip() for each in distinct):
        raise InvalidInput("numbers", "give numbers that are not blank")
    listed = [each for each in distinct if "," not in each and each == each.strip() and each.isprintable()]
    odd = [each for each in distinct if each not in set(listed)]
    asked: list[Part[T]] = [Part({param: ",".join(some)}) for some in _runs(listed, IDS_A_READ)]
    return [*asked, *(Part(where=number.ignoring_case == each) for each in odd)]


def word_parts(param: str, values: Iterable[str] | None, name: str) -> list[Mapping[str, str]]:
    """
    The parameter of the read of documents with one of these *values*, words of Xero's; none for None.

    Raises `InvalidInput` naming *name* for what is no word.
    """
    if values is None:
        return [{}]
    listed = words(values, name)
    if not all(value.isalnum() for value in listed):
        raise InvalidInput(name, "give words of Xero's, such as AUTHORISED, in a list")
    return [{param: ",".join(listed)}] if listed else []


def crossed(kinds: Iterable[Sequence[Mapping[str, str]]], others: Sequence[Part[T]] = (Part(),)) -> list[Part[T]]:
    """The reads of what is in one read of each of *kinds*, and of *others*."""
    return [
        Part({param: text for some in (*params, other.params) for param, text in some.items()}, other.where)
        for params in product(*kinds)
        for other in others
    ]


def _ids(ids: Iterable[str], name: str) -> list[str]:
    return list(dict.fromkeys(as_id(each, f"{name}[{place}]") for place, each in enumerate(words(ids, name))))


def _runs(texts: Sequence[str], at_once: int) -> Iterator[list[str]]:
    some: list[str] = []
    for text in texts:
        if some and (len(some) == at_once or _length([*some, text]) > _CHARACTERS):
            yield some
            some = []
        some.append(text)
    if some:
        yield some


def _length(texts: Sequence[str]) -> int:
    return len(quote(",".join(texts), safe=""))
