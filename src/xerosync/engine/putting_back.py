"""What puts something back, as it can be planned: known again where it is in Xero already, or was refused there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Final

from attrs import evolve, frozen

from xerosync.client._books import Books
from xerosync.engine.actions import (
    Action,
    Adopt,
    MoveMoney,
    Pay,
    Pending,
    Refund,
    RemoveMoney,
    RemovePayment,
    Seen,
    Transfer,
)
from xerosync.engine.duplicates import NEAR_DAYS, entered_money
from xerosync.engine.forgotten import taken_over
from xerosync.engine.given_again import OF_UNDONE, UNDONE, undone_whole
from xerosync.engine.hindrances import hindrances
from xerosync.engine.intents import intent_key, is_denied, retries
from xerosync.engine.mirror import (
    BANK_TRANSACTIONS,
    BANK_TRANSFERS,
    CREDIT_NOTES,
    INVOICES,
    PAYMENTS,
    SHELVES,
    mirror_key,
    stamp_of,
    stored,
)
from xerosync.engine.observed import all_links, intents_of, intents_with, stamped
from xerosync.engine.overtaking import of_undone_runs
from xerosync.engine.paper_actions import CARD, OF_PURCHASE, LinkSpend, MarkBillable, UnmarkBillable
from xerosync.engine.payouts import FEES, PAYOUT
from xerosync.engine.restoring import PERHAPS_TYPED, RESTORED
from xerosync.engine.states import State
from xerosync.engine.typed import Typed, Wanted
from xerosync.engine.typed_books import typed_fee_bills, typed_movements, typed_payments, typed_refunds
from xerosync.engine.undo_actions import RemoveTransfer
from xerosync.engine.written_on import WRITTEN_ON
from xerosync.models import AccountId, BankTransaction, BankTransactionType, CreditNote, Invoice
from xerosync.money import Money

_TAKEN_OFF: Final = UnmarkBillable.kind
_MOVES: Final = frozenset({Pay.kind, Refund.kind, MoveMoney.kind, Transfer.kind})
"""What moves money, and so may stand twice where people typed it anew."""


@frozen(kw_only=True)
class PutBack:
    """
    What puts something back, as it can be planned: *actions*, none where Xero would refuse one of them, and *stays*
    says why; and Xero's words where it *refused* them before. *leaves* says what does not go along, and stays on the
    document that was, or is to be, removed.
    """

    actions: tuple[Action, ...] = ()
    refused: tuple[str, ...] = ()
    stays: str = ""
    leaves: str = ""


async def put_back(books: Books, wanted: Iterable[Sequence[Action]]) -> list[PutBack]:
    """
    What of all that is *wanted*, each by its own, can be planned: what is in Xero already, by its mark, is taken over.

    Of all at once: each time that the mirror is brought up to date costs a call.
    """
    groups = list(wanted)
    every = [action for group in groups for action in group]
    hindered = await hindrances(books, every) | await _of_undone(books, every) | await _perhaps_typed(books, every)
    left = await _left_behind(books, every)
    # What was put back before the store was set back is in Xero already.
    known = await taken_over(books, await as_seen(books, every))
    refused, met = await _refused_before(books, known), iter(known)
    found: list[PutBack] = []
    for group in groups:
        actions = tuple(islice(met, len(group)))
        sent = (each.itself for each in actions if not isinstance(each, Adopt))
        stays = next((hindered[itself] for itself in sent if itself in hindered), "")
        leaves = next((left[each.itself] for each in actions if each.itself in left), "")
        planned = PutBack(actions=actions, refused=_words_on(actions, refused), leaves=leaves)
        found.append(PutBack(stays=stays) if stays else planned)
    return found


async def _of_undone(books: Books, actions: Collection[Action]) -> dict[Pending, str]:
    """Those of *actions* that are of settlements undone whole, or of runs, with words on it: no plan posts them."""
    of = {each.itself: each.facts["settlement"] for each in actions if "settlement" in each.facts}
    removals = [each for one in dict.fromkeys(of.values()) for each in await intents_with(books, lookup=(UNDONE, one))]
    whole = undone_whole(removals)
    by_run = dict.fromkeys(await of_undone_runs(books, actions), "the run that posted it was undone")
    return by_run | {itself: OF_UNDONE for itself, settlement in of.items() if settlement in whole}


async def _perhaps_typed(books: Books, actions: Iterable[Action]) -> dict[Pending, str]:
    """
    Those of *actions* that post anew what people may have typed in its place, with words on it: what a backfill holds
    back, and what looks the same as something typed. Not where a person said that it is not.
    """
    anew = [each for each in actions if RESTORED[0] in each.facts and each.kind in _MOVES]
    known = await intents_of(books, (each.itself for each in anew))
    found: dict[Pending, str] = {}
    moved: dict[AccountId, list[Typed]] = {}
    receipts = await _receipts_like(books, anew)
    for each in anew:
        intent = known.get(intent_key(books.tenant, each.itself))
        typed = receipts[each.itself] if each.itself in receipts else await _typed_for(books, each, moved)
        is_new = any(intent is None or not is_denied(intent, one) for one in typed)
        if is_new or (intent is not None and intent.state is State.SUSPECT):
            found[each.itself] = PERHAPS_TYPED
    return found


async def _typed_for(books: Books, action: Action, moved: dict[AccountId, list[Typed]]) -> list[str]:
    """
    The Xero ids of what people typed, and is no other's, that may be *action*: a payment of its amount, or of its day
    and account, on its document; one of its amount on another credit note of the customer's or bill of the provider's;
    fees or a payout of its amount some days apart at most.

    What *moved* on an account is looked for once.
    """
    match action:
        case Pay() | Refund():
            of = str(action.invoice if isinstance(action, Pay) else action.credit_note)
            paid = Wanted(name=of, of=of, amount=action.amount, on=action.on, account=str(action.account))
            typed = await typed_payments(books, {of: paid.amount.currency})
            there = [each for each in typed if paid.may_be(each, is_short=False)]
            on_others = [each for each in await _on_others(books, action) if each.amount == paid.amount]
            return [each.xero_id for each in (*there, *on_others)]
        case MoveMoney() | Transfer() if action.host_ref.startswith((FEES, PAYOUT)) and (wanted := _wanted(action)):
            through = action.source if isinstance(action, Transfer) else AccountId(wanted.account)
            if through not in moved:
                moved[through] = await typed_movements(books, through, wanted.amount.currency)
            return [each.xero_id for each in moved[through] if each.of == wanted.of and _is_near(wanted, each)]
        case _:
            return []


async def _receipts_like(books: Books, actions: Iterable[Action]) -> dict[Pending, list[str]]:
    """By each card receipt of *actions* what people typed of its account, vendor, day and amount since."""
    receipts = [each for each in actions if isinstance(each, MoveMoney) and each.itself.host_ref.startswith(CARD)]
    if not receipts:
        return {}
    entered = await entered_money(books)
    linked = {link["xero_id"] for link in await all_links(books, LinkSpend.kind)}
    found: dict[Pending, list[str]] = {}
    for each in receipts:
        bank, total = each.transaction.bank_account, abs(Decimal(each.facts.get("total") or each.total.amount))
        account = (bank.account_id if bank is not None else None) or ""
        spent = total if each.transaction.type == BankTransactionType.SPEND else -total
        typed = entered.get((account, str(each.contact), each.transaction.date, spent), ())
        others = linked | {each.facts.get("duplicate_of")}
        found[each.itself] = [xero_id for one in typed if (xero_id := one.bank_transaction_id or "") not in others]
    return found


def _is_near(wanted: Wanted, typed: Typed) -> bool:
    """Whether *typed* is as *wanted*, but for some days."""
    days = abs(typed.on - wanted.on).days if typed.on is not None else NEAR_DAYS
    return days <= NEAR_DAYS and not wanted.differs(evolve(typed, on=wanted.on))


async def _on_others(books: Books, action: Pay | Refund) -> list[Typed]:
    """
    The payments of other documents that people typed in the place of *action*: of credit notes to the customer of a
    settlement's refund, or of bills of the provider of fees.
    """
    typed: list[Typed] = []
    if isinstance(action, Refund) and "transaction" in action.facts:
        note, _ = (await stamped(books, CREDIT_NOTES, CreditNote, [of := str(action.credit_note)])).get(of, (None, ""))
        contact = _contact_of(note)
        typed = await typed_refunds(books, {contact: ()}) if contact else []
    elif isinstance(action, Pay) and action.host_ref.startswith(FEES):
        bill, _ = (await stamped(books, INVOICES, Invoice, [of := str(action.invoice)])).get(of, (None, ""))
        contact = _contact_of(bill)
        typed = await typed_fee_bills(books, [contact], (), (), str(action.account)) if contact else []
    return [evolve(each, seen=each.paid.seen, amount=abs(each.amount)) for each in typed if each.paid is not None]


def _contact_of(document: CreditNote | Invoice | None) -> str:
    return (document.contact.contact_id if document is not None and document.contact is not None else None) or ""


def _wanted(action: MoveMoney | Transfer) -> Wanted | None:
    """How *action* would look among what moved on the bank account that it goes through; None without a day."""
    on = action.on if isinstance(action, Transfer) else action.transaction.date
    if on is None:
        return None
    if isinstance(action, Transfer):
        amount, account = -action.amount, str(action.target)
    else:
        bank = action.transaction.bank_account
        account = (bank.account_id if bank is not None else None) or ""
        amount = Money(Decimal(action.facts.get("net") or action.facts.get("effect", "0")), action.total.currency)
    return Wanted(name=action.host_ref, of=action.kind, amount=amount, on=on, account=account)


async def _left_behind(books: Books, actions: Iterable[Action]) -> dict[Pending, str]:
    """What does not go along with those of *actions* that post money anew, which lacks what hung on the old one."""
    anew = {each.itself: evolve(each.itself, revision=each.revision - 1) for each in actions if _is_anew(each)}
    before = await intents_of(books, anew.values())
    ids = {
        itself: old.xero_id
        for itself, one in anew.items()
        if (old := before.get(intent_key(books.tenant, one))) is not None and old.xero_id
    }
    mirrored = await stamped(books, BANK_TRANSACTIONS, BankTransaction, ids.values())
    told: dict[Pending, str] = {}
    for itself, xero_id in ids.items():
        document, _ = mirrored.get(xero_id, (None, ""))
        has_files = document is not None and document.has_attachments
        files = has_files or await _has(books, "attached_to", xero_id)
        marks = await _has(books, OF_PURCHASE, xero_id)
        if parts := [*(["its files"] if files else []), *(["the marks of its billable lines"] if marks else [])]:
            told[itself] = " and ".join(parts)
    return told


def _is_anew(action: Action) -> bool:
    return isinstance(action, MoveMoney) and action.revision > 1


async def _has(books: Books, name: str, xero_id: str) -> bool:
    """Whether the library put something on the document of this id that it did not take off again."""
    written = [each for each in await intents_with(books, lookup=(name, xero_id)) if each.state is State.CONFIRMED]
    off = {evolve(each.operation, kind=MarkBillable.kind) for each in written if each.operation.kind == _TAKEN_OFF}
    return any(each.operation.kind != _TAKEN_OFF and each.operation not in off for each in written)


async def as_seen(books: Books, actions: Sequence[Action]) -> list[Action]:
    """
    *actions*, payments with their invoices, removals with what they remove, and what takes over something with that, as
    the mirror, just refreshed, has them: by these a change is seen.
    """
    rest_on = {each.itself: on for each in actions if (on := _rests_on(each)) is not None}
    keys = {on: mirror_key(SHELVES[on[0]], books.tenant, on[1]) for on in dict.fromkeys(rest_on.values())}
    stamps = {record.identity: stamp_of(record) for record in await stored(books, keys.values())}
    seen = {itself: Seen(*on, stamp) for itself, on in rest_on.items() if (stamp := stamps.get(keys[on]))}
    return [evolve(each, seen=(seen[each.itself],)) if each.itself in seen else each for each in actions]


def _rests_on(action: Action) -> tuple[str, str] | None:
    """The shelf and the id of the document that *action* was decided on."""
    match action:
        case Pay():
            return INVOICES.name, str(action.invoice)
        case RemovePayment(payment=str() as payment):
            return PAYMENTS.name, payment
        case RemoveMoney(transaction=str() as transaction):
            return BANK_TRANSACTIONS.name, transaction
        case RemoveTransfer():
            return BANK_TRANSFERS.name, action.removed
        case Adopt() if action.adopted_kind in _MOVES:
            return WRITTEN_ON[action.adopted_kind][0].name, action.xero_id
        case _:
            return None


async def _refused_before(books: Books, actions: Iterable[Action]) -> dict[Pending, tuple[str, ...]]:
    """Xero's words on those of *actions* that it refused before, where nothing they rest on has changed since."""
    own = {each.itself: each for each in actions if not isinstance(each, Adopt)}
    known = await intents_of(books, own)
    told = ((each, known.get(intent_key(books.tenant, itself))) for itself, each in own.items())
    return {
        each.itself: intent.messages
        for each, intent in told
        if intent is not None and intent.state is State.REJECTED and not retries(intent, each.seen, always=False)
    }


def _words_on(actions: Iterable[Action], refused: Mapping[Pending, tuple[str, ...]]) -> tuple[str, ...]:
    """What Xero said of those of *actions* that it *refused*, each once."""
    return tuple(dict.fromkeys(text for each in actions for text in refused.get(each.itself, ())))
