"""Drift: what people changed in Xero after the library wrote it, told from what was sent and what stands there now."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Final, TypeAlias

from attrs import evolve, frozen

from xerosync.arguments import listed
from xerosync.client._books import Books
from xerosync.client._wire.outgoing import encode
from xerosync.engine.actions import AcceptDrift, Action, Pay, Pending, link_key
from xerosync.engine.addresses import deep_link
from xerosync.engine.clearing import posted_by_id
from xerosync.engine.intents import Intent, read_intent, text_at
from xerosync.engine.line_drift import Paper, lines_changed
from xerosync.engine.mirror import (
    BANK_TRANSACTIONS,
    BANK_TRANSFERS,
    CONTACTS,
    CREDIT_NOTES,
    GONE,
    INVOICES,
    PAYMENTS,
    Shelf,
    is_older,
    records,
    refresh,
    reread,
)
from xerosync.engine.observed import all_links, intents_with, stamped
from xerosync.engine.pair_actions import ConnectCustomer, ConnectVendor
from xerosync.engine.paper_actions import ChangeBill, ChangeSale
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.putting_back import PutBack, put_back
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
from xerosync.engine.written import Written, all_changes, first_key, written_as, written_total
from xerosync.errors import InvalidInput
from xerosync.models import (
    BankTransaction,
    BankTransfer,
    Contact,
    ContactStatus,
    CreditNote,
    Invoice,
    Payment,
    PaymentStatus,
    TenantId,
)
from xerosync.tables import Tabular

Document: TypeAlias = Invoice | CreditNote | Payment | BankTransaction | BankTransfer

_CHUNK: Final = 500
_WATCHED: Final[Mapping[str, tuple[Shelf, type[Document], str]]] = {
    "payment": (PAYMENTS, Payment, "payment"),
    "refund": (PAYMENTS, Payment, "payment"),
    "bank_transaction": (BANK_TRANSACTIONS, BankTransaction, "bank transaction"),
    "transfer": (BANK_TRANSFERS, BankTransfer, "transfer"),
    "bill": (INVOICES, Invoice, "bill"),
    "credit_note": (CREDIT_NOTES, CreditNote, "credit note"),
    "sale": (INVOICES, Invoice, "sale"),
    "sale_credit": (CREDIT_NOTES, CreditNote, "sale credit"),
}


class DriftField(StrEnum):
    """What of a document may have been changed; a host names those that count for it."""

    EXISTENCE = "existence"
    """It was voided, or removed."""
    AMOUNT = "amount"
    """Its total is another one."""
    DATE = "date"
    """It bears another day."""
    DUE_DATE = "due date"
    """It is due on another day."""
    CONTACT = "contact"
    """It is another contact's: moved, or the contact was merged."""
    ACCOUNT = "account"
    """It is on another bank account."""
    LINES = "lines"
    """The lines of a document are coded or split otherwise, and its total is as it was."""
    TEXTS = "texts"
    """The descriptions of its lines are others, and its total is as it was."""
    CONTACT_STATUS = "contact status"
    """The contact of a customer or vendor of yours was archived."""


BOOKED: Final = tuple(each for each in DriftField if each is not DriftField.TEXTS)
"""What is in the books: all but texts, which bookkeepers mend as they read."""

_TELLING: Final = frozenset({DriftField.EXISTENCE, DriftField.AMOUNT})
"""What was changed of a document that also says that its lines are others."""

_EDITED: Final = {DriftField.DATE: "Date", DriftField.DUE_DATE: "DueDate", DriftField.CONTACT: "Contact"}
"""Xero's names of what an edit changes besides the lines."""

_UNDER_MONEY: Final = frozenset({DriftField.DUE_DATE, DriftField.CONTACT})
"""What may be edited of a document that money stands on."""

_OF_LINES: Final = frozenset({DriftField.LINES, DriftField.TEXTS})
"""What only the lines themselves tell, which takes calls to see."""


@frozen(kw_only=True, repr=False)
class FollowDrift(AcceptDrift):
    """
    Somebody changed a document in Xero, and the host is to follow: give its own row of *about* what the *field* is now.

    Applied, it is remembered as accepted.
    """

    what: str
    about: str
    field: str
    was: str
    now: str


