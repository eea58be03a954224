"""What puts something back, as it can be planned: known again where it is in Xero already, or was refused there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from attrs import evolve, frozen

from xerosync.client._books import Books
from xerosync.engine.actions import Action, Adopt, Pay, Pending, RemoveMoney, RemovePayment, Seen
from xerosync.engine.forgotten import taken_over
from xerosync.engine.hindrances import hindrances
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


@frozen(kw_only=True)
class PutBack:
    """
    What puts something back, as it can be planned: *actions*, none where Xero would refuse one of them, and *stays*
    says why; and Xero's words where it *refused* them before.
    """

    actions: tuple[Action, ...] = ()
    refused: tuple[str, ...] = ()
    stays: str = ""


async def put_back(books: Books, wanted: Iterable[Sequence[Action]]) -> list[PutBack]:
    """
    What of all that is *wanted*, each by its own, can be planned: what is in Xero already, by its mark, is taken over.

    Of all at once: each time that the mirror is brought up to date costs a call.
    """
    groups = list(wanted)
    every = [action for group in groups for action in group]
    hindered = await hindrances(books, every)
    # What was put back before the store was set back is in Xero already.
    known = await taken_over(books, await as_seen(books, every))
    refused, met = await _refused_before(books, known), iter(known)
    found: list[PutBack] = []
    for group in groups:
        actions = tuple(islice(met, len(group)))
        sent = (each.itself for each in actions if not isinstance(each, Adopt))
        stays = next((hindered[itself] for itself in sent if itself in hindered), "")
        found.append(PutBack(stays=stays) if stays else PutBack(actions=actions, refused=_words_on(actions, refused)))
    return found


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
