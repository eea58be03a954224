"""Rolling a clearing account forward: of what was proven, what has to be looked at again."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from attrs import define, field

from xerosync.client._books import Books
from xerosync.engine.actions import Pay, Pending
from xerosync.engine.brought_forward import BroughtForward, Closed, Rolled, costs_with
from xerosync.engine.changes import Mark, changed_since
from xerosync.engine.entries import key_of, named
from xerosync.engine.intents import read_intent, record_key, tag_in
from xerosync.engine.mirror import (
    BANK_TRANSACTIONS,
    BANK_TRANSFERS,
    LINE_ON,
    PAYMENTS,
    mirror_key,
    read_mirrored,
    refresh,
    stored,
)
from xerosync.engine.movements import is_half
from xerosync.engine.states import POSTED
from xerosync.engine.ticked import number_of
from xerosync.engine.ticking import Condensed, PaidLine, Reader, take_off
from xerosync.engine.ticking_books import alike, came_in_as_it_went_back, intent_records
from xerosync.errors import InvalidInput, ScopeMissing
from xerosync.mapping.settlement import Settlement
from xerosync.models import BankTransaction, BankTransfer, Payment, PaymentStatus
from xerosync.money import Money, exactly
from xerosync.storage.protocol import Record, RecordKey

WHOLE_AGAIN: Final = (
    "the store has lost, or holds otherwise, what it was made of: take a report of all settlements anew"
)
MONEY: Final = (BANK_TRANSACTIONS, BANK_TRANSFERS)


async def roll(
    books: Books, forward: BroughtForward, given: Iterable[Settlement], withdrawn: Iterable[str], currency: str
) -> Rolled:
    """
    What is to be looked at of the account of *forward*, whose payments the mirror has as they are now.

    *given* are the settlements that are new or changed, *withdrawn* the ids of those that the host has no more. Raises
    `InvalidInput` where the store does not hold any more what was proven.
    """
    rolling = _Rolling(books, forward, list(given), frozenset(withdrawn), currency)
    await rolling.read_changes()
    await rolling.disturb()
    return await rolling.rolled()


@define(eq=False)
class _Rolling:
    books: Books
    forward: BroughtForward
    given: list[Settlement]
    withdrawn: frozenset[str]
    currency: str
    days: dict[date, tuple[int, Decimal]] = field(init=False)
    marks: dict[str, Mark] = field(factory=dict[str, Mark])
    changed: dict[str, dict[str, Record]] = field(factory=dict[str, "dict[str, Record]"])
    paying: dict[str, PaidLine | None] = field(factory=dict[str, "PaidLine | None"])
    """What the changed intents of payments say, by their keys; None of one that does not say all."""
    moving: list[Record] = field(factory=list[Record])
    """The changed intents of what moves the account besides payments."""
    on_account: dict[str, Record] = field(factory=dict[str, Record])
    """The changed payments that are on the account."""
    pool: dict[str, Record] = field(factory=dict[str, Record])
    written: dict[str, str] = field(factory=dict[str, str])
    """The ids of the payments that those in the pool wrote, by their keys."""
    names: set[str] = field(factory=set[str])
    reopened: dict[str, Closed] = field(factory=dict[str, Closed])
    put_back: dict[str, list[PaidLine]] = field(factory=dict[str, "list[PaidLine]"])
    payments: dict[str, Record] = field(factory=dict[str, Record])
    documents: dict[str, dict[str, Record]] = field(factory=dict[str, "dict[str, Record]"])
    read: Reader = field(factory=Reader.once)
    settlement_of: dict[str, str] = field(init=False)
    """The closed settlements by the ids of their documents."""
    replaced: frozenset[str] = field(init=False)
    """The ids of the settlements whose earlier form does not count any more."""

    def __attrs_post_init__(self) -> None:
        closed = self.forward.closed
        self.days = dict(self.forward.days)
        self.settlement_of = {document: name for name, each in closed.items() for document in each.documents}
        if self.withdrawn & {each.id for each in self.given}:
            raise InvalidInput("withdrawn", "leave out the ids of settlements that you give")
        self.replaced = self.withdrawn | {each.id for each in self.given}

    async def read_changes(self) -> None:
        """Read what the store says has changed, of all that the account was explained with."""
        for kind in ("intent", PAYMENTS.kind):
            await self._read(kind)
        self._tell_apart()
        try:
            await refresh(self.books, *MONEY)
        except ScopeMissing:
            if self.forward.moved or self.forward.closed or self.moving:
                raise
        for shelf in MONEY:
            await self._read(shelf.kind)

    def _tell_apart(self) -> None:
        """Which of the changed intents are of payments, and which of the changed payments are on the account."""
        on_account = ("account", self.forward.account)
        for key, record in self.changed["intent"].items():
            paid = self.read.paid(record)
            if paid is not None:
                pays, moves = paid.kind == Pay.kind, paid.facts.account == self.forward.account
            else:
                pays, moves = ("kind", Pay.kind) in record.lookups, on_account in record.lookups
            if pays:
                self.paying[key] = paid
            if moves:
                self.moving.append(record)
        for key, record in self.changed[PAYMENTS.kind].items():
            payment = self.read.standing(record)
            if payment is not None and payment.account is not None:
                there = payment.account.id == self.forward.account
            else:
                there = on_account in record.lookups
            if there:
                self.on_account[key] = record

    async def _read(self, kind: str) -> None:
        read = await changed_since(self.books, kind, self.forward.marks[kind])
        if read is None:
            raise InvalidInput("since", WHOLE_AGAIN)
        changed, self.marks[kind] = read
        self.changed[kind] = {record.key: record for record in changed}

    async def disturb(self) -> None:
        """Find all that has to be looked at again for what has changed."""
        forward, changed = self.forward, self.changed["intent"]
        for record in await self._stored("intent", forward.intents - changed.keys()):
            self._disturb_by(record)
        names: set[str] = set()
        taken_back: set[str] = set()
        for key, record in changed.items():
            if key in self.paying:
                self._look_at(record, self.paying[key])
            names.update(self._touched(record, taken_back))
        payments = self.on_account.keys() - {self.written[key] for key in self.paying} | taken_back
        await self._release()
        names |= {line.id for each in self.given for line in each.lines}
        await self._disturb_lines(names)
        await self._disturb_payments(payments)
        for intent in await came_in_as_it_went_back(self.books, self.given):
            if intent.operation.kind == Pay.kind:
                await self._disturb_lines([intent.operation.host_ref])
        await self._look_for_twins()

    def _disturb_by(self, record: Record) -> None:
        """Look again at the payment of this intent, whether it was ticked off or not."""
        if record.key not in self.pool:
            self._look_at(record, self.read.paid(record))

    def _look_at(self, record: Record, paid: PaidLine | None) -> None:
        name, revision = (paid.host_ref, paid.revision) if paid is not None else _operation(record)
        self.pool[record.key] = record
        self.written[record.key] = _xero_id(record, paid)
        if revision != 1:
            return
        self.names.add(name)
        if record.key not in self.forward.intents and number_of(name) in self.forward.noted.names:
            self._untick(paid)

    def _touched(self, record: Record, payments: set[str]) -> set[str]:
        """The lines that a changed intent touches besides the one it pays, whose *payments* it may take back."""
        paid = self.paying.get(record.key)
        if paid is not None and paid.revision == 1 and paid.facts.charged_back_by is None:
            self._reopen(paid.facts.settlement)
            if paid.xero_id and paid.xero_id not in self.changed[PAYMENTS.kind]:
                payments.add(paid.xero_id)  # known before, and perhaps by another intent
            return set()
        intent = read_intent(record)
        operations = [intent.operation, *(each.operation for each in intent.members)]
        documents = [intent.xero_id, intent.target, *(each.target for each in intent.members)]
        payments.update(filter(None, documents))
        names = {named(each.host_ref)[1] for each in operations}
        key = key_of(intent)
        if key is not None:
            names.add(key[1])
        settled_with = (self.settlement_of.get(each or "", "") for each in documents)
        for each in (*names, intent.facts.get("settlement", ""), *settled_with):
            self._reopen(each)
        return names

    async def _release(self) -> None:
        """Tick off nothing any more of the settlements that are replaced."""
        for each in self.replaced:
            self._reopen(each)
            if number_of(each) in self.forward.noted.settlements:
                for record in await intent_records(self.books, ("settlement", each)):
                    if self._pays(record):
                        self._disturb_by(record)

    async def _disturb_lines(self, names: Iterable[str]) -> None:
        known = [each for each in names if each not in self.names and number_of(each) in self.forward.noted.names]
        keys = (record_key(self.books.tenant, Pending(Pay.kind, each)) for each in known)
        for record in await stored(self.books, keys):
            self._disturb_by(record)

    async def _disturb_payments(self, payments: Iterable[str]) -> None:
        for each in payments:
            for record in await intent_records(self.books, ("xero_id", each)):
                if self._pays(record):
                    self._disturb_by(record)

    async def _look_for_twins(self) -> None:
        """Look at what may be the other one of something that somebody entered."""
        forward = self.forward
        on_account = {("account", forward.account), (LINE_ON, forward.account)}
        payments = {each.key: each for each in await self._stored(PAYMENTS.kind, forward.payments)}
        payments |= self.on_account
        written = {self.written[key] for key, each in self.pool.items() if each.state in POSTED}
        tags: set[str] = set()
        for key in payments.keys() - written:
            payment = read_mirrored(payments[key], Payment)
            tags.add(tag_in(payment.reference or "") or "")
            if payment.status != PaymentStatus.DELETED:
                for record in await alike(self.books, payment):
                    if self._pays(record):
                        self._disturb_by(record)
        self.payments = payments
        for shelf in MONEY:
            kept = await self._stored(shelf.kind, forward.documents.get(shelf.kind, ()))
            changed = self.changed[shelf.kind].values()
            both = {each.key: each for each in (*kept, *changed) if not on_account.isdisjoint(each.lookups)}
            self.documents[shelf.kind] = both
        await self._reopen_costs(tags)

    async def _reopen_costs(self, tags: set[str]) -> None:
        """Look at the closed settlements a document or line of which has changed, or may have a twin."""
        changed = {key for shelf in MONEY for key in self.changed[shelf.kind]}
        for name in (*(self.settlement_of.get(each, "") for each in changed), *self.put_back):
            self._reopen(name)
        ours = {_xero_id(each, self.read.paid(each)) for each in await self._moved_records()}
        days: set[date | None] = set()
        left_closed = self.forward.closed.keys() - self.reopened.keys()
        for documents in self.documents.values():
            for key in [each for each in documents if self.settlement_of.get(each) in left_closed]:
                del documents[key]
        for each in self._entered(ours):
            days.add(each.date)
            tags.add(tag_in(each.reference or "") or "")
        if not days and not tags:
            return
        for name, closed in self.forward.closed.items():
            if any(day in days for day, _, _ in closed.moved) or not tags.isdisjoint(closed.tags):
                self._reopen(name)

    def _entered(self, ours: Container[str]) -> Iterator[BankTransaction | BankTransfer]:
        """What of the documents on the account is not *ours*."""
        for key, record in self.documents[BANK_TRANSACTIONS.kind].items():
            transaction = read_mirrored(record, BankTransaction) if key not in ours else None
            if transaction is not None and not is_half(transaction):
                yield transaction
        for key, record in self.documents[BANK_TRANSFERS.kind].items():
            if key not in ours:
                yield read_mirrored(record, BankTransfer)

    async def rolled(self) -> Rolled:
        """All that is to be looked at."""
        pays = sorted(self.pool.values(), key=_by_key)
        ids = (xero_id for xero_id in self.written.values() if xero_id and xero_id not in self.payments)
        keys = (mirror_key(PAYMENTS, self.books.tenant, each) for each in ids)
        on_account = ("account", self.forward.account)
        payments = self.payments | {
            each.key: each for each in await stored(self.books, keys) if on_account in each.lookups
        }
        closed = {name: each for name, each in self.forward.closed.items() if name not in self.reopened}
        return Rolled(
            forward=self.forward,
            marks=self.marks,
            days=self.days,
            closed=closed,
            costs=costs_with(self.forward.costs, fewer=self.reopened.values()),
            names=frozenset(self.names),
            pays=pays,
            payments=sorted(payments.values(), key=_by_key),
            settlements=await self._settlements(),
            moved=[read_intent(each) for each in await self._moved_records()],
            documents={kind: sorted(each.values(), key=_by_key) for kind, each in self.documents.items()},
            read=self.read,
        )

    async def _moved_records(self) -> list[Record]:
        keys = {*self.forward.moved, *(key for each in self.reopened.values() for key in each.intents)}
        found = {each.key: each for each in await self._stored("intent", keys)}
        found |= {each.key: each for each in self.moving}
        return sorted(found.values(), key=_by_key)

    async def _settlements(self) -> list[Settlement]:
        """Those given, those that were open, and those that are to be looked at again, with their lines."""
        lines = {name: sorted(paid, key=_by_name) for name, paid in self.put_back.items()}
        replaced = self.replaced
        open_ones = [each for each in self.forward.still_open if each.id not in replaced]
        open_ones += [each.settlement for name, each in self.reopened.items() if name not in replaced]
        found: list[Settlement] = list(self.given)
        found += [
            self._with_lines(each, lines.pop(each.id, [])) if isinstance(each, Condensed) else each
            for each in open_ones
        ]
        for name, again in lines.items():
            if name not in replaced:
                found.append(await self._rebuilt(name, again))
        return found

    def _with_lines(self, settlement: Condensed, again: Iterable[PaidLine]) -> Condensed:
        for paid in again:
            settlement = settlement.with_line(paid.as_given(self.currency))
        return settlement

    async def _rebuilt(self, settlement: str, again: Sequence[PaidLine]) -> Condensed:
        """A *settlement* of lines alone, all of which were ticked off, as it was given."""
        others: list[PaidLine] = []
        for record in await intent_records(self.books, ("settlement", settlement)):
            paid = self.read.paid(record) if self._pays(record) else None
            if (
                paid is not None
                and record.key not in self.pool
                and number_of(paid.host_ref) in self.forward.noted.names
            ):
                others.append(paid)
        return Condensed(
            id=settlement,
            on=date.fromisoformat(again[0].settled_on),
            lines=tuple(each.as_given(self.currency) for each in again),
            ticked=Money.total((Money(each.payload.amount, self.currency) for each in others), self.currency),
            count=len(others),
            account=self.forward.account,
            is_ticked=lambda _: False,
            besides=None,
        )

    def _reopen(self, settlement: str) -> None:
        closed = self.forward.closed.get(settlement)
        if closed is not None:
            self.reopened[settlement] = closed

    @exactly
    def _untick(self, paid: PaidLine | None) -> None:
        """Tick off *paid* no more; its line goes back to its settlement, unless that is given anew."""
        if paid is None or paid.line not in self.forward.noted.lines:
            raise InvalidInput("since", WHOLE_AGAIN)
        take_off(self.days, paid)
        if paid.facts.settlement not in self.replaced:
            self.put_back.setdefault(paid.facts.settlement, []).append(paid)

    def _pays(self, record: Record) -> bool:
        """Whether the intent of *record* is one of a payment."""
        paid = self.read.paid(record)
        return paid.kind == Pay.kind if paid is not None else ("kind", Pay.kind) in record.lookups

    async def _stored(self, kind: str, keys: Iterable[str]) -> list[Record]:
        return await stored(self.books, (RecordKey(kind, self.books.tenant, each) for each in sorted(keys)))


def _xero_id(record: Record, paid: PaidLine | None) -> str:
    return paid.xero_id or "" if paid is not None else dict(record.lookups).get("xero_id", "")


def _operation(record: Record) -> tuple[str, int]:
    operation = read_intent(record).operation
    return operation.host_ref, operation.revision


def _by_name(paid: PaidLine) -> str:
    return paid.host_ref


def _by_key(record: Record) -> str:
    return record.key
