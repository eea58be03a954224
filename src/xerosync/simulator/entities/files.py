"""What hangs on a document: files, and the history of what was done to it."""

from __future__ import annotations

from attrs import frozen


@frozen
class Attachment:
    """A file of *owner_id*, whose bytes stand in the `FileContent` of the same id; *length* in bytes."""

    id: str
    owner_id: str
    name: str
    mime_type: str
    length: int
    include_online: bool
    updated_ms: int


@frozen
class FileContent:
    """The bytes of the attachment of the same id, apart from it, so that they are written once."""

    id: str
    content: bytes


@frozen
class HistoryEntry:
    """One thing that was done: *changes* names its kind, as Xero lists it (F 6.191)."""

    at_ms: int
    changes: str
    details: str
    user: str = "System Generated"


@frozen
class History:
    """All that was done to the row *id*, oldest first."""

    id: str
    entries: tuple[HistoryEntry, ...] = ()