@frozen(kw_only=True, repr=False)
class Drift:
    """
    One change: the host's *about* and Xero's *xero_id* of a document of some *kind*, the *field*, what it *was* when it
    was written and what it is *now*, and a *link* to it where Xero has an address of it.

    *remedy* is what puts it back; empty where only a person can, and *stays* says why, where that is known. *refused*
    are Xero's words where it refused that before, and nothing has changed since.
    """

    kind: str
    about: str
    xero_id: str
    field: DriftField
    was: str
    now: str
    link: str | None = None
    remedy: tuple[Action, ...] = ()
    refused: tuple[str, ...] = ()
    stays: str = ""

    def accepted(self) -> AcceptDrift:
        """The action that remembers that this is as it should be."""
        return AcceptDrift(
            host_ref=self._name, reason="changed in Xero, and accepted", xero_id=self.xero_id, facts={"now": self.now}
        )

    def followed(self) -> FollowDrift:
        """The action that tells the host to follow, and remembers that it did."""
        return FollowDrift(
            host_ref=self._name,
            reason="changed in Xero, and followed",
            xero_id=self.xero_id,
            facts={"now": self.now},
            what=self.kind,
            about=self.about,
            field=self.field.value,
            was=self.was,
            now=self.now,
        )

    @property
    def _name(self) -> str:
        return f"{self.kind}/{self.about}/{self.field}"

    def __str__(self) -> str:
        why_not = f"; Xero refused to have it put back: {' | '.join(self.refused)}" if self.refused else ""
        return f"{self.kind} {self.about}: {self.field} was {self.was}, is {self.now}{why_not}"

    def __repr__(self) -> str:
        return f"<Drift of {self.kind} in {self.field}>"


@frozen(kw_only=True, repr=False)
class DriftReport(Tabular):
    """
    What people changed of *looked_at* documents that the library wrote, and that nobody has accepted yet. Of those
    *under_way*, by Xero's ids, a run is changing something, or was interrupted while it did.

    Rows hold ids and amounts: mind where they are shown.
    """

    tenant: TenantId
    looked_at: int
    drifts: tuple[Drift, ...] = ()
    under_way: frozenset[str] = frozenset()

    def __iter__(self) -> Iterator[Drift]:
        return iter(self.drifts)

    def __len__(self) -> int:
        return len(self.drifts)

    def __bool__(self) -> bool:
        """Whether anything has drifted."""
        return bool(self.drifts)

    def ignore(self, *about: str) -> Plan:
        """
        The plan that accepts what people did, of the documents *about* or of all: it is not told again until it
        changes again. Nothing is written to Xero. Raises `InvalidInput` for a document that has no change here.
        """
        return Plan(tenant=self.tenant, actions=tuple(each.accepted() for each in self._chosen(about)))

    def follow(self, *about: str) -> Plan:
        """
        The plan that takes over what people did, of the documents *about* or of all: each `FollowDrift` says what to
        change in your own rows. Change them, then apply it. Nothing is written to Xero. Raises as `ignore`.
        """
        return Plan(tenant=self.tenant, actions=tuple(each.followed() for each in self._chosen(about)))

    def restore(self, *about: str, retry_refused: bool = False) -> Plan:
        """
        The plan that puts everything back as it was written, of the documents *about* or of all; what only a person can
        put back is a finding, and so is what Xero refused before, unless *retry_refused*. Raises as `ignore`.
        """
        chosen = self._chosen(about)
        actions: dict[Pending, Action] = {}
        findings: list[Finding] = []
        for each in chosen:
            if each.refused and not retry_refused:
                findings.append(_refused(each))
            elif each.remedy:
                actions |= {action.itself: action for action in each.remedy}
            else:
                findings.append(_by_hand(each))
        ordered, waiting = self._edited_first(list(actions.values()))
        return Plan(tenant=self.tenant, actions=tuple(ordered), findings=tuple(dict.fromkeys([*findings, *waiting])))

    def _edited_first(self, actions: Collection[Action]) -> tuple[list[Action], list[Finding]]:
        """
        Those *actions*, a payment after the edit of its document; without it where that is not edited now.

        Once money stands on it, Xero changes no amount of it any more (F 6.66).
        """
        edits = {each.invoice.invoice_id: each.itself for each in actions if isinstance(each, ChangeBill | ChangeSale)}
        edited = {each.xero_id for each in self.drifts if each.field not in _UNDER_MONEY and _is_edited(each)}
        ordered: list[Action] = []
        findings: list[Finding] = []
        for each in actions:
            paid = each.invoice if isinstance(each, Pay) and isinstance(each.invoice, str) else None
            edit = edits.get(paid) if paid is not None and paid in edited else None
            if paid is None or (edit is None and paid not in edited | self.under_way):
                ordered.append(each)
            elif isinstance(each, Pay) and edit is not None:
                ordered.append(evolve(each, after=(*each.after, edit)))
            else:
                findings.append(_waits(each, is_open=paid in self.under_way))
        return ordered, findings

    def _chosen(self, about: Collection[str]) -> list[Drift]:
        if set(listed(about, str, "about")) - {each.about for each in self.drifts}:
            raise InvalidInput("about", "give your own ids of documents that this report has changes of")
        return [each for each in self.drifts if not about or each.about in about]

    def rows(self) -> list[dict[str, str]]:
        """One row a change, for a table or a dataframe."""
        return [
            {
                "kind": each.kind,
                "about": each.about,
                "xero_id": each.xero_id,
                "field": each.field.value,
                "was": each.was,
                "now": each.now,
                "link": each.link or "",
                "refused": " | ".join(each.refused),
            }
            for each in self.drifts
        ]

    def __str__(self) -> str:
        head = f"{len(self.drifts):,} changed in Xero of {self.looked_at:,} written"
        return "\n".join([head, *(f"  {each}" for each in self.drifts)])

    def __repr__(self) -> str:
        return f"<DriftReport of {len(self.drifts)} drifts>"


