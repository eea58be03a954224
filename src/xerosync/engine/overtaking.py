"""What another worker did since a plan was made: wrote more of what it undoes, or undid what it goes on with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from xerosync.client._books import Books
from xerosync.engine.actions import Action, Adopt, Pending, RemovePayment
from xerosync.engine.batches import unsettled
from xerosync.engine.given_again import UNDONE, undone_whole
from xerosync.engine.intents import Intent, intent_key
from xerosync.engine.mirror import records
from xerosync.engine.observed import intents_of, intents_with
from xerosync.engine.payouts import PAYOUT, portions_in
from xerosync.engine.plans import Plan
from xerosync.engine.remembering import standing_as
from xerosync.engine.restoring import RESTORED, current, current_of
from xerosync.engine.settlement_books import line_of, undoings
from xerosync.engine.states import State
from xerosync.engine.trail import RUN, TRAIL, TrailStep, read_lines


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
    it was made: a payout that it has may be more than what stands. Also a payout of portions that were undone.

    What stands already may be taken over all the same, and what is put back was told apart when it was looked for.
    """
    actions = [each for action in plan for each in action.parts if not isinstance(each, Adopt)]
    named = {each.facts["settlement"]: None for each in actions if "settlement" in each.facts}
    removals = [each for one in named for each in await intents_with(books, lookup=(UNDONE, one))]
    paying = await _without_a_portion(books, actions)
    if not removals:
        return paying
    known = plan.known | {intent_key(books.tenant, each.itself) for each in plan}
    whole = undone_whole(removals)
    since = {each.facts[UNDONE] for each in removals if each.key not in known and each.state is not State.REJECTED}
    return paying | frozenset(
        each.itself
        for each in actions
        if (of := each.facts.get("settlement")) in whole or (of in since and RESTORED[0] not in each.facts)
    )


async def _without_a_portion(books: Books, actions: Iterable[Action]) -> frozenset[Pending]:
    """Those payouts among *actions* that hold money of a portion which was undone, in another settlement."""
    paying = {each.itself: portions_in([each]) for each in actions if each.itself.host_ref.startswith(PAYOUT)}
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
