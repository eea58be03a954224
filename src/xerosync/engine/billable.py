"""
Lines of purchases that a customer is to pay for: marked in Xero as billable, as a step of its own (row 89, F 6.174).

Xero keeps that beside the document, as a linked transaction of the line. One that stands on an invoice to the customer
is never touched: nobody is to be charged twice for a line, nor for what is no longer theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from attrs import define, field, frozen

from xerosync.client._books import Books
from xerosync.client._paging import whole_pages
from xerosync.client._session import Query
from xerosync.client._wire.codec import decode
from xerosync.engine.actions import Action, Pending
from xerosync.engine.intents import Intent, intent_key, retries
from xerosync.engine.mirror import CONTACTS, GONE, refresh
from xerosync.engine.observed import intents_of, intents_with
from xerosync.engine.once import sifted
from xerosync.engine.outcomes import finding_for
from xerosync.engine.paper_actions import CARD, OF_PURCHASE, MarkBillable, UnmarkBillable
from xerosync.engine.paper_settings import BillSettings
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.posted import PostedDocument, posted_documents
from xerosync.engine.sales import Customers, known_customers
from xerosync.engine.sides import SALES
from xerosync.engine.states import OPEN, POSTED, State
from xerosync.engine.written import now_in_xero, read_whole
from xerosync.errors import InvalidInput
from xerosync.mapping.papers import Bill, checked
from xerosync.mapping.spending import CardSpend, checked_spend
from xerosync.models import (
    BankTransaction,
    BankTransactionType,
    ContactId,
    CreditNote,
    Invoice,
    LineItem,
    LineItemId,
    LinkedTransaction,
    LinkedTransactionStatus,
)

Purchase: TypeAlias = Bill | CardSpend
Document: TypeAlias = Invoice | CreditNote | BankTransaction

_BILLED: Final = (
    "billed already",
    "a line of it stands on an invoice to the customer it was billable to",
    "take it off that invoice in Xero, or leave the line as it was; then mark it again",
)
_BY_HAND: Final = (
    "marked by hand",
    "somebody marked a line of it in Xero as billable to another customer, or to nobody yet",
    "choose in Xero whom it is billable to, and say the same here",
)
_TAKEN_OFF: Final = (
    "unmarked in Xero",
    "a line of it was marked as billable, and somebody took that off in Xero",
    "mark it in Xero again, or give the line without billable_to",
)
_OTHER_LINES: Final = (
    "lines differ",
    "the document in Xero has other lines than the paper, so nobody can say which is billable",
    "update the bill first, or mark the line in Xero by hand",
)
_NO_PURCHASE: Final = (
    "cannot be billable",
    "only lines of bills and of money spent are billable to customers, not of credits or of money back (F 6.174)",
    "give the line without billable_to",
)


@frozen(kw_only=True)
class _Known:
    """A paper with its *document* in Xero, whole, what is *linked* to its lines there, and what was *written* of it."""

    paper: Purchase
    posted: PostedDocument
    document: Document
    linked: Sequence[LinkedTransaction]
    written: Sequence[Intent]

    def operation(self, line: LineItemId) -> Pending:
        """What marking that line is called, the first time."""
        prefix = CARD if isinstance(self.paper, CardSpend) else ""
        return Pending(MarkBillable.kind, f"{prefix}{self.paper.id}/{line}")

    def marks(self, line: LineItemId) -> list[Intent]:
        """Every time that line was marked, whatever became of it, in order."""
        name = self.operation(line).host_ref
        same = [each for each in self.written if each.operation.host_ref == name]
        return sorted(same, key=lambda each: each.operation.revision)

    def mark_of(self, linked: LinkedTransaction) -> Intent | None:
        """The write that made *linked*; None where somebody made it in Xero."""
        own = [each for each in self.written if each.xero_id == linked.linked_transaction_id]
        return own[0] if own and own[0].state is State.CONFIRMED else None


async def mark_billable(
    books: Books, papers: Iterable[Purchase], settings: BillSettings, *, retry_refused: bool
) -> Plan:
    """Plan what the lines of *papers* lack of being billable as they say, and what they are no longer."""
    listed = list(papers)
    if len({(isinstance(each, Bill), each.id) for each in listed}) != len(listed):
        raise InvalidInput("id", "give each bill and each receipt once, under an id of its own")
    fit, findings = sifted(listed, _check)
    known, missing = await _known(books, fit)
    findings += missing
    await refresh(books, CONTACTS)
    customers = await known_customers(books, (name for each in known for name in _customers(each.paper)))
    removals = await intents_of(books, (_removal(each.operation) for one in known for each in one.written))
    marking = _Marking(books, settings, customers, removals, retry_refused=retry_refused, findings=findings)
    for each in known:
        marking.decide(each)
    found = (*marking.findings, *customers.findings)
    return Plan(tenant=books.tenant, actions=tuple(marking.actions), findings=found)


def _check(paper: Purchase) -> None:
    if isinstance(paper, Bill):
        checked(paper)
    else:
        checked_spend(paper)


def _customers(paper: Purchase) -> list[str]:
    return [line.billable_to for line in paper.lines if line.billable_to]


def _removal(mark: Pending) -> Pending:
    """What taking off is called that *mark* put on."""
    return Pending(UnmarkBillable.kind, mark.host_ref, mark.revision)


async def _known(books: Books, papers: Sequence[Purchase]) -> tuple[list[_Known], list[Finding]]:
    """Those of *papers* of which a line is billable, or was, with all that is known; and those not posted yet."""
    posted: dict[tuple[bool, str], PostedDocument] = {}
    bills = [each.id for each in papers if isinstance(each, Bill)]
    spends = [each.id for each in papers if isinstance(each, CardSpend)]
    for host_id, found in (await posted_documents(books, bills, of=Bill)).items():
        posted[True, host_id] = found
    for host_id, found in (await posted_documents(books, spends, of=CardSpend)).items():
        posted[False, host_id] = found
    findings: list[Finding] = []
    chosen: list[tuple[Purchase, PostedDocument, list[Intent]]] = []
    for paper in papers:
        document = posted.get((isinstance(paper, Bill), paper.id))
        if document is None and _customers(paper):
            cause = "the library did not post its document"
            findings.append(_finding(paper, ("not created here", cause, "submit it first"), retry=True))
        elif document is not None and document.document.status not in GONE:
            written = await intents_with(books, lookup=(OF_PURCHASE, document.xero_id))
            marks = [each for each in written if each.operation.kind == MarkBillable.kind]
            if marks or _customers(paper):
                chosen.append((paper, document, marks))
    whole = await _whole(books, [document for _, document, _ in chosen])
    known = [
        _Known(
            paper=paper,
            posted=document,
            document=whole.get(document.xero_id, document.document),
            linked=await _linked(books, document.xero_id),
            written=marks,
        )
        for paper, document, marks in chosen
    ]
    return known, findings


async def _whole(books: Books, posted: Sequence[PostedDocument]) -> Mapping[str, Document]:
    """The documents with their lines, by id."""
    bills = [each.document for each in posted if isinstance(each.document, Invoice)]
    spent = [each.xero_id for each in posted if isinstance(each.document, BankTransaction)]
    return {
        **await now_in_xero(books, bills),
        **await read_whole(books, "BankTransactions", BankTransaction, spent),
    }


async def _linked(books: Books, document_id: str) -> list[LinkedTransaction]:
    """What is linked to the lines of a document, but for what is void."""
    query = Query("LinkedTransactions", "LinkedTransactions", {"SourceTransactionID": document_id})
    found: list[LinkedTransaction] = []
    async for page in whole_pages(await books.session(), query, "LinkedTransactionID", sized=False):
        found += [decode(LinkedTransaction, row, where="LinkedTransactions") for row in page.rows]
    return found


def _finding(paper: Purchase, told: tuple[str, str, str], *, retry: bool = False) -> Finding:
    code, cause, fix = told
    return Finding(code=code, about=paper.id, cause=cause, fix=fix, retry=retry)


@define(repr=False)
class _Marking:
    books: Books
    settings: BillSettings
    customers: Customers
    removals: Mapping[str, Intent]
    retry_refused: bool = field(kw_only=True)
    findings: list[Finding] = field(kw_only=True)
    actions: list[Action] = field(factory=list[Action])

    def decide(self, known: _Known) -> None:
        """Mark what is to be billable, and take off what is not; or nothing of a paper that a person must look at."""
        wanted = self._wanted(known)
        if isinstance(wanted, tuple):
            self.findings.append(_finding(known.paper, wanted, retry=True))
            return
        actions: list[Action] = []
        for line in dict.fromkeys([*(each.line_item_id for each in _lines(known.document)), *_linked_lines(known)]):
            if line is not None:
                done = self._of_line(known, line, wanted.get(line, ""))
                if isinstance(done, tuple):
                    self.findings.append(_finding(known.paper, done, retry=True))
                    return
                actions += done
        self.actions += actions

    def _wanted(self, known: _Known) -> Mapping[LineItemId, str] | tuple[str, str, str]:
        """The customers to charge by the lines of the document; or why there are none."""
        paper, there = known.paper, _lines(known.document)
        if not _customers(paper):
            return {}
        if not _is_purchase(known.document):
            return _NO_PURCHASE
        if len(there) < len(paper.lines) or any(
            now.line_amount != line.amount.amount or not now.line_item_id
            for line, now in zip(paper.lines, there, strict=False)
        ):
            return _OTHER_LINES
        pairs = zip(paper.lines, there, strict=False)
        return {now.line_item_id: line.billable_to for line, now in pairs if now.line_item_id and line.billable_to}

    def _of_line(self, known: _Known, line: LineItemId, customer: str) -> list[Action] | tuple[str, str, str]:
        """What is to be done for one line; or what a person must do first."""
        contact = self.customers.contact(customer) if customer else None
        if customer and contact is None:
            return (SALES.unclear, "the customer it is billable to has no contact", "see the finding on the customer")
        linked = [each for each in known.linked if each.source_line_item_id == line]
        if any(each.target_transaction_id and each.contact_id != contact for each in linked):
            return _BILLED
        standing = [each for each in linked if each.status != LinkedTransactionStatus.VOIDED]
        if contact is None:
            return self._taken_off(known, standing)
        if any(each.contact_id == contact for each in standing):
            return []
        if any(known.mark_of(each) is None for each in standing):
            return _BY_HAND
        removed = self._taken_off(known, standing)
        marked = self._marked(known, line, str(contact), removed)
        return marked if isinstance(marked, tuple) else [*removed, *marked]

    def _taken_off(self, known: _Known, standing: Sequence[LinkedTransaction]) -> list[Action]:
        """Take off those of *standing* that are ours."""
        actions: list[Action] = []
        for each in standing:
            mark = known.mark_of(each)
            if mark is None or each.linked_transaction_id is None:
                continue
            earlier = self.removals.get(intent_key(self.books.tenant, _removal(mark.operation)))
            if earlier is None or earlier.state in OPEN or retries(earlier, (), always=self.retry_refused):
                actions.append(
                    UnmarkBillable(
                        host_ref=mark.operation.host_ref,
                        reason="no longer billable to this customer",
                        revision=mark.operation.revision,
                        facts={OF_PURCHASE: known.posted.xero_id},
                        removed=each.linked_transaction_id,
                    )
                )
            else:
                self.findings += filter(None, [finding_for(earlier)])
        return actions

    def _marked(
        self, known: _Known, line: LineItemId, contact: str, removed: Sequence[Action]
    ) -> list[Action] | tuple[str, str, str]:
        """Mark the line, unless Xero refused that before, or somebody took it off there."""
        before, seen = known.marks(line), (known.posted.seen,)
        last = before[-1] if before else None
        is_over = last is not None and last.state in POSTED
        if last is not None and is_over and not removed and not self._took_off(last):
            return _TAKEN_OFF
        is_ended = last is not None and not is_over and last.state not in OPEN
        if last is not None and is_ended and not retries(last, seen, always=self.retry_refused):
            self.findings += filter(None, [finding_for(last)])
            return []
        revision = 1 if last is None else last.operation.revision + is_over
        return [
            MarkBillable(
                host_ref=known.operation(line).host_ref,
                reason="a line of it is billable to a customer",
                revision=revision,
                seen=seen,
                facts={OF_PURCHASE: known.posted.xero_id},
                purchase=known.posted.xero_id,
                line=line,
                contact=ContactId(contact),
                after=tuple(each.itself for each in removed),
            )
        ]

    def _took_off(self, mark: Intent) -> bool:
        """Whether it was taken off by us since *mark* put it on."""
        removal = self.removals.get(intent_key(self.books.tenant, _removal(mark.operation)))
        return removal is not None and removal.state is State.CONFIRMED


def _lines(document: Document) -> Sequence[LineItem]:
    return document.line_items


def _linked_lines(known: _Known) -> list[LineItemId | None]:
    return [each.source_line_item_id for each in known.linked]


def _is_purchase(document: Document) -> bool:
    if isinstance(document, BankTransaction):
        return document.type == BankTransactionType.SPEND
    return isinstance(document, Invoice)
