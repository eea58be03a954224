"""Names as they are compared: careful with Unicode, never destroying a character that tells two names apart."""

from __future__ import annotations

import unicodedata
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


@lru_cache(maxsize=65536)
def _folded(name: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    visible = (
        " " if unicodedata.category(letter) in {"Cc", "Zl", "Zp"} else letter
        for letter in folded
        if unicodedata.category(letter) != "Cf" or letter in TURNS
    )
    return " ".join("".join(visible).split())
