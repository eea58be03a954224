"""Names that look alike and are not: a way to redirect money, so that no pair is ever made of them by itself."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from xerosync.matching._alike import LOOKS_LIKE
from xerosync.matching.names import TURNS, Names, at_once, plain_name

_SEEN_AS: Final = str.maketrans(
    {letter: shape for shape, letters in LOOKS_LIKE.items() for letter in letters} | dict.fromkeys(TURNS)
)
_ASCII_SEEN_AS: Final = tuple(
    (letter, shape) for shape, letters in LOOKS_LIKE.items() for letter in letters if letter.isascii()
)
"""None of these shapes holds one of these letters, so that they may be replaced one after the other."""

_SHORT: Final = str.maketrans({one.lower(): shape.lower() for one, shape in _ASCII_SEEN_AS if len(shape) == 1})
_LONG: Final = tuple((one.lower(), shape.lower()) for one, shape in _ASCII_SEEN_AS if len(shape) > 1)


@lru_cache(maxsize=65536)
def shapes(name: str) -> frozenset[str]:
    """
    What *name* looks like: as it is written, in small letters and in capitals.

    Two names with a shape in common look alike. Only letters and digits that look like Latin ones are told (UTS 39).
    """
    composed = " ".join((name if name.isascii() else unicodedata.normalize("NFKC", name)).split())
    return frozenset(_shape(written) for written in (composed, composed.lower(), composed.upper()) if written)


def looks(name: str) -> Iterable[str]:
    """
    Under what to look for names that look like *name*: two that do have one of these in common, two that have may.

    All but names in other scripts have a single one, which takes a tenth of the time of their shapes.
    """
    if name.isascii() and name.isprintable():
        return (_look(plain_name(name)),)
    return {_look(shape) for shape in shapes(name)}


def latin_looks(names: Names) -> list[str]:
    """Under what to look for each of *names*, as `looks` says; nothing for odd ones, which may have several."""
    return at_once(_look, names.latin)


def look_alike(one: str, other: str) -> bool:
    """Whether the two are different names that a person could take for the same."""
    if plain_name(one) == plain_name(other) or set(looks(one)).isdisjoint(looks(other)):
        return False
    return not shapes(one).isdisjoint(shapes(other))


def turns_writing(name: str) -> bool:
    """Whether *name* has marks that turn the direction of writing: what is seen is then not what is written."""
    return not name.isascii() and not TURNS.isdisjoint(name)


def _look(text: str) -> str:
    """What the shapes of *text*, which is in small letters, have in common, whether they are of capitals or not."""
    text = text.translate(_SHORT)
    for letters, shape in _LONG:
        text = text.replace(letters, shape)
    return text


def _shape(written: str) -> str:
    if written.isascii():
        # A replacement that finds nothing is a scan at the speed of memory; a translation looks at each letter.
        for letter, shape in _ASCII_SEEN_AS:
            written = written.replace(letter, shape)
        return written.lower()
    return plain_name(unicodedata.normalize("NFD", written).translate(_SEEN_AS))
