"""What a text must be so that Xero takes it, a store keeps it and a log shows it: one rule for all that hosts give."""

from __future__ import annotations

import re
from typing import Final

from xerosync.errors import InvalidInput

LONGEST_ID: Final = 2500
"""Bytes of an id of the host's, in UTF-8: PostgreSQL indexes no longer keys."""
UNSENDABLE: Final = "\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff"
"""The characters, as a class of a pattern, that no document can hold: what XML cannot, and half characters."""
_UNKEPT: Final = re.compile(f"[{UNSENDABLE}\x7f-\x84\x86-\x9f]")


def check_text(name: str, text: object, *, longest: int = 0, needed: bool = False) -> None:
    """
    Refuse a *text* that could not be sent or kept: control characters, lone surrogates, more than *longest* characters.

    One that is *needed* must not be blank. Raises `InvalidInput` for the field of this *name*.
    """
    if not isinstance(text, str):
        raise InvalidInput(name, f"give a text, not a {type(text).__name__}")
    if needed and not text.strip():
        raise InvalidInput(name, "give a text that is not blank")
    if longest and len(text) > longest:
        raise InvalidInput(name, f"give at most {longest} characters")
    found = _UNKEPT.search(text)
    if found is not None:
        half = "\ud800" <= found[0] <= "\udfff"
        raise InvalidInput(
            name,
            "replace lone surrogates in it, which are half a character"
            if half
            else "take control characters out of it, which Xero cannot keep",
        )


def check_id(name: str, text: object) -> None:
    """Refuse what can be no id of the host's. Raises `InvalidInput` for the field of this *name*."""
    check_text(name, text, needed=True)
    if len(str(text).encode()) > LONGEST_ID:
        raise InvalidInput(name, f"give at most {LONGEST_ID:,} bytes")


def plain_id(text: str) -> str:
    """The id of Xero's that *text* is, as Xero writes it: people paste it in capitals, or with a blank around it."""
    return text.strip().lower()


def can_be_kept(text: str) -> bool:
    """Whether a store can keep *text*: what it cannot, it never held."""
    return _UNKEPT.search(text) is None


def legible(text: object) -> str:
    """*text* so that it can be shown, whatever is in it: what could not be kept is U+FFFD."""
    return _UNKEPT.sub("\ufffd", str(text))
