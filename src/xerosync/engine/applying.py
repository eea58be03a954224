"""Applying a plan: exactly its actions, each journalled before it is sent, those that others rest on first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from attrs import define, evolve, field

from xerosync.client._books import Books
from xerosync.client._wire.codec import Json
from xerosync.engine import runs
from xerosync.engine.actions import (
    Action,
    Adopt,
    Allocate,
    CreateBill,
    CreateSaleCredit,
    Link,
    Pay,
    PayBatch,
    Pending,
    Ref,
    Refund,
    RemovePayment,
    TransactionLink,
)
from xerosync.engine.batches import unsettled, without
from xerosync.engine.exclusive import refused_links
from xerosync.engine.forgotten import met_before
from xerosync.engine.intents import DISMISSED, Intent, basis_of, intent_key, mark_of
from xerosync.engine.kinds import KINDS, Ids, kind_of, members_of, rank, target_of
from xerosync.engine.lease import take
from xerosync.engine.mirror import stored
from xerosync.engine.observed import intents_of, intents_with, stamps_now
from xerosync.engine.outcomes import finding_for
from xerosync.engine.overtaking import undone_since
from xerosync.engine.paper_actions import AddNote, AllocateOverpayment, Attach
from xerosync.engine.plans import Finding, Plan, Recovery, Report, Result
from xerosync.engine.posting import Poster
from xerosync.engine.recovery import close_open
from xerosync.engine.restoring import RESTORED
from xerosync.engine.rivals import is_overtaken, rivals
from xerosync.engine.settling_policies import closed_up_to
from xerosync.engine.states import State
from xerosync.engine.strays import ADOPTED, check_not_behind, stray_record
from xerosync.engine.undo_flow import is_more_to_undo
from xerosync.engine.written_on import TYPED, TYPED_FOR_ONE
from xerosync.errors import InvalidInput
from xerosync.events import Event
from xerosync.storage.protocol import Record, RecordKey

_CHUNK: Final = 1000
_CHANGED: Final = "its document has changed in Xero since this was planned"
_OTHERWISE: Final = "it was posted otherwise since this was planned"
_UNDONE: Final = "its settlement or run was undone, or something of it, since this was planned"
_ANOTHERS: Final = "what was to be taken over in Xero is another one's meanwhile"
_TAKEN_WITH: Final[Mapping[str, str]] = {
    CreateBill.kind: Pay.kind,
    Pay.kind: CreateBill.kind,
    Refund.kind: CreateSaleCredit.kind,
}
"""What is taken over, or left out, together under one name; one credit note may be given back in several parts."""


async def apply(books: Books, plan: Plan, *, is_fresh: bool = False) -> Report:
    """
    Do what *plan* says, and nothing else; what is already done is skipped, so a plan may be applied again.

    Open intents of earlier runs are closed first. An action whose document has changed in Xero since the plan was made
    is left out by itself, as a finding. Raises `RateLimited`, `ReconnectNeeded`, `NotAuthorised` or `Unavailable` when
    Xero cannot be written to now; whatever was done until then is recorded, and applying again goes on. *is_fresh* says
    that the mirror was read for this plan, one of many, and is not read again for each.
    """
    if plan.tenant != books.tenant:
        raise InvalidInput("plan", "it was made for another organisation")
    if not plan.actions:
        if plan.findings:
            # They may be about what the ledger has forgotten, and would come again for ever.
            await check_not_behind(books)
        return Report(findings=plan.findings)
    session = await books.session()
    before = session.usage
    files = {intent_key(books.tenant, each.itself): each.content for each in plan.actions if isinstance(each, Attach)}
    lease = await take(books)
    try:
        poster = Poster(books, lease, files)
        async with poster.on_record():
            began = await runs.begin(poster, plan)
            work = _Applying(books, poster, is_fresh)
            await work.run(plan)
            report = Report(
                results=tuple(work.results),
                findings=tuple(work.findings),
                calls=session.usage.calls - before.calls,
                recovered=work.recovered,
                run=poster.trail.run,
                bytes_up=session.usage.bytes_up - before.bytes_up,
                bytes_down=session.usage.bytes_down - before.bytes_down,
                calls_needed=_calls_needed(work.results),
            )
            done = report.done(*plan.counts())
            await runs.end(poster, began, report, done=done)
    finally:
        await lease.release()
    _tell(books, plan, report, done)
    return report


def _tell(books: Books, plan: Plan, report: Report, done: int) -> None:
    books.tell(
        Event.APPLIED,
        kinds=runs.kinds_in_words(plan),
        done=done,
        findings=len(report.findings),
        calls=report.calls,
        bytes_up=report.bytes_up,
        bytes_down=report.bytes_down,
        calls_needed=report.calls_needed,
    )


def _calls_needed(results: Iterable[Result]) -> int:
    """The fewest calls that take what was written of *results*."""
    sent = Counter(each.action.kind for each in results if each.state is not None and not each.earlier)
    return sum(-(-count // kind_of(kind).batch) for kind, count in sent.items() if kind in KINDS)


@define
class _Applying:
    books: Books
    poster: Poster
    is_fresh: bool = False
    results: list[Result] = field(factory=list[Result])
    findings: list[Finding] = field(factory=list[Finding])
    recovered: Recovery = field(factory=Recovery)
    _ids: dict[Pending, str] = field(factory=dict[Pending, str])
    _undone: frozenset[Pending] = frozenset()

    async def run(self, plan: Plan) -> None:
        self.recovered = await close_open(self.poster)
        self.findings += self.recovered.findings
        self._undone = await undone_since(self.books, plan)
        wanted = await self._not_done(plan.actions)
        waiting = await self._current(wanted)
        why = ""
        if plan.whole and len(waiting) < len(wanted):
            why = "another thing that it belongs to has changed in Xero since"
        elif plan.whole and len(wanted) == len(plan.actions):
            why = await self._why_not_begun(plan)
        if why:
            for action in waiting:
                self._left_out(action, "held back", why)
            return
        # Not every plan looks for marks that the store had forgotten: those that an audit has met are not sent again.
        waiting = await met_before(self.books, waiting)
        while waiting:
            ready = [action for action in waiting if all(need in self._ids for need in action.needs)]
            if not ready:
                break
            await self._write(ready)
            done = {action.itself for action in ready}
            waiting = [action for action in waiting if action.itself not in done]
        self._hold_back(waiting)

    async def _why_not_begun(self, plan: Plan) -> str:
        """Why a *plan* that is done whole or not at all is not begun; blank where nothing is known against it."""
        closed = closed_up_to(await self.books.organisation())
        if closed is not None and (plan.closed_up_to is None or closed > plan.closed_up_to):
            return f"the books were closed up to {closed} in Xero since"
        if await is_more_to_undo(self.books, plan):
            return "more of what it undoes was posted, or paid out, since this was planned"
        return ""

    async def _not_done(self, actions: Sequence[Action]) -> list[Action]:
        """Drop what is done already, and what a person must look at first."""
        inside = [each for action in actions if isinstance(action, PayBatch) for each in action.payments]
        writes = [each for each in (*actions, *inside) if not isinstance(each, Link)]
        asked = [each for action in writes for each in (action.itself, *rivals(action))]
        known = await intents_of(self.books, asked)
        if any(isinstance(action, Pay | PayBatch) for action in actions):
            known = {**(await unsettled(self.books)).intents, **known}
        open_: list[Action] = []
        otherwise = self._taken_otherwise(actions, known)
        for planned in actions:
            if isinstance(planned, Link):
                open_.append(planned)  # it is looked for when its turn comes: nothing of it is ever under way
                continue
            action = self._without_paid(planned, known)
            if action is None:
                continue
            intent = known.get(intent_key(self.books.tenant, action.itself))
            if action.itself in otherwise:
                self._left_out(action, "changed since planned", _OTHERWISE)
            # One that is still intended was put off when the open ones were closed.
            elif intent is not None and intent.state is not State.REJECTED and not _is_answer(action, intent):
                self._result(action, intent, earlier=True)
            elif self._is_overtaken(action, known):
                self._left_out(action, "changed since planned", _OTHERWISE)
            elif action.itself in self._undone:
                self._left_out(action, "changed since planned", _UNDONE)
            else:
                open_.append(action)
        return open_

    def _taken_otherwise(self, actions: Iterable[Action], known: Mapping[str, Intent]) -> AbstractSet[Pending]:
        """What would take over another document than stands for it by now, with what is taken over together with it."""
        adopted = [each for each in actions if isinstance(each, Adopt)]
        lost = {
            (each.adopted_kind, each.host_ref)
            for each in adopted
            if each.xero_id and each.adopted_kind in TYPED
            if (intent := known.get(intent_key(self.books.tenant, each.itself))) is not None
            if intent.state is State.CONFIRMED and intent.xero_id not in {None, each.xero_id}
        }
        return _taken_with(adopted, lost)

    def _is_overtaken(self, action: Action, known: Mapping[str, Intent]) -> bool:
        return is_overtaken(action, lambda rival: known.get(intent_key(self.books.tenant, rival)))

    def _without_paid(self, action: Action, known: Mapping[str, Intent]) -> Action | None:
        """*action*, if it is a batch without the payments that were posted otherwise, or undone; None if all were."""
        own = known.get(intent_key(self.books.tenant, action.itself))
        if not isinstance(action, PayBatch) or (own is not None and own.state is not State.REJECTED):
            return action
        intents = {each.itself: known.get(intent_key(self.books.tenant, each.itself)) for each in action.payments}
        left = self._smaller(action, [each for each in action.payments if each.itself in self._undone], _UNDONE)
        if left is None:
            return None
        paid = [
            each
            for each in left.payments
            if ((intent := intents[each.itself]) is not None and intent.state is not State.REJECTED)
            or self._is_overtaken(each, known)
        ]
        return self._smaller(left, paid, _OTHERWISE)

    def _smaller(self, batch: PayBatch, left_out: Sequence[Pay], cause: str) -> PayBatch | None:
        """*batch* without the payments *left_out*, each a finding; None where no other is left."""
        for payment in left_out:
            self._left_out(payment, "changed since planned", cause)
        return without(batch, left_out) if len(left_out) < len(batch.payments) else None

    async def _current(self, actions: Sequence[Action]) -> list[Action]:
        """Drop the actions whose documents have changed in Xero since they were planned."""
        met = (seen for action in actions for seen in action.seen)
        stamps = await stamps_now(self.books, met, is_fresh=self.is_fresh)
        current: list[Action] = []
        for planned in actions:
            action = planned
            if isinstance(action, PayBatch):
                stale = [pay for pay in action.payments if any(stamps[seen] != seen.stamp for seen in pay.seen)]
                smaller = self._smaller(action, stale, _CHANGED)
                if smaller is None:
                    continue
                action = smaller
            if all(stamps[seen] == seen.stamp for seen in action.seen):
                current.append(action)
            else:
                self._left_out(action, "changed since planned", _CHANGED)
        return current

    async def _write(self, ready: Sequence[Action]) -> None:
        links = [action for action in ready if isinstance(action, Link)]
        adopted = [action for action in ready if isinstance(action, Adopt)]
        writes = [action for action in ready if not isinstance(action, Link | Adopt)]
        await self._link(links)
        await self._adopt(adopted)
        for group in _waves(writes, self._id_of):
            await self._send(group)

    async def _link(self, links: Sequence[Link]) -> None:
        known = [evolve(link, xero_id=self._id_of(link.xero_id)) for link in links]
        refused = await refused_links(self.books, known)
        for link in known:
            if link.itself in refused:
                self._left_out(link, *refused[link.itself])
        kept = [link for link in known if link.itself not in refused]
        for start in range(0, len(kept), _CHUNK):
            fresh = await self._as_planned(kept[start : start + _CHUNK])
            remembered = [each for link in fresh for each in (link.record(self.books.tenant), *link.besides)]
            forgotten = [RecordKey("link", self.books.tenant, link.undoes) for link in fresh if link.undoes]
            self.poster.trail.linked(fresh)
            await self.poster.commit(remembered, deletes=forgotten)
            self.results += [Result(action=link, state=State.CONFIRMED, xero_id=link.linked_id) for link in fresh]

    async def _as_planned(self, links: Sequence[Link]) -> list[Link]:
        """
        Drop the links of transactions that are kept already, and those whose transaction, or what else is kept with
        them, has changed meanwhile.
        """
        own = [link.record(self.books.tenant) for link in links]
        besides = [each.identity for link in links for each in link.besides]
        asked = [*(each.identity for each in own), *besides]
        kept = {record.identity: record for record in await stored(self.books, asked)}
        fresh: list[Link] = []
        for link, record in zip(links, own, strict=True):
            before = kept.get(record.identity)
            if not all(_takes_the_place(each, kept.get(each.identity)) for each in link.besides):
                self._left_out(link, "changed since planned", _OTHERWISE)
            elif not isinstance(link, TransactionLink) or link.fits(before):
                fresh.append(link)
            elif before is not None and before.body == record.body:
                self.results.append(Result(action=link, state=State.CONFIRMED, xero_id=link.linked_id, earlier=True))
            else:
                self._left_out(link, "changed since planned", "its transaction has changed since this was planned")
        return fresh

    async def _adopt(self, adopted: Sequence[Adopt]) -> None:
        adopted = await self._free(adopted)
        known = await intents_of(self.books, (action.itself for action in adopted))
        for before in (None, State.SUSPECT, State.REJECTED):
            group = [each for each in adopted if self._before(each, known) is before]
            intents = [self._adopted(each, known) for each in group]
            self.poster.trail.decided(group)
            strays = [
                stray_record(self.books, intent.tag, intent.xero_id, ADOPTED) for intent in intents if intent.xero_id
            ]
            for action, intent in zip(group, await self.poster.keep(intents, strays, before=before), strict=True):
                self._result(action, intent)

    async def _free(self, adopted: Sequence[Adopt]) -> list[Adopt]:
        """
        Drop what is known by now to be another one of ours: payments of a batch carry no mark, and of what people
        typed another plan may have taken it over. Also what would take a payment for gone that was put back meanwhile.
        """
        free: list[Adopt] = []
        lost = await self._anothers(adopted)
        removed = [action for action in adopted if action.adopted_kind == RemovePayment.kind]
        anew = await intents_with(self.books, lookup=RESTORED) if removed else []
        standing = {
            each.operation.host_ref: each.xero_id
            for each in sorted(anew, key=lambda one: one.operation.revision)
            if each.operation.kind == Pay.kind and each.state is not State.REJECTED
        }
        for action in adopted:
            if action in removed and standing.get(action.host_ref, action.xero_id) != action.xero_id:
                self._left_out(action, "changed since planned", _OTHERWISE)
            elif action.itself in lost:
                self._left_out(action, "changed since planned", _ANOTHERS)
            else:
                free.append(action)
        return free

    async def _anothers(self, adopted: Sequence[Adopt]) -> AbstractSet[Pending]:
        """What of those *adopted* is another one's by now: a bill with its payment, and a refund with its note."""
        lost: set[tuple[str, str]] = set()
        taken: set[tuple[str, str]] = set()
        for action in adopted:
            document = (action.adopted_kind, action.xero_id)
            if action.xero_id and action.adopted_kind in TYPED_FOR_ONE:
                known = await intents_with(self.books, lookup=("xero_id", action.xero_id))
                others = (each.operation for each in known if each.operation != action.itself)
                if document in taken or any(each.kind == action.adopted_kind for each in others):
                    lost.add((action.adopted_kind, action.host_ref))
            taken.add(document)
        return _taken_with(adopted, lost)

    def _before(self, action: Adopt, known: Mapping[str, Intent]) -> State | None:
        intent = known.get(intent_key(self.books.tenant, action.itself))
        return None if intent is None else intent.state

    def _adopted(self, action: Adopt, known: Mapping[str, Intent]) -> Intent:
        intent = Intent(
            tenant=self.books.tenant,
            operation=Pending(action.adopted_kind, action.host_ref, action.revision),
            payload=self._payload(action.write) if action.write is not None else action.payload,
            state=action.ends,
            xero_id=action.xero_id or None,
            messages=(DISMISSED,) if action.ends is State.REJECTED else (),
            facts=action.facts,
        )
        earlier = known.get(intent.key)
        return intent if earlier is None else evolve(intent, version=earlier.version)

    async def _send(self, actions: Sequence[Action]) -> None:
        await self.poster.check()
        intents = await self._intended(actions)
        ended = {intent.key: intent for intent in await self.poster.post(intents)}
        for action, intent in zip(actions, intents, strict=True):
            self._result(action, ended[intent.key])

    async def _intended(self, actions: Sequence[Action]) -> list[Intent]:
        """The intents of *actions*, durable before anything is sent."""
        known = await intents_of(self.books, (action.itself for action in actions))
        self.poster.trail.decided(actions)
        return await self.poster.keep([self._intent(action, known) for action in actions])

    def _intent(self, action: Action, known: Mapping[str, Intent]) -> Intent:
        fresh = Intent(
            tenant=self.books.tenant,
            operation=action.itself,
            payload=self._payload(action),
            target=target_of(action, self._id_of),
            basis=basis_of(action.seen),
            facts=action.facts,
            members=members_of(action, self._id_of),
        )
        earlier = known.get(fresh.key)
        if earlier is None:
            return fresh
        return evolve(fresh, version=earlier.version, generation=earlier.generation + 1, attempts=earlier.attempts)

    def _payload(self, action: Action) -> Json:
        mark = mark_of(intent_key(self.books.tenant, action.itself), self.books.app.client_id)
        return kind_of(action.kind).encode(action, self._id_of, mark)

    def _id_of(self, ref: Ref) -> str:
        return self._ids[ref] if isinstance(ref, Pending) else ref

    def _result(self, action: Action, intent: Intent, *, earlier: bool = False) -> None:
        if intent.state is State.CONFIRMED and intent.xero_id:
            self._ids[action.itself] = intent.xero_id
            self._ids |= {each.operation: each.xero_id for each in intent.members if each.xero_id}
        self.results.append(
            Result(action=action, state=intent.state, xero_id=intent.xero_id, messages=intent.messages, earlier=earlier)
        )
        finding = finding_for(intent)
        if finding is not None:
            self.findings.append(finding)

    def _hold_back(self, actions: Iterable[Action]) -> None:
        for action in actions:
            self._left_out(action, "held back", "what it rests on did not come to be")

    def _left_out(self, action: Action, code: str, cause: str) -> None:
        self.results.append(Result(action=action, state=None))
        self.poster.trail.left_out(action, code, cause)
        if isinstance(action, AddNote):
            return  # what it would tell of did not come to be, and is a finding of its own
        self.findings.append(
            Finding(
                code=code,
                about=action.host_ref,
                cause=cause,
                fix="plan again",
                who="nobody, it is automatic",
                retry=True,
            )
        )