def _is_edited(drift: Drift) -> bool:
    """Whether an edit puts *drift* back, though Xero may have refused it."""
    return any(isinstance(each, ChangeBill | ChangeSale) for each in drift.remedy)


def _waits(payment: Action, *, is_open: bool) -> Finding:
    """That *payment* is put back later: its document is to be edited back before, which *is_open* where a run does."""
    about = payment.itself.host_ref
    if is_open:
        cause = "its document is being changed by a run, or was when that was interrupted"
        return Finding(code="still open", about=about, cause=cause, fix="call recover()", retry=True)
    return Finding(
        code="held back",
        about=about,
        cause="its document is to be edited back first: Xero changes no amount under money (F 6.66)",
        fix="restore its document with it, or follow or ignore what was changed of that",
        worth=payment.worth,
    )


def _refused(drift: Drift) -> Finding:
    return Finding(
        code="refused by Xero",
        about=drift.about,
        cause=" | ".join(drift.refused),
        fix="correct the cause Xero names, then restore it with retry_refused=True",
        retry=True,
    )


def _by_hand(drift: Drift) -> Finding:
    fix = _BY_HAND.get(drift.field, "put it back in Xero, or follow or ignore it")
    stays = f": {drift.stays}" if drift.stays else ""
    if drift.field is DriftField.EXISTENCE:
        fix = "enter it anew under a new id, or follow or ignore it"
    return Finding(
        code="cannot be put back",
        about=drift.about,
        cause=f"its {drift.field} was changed in Xero, and no plan can change that back{stays}",
        fix=fix,
        who="the bookkeeper",
    )


_BY_HAND: Final = {
    DriftField.CONTACT_STATUS: "restore the contact in Xero, which only people can (F 6.31), or follow or ignore it",
}


