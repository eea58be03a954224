"""The story of a product that collects money: match customers, import invoices, settle, take back, reconcile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping
from datetime import date
from typing import Final

from xerosync.arguments import arguments_checked
from xerosync.client._books import Books
from xerosync.client._driver import stepped, stepped_rows
from xerosync.client.xero import AsyncXero, Xero
from xerosync.engine import (
    allocating,
    applying,
    backfilling,
    following,
    handmade,
    import_pages,
    importing,
    opening,
    policies,
    reconciling,
    recovery,
    settlement_accounts,
    settlement_flow,
    undo_flow,
)
from xerosync.engine.actions import EnablePayments
from xerosync.engine.clearing import (
    ClearingChoice,
    Eligibility,
    clearing_choice,
)
from xerosync.engine.clearing_statement import ClearingStatement
from xerosync.engine.connecting import ConnectingCustomers
from xerosync.engine.import_pages import PER_PAGE as PAGE
from xerosync.engine.importing import Choice, ImportPreview
from xerosync.engine.mirror import ACCOUNTS, refresh, walk
from xerosync.engine.observed import (
    account_choice,
)
from xerosync.engine.opening import WantedAccount
from xerosync.engine.paper_settings import SaleSettings
from xerosync.engine.paying import CreditRefund
from xerosync.engine.plans import Plan, Recovery, Report
from xerosync.engine.policies import ImportPolicy
from xerosync.engine.reconciliation import Reconciliation
from xerosync.engine.sales import PostedSale, posted_sales, refund_credits, submit_sales, update_sales, void_sales
from xerosync.engine.settlement_report import SettlementReport
from xerosync.engine.settling_policies import SettlementSettings
from xerosync.engine.transaction_report import (
    PER_PAGE,
    ReportWanted,
    Standing,
    TransactionReport,
    standing_of,
    transaction_report,
)
from xerosync.engine.transactions import all_transactions
from xerosync.errors import Misconfigured
from xerosync.mapping.papers import Sale
from xerosync.mapping.settlement import Settlement
from xerosync.mapping.transactions import ImportSettings, Transaction, TransactionState
from xerosync.matching.keys import MATCH_KEYS, Customer, MatchKey
from xerosync.matching.pairing import Match
from xerosync.models import Account, AccountId
from xerosync.money import Money
from xerosync.tables import Listing
from xerosync.texts import check_id, plain_id


@arguments_checked
class AsyncReceivables:
    """
    Collections of a product in one organisation's books, awaited.

    *clearing_account* is the code or id of the account that settled payments go into, *match_by* the keys that
    customers are matched by, in order, *imports* how invoices become transactions, *settlements* where fees and payouts
    are posted, *sales* how invoices of the host's own are. Nothing is written before an apply.
    """

    def __init__(
        self,
        xero: AsyncXero,
        *,
        clearing_account: str | None = None,
        match_by: Iterable[MatchKey] = MATCH_KEYS,
        imports: ImportSettings | None = None,
        settlements: SettlementSettings | None = None,
        sales: SaleSettings | None = None,
    ) -> None:
        self.books: Final[Books] = xero.books
        self._connecting: Final = ConnectingCustomers(xero.books, match_by)
        self._clearing: Final = clearing_account
        self._imports: Final = imports or ImportSettings()
        self._settlements: Final = settlements or SettlementSettings()
        self._sales: Final = sales or SaleSettings()

    async def clearing_accounts(self) -> Listing[ClearingChoice]:
        """Every account, with the answer to whether it may be the clearing account, and the reason (R7)."""
        await refresh(self.books, ACCOUNTS)
        found = [account async for _, account in walk(self.books, ACCOUNTS, Account)]
        return Listing(clearing_choice(account) for account in sorted(found, key=lambda each: each.code or "~"))

    async def prepare(self) -> Plan:
        """Enable payments on the clearing account where that is all it lacks (F 6.14); else nothing is to do."""
        choice = await self._choice()
        if choice.answer is Eligibility.REFUSED:
            raise Misconfigured(settlement_accounts.CHECK_CLEARING.format(reason=choice.reason))
        actions: tuple[EnablePayments, ...] = ()
        if choice.answer is Eligibility.ONCE_ENABLED:
            account_id = choice.account.account_id or AccountId("")
            actions = (EnablePayments(host_ref=account_id, reason=choice.reason, account_id=account_id),)
        return Plan(tenant=self.books.tenant, actions=actions)

    async def open_accounts(self, wanted: Iterable[WantedAccount]) -> Plan:
        """
        Open those accounts of *wanted* (clearing, fees, refunds) that the chart of accounts lacks.

        See `xerosync.engine.opening.open_accounts`; the consent needs the feature ``account set-up``.
        """
        return await opening.open_accounts(self.books, wanted)

    async def matches(self, customers: Iterable[Customer]) -> Listing[Match[Customer]]:
        """
        How each of *customers* stands towards the contacts in Xero: the list to review (R10, R11).

        Those that nothing was found for come with suggestions. Reads, changes nothing.
        """
        return await self._connecting.matches(customers)

    async def match(
        self, customers: Iterable[Customer], *, create_missing: bool = False, retry_refused: bool = False
    ) -> Plan:
        """
        Pair *customers* with the contacts that are known by the same keys (R9); the others become findings.

        A contact that was merged is followed to the one it was merged into (F 6.34). With *create_missing*, those that
        are not in Xero get a contact, named by the custom identifier; what Xero refused before is only planned again
        with *retry_refused*.
        """
        return await self._connecting.match(customers, create_missing=create_missing, retry_refused=retry_refused)

    async def create_contact(self, customer: Customer, *, retry_refused: bool = False) -> Plan:
        """
        Create a contact for *customer* and connect it, because a person said so: although one is archived, or looks
        alike.
        """
        return await self._connecting.create_contact(customer, retry_refused=retry_refused)

    async def link(self, customer_id: str, contact_id: str) -> Plan:
        """Connect a customer to the contact that a person chose; a contact that is another's is a finding."""
        check_id("customer_id", customer_id)
        return await self._connecting.link(customer_id, contact_id, move=False)

    async def move(self, customer_id: str, contact_id: str) -> Plan:
        """Connect a customer to another contact than until now."""
        check_id("customer_id", customer_id)
        return await self._connecting.link(customer_id, contact_id, move=True)

    async def unlink(self, customer_id: str) -> Plan:
        """Take a customer and its contact apart; they are not paired again but by `link`. Its transactions stay."""
        return await self._connecting.unlink(customer_id)

    async def undo_links(self, report: Report) -> Plan:
        """Put customers' links back to what they were before *report*; what has changed since is a finding."""
        return await self._connecting.undo(report)

    async def contact_updates(self, customer_ids: Iterable[str]) -> Plan:
        """
        What has changed in Xero of the contacts of those customers whose details follow (R32).

        Each `UpdateCustomer` has the details as they are now. Save them, then apply the plan: so the next one begins
        from there. At first everything is new.
        """
        return await self._connecting.updates(customer_ids)

    async def preview_imports(self, *, due_from: date | None = None) -> ImportPreview:
        """
        One row for every sales invoice: the transaction it would become, or why it is left out and what to do (R24).

        *due_from* bounds it to invoices due on that day or later (R25). Reads, changes nothing.
        """
        choice = Choice(due_from=due_from, retries=self._settlements.retries)
        return await importing.preview(self.books, self._imports, choice)

    async def import_invoices(
        self,
        chosen: Collection[str] | None = None,
        *,
        due_from: date | None = None,
        automatic: bool = False,
        agreed_anew: bool = False,
    ) -> Plan:
        """
        Make a transaction of every approved sales invoice that has something due and whose customer is connected.

        *chosen* are the ids of invoices to import by hand; only so is one imported again whose transaction ended (R15).
        *automatic* takes those of customers with that policy alone, due since it was set (R31), *due_from* those due on
        that day or later. What the retry policy forbids to collect again is a finding (R37), unless the payers of all
        those chosen *agreed_anew*.
        """
        ids = None if chosen is None else frozenset(map(plain_id, chosen))
        choice = Choice(
            chosen=ids,
            due_from=due_from,
            automatic=automatic,
            retries=self._settlements.retries,
            agreed_anew=agreed_anew,
        )
        return await importing.import_invoices(self.books, self._imports, choice)

    async def import_in_pages(
        self, *, due_from: date | None = None, automatic: bool = False, per_page: int = PAGE
    ) -> AsyncIterator[Report]:
        """
        Plan and apply what `import_invoices` would, *per_page* invoices at a time, up to 1,000: for a first import.

        Each page's report tells of the transactions made of it: save those, then ask for the next. Memory holds one
        page, and invoices are read once, at the beginning, and about every ten minutes. Broken off, it goes on with the
        page that was under way; what of that was imported already is a result that is ``earlier``. Raises as `apply`.
        """
        choice = Choice(due_from=due_from, automatic=automatic)
        async for report in import_pages.import_in_pages(self.books, self._imports, choice, per_page=per_page):
            yield report

    async def link_transaction(self, transaction_id: str, *, invoice: str, amount: Money | None = None) -> Plan:
        """
        Let a transaction that the host made by hand stand for *invoice*, an id or a number, so that it can be settled.

        *amount* is what the customer was asked for, what is due unless given (R19).
        """
        return await handmade.link_transaction(self.books, transaction_id, invoice=invoice, amount=amount)

    async def follow(self, states: Iterable[TransactionState]) -> Plan:
        """
        Make your transactions what their invoices in Xero have become, told how yours stand now in *states*.

        While a transaction is ``future``, edits of what is due and when are changes, voids and payments elsewhere
        cancellations, where its customer's policy follows edits (R31); otherwise they are findings (R14). Once it was
        sent, another amount due is a finding with both amounts. The plan tells a change until your own rows show it;
        what ended may be imported again once the plan is applied. Raises `InvalidInput` for a transaction given twice.
        """
        return await following.follow(self.books, self._imports, states)

    async def set_import_policies(self, wanted: Mapping[str, ImportPolicy | str]) -> Plan:
        """
        Say how the invoices of customers, by their id, are imported, and whether edits of them are followed.

        Until then they are imported by hand. Raises `InvalidInput` for a policy there is not.
        """
        today = self._imports.calendar.today(self.books.clock.now())
        return await policies.set_policies(self.books, wanted, today=today)

    async def import_policies(self) -> dict[str, ImportPolicy]:
        """The policies that were set, by customer; the invoices of all others are imported by hand."""
        kept = await policies.kept_policies(self.books)
        return {customer: each.policy for customer, each in kept.items()}

    async def transactions(self) -> Listing[Transaction]:
        """Every transaction the library made out of an invoice, as it is to be, ended ones too."""
        return Listing(await all_transactions(self.books))

    async def transaction_report(
        self,
        standing: Standing | str | None = None,
        *,
        first: date | None = None,
        last: date | None = None,
        page: int = 1,
        per_page: int = PER_PAGE,
    ) -> TransactionReport:
        """
        How your transactions stand: all, or those of one *standing*, page by page of up to a thousand (R39).

        It tells what settlements posted, what was taken back, and what `follow` last heard from you; *first* and *last*
        bound the days on which they are collected. It reads the store alone, makes no call to Xero, and is as fresh as
        the last plan. Raises `InvalidInput` for a page or a standing there is not.
        """
        wanted = ReportWanted(standing=standing_of(standing), first=first, last=last, page=page, per_page=per_page)
        return await transaction_report(self.books, wanted)

    async def submit(self, sales: Iterable[Sale], *, retry_refused: bool = False) -> Plan:
        """
        Post *sales*, each once, by the host's id: a positive total as an invoice, a negative one as a credit note to
        the customer (row 61).

        Their customers must be connected. An invoice is settled as the transaction it names, and is not imported. What
        Xero refused before is a finding, and planned again only with *retry_refused*. Raises `InvalidInput` for a sale
        given twice.
        """
        return await submit_sales(self.books, sales, self._sales, retry_refused=retry_refused)

    async def update(self, sales: Iterable[Sale], *, retry_refused: bool = False) -> Plan:
        """
        Change the invoices that were posted before to what *sales* say now; one that has not changed needs nothing.

        Where money stands on one, its number, reference, due day, texts, accounts and tracking may change (F 6.66); all
        else is a finding then, and so is any change of a credit note that was used. What people approved in Xero stays
        approved.
        """
        return await update_sales(self.books, sales, self._sales, retry_refused=retry_refused)

    async def void(self, ids: Iterable[str], *, retry_refused: bool = False) -> Plan:
        """
        Take back the sales of these host's ids: voided, or deleted where not approved.

        One that payments or credits stand on, or that lies in closed books, is a finding (F 6.53).
        """
        return await void_sales(self.books, ids, self._sales, retry_refused=retry_refused)

    async def allocate(
        self,
        chosen: Collection[str] | None = None,
        *,
        invoices: Collection[str] | None = None,
        retry_refused: bool = False,
    ) -> Plan:
        """
        Offer customers' credit for allocation: credit notes that were submitted, and what settlements parked (row 63).

        *chosen* are the host's ids of them, of a parked one its settlement line's; all unless given. Each is set
        against what the same customer owes, what is due first first: the *invoices* of these ids of Xero's, or those
        that transactions stand for. What a collection under way will bring in is left for it.
        """
        notes = self._sales.notes or self._settlements.notes
        return await allocating.allocate(self.books, chosen, invoices, notes=notes, retry_refused=retry_refused)

    async def refund(self, refunds: Iterable[CreditRefund], *, retry_refused: bool = False) -> Plan:
        """
        Post the money that customers got back for credit, each once, by the host's id: for credit notes that were
        submitted, and for what settlements parked.

        It leaves the clearing account, unless a refund names another one. More than is left is a finding.
        """
        notes = self._sales.notes or self._settlements.notes
        return await refund_credits(
            self.books, refunds, account=self._clearing, notes=notes, retry_refused=retry_refused
        )

    async def posted(self, ids: Iterable[str]) -> Listing[PostedSale]:
        """Those of the host's sales that stand in Xero, with their numbers and totals as Xero has them now."""
        return await posted_sales(self.books, ids)

    async def settle(self, settlements: Settlement | Iterable[Settlement], *, retry_refused: bool = False) -> Plan:
        """
        Post what *settlements* collected into the clearing account, and remove what they took back.

        Lines whose transaction the library did not create are findings with what to do (R18, R19). What Xero refused
        before is planned again when its invoice has changed since, or with *retry_refused*. Raises `InvalidInput` for a
        line that cannot be, `Misconfigured` when the clearing account takes no payments (R22).
        """
        given = [settlements] if isinstance(settlements, Settlement) else settlements
        return await settlement_flow.settle(
            self.books, self._clearing, self._settlements, given, retry_refused=retry_refused
        )

    async def backfill(
        self,
        settlements: Settlement | Iterable[Settlement],
        *,
        since: date | None = None,
        invoices: Mapping[str, str] | None = None,
        chosen: Mapping[str, str] | None = None,
    ) -> Plan:
        """
        Take over what people typed in Xero of past *settlements*, those from the day *since*, so that it is not posted.

        A payment on a line's invoice, the fees spent or billed, a refund, and the payout transferred or received are
        taken over where amount, day and account are the same. What differs in one of these and may be it is held back,
        and is a `WhichOne` with its candidates: answer in *chosen*, by the line's id (or ``fees/`` and ``payout/`` with
        the settlement's), with the Xero id of the one it is, or with a blank that it is none. *invoices* gives the id
        or number of the invoice of transactions that the library did not make, by their id. Writes nothing to Xero;
        apply it, then `settle` posts the rest.
        """
        given = [settlements] if isinstance(settlements, Settlement) else settlements
        return await backfilling.backfill_settlements(
            self.books,
            self._clearing,
            self._settlements,
            given,
            since=since,
            invoices=invoices or {},
            chosen=chosen or {},
        )

    async def undo_settlement(self, settlement: Settlement) -> Plan:
        """
        Take back all that was posted for *settlement*: payments, alone or in batches, what was parked, refunds,
        invoices in a payment's place, fees and payout; or nothing of it.

        What is reconciled, in closed books, or touched since cannot be taken back, nor a payment brought back that was
        removed: then the plan is empty, and each such thing a finding. Its line ids are spent: settled again, the same
        money needs new ones.
        """
        return await undo_flow.undo_settlement(self.books, self._settlements, settlement)

    async def settlement_report(self, settlements: Settlement | Iterable[Settlement]) -> SettlementReport:
        """
        How *settlements* stand in the books now: every line, its fees and its payout, ticked or crossed.

        Whatever `settle` would still do or say of a line is its cross, with the cause and the next step. Reads, changes
        nothing; raises as `settle` does.
        """
        given = [settlements] if isinstance(settlements, Settlement) else settlements
        examined = await settlement_flow.examined(self.books, self._clearing, self._settlements, given)
        return examined.report

    async def apply(self, plan: Plan) -> Report:
        """Do exactly what *plan* says; see `xerosync.engine.applying.apply`."""
        return await applying.apply(self.books, plan)

    async def recover(self) -> Recovery:
        """Close what an interrupted run left open, looking in Xero before anything is sent again."""
        return await recovery.recover(self.books)

    async def reconcile(
        self,
        settlements: Settlement | Iterator[Settlement] | Iterable[Settlement] | None = None,
        *,
        first: date | None = None,
        last: date | None = None,
        account: str | None = None,
        brief: bool = False,
        since: Reconciliation | None = None,
        withdrawn: Iterable[str] = (),
    ) -> Reconciliation:
        """
        Explain the clearing account's balance in Xero: what should be in flight, and every discrepancy, to the cent.

        With all your *settlements*, whatever of them is missing in Xero or changed there is one, and so is what was
        posted from *first* on and is in none of them. The days are all there are, up to today, unless given; *account*
        is the code or id of another account to explain than this story's, a former one or a bank account: of the
        settlements those count that went through it, and what was posted there. Reads, changes nothing:
        `Reconciliation.plan` fixes. Raises `InvalidInput` for days in the wrong order, and what `settle` raises.

        A *brief* one finds the same, and lists only what is not as it should be: payments that stand as they were
        posted, and as your settlements say, are in its sums and in no list. That is for hundreds of thousands of them;
        *settlements* may come from a generator then, and are read one by one.

        *since* a brief one that was made of all your settlements, in this process, it is rolled forward: give the
        *settlements* that are new or changed, each whole, and the ids of those *withdrawn*, and it finds what a brief
        one of all would. Raises `InvalidInput` where it cannot, as after a change of settings: take one of all then.
        """
        given = [settlements] if isinstance(settlements, Settlement) else settlements
        wanted = reconciling.Wanted(
            clearing=self._clearing,
            chosen=self._settlements,
            settlements=given,
            of=account,
            first=first,
            last=last,
            brief=brief,
            since=since,
            withdrawn=tuple(withdrawn),
        )
        return await reconciling.reconcile(self.books, wanted)

    async def clearing_statement(self, first: date, last: date, *, account: str | None = None) -> ClearingStatement:
        """
        What moved on the clearing account from *first* to *last*: opening + in − out = closing.

        Both ends are Xero's own balances, and each is explained as `reconcile` does. *account* is the code or id of
        another account than this story's, such as one used before. Raises `InvalidInput` for days in the wrong order.
        """
        return await reconciling.clearing_statement(self.books, self._named(account), first, last)

    def _named(self, account: str | None) -> str | None:
        return self._clearing if account is None else account

    async def _choice(self) -> ClearingChoice:
        return await account_choice(self.books, self._clearing, setting="clearing_account")


