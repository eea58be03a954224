"""Drift: what people changed in Xero after the library wrote it, told from what was sent and what stands there now."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from attrs import evolve

from xerosync.client._books import Books
from xerosync.client._wire.outgoing import encode
from xerosync.engine.actions import AcceptDrift, Action, Pay, link_key
from xerosync.engine.addresses import deep_link
from xerosync.engine.clearing import posted_by_id
from xerosync.engine.drift_report import Drift, DriftField, DriftReport
from xerosync.engine.hindrances import archived_contacts, hindrances
from xerosync.engine.intents import Intent, read_intent, tag_in, text_at
from xerosync.engine.line_drift import Paper, lines_changed
from xerosync.engine.mirror import (
    CONTACTS,
    GONE,
    is_older,
    mirror_key,
    read_mirrored,
    records,
    refresh,
    reread,
    stamp_of,
    stored,
)
from xerosync.engine.observed import all_links, intents_with, stamped
from xerosync.engine.pair_actions import ConnectCustomer, ConnectVendor
from xerosync.engine.paper_actions import ChangeBill, ChangeSale
from xerosync.engine.putting_back import PutBack, put_back
from xerosync.engine.restating import Edited, restated
from xerosync.engine.restoring import (
    RESTORED,
    TAKING_BACK,
    again,
    being_put_back,
    being_taken_back,
    current_of,
    edited_back,
    past_revisions,
    why_it_stays,
)
from xerosync.engine.settling_policies import WhenLocked, open_books
from xerosync.engine.states import POSTED, State
from xerosync.engine.written import Written, all_changes, as_typed, first_key, written_as, written_total
from xerosync.engine.written_on import WRITTEN_ON, Document
from xerosync.models import (
    BankTransaction,
    BankTransfer,
    Contact,
    ContactStatus,
    CreditNote,
    Invoice,
    InvoiceType,
    Payment,
    PaymentStatus,
)

_CHUNK: Final = 500
_CALLED: Final[Mapping[str, str]] = {"refund": "payment"}
"""As what a document is linked to that is called otherwise than its write."""
_TELLING: Final = frozenset({DriftField.EXISTENCE, DriftField.AMOUNT})
"""What was changed of a document that also says that its lines are others."""
_EDITED: Final = {DriftField.DATE: "Date", DriftField.DUE_DATE: "DueDate", DriftField.CONTACT: "Contact"}
"""Xero's names of what an edit changes besides the lines."""
_OF_LINES: Final = frozenset({DriftField.LINES, DriftField.TEXTS})
"""What only the lines themselves tell, which takes calls to see."""


async def find_drift(books: Books, fields: Collection[DriftField]) -> DriftReport:
    """Compare everything the library wrote with what the mirror, just refreshed, holds of it."""
    books = books.reading_once()
    # What was never written needs no scope to be read.
    kinds = [name for name in WRITTEN_ON if await _is_written(books, name)]
    await refresh(books, *{shelf.name: shelf for shelf, _ in map(WRITTEN_ON.__getitem__, kinds)}.values())
    accepted = {link_key(AcceptDrift.kind, link["host_id"]): link["now"] for link in await all_links(books, "drift")}
    taken_back = await _taken_back(books)
    changed = await all_changes(books)
    looked_at = 0
    found: list[Drift] = []
    creations: dict[str, str] = {}
    under_way: set[str] = set()
    for name in kinds:
        async for page in _pages(books, name):
            written = [written_as(each, changed) for each in page]
            ours = {
                each.creation.xero_id: each
                for each in written
                if each.creation.xero_id and each.creation.xero_id not in taken_back and not each.is_open
            }
            looked_at += len(ours)
            under_way |= {each.creation.xero_id for each in written if each.creation.xero_id and each.is_open}
            drifted = [each async for each in _drifted(books, name, ours, fields)]
            creations |= {each.xero_id: first_key(ours[each.xero_id].creation) for each in drifted}
            found += drifted
    found += [each async for each in _contacts(books)]
    if found:
        # Another run may have taken something back or changed it meanwhile, which the mirror shows already.
        taken_back, since = await _taken_back(books), await all_changes(books)
        as_before = {xero_id for xero_id, key in creations.items() if changed.get(key) == since.get(key)}
        gone = taken_back | (creations.keys() - as_before)
        found = [each for each in found if each.xero_id not in gone]
    nameless = await _nameless(books)
    found, looked_at = [*found, *nameless], looked_at + len(nameless)
    left = (each for each in found if each.field in fields and accepted.get(each.accepted().key) != each.now)
    return DriftReport(tenant=books.tenant, looked_at=looked_at, drifts=tuple(left), under_way=frozenset(under_way))