def _taken_with(adopted: Iterable[Adopt], lost: AbstractSet[tuple[str, str]]) -> AbstractSet[Pending]:
    """Those of the *adopted* of which a kind and name is *lost*, and what is taken over together with them."""
    every = lost | {(_TAKEN_WITH[kind], name) for kind, name in lost if kind in _TAKEN_WITH}
    return {each.itself for each in adopted if (each.adopted_kind, each.host_ref) in every}


def _takes_the_place(record: Record, before: Record | None) -> bool:
    """Whether *record* was made of what is kept *before* it, or is kept already."""
    return before is not None and (before.version == record.version or before.body == record.body)


def _is_answer(action: Action, intent: Intent) -> bool:
    """Whether *action* is what a person says of a write that was held back."""
    return isinstance(action, Adopt) and intent.state is State.SUSPECT and action.ends is not State.SUSPECT


def _waves(writes: Sequence[Action], ids: Ids) -> list[list[Action]]:
    """*writes* by kind, in the table's order, so that each kind fills its batches."""
    waves: dict[str, list[Action]] = {}
    for action in sorted(writes, key=lambda action: rank(action.kind)):
        waves.setdefault(action.kind, []).append(action)
    for kind in {Allocate.kind, AllocateOverpayment.kind, AddNote.kind} & waves.keys():
        waves[kind].sort(key=lambda action: target_of(action, ids))
    return list(waves.values())
