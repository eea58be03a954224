"""Planning settlements: look at the accounts, read what has changed, gather what is known, decide."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from attrs import evolve, frozen

from xerosync.client._books import Books
from xerosync.client.resources import AsyncInvoices
from xerosync.engine.actions import (
    Action,
    Adopt,
    CreateSale,
    CreateSaleCredit,
    MoveMoney,
    Pay,
    Pending,
    Refund,
    RemovePayment,
)
from xerosync.engine.allocating import used_credits
from xerosync.engine.batches import forgotten_payments, in_batches, unsettled
from xerosync.engine.chain_books import known_chain, of_chain, written_for
from xerosync.engine.clearing import Eligibility
from xerosync.engine.exchange import currency_of, realised
from xerosync.engine.forgotten import taken_over
from xerosync.engine.intents import Intent, intent_key, tag_of
from xerosync.engine.mirror import (
    ACCOUNTS,
    BANK_TRANSACTIONS,
    BANK_TRANSFERS,
    CONTACTS,
    CREDIT_NOTES,
    GONE,
    INVOICES,
    PAYMENTS,
    refresh,
    stored,
    walk,
)
from xerosync.engine.noting import noted
from xerosync.engine.observed import account_choice, intents_with, stamped, tagged
from xerosync.engine.payouts import KnownPayouts, decide_payouts, exchange_of, operations
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.remembering import by_what_was_written, standing_for
from xerosync.engine.restoring import current_of
from xerosync.engine.settlement_books import COUNTER, SURPLUS, Known, SettlementAccounts
from xerosync.engine.settlement_report import SettlementReport, report_settlements
from xerosync.engine.settling import decide_settlements
from xerosync.engine.settling_policies import FeesAs, OpenBooks, SettlementSettings, open_books
from xerosync.engine.states import State
from xerosync.engine.strays import document_of, stray_key
from xerosync.engine.transactions import transactions_of
from xerosync.engine.undoing import WHOLE
from xerosync.engine.vendors import Vendors, known_vendors, vendor_key
from xerosync.errors import Misconfigured
from xerosync.mapping.settlement import LineKind, Settlement, SettlementLine, checked_settlements, is_more_than_lines
from xerosync.mapping.transactions import Transaction
from xerosync.models import (
    Account,
    AccountStatus,
    AccountType,
    BankTransaction,
    BankTransfer,
    CreditNote,
    Invoice,
    InvoiceId,
    Payment,
)
from xerosync.money import Money

CHECK_CLEARING: Final = (
    "invoices cannot be marked paid through this clearing account ({reason}): choose another one, or correct it in Xero"
)


async def settle(
    books: Books,
    clearing_account: str | None,
    chosen: SettlementSettings,
    settlements: Iterable[Settlement],
    *,
    retry_refused: bool,
) -> Plan:
    """Plan what *settlements* still lack in the books, line by line, then their fees and payouts."""
    done = await _settled(books, clearing_account, chosen, settlements, retry_refused=retry_refused)
    return await noted(books, done.plan, chosen.notes, done.written, retry_refused=retry_refused)


@frozen(kw_only=True)
class _Settled:
    """The *plan* that settles, the *accounts* it goes through, what was *written* before, and *differences* by line."""

    plan: Plan
    accounts: SettlementAccounts
    written: Sequence[Intent]
    differences: Mapping[str, Money]


async def _settled(
    books: Books,
    clearing_account: str | None,
    chosen: SettlementSettings,
    settlements: Iterable[Settlement],
    *,
    retry_refused: bool,
) -> _Settled:
    ordered = checked_settlements(settlements)
    organisation = await books.organisation()
    base = organisation.base_currency or ""
    accounts = await settlement_accounts(books, clearing_account, chosen, base)
    if accounts.currency == base:
        ordered = [evolve(each, rate=None) for each in ordered]
    await refresh(books, INVOICES, PAYMENTS)
    days = open_books(organisation, chosen.when_locked)
    in_doubt = await unsettled(books)
    known = await _known(books, ordered, accounts, days, chosen, retry_refused=retry_refused)
    known = evolve(known, intents={**in_doubt.intents, **known.intents})
    written = list(known.intents.values())
    actions, findings, differences = decide_settlements(ordered, known)
    # The payments of lines are looked for as they are decided on, since what is due of an invoice changes by them.
    others = [each for each in actions if each.kind != Pay.kind]
    found = {each.itself: each for each in await taken_over(books, others, read=(INVOICES, PAYMENTS))}
    actions = [found.get(each.itself, each) for each in actions]
    undone = await _undone_whole(books, ordered)
    actions, withheld = _not_of(undone, actions)
    findings += withheld
    if chosen.batches:
        actions = in_batches(actions, currency=base, alone=in_doubt.alone)
    whole = [
        settlement for settlement in ordered if is_more_than_lines(settlement) or exchange_of(settlement, differences)
    ]
    if whole:
        payouts, vendors = await _known_payouts(books, chosen, whole, accounts, days, retry_refused=retry_refused)
        payouts = evolve(payouts, differences=differences)
        written += payouts.intents.values()
        more, other = decide_payouts(whole, payouts, vendors)
        more = await taken_over(books, more, read=(INVOICES, PAYMENTS, BANK_TRANSACTIONS, BANK_TRANSFERS))
        more, withheld = _not_of(undone, more)
        needed = {need for each in more for need in each.needs}
        new = [each for each in vendors.actions if each.itself in needed]
        actions, findings = [*actions, *new, *more], [*findings, *vendors.findings, *other, *withheld]
    plan = Plan(tenant=books.tenant, actions=tuple(actions), findings=tuple(findings))
    return _Settled(plan=plan, accounts=accounts, written=written, differences=differences)


async def _undone_whole(books: Books, settlements: Sequence[Settlement]) -> frozenset[str]:
    """The ids of those of *settlements* that were undone."""
    removals = [(one.id, each) for one in settlements for each in await intents_with(books, lookup=("undone", one.id))]
    return frozenset(name for name, each in removals if WHOLE in each.facts and each.state is not State.REJECTED)


def _not_of(undone: Collection[str], actions: Iterable[Action]) -> tuple[list[Action], list[Finding]]:
    """*actions* but those of settlements that were *undone* before all of them was posted, and what to say of these."""
    kept: list[Action] = []
    findings: list[Finding] = []
    cause, fix = "its settlement was undone", "settle it under new ids, or leave it"
    for each in actions:
        if each.facts.get("settlement") in undone and not isinstance(each, Adopt):
            about = each.host_ref.rpartition("/")[2]
            findings.append(Finding(code="undone", about=about, cause=cause, fix=fix, worth=each.worth))
        else:
            kept.append(each)
    return kept, findings


@frozen(kw_only=True)
class Examined:
    """
    Some *settlements* by day, their *accounts*, the *plan* of what they lack, and the *report* on them; *differences*
    are what lines cost beyond what had come in, *invoices* those of their transactions.
    """

    settlements: Sequence[Settlement]
    accounts: SettlementAccounts
    plan: Plan
    report: SettlementReport
    differences: Mapping[str, Money]
    invoices: Mapping[str, str]

    @property
    def invoices_paid(self) -> dict[tuple[str, str], str]:
        """The invoices that the settlements' lines pay."""
        lines = (line for each in self.settlements for line in each.lines)
        return {("line", line.id): self.invoices.get(line.transaction, "") for line in lines}


