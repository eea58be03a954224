"""What bills, credit notes and their payments mean for the books: pure decisions for the payables story."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import cast

from attrs import define, field, frozen

from xerosync.engine.actions import (
    Action,
    Adopt,
    Allocate,
    CreateBill,
    CreateCreditNote,
    Pending,
    Ref,
    Refund,
    Seen,
)
from xerosync.engine.intents import Intent, intent_key, retries, tag_of
from xerosync.engine.plans import Finding
from xerosync.engine.recovery import finding_for
from xerosync.engine.states import OPEN, State
from xerosync.engine.vendors import KnownVendors, Vendors, vendor_key
from xerosync.errors import InvalidInput
from xerosync.mapping.documents import Bill, bill_document, checked, credit_note_document
from xerosync.models import (
    AccountId,
    CreditNote,
    CreditNoteId,
    DocumentStatus,
    Invoice,
    InvoiceId,
    TenantId,
)
from xerosync.money import Money, exactly

DUPLICATE = "possible duplicate"
GONE = frozenset({DocumentStatus.VOIDED, DocumentStatus.DELETED})


@frozen(kw_only=True)
class KnownBills:
    """What is known when bills are submitted: vendors, intents by key, marks found in Xero, and numbers taken."""

    vendors: KnownVendors
    intents: Mapping[str, Intent]
    tagged: Mapping[str, Invoice | CreditNote]
    documents: Mapping[str, tuple[Invoice | CreditNote, str]]
    numbers: Mapping[tuple[str, str], Sequence[str]]
    hold_duplicates: bool
    retry_refused: bool


@define(repr=False)
class _Submitting:
    known: KnownBills
    actions: list[Action] = field(factory=list[Action])
    findings: list[Finding] = field(factory=list[Finding])
    vendors: Vendors = field(init=False)
    _planned: dict[tuple[Ref, str], list[str]] = field(factory=lambda: defaultdict[tuple[Ref, str], list[str]](list))

    def __attrs_post_init__(self) -> None:
        self.vendors = Vendors(self.known.vendors, self.actions, self.findings, retry_refused=self.known.retry_refused)

    def submit(self, bill: Bill) -> None:
        try:
            credit = checked(bill).total.amount < 0
        except InvalidInput as error:
            self._find(bill, "cannot be posted", str(error), "correct it and submit it again")
            return
        kind = CreateCreditNote.kind if credit else CreateBill.kind
        other = CreateBill.kind if credit else CreateCreditNote.kind
        key, other_key = (intent_key(self.known.vendors.tenant, Pending(each, bill.id)) for each in (kind, other))
        intent, opposite = self.known.intents.get(key), self.known.intents.get(other_key)
        tagged = self.known.tagged.get(tag_of(key))
        if opposite is not None and opposite.state is not State.REJECTED:
            self._changed(bill)
        elif intent is not None and intent.state is not State.REJECTED:
            self._check(bill, intent)
        elif intent is None and tagged is not None:
            self._adopt(bill, kind, tagged)
        elif intent is not None and not self.known.retry_refused:
            self.findings += filter(None, [finding_for(intent)])
        else:
            self._create(bill, credit=credit)

    def _check(self, bill: Bill, intent: Intent) -> None:
        document, _ = self.known.documents.get(intent.xero_id or "", (None, ""))
        if intent.state in OPEN:
            self._find(
                bill, "still open", "an earlier run was interrupted while posting it", "call recover()", retry=True
            )
        elif intent.state is not State.CONFIRMED:
            self.findings += filter(None, [finding_for(intent)])
        elif not _wrote(intent, bill):
            self._changed(bill)
        elif document is not None and document.status in GONE:
            cause = f"somebody made it {document.status} in Xero; it is not posted again"
            self._find(bill, "removed in Xero", cause, "find out why; to post it again, submit it under a new id")
        if intent.facts.get("duplicate_of"):
            self.findings.append(_duplicate(bill, held=False))

    def _changed(self, bill: Bill) -> None:
        cause = "under this id another document was posted before: its vendor, number or total was another"
        fix = "void that one in Xero and submit this one under a new id, or leave it"
        self._find(bill, "changed since posted", cause, fix)

    def _adopt(self, bill: Bill, kind: str, document: Invoice | CreditNote) -> None:
        xero_id = document.invoice_id if isinstance(document, Invoice) else document.credit_note_id
        self.actions.append(
            Adopt(
                host_ref=bill.id,
                reason="its mark is in Xero already",
                adopted_kind=kind,
                xero_id=xero_id or "",
                facts=_facts(bill),
            )
        )

    def _create(self, bill: Bill, *, credit: bool) -> None:
        try:
            contact = self._contact(bill)
        except InvalidInput as error:
            self._find(bill, "cannot be posted", str(error), "correct the vendor's name and submit it again")
            return
        if contact is None:
            return
        facts = _facts(bill)
        twins = self._twins(bill, contact)
        if twins:
            self.findings.append(_duplicate(bill, held=self.known.hold_duplicates))
            if self.known.hold_duplicates:
                return
            facts["duplicate_of"] = twins[0]
        reason = f"submitted, on {bill.on.isoformat()}"
        self.actions.append(
            CreateCreditNote(
                host_ref=bill.id,
                reason=reason,
                facts=facts,
                credit_note=credit_note_document(bill),
                contact=contact,
                total=-bill.total,
            )
            if credit
            else CreateBill(
                host_ref=bill.id,
                reason=reason,
                facts=facts,
                bill=bill_document(bill),
                contact=contact,
                total=bill.total,
            )
        )

    def _twins(self, bill: Bill, contact: Ref) -> Sequence[str]:
        """Documents in Xero of the same vendor with the same number, whoever entered them."""
        if not bill.number:
            return ()
        entered = () if isinstance(contact, Pending) else self.known.numbers.get((contact, bill.number), ())
        planned = self._planned[contact, bill.number]
        twins = [*entered, *planned]
        planned.append(bill.id)
        return twins

    def _contact(self, bill: Bill) -> Ref | None:
        contact = self.vendors.contact(bill.vendor)
        if contact is None:
            self._find(
                bill,
                "vendor unclear",
                "its vendor's contact cannot be used",
                "see the finding on the vendor",
                retry=True,
            )
        return contact

    def _find(self, bill: Bill, code: str, cause: str, fix: str, *, retry: bool = False) -> None:
        self.findings.append(Finding(code=code, about=bill.id, cause=cause, fix=fix, retry=retry, worth=_worth(bill)))


@exactly
def decide_bills(bills: Iterable[Bill], known: KnownBills) -> tuple[list[Action], list[Finding]]:
    """The contacts, bills and credit notes to create so that the books hold *bills*; the rest are findings."""
    submitting = _Submitting(known)
    for bill in bills:
        submitting.submit(bill)
    return submitting.actions, submitting.findings


@frozen(kw_only=True)
class OpenDocument:
    """A bill or credit note the library posted: the host's id, Xero's document, and the stamp it was seen at."""

    host_id: str
    document: Invoice | CreditNote
    stamp: str

    @property
    def left(self) -> Decimal:
        """What is still open on it; nothing where it is not authorised."""
        if self.document.status != DocumentStatus.AUTHORISED:
            return Decimal(0)
        document = self.document
        return (document.amount_due if isinstance(document, Invoice) else document.remaining_credit) or Decimal(0)

    @property
    def age(self) -> tuple[date, str]:
        """What sorts the oldest first."""
        return self.document.date or date.max, self.host_id

    @property
    def contact(self) -> str:
        """The vendor's contact."""
        return (self.document.contact.contact_id or "") if self.document.contact is not None else ""

    @property
    def seen(self) -> Seen:
        """It as it was seen."""
        if isinstance(self.document, Invoice):
            return Seen("invoice", self.document.invoice_id or "", self.stamp)
        return Seen("credit_note", self.document.credit_note_id or "", self.stamp)


