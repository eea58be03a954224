"""What hangs on a document: attached files, and the notes of its history."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from attrs import field, frozen

from xerosync.models.base import READ_ONLY, AttachmentId, Quiet, Shape, longest, no_extra


@frozen(kw_only=True, repr=False)
class Attachment(Quiet):
    """A file attached to a document; its *mime_type* follows from the name's ending, whatever was sent (F 6.187)."""

    attachment_id: AttachmentId | None = None
    file_name: str | None = None
    url: str | None = None
    mime_type: str | None = None
    content_length: int | None = None
    include_online: bool | None = None
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)
    shape: Shape = field(default=Shape.NEW, eq=False)


@frozen(kw_only=True, repr=False)
class HistoryRecord(Quiet):
    """What was done to a document, by whom and when; with *details* alone it is a note to be added (F 6.191)."""

    details: str | None = field(default=None, metadata=longest(2500))
    changes: str | None = None
    user: str | None = None
    date_utc: datetime.datetime | None = field(default=None, metadata=READ_ONLY)
    extra: Mapping[str, object] = field(factory=no_extra, hash=False)
    shape: Shape = field(default=Shape.NEW, eq=False)
