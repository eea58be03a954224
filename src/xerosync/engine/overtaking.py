"""What another worker did since a plan was made: wrote more of what it undoes, or undid what it goes on with."""

from __future__ import annotations

from collections.abc import Iterable

from xerosync.client._books import Books
from xerosync.engine.actions import Action
from xerosync.engine.batches import unsettled
from xerosync.engine.intents import Intent
from xerosync.engine.mirror import records
from xerosync.engine.observed import intents_with
from xerosync.engine.plans import Plan
from xerosync.engine.restoring import current, put_back_since
from xerosync.engine.states import State
from xerosync.engine.trail import RUN, TRAIL, TrailStep, read_lines
from xerosync.engine.undoing import OF_RUN, WHOLE, is_to_be_undone


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


async def is_more_to_undo(books: Books, plan: Plan) -> bool:
    """Whether more is written of what *plan* undoes than was known when it was made."""
    written: list[Intent] = []
    for settlement in {each.facts["undone"]: None for each in plan if WHOLE in each.facts}:
        written += await written_for(books, settlement)
    for run in {each.facts[OF_RUN]: None for each in plan if OF_RUN in each.facts}:
        own = await written_in(books, run)
        written += [*own, *await put_back_since(books, own)]
    return any(is_to_be_undone(each) and each.key not in plan.known for each in written)


async def undone_since(books: Books, actions: Iterable[Action]) -> frozenset[str]:
    """Those of the settlements of *actions* that were undone whole: no more of them is posted."""
    named = {each.facts["settlement"]: None for each in actions if "settlement" in each.facts}
    return undone_whole([each for one in named for each in await intents_with(books, lookup=("undone", one))])


def undone_whole(removals: Iterable[Intent]) -> frozenset[str]:
    """The ids of the settlements that *removals* undid whole."""
    return frozenset(
        each.facts["undone"] for each in removals if WHOLE in each.facts and each.state is not State.REJECTED
    )
