"""Reads that need more words than an address has: long lists of ids and numbers, cut into several (F 4.17)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Final, TypeVar
from urllib.parse import quote

from attrs import AttrsInstance

from xerosync.client.resources.asked import Part
from xerosync.client.resources.base import as_id
from xerosync.errors import InvalidInput
from xerosync.filters.kinds import Text

T = TypeVar("T", bound=AttrsInstance)

IDS_A_READ: Final = 40
"""Ids a read, because of the length of its address (F 4.17)."""
_CHARACTERS: Final = 1600


def id_parts(**lists: Sequence[str]) -> list[Mapping[str, str]]:
    """
    The parameters of the reads of what is in all of *lists*, ids by parameter; a list that is empty is not asked about.

    Raises `InvalidInput` for what is no id.
    """
    given = {name: list(dict.fromkeys(map(as_id, ids))) for name, ids in lists.items() if ids}
    at_once = max(IDS_A_READ // max(len(given), 1), 1)
    cut = [[{name: ",".join(some)} for some in _runs(ids, at_once)] for name, ids in given.items()]
    return [{name: text for one in choice for name, text in one.items()} for choice in product(*cut)]


def number_parts(param: str, numbers: Sequence[str], number: Text[T]) -> list[Part[T]]:
    """
    The reads of documents with these *numbers*, in any letter case.

    *param* takes a list with commas; a number that has one itself, or blanks at its ends, is asked for by the filter on
    *number*. Raises `InvalidInput` for a blank number.
    """
    if any(not each.strip() for each in numbers):
        raise InvalidInput("numbers", "give numbers that are not blank")
    distinct = list(dict.fromkeys(numbers))
    listed = [each for each in distinct if "," not in each and each == each.strip() and each.isprintable()]
    odd = [each for each in distinct if each not in set(listed)]
    asked: list[Part[T]] = [Part({param: ",".join(some)}) for some in _runs(listed, IDS_A_READ)]
    return [*asked, *(Part(where=number.ignoring_case == each) for each in odd)] or [Part()]


def crossed(ids: Sequence[Mapping[str, str]], others: Sequence[Part[T]] = (Part(),)) -> list[Part[T]]:
    """The reads of what is both in one of *ids* and in one of *others*."""
    return [Part({**params, **other.params}, other.where) for params in ids for other in others]


def listed_words(field: str, values: Sequence[str]) -> str:
    """*values*, words of Xero's, as a list in a parameter. Raises `InvalidInput` naming *field* for what is no word."""
    if isinstance(values, str) or not all(value.isalnum() for value in values):
        raise InvalidInput(field, "give words of Xero's, such as AUTHORISED, in a list")
    return ",".join(values)


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
