"""
Bills that people entered in Xero come back to the host, and so does what people did there with bills of the host's.

What was told is kept beside the bill's link, so that a change is told until the host has taken it, and then no more.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import ClassVar, Final, cast

from attrs import evolve, field, frozen

from xerosync.arguments import asked
from xerosync.client._books import Books
from xerosync.client.resources import AsyncInvoices
from xerosync.engine.actions import Allocate, CreateBill, CreateCreditNote, Link, Pay, Pending, Refund, Seen
from xerosync.engine.billing import OpenDocument
from xerosync.engine.ended import withdrawn
from xerosync.engine.intents import Intent, sign_of, text_at
from xerosync.engine.mirror import CREDIT_NOTES, GONE, INVOICES, PAYMENTS, refresh, reread, stamp_of, walk
from xerosync.engine.observed import all_links, intents_of, intents_with, links_of, stamped, survivors
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.states import State
from xerosync.engine.written import Written, all_changes, written_total
from xerosync.errors import InvalidInput
from xerosync.models import CreditNote, DocumentStatus, Invoice, LineItem, Payment, PaymentStatus
from xerosync.money import Money, exactly
from xerosync.texts import check_id, plain_id

_CHANGES: Final = ("contact", "total", "number", "on", "due_on", "is_gone", "payments", "removed", "credited")


@frozen(kw_only=True, repr=False)
class BillInXero:
    """
    A bill as Xero keeps it: *due* is what is still to be paid, by *due_on*; *status* is Xero's word.

    *lines* are there where they were asked for. Of a supplier's credit note, which is due on no day, both amounts are
    negative.
    """

    xero_id: str
    vendor: str
    contact_id: str
    number: str
    on: date | None
    due_on: date | None
    total: Money
    due: Money
    status: str
    lines: tuple[LineItem, ...] = ()

    def __repr__(self) -> str:
        return f"<BillInXero {self.xero_id}>"


@frozen(kw_only=True, repr=False)
class PaymentInXero:
    """A payment that somebody entered in Xero: its id there, *amount*, day, and the id of the account it came from."""

    xero_id: str
    amount: Money
    on: date | None
    account_id: str

    def __repr__(self) -> str:
        return f"<PaymentInXero {self.xero_id}>"


@frozen(kw_only=True, repr=False)
class LinkBill(Link):
    """Know a *bill*, or credit note, that was entered in Xero under an id of the host's, to pay or settle it."""

    kind: ClassVar[str] = "bill_link"
    bill: BillInXero

    @property
    def worth(self) -> Money:
        """What is still due on it."""
        return self.bill.due


