"""What the books hold of an invoice's chain: which payments, credits and refunds stand, and what took them back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final, cast

from xerosync.client._books import Books
from xerosync.engine.actions import (
    CreateSale,
    CreateSaleCredit,
    MoveMoney,
    Pay,
    Pending,
    Refund,
    RemoveMoney,
    RemovePayment,
    VoidCredit,
)
from xerosync.engine.chains import Chain, KnownChain, Part
from xerosync.engine.intents import Intent
from xerosync.engine.observed import intents_with
from xerosync.engine.remembering import standing_as
from xerosync.engine.restoring import current
from xerosync.engine.settlement_books import COUNTER, SURPLUS, Known
from xerosync.engine.states import POSTED, State
from xerosync.engine.transactions import chains_of
from xerosync.mapping.settlement import LineKind, SettlementLine
from xerosync.mapping.transactions import Transaction
from xerosync.models import InvoiceId
from xerosync.money import exactly

RETURNS: Final = frozenset({LineKind.CHARGED_BACK, LineKind.REFUNDED})
"""What of a settlement says that money went back."""
_WRITTEN: Final = frozenset({Pay.kind, MoveMoney.kind, CreateSaleCredit.kind})


async def written_for(
    books: Books, lines: Iterable[SettlementLine], transactions: Mapping[str, Transaction]
) -> dict[InvoiceId, list[Intent]]:
    """
    What was written for each invoice of which *lines* say that money went back, or why it was declined, whatever it
    came with.
    """
    wanted: dict[InvoiceId, dict[str, None]] = {}
    for line in lines:
        transaction = transactions.get(line.transaction)
        if transaction is None:
            continue
        if line.kind in RETURNS or line.reason is not None or transaction.declines:
            wanted.setdefault(transaction.invoice_id, {})[transaction.id] = None
    for invoice, attempts in (await chains_of(books, wanted)).items():
        wanted[invoice] |= dict.fromkeys(each.id for each in attempts)
    found: dict[InvoiceId, list[Intent]] = {}
    for invoice, names in wanted.items():
        written = [one for each in names for one in await intents_with(books, lookup=("transaction", each))]
        found[invoice] = [each for each in current(written) if _counts(each)]
    return found


def _counts(intent: Intent) -> bool:
    """Whether *intent* brought money in for a line, parked it, or gave it back."""
    kind, name = intent.operation.kind, intent.operation.host_ref
    return kind in _WRITTEN and (kind != MoveMoney.kind or name.startswith(SURPLUS))


def of_chain(written: Iterable[Intent]) -> Iterable[Pending]:
    """Whatever else may have been written for the lines of what was *written*: what parked it, or took it back."""
    for name in (each.operation.host_ref.removeprefix(SURPLUS) for each in written):
        own = (Pay, RemovePayment, CreateSaleCredit, Refund, VoidCredit)
        yield from (Pending(kind.kind, name) for kind in own)
        yield from (Pending(kind.kind, COUNTER + name) for kind in (CreateSale, MoveMoney))
        yield from (
            Pending(kind.kind, SURPLUS + name) for kind in (MoveMoney, CreateSaleCredit, RemoveMoney, VoidCredit)
        )


def undone_with(known: Known, line: SettlementLine) -> Intent | None:
    """What took back something of *line* as its settlement, or its run, was undone; None where nothing did."""
    written = [each for each in map(known.intent, standing_as([line.id])) if each is not None]
    if line.kind is LineKind.CHARGED_BACK:
        counters = known.counters.get(line.transaction, ())
        written = [each for each in counters if each.facts.get("charged_back_by") == line.id]
    return next(filter(None, map(known.undoing, written)), None)


@exactly
def known_chain(known: Known, written: Sequence[Intent]) -> KnownChain:
    """The chain that was *written* for an invoice, as it stands."""
    paid = {each.operation.host_ref for each in written if each.operation.kind == Pay.kind and _may_stand(each)}
    parts: list[Part] = []
    on: dict[str, str] = {}
    in_doubt: dict[str, Intent] = {}
    refunded: dict[str, Decimal] = {}
    for intent in sorted(filter(_may_stand, written), key=_order):
        name = intent.operation.host_ref
        line = name.removeprefix(SURPLUS)
        if intent.operation.kind == CreateSaleCredit.kind and name == line:
            if amount := _refunded(known, intent):
                refunded[line] = amount
        elif intent.operation.kind == Pay.kind or line not in paid:
            on[line] = settled_on(intent)
            if intent.state in POSTED:
                parts.append(_part(known, intent, line))
            else:
                in_doubt[line] = intent
    return KnownChain(chain=Chain(parts=tuple(parts), refunded=refunded), on=on, in_doubt=in_doubt)


def _may_stand(intent: Intent) -> bool:
    return intent.state is not State.REJECTED


def _order(intent: Intent) -> tuple[str, str]:
    return settled_on(intent), intent.operation.host_ref


def settled_on(intent: Intent) -> str:
    """The day of the settlement that *intent* was written for."""
    return intent.facts.get("settled_on") or str(intent.payload.get("Date"))[:10]


def brought(intent: Intent) -> Decimal:
    """All that the line of *intent* brought in: what was paid, and what was parked; of what was only parked, that."""
    if intent.operation.host_ref.startswith(SURPLUS):
        return Decimal(intent.facts["effect"])
    return Decimal(intent.facts.get("collected") or str(intent.payload["Amount"]))


def _part(known: Known, intent: Intent, line: str) -> Part:
    amount, undone = brought(intent), undoing_of(known, intent)
    taken: dict[str, Decimal] = {}
    if undone is not None:
        taken[undone.facts.get("charged_back_by", "")] = Decimal(undone.facts.get("taken") or amount)
    gone = undone is None and (intent.state is State.REMOVED or known.is_gone(intent))
    return Part(
        name=line,
        transaction=intent.facts.get("transaction", ""),
        amount=amount,
        taken=taken,
        gone=gone,
        settlement=intent.facts.get("settlement", ""),
    )


def undoing_of(known: Known, intent: Intent) -> Intent | None:
    """What took back what *intent* wrote, its removal or the invoice in its place; not what Xero refused."""
    name = intent.operation.host_ref
    undoings = (
        Pending(RemovePayment.kind, name),
        Pending(RemoveMoney.kind, name),
        Pending(VoidCredit.kind, name),
    )
    taken = (*map(known.intent, undoings), known.counter(name.removeprefix(SURPLUS)))
    return next(filter(_may_stand, filter(None, taken)), None)


def _refunded(known: Known, note: Intent) -> Decimal:
    """What of the credit *note* of a refund was given back; nothing where it was removed, by whomever."""
    paid = known.intent(Pending(Refund.kind, note.operation.host_ref))
    gone = note.state is State.REMOVED or (paid is not None and known.is_gone(paid))
    if gone or undoing_of(known, note) is not None:
        return Decimal(0)
    amount = lines_of(note)
    return amount if amount or paid is None else Decimal(str(paid.payload.get("Amount", 0)))


def lines_of(intent: Intent) -> Decimal:
    """What the lines of a document that the library wrote, tax included or none, come to."""
    lines = cast(Sequence[Mapping[str, object]], intent.payload.get("LineItems") or ())
    return sum((Decimal(str(line["UnitAmount"])) for line in lines), start=Decimal(0))
