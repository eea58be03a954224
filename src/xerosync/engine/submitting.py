"""What submitted bills and credit notes mean for the books: pure decisions, each document once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Final, TypeAlias, cast

from attrs import define, evolve, field, frozen

from xerosync.engine.actions import Action, Adopt, CreateBill, CreateCreditNote, Pending, Ref
from xerosync.engine.billing import OpenDocument
from xerosync.engine.bringing import link_bill, mapped_bill
from xerosync.engine.coding import Rules, why
from xerosync.engine.duplicates import BY_NUMBER, Duplicates, Entered, Twin
from xerosync.engine.intents import Intent, intent_key, tag_of
from xerosync.engine.mirror import GONE
from xerosync.engine.plans import Finding
from xerosync.engine.preflight import faults, lock_fault
from xerosync.engine.recovery import finding_for
from xerosync.engine.reference import Reference
from xerosync.engine.rounding import with_remainder
from xerosync.engine.settling_policies import WhenLocked
from xerosync.engine.states import OPEN, State
from xerosync.engine.vendors import KnownVendors, Vendors, vendor_key, vendor_root
from xerosync.errors import InvalidInput
from xerosync.mapping.documents import Bill, checked, map_bill
from xerosync.models import CreditNote, DocumentStatus, Invoice
from xerosync.money import Money, exactly

DUPLICATE: Final = "possible duplicate"

BillMapper: TypeAlias = Callable[[Bill], Invoice | CreditNote]
"""Makes a document of a bill, as `map_bill` does: a pure function."""


@frozen(kw_only=True)
class BillSettings:
    """
    What a host chose for its bills, credit notes and card receipts.

    *rules* code the lines that do not say their account, tax or tracking. *status* is what documents are posted as that
    do not say: a draft, awaiting approval, or approved. *when_locked* says what becomes of a document in closed books.
    *mapper* makes Xero's document of a bill, after the rules; wrap `map_bill` to change a part of it. *duplicates* says
    what becomes of a bill that looks like one in Xero.
    """

    rules: Rules = field(factory=Rules)
    status: DocumentStatus = DocumentStatus.AUTHORISED
    when_locked: WhenLocked = WhenLocked.REFUSE
    mapper: BillMapper = map_bill
    duplicates: Duplicates = Duplicates.WARN

    def coded(self, bill: Bill) -> tuple[Bill, str]:
        """*bill* with what its lines and it do not say, and why they got it."""
        coded = [self.rules.code(bill.vendor, line) for line in bill.lines]
        status = bill.status or self.status
        return evolve(bill, lines=tuple(each.line for each in coded), status=status), why(coded)


@frozen(kw_only=True)
class KnownBills:
    """
    What is known when bills are submitted: vendors, intents by key, marks found in Xero, and numbers taken.

    *reference* is what documents may refer to, *linked* are the documents that people typed and that are known as the
    host's, *taken* the ids of those known under any id.
    """

    vendors: KnownVendors
    intents: Mapping[str, Intent]
    tagged: Mapping[str, Invoice | CreditNote]
    documents: Mapping[str, tuple[Invoice | CreditNote, str]]
    entered: Entered
    linked: Mapping[str, OpenDocument]
    taken: Collection[str]
    reference: Reference
    settings: BillSettings
    duplicates: Duplicates
    retry_refused: bool


@frozen(repr=False)
class _Posted:
    """What a bill becomes in Xero: its document, what it comes to, and why."""

    document: Invoice | CreditNote
    total: Money
    reason: str


@define(repr=False)
class _Submitting:
    known: KnownBills
    actions: list[Action] = field(factory=list[Action])
    findings: list[Finding] = field(factory=list[Finding])
    vendors: Vendors = field(init=False)
    linked_now: set[str] = field(factory=set[str])
    _planned: dict[tuple[Ref, str], list[Twin]] = field(factory=lambda: defaultdict[tuple[Ref, str], list[Twin]](list))

    def __attrs_post_init__(self) -> None:
        self.vendors = Vendors(self.known.vendors, self.actions, self.findings, retry_refused=self.known.retry_refused)

    def submit(self, bill: Bill) -> None:
        linked = self.known.linked.get(bill.id)
        if linked is not None:
            self._check_linked(bill, linked)
            return
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
            self._create(bill)

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
            alike = intent.facts.get("alike_by", BY_NUMBER)
            self.findings.append(_duplicate(bill, alike, "it was posted all the same"))

    def _check_linked(self, bill: Bill, linked: OpenDocument) -> None:
        if linked.document.status in GONE:
            cause = f"it is the one that was typed in Xero, and somebody made that {linked.document.status}"
            self._find(bill, "removed in Xero", cause, "find out why; to post it, submit it under a new id")

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
                facts={name: fact for name, fact in bill_facts(bill).items() if name != "amount"},
            )
        )

    def _create(self, bill: Bill) -> None:
        posted = self._posted(bill)
        contact = self._contact(bill) if posted is not None else None
        if posted is None or contact is None:
            return
        facts = {**bill_facts(bill), "on": bill.on.isoformat()}
        twins = self._twins(bill, posted, contact)
        if twins and not self._goes_on(bill, posted, twins):
            return
        if twins:
            facts |= {"duplicate_of": twins[0].id}
            facts |= {"alike_by": twins[0].alike} if twins[0].alike != BY_NUMBER else {}
        self.actions.append(_creation(bill, posted, contact, facts))

    def _goes_on(self, bill: Bill, posted: _Posted, twins: Sequence[Twin]) -> bool:
        """Whether *bill* is posted although it looks like others; else it is linked to one, or held back."""
        alike = twins[0].alike
        match self.known.duplicates:
            case Duplicates.WARN:
                self.findings.append(_duplicate(bill, alike, "it was posted all the same"))
                return True
            case Duplicates.LINK if (one := self._same_paper(posted, twins)) is not None:
                self.linked_now.add(one.id)
                typed = mapped_bill(cast(Invoice, one.document))
                self.actions.append(link_bill(bill.id, typed, one.stamp, reason=f"typed in Xero, the same {alike}"))
            case Duplicates.LINK:
                self.findings.append(_duplicate(bill, alike, "it is held back, since nobody can say which it is"))
            case Duplicates.STOP:
                self.findings.append(_duplicate(bill, alike, "it is held back"))
        return False

    def _same_paper(self, posted: _Posted, twins: Sequence[Twin]) -> Twin | None:
        """The one of *twins* that somebody typed, of the same total, and that no other bill is linked to."""
        if len(twins) != 1 or not twins[0].by_hand or not isinstance(twins[0].document, Invoice):
            return None
        document = twins[0].document
        is_free = twins[0].id not in self.known.taken and twins[0].id not in self.linked_now
        same = (document.total, document.currency_code) == (posted.total.amount, posted.total.currency)
        return twins[0] if same and is_free else None

    def _posted(self, bill: Bill) -> _Posted | None:
        """What *bill* becomes in Xero; None where Xero would refuse it, which is a finding then."""
        settings, reference = self.known.settings, self.known.reference
        try:
            coded, because = settings.coded(bill)
            coded = with_remainder(coded, reference)
            document = settings.mapper(coded)
        except InvalidInput as error:
            self._find(bill, "cannot be posted", str(error), "correct it and submit it again")
            return None
        wrong = faults(bill.id, document, reference, bill.total)
        locked = lock_fault(bill.id, bill.on, reference, bill.total)
        if locked is not None:
            wrong.append(locked)
        self.findings += wrong
        if wrong:
            return None
        moved = reference.open_books.reason(bill.on)
        if moved:
            document = moved_to(document, reference.open_books.day_for(bill.on) or bill.on)
        reason = f"submitted, on {bill.on.isoformat()}{moved}{f'; {because}' if because else ''}"
        return _Posted(document, coded.total, reason)

    def _twins(self, bill: Bill, posted: _Posted, contact: Ref) -> list[Twin]:
        """Documents of the same vendor that may be the same paper, in Xero or in this plan."""
        total = posted.total
        entered = (
            []
            if isinstance(contact, Pending)
            else self.known.entered.twins(contact, bill.number, on=bill.on, total=total.amount, currency=total.currency)
        )
        planned = self._planned[contact, bill.number] if bill.number else []
        twins = [*entered, *planned]
        planned.append(Twin(id=bill.id))
        return twins

    def _contact(self, bill: Bill) -> Ref | None:
        try:
            contact = self.vendors.contact(bill.vendor)
        except InvalidInput as error:
            self._find(bill, "cannot be posted", str(error), "correct the vendor's name and submit it again")
            return None
        if contact is None:
            self._find(
                bill,
                "vendor unclear",
                "its vendor's contact cannot be used",
                "see the finding on the vendor",
                retry=True,
                root=vendor_root(bill.vendor),
            )
        return contact

    def _find(self, bill: Bill, code: str, cause: str, fix: str, *, retry: bool = False, root: str = "") -> None:
        worth = _worth(bill)
        found = Finding(code=code, about=bill.id, cause=cause, fix=fix, retry=retry, worth=worth, root=root)
        self.findings.append(found)


def documents_of(bills: Iterable[Bill], settings: BillSettings) -> list[Invoice | CreditNote]:
    """What those of *bills* become that can be posted: to see what they refer to."""
    documents: list[Invoice | CreditNote] = []
    for bill in bills:
        with suppress(InvalidInput):
            documents.append(settings.mapper(settings.coded(checked(bill))[0]))
    return documents


@exactly
def decide_bills(bills: Iterable[Bill], known: KnownBills) -> tuple[list[Action], list[Finding]]:
    """The contacts, bills and credit notes to create so that the books hold *bills*; the rest are findings."""
    submitting = _Submitting(known)
    for bill in bills:
        submitting.submit(bill)
    return submitting.actions, submitting.findings


def _creation(bill: Bill, posted: _Posted, contact: Ref, facts: Mapping[str, str]) -> CreateBill | CreateCreditNote:
    if isinstance(posted.document, Invoice):
        return CreateBill(
            host_ref=bill.id,
            reason=posted.reason,
            facts=facts,
            bill=posted.document,
            contact=contact,
            total=posted.total,
        )
    return CreateCreditNote(
        host_ref=bill.id,
        reason=posted.reason,
        facts=facts,
        credit_note=posted.document,
        contact=contact,
        total=-posted.total,
    )


def moved_to(document: Invoice | CreditNote, on: date) -> Invoice | CreditNote:
    """*document* dated *on*, and due then at the earliest."""
    if isinstance(document, CreditNote):
        return evolve(document, date=on)
    return evolve(document, date=on, due_date=max(on, document.due_date or on))


def _worth(bill: Bill) -> Money | None:
    try:
        return bill.total
    except InvalidInput:
        return None


def _wrote(intent: Intent, bill: Bill) -> bool:
    """Whether *intent* is the document of *bill*; of one taken over, the lines are not known."""
    facts = bill_facts(bill)
    if "amount" not in intent.facts:
        total = facts.pop("amount")
        lines = cast(Sequence[Mapping[str, object]], intent.payload.get("LineItems") or ())
        written = sum((Decimal(str(line["UnitAmount"])) for line in lines), start=Decimal(0))
        if lines and written != abs(Decimal(total)):
            return False
    return all(intent.facts.get(name) == value for name, value in facts.items())


def bill_facts(bill: Bill) -> dict[str, str]:
    """What a document is known by as that of *bill*."""
    total = bill.total.rounded()
    return {"vendor": vendor_key(bill.vendor), "number": bill.number, "amount": str(total.amount)}


def _duplicate(bill: Bill, alike: str, done: str) -> Finding:
    by_whom = "" if alike == BY_NUMBER else ", entered by hand"
    return Finding(
        code=DUPLICATE,
        about=bill.id,
        cause=f"the vendor has another document of this {alike} in Xero{by_whom}; {done}",
        fix="compare the two, and void or submit accordingly",
        worth=bill.total,
    )
