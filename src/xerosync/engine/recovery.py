"""Closing what an earlier run left open: read back first, then send again only what is certainly not there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, cast

from xerosync.client._books import Books
from xerosync.client._wire.codec import Json
from xerosync.engine.actions import Pay, PayBatch
from xerosync.engine.intents import OPEN_STATES, OVERTAKEN, WITHDRAWN, Intent, read_intent, seen_in
from xerosync.engine.kinds import Kind, kind_of, rank
from xerosync.engine.lease import take
from xerosync.engine.mirror import (
    BANK_TRANSACTIONS,
    BANK_TRANSFERS,
    BATCH_PAYMENTS,
    CREDIT_NOTES,
    INVOICES,
    PAYMENTS,
    Shelf,
    records,
    refresh,
)
from xerosync.engine.observed import stamps_now
from xerosync.engine.outcomes import STILL_OPEN, about_of, finding_for
from xerosync.engine.overtaking import undone_meanwhile
from xerosync.engine.paper_actions import AddNote
from xerosync.engine.plans import Finding, Recovery
from xerosync.engine.posting import Poster
from xerosync.engine.probes import Found, conclude
from xerosync.engine.states import State, may_move
from xerosync.engine.trail import TrailStep
from xerosync.errors import Rejected, ScopeMissing, Unavailable, UnreadableAnswer
from xerosync.events import Event
from xerosync.tables import Listing

_LOOKED_AT: Final = (*OPEN_STATES, State.CONFLICT)
MARKS_ON: Final[Sequence[tuple[Shelf, frozenset[str]]]] = (
    (INVOICES, frozenset({"bill", "sale"})),
    (CREDIT_NOTES, frozenset({"credit_note", "sale_credit"})),
    (PAYMENTS, frozenset({"payment", "refund"})),
    (BATCH_PAYMENTS, frozenset({"batch_payment"})),
    (BANK_TRANSACTIONS, frozenset({"bank_transaction"})),
    (BANK_TRANSFERS, frozenset({"transfer"})),
)
"""Which kinds of write carry a tag, and where it is read again."""


async def recover(books: Books) -> Recovery:
    """
    Close every open intent of the organisation, waiting out the quarantine of the doubtful ones first.

    Raises what a call raises when Xero cannot be asked; nothing is lost then, and a later recovery goes on.
    """
    if not await books.storage.query("intent", books.tenant, states=_LOOKED_AT, limit=1):
        return Recovery()
    lease = await take(books)
    try:
        poster = Poster(books, lease)
        async with poster.on_record():
            recovery = await close_open(poster)
            poster.trail.findings(recovery.findings)
        return recovery
    finally:
        await lease.release()


async def parked(books: Books) -> Listing[Finding]:
    """What is known of every parked write of the organisation."""
    found = [read_intent(record) async for record in records(books, "intent", states=[State.PARKED])]
    return Listing(filter(None, map(finding_for, found)))


async def release(books: Books, host_refs: frozenset[str] | None) -> int:
    """Let the parked writes of *host_refs*, all when None, be looked at again; how many there were."""
    lease = await take(books)
    try:
        found = [read_intent(record) async for record in records(books, "intent", states=[State.PARKED])]
        chosen = [each for each in found if host_refs is None or about_of(each) in host_refs]
        await Poster(books, lease).keep([intent.released() for intent in chosen], before=State.PARKED)
        return len(chosen)
    finally:
        await lease.release()


async def close_open(poster: Poster) -> Recovery:
    """`recover`, under a lease already held."""
    books = poster.books
    found = 0
    opened = [read_intent(record) async for record in records(books, "intent", states=_LOOKED_AT)]
    if not opened:
        return Recovery()
    began = books.clock.now()
    put_off = [intent for intent in opened if not intent.is_due(began)]
    certain = [intent for intent in opened if intent.state is State.INTENDED and intent.is_due(began)]
    doubtful = [intent for intent in opened if intent.state is not State.INTENDED and intent.is_due(began)]
    if doubtful:
        await _wait_out(books, doubtful)
        doubtful = await _settle(poster, doubtful, put_off)
        found = sum(intent.state is State.CONFIRMED for intent in doubtful)
        if found:
            await poster.breaker.worked()
    # An older store may not know that these were sent: their marks must have been looked for once more (C15).
    kinds = {intent.operation.kind for intent in certain}
    await refresh(books, *(shelf for shelf, marked in MARKS_ON if kinds & marked))
    certain, noted = await _looked_for(poster, certain)
    now = books.clock.now()
    again = [intent for intent in doubtful if intent.state is State.INTENDED]
    put_off += [intent for intent in again if not intent.is_due(now)]
    wanted, withdrawn = await _still_wanted(poster, [*certain, *(each for each in again if each.is_due(now))])
    posted = await poster.post(sorted(wanted, key=_turn))
    settled = [intent for intent in doubtful if intent.state is not State.INTENDED]
    ended = [*posted, *withdrawn, *settled, *noted, *put_off]
    recovery = Recovery(
        found=found,
        posted=Counter(intent.operation.kind for intent in posted if intent.state is State.CONFIRMED),
        in_batches=sum(len(intent.members) for intent in posted if intent.state is State.CONFIRMED),
        open=sum(intent.state is State.UNKNOWN for intent in ended),
        findings=tuple(one for one in map(finding_for, ended) if one is not None and one.code != STILL_OPEN),
    )
    poster.trail.note(TrailStep.RECOVERED, found=recovery.found, sent=recovery.sent, open=recovery.open)
    books.tell(Event.RECOVERED, found=recovery.found, sent=recovery.sent, open=recovery.open)
    return recovery


async def _looked_for(poster: Poster, certain: Sequence[Intent]) -> tuple[list[Intent], list[Intent]]:
    """
    Those of *certain* that may be sent, and the notes that may not: they are in Xero all the same, or it does not say.

    No list of Xero shows notes, so that a store older than the books cannot know by a stray mark that one was sent.
    """
    notes = [intent for intent in certain if intent.operation.kind == AddNote.kind]
    if not notes:
        return list(certain), []
    found = await look(poster.books, kind_of(AddNote.kind), notes)
    now = poster.books.clock.now()
    there = [intent.moved(State.UNKNOWN) for intent in notes if found.get(intent.key)]
    looked = [concluded(intent, found[intent.key], now) for intent in there]
    ended = await poster.keep(looked, before=State.UNKNOWN)
    silent = [intent for intent in notes if intent.key not in found]
    left = {intent.key for intent in (*ended, *silent)}
    return [intent for intent in certain if intent.key not in left], [*ended, *silent]


def _turn(intent: Intent) -> tuple[int, int]:
    """What may take others with it goes after them."""
    return rank(intent.operation.kind), intent.attempts


async def _still_wanted(poster: Poster, intents: Sequence[Intent]) -> tuple[list[Intent], list[Intent]]:
    """*intents* that may be sent, and those withdrawn because what they were decided on is no longer so."""
    seen = {intent.key: seen_in(intent.basis) for intent in intents}
    stamps = await stamps_now(poster.books, (each for group in seen.values() for each in group))
    # What was never in doubt was closed before anything could be undone.
    undone = await undone_meanwhile(poster.books, [each for each in intents if each.attempts])
    wanted: list[Intent] = []
    stale: list[Intent] = []
    for intent in intents:
        if intent.key in undone:
            stale.append(intent.moved(State.REJECTED, messages=(OVERTAKEN,)))
        elif all(stamps[each] == each.stamp for each in seen[intent.key]):
            wanted.append(intent)
        else:
            stale.append(intent.moved(State.REJECTED, messages=(WITHDRAWN,)))
    return wanted, await poster.keep(stale, before=State.INTENDED)


async def _wait_out(books: Books, doubtful: Sequence[Intent]) -> None:
    now = books.clock.now() - await _ahead(books)
    ends = [each.claimed_at + timedelta(seconds=books.quarantine_s) for each in doubtful if each.claimed_at is not None]
    # All were claimed before now, so that none is waited for longer, whatever another machine's clock said.
    left = min(max(ends, default=now) - now, timedelta(seconds=books.quarantine_s))
    if left > timedelta():
        await let_arrive(books, left.total_seconds())


async def let_arrive(books: Books, seconds: float) -> None:
    """Wait for what may still be on its way."""
    books.tell(Event.WAITING, reason="a write may still be on its way", seconds=seconds)
    await books.clock.sleep(seconds)


async def _ahead(books: Books) -> timedelta:
    """How far this machine's clock is ahead of Xero's: by such a one, what is in doubt would seem older than it is."""
    if books.ahead is None:
        with suppress(ScopeMissing):
            await books.organisation()
    return max(books.ahead or timedelta(), timedelta())


async def _settle(poster: Poster, doubtful: Sequence[Intent], put_off: Sequence[Intent]) -> list[Intent]:
    """Look for each doubtful write in Xero, but for those *put_off*, and put it into the state that follows."""
    unsure = [intent.moved(State.UNKNOWN) if intent.state is State.SENT else intent for intent in doubtful]
    by_kind: dict[str, list[Intent]] = defaultdict(list)
    for intent in unsure:
        by_kind[intent.operation.kind].append(intent)
    settled: list[Intent] = []
    # The payments of a batch carry no mark: they must be known before others of the same amount and day are looked for.
    undecided = {member.invoice for each in put_off if each.state is not State.INTENDED for member in each.members}
    for name in sorted(by_kind, key=lambda name: name != PayBatch.kind):
        intents = by_kind[name]
        clear = [each for each in intents if _pays(each) not in undecided]
        found = await look(poster.books, kind_of(name), clear) if clear else {}
        now = poster.books.clock.now()
        ended = [concluded(intent, found.get(intent.key), now) for intent in intents]
        undecided |= {member.invoice for each in ended if each.state is State.UNKNOWN for member in each.members}
        settled += await poster.keep(ended, before=State.UNKNOWN)
    return settled


def _pays(intent: Intent) -> str | None:
    """The id of the invoice or bill that *intent* pays by itself."""
    invoice = intent.payload.get("Invoice") if intent.operation.kind == Pay.kind else None
    return str(cast(Json, invoice).get("InvoiceID")) if isinstance(invoice, dict) else None


async def look(books: Books, kind: Kind, intents: Sequence[Intent]) -> dict[str, Sequence[Found]]:
    """
    What is found in Xero of *intents*, by their keys; the key of one about which no answer can be had is not there.

    One that cannot be looked for does not keep the others from it. Raises where Xero cannot be asked at all.
    """
    try:
        return dict(await kind.probe(books, intents))
    except (Rejected, UnreadableAnswer, Unavailable):
        if len(intents) > 1:
            each_alone = [await look(books, kind, [intent]) for intent in intents]
            return {key: found for one in each_alone for key, found in one.items()}
    with suppress(ScopeMissing):
        await books.organisation()  # where this fails too, it is Xero that is away, and not this one document
    return {}


def concluded(intent: Intent, seen: Sequence[Found] | None, now: datetime) -> Intent:
    """*intent* after a look at what is *seen* in Xero; None where Xero gave no answer, which is no "not there" (R5)."""
    if seen is None:
        return intent.doubted(now, answered=False) if intent.state is State.UNKNOWN else intent
    state = conclude(seen)
    if state is State.INTENDED and intent.state is State.UNKNOWN:
        return intent.doubted(now, answered=True)
    if not may_move(intent.state, state):
        return intent
    ours = [each.xero_id for each in seen if (each.ours or state is State.SUSPECT) and each.stands]
    ours = ours or [each.xero_id for each in seen if each.ours]
    # Where all are gone, any of them says what was removed.
    named = ours[0] if len(ours) == 1 or state is State.REMOVED else None
    ended = intent.moved(state, xero_id=named)
    found = [each.payments for each in seen if each.xero_id == ended.xero_id]
    return ended.paying(found[0] if found else {})