async def find_drift(books: Books, fields: Collection[DriftField]) -> DriftReport:
    """Compare everything the library wrote with what the mirror, just refreshed, holds of it."""
    books = books.reading_once()
    # What was never written needs no scope to be read.
    kinds = [name for name in _WATCHED if await _is_written(books, name)]
    await refresh(books, *{shelf.name: shelf for shelf, _, _ in map(_WATCHED.__getitem__, kinds)}.values())
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
    shelf, model, address = _WATCHED[name]
    organisation = await books.organisation()
    known = await stamped(books, shelf, model, ours)
    # What another run has changed since the lists were read is in them as it was before.
    documents = {
        key: each for key, each in known.items() if not (ours[key].changes and is_older(each[1], ours[key].last.stamp))
    }
    all_differing = {xero_id: list(changes(ours[xero_id].as_one(), each)) for xero_id, (each, _) in documents.items()}
    # Under money another day of payment moves no stamp (F 4.23): it may have been put back since, and nobody read it.
    if name in {"bill", "sale"} and (
        unsure := [key for key in documents if _is_unsure(documents[key][0], all_differing[key])]
    ):
        await reread(books, INVOICES, unsure)
        documents |= await stamped(books, shelf, model, unsure)
        all_differing |= {key: list(changes(ours[key].as_one(), documents[key][0])) for key in unsure}
    if _OF_LINES & set(fields):
        same = {
            xero_id: (document, stamp)
            for xero_id, (document, stamp) in documents.items()
            if isinstance(document, Paper) and not _TELLING & {field for field, _, _ in all_differing[xero_id]}
        }
        for xero_id, changed in (await lines_changed(books, ours, same)).items():
            told = ((DriftField.LINES, changed.lines), (DriftField.TEXTS, changed.texts))
            all_differing[xero_id] += [(of, *said) for of, said in told if said is not None]
    differ = {key: (ours[key], each) for key, (each, _) in documents.items() if all_differing[key]}
    restored = await _put_back(books, differ)
    days = open_books(organisation, WhenLocked.REFUSE)
    archived = await _archived(books, (each.as_one() for each, _ in differ.values()))
    for xero_id, (document, stamp) in documents.items():
        written, differing = ours[xero_id], all_differing[xero_id]
        as_one = written.as_one()
        if not differing:
            continue
        anew = restored.get(xero_id, PutBack())
        stays = why_it_stays(as_one, document, days, archived)
        remedy, refused = anew.actions, anew.refused
        if isinstance(document, Invoice):
            names = {_EDITED.get(field, "LineItems") for field, _, _ in differing}
            remedy = edited_back(written, document, stamp, names)
            if not remedy and edited_back(written, _free(document), stamp, names):
                stays = stays or "money stands on it, which must be taken off first (F 6.66)"
            refused = _refused_edit(written, remedy)
        for field, was, now in differing:
            yield Drift(
                kind=name,
                about=as_one.operation.host_ref,
                xero_id=xero_id,
                field=field,
                was=was,
                now=now,
                link=deep_link(address, xero_id, organisation.short_code),
                remedy=() if stays else remedy,
                refused=() if stays else refused,
                stays=stays,
            )


def _is_unsure(document: Document, differing: Iterable[tuple[DriftField, str, str]]) -> bool:
    has_money = isinstance(document, Invoice) and (document.amount_paid or document.amount_credited)
    return bool(has_money) and any(field is DriftField.DUE_DATE for field, _, _ in differing)


def _free(document: Invoice) -> Invoice:
    """*document* as it was without money on it."""
    return evolve(document, amount_paid=None, amount_credited=None)


def _refused_edit(written: Written, remedy: Iterable[Action]) -> tuple[str, ...]:
    """Xero's words on the very edit that is the *remedy* of what was *written*, where it refused that last."""
    edits = (each for each in remedy if isinstance(each, ChangeBill | ChangeSale))
    found = (written.refused(encode(each.invoice), each.seen[0], always=False) for each in edits)
    return tuple(text for each in found if each is not None for text in each.messages)


async def _archived(books: Books, written: Iterable[Intent]) -> frozenset[str]:
    """The contacts of what was *written*, by id, that nothing can be posted for any more."""
    ids = {text_at(each.payload, "Contact", "ContactID") for each in written} - {""}
    if not ids:
        return frozenset()
    await refresh(books, CONTACTS)
    found = await stamped(books, CONTACTS, Contact, ids)
    return frozenset(key for key, (each, _) in found.items() if each.contact_status == ContactStatus.ARCHIVED)


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
    stays = {key: why_it_stays(each.creation, None, days) for key, each in written.items()}
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


def _differing(field: DriftField, was: str, now: date | str | None) -> Iterator[tuple[DriftField, str, str]]:
    """*field*, where both are known and differ."""
    text = now.isoformat() if isinstance(now, date) else (now or "")
    if was and text and was[: len(text)].lower() != text.lower():
        yield field, was, text


async def _pages(books: Books, kind: str) -> AsyncIterator[list[Intent]]:
    """The posted writes of *kind*, some at a time."""
    page: list[Intent] = []
    async for record in records(books, "intent", states=sorted(POSTED), lookup=("kind", kind)):
        page.append(read_intent(record))
        if len(page) == _CHUNK:
            yield page
            page = []
    if page:
        yield page
