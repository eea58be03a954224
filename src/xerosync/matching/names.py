"""Names as they are compared: careful with Unicode, never destroying a character that tells two names apart."""

from __future__ import annotations

import unicodedata
from functools import lru_cache


@lru_cache(maxsize=65536)
def plain_name(name: str) -> str:
    """
    *name* for comparison: compatibility forms unified, letter case and width ignored, blanks collapsed, invisible
    characters dropped.

    Accents and letters of other scripts stay: they make another name (reliability 6.2).
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    visible = (
        " " if unicodedata.category(letter) in {"Cc", "Zl", "Zp"} else letter
        for letter in folded
        if unicodedata.category(letter) != "Cf"
    )
    return " ".join("".join(visible).split())
