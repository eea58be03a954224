"""Card receipts that changed at their source: changed in Xero as long as they are neither reconciled nor closed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Final

from attrs import define, evolve, field, frozen

from xerosync.client._books import Books
from xerosync.client._wire.codec import dump
from xerosync.client._wire.outgoing import encode
from xerosync.engine.actions import Seen
from xerosync.engine.ended import gone_finding, withdrawn
from xerosync.engine.intents import intent_key, mark_of
from xerosync.engine.left_alone import not_posted
from xerosync.engine.mirror import ACCOUNTS, BANK_TRANSACTIONS, GONE, refresh
from xerosync.engine.observed import stamped
from xerosync.engine.once import sifted
from xerosync.engine.outcomes import contact_had_ended, finding_for
from xerosync.engine.paper_actions import CARD, ChangeSpend
from xerosync.engine.paper_settings import BillSettings
from xerosync.engine.plans import Finding
from xerosync.engine.preflight import faults
from xerosync.engine.reference import Reference, read_reference
from xerosync.engine.restoring import being_taken_back, current_of
from xerosync.engine.settling_policies import WhenLocked
from xerosync.engine.spending import (
    accounts_by_name,
    card_operation,
    coded_spend,
    documents_of_spends,
    linked_spends,
    spend_facts,
    worth_of_spend,
)
from xerosync.engine.states import State
from xerosync.engine.vendors import Vendors, vendor_key
from xerosync.engine.written import Written, all_changes, differing, fields_of, read_whole, written_as
from xerosync.errors import InvalidInput
from xerosync.mapping.documents import marked_reference
from xerosync.mapping.spending import CardSpend, checked_spend, spend_document
from xerosync.models import AccountId, BankTransaction, BankTransactionId
from xerosync.money import exactly

_STAYS: Final = frozenset({"Type", "BankAccount", "CurrencyCode", "CurrencyRate"})
"""What a bank transaction keeps for good: money does not move to another account, nor turn round, by an edit."""


@frozen(kw_only=True)
class _Known:
    """A receipt that was posted: how it was *written*, how its *document* stands in Xero, and whether it *is_going*."""

    spend: CardSpend
    account: AccountId
    mark: str
    written: Written
    document: BankTransaction
    seen: Seen
    is_going: bool


async def update_spends(
    books: Books, spends: Iterable[CardSpend], settings: BillSettings, vendors: Vendors, *, retry_refused: bool
) -> tuple[list[ChangeSpend], list[Finding]]:
    """
    What the bank transactions of *spends* that were posted before lack of what the receipts say now.

    What is to be done for their vendors is added to *vendors*.
    """
    listed, findings = sifted(spends, checked_spend, worth_of_spend)
    if not listed:
        return [], findings
    await refresh(books, ACCOUNTS, BANK_TRANSACTIONS)
    known = await _known(books, listed)
    documents = documents_of_spends([each.spend for each in known], settings)
    reference = await read_reference(books, documents, WhenLocked.REFUSE)
    findings += await _left_alone(books, listed, {each.spend.id for each in known})
    updating = _Updating(reference, settings, vendors, retry_refused=retry_refused, findings=findings)
    unknown = [each.seen.document_id for each in known if each.written.wanted is None]
    updating.now |= await read_whole(books, "BankTransactions", BankTransaction, unknown)
    for each in known:
        updating.decide(each)
    return updating.actions, updating.findings


async def _left_alone(books: Books, spends: Sequence[CardSpend], standing: Collection[str]) -> list[Finding]:
    """A finding on each of *spends* without a document *standing*, unless what was typed for it is as it says."""
    others = {each.id: each for each in spends if each.id not in standing}
    linked = await linked_spends(books, others)
    intents = await current_of(books, (card_operation(each) for each in others))
    written = {each.operation.host_ref.removeprefix(CARD): each for each in intents.values()}
    ids = (each.xero_id for each in intents.values() if each.xero_id)
    documents = await stamped(books, BANK_TRANSACTIONS, BankTransaction, ids)
    gone = {xero_id for xero_id, (document, _) in documents.items() if document.status in GONE}
    by_host = await withdrawn(books, others)
    findings: list[Finding] = []
    for name, spend in others.items():
        intent, typed, worth = written.get(name), linked.get(name), worth_of_spend(spend)
        if typed is not None and typed.status not in GONE:
            findings += _unlike(spend, typed)
        elif typed is not None or (intent is not None and intent.xero_id in gone):
            findings.append(gone_finding(name, "DELETED", worth, by_host=typed is None and name in by_host))
        else:
            findings.append(not_posted(name, [] if intent is None else [intent.state], worth))
    return findings


def _unlike(spend: CardSpend, typed: BankTransaction) -> list[Finding]:
    same = (abs(spend.total.amount), spend.on) == (typed.total, typed.date)
    if same:
        return []
    cause = "it is the money that was typed in Xero, which stays as it is there: another day or total"
    fix = "change it in Xero, where it was entered, or here"
    return [Finding(code="entered in Xero", about=spend.id, cause=cause, fix=fix, retry=True, worth=spend.total)]


async def _known(books: Books, spends: Sequence[CardSpend]) -> list[_Known]:
    accounts = await accounts_by_name(books)
    created = await current_of(books, (card_operation(each.id) for each in spends))
    changes, going = await all_changes(books), await being_taken_back(books)
    written = [each.xero_id for each in created.values() if each.state is State.CONFIRMED and each.xero_id]
    documents = await stamped(books, BANK_TRANSACTIONS, BankTransaction, written)
    found: list[_Known] = []
    for spend in spends:
        creation = created.get(intent_key(books.tenant, card_operation(spend.id)))
        account = accounts.get(spend.account)
        document, stamp = documents.get((creation.xero_id if creation is not None else "") or "", (None, ""))
        if creation is None or document is None or document.status in GONE:
            continue
        found.append(
            _Known(
                spend=spend,
                account=(account.account_id if account is not None else None) or AccountId(""),
                mark=mark_of(creation.key, books.app.client_id),
                written=written_as(creation, changes),
                document=document,
                seen=Seen(BANK_TRANSACTIONS.name, creation.xero_id or "", stamp),
                is_going=creation.xero_id in going,
            )
        )
    return found


@define(repr=False)
class _Updating:
    reference: Reference
    settings: BillSettings
    vendors: Vendors
    retry_refused: bool = field(kw_only=True)
    now: dict[str, BankTransaction] = field(factory=dict[str, BankTransaction])
    actions: list[ChangeSpend] = field(factory=list[ChangeSpend])
    findings: list[Finding] = field(factory=list[Finding])

    @exactly
    def decide(self, known: _Known) -> None:
        """Change the bank transaction of *known* as far as its receipt has changed."""
        try:
            self._decide(known)
        except InvalidInput as error:
            self._find(known, "cannot be posted", str(error), "correct it and update it again")

    def _decide(self, known: _Known) -> None:
        if not known.account:
            cause = "account: the organisation has no account of this code or id"
            self._find(known, "account does not fit", cause, "choose the card's own account in Xero")
            return
        wanted = self._wanted(known)
        names = self._changed(known, wanted)
        if not names:
            return
        if known.written.is_open or known.is_going:
            doing = "changing it" if known.written.is_open else "taking it back"
            cause = f"an earlier run was interrupted while {doing}"
            self._find(known, "still open", cause, "call recover()")
        elif names & _STAYS:
            cause = "its account, currency or direction is another now, and no edit changes those"
            self._find(known, "changed since posted", cause, "void() that one, and submit this one under a new id")
        elif known.document.is_reconciled:
            cause = "it is reconciled with the bank statement, and cannot be changed (F 6.151)"
            self._find(known, "reconciled", cause, "unreconcile it in Xero, then update it again", who="the bookkeeper")
        elif self._may_be(known, wanted):
            self._add(known, wanted, names)

    def _wanted(self, known: _Known) -> BankTransaction:
        document = spend_document(coded_spend(known.spend, self.settings)[0], known.account)
        return evolve(document, reference=marked_reference(document.reference or "", known.mark))

    def _changed(self, known: _Known, wanted: BankTransaction) -> frozenset[str]:
        """Which of Xero's fields was written last with another value than the receipt has now."""
        last, spend = known.written.last, known.spend
        names = differing(encode(wanted), self._before(known, wanted))
        if last.facts.get("on") == spend.on.isoformat():
            names -= {"Date"}  # it was moved out of closed books
        vendor = vendor_key(spend.party)
        if last.facts.get("vendor", vendor) != vendor:
            names |= {"Contact"}
        return frozenset(names)

    def _before(self, known: _Known, wanted: BankTransaction) -> Mapping[str, object]:
        """What was written last; where nobody knows, how it stands in Xero, in the fields that are *wanted*."""
        before = known.written.wanted
        return fields_of(self.now[known.seen.document_id], encode(wanted)) if before is None else before

    def _may_be(self, known: _Known, wanted: BankTransaction) -> bool:
        spend, days = known.spend, self.reference.open_books
        wrong = faults(spend.id, wanted, self.reference, spend.total)
        if any(days.is_closed(on) for on in (spend.on, known.document.date) if on is not None):
            wrong.append(days.finding(spend.id, spend.total))
        self.findings += wrong
        return not wrong

    def _add(self, known: _Known, wanted: BankTransaction, names: frozenset[str]) -> None:
        spend, contact = known.spend, None
        if "Contact" in names and (contact := self.vendors.contact(spend.party)) is None:
            cause = "its vendor's contact cannot be used"
            self._find(known, "vendor unclear", cause, "see the finding on the vendor")
            return
        on = wanted.date if "Date" in names else _day(known)
        document = evolve(wanted, date=on, bank_transaction_id=BankTransactionId(known.seen.document_id))
        again = self.retry_refused or (contact is not None and contact_had_ended(known.written.latest))
        refused = known.written.refused(encode(document), known.seen, always=again)
        if refused is not None:
            self.findings += filter(None, [finding_for(refused)])
            return
        self.actions.append(
            ChangeSpend(
                host_ref=spend.id,
                reason=f"changed at its source: {', '.join(sorted(names))}",
                revision=known.written.next_revision,
                seen=(known.seen,),
                facts={**spend_facts(spend), "wanted": dump(encode(evolve(wanted, date=on))).decode()},
                transaction=document,
                contact=contact,
                total=-spend.total,
            )
        )

    def _find(self, known: _Known, code: str, cause: str, fix: str, *, who: str = "you") -> None:
        spend = known.spend
        self.findings.append(
            Finding(code=code, about=spend.id, cause=cause, fix=fix, who=who, retry=True, worth=spend.total)
        )


def _day(known: _Known) -> date | None:
    """The day it bears, which may be another than the receipt's: it was moved out of closed books."""
    written = (known.written.wanted or {}).get("Date")
    return date.fromisoformat(str(written)) if written is not None else known.document.date
