"""A process that dies at a chosen moment: before or after any call to Xero, any commit, any lease."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import define, field
from tests.conftest import Product, Through, found_product

from xerosync import MemoryStore, State, Xero
from xerosync.engine.states import POSTED, may_move
from xerosync.ports import Request
from xerosync.storage import Fence, Order, Owner, Record, RecordKey


class Crash(BaseException):
    """The process is dead; nothing it does from here on has an effect."""


@define
class Fuse:
    """Counts the moments at which the process may die, and blows at number *blows_at*, counted from 1."""

    blows_at: int | None = None
    moments: int = 0
    dead: bool = False

    def burn(self) -> None:
        """One more moment. Raises `Crash` at the chosen one, and for ever after it."""
        self.moments += 1
        self.dead = self.dead or self.moments == self.blows_at
        if self.dead:
            raise Crash

    def check(self) -> None:
        """A read: no moment of its own, but the dead do not read."""
        if self.dead:
            raise Crash


@define(eq=False)
class MortalStore(MemoryStore):
    """
    A store that outlives the process which holds *fuse*.

    It sees that every intent it keeps moves as the table of states says; steps between two commits may be skipped.
    """

    fuse: Fuse = field(factory=Fuse)

    def __attrs_pre_init__(self) -> None:
        super().__init__()

    def get_many(self, keys: Sequence[RecordKey]) -> list[Record | None]:
        self.fuse.check()
        return super().get_many(keys)

    def query(
        self,
        kind: str,
        tenant: str,
        *,
        states: Sequence[str] = (),
        due_before: datetime | None = None,
        lookup: tuple[str, str] | None = None,
        order: Order = "key",
        after: str | None = None,
        limit: int = 1000,
    ) -> list[Record]:
        self.fuse.check()
        return super().query(
            kind, tenant, states=states, due_before=due_before, lookup=lookup, order=order, after=after, limit=limit
        )

    def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        self.fuse.burn()
        for put, before in zip(puts, super().get_many([put.identity for put in puts]), strict=True):
            assert put.kind != "intent" or is_move(before, put), f"{before} became {put}"
        super().commit(puts, expect=expect, fence=fence, deletes=deletes)
        self.fuse.burn()

    def lease(
        self, name: str, owner: Owner, *, ttl_s: float, now: datetime, force: Owner | None = None
    ) -> Fence | None:
        self.fuse.check()
        fence = super().lease(name, owner, ttl_s=ttl_s, now=now, force=force)
        if fence is not None:
            self.fuse.burn()
        return fence

    def release(self, fence: Fence) -> None:
        self.fuse.burn()
        super().release(fence)


def is_move(before: Record | None, after: Record) -> bool:
    """
    Whether an intent may be kept as *after* when it was *before*: a move of the table, or several at once.

    A payment of a batch comes to be with it.
    """
    start = None if before is None else State(before.state)
    end = State(after.state)
    if start is None:
        return end is State.INTENDED or (end in POSTED and "batch" in dict(after.lookups))
    if start is State.SENT and may_move(State.UNKNOWN, end):
        return True
    return may_move(start, end) or (start is end and start in {State.INTENDED, State.UNKNOWN})


@define
class Mortal:
    """A product whose first process dies at a moment, and the clients of the processes that follow."""

    product: Product
    store: MortalStore

    def client(self, fuse: Fuse) -> Xero:
        """A new process with *fuse*, on what the earlier ones left."""
        self.store.fuse = fuse

        def burn(_: Request) -> None:
            fuse.burn()

        return self.product.xero(transport=Through(self.product.simulator.transport, before=burn, after=burn))


def found_mortal() -> Mortal:
    """A product on a store that outlives its processes."""
    product = found_product()
    store = MortalStore()
    product.store = store
    return Mortal(product, store)
