"""/Invoices/{InvoiceID}/Email and /OnlineInvoice: what the customer gets to see (F 6.81, 6.82)."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Final

from attrs import evolve

from xerosync.simulator.books import Books
from xerosync.simulator.entities import Document, Organisation
from xerosync.simulator.history import add_note
from xerosync.simulator.refusals import Invalid, NotThere
from xerosync.simulator.resources.call import Answer, Call, invalid, refused
from xerosync.simulator.resources.route import INVOICES, TRANSACTIONS, Route

# How many invoices an organisation may send a day; every plan that is paid for sends 1,000.
_CAPS: Final = {"DEMO": 0, "TRIAL": 20}
_CAP: Final = 1000


def send(call: Call, key: str) -> Answer:
    """POST /Invoices/{InvoiceID}/Email: 204, or the reason why not. A demo company sends nothing."""
    invoice = _found(call.books, key)
    try:
        _send(call.books, invoice)
    except Invalid as fault:
        return invalid([refused({"InvoiceID": invoice.id}, fault)])
    return Answer(None, 204)


def get_online(call: Call, key: str) -> Answer:
    """GET /Invoices/{InvoiceID}/OnlineInvoice: where the customer may look at it; a draft is nowhere."""
    invoice = _found(call.books, key)
    if invoice.type != "ACCREC" or invoice.status not in {"SUBMITTED", "AUTHORISED", "PAID", "VOIDED"}:
        fault = Invalid("An online invoice is available for approved sales invoices only")
        return invalid([refused({"InvoiceID": invoice.id}, fault)])
    secret = urlsafe_b64encode(sha256(invoice.id.encode()).digest()).decode().replace("-", "x").replace("_", "y")
    return Answer({"OnlineInvoices": [{"OnlineInvoiceUrl": f"https://in.xero.com/{secret[:40]}"}]})


def _send(books: Books, invoice: Document) -> None:
    if invoice.type != "ACCREC" or invoice.status not in {"AUTHORISED", "PAID"}:
        raise Invalid("Only approved sales invoices can be emailed")
    address = dict(books.contacts[invoice.contact_id].texts).get("EmailAddress", "")
    if not address:
        raise Invalid("The contact has no email address to send the invoice to")
    organisation, today = books.organisation, books.now().date()
    sent = organisation.emails_sent if organisation.emailed_on == today else 0
    if sent >= _cap(organisation):
        raise Invalid("The daily limit of invoice emails has been reached")
    books.organisations.put(evolve(organisation, emailed_on=today, emails_sent=sent + 1))
    if invoice.sent_to_contact:
        add_note(books, invoice.id, "This invoice has been sent", changes="Invoice sent")
        return
    # F 4.23: on an invoice that money is applied to, being sent moves no stamp.
    stamp = invoice.updated_ms if invoice.paid or invoice.credited else books.write_stamp()
    books.documents.put(evolve(invoice, sent_to_contact=True, updated_ms=stamp))


def _cap(organisation: Organisation) -> int:
    return _CAPS.get(organisation.plan, _CAP)


def _found(books: Books, key: str) -> Document:
    invoice = books.documents.get(key.lower())
    if invoice is None or not invoice.is_invoice:
        raise NotThere
    return invoice


ROUTES: Final = (
    Route(("invoices", "{}", "email"), INVOICES, TRANSACTIONS, by_id={"POST": send}),
    Route(("invoices", "{}", "onlineinvoice"), INVOICES, TRANSACTIONS, by_id={"GET": get_online}),
)
