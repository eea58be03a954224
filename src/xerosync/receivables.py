"""The story of a product that collects money: match customers, import invoices, settle, take back, reconcile."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Final

from xerosync.client._books import Books
from xerosync.client._driver import stepped
from xerosync.client.resources import AsyncReports
from xerosync.client.xero import AsyncXero, Xero
from xerosync.engine import applying, following, importing, opening, policies, recovery
from xerosync.engine.actions import ConnectCustomer, EnablePayments, Pay, Pending, RemovePayment
from xerosync.engine.clearing import (
    ClearingChoice,
    ClearingReport,
    Eligibility,
    clearing_choice,
    confirmed_by_id,
    explain_clearing,
)
from xerosync.engine.importing import Choice, ImportPreview
from xerosync.engine.intents import OPEN_STATES, Intent, intent_key, tag_of
from xerosync.engine.mirror import ACCOUNTS, CONTACTS, INVOICES, PAYMENTS, refresh, walk
from xerosync.engine.observed import (
    account_choice,
    all_links,
    contacts_by_id_and_name,
    intents_of,
    intents_with,
    stamped,
    tagged,
)
from xerosync.engine.opening import WantedAccount
from xerosync.engine.plans import Finding, Plan, Recovery, Report
from xerosync.engine.policies import ImportPolicy
from xerosync.engine.settling import Known, decide_settlements
from xerosync.engine.transactions import all_transactions, transactions_of
from xerosync.errors import InvalidInput, Misconfigured
from xerosync.mapping.settlement import LineKind, Settlement, SettlementLine, checked_settlements
from xerosync.mapping.transactions import ImportSettings, Transaction, TransactionState
from xerosync.matching.customers import Customer, Match, MatchStatus, match_customer, one_customer_each
from xerosync.models import Account, AccountId, ContactId, Invoice, Payment
from xerosync.money import Money

_CHECK_CLEARING: Final = (
    "invoices cannot be marked paid through this clearing account ({reason}): choose another one, or correct it in Xero"
)


class AsyncReceivables:
    """
    Collections of a product in one organisation's books, awaited.

    *clearing_account* is the code or id of the account that settled payments go into, *imports* how invoices become
    transactions. Nothing is written before an apply.
    """

    def __init__(
        self, xero: AsyncXero, *, clearing_account: str | None = None, imports: ImportSettings | None = None
    ) -> None:
        self.books: Final[Books] = xero.books
        self._clearing: Final = clearing_account
        self._imports: Final = imports or ImportSettings()

    async def clearing_accounts(self) -> tuple[ClearingChoice, ...]:
        """Every account, with the answer to whether it may be the clearing account, and the reason (R7)."""
        await refresh(self.books, ACCOUNTS)
        found = [account async for _, account in walk(self.books, ACCOUNTS, Account)]
        return tuple(clearing_choice(account) for account in sorted(found, key=lambda each: each.code or "~"))

    async def prepare(self) -> Plan:
        """Enable payments on the clearing account where that is all it lacks (F 6.14); else nothing is to do."""
        choice = await self._choice()
        if choice.answer is Eligibility.REFUSED:
            raise Misconfigured(_CHECK_CLEARING.format(reason=choice.reason))
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

    async def matches(self, customers: Iterable[Customer]) -> tuple[Match, ...]:
        """How each of *customers* stands towards the contacts in Xero; reads, changes nothing."""
        listed = list(customers)
        if len({customer.id for customer in listed}) != len(listed):
            raise InvalidInput("customers", "give each customer once")
        await refresh(self.books, CONTACTS)
        by_id, by_name = await contacts_by_id_and_name(self.books)
        links = await all_links(self.books, ConnectCustomer.kind)
        linked = {link["host_id"]: ContactId(link["xero_id"]) for link in links}
        taken = {link["xero_id"]: link["host_id"] for link in links}
        matches = [
            match_customer(
                customer,
                linked=linked.get(customer.id),
                by_name=by_name,
                by_id=by_id,
            )
            for customer in listed
        ]
        return one_customer_each(matches, taken)

    async def match(self, customers: Iterable[Customer]) -> Plan:
        """Pair *customers* with contacts whose name equals their custom identifier (R9); the others become findings."""
        matches = await self.matches(customers)
        tallies = {status.value: sum(match.status is status for match in matches) for status in MatchStatus}
        return Plan(
            tenant=self.books.tenant,
            actions=tuple(_connect(match) for match in matches if match.status is MatchStatus.MATCH_FOUND),
            findings=tuple(filter(None, map(_unmatched, matches))),
            tallies=tallies,
        )

    async def preview_imports(self, *, due_from: date | None = None) -> ImportPreview:
        """
        One row for every sales invoice: the transaction it would become, or why it is left out and what to do (R24).

        *due_from* bounds it to invoices due on that day or later (R25). Reads, changes nothing.
        """
        return await importing.preview(self.books, self._imports, due_from=due_from)

    async def import_invoices(
        self,
        chosen: Collection[str] | None = None,
        *,
        due_from: date | None = None,
        automatic: bool = False,
    ) -> Plan:
        """
        Make a transaction of every approved sales invoice that has something due and whose customer is connected.

        *chosen* are the ids of invoices to import by hand; only so is one imported again whose transaction ended (R15).
        *automatic* takes those of customers with that policy alone, due since it was set (R31), *due_from* those due on
        that day or later.
        """
        ids = None if chosen is None else frozenset(chosen)
        choice = Choice(chosen=ids, due_from=due_from, automatic=automatic)
        return await importing.import_invoices(self.books, self._imports, choice)

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

    async def transactions(self) -> tuple[Transaction, ...]:
        """Every transaction the library made out of an invoice, as it is to be, ended ones too."""
        return tuple(await all_transactions(self.books))

    async def settle(self, settlements: Settlement | Iterable[Settlement], *, retry_refused: bool = False) -> Plan:
        """
        Post what *settlements* collected into the clearing account, and remove what they took back.

        Lines whose transaction the library did not create are findings with what to do (R18, R19). What Xero refused
        before is planned again when its invoice has changed since, or with *retry_refused*. Raises `InvalidInput` for a
        line that cannot be, `Misconfigured` when the clearing account takes no payments (R22).
        """
        given = [settlements] if isinstance(settlements, Settlement) else settlements
        ordered = checked_settlements(given)
        account = await self._ready_account()
        await refresh(self.books, INVOICES, PAYMENTS)
        actions, findings = decide_settlements(
            ordered, await self._known(ordered, account, retry_refused=retry_refused)
        )
        return Plan(tenant=self.books.tenant, actions=tuple(actions), findings=tuple(findings))

    async def apply(self, plan: Plan) -> Report:
        """Do exactly what *plan* says; see `xerosync.engine.applying.apply`."""
        return await applying.apply(self.books, plan)

    async def recover(self) -> Recovery:
        """Close what an interrupted run left open, looking in Xero before anything is sent again."""
        return await recovery.recover(self.books)

    async def reconcile(self) -> ClearingReport:
        """Explain the clearing account's balance in Xero: what is in flight, and every exception, to the cent."""
        choice = await self._choice()
        account = choice.account.account_id or AccountId("")
        await refresh(self.books, PAYMENTS)
        organisation = await self.books.organisation()
        ours = await intents_with(self.books, lookup=("kind", Pay.kind))
        removals = await intents_with(self.books, lookup=("kind", RemovePayment.kind))
        removed = confirmed_by_id(removals)
        # Whether Xero lists what was removed is not documented (F 4.25): what we removed is known anyhow.
        payments = [
            payment
            async for record, payment in walk(self.books, PAYMENTS, Payment, lookup=("account", account))
            if record.key not in removed
        ]
        # As at today, the report leaves out what is dated later.
        latest = max((payment.date for payment in payments if payment.date is not None), default=None)
        dated_ahead = latest is not None and latest > self.books.clock.now().date()
        rows = await AsyncReports(self.books).trial_balance(on=latest if dated_ahead else None)
        currency = organisation.base_currency or "XXX"
        balances = [Money(row.balance, currency) for row in rows if row.account_id == account]
        return explain_clearing(
            account=account,
            balance=Money.total(balances, currency),
            payments=payments,
            ours=confirmed_by_id(ours),
            open_intents=await intents_with(self.books, states=OPEN_STATES),
        )

    async def _choice(self) -> ClearingChoice:
        return await account_choice(self.books, self._clearing, setting="clearing_account")

    async def _ready_account(self) -> AccountId:
        choice = await self._choice()
        if choice.answer is not Eligibility.ELIGIBLE:
            raise Misconfigured(_CHECK_CLEARING.format(reason=choice.reason))
        return choice.account.account_id or AccountId("")

    async def _known(self, settlements: Sequence[Settlement], account: AccountId, *, retry_refused: bool) -> Known:
        lines = [line for settlement in settlements for line in settlement.lines]
        transactions = await transactions_of(self.books, (line.transaction for line in lines))
        before = await self._collected_before(lines)
        paid = [line.id for line in lines] + [each.operation.host_ref for group in before.values() for each in group]
        intents = await intents_of(
            self.books, (Pending(kind, line) for line in paid for kind in (Pay.kind, RemovePayment.kind))
        )
        keys = (intent_key(self.books.tenant, Pending(Pay.kind, line.id)) for line in lines)
        forgotten = [tag_of(key) for key in keys if key not in intents]
        return Known(
            tenant=self.books.tenant,
            clearing_account=account,
            transactions=transactions,
            intents=intents,
            invoices=await stamped(self.books, INVOICES, Invoice, (each.invoice_id for each in transactions.values())),
            payments=await stamped(
                self.books, PAYMENTS, Payment, filter(None, (each.xero_id for each in intents.values()))
            ),
            tagged=await tagged(self.books, PAYMENTS, Payment, forgotten),
            collected_before=before,
            retry_refused=retry_refused,
        )

    async def _collected_before(self, lines: Sequence[SettlementLine]) -> dict[str, list[Intent]]:
        """The payment intents of every transaction that is charged back, whichever settlement they came with."""
        found: dict[str, list[Intent]] = {}
        for line in lines:
            if line.kind is LineKind.CHARGED_BACK and line.transaction not in found:
                written = await intents_with(self.books, lookup=("transaction", line.transaction))
                found[line.transaction] = [each for each in written if each.operation.kind == Pay.kind]
        return found