async def examined(
    books: Books,
    clearing_account: str | None,
    chosen: SettlementSettings,
    settlements: Iterable[Settlement],
) -> Examined:
    """How *settlements* stand in the books, line by line, and what they lack."""
    ordered = checked_settlements(settlements)
    done = await _settled(books, clearing_account, chosen, ordered, retry_refused=False)
    plan, accounts = done.plan, done.accounts
    lines = [line for settlement in ordered for line in settlement.lines]
    written = await current_of(books, [*standing_for(lines), *(each for one in ordered for each in operations(one))])
    returned = [
        intent
        for line in lines
        if line.kind is LineKind.CHARGED_BACK
        for intent in await intents_with(books, lookup=("charged_back_by", line.id))
    ]
    transactions = await transactions_of(books, (line.transaction for line in lines))
    invoices = {each.id: each.invoice_id for each in transactions.values()}
    report = report_settlements(
        ordered,
        plan,
        written=[*written.values(), *returned],
        undone=[each for one in ordered for each in await intents_with(books, lookup=("undone", one.id))],
        netted=accounts.fees_as is FeesAs.NETTED,
        gains=await _gains(books, accounts, list(written.values())),
        invoices=invoices,
        short_code=(await books.organisation()).short_code,
    )
    return Examined(
        settlements=ordered,
        accounts=accounts,
        plan=plan,
        report=report,
        differences=done.differences,
        invoices=invoices,
    )


