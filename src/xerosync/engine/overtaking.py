"""What another worker did since a plan was made: wrote more of what it undoes, or undid what it goes on with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from attrs import evolve

from xerosync.client._books import Books
from xerosync.engine.actions import Action, Adopt, Pending, RemovePayment
from xerosync.engine.batches import unsettled
from xerosync.engine.given_again import OF_RUN, UNDONE, undone_whole
from xerosync.engine.intents import Intent, intent_key, tag_of
from xerosync.engine.mirror import records
from xerosync.engine.observed import intents_of, intents_with
from xerosync.engine.payouts import PAYOUT, portions_in
from xerosync.engine.plans import Plan
from xerosync.engine.remembering import standing_as
from xerosync.engine.restoring import POSTED_ANEW, RESTORED, current, current_of
from xerosync.engine.settlement_books import line_of, undoings
from xerosync.engine.states import State
from xerosync.engine.trail import ABOUT, RUN, TRAIL, TrailLine, TrailStep, read_lines
from xerosync.engine.undo_actions import STAYS


async def written_for(books: Books, settlement: str) -> list[Intent]:
    """What was written for *settlement*, by its id, or may be by now; of what was put back, what took its place."""
    in_doubt = (await unsettled(books)).intents
    found = {key: each for key, each in in_doubt.items() if each.facts.get("settlement") == settlement}
    found |= {each.key: each for each in await intents_with(books, lookup=("settlement", settlement))}
    return current(list(found.values()))


async def written_in(books: Books, run: str) -> list[Intent]:
    """What was decided in *run*, whoever carried it out."""
    tags = [
        tag
        async for record in records(books, TRAIL, lookup=(RUN, run))
        for line in read_lines(record)
        if line.step is TrailStep.DECIDED
        for tag in line.about
    ]
    return [each for tag in dict.fromkeys(tags) for each in await intents_with(books, lookup=("tag", tag))]


async def undone_since(books: Books, plan: Plan) -> frozenset[Pending]:
    """
    What *plan* would post of settlements that were undone whole, and of those of which something was taken back since
    it was made: a payout that it has may be more than what stands. Also a payout of portions that were undone, and what
    would put back something of a run that was undone.

    What stands already may be taken over all the same, and what is put back was told apart when it was looked for.
    """
    actions = [each for action in plan for each in action.parts if not isinstance(each, Adopt)]
    removals = await _removals_of(books, (each.facts for each in actions))
    gone = await _without_a_portion(books, actions)
    gone |= await of_undone_runs(books, actions)
    if not removals:
        return gone
    known = plan.known | {intent_key(books.tenant, each.itself) for each in plan}
    whole = undone_whole(removals)
    since = {each.facts[UNDONE] for each in removals if each.key not in known}
    return gone | frozenset(
        each.itself
        for each in actions
        if (of := each.facts.get("settlement")) in whole or (of in since and RESTORED[0] not in each.facts)
    )


async def undone_meanwhile(books: Books, intents: Iterable[Intent]) -> frozenset[str]:
    """
    The keys of those of *intents*, each to be sent once more, that are of what was undone since they were decided.

    Those are of a settlement undone whole, of a run that was undone, or of a settlement of which something was taken
    back later; a payout also where a portion that it holds was undone.
    """
    wanted = [each for each in intents if each.operation.kind not in STAYS]
    operations = await _without_a_portion(books, wanted) | await of_undone_runs(books, wanted)
    gone = {each.key for each in wanted if each.operation in operations}
    for intent in wanted:
        decided = await _decided(books, intent.tag)
        facts = [each.facts for each in (intent, *intent.as_single())]
        removals = await _removals_of(books, facts)
        is_later = any(_came_after(each, decided) for each in removals)
        is_of_run = bool(decided) and await _is_run_undone(books, decided[-1].run)
        if undone_whole(removals) or is_later or is_of_run:
            gone.add(intent.key)
    return frozenset(gone)


async def of_undone_runs(books: Books, written: Iterable[Action | Intent]) -> frozenset[Pending]:
    """What of all *written* puts back what was decided in a run that was undone, though it was gone by then."""
    found: set[Pending] = set()
    undone: dict[str, bool] = {}
    for each in written:
        if RESTORED[0] not in each.facts or POSTED_ANEW[0] in each.facts:
            continue
        itself = _operation(each)
        before = [evolve(itself, revision=one) for one in range(1, itself.revision)]
        runs = [line.run for one in before for line in await _decided(books, tag_of(intent_key(books.tenant, one)))]
        for run in dict.fromkeys(runs):
            if run not in undone:
                undone[run] = await _is_run_undone(books, run)
        if any(undone[run] for run in runs):
            found.add(itself)
    return frozenset(found)


def _operation(written: Action | Intent) -> Pending:
    return written.operation if isinstance(written, Intent) else written.itself


async def _decided(books: Books, tag: str) -> list[TrailLine]:
    """When, and in which runs, the write of this *tag* was decided."""
    found = [line async for record in records(books, TRAIL, lookup=(ABOUT, tag)) for line in read_lines(record)]
    decided = [line for line in found if line.step is TrailStep.DECIDED and tag in line.about]
    return sorted(decided, key=lambda line: line.at)


async def _is_run_undone(books: Books, run: str) -> bool:
    return any(each.state is not State.REJECTED for each in await intents_with(books, lookup=(OF_RUN, run)))


def _came_after(removal: Intent, decided: Sequence[TrailLine]) -> bool:
    """Whether *removal* was sent after something was *decided*, as far as that is recorded."""
    return bool(decided) and (removal.claimed_at is None or removal.claimed_at >= decided[-1].at)


async def _removals_of(books: Books, facts: Iterable[Mapping[str, str]]) -> list[Intent]:
    """What took something back, or may have, of the settlements that *facts* name."""
    named = dict.fromkeys(each["settlement"] for each in facts if "settlement" in each)
    found = [each for one in named for each in await intents_with(books, lookup=(UNDONE, one))]
    return [each for each in found if each.state is not State.REJECTED]


async def _without_a_portion(books: Books, written: Iterable[Action | Intent]) -> frozenset[Pending]:
    """Those payouts among what is *written* that hold money of a portion which was undone, in another settlement."""
    named = {_operation(each): each for each in written}
    paying = {itself: portions_in([each]) for itself, each in named.items() if itself.host_ref.startswith(PAYOUT)}
    names = sorted(frozenset[str]().union(*paying.values()))
    undone = await _undone_lines(books, names) if names else set[str]()
    return frozenset(payout for payout, portions in paying.items() if portions & undone)


async def _undone_lines(books: Books, names: Sequence[str]) -> AbstractSet[str]:
    """Those of the lines of these *names* of which a payment was undone, or what stood in its place."""
    written = list((await current_of(books, standing_as(names))).values())
    collected = {line_of(each) for each in written}
    for name in names:
        if name not in collected:
            written += await intents_with(books, lookup=("charged_back_by", name))
    lines = {each.xero_id: line_of(each) for each in written}
    asked = [*(Pending(RemovePayment.kind, name) for name in names), *undoings(written)]
    taken = (await intents_of(books, asked)).values()
    stand = [each for each in taken if each.state is not State.REJECTED and UNDONE in each.facts]
    return {
        each.operation.host_ref if each.operation.kind == RemovePayment.kind else lines.get(each.target, "")
        for each in stand
    }
