"""Rules of attachments (F 6.185–6.190)."""

from __future__ import annotations

from typing import Final

from xerosync.simulator.books import Books
from xerosync.simulator.entities import Attachment, FileContent
from xerosync.simulator.refusals import Invalid

_FORBIDDEN: Final = frozenset('<>:"/\\|?*+\0')
_MOST: Final = 10
_LONGEST_NAME: Final = 255
_OTHER: Final = "application/octet-stream"
_TYPES: Final = {
    "7z": "application/x-7z-compressed", "bmp": "image/bmp", "csv": "text/csv", "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "eml": "message/rfc822",
    "gif": "image/gif", "jpeg": "image/jpeg", "jpg": "image/jpeg", "keynote": "application/vnd.apple.keynote",
    "msg": "application/vnd.ms-outlook", "numbers": "application/vnd.apple.numbers",
    "odf": "application/vnd.oasis.opendocument.formula", "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odt": "application/vnd.oasis.opendocument.text", "pages": "application/vnd.apple.pages", "pdf": "application/pdf",
    "png": "image/png", "ppt": "application/vnd.ms-powerpoint",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "rar": "application/vnd.rar", "rtf": "application/rtf", "tif": "image/tiff", "tiff": "image/tiff",
    "txt": "text/plain", "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "zip": "application/zip",
}  # fmt: skip


def mime_type(name: str) -> str:
    """The kind of file that *name* promises: Xero looks at nothing else (F 6.185)."""
    return _TYPES.get(name.rpartition(".")[2].lower(), _OTHER)


def attach(books: Books, owner_id: str, name: str, content: bytes, *, include_online: bool) -> Attachment:
    """Attach a file to *owner_id*, in place of the one of the same *name* (F 6.187). Raises `Invalid`."""
    _refuse(name, content)
    present = books.attachments_of(owner_id)
    same = next((one for one in present if one.name.lower() == name.lower()), None)
    if same is None and len(present) >= _MOST:
        raise Invalid(f"A maximum of {_MOST} attachments can be added to a document")
    attachment = Attachment(
        id=same.id if same is not None else books.draw(),
        owner_id=owner_id,
        name=name,
        mime_type=mime_type(name),
        length=len(content),
        include_online=include_online,
        updated_ms=books.write_stamp(),
    )
    books.files.put(FileContent(attachment.id, content))
    return books.attachments.put(attachment)


def found(books: Books, owner_id: str, key: str) -> Attachment | None:
    """The file of *owner_id* that *key* names, by AttachmentID or file name (F 6.188)."""
    present = books.attachments_of(owner_id)
    return next((one for one in present if key.lower() in {one.id, one.name.lower()}), None)


def _refuse(name: str, content: bytes) -> None:
    if _FORBIDDEN & set(name) or any(sign < " " for sign in name):
        raise Invalid('The file name cannot contain any of the characters < > : " / \\ | ? * +')
    if len(name) > _LONGEST_NAME:
        raise Invalid(f"The file name must not be longer than {_LONGEST_NAME} characters")
    if mime_type(name) == _OTHER:
        raise Invalid("The file couldn't be uploaded because it isn't a supported file type.")
    if not content:
        raise Invalid("The file couldn't be uploaded because it is empty.")