async def _gains(books: Books, accounts: SettlementAccounts, written: Sequence[Intent]) -> dict[str, Money]:
    """What the payments among *written* gained or lost by a change of rate, by line."""
    paid = {each.xero_id: each for each in written if each.operation.kind == Pay.kind and each.xero_id}
    payments = await stamped(books, PAYMENTS, Payment, paid)
    of = [each.invoice.invoice_id or "" for each, _ in payments.values() if each.invoice is not None]
    invoices = await stamped(books, INVOICES, Invoice, of)
    gains: dict[str, Money] = {}
    for xero_id, (payment, _) in payments.items():
        invoice, _ = invoices.get(payment.invoice.invoice_id or "" if payment.invoice is not None else "", (None, ""))
        if invoice is None or payment.status in GONE:
            continue
        gain = realised(payment, invoice, through=accounts.currency, base=accounts.base)
        if gain is not None:
            gains[paid[xero_id].operation.host_ref] = gain
    return gains


async def settlement_accounts(
    books: Books, clearing_account: str | None, chosen: SettlementSettings, base: str
) -> SettlementAccounts:
    """
    The accounts that were *chosen*, each fit for what it is to do, in books kept in *base*.

    Raises `Misconfigured`, naming the setting, for one that is not there, not active, of the wrong type, or a bank
    account in another currency than the clearing account.
    """
    choice = await account_choice(books, clearing_account, setting="clearing_account")
    if choice.answer is not Eligibility.ELIGIBLE:
        raise Misconfigured(CHECK_CLEARING.format(reason=choice.reason))
    chart = [account async for _, account in walk(books, ACCOUNTS, Account)]
    through_a_bank = choice.account.type == AccountType.BANK
    fees_as = chosen.fees_as or (FeesAs.SPEND_MONEY if through_a_bank else FeesAs.NETTED)
    if fees_as is FeesAs.SPEND_MONEY and not through_a_bank:
        raise Misconfigured("fees_as: money is spent from bank accounts only (F 6.150): choose BILL or NETTED")
    if fees_as is FeesAs.NETTED and through_a_bank:
        raise Misconfigured("fees_as: a transfer has no lines (F 6.157): choose SPEND_MONEY or BILL")
    fees = _chosen(chart, chosen.fee_account, "fee_account")
    reserve = _chosen(chart, chosen.reserve_account, "reserve_account")
    exchange = _chosen(chart, chosen.exchange_account, "exchange_account")
    bank = _chosen(chart, chosen.bank_account, "bank_account", bank=True)
    kept_in = currency_of(choice.account, base)
    if bank is not None and currency_of(bank, base) != kept_in:
        raise Misconfigured(
            f"bank_account: it is kept in {currency_of(bank, base)}, and the clearing account in {kept_in}: "
            "choose one in the same currency, or pay out by hand"
        )
    return SettlementAccounts(
        clearing=choice.account,
        base=base,
        bank=bank,
        charge_backs=_chosen(chart, chosen.charge_back_account, "charge_back_account"),
        fees=(fees.code or "") if fees is not None else "",
        reserve=reserve.code if reserve is not None else None,
        exchange=exchange.code if exchange is not None else None,
        fees_as=fees_as,
    )


