"""Where a person finds a document in Xero itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

_PATHS: Final[Mapping[str, str]] = {
    "sale": "/AccountsReceivable/View.aspx?InvoiceID=",
    "bill": "/AccountsPayable/Edit.aspx?InvoiceID=",
    "sale credit": "/AccountsReceivable/ViewCreditNote.aspx?creditNoteID=",
    "credit note": "/AccountsPayable/ViewCreditNote.aspx?creditNoteID=",
    "payment": "/Bank/ViewTransaction.aspx?bankTransactionID=",
    "bank transaction": "/Bank/ViewTransaction.aspx?bankTransactionID=",
    "contact": "/Contacts/View/",
}


def deep_link(kind: str, document_id: str, short_code: str | None) -> str | None:
    """
    The address at which a user sees a document of Xero, in the organisation of *short_code* whichever is open there.

    *kind* is ``sale``, ``bill``, ``sale credit``, ``credit note``, ``payment``, ``bank transaction`` or ``contact``;
    None for what Xero names no address of, as for transfers, and without an id. *short_code* is the organisation's
    ``short_code``; without it the address leads into the organisation that the user has open. As Xero's guide "Deep
    link to Xero" says (developer.xero.com/documentation/api-guides/deep-link-xero).
    """
    path = _PATHS.get(kind)
    if path is None or not document_id:
        return None
    target = path + quote(document_id, safe="")
    if not short_code:
        return f"https://go.xero.com{target}"
    login = "https://go.xero.com/organisationlogin/default.aspx"
    return f"{login}?shortcode={quote(short_code, safe='')}&redirecturl={quote(target, safe='')}"
