"""Names as they are compared: careful with Unicode, never destroying a character that tells two names apart."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

TURNS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""The marks that turn the direction of writing."""


def plain_name(name: str) -> str:
    """
    *name* for comparison: compatibility forms unified, letter case and width ignored, blanks collapsed, invisible
    characters dropped.

    Accents and letters of other scripts stay: they make another name; so do marks that turn the direction of writing,
    which are no honest part of one (reliability 6.2).
    """
    if not name:
        return name
    if name.isascii() and name.isprintable():  # as quick as to look it up
        return " ".join(name.lower().split())
    return _folded(name)


class Names:
    """
    Many names, made *plain* at once, each as `plain_name` says: a call for each takes longer than what is done in it.

    *odd* are the places of those in more than plain Latin letters, digits and signs, which are looked at one by one;
    *latin* are the others in their plain form, with nothing in the places of odd ones.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.odd: Final = [place for place, name in enumerate(names) if not (name.isascii() and name.isprintable())]
        written = list(names)
        for place in self.odd:
            written[place] = ""
        self.latin: Final = list(map(str.strip, at_once(_small, written)))
        self.plain: Final = list(self.latin)
        for place in self.odd:
            self.plain[place] = plain_name(names[place])


def at_once(change: Callable[[str], str], texts: Sequence[str]) -> list[str]:
    """What *change*, which takes a text of many lines as it takes each, makes of *texts*, none of which has two."""
    return change("\n".join(texts)).split("\n") if texts else []


def _small(text: str) -> str:
    """*text* in small letters, without a blank behind another."""
    text = text.lower()
    while "  " in text:
        text = text.replace("  ", " ")
    return text


@lru_cache(maxsize=65536)
def _folded(name: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    visible = (
        " " if unicodedata.category(letter) in {"Cc", "Zl", "Zp"} else letter
        for letter in folded
        if unicodedata.category(letter) != "Cf" or letter in TURNS
    )
    return " ".join("".join(visible).split())