async def _taken_back(books: Books) -> set[str]:
    """What the library took back itself, or put something else in the place of, or is about to, by Xero id."""
    found = {*await past_revisions(books), *await being_taken_back(books)}
    removals: dict[str, Intent] = {}
    for kind in sorted(TAKING_BACK):
        removals |= posted_by_id(await intents_with(books, lookup=("kind", kind)))
    # What made room for something to be put back was not taken back for good: a run may have died before that came.
    room = {xero_id: each for xero_id, each in removals.items() if RESTORED[0] in each.facts}
    coming = await being_put_back(books) if room else frozenset[str]()
    return found | {
        xero_id for xero_id in removals if xero_id not in room or room[xero_id].operation.host_ref in coming
    }


async def _drifted(
    books: Books, name: str, ours: Mapping[str, Written], fields: Collection[DriftField]
) -> AsyncIterator[Drift]:
    organisation = await books.organisation()
    documents, all_differing = await _differing_of(books, name, ours, fields)
    differ = {key: (ours[key], each) for key, (each, _) in documents.items() if all_differing[key]}
    restored = await _put_back(books, differ)
    days = open_books(organisation, WhenLocked.REFUSE)
    contacts = (text_at(each.as_one().payload, "Contact", "ContactID") for each, _ in differ.values())
    archived = await archived_contacts(books, contacts)
    edits = {
        key: Edited(
            written=written.creation,
            document=document,
            fields={field for field, _, _ in all_differing[key] if field in {*fields, DriftField.ACCOUNT}},
            stamp=documents[key][1],
            knows_lines=DriftField.LINES in fields,
        )
        for key, (written, document) in differ.items()
        if isinstance(document, BankTransaction) and not written.edits
    }
    restates = await restated(books, edits)
    restored |= await _edited_back(books, differ, documents, all_differing)
    for xero_id, (written, document) in differ.items():
        as_one, anew = written.as_one(), restored.get(xero_id, PutBack())
        stays = why_it_stays(as_one, document, days, archived) or anew.stays
        for field, was, now in all_differing[xero_id]:
            yield Drift(
                kind=name,
                about=as_one.operation.host_ref,
                xero_id=xero_id,
                field=field,
                was=was,
                now=now,
                link=deep_link(_CALLED.get(name, name.replace("_", " ")), xero_id, organisation.short_code),
                remedy=anew.actions if isinstance(document, Invoice) or not stays else (),
                refused=() if stays else anew.refused,
                stays=stays,
                leaves="" if stays else anew.leaves,
                restates=restates.get(xero_id),
            )


_Differing = list[tuple[DriftField, str, str]]
"""The fields that are not as they were written, each with what it was and what it is now."""


async def _differing_of(
    books: Books, name: str, ours: Mapping[str, Written], fields: Collection[DriftField]
) -> tuple[dict[str, tuple[Document, str]], dict[str, _Differing]]:
    """The documents of *ours* that the mirror has, each with its stamp, and what of each is not as it was written."""
    shelf, model = WRITTEN_ON[name]
    # Each is looked at once, and not kept: there may be very many.
    mirrored = await stored(books, (mirror_key(shelf, books.tenant, each) for each in ours))
    known = {each.key: (read_mirrored(each, model), stamp_of(each)) for each in mirrored}
    # What another run has changed since the lists were read is in them as it was before.
    documents = {
        key: each for key, each in known.items() if not (ours[key].changes and is_older(each[1], ours[key].last.stamp))
    }
    differing = {xero_id: list(changes(ours[xero_id].as_one(), each)) for xero_id, (each, _) in documents.items()}
    # Under money another day of payment moves no stamp (F 4.23): it may have been put back since, and nobody read it.
    if unsure := [key for key, (each, _) in documents.items() if _is_unsure(each, differing[key])]:
        await reread(books, shelf, unsure)
        documents |= await stamped(books, shelf, model, unsure)
        differing |= {key: list(changes(ours[key].as_one(), documents[key][0])) for key in unsure}
    if _OF_LINES & set(fields):
        same = {
            xero_id: (document, stamp)
            for xero_id, (document, stamp) in documents.items()
            if isinstance(document, Paper) and not _TELLING & {field for field, _, _ in differing[xero_id]}
        }
        for xero_id, changed in (await lines_changed(books, ours, same)).items():
            told = ((DriftField.LINES, changed.lines), (DriftField.TEXTS, changed.texts))
            differing[xero_id] += [(of, *said) for of, said in told if said is not None]
    return documents, differing


