"""Planning settlements: look at the accounts, read what has changed, gather what is known, decide."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from attrs import evolve, frozen

from xerosync.client._books import Books
from xerosync.client.resources import AsyncInvoices
from xerosync.engine.actions import (
    Action,
    Adopt,
    CreateSale,
    CreateSaleCredit,
    Pay,
    Pending,
    Refund,
    RemovePayment,
)
from xerosync.engine.allocating import used_credits
from xerosync.engine.batches import Forgotten, forgotten_batches, in_batches, unsettled
from xerosync.engine.chain_books import known_chain, of_chain, written_for
from xerosync.engine.edited import edited
from xerosync.engine.exchange import realised
from xerosync.engine.forgotten import taken_over
from xerosync.engine.given_again import OF_UNDONE, REMOVED_FIRST, SETTLE_ANEW, UNDONE, PostedBefore
from xerosync.engine.intents import Intent, intent_key, tag_of
from xerosync.engine.mirror import (
    BANK_TRANSACTIONS,
    BANK_TRANSFERS,
    CONTACTS,
    CREDIT_NOTES,
    GONE,
    INVOICES,
    PAYMENTS,
    refresh,
    stored,
)
from xerosync.engine.noting import noted
from xerosync.engine.observed import intents_of, intents_with, stamped, tagged
from xerosync.engine.payouts import (
    FEES,
    PAYOUT,
    CostFinding,
    KnownPayouts,
    ProviderWanted,
    decide_payouts,
    exchange_of,
    operations,
)
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.remembering import by_what_was_written, standing_for
from xerosync.engine.restoring import RESTORED, current_of
from xerosync.engine.settled_before import posted_before
from xerosync.engine.settlement_accounts import kept_accounts, settlement_accounts
from xerosync.engine.settlement_books import COUNTER, SURPLUS, Deciding, Known, SettlementAccounts, parking, undoings
from xerosync.engine.settlement_report import SettlementReport, report_settlements
from xerosync.engine.settling import decide_settlements
from xerosync.engine.settling_policies import FeesAs, OpenBooks, SettlementSettings, open_books
from xerosync.engine.states import State
from xerosync.engine.strays import document_of, stray_key
from xerosync.engine.transactions import chains_of, transactions_of
from xerosync.engine.vendors import Vendors, known_vendors
from xerosync.mapping.settlement import LineKind, Settlement, SettlementLine, checked_settlements, is_more_than_lines
from xerosync.mapping.transactions import Transaction
from xerosync.models import (
    BankTransaction,
    BankTransfer,
    CreditNote,
    Invoice,
    InvoiceId,
    Payment,
)
from xerosync.money import Money


async def settle(
    books: Books,
    clearing_account: str | None,
    chosen: SettlementSettings,
    settlements: Iterable[Settlement],
    *,
    retry_refused: bool,
) -> Plan:
    """Plan what *settlements* still lack in the books, line by line, then their fees and payouts."""
    books = books.reading_once()
    done = await _settled(books, clearing_account, chosen, settlements, retry_refused=retry_refused)
    return await noted(books, done.plan, chosen.notes, done.written, retry_refused=retry_refused)


@frozen(kw_only=True)
class _Settled:
    """
    The *plan* that settles, the *accounts* it goes through, those *kept* from before, what was *written* then, what is
    known to have been posted *before*, and *differences* by line; *short_code* is the organisation's.
    """

    plan: Plan
    accounts: SettlementAccounts
    kept: Mapping[str, SettlementAccounts]
    written: Sequence[Intent]
    before: PostedBefore
    differences: Mapping[str, Money]
    short_code: str | None


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
    await refresh(books, INVOICES, PAYMENTS)
    days = open_books(organisation, chosen.when_locked)
    in_doubt = await unsettled(books)
    before = await posted_before(books, ordered, in_doubt.intents)
    kept = await kept_accounts(books, before, accounts)
    ordered = [evolve(each, rate=None) if kept.get(each.id, accounts).currency == base else each for each in ordered]
    known = await _known(books, ordered, accounts, days, chosen, retry_refused=retry_refused)
    known = evolve(known, intents={**in_doubt.intents, **known.intents}, before=before, kept=kept)
    written = list(known.intents.values())
    decided = decide_settlements(ordered, known)
    # The payments of lines are looked for as they are decided on, since what is due of an invoice changes by them.
    others = [each for each in decided.actions if each.kind != Pay.kind]
    found = {each.itself: each for each in await taken_over(books, others)}
    undone = before.undone_whole
    actions, withheld = _not_of(undone, [found.get(each.itself, each) for each in decided.actions])
    findings = [*decided.findings, *withheld]
    if chosen.batches:
        marked = decided.known.in_forgotten.tags
        actions = in_batches(actions, tenant=books.tenant, currency=base, alone=in_doubt.alone, marked=marked)
    if whole := [each for each in ordered if _has_costs(each, before, decided)]:
        payouts = await _known_payouts(books, chosen, whole, decided, retry_refused=retry_refused)
        written += payouts.intents.values()
        more, other, vendors = await _decided_payouts(books, whole, payouts)
        more = await taken_over(books, more)
        more, withheld = _not_of(undone, more)
        needed = {need for each in more for need in each.needs}
        new = [each for each in vendors if each.itself in needed]
        actions, findings = [*actions, *new, *more], [*findings, *other, *withheld]
    findings = list(_as_undone(ordered, undone, findings))
    return _Settled(
        plan=Plan(tenant=books.tenant, actions=tuple(actions), findings=findings, known=before.removals),
        accounts=accounts,
        kept=kept,
        written=written,
        before=before,
        differences=decided.differences,
        short_code=organisation.short_code,
    )


def _has_costs(settlement: Settlement, before: PostedBefore, decided: Deciding) -> bool:
    """Whether *settlement* has fees or a payout, or was posted with any."""
    is_whole = is_more_than_lines(settlement) or settlement.id in before.ended
    return is_whole or bool(exchange_of(settlement, decided.differences))


def _not_of(undone: Collection[str], actions: Iterable[Action]) -> tuple[list[Action], list[Finding]]:
    """*actions* but those of settlements that were *undone* before all of them was posted, and what to say of these."""
    kept: list[Action] = []
    findings: list[Finding] = []
    cause, fix = OF_UNDONE, SETTLE_ANEW
    for each in actions:
        if each.facts.get("settlement") in undone and not isinstance(each, Adopt):
            part = next((part for part in (FEES, PAYOUT) if each.host_ref.startswith(part)), "")
            own = each.host_ref.removeprefix(part).removeprefix(SURPLUS)
            about = each.facts.get("charged_back_by", own)
            findings.append(CostFinding(part=part, code=UNDONE, about=about, cause=cause, fix=fix, worth=each.worth))
        else:
            kept.append(each)
    return kept, findings


def _as_undone(
    settlements: Iterable[Settlement], undone: Collection[str], findings: Iterable[Finding]
) -> Iterator[Finding]:
    """*findings*, where what people had removed of settlements that were *undone* since is undone with them."""
    lines = {line.id for each in settlements if each.id in undone for line in each.lines}
    for each in findings:
        is_cost = isinstance(each, CostFinding) and bool(each.part)
        was_undone = each.code == "removed in Xero" and each.about in (undone if is_cost else lines)
        yield evolve(each, code=UNDONE, cause=REMOVED_FIRST, fix=SETTLE_ANEW) if was_undone else each


@frozen(kw_only=True)
class Examined:
    """
    Some *settlements* by day, their *accounts*, with those *kept* of the ones that were begun in others, the *plan* of
    what they lack, and the *report* on them; *differences* are what lines cost beyond what had come in, *invoices*
    those of their transactions.
    """

    settlements: Sequence[Settlement]
    accounts: SettlementAccounts
    kept: Mapping[str, SettlementAccounts]
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
    books = books.reading_once()
    ordered = checked_settlements(settlements)
    done = await _settled(books, clearing_account, chosen, ordered, retry_refused=False)
    plan, accounts = done.plan, done.accounts
    lines = [line for settlement in ordered for line in settlement.lines]
    written = await current_of(books, [*standing_for(lines), *(each for one in ordered for each in operations(one.id))])
    returned = [
        intent
        for line in lines
        if line.kind is LineKind.CHARGED_BACK
        for intent in await intents_with(books, lookup=("charged_back_by", line.id))
    ]
    currencies = {each.clearing_id: each.currency for each in (accounts, *done.kept.values())}
    transactions = await transactions_of(books, (line.transaction for line in lines))
    invoices = {each.id: each.invoice_id for each in transactions.values()}
    report = report_settlements(
        ordered,
        plan,
        written=[*written.values(), *returned],
        undone=done.before.undone,
        edited=await edited(books, written.values(), currencies),
        missing=done.before.left_out,
        netted={each.id for each in ordered if done.kept.get(each.id, accounts).fees_as is FeesAs.NETTED},
        gains=await _gains(books, accounts, list(written.values())),
        invoices=invoices,
        short_code=done.short_code,
    )
    return Examined(
        settlements=ordered,
        accounts=accounts,
        kept=done.kept,
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
    in_forgotten = await forgotten_batches(books) if chosen.batches else Forgotten()
    recalled = await by_what_was_written(books, unknown, in_forgotten.payments) if unknown else {}
    transactions = remembered | recalled
    before = await written_for(books, lines, transactions)
    tried = (each.invoice_id for each in transactions.values() if each.attempt > 1)
    intents = await current_of(books, _operations(lines, before))
    counters = await _counters(books)
    in_place = [each for one in dict.fromkeys(line.transaction for line in lines) for each in counters.get(one, ())]
    intents |= await intents_of(books, undoings([*intents.values(), *in_place]))
    keys = (intent_key(books.tenant, Pending(Pay.kind, line.id)) for line in lines)
    unmet = [tag_of(key) for key in keys if key not in intents]
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
        retries=chosen.retries,
        attempts=await chains_of(books, tried),
    )
    return evolve(known, chains={invoice: known_chain(known, written) for invoice, written in before.items()})


async def _parked_unknown(
    books: Books, lines: Sequence[SettlementLine], intents: Mapping[str, Intent]
) -> dict[str, Decimal]:
    """What stands parked by our mark although the ledger has forgotten it, by the line's id."""
    operations = [each for line in lines for each in parking(line.id)]
    keys = {each: intent_key(books.tenant, each) for each in operations}
    tags = {tag_of(key): each for each, key in keys.items() if key not in intents}
    ids = {
        document_of(stray): tags[stray.key] for stray in await stored(books, (stray_key(books, tag) for tag in tags))
    }
    if ids:
        await refresh(books, BANK_TRANSACTIONS, CREDIT_NOTES)  # an older store has forgotten them there, too
    moved = await stamped(books, BANK_TRANSACTIONS, BankTransaction, ids)
    noted = await stamped(books, CREDIT_NOTES, CreditNote, ids)
    found = {key: one for key, (one, _) in moved.items()} | {key: one for key, (one, _) in noted.items()}
    standing = {key: one for key, one in found.items() if one.status not in GONE}
    return {ids[key].host_ref.removeprefix(SURPLUS): one.total or Decimal(0) for key, one in standing.items()}


