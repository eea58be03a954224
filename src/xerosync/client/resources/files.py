"""What hangs on documents: attached files, the notes of their history, and how they look on paper."""

from __future__ import annotations

from typing import ClassVar, Final, TypeVar
from urllib.parse import quote

from attrs import AttrsInstance, define

from xerosync.client._session import Query
from xerosync.client._wire.codec import decode
from xerosync.client._wire.outgoing import encode
from xerosync.client.resources.base import AsyncReadable, as_given, as_id
from xerosync.client.resources.file_names import checked_name
from xerosync.client.resources.writing import AsyncEditable, reply, taken
from xerosync.errors import InvalidInput, UnreadableAnswer
from xerosync.models import Attachment, HistoryRecord

T = TypeVar("T", bound=AttrsInstance)

LARGEST_FILE: Final = 10 * 1024 * 1024
"""Bytes of an attached file at most (F 6.186)."""
_BYTES: Final = "application/octet-stream"


@define(eq=False)
class AsyncNoted(AsyncEditable[T], AsyncReadable[T]):
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
        path = f"{as_id(document_id)}/History"
        try:
            row = encode(HistoryRecord(details=text), to_write=True)
        except InvalidInput as fault:
            raise InvalidInput("text", fault.remedy) from None
        if not text or not text.strip():
            raise InvalidInput("text", "give a note that is not blank")
        await self._put_below(path, "HistoryRecords", [row], "noted")


@define(eq=False)
class AsyncFiled(AsyncEditable[T], AsyncReadable[T]):
    """A resource whose documents may have files attached."""

    goes_online: ClassVar[bool] = False
    """Whether its files may be shown to customers (F 6.185)."""

    async def attachments(self, document_id: str) -> list[Attachment]:
        """The files attached to a document, without their content."""
        session = await self._books.session()
        page = await session.read(Query(f"{self.collection}/{as_id(document_id)}/Attachments", "Attachments"))
        return [decode(Attachment, row, where="Attachments") for row in page.rows]

    async def attach(
        self, document_id: str, file_name: str, content: bytes, *, include_online: bool = False
    ) -> Attachment:
        """
        Attach a file; one of the same name is replaced (F 6.187). Xero keeps ten a document, 10 MB each (F 6.186).

        Its kind follows from the name's ending; `safe_file_name` makes a name that Xero takes out of any other.
        *include_online* shows it to customers, with a sales invoice or credit note. Raises `InvalidInput` for a name or
        a size that Xero does not take, `Rejected`, among others for the eleventh file, and `OutcomeUnknown`.
        """
        name = checked_name(file_name)
        path = f"{self.collection}/{as_id(document_id)}/Attachments/{quote(name, safe='')}"
        given = as_given(content)
        if not isinstance(given, bytes):
            raise InvalidInput("content", f"give the file's bytes, not a {type(given).__name__}")
        if not content or len(content) > LARGEST_FILE:
            raise InvalidInput("content", f"give 1 to {LARGEST_FILE:,} bytes")
        if include_online and not self.goes_online:
            raise InvalidInput("include_online", "only files of invoices and credit notes are shown to customers")
        online = "?IncludeOnline=true" if include_online else ""
        delivery = await self._sent("PUT", f"{path}{online}", content, "attached", _BYTES)
        (row,) = taken(delivery, "Attachments", [{}], "AttachmentID", "attached")
        return reply(Attachment, delivery, row, "attached")

    async def download(self, document_id: str, attachment_id: str) -> bytes:
        """
        The content of a file. Raises `NotFound` when the document has none of this id.

        Keep it under a name of your own: the one in Xero was chosen by whoever attached it.
        """
        session = await self._books.session()
        path = f"{self.collection}/{as_id(document_id)}/Attachments/{as_id(attachment_id, 'attachment_id')}"
        return (await session.fetch(path, accept=_BYTES)).body


@define(eq=False)
class AsyncPrinted(AsyncReadable[T]):
    """A resource whose documents can be had on paper."""

    async def pdf(self, document_id: str) -> bytes:
        """A document as a PDF. Raises `NotFound` when Xero knows none of this id."""
        session = await self._books.session()
        page = (await session.fetch(f"{self.collection}/{as_id(document_id)}/pdf", accept="application/pdf")).body
        if not page.startswith(b"%PDF"):
            raise UnreadableAnswer(f"{self.collection}/pdf", f"{len(page)} bytes that are no PDF")
        return page
