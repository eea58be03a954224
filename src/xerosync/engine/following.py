"""
Transactions follow their invoices: what is due in Xero, less what the host's own rows say, is what is to change.

The host's rows are the other half of what is observed. A change is planned, and told again, until they show it, so that
a host that died between our store and its own does not miss one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final, TypeAlias

from attrs import evolve, frozen

from xerosync.client._books import Books
from xerosync.engine.actions import CancelTransaction, ChangeTransaction, NoteTransaction, Seen, TransactionLink
from xerosync.engine.importing import Importable, LeftOut, customers_by_contact, finding_on, is_part_paid
from xerosync.engine.mirror import INVOICES, PAYMENTS, refresh, reread
from xerosync.engine.observed import stamped
from xerosync.engine.plans import Difference, Finding, Plan
from xerosync.engine.policies import ImportPolicy, kept_policies
from xerosync.engine.remembering import FORGOTTEN, by_their_ids
from xerosync.engine.settling import NOT_OURS
from xerosync.engine.transactions import chains_of, posted_for, transactions_of
from xerosync.errors import InvalidInput
from xerosync.mapping.declines import Decline
from xerosync.mapping.transactions import (
    ImportSettings,
    Transaction,
    TransactionState,
    TransactionStatus,
    checked_states,
)
from xerosync.models import DocumentStatus, Invoice
from xerosync.money import Money, exactly

Decided: TypeAlias = TransactionLink | Finding

_COLLECTED: Final = frozenset({DocumentStatus.AUTHORISED, DocumentStatus.PAID})


@frozen(kw_only=True)
class Followed:
    """
    One transaction with all that is known of it: what was remembered, what the host says, what Xero holds.

    *posted* is what became of its money in Xero, None while that is in doubt; *ahead* is what earlier attempts at the
    same invoice may still bring in.
    """

    transaction: Transaction
    state: TransactionState
    invoice: Invoice | None
    stamp: str = ""
    posted: Decimal | None = Decimal(0)
    ahead: Decimal = Decimal(0)

    @property
    def due(self) -> Decimal:
        """What is due of this transaction: what its invoice lacks without what was posted for it, less *ahead*."""
        if self.invoice is None or self.invoice.status not in _COLLECTED:
            return Decimal(0)
        return max((self.invoice.amount_due or Decimal(0)) + (self.posted or Decimal(0)) - self.ahead, Decimal(0))


@exactly
def follow_one(one: Followed, known: Importable) -> list[Decided]:
    """
    What is to be done about *one* transaction.

    While it can be changed, it is made what Xero says is due, or cancelled. Once the payer was asked, an amount that is
    no longer due is a finding. One that ended is remembered as such.
    """
    if one.state.status.has_ended:
        return _noted(one.transaction, _declined(evolve(one.transaction, status=one.state.status), one.state, known))
    if one.invoice is None:
        return [_unknown(one.transaction)]
    try:
        return (_under_way if one.state.status.is_under_way else _future)(one, one.invoice, known)
    except InvalidInput as error:
        return [finding_on(LeftOut.NOT_MAPPED, one.transaction.id, one.transaction.amount, why=str(error))]


def _future(one: Followed, invoice: Invoice, known: Importable) -> list[Decided]:
    before, state = one.transaction, one.state
    customer = known.customers.get((invoice.contact.contact_id or "") if invoice.contact is not None else "")
    if customer is None and one.due:
        return [_not_connected(before)]
    if not one.due or customer != before.customer:
        return _cancelled(one, known)
    wanted = _wanted(one, invoice, known)
    is_so_there = (state.amount, state.on) == (wanted.amount, wanted.on)
    if wanted == before and is_so_there:
        return []
    if not is_so_there and not _follows(before, known):
        return [_by_hand(one, wanted.amount)]
    seen = Seen("invoice", before.invoice_id, one.stamp)
    reason = "its invoice was edited in Xero" if wanted != before else "the host's row is not yet so"
    return [ChangeTransaction.remember(wanted, before=before, reason=reason, seen=(seen,))]


def _wanted(one: Followed, invoice: Invoice, known: Importable) -> Transaction:
    """The transaction as it is to be: for what is due now, on the day it was given unless that no longer holds."""
    before, calendar = one.transaction, known.settings.calendar
    due = invoice.due_date or before.due or known.today
    fresh = known.settings.transaction(
        evolve(invoice, amount_due=one.due),
        customer=before.customer,
        attempt=before.attempt,
        on=calendar.day_for(due, today=known.today),
    )
    is_asked = one.state.on == before.on and not before.cancelled
    is_possible = before.on is not None and (is_asked or before.on >= calendar.first_from(known.today))
    keeps_day = invoice.due_date == before.due and is_possible
    return evolve(
        fresh,
        id=before.id,
        on=before.on if keeps_day else fresh.on,
        declines=before.declines,
        agreed_anew=before.agreed_anew,
        agreed_on=before.agreed_on,
    )


def _cancelled(one: Followed, known: Importable) -> list[Decided]:
    if not _follows(one.transaction, known):
        return [_by_hand(one, Money.zero(one.transaction.amount.currency))]
    wanted = evolve(one.transaction, status=TransactionStatus.FUTURE, cancelled=True)
    seen = Seen("invoice", one.transaction.invoice_id, one.stamp)
    reason = "its invoice is another customer's now" if one.due else "nothing is due on its invoice any more"
    return [CancelTransaction.remember(wanted, before=one.transaction, reason=reason, seen=(seen,))]


def _under_way(one: Followed, invoice: Invoice, known: Importable) -> list[Decided]:
    before, state = one.transaction, one.state
    asked = state.amount or before.amount
    declines = tuple(each for each in before.declines if each.line)  # it came to something after all
    noted = evolve(
        before, status=state.status, amount=asked, on=state.on or before.on, cancelled=False, declines=declines
    )
    decided = _noted(before, noted)
    if one.posted is None:
        return [*decided, _in_doubt(noted)]
    due = Money(_to_collect(one, invoice, known), invoice.currency_code or asked.currency)
    if due == asked:
        return decided
    return [*decided, _too_late(noted, asked, due)]


def _to_collect(one: Followed, invoice: Invoice, known: Importable) -> Decimal:
    """What the mapper would ask for now: less than is due where it asks for a part."""
    if not one.due:
        return Decimal(0)
    fresh = known.settings.transaction(
        evolve(invoice, amount_due=one.due),
        customer=one.transaction.customer,
        attempt=one.transaction.attempt,
        on=one.transaction.on or known.today,
    )
    return fresh.amount.amount


def _declined(transaction: Transaction, state: TransactionState, known: Importable) -> Transaction:
    """*transaction* with the reason that *state* gives; what lines of settlements say of it counts more."""
    if state.reason is None or any(each.line for each in transaction.declines):
        return transaction
    told = Decline(
        reason=state.reason,
        on=state.on or transaction.on or known.today,
        amount=state.amount or transaction.amount,
    )
    kept = [evolve(each, on=told.on) for each in transaction.declines] == [told]
    return transaction if kept else evolve(transaction, declines=(told,))


def _noted(before: Transaction, after: Transaction) -> list[Decided]:
    if after == before:
        return []
    return [NoteTransaction.remember(after, before=before, reason=f"the host says that it is {after.status}")]


def _follows(transaction: Transaction, known: Importable) -> bool:
    kept = known.policies.get(transaction.customer)
    return kept is not None and kept.policy is not ImportPolicy.BY_HAND


def _by_hand(one: Followed, due: Money) -> Finding:
    asked = one.state.amount or one.transaction.amount
    return Difference(
        code="edited since imported",
        about=one.transaction.id,
        cause="its invoice is edited, paid or voided in Xero, and edits of this customer's invoices are not followed",
        fix="delete the transaction and import the invoice again, or set the customer's policy to follow edits",
        worth=_difference(asked, due),
        asked=asked,
        due=due,
    )


def _too_late(transaction: Transaction, asked: Money, due: Money) -> Finding:
    return Difference(
        code="edited after it was sent",
        about=transaction.id,
        cause="the payer was asked for another amount than is due in Xero now: the invoice was edited, credited, paid "
        "elsewhere or voided since",
        fix="collect or refund the difference, or correct the invoice in Xero",
        worth=_difference(asked, due),
        asked=asked,
        due=due,
    )


def _difference(asked: Money, due: Money) -> Money | None:
    """What is due beyond what was *asked*, negative where less is; nothing can be said across currencies."""
    return due - asked if due.currency == asked.currency else None


def _in_doubt(transaction: Transaction) -> Finding:
    return Finding(
        code="still open",
        about=transaction.id,
        cause="a payment of it may or may not have been posted",
        fix="call recover(), then follow again",
        retry=True,
    )


def _not_connected(transaction: Transaction) -> Finding:
    return Finding(
        code="customer not connected",
        about=transaction.id,
        cause="the contact of its invoice is no longer connected to a customer",
        fix="match its customer again",
        retry=True,
        worth=transaction.amount,
    )


def _unknown(transaction: Transaction) -> Finding:
    return Finding(
        code="invoice unknown",
        about=transaction.id,
        cause="its invoice is not among those read from Xero",
        fix="look for the invoice in Xero",
        retry=True,
        worth=transaction.amount,
    )


def _not_ours(state: TransactionState) -> Finding:
    return Finding(
        code="not created here",
        about=state.id,
        cause="the library did not create this transaction",
        fix=NOT_OURS,
        worth=state.amount,
    )


async def follow(books: Books, settings: ImportSettings, states: Iterable[TransactionState]) -> Plan:
    """What is to change in the host's rows, which *states* show, and what to remember of them."""
    by_id = {state.id: state for state in checked_states(states)}
    await refresh(books, INVOICES, PAYMENTS)
    remembered = await transactions_of(books, by_id)
    known = Importable(
        customers=await customers_by_contact(books),
        policies=await kept_policies(books),
        attempts={},
        settings=settings,
        today=settings.calendar.today(books.clock.now()),
    )
    forgotten = await _forgotten(books, [state for name, state in by_id.items() if name not in remembered])
    ours = remembered | forgotten
    decided: list[Decided] = [_not_ours(state) for name, state in by_id.items() if name not in ours]
    for one in await _followed(books, list(ours.values()), by_id):
        if one.transaction.id in forgotten:
            decided += _remembered_again(one.transaction, follow_one(one, known))
        else:
            decided += follow_one(one, known)
    return Plan(
        tenant=books.tenant,
        actions=tuple(each for each in decided if isinstance(each, TransactionLink)),
        findings=tuple(each for each in decided if isinstance(each, Finding)),
    )