async def _edited_back(
    books: Books,
    differ: Mapping[str, tuple[Written, Document]],
    documents: Mapping[str, tuple[Document, str]],
    differing: Mapping[str, _Differing],
) -> dict[str, PutBack]:
    """The edits that put back those bills and sales that *differ*, by their ids, and why Xero would not take one."""
    found = {
        key: _edit_of(written, document, documents[key][1], differing[key])
        for key, (written, document) in differ.items()
        if isinstance(document, Invoice)
    }
    hindered = await hindrances(books, [action for each in found.values() for action in each.actions])
    return {
        key: evolve(
            each, stays=next((hindered[one.itself] for one in each.actions if one.itself in hindered), each.stays)
        )
        for key, each in found.items()
    }


def _edit_of(written: Written, document: Invoice, stamp: str, differing: _Differing) -> PutBack:
    """The edit that puts *document* back, and why there is none where money on it keeps Xero from it."""
    names = {_EDITED.get(field, "LineItems") for field, _, _ in differing}
    edit = edited_back(written, document, stamp, names)
    free = evolve(document, amount_paid=None, amount_credited=None)
    is_kept = not edit and bool(edited_back(written, free, stamp, names))
    stays = "money stands on it, which must be taken off first (F 6.66)" if is_kept else ""
    return PutBack(actions=edit, refused=_refused_edit(written, edit), stays=stays)


def _is_unsure(document: Document, differing: Iterable[tuple[DriftField, str, str]]) -> bool:
    has_money = isinstance(document, Invoice) and (document.amount_paid or document.amount_credited)
    return bool(has_money) and any(field is DriftField.DUE_DATE for field, _, _ in differing)


def _refused_edit(written: Written, remedy: Iterable[Action]) -> tuple[str, ...]:
    """Xero's words on the very edit that is the *remedy* of what was *written*, where it refused that last."""
    edits = (each for each in remedy if isinstance(each, ChangeBill | ChangeSale))
    found = (written.refused(encode(each.invoice), each.seen[0], always=False) for each in edits)
    return tuple(text for each in found if each is not None for text in each.messages)


async def _nameless(books: Books) -> list[Drift]:
    """
    The payments of batches that were found removed, where Xero does not say which payments they were.

    They went with their batch (F 6.142), by whose id they are told. What was put back since is not among them.
    """
    removed = await intents_with(books, lookup=("kind", Pay.kind), states=[State.REMOVED])
    nameless = [each for each in removed if not each.xero_id]
    if not nameless:
        return []
    now = await current_of(books, (each.operation for each in nameless))
    written = {each.key: Written(creation=each) for each in nameless if now[each.key].key == each.key}
    restored = await _put_back(books, {key: (each, None) for key, each in written.items()})
    days = open_books(await books.organisation(), WhenLocked.REFUSE)
    stays = {key: why_it_stays(each.creation, None, days) or restored[key].stays for key, each in written.items()}
    return [
        Drift(
            kind=Pay.kind,
            about=each.creation.operation.host_ref,
            xero_id=each.creation.facts.get("batch", ""),
            field=DriftField.EXISTENCE,
            was=str(PaymentStatus.AUTHORISED),
            now=str(PaymentStatus.DELETED),
            remedy=() if stays[key] else restored[key].actions,
            refused=() if stays[key] else restored[key].refused,
            stays=stays[key],
        )
        for key, each in written.items()
    ]


async def _put_back(books: Books, documents: Mapping[str, tuple[Written, Document | None]]) -> dict[str, PutBack]:
    """What posts again those of *documents* that are payments, money or transfers, by their keys."""
    currency = (await books.organisation()).base_currency or "XXX"
    anew = {
        key: again(written.as_one(), document, currency)
        for key, (written, document) in documents.items()
        if not isinstance(document, Invoice | CreditNote)
    }
    return dict(zip(anew, await put_back(books, anew.values()), strict=True))


