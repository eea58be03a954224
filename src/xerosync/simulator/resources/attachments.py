"""…/Attachments of every document that takes files (F 6.185–6.190)."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from xerosync.simulator.books import Books
from xerosync.simulator.entities import Attachment
from xerosync.simulator.history import note_attachment
from xerosync.simulator.refusals import Invalid, NotThere
from xerosync.simulator.resources.call import Answer, Call, invalid, no_id, refused
from xerosync.simulator.resources.owners import owner
from xerosync.simulator.resources.route import ById, ByTwoIds, Route
from xerosync.simulator.rules import files as rules
from xerosync.simulator.wire import Row

ATTACHMENTS: Final = "accounting.attachments"
_ENDPOINTS: Final = (
    "Accounts", "BankTransactions", "BankTransfers", "Contacts", "CreditNotes", "Invoices", "ManualJournals",
    "PurchaseOrders", "Quotes",
)  # fmt: skip
_API: Final = "https://api.xero.com/api.xro/2.0"


def attached(books: Books, endpoint: str, owner_id: str) -> list[Row]:
    """The files of one row of *endpoint*, as lists and single reads show them."""
    return [attachment_row(endpoint, one) for one in books.attachments_of(owner_id)]


def attachment_row(endpoint: str, attachment: Attachment) -> Row:
    """One file; IncludeOnline only where it is so (A.09)."""
    row: Row = {
        "AttachmentID": attachment.id,
        "FileName": attachment.name,
        "Url": f"{_API}/{endpoint}/{attachment.owner_id}/Attachments/{quote(attachment.name)}",
        "MimeType": attachment.mime_type,
        "ContentLength": attachment.length,
    }
    return row | {"IncludeOnline": True} if attachment.include_online else row


def _many(endpoint: str) -> ById:
    def get_many(call: Call, key: str) -> Answer:
        return Answer({"Attachments": attached(call.books, endpoint, owner(call.books, endpoint, key).id)})

    return get_many


def _content(endpoint: str) -> ByTwoIds:
    def get_content(call: Call, key: str, name: str) -> Answer:
        found = rules.found(call.books, owner(call.books, endpoint, key).id, name)
        if found is None:
            raise NotThere
        return Answer(None, raw=call.books.files[found.id].content, content_type=found.mime_type)

    return get_content


def _upload(endpoint: str) -> ByTwoIds:
    def upload(call: Call, key: str, name: str) -> Answer:
        found = owner(call.books, endpoint, key)
        online = found.goes_online and call.flag("IncludeOnline")
        try:
            attachment = rules.attach(call.books, found.id, name, call.body, include_online=online)
        except Invalid as fault:
            row = no_id("AttachmentID") | {
                "FileName": name,
                "MimeType": rules.mime_type(name),
                "ContentLength": len(call.body),
            }
            return invalid([refused(row, fault)])
        if call.books.switches.attaching_moves_stamp:
            found.touch()
        note_attachment(call.books, attachment, call.app_name)
        return Answer({"Attachments": [attachment_row(endpoint, attachment)]})

    return upload


def _routes(endpoint: str) -> tuple[Route, Route]:
    path = endpoint.lower()
    put = _upload(endpoint)
    return (
        Route((path, "{}", "attachments"), ATTACHMENTS, ATTACHMENTS, by_id={"GET": _many(endpoint)}),
        Route(
            (path, "{}", "attachments", "{}"),
            ATTACHMENTS,
            ATTACHMENTS,
            by_two_ids={"GET": _content(endpoint), "PUT": put, "POST": put},
        ),
    )


ROUTES: Final = tuple(route for endpoint in _ENDPOINTS for route in _routes(endpoint))