async def _forgotten(books: Books, states: Sequence[TransactionState]) -> dict[str, Transaction]:
    """The transactions that the library made and the store has forgotten, as the host's rows show them in *states*."""
    by_id = {state.id: state for state in states}
    found = await by_their_ids(books, by_id) if by_id else {}
    return {name: _as_said(evolve(one, on=by_id[name].on), by_id[name]) for name, one in found.items()}


def _remembered_again(transaction: Transaction, decided: Sequence[Decided]) -> list[Decided]:
    """What was *decided* on a forgotten transaction, of which nothing is kept that it could be changed from."""
    links = [evolve(each, before=None) for each in decided if isinstance(each, TransactionLink)]
    findings = [each for each in decided if isinstance(each, Finding)]
    return [*(links or [NoteTransaction.remember(transaction, reason=FORGOTTEN)]), *findings]


async def _followed(
    books: Books, transactions: Sequence[Transaction], states: Mapping[str, TransactionState]
) -> list[Followed]:
    invoices = await _invoices(books, transactions, states)
    chains = await chains_of(books, (each.invoice_id for each in transactions if each.attempt > 1))
    earlier = {
        each.id: [one for one in chains.get(each.invoice_id, ()) if one.attempt < each.attempt] for each in transactions
    }
    concerned = [*transactions, *(one for others in earlier.values() for one in others)]
    # What the host says of another attempt in this very call counts more than what it said of it before.
    asked = {one.id: _as_said(one, states.get(one.id)) for one in concerned}
    paid = {name for name, (invoice, _) in invoices.items() if is_part_paid(invoice)}
    with_money = (one for one in asked.values() if one.status.is_under_way or one.invoice_id in paid)
    posted = await posted_for(books, with_money)
    return [
        Followed(
            transaction=each,
            state=states[each.id],
            invoice=invoices.get(each.invoice_id, (None, ""))[0],
            stamp=invoices.get(each.invoice_id, (None, ""))[1],
            posted=posted.get(each.id, Decimal(0)),
            ahead=sum((to_come(asked[one.id], posted.get(one.id)) for one in earlier[each.id]), Decimal(0)),
        )
        for each in transactions
    ]


def _as_said(transaction: Transaction, state: TransactionState | None) -> Transaction:
    if state is None:
        return transaction
    return evolve(
        transaction,
        status=state.status,
        amount=state.amount or transaction.amount,
        cancelled=transaction.cancelled and not state.status.is_under_way,
    )


def to_come(transaction: Transaction, posted: Decimal | None) -> Decimal:
    """What may still come of an attempt, beyond what was *posted* for it."""
    return max(transaction.amount.amount - (posted or Decimal(0)), Decimal(0)) if transaction.is_live else Decimal(0)


async def _invoices(
    books: Books, transactions: Sequence[Transaction], states: Mapping[str, TransactionState]
) -> dict[str, tuple[Invoice, str]]:
    """The invoices of *transactions* with their stamps; Xero moves a part-paid one's due date unstamped (F 4.23)."""
    found = await stamped(books, INVOICES, Invoice, (each.invoice_id for each in transactions))
    again = [
        each.invoice_id
        for each in transactions
        if states[each.id].status is TransactionStatus.FUTURE
        and each.invoice_id in found
        and is_part_paid(found[each.invoice_id][0])
    ]
    await reread(books, INVOICES, again)
    return found | await stamped(books, INVOICES, Invoice, again)
