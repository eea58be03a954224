"""Files and notes, by hand."""

from __future__ import annotations

from xerosync.errors import InvalidInput
from xerosync.simulator.bookkeeper.reading import Reading
from xerosync.simulator.entities import Attachment, HistoryEntry
from xerosync.simulator.history import add_note, note_attachment
from xerosync.simulator.resources.owners import OWNERS
from xerosync.simulator.rules import files


class FileWork(Reading):
    """Attaching files, writing notes, reading both."""

    def attach(
        self, kind: str, owner_id: str, name: str, content: bytes, *, include_online: bool = False
    ) -> Attachment:
        """
        Attach *content* as file *name* to a row of *kind*, which is the name of its path: ``"Invoices"``.

        A file of that name is replaced. Raises `InvalidInput`.
        """
        owner = self._owner(kind, owner_id)

        def write() -> Attachment:
            attachment = files.attach(self._books, owner, name, content, include_online=include_online)
            note_attachment(self._books, attachment, "")
            return attachment

        return self._do(write)

    def note(self, kind: str, owner_id: str, details: str) -> HistoryEntry:
        """Add a note to the history of a row of *kind*. Raises `InvalidInput`."""
        owner = self._owner(kind, owner_id)
        return self._do(lambda: add_note(self._books, owner, details))

    def attachments_of(self, owner_id: str) -> tuple[Attachment, ...]:
        """The files of a document, a contact or an account, oldest first."""
        return tuple(self._books.attachments_of(owner_id))

    def attachment_content(self, attachment_id: str) -> bytes:
        """The bytes of an attachment. Raises `InvalidInput`."""
        found = self._books.files.get(attachment_id)
        if found is None:
            raise InvalidInput("attachment_id", "there is no such attachment")
        return found.content

    def history_of(self, owner_id: str) -> tuple[HistoryEntry, ...]:
        """What was done to a row, oldest first."""
        found = self._books.histories.get(owner_id)
        return found.entries if found is not None else ()

    def _owner(self, kind: str, owner_id: str) -> str:
        find = OWNERS.get(kind)
        if find is None:
            raise InvalidInput("kind", f"nothing hangs on {kind}: give one of {', '.join(OWNERS)}")
        owner = find(self._books, owner_id)
        if owner is None:
            raise InvalidInput("owner_id", f"there is no such row among the {kind}")
        return owner.id