async def _contacts(books: Books) -> AsyncIterator[Drift]:
    """The customers and vendors whose contact was archived, or merged into another one."""
    for kind in (ConnectCustomer.kind, ConnectVendor.kind):
        links = await all_links(books, kind)
        if not links:
            continue
        await refresh(books, CONTACTS)
        short_code = (await books.organisation()).short_code
        contacts = await stamped(books, CONTACTS, Contact, (link["xero_id"] for link in links))
        for link in links:
            contact, _ = contacts.get(link["xero_id"], (None, ""))
            if contact is None or contact.contact_status != ContactStatus.ARCHIVED:
                continue
            into = contact.merged_to_contact_id
            yield Drift(
                kind=kind,
                about=link["host_id"],
                xero_id=link["xero_id"],
                field=DriftField.CONTACT if into else DriftField.CONTACT_STATUS,
                was=link["xero_id"] if into else "ACTIVE",
                now=into or "ARCHIVED",
                link=deep_link("contact", into or link["xero_id"], short_code),
            )


async def _is_written(books: Books, kind: str) -> bool:
    lookup = ("kind", kind)
    return bool(await books.storage.query("intent", books.tenant, states=sorted(POSTED), lookup=lookup, limit=1))


def changes(written: Intent, document: Document) -> Iterator[tuple[DriftField, str, str]]:
    """What of *document* is not as *written* said: each field with what it was and what it is now."""
    if document.status in GONE:
        yield DriftField.EXISTENCE, "AUTHORISED", str(document.status)
        return  # what is gone has nothing else that counts
    if was_typed(written, document):
        written = evolve(written, payload=_as_taken_over(written))
    payload = written.payload
    yield from _differing(DriftField.DATE, text_at(payload, "Date"), document.date)
    if isinstance(document, Invoice):
        yield from _differing(DriftField.DUE_DATE, text_at(payload, "DueDate"), document.due_date)
    if isinstance(document, Invoice | CreditNote | BankTransaction) and document.contact is not None:
        was = text_at(payload, "Contact", "ContactID")
        yield from _differing(DriftField.CONTACT, was, document.contact.contact_id)
    if isinstance(document, BankTransaction) and document.bank_account is not None:
        was = text_at(payload, "BankAccount", "AccountID")
        yield from _differing(DriftField.ACCOUNT, was, document.bank_account.account_id)
    total = document.amount if isinstance(document, Payment | BankTransfer) else document.total
    was_total = written_total(written)
    if was_total is not None and total is not None and was_total != total:
        yield DriftField.AMOUNT, str(was_total), str(total)


def was_typed(written: Intent, document: object) -> bool:
    """Whether people entered *document*, and *written* took it over: it was never sent, and its mark is not on it."""
    if written.claimed_at is not None or "batch" in written.facts:
        return False
    match document:
        case Payment() | BankTransaction() | BankTransfer():
            mark = document.reference
        case Invoice(type=InvoiceType.ACCPAY):
            mark = document.url
        case CreditNote(type=InvoiceType.ACCRECCREDIT):
            mark = document.reference
        case _:
            return False
    return tag_in(mark or "") != written.tag


def _as_taken_over(written: Intent) -> Mapping[str, object]:
    """What was typed looked like when it was taken over: of money and transfers only the facts say how much it was."""
    effect, on = written.facts.get("effect"), written.facts.get("dated")
    amount = {"Amount": str(abs(Decimal(effect)))} if effect is not None else {}
    return {**amount, **({"Date": on} if on is not None else {}), **as_typed(written), **written.payload}


def _differing(field: DriftField, was: str, now: date | str | None) -> Iterator[tuple[DriftField, str, str]]:
    """*field*, where both are known and differ."""
    text = now.isoformat() if isinstance(now, date) else (now or "")
    if was and text and was[: len(text)].lower() != text.lower():
        yield field, was, text


async def _pages(books: Books, kind: str) -> AsyncIterator[list[Intent]]:
    """The posted writes of *kind*, some at a time."""
    page: list[Intent] = []
    # Asked for by state, too, a store would look through all the rest for the rare ones, once a page.
    async for record in records(books, "intent", lookup=("kind", kind)):
        if record.state not in POSTED:
            continue
        page.append(read_intent(record))
        if len(page) == _CHUNK:
            yield page
            page = []
    if page:
        yield page
