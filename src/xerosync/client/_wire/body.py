"""The body of an answer as its bytes come in: unpacked, and never more of it than was bargained for."""

from __future__ import annotations

import zlib
from typing import Final

from xerosync.ports import AnswerLost, AnswerRefused

_GZIP: Final = 16 + zlib.MAX_WBITS
_SHOWN: Final = 40


class Body:
    """
    The body of one answer that came packed as *encoding*, a ``Content-Encoding``; at most *bytes_max* unpacked.

    The HTTP library could unpack too, but all of a piece at once: a few packed bytes may be gigabytes. Every method
    raises `AnswerLost` with what was seen when the bytes are no such body: `AnswerRefused` for one that is too large,
    or packed as nobody asked for.
    """

    def __init__(self, encoding: str, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._room = bytes_max
        self._parts: list[bytes] = []
        self._gzip = None if encoding.strip().lower() in {"", "identity"} else self._decompressor(encoding)
        self._begun = False

    def add(self, piece: bytes) -> None:
        """Take in the next *piece*."""
        if self._gzip is None:
            self._keep(piece)
            return
        while piece:
            if self._gzip.eof:
                self._gzip = zlib.decompressobj(_GZIP)
            self._begun = True
            try:
                # One byte more than there is room for is enough to know that it is too much.
                self._keep(self._gzip.decompress(piece, self._room + 1))
            except zlib.error:
                raise AnswerLost("Xero's answer said it was packed with gzip, and was not") from None
            piece = self._gzip.unused_data

    def whole(self) -> bytes:
        """The body, when no more pieces come."""
        if self._gzip is not None and self._begun and not self._gzip.eof:
            raise AnswerLost("Xero's answer, packed with gzip, ended in the middle")
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def _keep(self, part: bytes) -> None:
        self._room -= len(part)
        if self._room < 0:
            raise AnswerRefused(f"Xero's answer is larger than {self._bytes_max:,} bytes; the rest was not read")
        if part:
            self._parts.append(part)

    @staticmethod
    def _decompressor(encoding: str) -> zlib._Decompress:
        if encoding.strip().lower() not in {"gzip", "x-gzip"}:
            raise AnswerRefused(f"Xero's answer came packed as {encoding[:_SHOWN]!r}, which nobody asked for")
        return zlib.decompressobj(_GZIP)