def _chosen(chart: Sequence[Account], wanted: str | None, setting: str, *, bank: bool = False) -> Account | None:
    if wanted is None:
        return None
    account = next((each for each in chart if wanted in {each.code, each.account_id}), None)
    if account is None:
        raise Misconfigured(f"{setting}: the organisation has no such account: choose one that it has")
    if account.status != AccountStatus.ACTIVE:
        raise Misconfigured(f"{setting}: the account is {account.status}, not ACTIVE: choose another one")
    if bank != (account.type == AccountType.BANK):
        raise Misconfigured(f"{setting}: choose {'a bank account' if bank else 'an account that is no bank account'}")
    if account.system_account:
        raise Misconfigured(f"{setting}: nothing can be posted to a system account ({account.system_account})")
    return account


async def _known(
    books: Books,
    settlements: Sequence[Settlement],
    accounts: SettlementAccounts,
    days: OpenBooks,
    chosen: SettlementSettings,
    *,
    retry_refused: bool,
) -> Known:
    lines = [line for settlement in settlements for line in settlement.lines]
    remembered = await transactions_of(books, (line.transaction for line in lines))
    unknown = [line for line in lines if line.transaction not in remembered]
    in_forgotten = await forgotten_payments(books) if chosen.batches else {}
    recalled = await by_what_was_written(books, unknown, in_forgotten) if unknown else {}
    transactions = remembered | recalled
    before = await written_for(books, lines, transactions)
    intents = await current_of(books, _operations(lines, before))
    keys = (intent_key(books.tenant, Pending(Pay.kind, line.id)) for line in lines)
    unmet = [tag_of(key) for key in keys if key not in intents]
    counters = await _counters(books)
    paid_off = [each.xero_id for group in counters.values() for each in group if each.xero_id]
    owed = [*(each.invoice_id for each in transactions.values()), *paid_off]
    known = Known(
        tenant=books.tenant,
        accounts=accounts,
        open_books=days,
        surplus=chosen.surplus,
        transactions=transactions,
        forgotten=recalled,
        intents=intents,
        invoices=await stamped(books, INVOICES, Invoice, owed),
        payments=await stamped(books, PAYMENTS, Payment, filter(None, (each.xero_id for each in intents.values()))),
        tagged=await tagged(books, PAYMENTS, Payment, unmet),
        counters=counters,
        sold=await _sold(books, lines, transactions, intents),
        retry_refused=retry_refused,
        used=await used_credits(books, [each for group in before.values() for each in group]),
        parked=await _parked_unknown(books, lines, intents),
        in_forgotten=in_forgotten,
    )
    return evolve(known, chains={invoice: known_chain(known, written) for invoice, written in before.items()})


async def _parked_unknown(
    books: Books, lines: Sequence[SettlementLine], intents: Mapping[str, Intent]
) -> dict[str, Decimal]:
    """What stands parked by our mark although the ledger has forgotten it, by the line's id."""
    operations = [
        Pending(kind, SURPLUS + line.id) for line in lines for kind in (MoveMoney.kind, CreateSaleCredit.kind)
    ]
    keys = {each: intent_key(books.tenant, each) for each in operations}
    tags = {tag_of(key): each for each, key in keys.items() if key not in intents}
    ids = {
        document_of(stray): tags[stray.key] for stray in await stored(books, (stray_key(books, tag) for tag in tags))
    }
    moved = await stamped(books, BANK_TRANSACTIONS, BankTransaction, ids)
    noted = await stamped(books, CREDIT_NOTES, CreditNote, ids)
    totals = {key: one.total for key, (one, _) in moved.items()} | {key: one.total for key, (one, _) in noted.items()}
    return {ids[key].host_ref.removeprefix(SURPLUS): total or Decimal(0) for key, total in totals.items()}


