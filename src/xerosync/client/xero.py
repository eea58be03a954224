"""`Xero` and `AsyncXero`: the same flows on one organisation, stepped or awaited."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from types import TracebackType
from typing import Final, Self

from xerosync.client._books import QUARANTINE_S, Books, tenant_id
from xerosync.client._driver import stepped
from xerosync.client._limits import Limits
from xerosync.client._session import OnEvent
from xerosync.client.oauth import App, Endpoints, Tokens
from xerosync.client.resources import (
    Accounts,
    AsyncAccounts,
    AsyncContacts,
    AsyncCreditNotes,
    AsyncInvoices,
    AsyncPayments,
    AsyncReports,
    Contacts,
    CreditNotes,
    Invoices,
    Payments,
    Reports,
)
from xerosync.models import Connection, Organisation
from xerosync.ports import Clock, Transport
from xerosync.storage.adapt import port_for
from xerosync.storage.owner import this_process
from xerosync.storage.protocol import AsyncStorage, Storage

_CLIENTS: Final = count(1)


class AsyncXero:
    """
    One organisation in Xero, awaited.

    *organisation* is its tenant id; *store* keeps tokens, links and intents and stays the caller's to close. A
    *transport* and *clock* of your own (the simulator brings both) replace HTTP and this machine's time. A doubtful
    write is left alone for *quarantine_s* seconds before it is looked for in Xero. *on_event* hears of progress.
    """

    def __init__(
        self,
        app: App,
        organisation: str,
        *,
        store: Storage | AsyncStorage,
        transport: Transport | None = None,
        clock: Clock | None = None,
        endpoints: Endpoints | None = None,
        limits: Limits | None = None,
        quarantine_s: float = QUARANTINE_S,
        on_event: OnEvent | None = None,
        _blocking: bool = False,
    ) -> None:
        tenant = tenant_id(organisation)
        storage = port_for(store, blocking=_blocking)
        if transport is None or clock is None:
            from xerosync.client import _http  # noqa: PLC0415 - the HTTP library is slow to import

            clock = clock or (_http.BlockingClock() if _blocking else _http.AsyncClock())
            transport = transport or (_http.BlockingTransport if _blocking else _http.AsyncTransport)(clock)
        self.books: Final = Books(
            app,
            tenant,
            storage,
            transport,
            clock,
            endpoints or Endpoints(),
            limits or Limits(),
            this_process(str(next(_CLIENTS))),
            quarantine_s,
            on_event or _unheard,
        )
        self.accounts: Final = AsyncAccounts(self.books)
        self.contacts: Final = AsyncContacts(self.books)
        self.invoices: Final = AsyncInvoices(self.books)
        self.credit_notes: Final = AsyncCreditNotes(self.books)
        self.payments: Final = AsyncPayments(self.books)
        self.reports: Final = AsyncReports(self.books)

    async def connect(self, tokens: Tokens) -> Connection:
        """
        Keep *tokens*, the token set of a consent just given, and use it for this organisation from now on.

        A token set that is already stored is left as it is, since it may have been refreshed meanwhile. Raises
        `NotAuthorised` when the consent does not cover this organisation (F 1.36, 8.06).
        """
        return await self.books.connect(tokens)

    async def connections(self) -> tuple[Connection, ...]:
        """Every organisation that this user ever let the app into, not only by the last consent (F 1.36)."""
        return await self.books.connections()

    async def organisation(self) -> Organisation:
        """The organisation's own record: name, base currency, time zone, lock dates."""
        return await self.books.organisation()

    async def close(self) -> None:
        """Give back the connections to Xero. The store stays the caller's."""
        await self.books.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class Xero:
    """
    One organisation in Xero, in plain calls; it needs no event loop and works inside a running one.

    *organisation* is its tenant id; *store* keeps tokens, links and intents and stays the caller's to close. A
    *transport* and *clock* of your own (the simulator brings both) replace HTTP and this machine's time. A doubtful
    write is left alone for *quarantine_s* seconds before it is looked for in Xero. *on_event* hears of progress.
    """

    def __init__(
        self,
        app: App,
        organisation: str,
        *,
        store: Storage,
        transport: Transport | None = None,
        clock: Clock | None = None,
        endpoints: Endpoints | None = None,
        limits: Limits | None = None,
        quarantine_s: float = QUARANTINE_S,
        on_event: OnEvent | None = None,
    ) -> None:
        self.asynchronous: Final = AsyncXero(
            app,
            organisation,
            store=store,
            transport=transport,
            clock=clock,
            endpoints=endpoints,
            limits=limits,
            quarantine_s=quarantine_s,
            on_event=on_event,
            _blocking=True,
        )
        self._flows: Final = self.asynchronous
        self.books: Final = self.asynchronous.books
        self.accounts: Final = Accounts(self.asynchronous.accounts)
        self.contacts: Final = Contacts(self.asynchronous.contacts)
        self.invoices: Final = Invoices(self.asynchronous.invoices)
        self.credit_notes: Final = CreditNotes(self.asynchronous.credit_notes)
        self.payments: Final = Payments(self.asynchronous.payments)
        self.reports: Final = Reports(self.asynchronous.reports)

    connect: Final = stepped(AsyncXero.connect)
    connections: Final = stepped(AsyncXero.connections)
    organisation: Final = stepped(AsyncXero.organisation)
    close: Final = stepped(AsyncXero.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _unheard(event: str, fields: Mapping[str, object]) -> None:
    """Nobody listens."""