class Receivables:
    """
    Collections of a product in one organisation's books, in plain calls.

    *clearing_account* is the code or id of the account that settled payments go into, *imports* how invoices become
    transactions. Nothing is written before an apply.
    """

    def __init__(
        self, xero: Xero, *, clearing_account: str | None = None, imports: ImportSettings | None = None
    ) -> None:
        self._flows: Final = AsyncReceivables(xero.asynchronous, clearing_account=clearing_account, imports=imports)

    clearing_accounts: Final = stepped(AsyncReceivables.clearing_accounts)
    prepare: Final = stepped(AsyncReceivables.prepare)
    open_accounts: Final = stepped(AsyncReceivables.open_accounts)
    matches: Final = stepped(AsyncReceivables.matches)
    match: Final = stepped(AsyncReceivables.match)
    preview_imports: Final = stepped(AsyncReceivables.preview_imports)
    import_invoices: Final = stepped(AsyncReceivables.import_invoices)
    follow: Final = stepped(AsyncReceivables.follow)
    set_import_policies: Final = stepped(AsyncReceivables.set_import_policies)
    import_policies: Final = stepped(AsyncReceivables.import_policies)
    transactions: Final = stepped(AsyncReceivables.transactions)
    settle: Final = stepped(AsyncReceivables.settle)
    apply: Final = stepped(AsyncReceivables.apply)
    recover: Final = stepped(AsyncReceivables.recover)
    reconcile: Final = stepped(AsyncReceivables.reconcile)


