"""Putting back what somebody removed or edited in Xero: posted anew, as the next revision of the same operation."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from decimal import Decimal
from typing import Final, TypeAlias

from attrs import evolve

from xerosync.client._books import Books
from xerosync.client._wire.codec import decode, dump
from xerosync.engine.actions import (
    SALE,
    Action,
    CreateSale,
    MoneyBack,
    MoveMoney,
    Pay,
    Pending,
    Refund,
    RefundOverpayment,
    RemoveMoney,
    Seen,
    Transfer,
)
from xerosync.engine.hindrances import ENDED
from xerosync.engine.intents import OPEN_STATES, TAG_PREFIX, Intent, intent_key, text_at
from xerosync.engine.mirror import GONE, INVOICES
from xerosync.engine.observed import intents_of, intents_with
from xerosync.engine.paper_actions import ChangeBill, ChangeSale
from xerosync.engine.settling_policies import OpenBooks
from xerosync.engine.states import OPEN, POSTED, State
from xerosync.engine.written import AS_TYPED, Written
from xerosync.models import (
    AccountId,
    BankTransaction,
    BankTransfer,
    CreditNote,
    CreditNoteId,
    Invoice,
    InvoiceId,
    OverpaymentId,
    Payment,
)
from xerosync.money import Money

Document: TypeAlias = Payment | BankTransaction | BankTransfer

RESTORED: Final = ("restored", "yes")
"""The fact that a write was made to put back an earlier one, and that a removal made room for it."""
POSTED_ANEW: Final = ("posted anew", "after an undo")
"""The fact, besides that, that the earlier write had been undone: another line of the host's is posted by it."""
TAKING_BACK: Final = frozenset(
    {
        "removal",
        "transfer_removal",
        "bank_transaction_removal",
        "bill_voiding",
        "sale_voiding",
        "credit_note_voiding",
    }
)
"""The kinds of write that take back what was posted."""
VOIDED: Final = "it was voided, which is for good (F 6.51)"
PERHAPS_TYPED: Final = "people may have typed it anew in its place, and nobody has said whether"
"""Why something is not put back of which a person must say first whether it stands in Xero already."""
_OF_LINES: Final = frozenset({"LineItems", "LineAmountTypes"})
_EDITABLE: Final = frozenset({"Date", "DueDate", "LineItems", "LineAmountTypes", "InvoiceNumber", "Reference"})
_REASON: Final = "put back as it was posted"


def again(written: Intent, document: Document | None, currency: str) -> tuple[Action, ...]:
    """
    What posts again what *written* had posted, its *document* being gone or another now; nothing where that cannot be.

    A document that still stands is removed first.
    """
    removals: tuple[Action, ...] = ()
    if document is not None and document.status not in GONE:
        if not isinstance(document, BankTransaction):
            return ()
        removals = (_making_room(written, document, currency),)
    after = tuple(each.itself for each in removals)
    match written.operation.kind:
        case Pay.kind:
            action: Action | None = _payment(written, document, currency)
        case Refund.kind:
            action = _refund(written, currency)
        case MoveMoney.kind:
            action = _money(written, currency, after)
        case Transfer.kind:
            action = _transfer(written, currency)
        case _:
            action = None
    return (*removals, action) if action is not None else ()


def edited_back(written: Written, document: Invoice, stamp: str, differing: AbstractSet[str]) -> tuple[Action, ...]:
    """
    What edits *document*, a bill or sale, back to what was *written* last; nothing where it is gone, or money stands on
    it and Xero changes not all of the fields that are *differing*, by its names, then (F 6.66).
    """
    operation = written.creation.operation
    change, prefix = (ChangeSale, SALE) if operation.kind == CreateSale.kind else (ChangeBill, "")
    has_money = document.amount_paid or document.amount_credited
    may_change = {"DueDate"} if document.amount_credited else {"DueDate", "Contact"}
    if document.status in GONE or (has_money and differing - may_change) or not operation.host_ref.startswith(prefix):
        return ()
    payload = written.as_one().payload
    contact = text_at(payload, "Contact", "ContactID")
    if not contact or "LineItems" not in payload:
        return ()
    last = written.changes[-1] if written.changes else None
    done = last is not None and last.state is State.CONFIRMED
    # Lines that are as they were may name what Xero takes no more, and stay where they are not sent (F 6.65).
    names = _EDITABLE & differing if has_money else _EDITABLE
    names -= frozenset() if "LineItems" in differing else _OF_LINES
    wanted = decode(Invoice, {name: value for name, value in payload.items() if name in names}, where="as written")
    return (
        change(
            host_ref=operation.host_ref.removeprefix(prefix),
            revision=last.operation.revision + done if last is not None else 1,
            reason=_REASON,
            seen=(Seen(INVOICES.name, document.invoice_id or "", stamp),),
            facts={**written.last.facts, "wanted": dump(dict(payload)).decode()},
            invoice=evolve(wanted, invoice_id=document.invoice_id),
            contact=contact if not has_money or "Contact" in differing else None,
            total=Money(document.total or Decimal(0), document.currency_code or "XXX"),
        ),
    )


