"""In which order the lines of settlements are decided on: by day, and within a day by what rests on what."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TypeAlias

from xerosync.mapping.settlement import Settlement, SettlementLine

Turn: TypeAlias = tuple[Settlement, SettlementLine]


def in_turn(
    settlements: Sequence[Settlement],
    chain_of: Mapping[str, str],
    fits: Callable[[Settlement, SettlementLine], bool],
) -> Iterator[Turn]:
    """
    The lines of *settlements*, which are in order of day, each when it *fits* what was decided on before it.

    Ids say nothing of what came first on a day: a line that does not fit waits for the others of its chain, *chain_of*
    its transaction, and comes last, as it is, where none of that day makes it fit.
    """
    for _, of_day in groupby(settlements, key=lambda each: each.on):
        waiting: dict[str, list[Turn]] = {}
        for turn in ((settlement, line) for settlement in of_day for line in settlement.lines):
            transaction = turn[1].transaction
            queue = waiting.setdefault(chain_of.get(transaction, transaction), [])
            queue.append(turn)
            yield from _fitting(queue, fits)
        for queue in waiting.values():
            while queue:
                yield queue.pop(0)
                yield from _fitting(queue, fits)


def _fitting(queue: list[Turn], fits: Callable[[Settlement, SettlementLine], bool]) -> Iterator[Turn]:
    """Those of *queue* that fit, the first first, each as soon as it does."""
    while (ready := next((each for each in queue if fits(*each)), None)) is not None:
        queue.remove(ready)
        yield ready
