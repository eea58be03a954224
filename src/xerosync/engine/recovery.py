"""Closing what an earlier run left open: read back first, then send again only what is certainly not there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from attrs import evolve

from xerosync.client._books import Books
from xerosync.engine.actions import BILL_PAYMENT
from xerosync.engine.intents import OPEN_STATES, Intent, read_intent, seen_in
from xerosync.engine.kinds import kind_of, rank
from xerosync.engine.lease import take
from xerosync.engine.mirror import records
from xerosync.engine.observed import stamps_now
from xerosync.engine.plans import Finding, Recovery
from xerosync.engine.posting import Poster
from xerosync.engine.probes import Found, conclude
from xerosync.engine.states import State, may_move
from xerosync.events import Event

_LOOKED_AT: Final = (*OPEN_STATES, State.CONFLICT)
_WITHDRAWN: Final = "its document has changed in Xero since it was planned, so it was not sent"


async def recover(books: Books) -> Recovery:
    """
    Close every open intent of the organisation, waiting out the quarantine of the doubtful ones first.

    Raises what a call raises when Xero cannot be asked; nothing is lost then, and a later recovery goes on.
    """
    if not await books.storage.query("intent", books.tenant, states=_LOOKED_AT, limit=1):
        return Recovery()
    lease = await take(books)
    try:
        return await close_open(Poster(books, lease))
    finally:
        await lease.release()


async def close_open(poster: Poster) -> Recovery:
    """`recover`, under a lease already held."""
    books = poster.books
    found = 0
    opened = [read_intent(record) async for record in records(books, "intent", states=_LOOKED_AT)]
    if not opened:
        return Recovery()
    doubtful = [intent for intent in opened if intent.state is not State.INTENDED]
    if doubtful:
        await _wait_out(books, doubtful)
        doubtful = await _settle(poster, doubtful)
        found = sum(intent.state is State.CONFIRMED for intent in doubtful)
    certain = [intent for intent in opened if intent.state is State.INTENDED]
    again = [intent for intent in doubtful if intent.state is State.INTENDED]
    wanted, withdrawn = await _still_wanted(poster, [*certain, *again])
    posted = await poster.post(sorted(wanted, key=lambda intent: rank(intent.operation.kind)))
    ended = [*posted, *withdrawn, *(intent for intent in doubtful if intent.state is not State.INTENDED)]
    recovery = Recovery(
        found=found,
        posted=Counter(intent.operation.kind for intent in posted if intent.state is State.CONFIRMED),
        open=sum(intent.state is State.UNKNOWN for intent in ended),
        findings=tuple(filter(None, map(finding_for, ended))),
    )
    books.tell(Event.RECOVERED, found=recovery.found, sent=recovery.sent, open=recovery.open)
    return recovery


async def _still_wanted(poster: Poster, intents: Sequence[Intent]) -> tuple[list[Intent], list[Intent]]:
    """*intents* that may be sent, and those withdrawn because what they were decided on is no longer so."""
    seen = {intent.key: seen_in(intent.basis) for intent in intents}
    stamps = await stamps_now(poster.books, (each for group in seen.values() for each in group))
    wanted = [intent for intent in intents if all(stamps[each] == each.stamp for each in seen[intent.key])]
    kept = {intent.key for intent in wanted}
    stale = [intent.moved(State.REJECTED, messages=(_WITHDRAWN,)) for intent in intents if intent.key not in kept]
    return wanted, await poster.keep(stale)


async def _wait_out(books: Books, doubtful: Sequence[Intent]) -> None:
    claimed = max(intent.claimed_at for intent in doubtful if intent.claimed_at is not None)
    left = claimed + timedelta(seconds=books.quarantine_s) - books.clock.now()
    if left > timedelta():
        books.tell(Event.WAITING, reason="a write may still be on its way", seconds=left.total_seconds())
        await books.clock.sleep(left.total_seconds())


async def _settle(poster: Poster, doubtful: Sequence[Intent]) -> list[Intent]:
    """Look for each doubtful write in Xero and put it into the state that follows."""
    unsure = [intent.moved(State.UNKNOWN) if intent.state is State.SENT else intent for intent in doubtful]
    by_kind: dict[str, list[Intent]] = defaultdict(list)
    for intent in unsure:
        by_kind[intent.operation.kind].append(intent)
    settled: list[Intent] = []
    for name, intents in by_kind.items():
        found = await kind_of(name).probe(poster.books, intents)
        settled += await poster.keep([_concluded(intent, found) for intent in intents])
    return settled


def _concluded(intent: Intent, found: Mapping[str, Sequence[Found]]) -> Intent:
    seen = found.get(intent.key, ())
    state = conclude(seen)
    if state is State.INTENDED and intent.state is State.UNKNOWN:
        return evolve(intent.moved(state), generation=intent.generation + 1)
    if not may_move(intent.state, state):
        return intent
    ours = [each.xero_id for each in seen if (each.ours or state is State.SUSPECT) and each.stands]
    ours = ours or [each.xero_id for each in seen if each.ours]
    return intent.moved(state, xero_id=ours[0] if len(ours) == 1 else None)


def finding_for(intent: Intent) -> Finding | None:
    """What a person must know of an intent that did not simply end well."""
    about = intent.operation.host_ref.removeprefix(BILL_PAYMENT)
    match intent.state:
        case State.REJECTED if intent.messages == (_WITHDRAWN,):
            return Finding(code="changed since planned", about=about, cause=_WITHDRAWN, fix="plan again", retry=True)
        case State.REJECTED:
            return Finding(
                code="refused by Xero",
                about=about,
                cause=" | ".join(intent.messages),
                fix="correct the cause Xero names, then plan again with retry_refused=True",
                retry=True,
            )
        case State.UNKNOWN:
            return Finding(
                code="outcome unknown",
                about=about,
                cause="Xero did not answer after it was sent; it may have been recorded",
                fix="call recover(), which looks before it sends again",
                who="nobody, it is automatic",
                retry=True,
            )
        case State.REMOVED:
            return Finding(
                code="removed in Xero",
                about=about,
                cause="it was written, and somebody removed it in Xero since",
                fix="find out why; to write it again, submit it under a new id",
                who="the bookkeeper",
            )
        case State.CONFLICT:
            return Finding(
                code="found twice in Xero",
                about=about,
                cause="more than one document in Xero carries its mark",
                fix="remove all but one in Xero, then call recover()",
                who="the bookkeeper",
            )
        case State.SUSPECT:
            return Finding(
                code="perhaps typed by hand",
                about=about,
                cause="Xero holds one with the same document, day and amount that this library did not write",
                fix="decide whether it is the same; if so leave it, if not submit this one under a new id",
                who="the bookkeeper",
            )
        case _:
            return None