def _operations(lines: Sequence[SettlementLine], before: Mapping[InvoiceId, Sequence[Intent]]) -> Iterable[Pending]:
    """Whatever may have been written for *lines*, and for what they take back."""
    for line in lines:
        match line.kind:
            case LineKind.COLLECTED | LineKind.REINSTATED:
                yield from (Pending(kind, line.id) for kind in (Pay.kind, RemovePayment.kind))
                yield from parking(line.id)
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
    decided: Deciding,
    *,
    retry_refused: bool,
) -> KnownPayouts:
    await refresh(books, BANK_TRANSACTIONS, BANK_TRANSFERS)
    wanted = [operation for settlement in settlements for operation in operations(settlement.id)]
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
    undone = frozenset(each.target for each in decided.known.before.undone)
    refused = [each for each in await intents_with(books, lookup=RESTORED) if each.state is State.REJECTED]
    return KnownPayouts(
        tenant=books.tenant,
        accounts=decided.known.accounts,
        open_books=decided.known.open_books,
        provider=chosen.provider,
        intents={**{each.key: each for each in refused}, **intents},
        marked={tag: xero_id for tag, xero_id in marked.items() if xero_id},
        gone=frozenset(xero_id for xero_id, status in statuses.items() if status in GONE) - undone,
        undone=undone,
        retry_refused=retry_refused,
        decided=decided,
    )


async def _decided_payouts(
    books: Books, settlements: Sequence[Settlement], known: KnownPayouts
) -> tuple[list[Action], list[Finding], Sequence[Action]]:
    """
    What to post of payouts and fees, what to say of them, and what is to be done about the provider's contact.

    Contacts are read only where something is to be posted with one.
    """
    try:
        return *decide_payouts(settlements, known, None), ()
    except ProviderWanted:
        await refresh(books, CONTACTS)
        vendors = Vendors(await known_vendors(books, [known.provider]), [], [], retry_refused=known.retry_refused)
        actions, findings = decide_payouts(settlements, known, vendors)
        return actions, [*vendors.findings, *findings], vendors.actions