def why_it_stays(
    written: Intent, document: Document | Invoice | CreditNote | None, days: OpenBooks, archived: Container[str] = ()
) -> str:
    """
    Why *document* cannot be made again what was *written*, as far as that is known before Xero is asked; else blank.

    *archived* are contacts, which Xero takes nothing for.
    """
    stands = document is not None and document.status not in GONE
    if isinstance(document, Invoice | CreditNote) and not stands:
        return VOIDED
    if stands and isinstance(document, Payment | BankTransaction | BankTransfer) and document.is_reconciled:
        return "it is reconciled"
    was_on = text_at(written.payload, "Date")[:10]
    bears = {document.date if document is not None else None, date.fromisoformat(was_on) if was_on else None}
    if any(day is not None and days.is_closed(day) for day in bears):
        return "it lies in closed books"
    if text_at(written.payload, "Contact", "ContactID") in archived:
        return ENDED
    return ""


def superseded(intents: Iterable[Intent]) -> set[str]:
    """The Xero ids of those of *intents* that a later revision has taken the place of."""
    latest: dict[tuple[str, str], Intent] = {}
    gone: set[str] = set()
    posted = (each for each in intents if each.state in POSTED)
    for each in sorted(posted, key=lambda one: one.operation.revision):
        before = latest.get(named := (each.operation.kind, each.operation.host_ref))
        if before is not None and RESTORED[0] in each.facts:
            gone.add(before.xero_id or "")
        latest[named] = each
    return gone


def current(intents: Sequence[Intent]) -> list[Intent]:
    """*intents* without those that a later revision has taken the place of."""
    past = superseded(intents)
    return [each for each in intents if each.xero_id not in past]


async def current_of(books: Books, operations: Iterable[Pending]) -> dict[str, Intent]:
    """The intents of these *operations* by their key; of one that was put back, what took its place."""
    found = await intents_of(books, operations)
    for each in sorted(await intents_with(books, lookup=RESTORED), key=lambda one: one.operation.revision):
        key = intent_key(books.tenant, Pending(each.operation.kind, each.operation.host_ref))
        if key in found and each.state is not State.REJECTED:
            found[key] = each
    return found


async def put_back_since(books: Books, written: Iterable[Intent]) -> list[Intent]:
    """What a later run posted to put back what was *written*."""
    latest: dict[tuple[str, str], int] = {}
    for each in written:
        named = (each.operation.kind, each.operation.host_ref)
        latest[named] = max(each.operation.revision, latest.get(named, 0))
    anew = await intents_with(books, lookup=RESTORED) if latest else []
    return [
        each
        for each in anew
        if POSTED_ANEW[0] not in each.facts
        and latest.get((each.operation.kind, each.operation.host_ref), each.operation.revision)
        < each.operation.revision
    ]


async def past_revisions(books: Books) -> set[str]:
    """The Xero ids of all that was put back since, by what took its place."""
    anew = await intents_with(books, lookup=RESTORED)
    earlier = [
        Pending(each.operation.kind, each.operation.host_ref, revision)
        for each in anew
        for revision in range(1, each.operation.revision)
    ]
    return superseded([*(await intents_of(books, earlier)).values(), *anew])


async def being_taken_back(books: Books) -> dict[str, Intent]:
    """What the library has begun to take back, and not ended yet, by the id of the document that is to go."""
    opened = await intents_with(books, states=OPEN_STATES)
    each_alone = (one for intent in opened for one in (intent, *intent.as_single()))
    return {one.target: one for one in each_alone if one.target and one.operation.kind in TAKING_BACK}


async def being_put_back(books: Books) -> frozenset[str]:
    """What the removals are called that make room for what the library has begun to put back, and not ended yet."""
    anew = await intents_with(books, lookup=RESTORED)
    return frozenset(_room_for(each.operation.host_ref) for each in anew if each.state in OPEN)


def _room_for(host_ref: str) -> str:
    """What the removal is called that makes room for what is posted anew as *host_ref*."""
    return f"restored/{host_ref}"


def _facts(written: Intent) -> dict[str, str]:
    # What is posted anew is whole, and is what is wanted.
    kept = {name: value for name, value in written.facts.items() if name not in {"batch", "wanted", AS_TYPED}}
    return kept | dict([RESTORED])


