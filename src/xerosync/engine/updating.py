"""Papers that changed at their source: what Xero still lets be changed is changed there, respecting money (row 95)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Final, Generic, Protocol, cast

from attrs import define, evolve, field, frozen

from xerosync.client._books import Books
from xerosync.client._wire.codec import Json, dump
from xerosync.client._wire.outgoing import encode
from xerosync.engine.actions import Action, Adopt, Ref, Seen
from xerosync.engine.intents import intent_key, mark_of
from xerosync.engine.left_alone import without_document
from xerosync.engine.mirror import CREDIT_NOTES, GONE, INVOICES
from xerosync.engine.observed import intents_of, stamped
from xerosync.engine.once import sifted
from xerosync.engine.outcomes import contact_had_ended, finding_for
from xerosync.engine.paper_settings import PaperSettings, documents_of
from xerosync.engine.plans import Finding
from xerosync.engine.posted import has_money
from xerosync.engine.preflight import faults
from xerosync.engine.probes import shows
from xerosync.engine.reference import Reference, read_reference
from xerosync.engine.restoring import being_taken_back
from xerosync.engine.rounding import with_remainder
from xerosync.engine.settling_policies import WhenLocked
from xerosync.engine.sides import Side
from xerosync.engine.states import State
from xerosync.engine.submitting import worth_of
from xerosync.engine.written import Written, all_changes, differing, fields_of, now_in_xero, without
from xerosync.errors import InvalidInput
from xerosync.mapping.papers import P, Paper, checked
from xerosync.models import CreditNote, CreditNoteId, DocumentStatus, Invoice, InvoiceId, LineItem
from xerosync.money import exactly

_RANK: Final = {DocumentStatus.DRAFT: 0, DocumentStatus.SUBMITTED: 1, DocumentStatus.AUTHORISED: 2}
_APART: Final = frozenset({"Type", "Status"})
_UNDER_MONEY: Final = frozenset({"DueDate", "InvoiceNumber", "Reference", "LineItems", "Contact"})
"""What may change on a document that money stands on (F 6.66), lines in their texts and coding alone."""
_OF_LINES: Final = frozenset({"Description", "AccountCode", "Tracking"})
_WITH_LINES: Final = frozenset({"LineItems", "LineAmountTypes", "CurrencyCode", "CurrencyRate"})
"""What is sent together, or left out so that it stays (F 6.65)."""
_NUMBERS: Final = frozenset({"InvoiceNumber", "CreditNoteNumber"})


@frozen(kw_only=True)
class _Known(Generic[P]):
    """A paper that was posted: how it was *written*, how its *document* stands in Xero, and whether it *is_going*."""

    paper: P
    mark: str
    written: Written
    document: Invoice | CreditNote
    seen: Seen
    is_going: bool

    @property
    def has_money(self) -> bool:
        """Whether payments or credits stand on it."""
        return has_money(self.document)


class Parties(Protocol):
    """Who papers are of: finds their contacts, and says why one cannot be used."""

    actions: list[Action]
    findings: list[Finding]

    def contact(self, name: str) -> Ref | None:
        """The contact of whom a paper is; None where it cannot be used."""
        ...


async def update(
    books: Books,
    side: Side,
    papers: Iterable[P],
    settings: PaperSettings[P],
    parties: Parties,
    *,
    retry_refused: bool,
) -> tuple[list[Action], list[Finding]]:
    """
    What the documents of *papers* that were posted before lack of what the papers say now.

    What is to be done for their *parties* is added to those. One that none was posted of, or that ended, is a finding.
    """
    fit, findings = sifted(papers, checked, worth_of)
    known = await _known(books, side, fit)
    standing = {each.paper.id for each in known}
    findings += await without_document(books, side, [each for each in fit if each.id not in standing])
    reference = await read_reference(books, documents_of([each.paper for each in known], settings), WhenLocked.REFUSE)
    updating = _Updating(reference, side, settings, parties, retry_refused=retry_refused, findings=findings)
    forgotten = [each.document for each in known if each.written.wanted is None]
    updating.now |= await now_in_xero(books, forgotten)
    under_money = [each.document for each in known if each.has_money and updating.changed(each)]
    updating.now |= await now_in_xero(books, under_money)
    for each in known:
        updating.decide(each)
    return updating.actions, updating.findings


def any_credits(papers: Iterable[Paper]) -> bool:
    """Whether any of *papers* is a credit note."""
    return any(each.total.amount < 0 for each in papers if _can_be(each))


def _can_be(paper: Paper) -> bool:
    with suppress(InvalidInput):  # submit() says so
        checked(paper)
        return True
    return False


async def _known(books: Books, side: Side, papers: Sequence[P]) -> list[_Known[P]]:
    operations = {
        (kind, paper.id): side.operation(kind, paper.id) for paper in papers for kind in (side.invoice, side.credit)
    }
    created = await intents_of(books, operations.values())
    created = {key: each for key, each in created.items() if each.state is State.CONFIRMED}
    changes, going = await all_changes(books), await being_taken_back(books)
    written = [each.xero_id for each in created.values() if each.xero_id]
    documents: Mapping[str, tuple[Invoice | CreditNote, str]] = {
        **await stamped(books, INVOICES, Invoice, written),
        **await stamped(books, CREDIT_NOTES, CreditNote, written),
    }
    by_id = {paper.id: paper for paper in papers}
    found: list[_Known[P]] = []
    for (_, host_id), operation in operations.items():
        paper, key = by_id[host_id], intent_key(books.tenant, operation)
        creation, mark = created.get(key), mark_of(key, books.app.client_id)
        document, stamp = documents.get((creation.xero_id if creation is not None else "") or "", (None, ""))
        if creation is None or document is None or document.status in GONE:
            continue
        shelf = INVOICES if isinstance(document, Invoice) else CREDIT_NOTES
        known = Written(creation=creation, changes=changes.get(key, ()))
        seen = Seen(shelf.name, creation.xero_id or "", stamp)
        is_going = seen.document_id in going
        found.append(_Known(paper=paper, mark=mark, written=known, document=document, seen=seen, is_going=is_going))
    return found


@define(repr=False)
class _Updating(Generic[P]):
    reference: Reference
    side: Side
    settings: PaperSettings[P]
    parties: Parties
    retry_refused: bool = field(kw_only=True)
    now: dict[str, Invoice | CreditNote] = field(factory=dict[str, "Invoice | CreditNote"])
    actions: list[Action] = field(factory=list[Action])
    findings: list[Finding] = field(factory=list[Finding])

    def changed(self, known: _Known[P]) -> frozenset[str]:
        """Which of Xero's fields *known* was written last with another value than the paper has now."""
        try:
            wanted = encode(self._wanted(known))
        except InvalidInput:
            return frozenset()
        before = self._before(known, wanted)
        names = differing(wanted, before) - _APART
        document = known.document
        number = document.invoice_number if isinstance(document, Invoice) else document.credit_note_number
        names -= {name for name in _NUMBERS if wanted.get(name) == number}
        written = before.get("Date")
        if known.written.last.facts.get("on") == known.paper.on.isoformat() and written != wanted["Date"]:
            due = max(date.fromisoformat(str(each)) for each in (written, wanted.get("DueDate", written)))
            moved = before.get("DueDate") == due.isoformat()
            names -= {"Date", "DueDate"} if moved else {"Date"}
        return frozenset(names | ({"Contact"} if self._is_anothers(known) else set()))

    def _before(self, known: _Known[P], wanted: Json) -> Mapping[str, object]:
        """What was written last; where nobody knows, how it stands in Xero, in the fields that are *wanted*."""
        before = known.written.wanted
        return fields_of(self.now[known.seen.document_id], wanted) if before is None else before

    @exactly
    def decide(self, known: _Known[P]) -> None:
        """Change the document of *known* as far as its paper has changed."""
        try:
            self._decide(known)
        except InvalidInput as error:
            self._find(known, "cannot be posted", str(error), "correct it and update it again")

    def _decide(self, known: _Known[P]) -> None:
        names, status = self.changed(known), self._next_status(known)
        if not names and status is None:
            return
        if known.written.is_open or known.is_going:
            doing = "changing it" if known.written.is_open else "taking it back"
            cause = f"an earlier run was interrupted while {doing}"
            self._find(known, "still open", cause, "call recover()")
            return
        if self._is_so_already(known):
            self._take_over(known)
            return
        document = self._under_money(known, names) if known.has_money else self._whole(known, names)
        if document is None:
            return
        contact: Ref | None = None
        if "Contact" in names and (contact := self.parties.contact(known.paper.party)) is None:
            cause = f"its {self.side.party}'s contact cannot be used"
            self._find(known, self.side.unclear, cause, f"see the finding on the {self.side.party}")
            return
        self._add(known, names, evolve(document, status=status), contact)

    def _is_so_already(self, known: _Known[P]) -> bool:
        """Whether the store has forgotten that it was changed, and money stands on it since."""
        there = self.now.get(known.seen.document_id)
        wanted = evolve(self._wanted(known), type=None, status=None)
        return there is not None and not self._is_anothers(known) and shows(encode(there), encode(wanted))

    def _take_over(self, known: _Known[P]) -> None:
        is_credit = isinstance(known.document, CreditNote)
        kind = self.side.change_credit.kind if is_credit else self.side.change.kind
        operation = self.side.operation(kind, known.paper.id)
        self.actions.append(
            Adopt(
                host_ref=operation.host_ref,
                reason="it is so in Xero already",
                revision=known.written.next_revision,
                adopted_kind=kind,
                xero_id=known.seen.document_id,
                payload=encode(self._wanted(known)),
                facts=self._facts(known),
            )
        )

    def _facts(self, known: _Known[P]) -> dict[str, str]:
        wanted = dump(encode(self._wanted(known))).decode()
        return {**self.side.facts(known.paper), "on": known.paper.on.isoformat(), "wanted": wanted}

    def _wanted(self, known: _Known[P]) -> Invoice | CreditNote:
        document = self.settings.document(with_remainder(self.settings.coded(known.paper)[0], self.reference))
        if isinstance(document, Invoice) != isinstance(known.document, Invoice):
            raise InvalidInput(
                "lines", "what was posted as a bill, an invoice or a credit note stays one: void it first"
            )
        return self.side.remarked(document, known.mark)

    def _is_anothers(self, known: _Known[P]) -> bool:
        return known.written.last.facts.get(self.side.party) != self.side.known_as(known.paper.party)

    def _next_status(self, known: _Known[P]) -> DocumentStatus | None:
        """The status it is to go on to; what people approved in Xero is never taken back."""
        wanted = self._wanted(known).status
        now = known.document.status
        if wanted is None or now is None or now not in _RANK or wanted not in _RANK:
            return None
        return wanted if _RANK[wanted] > _RANK[now] else None

    def _whole(self, known: _Known[P], names: frozenset[str]) -> Invoice | CreditNote | None:
        """The document as it is wanted; its lines stay as people coded them, unless the paper's own have changed."""
        wanted = self._wanted(known)
        wrong = faults(known.paper.id, wanted, self.reference, known.paper.total)
        days = self.reference.open_books
        if any(days.is_closed(on) for on in (known.paper.on, known.document.date) if on is not None):
            wrong.append(days.finding(known.paper.id, known.paper.total))
        self.findings += wrong
        if wrong:
            return None
        if names & _WITH_LINES or isinstance(wanted, CreditNote):
            return evolve(wanted, type=None)
        return evolve(wanted, type=None, line_items=(), line_amount_types=None, currency_code=None, currency_rate=None)

    def _under_money(self, known: _Known[P], names: frozenset[str]) -> Invoice | None:
        """The fields that may change although money stands on it; None, and a finding, where others have changed."""
        document = known.document
        if isinstance(document, CreditNote):
            cause = "it was set against what is owed, or refunded, so it stays as it is"
            self._find(known, "money on it", cause, "take the allocations and refunds back first, then update it again")
            return None
        lines = self._same_money(known) if "LineItems" in names else ()
        moves_credit = "Contact" in names and document.amount_credited
        if names - _UNDER_MONEY or lines is None or moves_credit:
            cause = "payments or credits stand on it, so amounts, taxes, day and currency stay as they are (F 6.66)"
            self._find(known, "money on it", cause, "take the money back first, then update it again")
            return None
        wanted = cast(Invoice, self._wanted(known))
        return Invoice(
            invoice_number=wanted.invoice_number if "InvoiceNumber" in names else None,
            reference=wanted.reference if "Reference" in names else None,
            due_date=wanted.due_date if "DueDate" in names else None,
            line_items=lines,
        )

    def _same_money(self, known: _Known[P]) -> tuple[LineItem, ...] | None:
        """The lines to send, by their ids; None where more than texts and coding has changed."""
        there = self.now[known.seen.document_id].line_items
        document = self._wanted(known)
        wanted = document.line_items
        before = cast(Sequence[Json], self._before(known, encode(document)).get("LineItems") or ())
        if not len(there) == len(wanted) == len(before) or any(
            without(encode(now), _OF_LINES) != without(was, _OF_LINES) for now, was in zip(wanted, before, strict=True)
        ):
            return None
        return tuple(
            LineItem(
                line_item_id=kept.line_item_id,
                description=now.description,
                account_code=now.account_code,
                tracking=now.tracking,
            )
            for kept, now in zip(there, wanted, strict=True)
        )

    def _add(
        self, known: _Known[P], names: frozenset[str], document: Invoice | CreditNote, contact: Ref | None
    ) -> None:
        paper = known.paper
        again = self.retry_refused or (contact is not None and contact_had_ended(known.written.latest))
        refused = known.written.refused(encode(document), known.seen, always=again)
        if refused is not None:
            self.findings += filter(None, [finding_for(refused)])
            return
        facts = self._facts(known)
        changed = {*names, "Status"} if document.status is not None else names
        reason = f"changed at its source: {', '.join(sorted(changed))}"
        if isinstance(document, CreditNote):
            self.actions.append(
                self.side.change_credit(
                    host_ref=paper.id,
                    reason=reason,
                    revision=known.written.next_revision,
                    seen=(known.seen,),
                    facts=facts,
                    credit_note=evolve(document, credit_note_id=CreditNoteId(known.seen.document_id)),
                    contact=contact,
                    total=paper.total,
                )
            )
            return
        self.actions.append(
            self.side.change(
                host_ref=paper.id,
                reason=reason,
                revision=known.written.next_revision,
                seen=(known.seen,),
                facts=facts,
                invoice=evolve(document, invoice_id=InvoiceId(known.seen.document_id)),
                contact=contact,
                total=paper.total,
            )
        )

    def _find(self, known: _Known[P], code: str, cause: str, fix: str) -> None:
        found = Finding(code=code, about=known.paper.id, cause=cause, fix=fix, retry=True, worth=known.paper.total)
        self.findings.append(found)
