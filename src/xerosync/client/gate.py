"""The rate gate: one budget of calls for all clients, tasks and threads that call for an organisation."""

from __future__ import annotations

import weakref
from datetime import datetime
from threading import Lock
from typing import Final, Protocol

from attrs import define, field, frozen

from xerosync.client._limits import LEASE, AppCalls, Limits, OrganisationCalls, Wait, wait_before
from xerosync.client._wire.answers import Counters
from xerosync.ports import Clock

__all__ = ["Account", "Counters", "MemoryGate", "Permit", "RateGate", "Wait", "gate_of"]


@frozen
class Account:
    """Whose budget a call is taken from: Xero counts by *app* (its client id) and *organisation*, at one *api* host."""

    api: str
    app: str
    organisation: str


@frozen
class Permit:
    """The right to send one call, given at *sent*; release it when the answer has come, or none will come."""

    account: Account
    number: int
    sent: datetime

    @property
    def not_after(self) -> datetime:
        """Until when its call may leave: after that, the gate gives its place away."""
        return self.sent + LEASE


class RateGate(Protocol):
    """
    Decides when a call may be sent; whoever asks waits by a clock of its own, and then asks again.

    `MemoryGate` keeps the count for one process. One that keeps it in a database or in Redis is shared by all your
    workers: ``Xero(…, gate=…)``. It must hold no lock while somebody waits, and may suspend under `AsyncXero` only.
    """

    async def acquire(self, account: Account, limits: Limits, now: datetime, *, background: bool) -> Permit | Wait:
        """A permit to send one call at *now*, or how long to wait before asking again."""
        ...

    async def observe(self, permit: Permit, counters: Counters, limits: Limits, now: datetime) -> None:
        """
        Learn from the answer to the call of *permit*: Xero's counters and refusals win over one's own count.

        The call has ended with it. `release` follows all the same.
        """
        ...

    async def release(self, permit: Permit, now: datetime) -> None:
        """Take *permit* back. One that is never released ends by itself, so that a dead worker frees its place."""
        ...


@define
class MemoryGate:
    """The gate of one process: an exact log of each organisation's calls in the last minute."""

    _organisations: dict[Account, OrganisationCalls] = field(factory=dict[Account, OrganisationCalls], repr=False)
    _apps: dict[Account, AppCalls] = field(factory=dict[Account, AppCalls], repr=False)
    _number: int = 0
    _turn: Lock = field(factory=Lock, repr=False)

    async def acquire(self, account: Account, limits: Limits, now: datetime, *, background: bool) -> Permit | Wait:
        """See `RateGate.acquire`."""
        with self._turn:
            calls, app = self._of(account, now)
            wait = wait_before(calls, app, limits, now, background=background)
            if wait is not None:
                return wait
            self._number += 1
            self._organisations[account] = calls.sent(self._number, limits, now)
            self._apps[_whole_app(account)] = app.sent(now)
            return Permit(account, self._number, now)

    async def observe(self, permit: Permit, counters: Counters, limits: Limits, now: datetime) -> None:
        """See `RateGate.observe`."""
        with self._turn:
            calls, app = self._of(permit.account, now)
            ended = calls.ended(permit.number, now)
            self._organisations[permit.account] = ended.told(permit.sent, counters, limits, now)
            self._apps[_whole_app(permit.account)] = app.told(permit.sent, counters, limits, now)

    async def release(self, permit: Permit, now: datetime) -> None:
        """See `RateGate.release`."""
        with self._turn:
            calls, _ = self._of(permit.account, now)
            self._organisations[permit.account] = calls.ended(permit.number, now)

    def _of(self, account: Account, now: datetime) -> tuple[OrganisationCalls, AppCalls]:
        calls = self._organisations[account] = self._organisations.get(account, OrganisationCalls()).known_at(now)
        whole = _whole_app(account)
        app = self._apps[whole] = self._apps.get(whole, AppCalls()).known_at(now)
        return calls, app


def gate_of(clock: Clock | None) -> MemoryGate:
    """
    The gate that all clients of this process share which go by *clock*; None is this machine's.

    Moments of two clocks cannot be compared, so that each clock has a gate of its own, for as long as it lives.
    """
    if clock is None:
        return _THIS_PROCESS
    known = _BY_CLOCK.get(id(clock))
    if known is not None:
        return known
    gate = MemoryGate()
    try:
        weakref.finalize(clock, _BY_CLOCK.pop, id(clock), None).atexit = False
    except TypeError:  # it cannot be watched, so that nobody would know when its id belongs to another
        return gate
    return _BY_CLOCK.setdefault(id(clock), gate)


def _whole_app(account: Account) -> Account:
    return Account(account.api, account.app, "")


_THIS_PROCESS: Final = MemoryGate()
_BY_CLOCK: Final[dict[int, MemoryGate]] = {}
