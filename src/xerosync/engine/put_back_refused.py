"""What Xero refused to have put back: told in its words, and not sent again until something makes that worth a try."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import evolve

from xerosync.client._books import Books
from xerosync.engine.actions import Action, Adopt, Pay, Pending, RemoveMoney, RemovePayment, Seen
from xerosync.engine.intents import intent_key, retries
from xerosync.engine.mirror import (
    BANK_TRANSACTIONS,
    BANK_TRANSFERS,
    INVOICES,
    PAYMENTS,
    SHELVES,
    mirror_key,
    stamp_of,
    stored,
)
from xerosync.engine.observed import intents_of
from xerosync.engine.states import State
from xerosync.engine.undo_actions import RemoveTransfer


async def as_seen(books: Books, actions: Sequence[Action]) -> list[Action]:
    """
    *actions*, payments with their invoices, and removals with what they remove, as the mirror, just refreshed, has
    them: by these a change is seen.
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
        case _:
            return None


async def refused_before(books: Books, actions: Iterable[Action]) -> dict[Pending, tuple[str, ...]]:
    """Xero's words on those of *actions* that it refused before, where nothing they rest on has changed since."""
    own = {each.itself: each for each in actions if not isinstance(each, Adopt)}
    known = await intents_of(books, own)
    told = ((each, known.get(intent_key(books.tenant, itself))) for itself, each in own.items())
    return {
        each.itself: intent.messages
        for each, intent in told
        if intent is not None and intent.state is State.REJECTED and not retries(intent, each.seen, always=False)
    }


def words_on(actions: Iterable[Action], refused: Mapping[Pending, tuple[str, ...]]) -> tuple[str, ...]:
    """What Xero said of those of *actions* that it *refused*, each once."""
    return tuple(dict.fromkeys(text for each in actions for text in refused.get(each.itself, ())))