@arguments_checked
class Receivables:
    """
    Collections of a product in one organisation's books, in plain calls.

    *clearing_account* is the code or id of the account that settled payments go into, *match_by* the keys that
    customers are matched by, in order, *imports* how invoices become transactions, *settlements* where fees and payouts
    are posted, *sales* how invoices of the host's own are. Nothing is written before an apply.
    """

    def __init__(
        self,
        xero: Xero,
        *,
        clearing_account: str | None = None,
        match_by: Iterable[MatchKey] = MATCH_KEYS,
        imports: ImportSettings | None = None,
        settlements: SettlementSettings | None = None,
        sales: SaleSettings | None = None,
    ) -> None:
        self._flows: Final = AsyncReceivables(
            xero.asynchronous,
            clearing_account=clearing_account,
            match_by=match_by,
            imports=imports,
            settlements=settlements,
            sales=sales,
        )

    clearing_accounts: Final = stepped(AsyncReceivables.clearing_accounts)
    prepare: Final = stepped(AsyncReceivables.prepare)
    open_accounts: Final = stepped(AsyncReceivables.open_accounts)
    matches: Final = stepped(AsyncReceivables.matches)
    match: Final = stepped(AsyncReceivables.match)
    create_contact: Final = stepped(AsyncReceivables.create_contact)
    link: Final = stepped(AsyncReceivables.link)
    move: Final = stepped(AsyncReceivables.move)
    unlink: Final = stepped(AsyncReceivables.unlink)
    undo_links: Final = stepped(AsyncReceivables.undo_links)
    contact_updates: Final = stepped(AsyncReceivables.contact_updates)
    preview_imports: Final = stepped(AsyncReceivables.preview_imports)
    import_invoices: Final = stepped(AsyncReceivables.import_invoices)
    import_in_pages: Final = stepped_rows(AsyncReceivables.import_in_pages)
    link_transaction: Final = stepped(AsyncReceivables.link_transaction)
    follow: Final = stepped(AsyncReceivables.follow)
    set_import_policies: Final = stepped(AsyncReceivables.set_import_policies)
    import_policies: Final = stepped(AsyncReceivables.import_policies)
    transactions: Final = stepped(AsyncReceivables.transactions)
    transaction_report: Final = stepped(AsyncReceivables.transaction_report)
    submit: Final = stepped(AsyncReceivables.submit)
    update: Final = stepped(AsyncReceivables.update)
    void: Final = stepped(AsyncReceivables.void)
    allocate: Final = stepped(AsyncReceivables.allocate)
    refund: Final = stepped(AsyncReceivables.refund)
    posted: Final = stepped(AsyncReceivables.posted)
    settle: Final = stepped(AsyncReceivables.settle)
    backfill: Final = stepped(AsyncReceivables.backfill)
    undo_settlement: Final = stepped(AsyncReceivables.undo_settlement)
    settlement_report: Final = stepped(AsyncReceivables.settlement_report)
    apply: Final = stepped(AsyncReceivables.apply)
    recover: Final = stepped(AsyncReceivables.recover)
    reconcile: Final = stepped(AsyncReceivables.reconcile)
    clearing_statement: Final = stepped(AsyncReceivables.clearing_statement)
