"""
What is wrong with a world at its end, by its books, its store and its calls; it shares no rule with the engine.

Marks are read with a pattern of its own, and states as the words in the store.
"""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from xerosync.testing.simulation.world import World

_MARK: Final = re.compile(r"XS-[A-Z2-7]{13}")
_UNSETTLED: Final = frozenset({"intended", "sent", "unknown", "conflict", "suspect"})
_A_MINUTE_S: Final = 60.0
_CALLS_A_MINUTE: Final = 60


def wrong_with(world: World) -> list[str]:
    """Everything that is wrong, in words."""
    return [
        *world.violations,
        *world.store.faults,
        *world.flow.check(world),
        *doubled(world),
        *_unsettled(world),
        *_unrecorded(world),
        *(() if world.is_inside else _of_the_client(world)),
        *_audit(world),
    ]


def doubled(world: World) -> Iterator[str]:
    """Name what stands in the books more than once under one mark: wrong at any time."""
    books = world.books
    texts = [each.reference for each in books.payments if each.status == "AUTHORISED"]
    for document in (*books.invoices, *books.credit_notes):
        if document.is_posted:
            texts += [document.url or "", document.reference or "", *(line.description for line in document.lines[:1])]
    noted = [each.id for each in (*books.invoices, *books.credit_notes)]
    noted += [each.id for each in books.bank_transactions]
    # What Xero itself writes into a history quotes the reference each time.
    texts += [each.details for document in noted for each in books.history_of(document) if each.changes == "Note"]
    marks = Counter(mark.group() for text in texts if (mark := _MARK.search(text or "")))
    yield from (f"{mark} stands {count} times in the books" for mark, count in marks.items() if count > 1)


def _unsettled(world: World) -> Iterator[str]:
    for record in world.store.kept.query("intent", world.books.tenant_id):
        if record.state in _UNSETTLED:
            kind = json.loads(record.body)["kind"]
            yield f"a {kind} is left {record.state}"


def _unrecorded(world: World) -> Iterator[str]:
    """Whether the record tells of each write what became of it, and says last what the store says of it."""
    told: dict[str, str] = {}
    tenant = world.books.tenant_id
    page = world.store.kept.query("trail", tenant)
    lines: list[object] = []
    while page:
        lines += (line for record in page for line in json.loads(record.body))
        page = world.store.kept.query("trail", tenant, after=world.store.kept.cursor(page[-1], "key"))
    for _, step, about, facts in cast("list[tuple[str, str, list[str], dict[str, str]]]", lines):
        if step == "moved":
            told |= dict.fromkeys(about, facts["state"])
    for record in world.store.kept.query("intent", tenant):
        found = dict(record.lookups)
        # A payment of a batch is recorded with its batch.
        if "batch" not in found and told.get(found["tag"], "intended") != record.state:
            yield f"a {found['kind']} is {record.state}, and the record says {told.get(found['tag'])}"


def _of_the_client(world: World) -> Iterator[str]:
    yield from _consent(world)
    yield from _limits(world.sends if world.mix.shared_gate else ())


def _consent(world: World) -> Iterator[str]:
    """Whether a token set is left in the store; the audit, half an hour later, cannot be made unless Xero takes it."""
    grants = world.store.kept.query("grant", "")
    if not any(grant.state == "" for grant in grants):
        yield "no token set is left"


def _limits(sends: Iterable[float]) -> Iterator[str]:
    window: deque[float] = deque()
    for sent in sorted(sends):
        window.append(sent)
        while window[0] <= sent - _A_MINUTE_S:
            window.popleft()
        if len(window) > _CALLS_A_MINUTE:
            yield f"{len(window)} calls in the minute before {sent:.0f} s"
            return


def _audit(world: World) -> Iterator[str]:
    """What the library's own audit says of books in which nothing was done by hand."""
    from xerosync.ledger import Ledger  # noqa: PLC0415

    world.clock.advance(1800)
    xero = world.quiet_client()
    if world.was_restored:
        # As whoever restores a store is told to do.
        if not world.is_inside:
            xero.connect(world.consent())
        Ledger(xero).audit(adopt=True)
    audit = Ledger(xero).audit()
    for name in ("missing", "doubled", "foreign"):
        found: tuple[str, ...] = getattr(audit, name)
        if found:
            yield f"the audit says {name}: {', '.join(found)}"
