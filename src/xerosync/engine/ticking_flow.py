"""Ticking off in passing: what was posted, what stands, and what settlements say, each read once, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import date
from functools import reduce
from typing import Final, cast

from attrs import define, field, frozen

from xerosync.client._books import Books
from xerosync.engine.actions import CreateSaleCredit, Pay, Pending, Refund, RemoveMoney, RemovePayment, VoidCredit
from xerosync.engine.brought_forward import Left, Rolled
from xerosync.engine.chain_books import settled_on
from xerosync.engine.entries import LINE, key_of, named
from xerosync.engine.intents import OPEN_STATES, Intent, read_intent, record_key
from xerosync.engine.mirror import PAYMENTS, mirror_key, read_mirrored, record_pages, records, stored
from xerosync.engine.observed import intents_with
from xerosync.engine.restoring import RESTORED
from xerosync.engine.states import POSTED
from xerosync.engine.ticked import Noted, number_of
from xerosync.engine.ticking import Condensed, Ticking
from xerosync.engine.ticking_books import alike, came_in_as_it_went_back, intent_records
from xerosync.errors import InvalidInput
from xerosync.mapping.settlement import Settlement, SettlementLine
from xerosync.models import AccountId, Payment, PaymentStatus
from xerosync.money import Money
from xerosync.storage.protocol import Record

_PAYMENTS: Final = frozenset({Pay.kind, Refund.kind})
_FOR_LINES: Final = (Refund.kind, CreateSaleCredit.kind, RemovePayment.kind, RemoveMoney.kind, VoidCredit.kind)
"""What else than payments, and what moves on the account, is written for the lines of settlements."""


@frozen(kw_only=True)
class Briefly:
    """
    That of an *account* in the organisation's own *currency* only what is not as it should be is wanted.

    *settlements* are the host's, read once; *first* and *last* the days, where they were given.
    """

    currency: str
    settlements: Iterable[Settlement] | None
    first: date | None
    last: date | None


async def tick_off(
    books: Books,
    account: AccountId,
    briefly: Briefly,
    *,
    others: Sequence[Intent],
    removals: Mapping[str, Intent],
    rolled: Rolled | None = None,
) -> Left:
    """
    What is left on *account*; of one that is *rolled* forward, of what is to be looked at of it.

    *others* are what else the library wrote on it, *removals* what took back something, by the id of that.
    """
    looking = _Looking(books, account, rolled)
    refunds = [record async for record in records(books, "intent", lookup=("kind", Refund.kind))]
    looking.write(refunds)
    looking.know(others)
    for kind in _FOR_LINES:
        looking.know(await intents_with(books, lookup=("kind", kind)))
    ticking = Ticking(
        account=account,
        currency=briefly.currency,
        first=briefly.first,
        last=briefly.last,
        touched=await _touched(books, [*others, *removals.values(), *map(read_intent, refunds)]),
        with_costs=frozenset(
            name for what, name in map(named, (each.operation.host_ref for each in others)) if what != LINE
        ),
        removed=frozenset(removals),
        is_ticked=lambda record: looking.is_ticked(ticking, record),
        besides=lambda settlement: looking.known.setdefault(settlement, []),
    )
    if rolled is not None:
        noted = rolled.forward.noted
        ticking.days, ticking.elsewhere = rolled.days, set(rolled.forward.elsewhere)
        ticking.read = rolled.read
        ticking.was_ticked = lambda name: name not in rolled.names and number_of(name) in noted.names
    await _posted(looking, ticking)
    await _stood(looking, ticking)
    ticking.turn_to_lines()
    left = None
    if rolled is not None:
        left = await _settled(looking, ticking, rolled.settlements)
    elif briefly.settlements is not None:
        left = await _settled(looking, ticking, briefly.settlements)
    return looking.left(left, ticking)


async def _touched(books: Books, others: Iterable[Intent]) -> frozenset[str]:
    """The lines for which something else was written than their payments, or may be."""
    found = {named(each.operation.host_ref)[1] for each in await intents_with(books, states=OPEN_STATES)}
    found |= {named(each.operation.host_ref)[1] for each in await intents_with(books, lookup=RESTORED)}
    for each in others:
        key = key_of(each)
        found.add(named(each.operation.host_ref)[1])
        if key is not None and key[0] == LINE:
            found.add(key[1])
    return frozenset(found)


async def _posted(looking: _Looking, ticking: Ticking) -> None:
    books = looking.books
    async for page in looking.pay_pages():
        looking.meet(ticking.posted(page))
    for xero_id in ticking.doubted:
        twice = await intent_records(books, ("xero_id", xero_id))
        ticking.withdraw(twice)
        looking.write(twice)


async def _stood(looking: _Looking, ticking: Ticking) -> None:
    """Tick off the payments that stand, and look at all that has to do with the others."""
    books = looking.books
    async for page in looking.payment_pages():
        looking.pay(ticking.standing(page))
    for xero_id, payment in list(looking.payments.items()):
        written = looking.write(await intent_records(books, ("xero_id", xero_id)))
        ticking.forget(written)
        if not written and payment.status != PaymentStatus.DELETED:
            # Somebody entered it, perhaps twice, or it has our mark: what it may be a twin of is looked at with it.
            await _look_at(looking, ticking, await alike(books, payment))
    if ticking.is_unmet:
        async for page in looking.pay_pages():
            ticking.forget(looking.write(ticking.unmet(page)))


async def _look_at(looking: _Looking, ticking: Ticking, intents: Sequence[Record]) -> None:
    written = looking.write(intents)
    ticking.forget(written)
    await looking.pay_for(written)


async def _settled(looking: _Looking, ticking: Ticking, settlements: Iterable[Settlement]) -> list[Settlement]:
    """Tick off the lines of *settlements*; those that are left, and what was posted for them and for no line."""
    books = looking.books
    left: list[Settlement] = [each for one in settlements if (each := ticking.condensed(one)) is not None]
    lines = [line for each in left for line in each.lines]
    if ticking.met(line.id for line in lines):
        raise InvalidInput("id", "give each settlement line an id of its own")
    posted = await stored(books, (record_key(books.tenant, Pending(Pay.kind, line.id)) for line in lines))
    await _untick(looking, ticking.untick(posted))
    left = _joined(left, await _same_day(looking, ticking, left))
    if ticking.is_named():
        async for page in looking.pay_pages():
            await _untick(looking, ticking.untick(ticking.named(page)))
    return left


async def _untick(looking: _Looking, intents: Sequence[Record]) -> None:
    await looking.pay_for(looking.write(intents))


async def _same_day(looking: _Looking, ticking: Ticking, left: Sequence[Settlement]) -> list[Settlement]:
    """What came in on a day on which money of the same chain went back, which is looked at with that."""
    books = looking.books
    chained = await came_in_as_it_went_back(books, left)
    met = set(ticking.met(each.operation.host_ref for each in chained))
    again = [each for each in chained if each.operation.kind == Pay.kind and each.operation.host_ref in met]
    posted = await stored(books, (record_key(books.tenant, each.operation) for each in again))
    await _untick(looking, ticking.untick(posted, met=met))
    return [_as_settled(each, ticking.currency) for each in again]


def _joined(left: Sequence[Settlement], again: Iterable[Settlement]) -> list[Settlement]:
    """Those *left*, each with its lines among those *again*: with its payout, which it would seem to be without."""
    found = list(left)
    places = {each.id: place for place, each in enumerate(found) if isinstance(each, Condensed)}
    for each in again:
        if (place := places.get(each.id)) is None:
            found.append(each)
        else:
            found[place] = reduce(Condensed.with_line, each.lines, cast("Condensed", found[place]))
    return found


def _as_settled(intent: Intent, currency: str) -> Settlement:
    """The settlement that *intent* was made for, with its line alone."""
    facts = intent.facts
    amount = Money(facts.get("collected") or str(intent.payload["Amount"]), currency)
    line = SettlementLine(id=intent.operation.host_ref, transaction=facts["transaction"], amount=amount)
    return Settlement(
        id=facts.get("settlement", "") or line.id, on=date.fromisoformat(settled_on(intent)), lines=[line]
    )


@define(eq=False)
class _Looking:
    """What is looked at in full, as it comes to light."""

    books: Books
    account: AccountId
    rolled: Rolled | None
    intents: set[str] = field(factory=set[str])
    payments: dict[str, Payment] = field(factory=dict[str, Payment])
    written: dict[str, Intent] = field(factory=dict[str, Intent])
    known: dict[str, list[Intent]] = field(factory=dict[str, "list[Intent]"])

    async def pay_pages(self) -> AsyncIterator[Sequence[Record]]:
        """The intents of payments: all, or those that are to be looked at."""
        if self.rolled is not None:
            yield self.rolled.pays
            return
        async for page in record_pages(self.books, "intent", lookup=("kind", Pay.kind)):
            yield page

    async def payment_pages(self) -> AsyncIterator[Sequence[Record]]:
        """The payments on the account: all, or those that are to be looked at."""
        if self.rolled is not None:
            yield self.rolled.payments
            return
        async for page in record_pages(self.books, PAYMENTS.kind, lookup=("account", self.account)):
            yield page

    def write(self, intents: Iterable[Record]) -> list[Record]:
        """Look at those of *intents* that wrote a payment."""
        found: list[Record] = []
        for record in intents:
            intent = read_intent(record)
            if intent.operation.kind in _PAYMENTS and intent.state in POSTED and intent.xero_id:
                self.written[intent.xero_id] = intent
                self.intents.add(record.key)
                found.append(record)
        return found

    def pay(self, payments: Iterable[Record]) -> None:
        """Look at *payments*."""
        self.payments |= {record.key: read_mirrored(record, Payment) for record in payments}

    async def pay_for(self, intents: Iterable[Record]) -> None:
        """Look at those payments on the account that *intents* wrote."""
        ids = (dict(each.lookups).get("xero_id", "") for each in intents)
        found = await stored(self.books, (mirror_key(PAYMENTS, self.books.tenant, each) for each in ids))
        self.pay(each for each in found if ("account", self.account) in each.lookups)

    def meet(self, intents: Sequence[Record]) -> None:
        """Look at those of *intents* that wrote a payment, and know the others."""
        self.intents.update(record.key for record in intents)
        looked_at = {record.key for record in self.write(intents)}
        self.know(read_intent(record) for record in intents if record.key not in looked_at)

    def know(self, intents: Iterable[Intent]) -> None:
        """Keep what *intents* wrote for settlements, or may have: none of it is ticked off."""
        for each in intents:
            if settlement := each.facts.get("settlement"):
                self.known.setdefault(settlement, []).append(each)

    def is_ticked(self, ticking: Ticking, intent: Record) -> bool:
        """Whether the payment of *intent* was ticked off, and is not looked at."""
        return dict(intent.lookups).get("xero_id") not in self.written and ticking.has_noted(intent)

    def left(self, settlements: Sequence[Settlement] | None, ticking: Ticking) -> Left:
        """All that was looked at, in the order of ids."""
        self.know(self.written.values())
        return Left(
            payments=dict(sorted(self.payments.items())),
            written=self.written,
            settlements=settlements,
            ticked=ticking.done(),
            intents=frozenset(self.intents),
            noted=ticking.noted() if ticking.first is None else Noted(),
            elsewhere=frozenset(ticking.elsewhere),
        )
