"""Sending intents: claim, send once, record what became of each. Nothing here is ever sent again blindly."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from itertools import groupby
from typing import Final, cast

from attrs import define, evolve, field

from xerosync.client._books import Books
from xerosync.client._pacing import Turn
from xerosync.client._retry import opens_soon
from xerosync.client._wire.answers import is_refused_unread, lacks_scope, refusal, retry_after_s
from xerosync.client._wire.codec import Json, decode
from xerosync.client._wire.verdicts import NOT_APPLIED, Element, Verdict, verdicts
from xerosync.engine.breaker import Breaker
from xerosync.engine.intents import ANOTHER_FILE, FILE_UNREADABLE, PAID, Intent, idempotency_key, tag_in, text_at
from xerosync.engine.kinds import Kind, kind_of
from xerosync.engine.lease import Lease
from xerosync.engine.probes import conclude, payments_in
from xerosync.engine.states import NEVER_LEFT, State
from xerosync.engine.strays import check_not_behind
from xerosync.engine.trail import Recorder, TrailStep
from xerosync.errors import Unavailable, XerosyncError
from xerosync.events import Event
from xerosync.models import BatchPayment
from xerosync.ports import AnswerLost, NotSent, Response
from xerosync.storage.protocol import Record, RecordKey

_TRIES_MAX: Final = 6
_CHUNK: Final = 1000
_FEWER: Final = 8
_GONE: Final = frozenset({204, 404})
"""Statuses by which Xero says of what was to be deleted that it is there no more (F 5.32)."""


@define
class Poster:
    """Sends intents of one organisation under its lease; *files* give the bytes of those that send a file, by key."""

    books: Books
    lease: Lease
    files: Mapping[str, Callable[[], bytes]] = field(factory=dict[str, "Callable[[], bytes]"])
    tries_max: int = field(default=_TRIES_MAX)
    breaker: Breaker = field(init=False)
    trail: Recorder = field(init=False)
    _content: bytes = field(default=b"", init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.breaker = Breaker(self.books, self.lease)
        self.trail = Recorder.of(self.books, self.lease.fence.epoch)

    @asynccontextmanager
    async def on_record(self) -> AsyncGenerator[None]:
        """Take down all that is done in the block, also when it is broken off by an error."""
        try:
            with self.trail.listening():
                yield
        except XerosyncError as error:
            self.trail.note(TrailStep.STOPPED, error=type(error).__name__)
            with suppress(XerosyncError):
                await self._keep_trail()
            raise
        await self._keep_trail()

    async def commit(self, puts: Sequence[Record], *, deletes: Sequence[RecordKey] = ()) -> None:
        """Keep *puts* and drop *deletes* in one commit, with all that waits to be taken down."""
        lines = self.trail.waiting()
        expect = {each.identity: 0 for each in lines}
        fence = await self.lease.held()
        await self.books.storage.commit([*puts, *lines], deletes=deletes, expect=expect, fence=fence)
        self.trail.kept(lines)

    async def _keep_trail(self) -> None:
        if self.trail.waiting():
            await self.commit([])

    async def post(self, intents: Sequence[Intent]) -> list[Intent]:
        """
        Send *intents*, all `INTENDED` and stored, in batches of one kind and target; return them as they ended.

        Raises `LedgerBehind` before anything is sent, and `Suspended` when too many calls in a row came to nothing.
        """
        ended: list[Intent] = []
        if not intents:
            return ended
        await self.check()
        for batch in batches(intents):
            kind = batch[0].operation.kind
            if kind_of(kind).from_file and (left := await self._left_without_file(batch[0])) is not None:
                ended.append(left)
                continue
            try:
                ended += (posted := await self._post_batch(kind_of(kind), batch))
            except Unavailable:
                await self.breaker.failed()
                raise
            if all(intent.state is State.UNKNOWN for intent in posted):
                await self.breaker.failed()
            else:
                await self.breaker.worked()
            self.books.tell(Event.POSTED, kind=kind, elements=len(batch), done=len(ended), of=len(intents))
        return ended

    async def _left_without_file(self, intent: Intent) -> Intent | None:
        """*intent* as it stays when its file is not at hand, or is another by now; None when it can be sent."""
        open_file = self.files.get(intent.key)
        if open_file is None:
            return intent
        said = ANOTHER_FILE
        try:
            self._content = open_file()
            if hashlib.sha256(self._content).hexdigest() == intent.payload["SHA256"]:
                return None
        except Exception:  # noqa: BLE001 - whatever a host's own function raises is about its one file
            said = FILE_UNREADABLE
        refused = intent.moved(State.REJECTED, messages=(said,))
        (refused,) = await self.keep([refused], before=State.INTENDED)
        return refused

    async def check(self) -> None:
        """Raise `LedgerBehind` or `Suspended` where nothing may be sent now."""
        await check_not_behind(self.books)
        await self.breaker.check()

    async def keep(
        self, intents: Sequence[Intent], also: Sequence[Record] = (), *, before: State | None = None
    ) -> list[Intent]:
        """
        Store *intents* as they now are, if nobody else has moved them, and return them with their new version.

        *before* is where they stood until now; None for those that are new.
        Up to a thousand are one commit; more are several, each whole. With each may go one of *also*, in their order,
        and with a batch that came to be in Xero go its payments, each as if it had been posted alone.
        """
        for start in range(0, len(intents), _CHUNK):
            fence = await self.lease.held()
            chunk = intents[start : start + _CHUNK]
            stored = [intent.record() for intent in chunk]
            paid = await self._paid_in(chunk)
            self.trail.moved(chunk, before)
            lines = self.trail.waiting()
            expect = {record.identity: record.version for record in (*stored, *lines)}
            puts = [*stored, *paid, *also[start : start + _CHUNK], *lines]
            await self.books.storage.commit(puts, expect=expect, fence=fence)
            self.trail.kept(lines)
        return [evolve(intent, version=intent.version + 1) for intent in intents]

    async def _paid_in(self, batches: Sequence[Intent]) -> list[Record]:
        """The payments of those *batches* that came to be in Xero; of removed ones, those not known otherwise."""
        paid = [each.record() for one in batches if one.state is State.CONFIRMED for each in one.as_single()]
        gone = [each.record() for one in batches if one.state is State.REMOVED for each in one.as_single()]
        known = await self.books.storage.get_many([each.identity for each in gone]) if gone else []
        return paid + [
            each for each, before in zip(gone, known, strict=True) if before is None or before.state in NEVER_LEFT
        ]

    async def _post_batch(self, kind: Kind, batch: Sequence[Intent]) -> list[Intent]:
        """*batch* as it ended; halved where Xero cannot read it: one odd value must not take others with it."""
        session = await self.books.session()
        trouble: XerosyncError = Unavailable("Xero could not be reached")
        renewed = False
        for attempt in range(self.tries_max):
            async with session.turn() as turn:
                now = self.books.clock.now()
                batch = await self.keep([intent.claimed(now) for intent in batch], before=State.INTENDED)
                with self.trail.calls_for(batch):
                    response = await self._send(kind, batch, turn)
            if response is None:
                return await self.keep([intent.moved(State.UNKNOWN) for intent in batch], before=State.SENT)
            if isinstance(response, Response) and len(batch) > 1 and is_refused_unread(response):
                batch = await self.keep([intent.moved(State.INTENDED) for intent in batch], before=State.SENT)
                half = len(batch) // 2
                return [*await self._post_batch(kind, batch[:half]), *await self._post_batch(kind, batch[half:])]
            if isinstance(response, Response) and response.status not in NOT_APPLIED:
                return await self.keep(await self._ended(kind, batch, response), before=State.SENT)
            batch = await self.keep([intent.moved(State.INTENDED) for intent in batch], before=State.SENT)
            if isinstance(response, NotSent):
                trouble = Unavailable(str(response))
                await self.books.clock.sleep(float(2**attempt))
            elif response.status == 401 and not lacks_scope(response) and not renewed:
                renewed = True
                await session.renew(turn.token)
            elif response.status == 429 and opens_soon(response):
                trouble = refusal(response)
                await self.books.clock.sleep(retry_after_s(response))
            else:
                raise refusal(response)
        raise trouble

    async def _send(self, kind: Kind, batch: Sequence[Intent], turn: Turn) -> Response | NotSent | None:
        """What came back; `NotSent` when nothing left; None when nobody can say."""
        session = await self.books.session()
        first = batch[0]
        body: Json | bytes = {kind.collection: [dict(each.payload) for each in batch]}
        if kind.from_file:
            body = self._content
        elif kind.method == "DELETE":
            body = b""
        elif kind.bare:
            body = dict(first.payload)
        path = kind.path.format(target=first.target)
        sent_as = "application/octet-stream" if kind.from_file else "application/json"
        try:
            return await session.write(
                kind.method,
                path,
                body,
                turn=turn,
                key=idempotency_key(batch),
                not_after=first.not_after,
                content_type=sent_as,
            )
        except NotSent as nothing:
            return nothing
        except AnswerLost:
            return None

    async def _ended(self, kind: Kind, batch: Sequence[Intent], response: Response) -> list[Intent]:
        if kind.method == "DELETE" and response.status in _GONE:
            return [intent.moved(State.CONFIRMED, xero_id=intent.target) for intent in batch]
        told = verdicts(response, kind.collection, [intent.payload for intent in batch], kind.id_key)
        ended = [_ended(kind, intent, element) for intent, element in zip(batch, told, strict=True)]
        return [await self._already_so(kind, intent) for intent in ended]

    async def _already_so(self, kind: Kind, intent: Intent) -> Intent:
        """*intent*, confirmed when Xero refused it only because it is already so."""
        said = any(text in message for text in kind.accepts for message in intent.messages)
        if intent.state is not State.REJECTED or not said:
            return intent
        found = (await kind.probe(self.books, [intent])).get(intent.key, ())
        if conclude(found) is not State.CONFIRMED:
            return intent
        return evolve(intent, state=State.CONFIRMED, xero_id=found[0].xero_id).paying(found[0].payments)


def batches(intents: Sequence[Intent]) -> Iterator[list[Intent]]:
    """
    *intents* in order, cut where kind or target changes and at the kind's batch size.

    What has ended in doubt before goes in fewer at a time, then alone: one that Xero stumbles over must not take others
    with it for ever (R8).
    """
    for (name, _, attempts), group in groupby(intents, key=_company):
        same = list(group)
        size = max(1, kind_of(name).batch // _FEWER**attempts)
        yield from (same[start : start + size] for start in range(0, len(same), size))


def _company(intent: Intent) -> tuple[str, str, int]:
    """What intents must have in common to go in one call."""
    return intent.operation.kind, intent.target, intent.attempts


def _ended(kind: Kind, intent: Intent, element: Element) -> Intent:
    if element.verdict is Verdict.UNKNOWN or _is_anothers(intent, element):
        return intent.moved(State.UNKNOWN)
    if element.verdict is Verdict.REJECTED:
        return intent.moved(State.REJECTED, messages=element.messages)
    row = element.row or {}
    xero_id, stamp = (row.get(kind.id_key) if kind.id_key else intent.target), row.get("UpdatedDateUTC")
    if not isinstance(xero_id, str) or not xero_id:
        return intent.moved(State.UNKNOWN)
    confirmed = intent.moved(State.CONFIRMED, xero_id=xero_id, messages=element.messages)
    confirmed = evolve(confirmed, stamp=stamp if isinstance(stamp, str) else "")
    if paid := text_at(row, "Invoice", "InvoiceID") or text_at(row, "CreditNote", "CreditNoteID"):
        confirmed = evolve(confirmed, facts={**confirmed.facts, PAID: paid})
    if isinstance(total := row.get("Total"), int | Decimal):
        # Taxes are Xero's to work out: only it knows what the document came to.
        confirmed = evolve(confirmed, facts={**confirmed.facts, "total": str(total)})
    if not intent.members:
        return confirmed
    return confirmed.paying(payments_in(decode(BatchPayment, row, where=kind.collection)))


def _is_anothers(intent: Intent, element: Element) -> bool:
    """Whether *element* is not about *intent*: they come back in the order they were sent (F 5.35), it is said."""
    sent, answered = _mark(intent.payload), _mark(element.row or {})
    return None not in {sent, answered} and sent != answered


def _mark(document: Mapping[str, object]) -> str | None:
    """The mark on *document*, if it is of a kind that carries one: of a payment, a bill, a credit note or a note."""
    lines = document.get("LineItems")
    first = cast(list[Json], lines)[0].get("Description") if isinstance(lines, list) and lines else None
    texts = (document.get("Reference"), document.get("Url"), document.get("Details"), first)
    return next(filter(None, (tag_in(text) for text in texts if isinstance(text, str))), None)
