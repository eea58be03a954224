"""Names of attached files: which Xero takes, and how to make such a one out of any name."""

from __future__ import annotations

import unicodedata
from typing import Final

from xerosync.client.resources.base import as_given
from xerosync.errors import InvalidInput

LONGEST_NAME: Final = 255
"""Bytes of a file's name at most, in UTF-8."""
_FORBIDDEN: Final = frozenset('<>:"/\\|?*+')
# What Xero shows as taken on its page about attachments.
_ENDINGS: Final = frozenset(
    "7z bmp csv doc docx eml gif jpeg jpg keynote msg numbers odf ods odt pages pdf png ppt pptx rar rtf tif tiff txt "
    "xls xlsx zip".split()
)


def safe_file_name(name: str) -> str:
    """
    *name* as Xero takes it, so that the file is still recognised: ``scans/März: 1+2.pdf`` is ``März_ 1_2.pdf``.

    Folders and invisible characters are left out, forbidden ones become ``_`` (F 6.187), accented letters are composed
    (NFC), and a long name is shortened before its ending. Files of one document that get the same name this way would
    replace each other: number them. Raises `InvalidInput` when nothing is left, or when Xero takes no file of this
    kind.
    """
    given = as_given(name)
    if not isinstance(given, str):
        raise InvalidInput("file_name", f"give a text, not a {type(given).__name__}")
    base = unicodedata.normalize("NFC", given.replace("\\", "/").rstrip("/").rpartition("/")[2])
    seen = "".join(" " if letter.isspace() else letter for letter in base)
    shown = "".join("_" if letter in _FORBIDDEN else letter for letter in seen if letter.isprintable())
    stem, _, ending = " ".join(shown.split()).rpartition(".")
    room = LONGEST_NAME - len(ending.encode()) - 1
    kept = stem.strip(". ").encode()[: max(room, 0)].decode(errors="ignore").rstrip(". ")
    return checked_name(f"{kept}.{ending.strip()}")


def checked_name(name: str) -> str:
    """*name*, composed (NFC), if Xero takes it (F 6.187). Raises `InvalidInput` that says what is wrong with it."""
    given = as_given(name)
    if not isinstance(given, str):
        raise InvalidInput("file_name", f"give a text, not a {type(given).__name__}")
    composed = unicodedata.normalize("NFC", given)
    wrong = sorted({letter for letter in composed if letter in _FORBIDDEN or not letter.isprintable()})
    if wrong:
        raise InvalidInput("file_name", f"leave out {' '.join(map(repr, wrong))}, as safe_file_name() does")
    if len(composed.encode()) > LONGEST_NAME:
        raise InvalidInput("file_name", f"give {LONGEST_NAME} bytes at most, as safe_file_name() does")
    stem, _, ending = composed.rpartition(".")
    if not stem.strip(". "):
        raise InvalidInput("file_name", "give a name with an ending, such as bill.pdf")
    if ending.lower() not in _ENDINGS:
        raise InvalidInput("file_name", f"Xero takes files that end in {', '.join(sorted(_ENDINGS))}")
    return composed
