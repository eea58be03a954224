"""Files attached to documents, and the notes of their history."""

from __future__ import annotations

from typing import Final, TypeVar
from urllib.parse import quote

from attrs import AttrsInstance, define

from xerosync.client._session import Query
from xerosync.client._wire.answers import envelope
from xerosync.client._wire.codec import decode
from xerosync.client._wire.outgoing import encode
from xerosync.client.resources.base import AsyncReadable, as_id
from xerosync.errors import InvalidInput, UnreadableAnswer
from xerosync.models import Attachment, HistoryRecord, Shape

T = TypeVar("T", bound=AttrsInstance)

LARGEST_FILE: Final = 10 * 1024 * 1024
"""Bytes of an attached file at most (F 6.186)."""
_LONGEST_NOTE: Final = 2500
_FORBIDDEN: Final = frozenset('<>:"/\\|?*+')
_BYTES: Final = "application/octet-stream"


@define(eq=False)
class AsyncNoted(AsyncReadable[T]):
    """A resource whose documents have a history."""

    async def history(self, document_id: str) -> list[HistoryRecord]:
        """What was done to a document, and by whom (F 6.191)."""
        session = await self._books.session()
        page = await session.read(Query(f"{self.collection}/{as_id(document_id)}/History", "HistoryRecords"))
        return [decode(HistoryRecord, row, where="HistoryRecords") for row in page.rows]

    async def add_note(self, document_id: str, text: str) -> None:
        """
        Add a note to a document's history, where people see it in Xero.

        Raises `InvalidInput` for a text that is blank or longer than 2,500 characters, `Rejected`, `OutcomeUnknown`.
        """
        if not text.strip() or len(text) > _LONGEST_NOTE:
            raise InvalidInput("text", f"give 1 to {_LONGEST_NOTE} characters")
        row = encode(HistoryRecord(details=text), to_write=True)
        await self._put_below(f"{as_id(document_id)}/History", "HistoryRecords", [row], "noted")


@define(eq=False)
class AsyncFiled(AsyncNoted[T]):
    """A resource whose documents may have files attached."""

    async def attachments(self, document_id: str) -> list[Attachment]:
        """The files attached to a document, without their content."""
        session = await self._books.session()
        page = await session.read(Query(f"{self.collection}/{as_id(document_id)}/Attachments", "Attachments"))
        return [decode(Attachment, row, where="Attachments") for row in page.rows]

    async def attach(
        self, document_id: str, file_name: str, content: bytes, *, include_online: bool = False
    ) -> Attachment:
        """
        Attach a file; one of the same name is replaced (F 6.187). Ten a document, 10 MB each (F 6.186).

        Its kind follows from the name's ending. *include_online* shows it to customers, with a sales invoice or credit
        note. Raises `InvalidInput` for a name or a size that Xero does not take, `Rejected`, `OutcomeUnknown`.
        """
        path = f"{self.collection}/{as_id(document_id)}/Attachments/{quote(safe_name(file_name), safe='')}"
        if not content or len(content) > LARGEST_FILE:
            raise InvalidInput("content", f"give 1 to {LARGEST_FILE:,} bytes")
        online = "?IncludeOnline=true" if include_online else ""
        response = await self._sent("PUT", f"{path}{online}", content, "attached", _BYTES)
        rows = envelope(response, "Attachments").rows
        if len(rows) != 1:
            raise UnreadableAnswer("Attachments", f"{len(rows)} rows where one is due")
        return decode(Attachment, rows[0], where="Attachments", shape=Shape.REPLY)

    async def download(self, document_id: str, attachment_id: str) -> bytes:
        """The content of a file. Raises `NotFound` when the document has none of this id."""
        session = await self._books.session()
        path = f"{self.collection}/{as_id(document_id)}/Attachments/{as_id(attachment_id)}"
        return (await session.fetch(path, accept=_BYTES)).body


def safe_name(file_name: str) -> str:
    """*file_name*, if Xero takes it (F 6.187). Raises `InvalidInput` that says which characters to leave out."""
    wrong = sorted({letter for letter in file_name if letter in _FORBIDDEN or not letter.isprintable()})
    if wrong:
        raise InvalidInput("file_name", f"leave out {' '.join(map(repr, wrong))}")
    if not file_name.strip() or len(file_name) > 255:
        raise InvalidInput("file_name", "give 1 to 255 characters")
    return file_name