@frozen(kw_only=True, repr=False)
class UpdateBill(Link):
    """
    Somebody did something to a *bill* in Xero; *changed* names what.

    *payments* are all that people made there and that stand, *removed* the Xero ids of those that were told before, or
    posted from here, and are gone: then the bill is open again.
    """

    kind: ClassVar[str] = "bill_change"
    bill: BillInXero
    changed: tuple[str, ...]
    payments: tuple[PaymentInXero, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def worth(self) -> Money:
        """What is still due on it."""
        return self.bill.due


@frozen(kw_only=True)
class _View:
    """
    What people did to a bill in Xero: all of it that is not the host's own doing.

    *contact* (an id), *number* and the day *on* are None where nobody knows what they were. *edits* is how often the
    host itself had changed it by then.
    """

    total: str
    due_on: str
    contact: str | None = None
    number: str | None = None
    on: str | None = None
    is_gone: bool = False
    payments: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    credited: str = "0"
    edits: int = 0

    def facts(self) -> dict[str, str]:
        """This view as a link keeps it."""
        return {"told": json.dumps({name: getattr(self, name) for name in (*_CHANGES, "edits")})}

    @classmethod
    def kept(cls, facts: Mapping[str, str]) -> _View:
        """The view that a link keeps as *facts*."""
        kept = json.loads(facts["told"])
        return cls(
            total=kept["total"],
            contact=kept.get("contact"),
            number=kept["number"],
            on=kept["on"],
            due_on=kept["due_on"],
            is_gone=kept["is_gone"],
            payments=tuple(kept["payments"]),
            removed=tuple(kept["removed"]),
            credited=kept["credited"],
            edits=kept["edits"],
        )

    def changed_to(self, now: _View) -> tuple[str, ...]:
        """The names of what is otherwise *now*, as far as it was known."""
        known = (name for name in _CHANGES if getattr(self, name) is not None)
        return tuple(name for name in known if getattr(self, name) != getattr(now, name))


Name = Callable[[BillInXero], str]
"""Gives the host's id for a bill."""


def xeros_id(bill: BillInXero) -> str:
    """The id that Xero gave *bill*."""
    return bill.xero_id


async def bring_back(books: Books, chosen: Collection[str] | None, name: Name, *, lines: bool) -> Plan:
    """Plan a link for every open bill that people entered in Xero and that has none, or for those *chosen*."""
    await refresh(books, INVOICES, PAYMENTS)
    linked = {link["xero_id"] for link in await all_links(books, LinkBill.kind)}
    wanted = None if chosen is None else frozenset(map(plain_id, chosen))
    found = [
        (bill, stamp)
        async for bill, stamp in _entered_by_hand(books)
        if _id(bill) not in linked and (wanted is None or _id(bill) in wanted) and (bill.amount_due or 0) > 0
    ]
    found.sort(key=lambda each: (each[0].due_date or date.max, each[0].invoice_number or ""))
    written = await _lines(books, [_id(bill) for bill, _ in found]) if lines else {}
    mapped = [(mapped_bill(bill, written.get(_id(bill), ())), stamp) for bill, stamp in found]
    named = [_named(name, bill) for bill, _ in mapped]
    ids = [each for each in named if isinstance(each, str)]
    taken = {link["host_id"] for link in (await links_of(books, LinkBill.kind, ids)).values()}
    intents = await intents_of(books, (Pending(CreateBill.kind, each) for each in ids))
    taken |= {intent.operation.host_ref for intent in intents.values()}
    followed = await _followed(books, {bill.xero_id for bill, _ in mapped})
    actions: list[LinkBill] = []
    findings: list[Finding] = []
    for (bill, stamp), host_id in zip(mapped, named, strict=True):
        if isinstance(host_id, InvalidInput) or host_id in taken:
            findings.append(_unnamed(bill, host_id if isinstance(host_id, InvalidInput) else None))
            continue
        taken.add(host_id)
        view, _ = followed.view(bill)
        actions.append(link_bill(host_id, bill, stamp, reason="open, and entered in Xero", view=view))
    return Plan(tenant=books.tenant, actions=tuple(actions), findings=tuple(findings))


def link_bill(host_id: str, bill: BillInXero, stamp: str, *, reason: str, view: _View | None = None) -> LinkBill:
    """The link that knows *bill* under *host_id*."""
    view = view or _seen(bill)
    return LinkBill(
        host_ref=host_id,
        reason=reason,
        seen=(Seen("credit_note" if bill.total.amount < 0 else "invoice", bill.xero_id, stamp),),
        facts=view.facts(),
        xero_id=bill.xero_id,
        bill=bill,
    )


def mapped_bill(invoice: Invoice, lines: tuple[LineItem, ...] = ()) -> BillInXero:
    """*invoice* in the host's words."""
    currency = invoice.currency_code or "XXX"
    contact = invoice.contact
    return BillInXero(
        xero_id=_id(invoice),
        vendor=(contact.name or "") if contact is not None else "",
        contact_id=(contact.contact_id or "") if contact is not None else "",
        number=invoice.invoice_number or "",
        on=invoice.date,
        due_on=invoice.due_date,
        total=Money(invoice.total or Decimal(0), currency),
        due=Money(_due(invoice), currency),
        status=invoice.status or "",
        lines=lines,
    )


def mapped_credit(note: CreditNote) -> BillInXero:
    """The supplier's credit *note* in the host's words: a bill of negative amounts."""
    currency, contact = note.currency_code or "XXX", note.contact
    left = note.remaining_credit if note.status == DocumentStatus.AUTHORISED else None
    return BillInXero(
        xero_id=note.credit_note_id or "",
        vendor=(contact.name or "") if contact is not None else "",
        contact_id=(contact.contact_id or "") if contact is not None else "",
        number=note.credit_note_number or "",
        on=note.date,
        due_on=None,
        total=-Money(note.total or Decimal(0), currency),
        due=-Money(left or Decimal(0), currency),
        status=note.status or "",
    )


def _due(invoice: Invoice) -> Decimal:
    """What is to be paid: what was voided may show what was due before (F 6.77)."""
    return (invoice.amount_due or Decimal(0)) if invoice.status == DocumentStatus.AUTHORISED else Decimal(0)


def _id(invoice: Invoice) -> str:
    return invoice.invoice_id or ""


def _named(name: Name, bill: BillInXero) -> str | InvalidInput:
    """The host's id for *bill*, or what is wrong with what its function *name* gives."""
    try:
        host_id = asked("bill_id", name, bill)
        check_id("bill_id", host_id)
    except InvalidInput as error:
        return error
    return host_id


def _unnamed(bill: BillInXero, wrong: InvalidInput | None) -> Finding:
    return Finding(
        code="bill id taken",
        about=bill.xero_id,
        cause=str(wrong) if wrong is not None else "the id given for it is that of another bill",
        fix="give every bill an id of its own",
        worth=bill.due,
    )


async def _entered_by_hand(books: Books) -> AsyncIterator[tuple[Invoice, str]]:
    """Every approved bill without a mark of ours, with its stamp."""
    ours = sign_of(books.app.client_id)
    async for record, bill in walk(books, INVOICES, Invoice, lookup=("type", "ACCPAY")):
        if dict(record.lookups).get("sign") != ours and bill.status == DocumentStatus.AUTHORISED:
            yield bill, stamp_of(record)


async def _lines(books: Books, ids: list[str]) -> dict[str, tuple[LineItem, ...]]:
    if not ids:
        return {}
    return {_id(bill): bill.line_items async for bill in AsyncInvoices(books).list(ids=ids)}


async def linked_documents(books: Books, host_ids: Iterable[str] | None = None) -> list[OpenDocument]:
    """The bills and credit notes entered in Xero that are known under these *host_ids*, or under any, as they stand."""
    if host_ids is None:
        links = await all_links(books, LinkBill.kind)
    else:
        links = list((await links_of(books, LinkBill.kind, host_ids)).values())
    hosts = {link["xero_id"]: link["host_id"] for link in links}
    found: Mapping[str, tuple[Invoice | CreditNote, str]] = {
        **await stamped(books, INVOICES, Invoice, hosts),
        **await stamped(books, CREDIT_NOTES, CreditNote, hosts),
    }
    return [
        OpenDocument(host_id=hosts[xero_id], document=document, stamp=stamp)
        for xero_id, (document, stamp) in found.items()
    ]


@frozen(kw_only=True)
class _Followed:
    """What is known of the money of the bills followed, by the bill: payments, our own among them, and our credits."""

    payments: Mapping[str, list[Payment]]
    ours: Mapping[str, Intent]
    allocated: Mapping[str, Decimal]
    credited: Mapping[str, Decimal] = field(factory=dict[str, Decimal])

    @exactly
    def view(self, bill: BillInXero) -> tuple[_View, list[Payment]]:
        """What people did to *bill*, and the payments they made that stand."""
        made = self.payments.get(bill.xero_id, [])
        standing = [each for each in made if each.status != PaymentStatus.DELETED]
        by_hand = [each for each in standing if each.payment_id not in self.ours]
        gone = [each for each in made if each.status == PaymentStatus.DELETED and each.payment_id in self.ours]
        credited = self.credited.get(bill.xero_id, Decimal(0)) - self.allocated.get(bill.xero_id, Decimal(0))
        if bill.total.amount < 0:
            # What is left of a voided credit note says nothing of what it was set against.
            money = sum((each.amount or Decimal(0) for each in standing), Decimal(0))
            credited = Decimal(0) if bill.status in GONE else credited - money
        view = evolve(
            _seen(bill),
            is_gone=bill.status in GONE,
            payments=tuple(sorted(each.payment_id or "" for each in by_hand)),
            removed=tuple(sorted(each.payment_id or "" for each in gone)),
            credited=_exact(credited),
        )
        return view, by_hand


def _seen(bill: BillInXero) -> _View:
    """What a *bill* says by itself."""
    return _View(
        total=_exact(bill.total.amount),
        contact=bill.contact_id or None,
        number=" ".join(bill.number.split()),
        on=str(bill.on or ""),
        due_on=str(bill.due_on or ""),
    )


async def follow_bills(books: Books, outside: Collection[str]) -> Plan:
    """
    Plan what to tell the host of its bills: what people did to them in Xero since it was last told.

    Nothing is told of those handled *outside*.
    """
    links = await all_links(books, LinkBill.kind)
    told = {link["host_id"]: _View.kept(link) for link in [*links, *await all_links(books, UpdateBill.kind)]}
    posted = {
        each.xero_id: each
        for kind in (CreateBill.kind, CreateCreditNote.kind)
        for each in await intents_with(books, lookup=("kind", kind), states=[State.CONFIRMED])
        if each.xero_id
    }
    hosts = {xero_id: intent.operation.host_ref for xero_id, intent in posted.items()}
    hosts |= {link["xero_id"]: link["host_id"] for link in links}
    notes = await _credit_notes(books, posted, hosts)
    await refresh(books, INVOICES, PAYMENTS)
    bills = [mapped_bill(invoice) for invoice, _ in (await _followed_bills(books, hosts)).values()]
    known = await _followed(books, set(hosts), notes)
    changes = await all_changes(books)
    taken_back = await withdrawn(books, [hosts[xero_id] for xero_id in posted])
    found: list[tuple[BillInXero, _View, _View, list[Payment]]] = []
    for bill in (*bills, *map(mapped_credit, notes)):
        host_id = hosts[bill.xero_id]
        view, by_hand = known.view(bill)
        before = told.get(host_id)
        if bill.xero_id in posted:
            if host_id in taken_back and view.is_gone:
                continue
            creation = posted[bill.xero_id]
            written = Written(creation=creation, changes=changes.get(creation.key, ()))
            view = evolve(view, edits=written.edits)
            before = _as_written(written, before, view)
        if before is not None and host_id not in outside:
            found.append((bill, before, view, by_hand))
    left = {before.contact for _, before, view, _ in found if before.contact and before.contact != view.contact}
    into = await survivors(books, left)
    actions: list[UpdateBill] = []
    for bill, before, view, by_hand in found:
        known_by = evolve(before, contact=into.get(before.contact or "", before.contact))
        actions += _update(hosts[bill.xero_id], bill, known_by, view, by_hand)
    return Plan(tenant=books.tenant, actions=tuple(actions))


def _update(
    host_id: str, bill: BillInXero, before: _View, view: _View, by_hand: Iterable[Payment]
) -> Iterator[UpdateBill]:
    """What to tell the host of its *bill*, where it is another now than *before*."""
    changed = before.changed_to(view)
    if changed:
        removed = [*view.removed, *(each for each in before.payments if each not in view.payments)]
        yield UpdateBill(
            host_ref=host_id,
            reason=f"in Xero: {', '.join(_WORDS[name] for name in changed)}",
            facts=view.facts(),
            xero_id=bill.xero_id,
            bill=bill,
            changed=changed,
            payments=tuple(_payment(each, bill.total.currency) for each in by_hand),
            removed=tuple(sorted(set(removed) - set(before.removed))),
        )


async def _credit_notes(books: Books, posted: Mapping[str, Intent], ids: Iterable[str]) -> list[CreditNote]:
    """The suppliers' credit notes among these *ids*; where none is known, it takes no call."""
    any_posted = any(each.operation.kind == CreateCreditNote.kind for each in posted.values())
    if any_posted or await stamped(books, CREDIT_NOTES, CreditNote, ids):
        await refresh(books, CREDIT_NOTES)
    return [note for note, _ in (await stamped(books, CREDIT_NOTES, CreditNote, ids)).values()]


_WORDS: Final = {
    "contact": "another contact",
    "total": "another total",
    "number": "another number",
    "on": "another day",
    "due_on": "another due date",
    "is_gone": "voided or deleted",
    "payments": "paid there",
    "removed": "a payment removed",
    "credited": "credited there",
}


async def _followed_bills(books: Books, ids: Iterable[str]) -> dict[str, tuple[Invoice, str]]:
    """The bills of these *ids*; Xero moves the due date of a part-paid one unstamped, so it is read again (F 4.23)."""
    found = await stamped(books, INVOICES, Invoice, ids)
    again = [
        xero_id
        for xero_id, (bill, _) in found.items()
        if bill.status == DocumentStatus.AUTHORISED and (bill.amount_paid or bill.amount_credited)
    ]
    await reread(books, INVOICES, again)
    return found | await stamped(books, INVOICES, Invoice, again)


def _as_written(written: Written, told: _View | None, now: _View) -> _View:
    """
    What the host knows of a bill it posted: what it was *told* last, or what it has written since.

    What was posted of one taken over is not known.
    """
    if told is not None and told.edits >= written.edits:
        return told
    intent = written.as_one()
    total = written_total(intent)
    return evolve(
        told or _View(total=now.total, due_on=now.due_on),
        total=now.total
        if total is None
        else _exact(-total if intent.operation.kind == CreateCreditNote.kind else total),
        due_on=_last_sent(written, "DueDate") or now.due_on,
        contact=_last_contact(written),
        number=_last_sent(written, "InvoiceNumber", "CreditNoteNumber"),
        on=_last_sent(written, "Date"),
    )


def _last_sent(written: Written, *names: str) -> str | None:
    """What was sent last of the field of one of these *names*; None where it never was."""
    values = [
        " ".join(str(each.payload[name]).split()) for each in _sent(written) for name in names if name in each.payload
    ]
    return values[-1] if values else None


def _last_contact(written: Written) -> str | None:
    """The id of the contact that it was sent to last."""
    contacts = filter(None, (text_at(each.payload, "Contact", "ContactID") for each in _sent(written)))
    return next(reversed(list(contacts)), None)


def _sent(written: Written) -> list[Intent]:
    return [written.creation, *(each for each in written.changes if each.state is State.CONFIRMED)]


@exactly
def _exact(amount: Decimal) -> str:
    """*amount* in one form, however many noughts it came with."""
    return f"{amount.normalize():f}"


def _payment(payment: Payment, currency: str) -> PaymentInXero:
    return PaymentInXero(
        xero_id=payment.payment_id or "",
        amount=Money(payment.amount or Decimal(0), currency),
        on=payment.date,
        account_id=(payment.account.account_id or "") if payment.account is not None else "",
    )


@exactly
def _sums(allocations: Iterable[Intent]) -> dict[str, Decimal]:
    """What we set against each bill, and of each credit note, by id."""
    sums: dict[str, Decimal] = {}
    for each in allocations:
        for name in (str(_member(each.payload.get("Invoice")).get("InvoiceID")), each.target):
            sums[name] = sums.get(name, Decimal(0)) + Decimal(str(each.payload["Amount"]))
    return sums


@exactly
def _used(note: CreditNote) -> Decimal:
    """What of *note* was set against bills, or refunded."""
    if note.status not in {DocumentStatus.AUTHORISED, DocumentStatus.PAID}:
        return Decimal(0)
    return (note.total or Decimal(0)) - (note.remaining_credit or Decimal(0))


def _member(value: object) -> Mapping[str, object]:
    return cast(Mapping[str, object], value) if isinstance(value, dict) else {}


async def _followed(books: Books, bills: set[str], notes: Iterable[CreditNote] = ()) -> _Followed:
    payments: dict[str, list[Payment]] = {}
    async for _, payment in walk(books, PAYMENTS, Payment):
        paid = (payment.invoice.invoice_id or "") if payment.invoice is not None else ""
        if paid in bills:
            payments.setdefault(paid, []).append(payment)
    paying = await intents_with(books, lookup=("kind", Pay.kind), states=[State.CONFIRMED])
    paying += await intents_with(books, lookup=("kind", Refund.kind), states=[State.CONFIRMED])
    allocations = await intents_with(books, lookup=("kind", Allocate.kind), states=[State.CONFIRMED])
    documents = await stamped(books, INVOICES, Invoice, bills)
    credited = {key: bill.amount_credited or Decimal(0) for key, (bill, _) in documents.items()}
    return _Followed(
        payments=payments,
        ours={each.xero_id: each for each in paying if each.xero_id},
        allocated=_sums(allocations),
        credited=credited | {note.credit_note_id or "": _used(note) for note in notes},
    )
