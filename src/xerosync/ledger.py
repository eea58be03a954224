"""The ledger of what was written to one organisation: recover, audit, and let go on what is parked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from xerosync.arguments import arguments_checked
from xerosync.client._books import Books
from xerosync.client._driver import stepped
from xerosync.client.xero import AsyncXero, Xero
from xerosync.engine import auditing, drifting, explaining, recovery, undo_flow
from xerosync.engine.auditing import Audit
from xerosync.engine.drift_report import BOOKED, DriftField, DriftReport
from xerosync.engine.explaining import Trail
from xerosync.engine.plans import Finding, Plan, Recovery
from xerosync.tables import Listing


@arguments_checked
class AsyncLedger:
    """What this product has written to one organisation, whatever story it belongs to, awaited."""

    def __init__(self, xero: AsyncXero) -> None:
        self.books: Final[Books] = xero.books

    async def recover(self) -> Recovery:
        """Close what an interrupted run left open, looking in Xero before anything is sent again."""
        return await recovery.recover(self.books)

    async def audit(self, *, since: datetime | None = None, adopt: bool = False) -> Audit:
        """
        Compare what carries our marks in Xero with the ledger: what is missing, doubled, foreign or deleted (R9).

        It reads invoices, bills, credit notes, payments, bank transactions and transfers, all or those changed *since*
        (aware), and deletes nothing. What the connection has no scope for is left out where nothing was ever written
        to it; else it raises `ScopeMissing`. With *adopt* the ledger takes over every mark that it does not know, and
        writes refused with `LedgerBehind` may go on (C15): stop all workers before you restore a store, and call this
        before you start them. Where there is any such mark it waits for the quarantine first, since what was sent
        before the store was restored may still be on its way. Raises `InvalidInput` for both together.
        """
        return await auditing.audit(self.books, since=since, adopt=adopt)

    async def drift(self, fields: Iterable[DriftField] = BOOKED) -> DriftReport:
        """
        What people changed in Xero of anything that the library wrote: each change with what was and what is.

        *fields* are those that count for you, all but texts unless given. What is gone was removed by somebody else;
        what the library took back itself is no drift. `DriftReport.follow`, `DriftReport.restore` and
        `DriftReport.ignore` make plans of it, which ``apply()`` of either story does.
        """
        return await drifting.find_drift(self.books, frozenset(fields))

    async def trail(self, *, run: str | None = None, after: str | None = None) -> Trail:
        """
        The record of every run: each decision with its reason, each call, each outcome; it is added to, never changed.

        *run* asks for one alone, by the ``run`` of its `Report`. Else give *after* what the last trail gave as its own,
        and get what came since, some thousands of lines at a time; at the end there are none. It holds nothing personal
        and no amount. Raises `InvalidInput` for both together.
        """
        return await explaining.read_trail(self.books, run=run, after=after)

    async def undo(self, run: str) -> Plan:
        """
        Take back all that a *run* wrote to Xero, by the ``run`` of its `Report`: payments and transfers, then bills,
        sales and credit notes; or nothing of it. ``apply()`` of either story does the plan.

        What is reconciled, in closed books, touched since, under money of another run, or has no way back is a finding
        each, and the plan empty. Contacts, accounts, files and notes stay, and what was remembered in the store alone.
        What was taken back is not posted again under its id. Raises `InvalidInput` for a run that is not recorded.
        """
        return await undo_flow.undo_run(self.books, run)

    async def why(self, what: str) -> Trail:
        """
        Why something is there: all that is recorded of *what*, a document's id in Xero, its mark, or your own id of it.

        Its sentences tell in order what was decided and for what reason, what was sent, what Xero answered, and what
        was undone. Of what the library did not write it says so, as of what bears our mark and the store has forgotten.
        """
        return await explaining.why(self.books, what)

    async def parked(self) -> Listing[Finding]:
        """The writes that ended in doubt eight times: nothing is done about them until they are released (R8)."""
        return await recovery.parked(self.books)

    async def release(self, host_ids: Iterable[str] | None = None) -> int:
        """
        Let the parked writes of *host_ids*, all unless given, be tried again as new ones are; how many there were.

        Each is looked for in Xero before it is sent: the next `recover` or apply does that.
        """
        return await recovery.release(self.books, None if host_ids is None else frozenset(host_ids))


@arguments_checked
class Ledger:
    """What this product has written to one organisation, whatever story it belongs to, in plain calls."""

    def __init__(self, xero: Xero) -> None:
        self._flows: Final = AsyncLedger(xero.asynchronous)

    recover: Final = stepped(AsyncLedger.recover)
    audit: Final = stepped(AsyncLedger.audit)
    drift: Final = stepped(AsyncLedger.drift)
    trail: Final = stepped(AsyncLedger.trail)
    undo: Final = stepped(AsyncLedger.undo)
    why: Final = stepped(AsyncLedger.why)
    parked: Final = stepped(AsyncLedger.parked)
    release: Final = stepped(AsyncLedger.release)