def _operations(lines: Sequence[SettlementLine], before: Mapping[InvoiceId, Sequence[Intent]]) -> Iterable[Pending]:
    """Whatever may have been written for *lines*, and for what they take back."""
    for line in lines:
        match line.kind:
            case LineKind.COLLECTED | LineKind.REINSTATED:
                yield from (Pending(kind, line.id) for kind in (Pay.kind, RemovePayment.kind))
                yield from (Pending(kind, SURPLUS + line.id) for kind in (MoveMoney.kind, CreateSaleCredit.kind))
            case LineKind.REFUNDED:
                yield from (Pending(kind, line.id) for kind in (CreateSaleCredit.kind, Refund.kind))
            case _:
                pass
    for written in before.values():
        yield from of_chain(written)


async def _counters(books: Books) -> dict[str, list[Intent]]:
    """The invoices that took the place of charged-back payments, by transaction."""
    found: dict[str, list[Intent]] = {}
    for each in await intents_with(books, lookup=("kind", CreateSale.kind)):
        if each.state is State.CONFIRMED and each.operation.host_ref.startswith(COUNTER):
            found.setdefault(each.facts.get("transaction", ""), []).append(each)
    return found


async def _sold(
    books: Books,
    lines: Sequence[SettlementLine],
    transactions: Mapping[str, Transaction],
    intents: Mapping[str, Intent],
) -> dict[str, Invoice]:
    """The invoices that are to be refunded, with their lines, which the mirror does not keep."""
    noted = {key for key, intent in intents.items() if intent.state is not State.REJECTED}
    wanted = [
        transactions[line.transaction].invoice_id
        for line in lines
        if line.kind is LineKind.REFUNDED
        and line.transaction in transactions
        and intent_key(books.tenant, Pending(CreateSaleCredit.kind, line.id)) not in noted
    ]
    if not wanted:
        return {}
    listed = AsyncInvoices(books).list(ids=list(dict.fromkeys(wanted)))
    return {invoice.invoice_id or "": invoice async for invoice in listed}


async def _known_payouts(
    books: Books,
    chosen: SettlementSettings,
    settlements: Sequence[Settlement],
    accounts: SettlementAccounts,
    days: OpenBooks,
    *,
    retry_refused: bool,
) -> tuple[KnownPayouts, Vendors]:
    await refresh(books, CONTACTS, BANK_TRANSACTIONS, BANK_TRANSFERS)
    wanted = [operation for settlement in settlements for operation in operations(settlement)]
    intents = await current_of(books, wanted)
    written = [each.xero_id for each in intents.values() if each.xero_id]
    moved = await stamped(books, BANK_TRANSACTIONS, BankTransaction, written)
    transferred = await stamped(books, BANK_TRANSFERS, BankTransfer, written)
    billed = await stamped(books, INVOICES, Invoice, written)
    paid = await stamped(books, PAYMENTS, Payment, written)
    statuses = {
        xero_id: document.status
        for found in (moved, transferred, billed, paid)
        for xero_id, (document, _) in found.items()
    }
    forgotten = [tag_of(key) for key in (intent_key(books.tenant, each) for each in wanted) if key not in intents]
    marked: dict[str, str | None] = {}
    for tag, document in (await tagged(books, BANK_TRANSACTIONS, BankTransaction, forgotten)).items():
        marked[tag] = document.bank_transaction_id
    for tag, transfer in (await tagged(books, BANK_TRANSFERS, BankTransfer, forgotten)).items():
        marked[tag] = transfer.bank_transfer_id
    undone = {each.target for one in settlements for each in await intents_with(books, lookup=("undone", one.id))}
    known = KnownPayouts(
        tenant=books.tenant,
        accounts=accounts,
        open_books=days,
        provider=chosen.provider,
        intents=intents,
        marked={tag: xero_id for tag, xero_id in marked.items() if xero_id},
        gone=frozenset(xero_id for xero_id, status in statuses.items() if status in GONE) - undone,
        undone=frozenset(undone),
        retry_refused=retry_refused,
    )
    keys = [vendor_key(chosen.provider)] if chosen.provider else []
    return known, Vendors(await known_vendors(books, keys), [], [], retry_refused=retry_refused)
