"""Names as a person would compare them, for suggestions only: whatever is left out here may tell two names apart."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

from attrs import frozen

from xerosync.matching.names import plain_name

_LEGAL_FORMS: Final = frozenset(
    "ab ag aps as asa bhd bv co company corp corporation cv dac doo eirl eood gmbh inc incorporated kft kg kk lda "
    "limited llc llp lp ltd ltda mbh nl nv ohg oy oyj plc private proprietary pte pty pvt sa sarl sas sdn se sl spa "
    "srl sro ug zrt".split()
)
_AND: Final = frozenset({"and", "und", "et", "y", "e"})
_SPELT: Final = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
_JOINED: Final = str.maketrans("", "", ".'’`´\"“”„«»")


@frozen
class LooseName:
    """
    A name in ever looser forms, each without something more that the one before has.

    *accentless*: no accents; *worded*: “&” as a word, no punctuation; *bare*: no legal form behind; *sorted*: no legal
    form anywhere, words in alphabetical order; *joined*: as *bare*, no blanks.
    """

    accentless: str
    worded: str
    bare: str
    sorted: str
    joined: str


@lru_cache(maxsize=65536)
def loose_name(name: str) -> LooseName:
    """The looser forms of *name*."""
    plain = plain_name(name)
    accentless = plain if plain.isascii() else _without_accents(plain)
    words = _words(accentless)
    bare = _without_legal_form(words)
    told = sorted(word for word in bare if word not in _LEGAL_FORMS) or sorted(bare)
    return LooseName(accentless, " ".join(words), " ".join(bare), " ".join(told), "".join(bare))


@lru_cache(maxsize=65536)
def spellings(word: str) -> frozenset[str]:
    """*word*, and it without one letter each: words that differ in a letter or two have one of them in common."""
    if len(word) < 3:
        return frozenset({word})
    return frozenset({word, *(word[:place] + word[place + 1 :] for place in range(len(word)))})


def _without_accents(plain: str) -> str:
    parted = unicodedata.normalize("NFD", plain.translate(_SPELT))
    return "".join(letter for letter in parted if unicodedata.category(letter) != "Mn")


def _words(text: str) -> list[str]:
    joined = text.replace("&", " and ").replace("+", " and ").translate(_JOINED)
    return "".join(letter if letter.isalnum() else " " for letter in joined).split()


def _without_legal_form(words: list[str]) -> list[str]:
    """*words* less the legal form behind them; a name that is nothing else keeps it."""
    bare = list(words)
    while len(bare) > 1 and bare[-1] in _LEGAL_FORMS | _AND:
        bare.pop()
    return bare if bare and bare[-1] not in _LEGAL_FORMS else words