def _making_room(written: Intent, document: BankTransaction, currency: str) -> RemoveMoney:
    return RemoveMoney(
        host_ref=_room_for(written.operation.host_ref),
        revision=written.operation.revision,
        reason="it was edited, and is posted anew",
        facts=dict([RESTORED]),
        transaction=document.bank_transaction_id or "",
        amount=Money(abs(document.total or Decimal(0)), currency),
    )


def _payment(written: Intent, document: Document | None, currency: str) -> Pay | None:
    there = document if isinstance(document, Payment) else None
    invoice = text_at(written.payload, "Invoice", "InvoiceID")
    if not invoice and there is not None and there.invoice is not None:
        invoice = there.invoice.invoice_id or ""
    account = text_at(written.payload, "Account", "AccountID")
    if not account and there is not None and there.account is not None:
        account = there.account.account_id or ""
    # Of one that the store had forgotten, and that was taken over, the day is Xero's.
    on = _day(written) if "Date" in written.payload else there.date if there is not None else None
    if not invoice or not account or on is None:
        return None
    return Pay(
        host_ref=written.operation.host_ref,
        revision=written.operation.revision + 1,
        reason=_REASON,
        facts=_facts(written),
        invoice=InvoiceId(invoice),
        account=AccountId(account),
        amount=_amount(written, _currency_paid(there, currency)),
        on=on,
        reference=_reference(written),
        settled=_settled(written, currency),
        rate=_rate(written),
    )


def _refund(written: Intent, currency: str) -> MoneyBack | None:
    note, account = (
        text_at(written.payload, "CreditNote", "CreditNoteID"),
        text_at(written.payload, "Account", "AccountID"),
    )
    over = text_at(written.payload, "Overpayment", "OverpaymentID")
    if over and account:
        return RefundOverpayment(
            host_ref=written.operation.host_ref,
            revision=written.operation.revision + 1,
            reason=_REASON,
            facts=_facts(written),
            overpayment=OverpaymentId(over),
            account=AccountId(account),
            amount=_amount(written, currency),
            on=_day(written),
            reference=_reference(written),
            settled=_settled(written, currency),
            rate=_rate(written),
        )
    if not note or not account:
        return None
    return Refund(
        host_ref=written.operation.host_ref,
        revision=written.operation.revision + 1,
        reason=_REASON,
        facts=_facts(written),
        credit_note=CreditNoteId(note),
        account=AccountId(account),
        amount=_amount(written, currency),
        on=_day(written),
        reference=_reference(written),
        settled=_settled(written, currency),
        rate=_rate(written),
    )


def _currency_paid(payment: Payment | None, currency: str) -> str:
    """The currency of what *payment* pays: that of the account, unless Xero says another."""
    of = payment.invoice.currency_code if payment is not None and payment.invoice is not None else None
    return of or currency


def _settled(written: Intent, currency: str) -> Money | None:
    """What it was said to make in the account's *currency*, where its document is in another."""
    said = written.payload.get("BankAmount")
    return None if said is None else Money(Decimal(str(said)), currency)


def _rate(written: Intent) -> Decimal | None:
    said = written.payload.get("CurrencyRate")
    return None if said is None else Decimal(str(said))


def _money(written: Intent, currency: str, after: tuple[Pending, ...]) -> MoveMoney | None:
    contact = text_at(written.payload, "Contact", "ContactID")
    if not contact:
        return None
    document = decode(BankTransaction, dict(written.payload), where="what was posted")
    # A receipt's amount is what was spent.
    effect = Decimal(written.facts.get("effect") or -Decimal(written.facts.get("amount", "0")))
    return MoveMoney(
        host_ref=written.operation.host_ref,
        revision=written.operation.revision + 1,
        reason=_REASON,
        facts=_facts(written),
        transaction=evolve(document, bank_transaction_id=None, contact=None, reference=_reference(written)),
        contact=contact,
        total=Money(effect, currency),
        after=after,
    )


def _transfer(written: Intent, currency: str) -> Transfer | None:
    source = text_at(written.payload, "FromBankAccount", "AccountID")
    target = text_at(written.payload, "ToBankAccount", "AccountID")
    if not source or not target:
        return None
    return Transfer(
        host_ref=written.operation.host_ref,
        revision=written.operation.revision + 1,
        reason=_REASON,
        facts=_facts(written),
        source=AccountId(source),
        target=AccountId(target),
        amount=_amount(written, currency),
        on=_day(written),
        reference=_reference(written),
    )


def _amount(written: Intent, currency: str) -> Money:
    return Money(Decimal(str(written.payload["Amount"])), currency)


def _day(written: Intent) -> date:
    return date.fromisoformat(str(written.payload["Date"])[:10])


def _reference(written: Intent) -> str:
    """The host's own text: the mark is that of the new revision."""
    text = text_at(written.payload, "Reference")
    start = text.rfind(TAG_PREFIX)
    return text[:start].strip() if start >= 0 else text