def _connect(match: Match) -> ConnectCustomer:
    return ConnectCustomer(
        host_ref=match.customer.id, reason="its custom identifier is the contact's name", xero_id=match.contacts[0]
    )


def _unmatched(match: Match) -> Finding | None:
    about = match.customer.id
    match match.status:
        case MatchStatus.NOT_IN_XERO:
            return Finding(
                code="not in Xero",
                about=about,
                cause="no contact is named like its custom identifier",
                fix="set the custom identifier to the contact's name in Xero, or create the contact there",
                retry=True,
            )
        case MatchStatus.AMBIGUOUS if len(match.contacts) == 1:
            return Finding(
                code="ambiguous",
                about=about,
                cause="the contact named like its custom identifier is another customer's too",
                fix="give each customer a custom identifier of its own",
            )
        case MatchStatus.AMBIGUOUS:
            return Finding(
                code="ambiguous",
                about=about,
                cause="more than one contact is named like its custom identifier",
                fix="rename or merge the contacts in Xero, so that one is meant",
                who="the bookkeeper",
            )
        case MatchStatus.ARCHIVED:
            return Finding(
                code="archived",
                about=about,
                cause="its contact is archived, and Xero lets nobody write to an archived contact (F 6.31)",
                fix="restore the contact in Xero, or choose another one",
                who="the bookkeeper",
            )
        case _:
            return None
