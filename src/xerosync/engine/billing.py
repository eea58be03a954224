"""What bills, credit notes and their payments mean for the books: pure decisions for the payables story."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from attrs import frozen

from xerosync.engine.actions import (
    Action,
    Allocate,
    Refund,
    Seen,
)
from xerosync.engine.exchange import Mismatch, currency_of, exchanged
from xerosync.engine.intents import Intent, intent_key, retries
from xerosync.engine.outcomes import finding_for
from xerosync.engine.plans import Finding
from xerosync.engine.states import State
from xerosync.models import (
    Account,
    AccountId,
    CreditNote,
    CreditNoteId,
    DocumentStatus,
    Invoice,
    InvoiceId,
    TenantId,
)
from xerosync.money import Money, exactly


@frozen(kw_only=True)
class OpenDocument:
    """A bill or credit note the library posted: the host's id, Xero's document, and the stamp it was seen at."""

    host_id: str
    document: Invoice | CreditNote
    stamp: str

    @property
    def is_open(self) -> bool:
        """Whether it is approved, and something may be open on it."""
        return self.document.status == DocumentStatus.AUTHORISED

    @property
    def left(self) -> Decimal:
        """What is still open on it; nothing where it is not authorised."""
        if not self.is_open:
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
    """
    What is known when credits are settled: open documents of ours, intents by key, and where refunds come in.

    *base* is the organisation's currency, *rates* what refunds in others came in at, by currency (F 6.70).
    """

    tenant: TenantId
    bills: Sequence[OpenDocument]
    credit_notes: Sequence[OpenDocument]
    intents: Mapping[str, Intent]
    account: Account
    base: str
    rates: Mapping[str, Decimal]
    retry_refused: bool


@exactly
def decide_credits(known: KnownCredits) -> tuple[list[Action], list[Finding]]:
    """
    Set each supplier credit against the same vendor's open bills, oldest first, and refund what is left.

    What is left comes in on the payment account, dated like the credit note. Credits go to bills of their currency
    (F 6.97).
    """
    actions: list[Action] = []
    findings: list[Finding] = []
    due = {each.host_id: each.left for each in known.bills}
    open_bills: dict[tuple[str, str | None], list[OpenDocument]] = defaultdict(list)
    for bill in sorted(known.bills, key=lambda each: each.age):
        open_bills[bill.contact, bill.document.currency_code].append(bill)
    for note in sorted(known.credit_notes, key=lambda each: each.age):
        left = note.left
        for bill in open_bills[note.contact, note.document.currency_code]:
            part = min(left, due[bill.host_id])
            if part > 0:
                due[bill.host_id] -= part
                left -= part
                _add(_allocation(note, bill, part), known, actions, findings)
        if left > 0:
            refund = _refund(note, left, known)
            if isinstance(refund, Finding):
                findings.append(refund)
            else:
                _add(refund, known, actions, findings)
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


def _refund(note: OpenDocument, left: Decimal, known: KnownCredits) -> Refund | Finding:
    credit_note = note.document
    if not isinstance(credit_note, CreditNote) or credit_note.date is None:
        raise TypeError("only a dated credit note is refunded")
    amount = Money(left, credit_note.currency_code or "XXX")
    through = currency_of(known.account, known.base)
    exchange = exchanged(amount, through=through, base=known.base, rate=known.rates.get(amount.currency))
    if isinstance(exchange, Mismatch):
        return Finding(
            code=exchange.code, about=note.host_id, cause=exchange.cause, fix=exchange.fix, retry=True, worth=amount
        )
    return Refund(
        host_ref=note.host_id,
        reason="no open bill of the vendor is left",
        seen=(note.seen,),
        facts={} if exchange.settled is None else {"settled": str(exchange.settled.amount)},
        credit_note=credit_note.credit_note_id or CreditNoteId(""),
        account=known.account.account_id or AccountId(""),
        amount=amount,
        on=credit_note.date,
        reference=credit_note.credit_note_number or "",
        settled=exchange.settled,
        rate=exchange.rate,
    )
