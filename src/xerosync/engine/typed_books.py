"""Reading from the mirror what people typed in Xero by hand: what stands, and the library did not write."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, TypeVar

from attrs import evolve

from xerosync.client._books import Books
from xerosync.client._wire.codec import Json, dump
from xerosync.client._wire.outgoing import encode
from xerosync.engine.actions import Action, Adopt, CreateBill, CreateSaleCredit, MoveMoney, Seen, Transfer
from xerosync.engine.intents import sign_of, text_at
from xerosync.engine.line_drift import money_in_xero
from xerosync.engine.mirror import (
    BANK_TRANSACTIONS,
    BANK_TRANSFERS,
    CREDIT_NOTES,
    GONE,
    INVOICES,
    PAYMENTS,
    Shelf,
    refresh,
    stamp_of,
    walk,
)
from xerosync.engine.observed import intents_with, stamped
from xerosync.engine.settlement_books import SettlementAccounts
from xerosync.engine.states import State
from xerosync.engine.typed import Paid, Typed, Wanted
from xerosync.engine.written import AS_TYPED, now_in_xero
from xerosync.mapping.banking import with_tax
from xerosync.models import (
    Account,
    AccountId,
    BankTransaction,
    BankTransactionType,
    BankTransfer,
    CreditNote,
    Invoice,
    InvoiceType,
    Payment,
)
from xerosync.money import Money, exactly
from xerosync.storage.protocol import Record

T = TypeVar("T", Payment, BankTransaction, BankTransfer, Invoice, CreditNote)

_SAID: Final = ("collected", "net", "effect", "amount")
"""The facts that say how much a write is of, the first that there is."""
_EDITABLE: Final = (MoveMoney.kind, CreateBill.kind, CreateSaleCredit.kind)
"""The kinds of what people can edit after it was taken over; a payment or a transfer nobody can."""
_ANOTHER_TOTAL: Final = "of a credit note of another total"
_ANOTHER_CONTACT: Final = "of another contact"
_ANOTHERS: Final = "of a credit note that is taken over for another"


async def typed_payments(books: Books, currencies: Mapping[str, str]) -> list[Typed]:
    """The standing payments that the library did not write, of the documents whose *currencies* are given."""
    found: list[Typed] = []
    for document, currency in sorted(currencies.items()):
        async for record, payment in _by_people(books, PAYMENTS, Payment, ("invoice", document)):
            account = _account_of(payment)
            amount = Money(payment.amount or Decimal(0), currency)
            found.append(
                Typed(seen=_seen(PAYMENTS, record), of=document, amount=amount, on=payment.date, account=account)
            )
    return await _left(books, found)


async def typed_movements(books: Books, clearing: AccountId, currency: str) -> list[Typed]:
    """What was spent or received through *clearing*, and the transfers from or to it, that are not ours."""
    found = await _moved(books, clearing, currency)
    await refresh(books, BANK_TRANSFERS)
    async for record, transfer in _by_people(books, BANK_TRANSFERS, BankTransfer, ("account", clearing)):
        source = transfer.from_bank_account.account_id if transfer.from_bank_account is not None else None
        target = transfer.to_bank_account.account_id if transfer.to_bank_account is not None else None
        found.append(
            Typed(
                seen=_seen(BANK_TRANSFERS, record),
                of=Transfer.kind,
                amount=Money((transfer.amount or Decimal(0)) * (-1 if source == clearing else 1), currency),
                on=transfer.date,
                account=(target if source == clearing else source) or "",
            )
        )
    return await _left(books, found)


async def typed_payouts(
    books: Books, accounts: SettlementAccounts, bank: AccountId, wanted: Sequence[Wanted]
) -> list[Typed]:
    """
    What came into *bank* out of a clearing account that is no bank account, and is not ours: what has lines on it, of
    those that may be any of *wanted* at all.
    """
    likely = [
        each
        for each in await _left(books, await _moved(books, bank, accounts.currency))
        if any(one.may_be(each, is_short=False) for one in wanted)
    ]
    whole = await money_in_xero(books, {each.xero_id: each.seen.stamp for each in likely})
    return [
        evolve(each, cleared=cleared)
        for each in likely
        if (cleared := _cleared(whole.get(each.xero_id, BankTransaction()), accounts.clearing)) is not None
    ]


@exactly
def _cleared(moved: BankTransaction, clearing: Account) -> Decimal | None:
    """What the lines of *moved* took out of *clearing*; None where none is on it."""
    names = {clearing.code, clearing.account_id} - {None, ""}
    lines = [each for each in moved.line_items if {each.account_code, each.account_id} & names]
    total = sum((with_tax(each, moved.line_amount_types) for each in lines), Decimal(0))
    return (-total if moved.type == BankTransactionType.SPEND else total) if lines else None


async def _moved(books: Books, account: AccountId, currency: str) -> list[Typed]:
    """What was spent or received through *account*, and is not ours."""
    await refresh(books, BANK_TRANSACTIONS)
    found: list[Typed] = []
    async for record, moved in _by_people(books, BANK_TRANSACTIONS, BankTransaction, ("account", account)):
        if moved.type in {"SPEND", "RECEIVE"}:
            found.append(
                Typed(
                    seen=_seen(BANK_TRANSACTIONS, record),
                    of=MoveMoney.kind,
                    amount=Money((moved.total or Decimal(0)) * (-1 if moved.type == "SPEND" else 1), currency),
                    on=moved.date,
                    account=account,
                )
            )
    return found


async def typed_fee_bills(
    books: Books, provider: Sequence[str], kin: Sequence[str], numbers: Iterable[str], through: str
) -> list[Typed]:
    """
    The bills of the *provider*, whose contacts are given, of its *kin*, contacts that may be the provider's, too, and
    those of these *numbers*, with their payment out of account *through*, which is named for the provider's.
    """
    bills: dict[str, tuple[Seen, Invoice]] = {}
    for lookup in [*(("contact", each) for each in (*provider, *kin)), *(("number", each) for each in numbers)]:
        async for record, bill in _by_people(books, INVOICES, Invoice, lookup):
            if bill.type == InvoiceType.ACCPAY:
                bills[record.key] = (_seen(INVOICES, record), bill)
    found: list[Typed] = []
    for key, (seen, bill) in bills.items():
        contact = (bill.contact.contact_id if bill.contact is not None else None) or ""
        total = bill.total or Decimal(0)
        payments = await _payments_on(books, key)
        alike = [each for each in payments if each[1].amount == total]
        is_there = [(each.date, _account_of(each)) == (bill.date, through) for _, each in payments]
        unpaid = not payments and bill.amount_due == total
        found.append(
            Typed(
                seen=seen,
                of=CreateBill.kind,
                amount=Money(total, bill.currency_code or "XXX"),
                on=bill.date,
                account=through if contact in provider else contact,
                paid=Paid(seen=alike[0][0], on=alike[0][1].date) if alike else None,
                otherwise="" if unpaid or (alike and is_there == [True]) else "paid otherwise",
            )
        )
    return await _left(books, found)


async def typed_refunds(books: Books, kin: Mapping[str, Sequence[str]]) -> list[Typed]:
    """
    The credit notes to these customers that were given back, each with the payment that did so, and those to the *kin*
    of each, contacts that may be the customer's, too.
    """
    found: list[Typed] = []
    for contact, noted in [(each, one) for each, others in kin.items() for one in (each, *others)]:
        async for record, note in _by_people(books, CREDIT_NOTES, CreditNote, ("contact", noted)):
            if note.type != InvoiceType.ACCRECCREDIT:
                continue
            is_known = bool(await intents_with(books, lookup=("xero_id", record.key)))
            otherwise = _ANOTHERS if is_known else _ANOTHER_CONTACT if noted != contact else ""
            for seen, payment in await _payments_on(books, record.key):
                amount = payment.amount or Decimal(0)
                found.append(
                    Typed(
                        seen=_seen(CREDIT_NOTES, record),
                        of=contact,
                        amount=Money(amount, note.currency_code or "XXX"),
                        on=payment.date,
                        account=_account_of(payment),
                        paid=Paid(seen=seen, on=payment.date),
                        otherwise=otherwise or ("" if amount == note.total else _ANOTHER_TOTAL),
                    )
                )
    # What is taken over of a credit note are its payments, and those are left out already.
    return _oldest_first(found)


async def as_typed(books: Books, actions: Iterable[Action]) -> list[Action]:
    """
    *actions*, where those that take over spent or received money, a bill or a credit note keep how it was typed.

    A call for 80 bills, and one for each page of money where that is more than a little; of a credit note, which would
    take a call of its own, the lines are not kept.
    """
    listed = list(actions)
    taken = {each.xero_id: each for each in listed if isinstance(each, Adopt) and each.ends is State.CONFIRMED}
    by_kind = {of: {key for key, each in taken.items() if each.adopted_kind == of} for of in _EDITABLE}
    stamps = {key: each.seen[0].stamp for key, each in taken.items() if each.seen}
    bills = await stamped(books, INVOICES, Invoice, by_kind[CreateBill.kind])
    whole: dict[str, Invoice | CreditNote | BankTransaction] = {
        **{
            key: note
            for key, (note, _) in (
                await stamped(books, CREDIT_NOTES, CreditNote, by_kind[CreateSaleCredit.kind])
            ).items()
        },
        **await now_in_xero(books, [bill for bill, _ in bills.values()]),
        **await money_in_xero(books, {key: stamps[key] for key in by_kind[MoveMoney.kind]}),
    }
    return [
        evolve(each, facts={**each.facts, AS_TYPED: _kept(whole[each.xero_id], stamps[each.xero_id])})
        if isinstance(each, Adopt) and each.xero_id in whole and each.adopted_kind in _EDITABLE
        else each
        for each in listed
    ]


def _kept(document: Invoice | CreditNote | BankTransaction, stamp: str) -> str:
    """What people may edit of *document* besides its day and total, which are known by themselves."""
    there = encode(document)
    contact, account = text_at(there, "Contact", "ContactID"), text_at(there, "BankAccount", "AccountID")
    kept: Json = {"UpdatedDateUTC": stamp, "Contact": {"ContactID": contact}, "BankAccount": {"AccountID": account}}
    if not isinstance(document, CreditNote):
        kept["LineItems"] = there.get("LineItems", [])
    return dump(kept).decode()


async def _payments_on(books: Books, document: str) -> list[tuple[Seen, Payment]]:
    """The standing payments of *document* that neither bear our mark nor are known."""
    return [
        (_seen(PAYMENTS, record), payment)
        async for record, payment in _by_people(books, PAYMENTS, Payment, ("invoice", document))
        if not await intents_with(books, lookup=("xero_id", record.key))
    ]


async def _by_people(
    books: Books, shelf: Shelf, kind: type[T], lookup: tuple[str, str]
) -> AsyncIterator[tuple[Record, T]]:
    """The documents of *shelf* that a *lookup* finds, those that stand and do not bear our mark."""
    ours = sign_of(books.app.client_id)
    async for record, document in walk(books, shelf, kind, lookup=lookup):
        if document.status not in GONE and dict(record.lookups).get("sign") != ours:
            yield record, document


def _account_of(payment: Payment) -> str:
    return (payment.account.account_id if payment.account is not None else None) or ""


async def _left(books: Books, found: list[Typed]) -> list[Typed]:
    """What of those *found* is not taken over altogether, the oldest first."""
    left: list[Typed] = []
    for each in found:
        taken = Decimal(0)
        for intent in await intents_with(books, lookup=("xero_id", each.xero_id)):
            said = next((intent.facts[each] for each in _SAID if each in intent.facts), None)
            taken += abs(Decimal(said)) if said is not None else abs(each.amount.amount)
        if taken < abs(each.amount.amount):
            left.append(evolve(each, taken=taken))
    return _oldest_first(left)


def _oldest_first(found: list[Typed]) -> list[Typed]:
    return sorted(found, key=lambda each: (each.on or date.min, each.xero_id))


def _seen(shelf: Shelf, record: Record) -> Seen:
    return Seen(shelf.name, record.key, stamp_of(record))
