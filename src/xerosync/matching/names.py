"""Names as they are compared: careful with Unicode, never destroying a character that tells two names apart."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

_TURNS: Final = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


@lru_cache(maxsize=65536)
def plain_name(name: str) -> str:
    """
    *name* for comparison: compatibility forms unified, letter case and width ignored, blanks collapsed, invisible
    characters dropped.

    Accents and letters of other scripts stay: they make another name; so do marks that turn the direction of writing,
    which are no honest part of one (reliability 6.2).
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    visible = (
        " " if unicodedata.category(letter) in {"Cc", "Zl", "Zp"} else letter
        for letter in folded
        if unicodedata.category(letter) != "Cf" or unicodedata.bidirectional(letter) in _TURNS
    )
    return " ".join("".join(visible).split())
