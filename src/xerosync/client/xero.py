"""`Xero` and `AsyncXero`: the same flows on one organisation, stepped or awaited."""

from __future__ import annotations

from itertools import count
from types import TracebackType
from typing import Final, Self

from xerosync.client._books import QUARANTINE_S, Books
from xerosync.client._driver import stepped
from xerosync.client._limits import Limits
from xerosync.client._usage import Run, Usage
from xerosync.client.connections import ConnectionSummary
from xerosync.client.gate import RateGate, gate_of
from xerosync.client.oauth import App, Endpoints, Tokens
from xerosync.client.organisations import tenant_id
from xerosync.client.resources import (
    Accounts,
    AsyncAccounts,
    AsyncBankTransactions,
    AsyncBankTransfers,
    AsyncBatchPayments,
    AsyncBrandingThemes,
    AsyncContactGroups,
    AsyncContacts,
    AsyncCreditNotes,
    AsyncCurrencies,
    AsyncInvoices,
    AsyncItems,
    AsyncLinkedTransactions,
    AsyncManualJournals,
    AsyncOverpayments,
    AsyncPayments,
    AsyncPrepayments,
    AsyncPurchaseOrders,
    AsyncQuotes,
    AsyncReports,
    AsyncTaxRates,
    AsyncTrackingCategories,
    AsyncUsers,
    BankTransactions,
    BankTransfers,
    BatchPayments,
    BrandingThemes,
    ContactGroups,
    Contacts,
    CreditNotes,
    Currencies,
    Invoices,
    Items,
    LinkedTransactions,
    ManualJournals,
    Overpayments,
    Payments,
    Prepayments,
    PurchaseOrders,
    Quotes,
    Reports,
    TaxRates,
    TrackingCategories,
    Users,
)
from xerosync.client.states import ConnectionState
from xerosync.errors import InvalidInput
from xerosync.events import OnEvent, unheard
from xerosync.models import Action, Connection, Organisation
from xerosync.ports import Clock, Transport
from xerosync.storage.adapt import port_for
from xerosync.storage.owner import this_process
from xerosync.storage.protocol import AsyncStorage, Storage

_CLIENTS: Final = count(1)
_DAY_S: Final = 86_400


class _OnBooks:
    """What both clients say of what they spend."""

    def __init__(self, books: Books) -> None:
        self.books: Final = books

    def __repr__(self) -> str:
        # A debugger may show one that was refused while it was made.
        of = f" of organisation {self.books.tenant}" if hasattr(self, "books") else ""
        return f"<{type(self).__name__}{of}>"

    @property
    def usage(self) -> Usage:
        """What this client has spent, and what is left of the limits as Xero last said."""
        return self.books.usage

    @property
    def unsaved_tokens(self) -> Tokens | None:
        """
        Tokens that Xero gave and the store failed to keep; None when it has all. The next call keeps them first.

        Should this process have to end before the store is mended, keep their ``to_json()`` in another safe place, and
        give them to `connect` later. Without that, another refresh within half an hour still saves the connection.
        """
        return self.books.unsaved_tokens

    def run(self, *, calls: int | None = None, bytes_down: int | None = None, background: bool | None = None) -> Run:
        """
        A run with a meter of its own, and a budget of *calls* and *bytes_down* if you like: ``with xero.run() as run``.

        When the budget is spent, the next call raises `BudgetSpent` before it is sent. *background* says for this run
        whether it leaves a part of the limits to others, whatever the client does. Raises `InvalidInput`.
        """
        return self.books.run(calls, bytes_down, background=background)


