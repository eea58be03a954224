"""Names as a person would compare them, for suggestions only: whatever is left out here may tell two names apart."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from attrs import frozen

from xerosync.matching.names import Names, at_once, plain_name

LEGAL_FORMS: Final = frozenset(
    "ab ag aps as asa bhd bv co company corp corporation cv dac doo eirl eood gmbh inc incorporated kft kg kk lda "
    "limited llc llp lp ltd ltda mbh nl nv ohg oy oyj plc private proprietary pte pty pvt sa sarl sas sdn se sl spa "
    "srl sro ug zrt".split()
)
_BEHIND: Final = LEGAL_FORMS | {"and", "und", "et", "y", "e"}
"""What may stand behind a name: “& Co” and “und Söhne GmbH” are nothing of it."""
_SPELT: Final = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
_JOINED: Final = str.maketrans("", "", ".'’`´\"“”„«»")
_ASCII_APART: Final = {code: _JOINED.get(code, " ") for code in range(128) if not chr(code).isalnum()} | {10: "\n"}
"""What becomes of the signs of plain Latin, all in one go: those that join words go, others part them, lines stay."""


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
    accentless = _accentless(name)
    words = _words(accentless)
    bare = _without_legal_form(words)
    return LooseName(accentless, " ".join(words), " ".join(bare), in_order(bare), "".join(bare))


def bare_words(name: str) -> list[str]:
    """The words of *name* in its *bare* form alone, where thousands of names are passed over."""
    return _without_legal_form(_words(_accentless(name)))


def bare_words_of(names: Sequence[str]) -> list[list[str]]:
    """The `bare_words` of each of *names*, all at once."""
    many = Names(names)
    bare = [_without_legal_form(line.split()) for line in at_once(_ascii_words, many.latin)]
    for place in many.odd:
        bare[place] = bare_words(names[place])
    return bare


def in_order(bare: Sequence[str]) -> str:
    """The *sorted* form of a name of these *bare* words."""
    return " ".join(sorted([word for word in bare if word not in LEGAL_FORMS]) or sorted(bare))


def spellings(word: str) -> frozenset[str]:
    """*word*, and it without one letter each: words that differ in a letter or two have one of them in common."""
    if len(word) < 3:
        return frozenset((word,))
    return frozenset([word, *[word[:place] + word[place + 1 :] for place in range(len(word))]])


def _accentless(name: str) -> str:
    plain = plain_name(name)
    return plain if plain.isascii() else _without_accents(plain)


def _without_accents(plain: str) -> str:
    parted = unicodedata.normalize("NFD", plain.translate(_SPELT))
    return "".join(letter for letter in parted if unicodedata.category(letter) != "Mn")


def _words(text: str) -> list[str]:
    if text.isascii():
        return _ascii_words(text).split()
    joined = _with_and(text).translate(_JOINED)
    return "".join(letter if letter.isalnum() else " " for letter in joined).split()


def _ascii_words(text: str) -> str:
    """The words of *text*, which is in plain Latin, with blanks between them; its lines stay lines."""
    return _with_and(text).translate(_ASCII_APART)


def _with_and(text: str) -> str:
    return text.replace("&", " and ").replace("+", " and ")


def _without_legal_form(words: list[str]) -> list[str]:
    """*words* less the legal form behind them; a name that is nothing else keeps it."""
    if not words or words[-1] not in _BEHIND:
        return words
    bare = list(words)
    while len(bare) > 1 and bare[-1] in _BEHIND:
        bare.pop()
    return bare if bare and bare[-1] not in LEGAL_FORMS else words
