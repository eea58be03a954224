"""Workers on one token set: clients of one store that are counted, die, lose disks, and are told of a new consent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

import pytest
from attrs import define, field
from tests.conftest import Product, Through

from xerosync import (
    App,
    MemoryStore,
    OAuth,
    Tokens,
    Xero,
)
from xerosync.errors import StoreFailed
from xerosync.ports import Clock, Request, Transport
from xerosync.simulator import Simulator
from xerosync.storage import Fence, Record, RecordKey, Storage

EARLY: Final = 26 * 60
"""After so many seconds a token is renewed, though it still lives."""

LATE: Final = 30 * 60
"""After so many seconds a token is dead."""


class Killed(BaseException):
    """The worker dies here; nothing of it runs on."""


@define
class Counted:
    """How often the token endpoint was asked, and what happens *then*."""

    then: Callable[[int], None] = field(default=lambda _: None)
    times: int = 0

    def __call__(self, request: Request) -> None:
        if request.url.endswith("/connect/token"):
            self.times += 1
            self.then(self.times)


def client(
    product: Product,
    *,
    transport: Transport | None = None,
    store: Storage | None = None,
    secret: str | None = None,
    name: str | None = None,
    clock: Clock | None = None,
    on_event: Callable[[str, Mapping[str, object]], None] | None = None,
) -> Xero:
    """A worker on the product's store, which somebody has connected before."""
    return Xero(
        App(name or product.app.client_id, secret or product.app.client_secret),
        product.books.tenant_id,
        store=store or product.store,
        transport=transport or product.simulator.transport,
        clock=clock or product.clock,
        on_event=on_event,
    )


def counting(product: Product, then: Callable[[int], None] = lambda _: None) -> tuple[Xero, Counted]:
    counted = Counted(then)
    return client(product, transport=Through(product.simulator.transport, counted)), counted


def kept(product: Product) -> Record:
    (record,) = product.store.query("grant", "")
    return record


def die_refreshing(product: Product) -> None:
    """Let a worker die once Xero has given it new tokens, and before it has saved them."""

    def die(_: int) -> None:
        raise Killed

    dying = client(product, transport=Through(product.simulator.transport, after=Counted(die)))
    product.clock.advance(EARLY)
    with pytest.raises(Killed):
        dying.organisation()


def reconnect(product: Product) -> Tokens:
    given = product.simulator.consent(product.app, tenants=[product.books.tenant_id])
    tokens = Tokens(
        given.access_token, given.refresh_token, product.clock.now() + timedelta(minutes=30), tuple(given.scope.split())
    )
    client(product).connect(tokens)
    return tokens


@define(eq=False)
class Failing(MemoryStore):
    """A store whose disk is full for the next *failures* commits of a token set that was refreshed."""

    failures: int = 0

    def __attrs_pre_init__(self) -> None:
        super().__init__()

    def commit(
        self,
        puts: Sequence[Record],
        *,
        expect: Mapping[RecordKey, int] | None = None,
        fence: Fence | None = None,
        deletes: Sequence[RecordKey] = (),
    ) -> None:
        if self.failures and any(put.kind == "grant" and fence is None for put in puts):
            self.failures -= 1
            raise StoreFailed("the disk is full")
        super().commit(puts, expect=expect, fence=fence, deletes=deletes)


def refresh_tokens(simulator: Simulator) -> int:
    """How many refresh tokens Xero has given so far."""
    return len(list(simulator._world.refresh_tokens))


def oauth(product: Product) -> OAuth:
    return OAuth(
        App(product.app.client_id, product.app.client_secret),
        transport=product.simulator.transport,
        clock=product.clock,
    )
