"""What Xero refused to have put back: told in its words, and not sent again until something makes that worth a try."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import evolve

from xerosync.client._books import Books
from xerosync.engine.actions import Action, Adopt, Pay, Pending, Seen
from xerosync.engine.intents import intent_key, retries
from xerosync.engine.mirror import INVOICES
from xerosync.engine.observed import intents_of, stamped
from xerosync.engine.states import State
from xerosync.models import Invoice


async def as_seen(books: Books, actions: Sequence[Action]) -> list[Action]:
    """*actions*, payments with their invoices as the mirror, just refreshed, has them: by these a change is seen."""
    paid = dict.fromkeys(str(each.invoice) for each in actions if isinstance(each, Pay))
    stamps = {xero_id: stamp for xero_id, (_, stamp) in (await stamped(books, INVOICES, Invoice, paid)).items()}
    return [
        evolve(each, seen=(Seen(INVOICES.name, str(each.invoice), stamps[str(each.invoice)]),))
        if isinstance(each, Pay) and str(each.invoice) in stamps
        else each
        for each in actions
    ]


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
