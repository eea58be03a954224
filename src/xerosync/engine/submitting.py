"""What submitted papers mean for the books, whichever side they stand on: pure decisions, each document once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Generic, cast

from attrs import define, evolve, field, frozen

from xerosync.client._books import Books
from xerosync.engine.actions import Action, Adopt, Ref
from xerosync.engine.billing import OpenDocument
from xerosync.engine.ended import gone_finding, withdrawn
from xerosync.engine.intents import Intent, intent_key, tag_of
from xerosync.engine.mirror import CREDIT_NOTES, GONE, INVOICES
from xerosync.engine.observed import intents_of, stamped, tagged
from xerosync.engine.outcomes import contact_had_ended, finding_for
from xerosync.engine.paper_settings import PaperSettings, documents_of, moved_to
from xerosync.engine.plan_limits import Approvals, approvals
from xerosync.engine.plans import Finding
from xerosync.engine.preflight import faults, lock_fault
from xerosync.engine.reference import Reference, read_reference
from xerosync.engine.rounding import expected_total, with_remainder
from xerosync.engine.sides import Side
from xerosync.engine.states import OPEN, State
from xerosync.engine.written import Written, all_changes
from xerosync.errors import InvalidInput
from xerosync.mapping.papers import P, Paper, checked
from xerosync.models import CreditNote, DocumentStatus, Invoice, TenantId
from xerosync.money import Money, exactly


@frozen(kw_only=True)
class KnownPapers:
    """
    What is known of papers when they are submitted: intents by key, marks found in Xero, and documents written.

    *reference* is what documents may refer to, *linked* are the documents that people typed and that are known as the
    host's. *approvals* counts what the organisation's plan limits, *withdrawn* are the papers that the host took back.
    """

    tenant: TenantId
    side: Side
    intents: Mapping[str, Intent]
    tagged: Mapping[str, Invoice | CreditNote]
    documents: Mapping[str, tuple[Invoice | CreditNote, str]]
    linked: Mapping[str, OpenDocument]
    reference: Reference
    approvals: Approvals
    withdrawn: Collection[str]
    retry_refused: bool

    def intent(self, kind: str, host_id: str) -> Intent | None:
        """What is known of the document of *kind* that the paper *host_id* became."""
        return self.intents.get(intent_key(self.tenant, self.side.operation(kind, host_id)))

    def is_new(self, host_id: str) -> bool:
        """Whether nothing of the paper *host_id* is posted, or may be."""
        written = (self.intent(kind, host_id) for kind in (self.side.invoice, self.side.credit))
        return all(each is None or each.state is State.REJECTED for each in written)


@frozen(repr=False)
class Posted:
    """What a paper becomes in Xero: its document, what it comes to, and why."""

    document: Invoice | CreditNote
    total: Money
    reason: str


@define(repr=False)
class Submitting(ABC, Generic[P]):
    """Decides on papers one by one; what differs between the sides is left to them."""

    known: KnownPapers
    settings: PaperSettings[P]
    actions: list[Action] = field(factory=list[Action])
    findings: list[Finding] = field(factory=list[Finding])

    @abstractmethod
    def contact(self, paper: P) -> Ref | None:
        """The contact of *paper*; None where it cannot be used, which is a finding then."""

    @abstractmethod
    def allowed(self, paper: P, posted: Posted, contact: Ref) -> Mapping[str, str] | None:
        """More facts of *paper* where nothing in Xero is in its way; else None, and a finding."""

    def written_before(self, paper: P, intent: Intent) -> None:
        """Plan, or say, what else there is of a *paper* that was written before."""

    def without_contact(self, paper: P, posted: Posted) -> None:
        """Say what else there is of a *paper* whose contact cannot be used."""

    @exactly
    def submit(self, papers: Iterable[P]) -> None:
        """Decide on each of *papers*."""
        for paper in papers:
            self._submit(paper)

    def _submit(self, paper: P) -> None:
        linked, side = self.known.linked.get(paper.id), self.known.side
        if linked is not None:
            self._check_linked(paper, linked)
            return
        try:
            credit = checked(paper).total.amount < 0
        except InvalidInput as error:
            self.find(paper, "cannot be posted", str(error), "correct it and submit it again")
            return
        kind, other = (side.credit, side.invoice) if credit else (side.invoice, side.credit)
        intent, opposite = self.known.intent(kind, paper.id), self.known.intent(other, paper.id)
        marked = self.known.tagged.get(tag_of(intent_key(self.known.tenant, side.operation(kind, paper.id))))
        if opposite is not None and opposite.state is not State.REJECTED:
            self._changed(paper)
        elif intent is not None and intent.state is not State.REJECTED:
            self._check(paper, intent)
        elif intent is None and marked is not None:
            self._adopt(paper, kind, marked)
        elif intent is not None and not (self.known.retry_refused or contact_had_ended(intent)):
            self.findings += filter(None, [finding_for(intent)])
        else:
            self._create(paper)

    def _check(self, paper: P, intent: Intent) -> None:
        document, _ = self.known.documents.get(intent.xero_id or "", (None, ""))
        if intent.state in OPEN:
            self.find(
                paper, "still open", "an earlier run was interrupted while posting it", "call recover()", retry=True
            )
        elif intent.state is not State.CONFIRMED:
            self.findings += filter(None, [finding_for(intent)])
        elif not self.wrote(intent, paper):
            self._changed(paper)
        elif document is not None and document.status in GONE:
            by_host = paper.id in self.known.withdrawn
            self.findings.append(gone_finding(paper.id, document.status, worth_of(paper), by_host=by_host))
        self.written_before(paper, intent)

    def _check_linked(self, paper: P, linked: OpenDocument) -> None:
        if linked.document.status in GONE:
            cause = f"it is the one that was typed in Xero, and somebody made that {linked.document.status}"
            self.find(paper, "removed in Xero", cause, "find out why; to post it, submit it under a new id")
            return
        total, there = self._comes_to(paper), linked.document
        if total is not None and (abs(total.amount), total.currency) != (there.total, there.currency_code):
            cause = "it is the one that was typed in Xero, and that comes to another total"
            self.find(paper, "changed since posted", cause, "correct the one that is wrong, here or in Xero")

    def _comes_to(self, paper: P) -> Money | None:
        """What *paper* would come to in Xero; None where nobody can say."""
        try:
            return expected_total(
                with_remainder(self.settings.coded(paper)[0], self.known.reference), self.known.reference
            )
        except InvalidInput:
            return None

    def _changed(self, paper: P) -> None:
        cause = f"under this id another document was posted before: its {self.known.side.party}, number or total"
        fix = "update() it, or submit this one under a new id if it is another paper"
        self.find(paper, "changed since posted", f"{cause} was another", fix)

    def _adopt(self, paper: P, kind: str, document: Invoice | CreditNote) -> None:
        xero_id = document.invoice_id if isinstance(document, Invoice) else document.credit_note_id
        facts = self.known.side.facts(paper)
        self.actions.append(
            Adopt(
                host_ref=self.known.side.operation(kind, paper.id).host_ref,
                reason="its mark is in Xero already",
                adopted_kind=kind,
                xero_id=xero_id or "",
                facts={name: fact for name, fact in facts.items() if name != "amount"},
            )
        )

    def _create(self, paper: P) -> None:
        posted = self._posted(paper)
        contact = self._contact(paper) if posted is not None else None
        if posted is None:
            return
        if contact is None:
            self.without_contact(paper, posted)
            return
        more = self.allowed(paper, posted, contact)
        if more is not None:
            self.post(paper, posted, contact, more)

    def post(self, paper: P, posted: Posted, contact: Ref, more: Mapping[str, str]) -> None:
        """Plan the document of *paper*, with *more* facts."""
        facts = {**self.known.side.facts(paper), "on": paper.on.isoformat(), **more}
        self.findings += self.known.approvals.too_many(paper.id, posted.document, worth_of(paper))
        self.actions.append(self._creation(paper, posted, contact, facts))

    def _creation(self, paper: P, posted: Posted, contact: Ref, facts: Mapping[str, str]) -> Action:
        if isinstance(posted.document, Invoice):
            return self.known.side.creates(
                host_ref=paper.id,
                reason=posted.reason,
                facts=facts,
                invoice=posted.document,
                contact=contact,
                total=posted.total,
            )
        return self.known.side.credits(
            host_ref=paper.id,
            reason=posted.reason,
            facts=facts,
            credit_note=posted.document,
            contact=contact,
            total=-posted.total,
        )

    def _contact(self, paper: P) -> Ref | None:
        try:
            return self.contact(paper)
        except InvalidInput as error:
            self.find(paper, "cannot be posted", str(error), "correct the name and submit it again")
            return None

    def _posted(self, paper: P) -> Posted | None:
        """What *paper* becomes in Xero; None where Xero would refuse it, which is a finding then."""
        reference = self.known.reference
        try:
            coded, because = self.settings.coded(paper)
            coded = with_remainder(coded, reference)
            document = self.settings.document(coded)
        except InvalidInput as error:
            self.find(paper, "cannot be posted", str(error), "correct it and submit it again")
            return None
        wrong = faults(paper.id, document, reference, paper.total)
        day = reference.open_books.paper_day_for(paper.on)
        locked = lock_fault(paper.id, day, reference, paper.total)
        if locked is not None:
            wrong.append(locked)
        self.findings += wrong
        if wrong:
            return None
        moved = reference.open_books.reason(paper.on)
        if moved:
            document = moved_to(document, day or paper.on)
        if reference.open_books.drafts(paper.on):
            document = evolve(document, status=DocumentStatus.DRAFT)
        reason = f"submitted, on {paper.on.isoformat()}{moved}{f'; {because}' if because else ''}"
        return Posted(document, expected_total(coded, reference) or coded.total, reason)

    def wrote(self, intent: Intent, paper: P) -> bool:
        """Whether *intent* is the document of *paper*; of one taken over, the lines are not known."""
        facts = self.known.side.facts(paper)
        if "amount" not in intent.facts:
            total = facts.pop("amount")
            lines = cast(Sequence[Mapping[str, object]], intent.payload.get("LineItems") or ())
            written = sum((Decimal(str(line["UnitAmount"])) for line in lines), start=Decimal(0))
            if lines and written != abs(Decimal(total)):
                return False
        return all(intent.facts.get(name) == value for name, value in facts.items())

    def find(self, paper: P, code: str, cause: str, fix: str, *, retry: bool = False, root: str = "") -> None:
        """Add a finding on *paper*."""
        found = Finding(code=code, about=paper.id, cause=cause, fix=fix, retry=retry, worth=worth_of(paper), root=root)
        self.findings.append(found)


def worth_of(paper: Paper) -> Money | None:
    """What *paper* comes to; None where nobody can say."""
    try:
        return paper.total
    except InvalidInput:
        return None


async def read_known(
    books: Books,
    side: Side,
    papers: Sequence[P],
    settings: PaperSettings[P],
    *,
    linked: Mapping[str, OpenDocument],
    retry_refused: bool,
) -> KnownPapers:
    """What the store and the mirror know of *papers*."""
    operations = [side.operation(kind, paper.id) for paper in papers for kind in (side.invoice, side.credit)]
    intents = await intents_of(books, operations)
    forgotten = [tag_of(key) for each in operations if (key := intent_key(books.tenant, each)) not in intents]
    for key, changes in (await all_changes(books)).items():
        if key in intents:
            intents[key] = Written(creation=intents[key], changes=changes).as_one()
    written = [intent.xero_id for intent in intents.values() if intent.xero_id]
    posted = {side.host_id(each.operation) for each in intents.values() if each.state is State.CONFIRMED}
    fresh = documents_of([paper for paper in papers if paper.id not in posted], settings)
    reference = await read_reference(books, fresh, settings.when_locked)
    documents: Mapping[str, tuple[Invoice | CreditNote, str]] = {
        **await stamped(books, INVOICES, Invoice, written),
        **await stamped(books, CREDIT_NOTES, CreditNote, written),
    }
    gone = {xero_id for xero_id, (document, _) in documents.items() if document.status in GONE}
    ended = [side.host_id(each.operation) for each in intents.values() if each.xero_id in gone]
    return KnownPapers(
        tenant=books.tenant,
        side=side,
        intents=intents,
        tagged={
            **await tagged(books, INVOICES, Invoice, forgotten),
            **await tagged(books, CREDIT_NOTES, CreditNote, forgotten),
        },
        documents=documents,
        withdrawn=await withdrawn(books, ended, side=side),
        linked=linked,
        reference=reference,
        approvals=await approvals(books, reference.plan),
        retry_refused=retry_refused,
    )