@frozen(kw_only=True)
class KnownCredits:
    """What is known when credits are settled: open documents of ours, intents by key, and where refunds come in."""

    tenant: TenantId
    bills: Sequence[OpenDocument]
    credit_notes: Sequence[OpenDocument]
    intents: Mapping[str, Intent]
    account: AccountId
    retry_refused: bool


@exactly
def decide_credits(known: KnownCredits) -> tuple[list[Action], list[Finding]]:
    """
    Set each supplier credit against the same vendor's open bills, oldest first, and refund what is left.

    What is left comes in on the payment account, dated like the credit note.
    """
    actions: list[Action] = []
    findings: list[Finding] = []
    due = {each.host_id: each.left for each in known.bills}
    open_bills: dict[str, list[OpenDocument]] = defaultdict(list)
    for bill in sorted(known.bills, key=lambda each: each.age):
        open_bills[bill.contact].append(bill)
    for note in sorted(known.credit_notes, key=lambda each: each.age):
        left = note.left
        for bill in open_bills[note.contact]:
            part = min(left, due[bill.host_id])
            if part > 0:
                due[bill.host_id] -= part
                left -= part
                _add(_allocation(note, bill, part), known, actions, findings)
        if left > 0:
            _add(_refund(note, left, known.account), known, actions, findings)
    return actions, findings