class AsyncXero(_OnBooks):
    """
    One organisation in Xero, awaited.

    *organisation* is its tenant id; *store* keeps tokens, links and intents and stays the caller's to close. A
    *transport* and *clock* of your own (the simulator brings both) replace HTTP and this machine's time. A doubtful
    write is left alone for *quarantine_s* seconds before it is looked for in Xero. *on_event* hears of progress, as
    `xerosync.events` says. Clients of one app for one organisation share their *limits* through a *gate*: this
    process's own, unless you hand in another. One in the *background* leaves a part of them to the others.
    One that is *read_only* reads and plans, and raises `ReadOnly` for whatever would write, before anything is sent.
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
        gate: RateGate | None = None,
        background: bool = False,
        read_only: bool = False,
        quarantine_s: float = QUARANTINE_S,
        on_event: OnEvent | None = None,
        _blocking: bool = False,
    ) -> None:
        _check_made(app, quarantine_s, on_event)
        tenant = tenant_id(organisation)
        storage = port_for(store, blocking=_blocking)
        gate = gate or gate_of(clock)
        transport, clock = _way(transport, clock, blocking=_blocking)
        super().__init__(Books(
            app, tenant, storage, transport, clock, endpoints or Endpoints(), limits or Limits(),
            this_process(str(next(_CLIENTS))), quarantine_s, on_event or unheard, gate, background, read_only,
        ))  # fmt: skip
        self.accounts: Final = AsyncAccounts(self.books)
        self.bank_transactions: Final = AsyncBankTransactions(self.books)
        self.bank_transfers: Final = AsyncBankTransfers(self.books)
        self.batch_payments: Final = AsyncBatchPayments(self.books)
        self.branding_themes: Final = AsyncBrandingThemes(self.books)
        self.contact_groups: Final = AsyncContactGroups(self.books)
        self.contacts: Final = AsyncContacts(self.books)
        self.credit_notes: Final = AsyncCreditNotes(self.books)
        self.currencies: Final = AsyncCurrencies(self.books)
        self.invoices: Final = AsyncInvoices(self.books)
        self.items: Final = AsyncItems(self.books)
        self.linked_transactions: Final = AsyncLinkedTransactions(self.books)
        self.manual_journals: Final = AsyncManualJournals(self.books)
        self.overpayments: Final = AsyncOverpayments(self.books)
        self.payments: Final = AsyncPayments(self.books)
        self.prepayments: Final = AsyncPrepayments(self.books)
        self.purchase_orders: Final = AsyncPurchaseOrders(self.books)
        self.quotes: Final = AsyncQuotes(self.books)
        self.reports: Final = AsyncReports(self.books)
        self.tax_rates: Final = AsyncTaxRates(self.books)
        self.tracking_categories: Final = AsyncTrackingCategories(self.books)
        self.users: Final = AsyncUsers(self.books)

    async def connect(self, tokens: Tokens, *, company: str | None = None, another: bool = False) -> Connection:
        """
        Keep *tokens*, the token set of a consent just given, and use it for this organisation from now on.

        A token set that is already stored is left as it is, since it may have been refreshed meanwhile. Links and all
        else that is stored for this organisation stay. *company* is your own id of what is connected, if you have
        several: each has one organisation, and each organisation one company. Raises `OtherOrganisation` when the
        consent does not cover this organisation (F 1.36, 8.06), or when *company* is linked to another, whose place
        this one takes only with *another*; `InvalidInput` when the organisation serves another company, or for what is
        no token set.
        """
        return await self.books.connect(tokens, company=company, another=another)

    async def disconnect(self) -> None:
        """
        End the app's access to this organisation, at Xero and here; the user's other organisations stay connected.

        Links, documents and settings stay stored, and a later `connect` goes on with them. Where the connection, or the
        consent, has ended already, nothing is ended at Xero. Raises `Unavailable` when Xero could not be told: then
        nothing has changed.
        """
        await self.books.disconnect()

    async def revoke(self) -> None:
        """
        End the whole consent: its tokens, and every connection that its user made to the app (F 1.02).

        All organisations that share the consent need a new one. What is stored for them stays. Does nothing when it was
        revoked before, or none was ever given. Raises `Misconfigured` where there is nothing to revoke, as for a custom
        connection, and `Unavailable` when Xero could not be told: then nothing has changed.
        """
        await self.books.revoke()

    async def connection_state(self) -> ConnectionState:
        """
        How it stands with the connection, asked of Xero now: who must act, if anybody. Three calls at most.

        It tells a disconnected organisation from one that Xero refuses for another reason, which a call that was
        refused cannot (F 1.54, 8.05). Raises only what says nothing of the connection, such as `StoreFailed`.
        """
        return await self.books.connection_state()

    async def connection_summary(self) -> ConnectionSummary | None:
        """
        This connection as a page may show it, its state asked of Xero now; None when there never was one.

        Raises as `connection_state` does.
        """
        return await self.books.connection_summary()

    async def tokens(self) -> Tokens:
        """
        The token set as it is kept now, refreshed if need be: to look at its scopes, or to hand on.

        Raises `ReconnectNeeded` when there is none.
        """
        return await self.books.tokens()

    async def connections(self) -> tuple[Connection, ...]:
        """Every organisation that this user ever let the app into, not only by the last consent (F 1.36)."""
        return await self.books.connections()

    async def organisation(self) -> Organisation:
        """The organisation's own record: name, base currency, time zone, lock dates."""
        return await self.books.organisation()

    async def actions(self) -> tuple[Action, ...]:
        """What this app's user may and may not do in the organisation, by its plan and the user's role (F 6.05)."""
        return await self.books.actions()

    async def close(self) -> None:
        """Give back the connections to Xero. The store stays the caller's."""
        await self.books.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class Xero(_OnBooks):
    """
    One organisation in Xero, in plain calls; it needs no event loop and works inside a running one.

    *organisation* is its tenant id; *store* keeps tokens, links and intents and stays the caller's to close. A
    *transport* and *clock* of your own (the simulator brings both) replace HTTP and this machine's time. A doubtful
    write is left alone for *quarantine_s* seconds before it is looked for in Xero. *on_event* hears of progress, as
    `xerosync.events` says. Clients of one app for one organisation share their *limits* through a *gate*: this
    process's own, unless you hand in another. One in the *background* leaves a part of them to the others.
    One that is *read_only* reads and plans, and raises `ReadOnly` for whatever would write, before anything is sent.
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
        gate: RateGate | None = None,
        background: bool = False,
        read_only: bool = False,
        quarantine_s: float = QUARANTINE_S,
        on_event: OnEvent | None = None,
        _asynchronous: AsyncXero | None = None,
    ) -> None:
        self.asynchronous: Final = _asynchronous or AsyncXero(
            app, organisation, store=store, transport=transport, clock=clock, endpoints=endpoints, limits=limits,
            gate=gate, background=background, read_only=read_only, quarantine_s=quarantine_s, on_event=on_event,
            _blocking=True,
        )  # fmt: skip
        super().__init__(self.asynchronous.books)
        self._flows: Final = self.asynchronous
        self.accounts: Final = Accounts(self.asynchronous.accounts)
        self.bank_transactions: Final = BankTransactions(self.asynchronous.bank_transactions)
        self.bank_transfers: Final = BankTransfers(self.asynchronous.bank_transfers)
        self.batch_payments: Final = BatchPayments(self.asynchronous.batch_payments)
        self.branding_themes: Final = BrandingThemes(self.asynchronous.branding_themes)
        self.contact_groups: Final = ContactGroups(self.asynchronous.contact_groups)
        self.contacts: Final = Contacts(self.asynchronous.contacts)
        self.credit_notes: Final = CreditNotes(self.asynchronous.credit_notes)
        self.currencies: Final = Currencies(self.asynchronous.currencies)
        self.invoices: Final = Invoices(self.asynchronous.invoices)
        self.items: Final = Items(self.asynchronous.items)
        self.linked_transactions: Final = LinkedTransactions(self.asynchronous.linked_transactions)
        self.manual_journals: Final = ManualJournals(self.asynchronous.manual_journals)
        self.overpayments: Final = Overpayments(self.asynchronous.overpayments)
        self.payments: Final = Payments(self.asynchronous.payments)
        self.prepayments: Final = Prepayments(self.asynchronous.prepayments)
        self.purchase_orders: Final = PurchaseOrders(self.asynchronous.purchase_orders)
        self.quotes: Final = Quotes(self.asynchronous.quotes)
        self.reports: Final = Reports(self.asynchronous.reports)
        self.tax_rates: Final = TaxRates(self.asynchronous.tax_rates)
        self.tracking_categories: Final = TrackingCategories(self.asynchronous.tracking_categories)
        self.users: Final = Users(self.asynchronous.users)

    connect: Final = stepped(AsyncXero.connect)
    disconnect: Final = stepped(AsyncXero.disconnect)
    revoke: Final = stepped(AsyncXero.revoke)
    connection_state: Final = stepped(AsyncXero.connection_state)
    connection_summary: Final = stepped(AsyncXero.connection_summary)
    tokens: Final = stepped(AsyncXero.tokens)
    connections: Final = stepped(AsyncXero.connections)
    organisation: Final = stepped(AsyncXero.organisation)
    actions: Final = stepped(AsyncXero.actions)
    close: Final = stepped(AsyncXero.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _check_made(app: object, quarantine_s: object, on_event: object) -> None:
    """Raise `InvalidInput` for what would go wrong only when it is needed."""
    if not isinstance(app, App):
        raise InvalidInput("app", f"give an App, made of your client id and secret, not a {type(app).__name__}")
    if not isinstance(quarantine_s, int | float) or not 0 <= quarantine_s <= _DAY_S:
        raise InvalidInput("quarantine_s", f"give seconds from 0 to {_DAY_S:,}")
    if on_event is not None and not callable(on_event):
        raise InvalidInput("on_event", "give what can be called with an event and its fields")


def _way(transport: Transport | None, clock: Clock | None, *, blocking: bool) -> tuple[Transport, Clock]:
    """The *transport* and *clock* given, or HTTP and this machine's time."""
    if transport is None or clock is None:
        from xerosync.client import _http  # noqa: PLC0415 - the HTTP library is slow to import

        clock = clock or (_http.BlockingClock() if blocking else _http.AsyncClock())
        transport = transport or (_http.BlockingTransport if blocking else _http.AsyncTransport)(clock)
    return transport, clock
