"""Papers that an update can do nothing about, and why: each is a finding, none is passed over in silence."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Final

from xerosync.client._books import Books
from xerosync.client._wire.codec import Json
from xerosync.client._wire.outgoing import encode
from xerosync.engine.billing import OpenDocument
from xerosync.engine.bringing import LinkBill
from xerosync.engine.ended import gone_finding, withdrawn
from xerosync.engine.mirror import CREDIT_NOTES, GONE, INVOICES
from xerosync.engine.observed import intents_of, links_of, stamped
from xerosync.engine.paper_settings import BillSettings, documents_of
from xerosync.engine.plans import Finding
from xerosync.engine.probes import shows
from xerosync.engine.reference import read_reference
from xerosync.engine.rounding import with_remainder
from xerosync.engine.settling_policies import WhenLocked
from xerosync.engine.sides import Side
from xerosync.engine.states import OPEN, State
from xerosync.engine.submitting import worth_of
from xerosync.engine.vendors import vendor_key
from xerosync.engine.written import now_in_xero
from xerosync.errors import InvalidInput
from xerosync.mapping.papers import Bill, Paper, map_bill
from xerosync.models import CreditNote, Invoice
from xerosync.money import Money

_WORDS: Final = {
    "Date": "day",
    "DueDate": "due day",
    "InvoiceNumber": "number",
    "CreditNoteNumber": "number",
    "LineItems": "lines",
    "LineAmountTypes": "way to tell tax",
    "CurrencyCode": "currency",
    "CurrencyRate": "rate",
    "Type": "kind of document",
}


async def without_document(books: Books, side: Side, papers: Sequence[Paper]) -> list[Finding]:
    """A finding on each of *papers*, of which no document of ours stands in Xero."""
    made = {side.operation(kind, paper.id): paper for paper in papers for kind in (side.invoice, side.credit)}
    intents = await intents_of(books, made)
    states: dict[str, set[State]] = {}
    for each in intents.values():
        states.setdefault(made[each.operation].id, set()).add(each.state)
    ids = {each.xero_id: made[each.operation].id for each in intents.values() if each.xero_id}
    documents: Mapping[str, tuple[Invoice | CreditNote, str]] = {
        **await stamped(books, INVOICES, Invoice, ids),
        **await stamped(books, CREDIT_NOTES, CreditNote, ids),
    }
    ended = {
        ids[xero_id]: str(document.status) for xero_id, (document, _) in documents.items() if document.status in GONE
    }
    by_host = await withdrawn(books, ended, side=side)
    findings: list[Finding] = []
    for paper in papers:
        if paper.id in ended:
            status, worth = ended[paper.id], worth_of(paper)
            findings.append(gone_finding(paper.id, status, worth, by_host=paper.id in by_host))
        else:
            findings.append(not_posted(paper.id, states.get(paper.id, set()), worth_of(paper)))
    return findings


def not_posted(about: str, states: Collection[State], worth: Money | None) -> Finding:
    """The finding on what is to be changed, and was not posted; *states* are those of the writes that were to."""
    if OPEN & set(states):
        cause, fix = "an earlier run was interrupted while posting it", "call recover()"
        return Finding(code="still open", about=about, cause=cause, fix=fix, retry=True, worth=worth)
    if State.CONFIRMED in states:
        cause, who = "another run posted it while this was planned", "nobody, it is automatic"
        return Finding(
            code="changed since planned", about=about, cause=cause, fix="plan again", who=who, retry=True, worth=worth
        )
    cause, fix = "the library posted nothing under this id, so there is nothing to change", "submit it first"
    return Finding(code="not created here", about=about, cause=cause, fix=fix, retry=True, worth=worth)


def sum_of(bill: Bill) -> str:
    """A short sum of what *bill* says, kept with the link to what people typed for it, to see when it changes."""
    said = json.dumps([vendor_key(bill.party), encode(map_bill(bill))], default=_exact)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _exact(number: object) -> str:
    return f"{number.normalize():f}" if isinstance(number, Decimal) else str(number)


async def unlike_what_was_typed(
    books: Books, bills: Sequence[Bill], linked: Mapping[str, OpenDocument], settings: BillSettings
) -> list[Finding]:
    """A finding on each of *bills* that changed since it was *linked*, and is not so in Xero: typed ones stay."""
    links = await links_of(books, LinkBill.kind, [each.id for each in bills])
    gone = [each for each in bills if linked[each.id].document.status in GONE]
    findings = [
        gone_finding(each.id, str(linked[each.id].document.status), worth_of(each), by_host=False) for each in gone
    ]
    changed = [each for each in bills if each not in gone and links[each.id].get("paper") != sum_of(each)]
    if not changed:
        return findings
    reference = await read_reference(books, documents_of(changed, settings), WhenLocked.REFUSE)
    now = await now_in_xero(books, [linked[each.id].document for each in changed])
    for bill in changed:
        try:
            wanted = settings.document(with_remainder(settings.coded(bill)[0], reference))
            differing = _unlike(encode(now[linked[bill.id].seen.document_id]), encode(wanted))
        except InvalidInput as error:
            differing = [str(error)]
        if differing:
            cause = (
                f"it is the one that was typed in Xero, and stays as it is there; what differs: {', '.join(differing)}"
            )
            fix = "change it in Xero, where it was entered, or here"
            findings.append(
                Finding(code="entered in Xero", about=bill.id, cause=cause, fix=fix, retry=True, worth=worth_of(bill))
            )
    return findings


def _unlike(there: Json, wanted: Json) -> list[str]:
    names = [name for name, value in wanted.items() if name != "Status" and not shows(there.get(name, ""), value)]
    return [_WORDS.get(name, name) for name in names]
