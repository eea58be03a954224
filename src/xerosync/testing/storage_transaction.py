"""The conformance kit's tests of a store that works within the host's own transaction."""

# ruff: noqa: S101
from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import TypeAlias

import pytest

from xerosync.errors import VersionConflict, XerosyncError
from xerosync.storage import Event, Fence, Record, Storage
from xerosync.testing.storage_ability import Ability, needs
from xerosync.testing.storage_face import OWNERS, START

HostTransaction: TypeAlias = Callable[[Storage], AbstractContextManager[Storage]]
"""A transaction of the host's: gives the store within it, is kept when the block ends, and taken back on an error."""

_LINK = Record("link", "books", "c-1", "{}", lookups=(("number", "1"),))


class _TakenBackError(Exception):
    """The host changed its mind."""


class TransactionTests:
    """What a store does within the host's transaction; part of `StorageTests`."""

    @pytest.fixture
    def host_transaction(self) -> HostTransaction:
        """What begins a transaction of the host's: a class that claims `Ability.HOST_TRANSACTION` gives its own."""
        raise NotImplementedError("give a fixture host_transaction")

    @needs(Ability.HOST_TRANSACTION)
    def test_what_is_kept_within_a_transaction_is_there_when_that_is(
        self, store: Storage, host_transaction: HostTransaction
    ) -> None:
        """And can be read within it before."""
        with host_transaction(store) as within:
            within.commit([_LINK], expect={_LINK.identity: 0})
            within.append("links", [Event(START, "linked", "{}")])
            assert [record.version for record in within.query("link", "books")] == [1]

        assert [record.version for record in store.query("link", "books", lookup=("number", "1"))] == [1]
        assert store.events("links") == [(1, Event(START, "linked", "{}"))]

    @needs(Ability.HOST_TRANSACTION)
    def test_what_is_kept_within_a_transaction_goes_when_that_is_taken_back(
        self, store: Storage, host_transaction: HostTransaction
    ) -> None:
        """Records, look-ups and events, and what was dropped is back."""
        gone = Record("link", "books", "c-0", "{}", lookups=(("number", "0"),))
        store.commit([gone])

        with suppress(_TakenBackError), host_transaction(store) as within:
            within.commit([_LINK], deletes=[gone.identity])
            within.append("links", [Event(START, "linked", "{}")])
            raise _TakenBackError

        assert [record.key for record in store.query("link", "books")] == ["c-0"]
        assert store.query("link", "books", lookup=("number", "1")) == []
        assert [record.key for record in store.query("link", "books", lookup=("number", "0"))] == ["c-0"]
        assert store.events("links") == []
        store.commit([_LINK], expect={_LINK.identity: 0})

    @needs(Ability.HOST_TRANSACTION)
    def test_a_refusal_within_a_transaction_keeps_nothing_and_leaves_the_rest(
        self, store: Storage, host_transaction: HostTransaction
    ) -> None:
        """The host may go on, and what it had kept before stands."""
        store.commit([_LINK])

        with host_transaction(store) as within:
            within.commit([Record("link", "books", "c-2", "{}")])
            with pytest.raises(VersionConflict):
                within.commit([Record("link", "books", "c-3", "{}"), _LINK], expect={_LINK.identity: 0})

        assert [record.key for record in store.query("link", "books")] == ["c-1", "c-2"]

    @needs(Ability.HOST_TRANSACTION)
    def test_no_lease_is_taken_within_a_transaction(self, store: Storage, host_transaction: HostTransaction) -> None:
        """It would protect nobody: others see it once the transaction ends, or never."""
        with suppress(_TakenBackError), host_transaction(store) as within:
            with pytest.raises((XerosyncError, RuntimeError)):
                within.lease("books", OWNERS[0], ttl_s=60, now=START)
            raise _TakenBackError

        assert store.lease("books", OWNERS[1], ttl_s=60, now=START) == Fence("books", 1)