def _add(action: Allocate | Refund, known: KnownCredits, actions: list[Action], findings: list[Finding]) -> None:
    """Plan *action* unless it was done before: what was done and undone in Xero is for a person to look at."""
    earlier = known.intents.get(intent_key(known.tenant, action.itself))
    if earlier is None:
        actions.append(action)
        return
    if earlier.state is State.CONFIRMED:
        cause = "it was done before, and somebody undid it in Xero"
        found = Finding(
            code="removed in Xero", about=action.host_ref, cause=cause, fix="find out why", worth=action.worth
        )
        findings.append(found)
    elif retries(earlier, action.seen, always=known.retry_refused):
        actions.append(action)
    else:
        findings.extend(filter(None, [finding_for(earlier)]))


def _allocation(note: OpenDocument, bill: OpenDocument, part: Decimal) -> Allocate:
    invoice = bill.document
    credit_note = note.document
    if not isinstance(invoice, Invoice) or not isinstance(credit_note, CreditNote):
        raise TypeError("a credit note is allocated to a bill")
    return Allocate(
        host_ref=f"{note.host_id}→{bill.host_id}",
        reason="the vendor's oldest open bill",
        seen=(note.seen, bill.seen),
        credit_note=credit_note.credit_note_id or CreditNoteId(""),
        invoice=invoice.invoice_id or InvoiceId(""),
        amount=Money(part, invoice.currency_code or "XXX"),
        on=max(filter(None, (invoice.date, credit_note.date))),
    )


def _refund(note: OpenDocument, left: Decimal, account: AccountId) -> Refund:
    credit_note = note.document
    if not isinstance(credit_note, CreditNote) or credit_note.date is None:
        raise TypeError("only a dated credit note is refunded")
    return Refund(
        host_ref=note.host_id,
        reason="no open bill of the vendor is left",
        seen=(note.seen,),
        credit_note=credit_note.credit_note_id or CreditNoteId(""),
        account=account,
        amount=Money(left, credit_note.currency_code or "XXX"),
        on=credit_note.date,
        reference=credit_note.credit_note_number or "",
    )


def _worth(bill: Bill) -> Money | None:
    try:
        return bill.total
    except InvalidInput:
        return None


def _wrote(intent: Intent, bill: Bill) -> bool:
    """Whether *intent* is the document of *bill*; of one taken over, the lines are not known."""
    lines = cast(Sequence[Mapping[str, object]], intent.payload.get("LineItems") or ())
    total = sum((Decimal(str(line["UnitAmount"])) for line in lines), start=Decimal(0))
    same_total = not lines or total == abs(bill.total.amount)
    return same_total and all(intent.facts.get(name) == value for name, value in _facts(bill).items())


def _facts(bill: Bill) -> dict[str, str]:
    return {"vendor": vendor_key(bill.vendor), "number": bill.number}


def _duplicate(bill: Bill, *, held: bool) -> Finding:
    done = "it is held back" if held else "it was posted all the same"
    return Finding(
        code=DUPLICATE,
        about=bill.id,
        cause=f"the vendor has another document of this number in Xero; {done}",
        fix="compare the two, and void or submit accordingly",
        worth=bill.total,
    )
