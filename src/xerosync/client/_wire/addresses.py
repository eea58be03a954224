"""Which addresses a token may be sent to."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from xerosync.errors import InvalidInput

_THIS_MACHINE: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def check_private(url: str) -> None:
    """Raise `InvalidInput` unless nobody between here and *url* can read along: https, or this machine itself."""
    try:
        place = urlsplit(url)
        private = bool(place.hostname) and place.scheme == "https"
        private = private or (place.scheme == "http" and place.hostname in _THIS_MACHINE)
    except ValueError:
        private = False
    if not private:
        raise InvalidInput("url", "give an https address, or http on this machine itself")
