"""Papers that changed at their source: what Xero still lets be changed is changed there, respecting money (row 95)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, Generic, Protocol, cast

from attrs import define, evolve, field, frozen

from xerosync.client._books import Books
from xerosync.client._paging import whole_rows
from xerosync.client._session import Query
from xerosync.client._wire.codec import Json, decode, dump, parse
from xerosync.client._wire.outgoing import encode
from xerosync.engine.actions import Action, Ref, Seen
from xerosync.engine.intents import Intent, intent_key, mark_of, retries
from xerosync.engine.mirror import GONE, INVOICES
from xerosync.engine.observed import intents_of, revisions, stamped
from xerosync.engine.paper_actions import ChangeBill
from xerosync.engine.paper_settings import PaperSettings, documents_of
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.preflight import faults
from xerosync.engine.recovery import finding_for
from xerosync.engine.reference import Reference, read_reference
from xerosync.engine.rounding import with_remainder
from xerosync.engine.settling_policies import WhenLocked
from xerosync.engine.sides import Side
from xerosync.engine.states import OPEN, State
from xerosync.errors import InvalidInput
from xerosync.mapping.papers import P, Paper, checked
from xerosync.models import DocumentStatus, Invoice, InvoiceId, LineItem
from xerosync.money import exactly

_RANK: Final = {DocumentStatus.DRAFT: 0, DocumentStatus.SUBMITTED: 1, DocumentStatus.AUTHORISED: 2}
_APART: Final = frozenset({"Type", "Status"})
_UNDER_MONEY: Final = frozenset({"DueDate", "InvoiceNumber", "Reference", "LineItems", "Contact"})
"""What may change on a document that money stands on (F 6.66), lines in their texts and coding alone."""
_OF_LINES: Final = frozenset({"Description", "AccountCode", "Tracking"})
_OF_VENDOR: Final = frozenset({"Contact"})
_IDS_AT_ONCE: Final = 80


@frozen(kw_only=True)
class _Known(Generic[P]):
    """A paper that was posted: how it was written last, whether a change is under way, and how it stands in Xero."""

    paper: P
    mark: str
    last: Intent
    latest: Intent | None
    document: Invoice
    seen: Seen

    @property
    def written(self) -> Mapping[str, object] | None:
        """
        The whole document as it was wanted last: under money only a part of it was sent.

        None where nobody knows: the store had forgotten the document, and it was taken over as it stands.
        """
        wanted = self.last.facts.get("wanted")
        return (self.last.payload or None) if wanted is None else cast(Json, parse(wanted.encode(), where="wanted"))

    @property
    def has_money(self) -> bool:
        """Whether payments or credits stand on it."""
        return bool(self.document.amount_paid or self.document.amount_credited)


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
) -> Plan:
    """Plan what the documents of *papers* that were posted before lack of what the papers say now."""
    known = await _known(books, side, [paper for paper in papers if _can_be(paper)])
    reference = await read_reference(books, documents_of([each.paper for each in known], settings), WhenLocked.REFUSE)
    updating = _Updating(reference, side, settings, parties, retry_refused=retry_refused)
    updating.now |= await _now(books, [each for each in known if each.written is None])
    updating.now |= await _now(books, [each for each in known if each.has_money and updating.changed(each)])
    for each in known:
        updating.decide(each)
    return Plan(
        tenant=books.tenant,
        actions=(*parties.actions, *updating.actions),
        findings=(*parties.findings, *updating.findings),
    )


def _can_be(paper: Paper) -> bool:
    try:
        return checked(paper).total.amount >= 0
    except InvalidInput:
        return False  # submit() says so


async def _known(books: Books, side: Side, papers: Sequence[P]) -> list[_Known[P]]:
    created = await intents_of(books, (side.operation(side.invoice, paper.id) for paper in papers))
    changes = await revisions(books, side.edit)
    written = [each.xero_id for each in created.values() if each.state is State.CONFIRMED and each.xero_id]
    documents = await stamped(books, INVOICES, Invoice, written)
    found: list[_Known[P]] = []
    for paper in papers:
        key = intent_key(books.tenant, side.operation(side.invoice, paper.id))
        creation, mark = created.get(key), mark_of(key, books.app.client_id)
        document, stamp = documents.get((creation.xero_id if creation is not None else "") or "", (None, ""))
        if creation is None or document is None or document.status in GONE:
            continue
        own = changes.get(side.operation(side.edit, paper.id).host_ref, [])
        done = [each for each in own if each.state is State.CONFIRMED]
        last = done[-1] if done else creation
        latest = own[-1] if own else None
        seen = Seen(INVOICES.name, document.invoice_id or "", stamp)
        found.append(_Known(paper=paper, mark=mark, last=last, latest=latest, document=document, seen=seen))
    return found


async def _now(books: Books, known: Sequence[_Known[P]]) -> dict[str, Invoice]:
    """Those documents, whole, as they are in Xero: on a paid one lines are changed by their ids alone."""
    ids = [each.seen.document_id for each in known]
    now: dict[str, Invoice] = {}
    for start in range(0, len(ids), _IDS_AT_ONCE):
        query = Query("Invoices", "Invoices", {"IDs": ",".join(ids[start : start + _IDS_AT_ONCE]), "unitdp": "4"})
        async for row in whole_rows(await books.session(), query, "InvoiceID"):
            invoice = decode(Invoice, row, where="Invoices")
            now[invoice.invoice_id or ""] = invoice
    return now


@define(repr=False)
class _Updating(Generic[P]):
    reference: Reference
    side: Side
    settings: PaperSettings[P]
    parties: Parties
    retry_refused: bool = field(kw_only=True)
    now: dict[str, Invoice] = field(factory=dict[str, Invoice])
    actions: list[ChangeBill] = field(factory=list[ChangeBill])
    findings: list[Finding] = field(factory=list[Finding])

    def changed(self, known: _Known[P]) -> frozenset[str]:
        """Which of Xero's fields *known* was written last with another value than the paper has now."""
        try:
            wanted = encode(self._wanted(known))
        except InvalidInput:
            return frozenset()
        before = self._before(known, wanted)
        names = {name for name in wanted.keys() - _APART if _plain(wanted[name]) != _plain(before.get(name))}
        if known.document.invoice_number == wanted.get("InvoiceNumber"):
            names -= {"InvoiceNumber"}
        written = before.get("Date")
        if known.last.facts.get("on") == known.paper.on.isoformat() and written != wanted["Date"]:
            due = max(date.fromisoformat(str(written)), date.fromisoformat(str(wanted["DueDate"])))
            moved = before.get("DueDate") == due.isoformat()
            names -= {"Date", "DueDate"} if moved else {"Date"}
        return frozenset(names | ({"Contact"} if self._is_anothers(known) else set()))

    def _before(self, known: _Known[P], wanted: Json) -> Mapping[str, object]:
        """What was written last; where nobody knows, how it stands in Xero, in the fields that are *wanted*."""
        if known.written is not None:
            return known.written
        return cast(Json, _fields_of(encode(self.now[known.seen.document_id]), wanted))

    @exactly
    def decide(self, known: _Known[P]) -> None:
        """Change the document of *known* as far as its paper has changed."""
        names, status = self.changed(known), self._next_status(known)
        if not names and status is None:
            return
        if known.latest is not None and known.latest.state in OPEN:
            cause = "an earlier run was interrupted while changing it"
            self._find(known, "still open", cause, "call recover()")
            return
        invoice = self._under_money(known, names) if known.has_money else self._whole(known)
        if invoice is None:
            return
        contact: Ref | None = None
        if "Contact" in names and (contact := self.parties.contact(known.paper.party)) is None:
            cause = f"its {self.side.party}'s contact cannot be used"
            self._find(known, self.side.unclear, cause, f"see the finding on the {self.side.party}")
            return
        self._add(known, names, evolve(invoice, invoice_id=InvoiceId(known.seen.document_id), status=status), contact)

    def _wanted(self, known: _Known[P]) -> Invoice:
        document = self.settings.mapper(with_remainder(self.settings.coded(known.paper)[0], self.reference))
        if not isinstance(document, Invoice):
            raise InvalidInput("lines", "what was posted as an invoice or bill stays one")
        return self.side.remarked(document, known.mark)

    def _is_anothers(self, known: _Known[P]) -> bool:
        return known.last.facts.get(self.side.party) != self.side.known_as(known.paper.party)

    def _next_status(self, known: _Known[P]) -> DocumentStatus | None:
        """The status it is to go on to; what people approved in Xero is never taken back."""
        wanted = self._wanted(known).status
        now = known.document.status
        if wanted is None or now is None or now not in _RANK or wanted not in _RANK:
            return None
        return wanted if _RANK[wanted] > _RANK[now] else None

    def _whole(self, known: _Known[P]) -> Invoice | None:
        wanted = self._wanted(known)
        wrong = faults(known.paper.id, wanted, self.reference, known.paper.total)
        days = self.reference.open_books
        if any(days.is_closed(on) for on in (known.paper.on, known.document.date) if on is not None):
            wrong.append(days.finding(known.paper.id, known.paper.total))
        self.findings += wrong
        return None if wrong else evolve(wanted, type=None)

    def _under_money(self, known: _Known[P], names: frozenset[str]) -> Invoice | None:
        """The fields that may change although money stands on it; None, and a finding, where others have changed."""
        lines = self._same_money(known) if "LineItems" in names else ()
        moves_credit = "Contact" in names and known.document.amount_credited
        if names - _UNDER_MONEY or lines is None or moves_credit:
            cause = "payments or credits stand on it, so amounts, taxes, day and currency stay as they are (F 6.66)"
            self._find(known, "money on it", cause, "take the money back first, then update it again")
            return None
        wanted = self._wanted(known)
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
            _without(encode(now), _OF_LINES) != _without(was, _OF_LINES)
            for now, was in zip(wanted, before, strict=True)
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

    def _add(self, known: _Known[P], names: frozenset[str], invoice: Invoice, contact: Ref | None) -> None:
        latest = known.latest
        revision = latest.operation.revision + (latest.state is State.CONFIRMED) if latest is not None else 1
        if latest is not None and latest.state is not State.CONFIRMED:
            same = _without(encode(invoice), _OF_VENDOR) == _without(latest.payload, _OF_VENDOR)
            if same and not retries(latest, (known.seen,), always=self.retry_refused):
                self.findings += filter(None, [finding_for(latest)])
                return
        changed = {*names, "Status"} if invoice.status is not None else names
        said = ", ".join(sorted(changed))
        self.actions.append(
            self.side.change(
                host_ref=known.paper.id,
                reason=f"changed at its source: {said}",
                revision=revision,
                seen=(known.seen,),
                facts={
                    **self.side.facts(known.paper),
                    "on": known.paper.on.isoformat(),
                    "wanted": dump(encode(self._wanted(known))).decode(),
                },
                invoice=invoice,
                contact=contact,
                total=known.paper.total,
            )
        )

    def _find(self, known: _Known[P], code: str, cause: str, fix: str) -> None:
        found = Finding(code=code, about=known.paper.id, cause=cause, fix=fix, retry=True, worth=known.paper.total)
        self.findings.append(found)


def _plain(value: object) -> object:
    """*value* so that what is kept as text, or as a whole number, compares with what is sent."""
    if isinstance(value, Mapping):
        return _without(cast(Mapping[str, object], value), frozenset())
    if isinstance(value, list | tuple):
        return [_plain(each) for each in cast(Sequence[object], value)]
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _fields_of(there: object, wanted: object) -> object:
    """What stands *there* under the names that are *wanted*, however deep."""
    if isinstance(there, Mapping) and isinstance(wanted, Mapping):
        row, named = cast(Json, there), cast(Json, wanted)
        return {name: _fields_of(row[name], named[name]) for name in named if name in row}
    if isinstance(there, list) and isinstance(wanted, list):
        rows, named_rows = cast(list[object], there), cast(list[object], wanted)
        paired = zip(rows, named_rows, strict=False)
        return [*(_fields_of(row, named) for row, named in paired), *rows[len(named_rows) :]]
    return there


def _without(line: Mapping[str, object], names: frozenset[str]) -> dict[str, object]:
    return {name: _plain(value) for name, value in line.items() if name not in names and name != "LineItemID"}
