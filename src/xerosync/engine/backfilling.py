"""Beginning in the middle: what people entered by hand before is taken over, asked about, and never posted again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from attrs import evolve

from xerosync.client._books import Books
from xerosync.engine.actions import (
    Adopt,
    CreateBill,
    CreateSaleCredit,
    ImportInvoice,
    MoveMoney,
    Pay,
    Pending,
    Refund,
    Transfer,
)
from xerosync.engine.batches import unsettled
from xerosync.engine.billing import OpenDocument
from xerosync.engine.clearing import ClearingChoice
from xerosync.engine.handmade import link_transactions
from xerosync.engine.intents import intent_key
from xerosync.engine.mirror import (
    CONTACTS,
    CREDIT_NOTES,
    GONE,
    INVOICES,
    PAYMENTS,
    refresh,
)
from xerosync.engine.observed import called_alike, stamped
from xerosync.engine.paying import BILLS, BillPayment, accounts_of
from xerosync.engine.payouts import FEES, PAYOUT
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.restoring import current_of
from xerosync.engine.settled_before import posted_before
from xerosync.engine.settlement_accounts import kept_accounts, settlement_accounts
from xerosync.engine.settlement_books import SURPLUS, SettlementAccounts, facts_given, facts_known, parking
from xerosync.engine.settling_policies import FeesAs, SettlementSettings
from xerosync.engine.states import State
from xerosync.engine.taking_over import PerhapsTyped, TakingOver, removed_by_people
from xerosync.engine.transactions import transactions_of
from xerosync.engine.typed import Typed, Wanted, not_given, pair
from xerosync.engine.typed_books import (
    as_typed,
    typed_fee_bills,
    typed_movements,
    typed_payments,
    typed_payouts,
    typed_refunds,
)
from xerosync.engine.vendors import known_vendors, vendor_key
from xerosync.mapping.banking import deductions
from xerosync.mapping.settlement import LineKind, Settlement, SettlementLine, checked_settlements
from xerosync.mapping.transactions import Transaction
from xerosync.models import (
    AccountId,
    CreditNote,
    DocumentStatus,
    Invoice,
)
from xerosync.money import Money, exactly
from xerosync.texts import plain_id


async def backfill_settlements(
    books: Books,
    clearing_account: str | None,
    settings: SettlementSettings,
    settlements: Iterable[Settlement],
    *,
    since: date | None,
    invoices: Mapping[str, str],
    chosen: Mapping[str, str],
) -> Plan:
    """Plan to take over what people typed of *settlements*; see `xerosync.Receivables.backfill`."""
    books = books.reading_once()
    given = checked_settlements(settlements)
    ordered = [each for each in given if since is None or each.on >= since]
    base = (await books.organisation()).base_currency or ""
    accounts = await settlement_accounts(books, clearing_account, settings, base)
    await refresh(books, INVOICES, PAYMENTS)
    before = await posted_before(books, ordered, (await unsettled(books)).intents)
    kept = await kept_accounts(books, before, accounts)
    lines = [(each, line) for each in ordered for line in each.lines if line.kind is LineKind.COLLECTED]
    asked: dict[str, list[Money]] = {}
    for _, line in lines:
        asked.setdefault(line.transaction, []).append(line.amount)
    wanted = {name: invoice for name, invoice in invoices.items() if name in asked}
    linked = await link_transactions(
        books, wanted, {name: Money.total(each, each[0].currency) for name, each in asked.items()}
    )
    transactions = await transactions_of(books, asked)
    transactions |= {each.transaction.id: each.transaction for each in linked if isinstance(each, ImportInvoice)}
    parked = await current_of(books, [operation for _, line in lines for operation in parking(line.id)])
    as_credit = {each.operation.host_ref for each in parked.values() if each.state is not State.REJECTED}
    writes = [
        _line_write(settlement, line, transactions[line.transaction], kept.get(settlement.id, accounts))
        for settlement, line in lines
        if line.transaction in transactions and SURPLUS + line.id not in as_credit
    ]
    more = _costs_by_account(ordered, kept, accounts)
    bills = [write for each in ordered for write in _bill_writes(each, kept.get(each.id, accounts))]
    refunds = await _refund_writes(books, ordered, kept, accounts)
    listed = [*writes, *(each for _, costs in more.values() for each in costs), *bills, *refunds]
    known = await current_of(books, [operation for each in listed for operation in each.operations])
    backfill = TakingOver(known, await removed_by_people(books, known.values()), chosen)
    backfill.actions += (each for each in linked if isinstance(each, ImportInvoice))
    backfill.findings += [*(each for each in linked if isinstance(each, Finding)), *_not_given(given, invoices, chosen)]
    await _decide_lines(books, backfill, writes)
    await _decide_costs(books, backfill, more.values())
    await _decide_bills(books, backfill, settings.provider, bills)
    await _decide_refunds(books, backfill, refunds)
    await _decide_payments(books, backfill, [*bills, *refunds])
    actions, findings = await as_typed(books, backfill.actions), backfill.findings
    return Plan(tenant=books.tenant, actions=tuple(actions), findings=tuple(findings))


def _costs_by_account(
    settlements: Iterable[Settlement], kept: Mapping[str, SettlementAccounts], accounts: SettlementAccounts
) -> dict[AccountId, tuple[SettlementAccounts, list[PerhapsTyped]]]:
    """The fees and payouts of *settlements*, by the clearing account that each goes through."""
    found: dict[AccountId, tuple[SettlementAccounts, list[PerhapsTyped]]] = {}
    for each in settlements:
        through = kept.get(each.id, accounts)
        found.setdefault(through.clearing_id, (through, []))[1].extend(_cost_writes(each, through))
    return found


async def _decide_costs(
    books: Books, backfill: TakingOver, costs: Iterable[tuple[SettlementAccounts, Sequence[PerhapsTyped]]]
) -> None:
    for through, of_account in costs:
        if of_account:
            backfill.decide(books, of_account, await _typed_costs(books, through, of_account), {})


async def _decide_refunds(books: Books, backfill: TakingOver, refunds: Sequence[PerhapsTyped]) -> None:
    if refunds:
        typed = await typed_refunds(books, await called_alike(books, dict.fromkeys(each.wanted.of for each in refunds)))
        backfill.decide(books, refunds, typed, {})


async def _typed_costs(books: Books, accounts: SettlementAccounts, writes: Sequence[PerhapsTyped]) -> list[Typed]:
    """What people typed that may be the fees and payouts of *writes*, which go through *accounts*."""
    if accounts.through_a_bank:
        return await typed_movements(books, accounts.clearing_id, accounts.currency)
    bank = accounts.bank.account_id if accounts.bank is not None else None
    return await typed_payouts(books, accounts, bank or AccountId(""), [each.wanted for each in writes])


async def _decide_lines(books: Books, backfill: TakingOver, writes: Sequence[PerhapsTyped]) -> None:
    invoiced = await stamped(books, INVOICES, Invoice, {each.wanted.of for each in writes})
    due = {key: _due(invoice) for key, (invoice, _) in invoiced.items()}
    currencies = {key: invoice.currency_code or "XXX" for key, (invoice, _) in invoiced.items()}
    backfill.decide(books, writes, await typed_payments(books, currencies), due)


def _not_given(
    settlements: Sequence[Settlement], invoices: Mapping[str, str], chosen: Mapping[str, str]
) -> list[Finding]:
    """The findings on answers, and on transactions' *invoices*, that are of nothing in *settlements*."""
    sought = {LineKind.COLLECTED, LineKind.REFUNDED}
    lines = [line for each in settlements for line in each.lines if line.kind in sought]
    names = {line.id for line in lines} | {part + each.id for each in settlements for part in (FEES, PAYOUT)}
    return not_given(invoices, {line.transaction for line in lines}) + not_given(chosen, names)


async def backfill_payments(
    books: Books,
    payments: Sequence[BillPayment],
    bills: Mapping[str, OpenDocument],
    account: str | None,
    chosen: Mapping[str, str],
) -> Plan:
    """Plan to take over what people typed of the host's *payments* of *bills*, those that are known in Xero."""
    await refresh(books, PAYMENTS)
    accounts = await accounts_of(books, BILLS, account, payments)
    paid = {bills[each.bill_id].seen.document_id: bills[each.bill_id] for each in payments if each.bill_id in bills}
    typed = await typed_payments(books, {key: each.document.currency_code or "XXX" for key, each in paid.items()})
    known = await current_of(books, [BILLS.operation(each.id) for each in payments])
    backfill = TakingOver(known, await removed_by_people(books, known.values()), chosen)
    writes: list[PerhapsTyped] = []
    # What has an amount of its own goes first: the others are of what that leaves.
    for each in sorted(payments, key=lambda one: one.amount is None):
        intent = known.get(intent_key(books.tenant, BILLS.operation(each.id)))
        if each.bill_id not in bills or not backfill.is_open(intent):
            continue
        bill, is_asked = bills[each.bill_id], intent is not None or each.id in chosen
        others = [one.wanted for one in writes]
        amount = each.amount or _whole(each, bill, typed, others, chosen, is_asked=is_asked)
        if amount is not None:
            writes.append(_payment_write(each, bill, accounts.get(each.account), amount))
    backfill.decide(books, writes, typed, {key: each.left for key, each in paid.items()})
    return Plan(tenant=books.tenant, actions=tuple(backfill.actions), findings=tuple(backfill.findings))


def _line_write(
    settlement: Settlement, line: SettlementLine, transaction: Transaction, accounts: SettlementAccounts
) -> PerhapsTyped:
    return PerhapsTyped(
        wanted=Wanted(
            name=line.id,
            of=transaction.invoice_id,
            amount=line.amount,
            on=settlement.on,
            account=accounts.clearing_id,
        ),
        operation=Pending(Pay.kind, line.id),
        facts=facts_known(line) | facts_given(settlement, line),
    )


def _due(invoice: Invoice) -> Decimal:
    """What is left to pay of *invoice*; nothing where it cannot be paid."""
    return (invoice.amount_due if invoice.status == DocumentStatus.AUTHORISED else None) or Decimal(0)


@exactly
def _whole(
    payment: BillPayment,
    bill: OpenDocument,
    typed: Iterable[Typed],
    others: Sequence[Wanted],
    chosen: Mapping[str, str],
    *,
    is_asked: bool,
) -> Money | None:
    """
    What a payment without an amount is of: all that was due on its day, with what was *typed* since, but for what the
    *others* of the bill have; of a bill that was paid in full before it, what was typed, where that is one. None where
    it was paid in several parts, and nobody *is asked* of it: nothing is left to post.
    """
    document = bill.seen.document_id
    listed = [each for each in typed if each.of == document and each.is_free]
    sure = pair(others, listed, chosen, {}).sure
    taken = {each.xero_id for each in sure.values()}
    free = [each for each in listed if each.xero_id not in taken]
    later = sum(each.amount.amount for each in free if each.on is None or each.on >= payment.on)
    unpaid = sum(each.amount.amount for each in others if each.of == document and each.name not in sure)
    whole = bill.left + later - unpaid
    if whole <= 0:
        whole = free[0].amount.amount if len(free) == 1 else bill.document.total or Decimal(0)
    if not bill.left and not is_asked and whole not in [each.amount.amount for each in free]:
        return None
    return Money(whole, bill.document.currency_code or "XXX")


def _payment_write(
    payment: BillPayment, bill: OpenDocument, choice: ClearingChoice | None, amount: Money
) -> PerhapsTyped:
    account = (choice.account.account_id or "") if choice is not None else ""
    return PerhapsTyped(
        wanted=Wanted(name=payment.id, of=bill.seen.document_id, amount=amount, on=payment.on, account=account),
        operation=BILLS.operation(payment.id),
        facts={BILLS.fact: payment.bill_id}
        | ({} if payment.amount is None else {"amount": str(payment.amount.amount)}),
    )


def _cost_writes(settlement: Settlement, accounts: SettlementAccounts) -> Iterable[PerhapsTyped]:
    """The fees that were spent, and the payout."""
    clearing, proof = accounts.clearing_id, settlement.proof
    moved = deductions(settlement, fee_account=accounts.fees, reserve_account=accounts.reserve)
    cost = Money.total((each.amount for each in moved), proof.net.currency)
    if cost.amount and accounts.fees_as is FeesAs.SPEND_MONEY:
        yield _movement(settlement, Pending(MoveMoney.kind, FEES + settlement.id), -cost, settlement.on, clearing)
    bank = (accounts.bank.account_id or "") if accounts.bank is not None else ""
    if not proof.net.amount or settlement.paid_out_on is None:
        return
    operation = Pending(Transfer.kind if accounts.through_a_bank else MoveMoney.kind, PAYOUT + settlement.id)
    cleared = proof.net + cost if accounts.fees_as is FeesAs.NETTED else proof.net
    write = _movement(settlement, operation, -cleared, settlement.paid_out_on, clearing, other=bank)
    if accounts.through_a_bank:
        yield write
    elif bank:
        wanted = evolve(write.wanted, amount=proof.net, cleared=cleared.amount)
        yield evolve(write, wanted=wanted, facts={**write.facts, "net": str(proof.net.amount)})


def _bill_writes(settlement: Settlement, accounts: SettlementAccounts) -> Iterable[PerhapsTyped]:
    """The fees that were billed, with the payment of their bill."""
    moved = deductions(settlement, fee_account=accounts.fees, reserve_account=accounts.reserve)
    cost = Money.total((each.amount for each in moved), settlement.proof.net.currency)
    if accounts.fees_as is not FeesAs.BILL or cost.amount <= 0:
        return
    name, on = FEES + settlement.id, settlement.on
    paid = _movement(settlement, Pending(Pay.kind, name), -cost, on, accounts.clearing_id)
    yield PerhapsTyped(
        wanted=evolve(paid.wanted, of=CreateBill.kind, amount=cost, elsewhere="of another contact"),
        operation=Pending(CreateBill.kind, name),
        facts={"settlement": settlement.id, "amount": str(cost.amount), "on": on.isoformat()},
        paying=paid.operation,
        facts_paying=paid.facts,
    )


async def _decide_bills(books: Books, backfill: TakingOver, provider: str, bills: Sequence[PerhapsTyped]) -> None:
    """Decide on *bills* of fees, by those typed of the *provider*, or of the settlement's number."""
    contacts, kin = list[str](), list[str]()
    if bills and provider.strip():
        await refresh(books, CONTACTS)
        known, key = await known_vendors(books, [provider]), vendor_key(provider)
        contacts += known.matches[key].contacts
        kin += (one for each in known.may_be_of(key) if (one := each.contact_id) and one not in contacts)
    for through in dict.fromkeys(each.wanted.account for each in bills):
        of_account = [each for each in bills if each.wanted.account == through]
        numbers = [each.facts["settlement"] for each in of_account]
        backfill.decide(books, of_account, await typed_fee_bills(books, contacts, kin, numbers, through), {})


async def _refund_writes(
    books: Books,
    settlements: Iterable[Settlement],
    kept: Mapping[str, SettlementAccounts],
    accounts: SettlementAccounts,
) -> list[PerhapsTyped]:
    """What was refunded, as the credit note to the customer, with its payment."""
    lines = [(each, line) for each in settlements for line in each.lines if line.kind is LineKind.REFUNDED]
    if not lines:
        return []
    await refresh(books, CREDIT_NOTES)
    transactions = await transactions_of(books, [line.transaction for _, line in lines])
    sold = await stamped(books, INVOICES, Invoice, [each.invoice_id for each in transactions.values()])
    writes: list[PerhapsTyped] = []
    for settlement, line in lines:
        transaction = transactions.get(line.transaction)
        invoice, _ = sold.get(transaction.invoice_id if transaction is not None else "", (None, ""))
        contact = invoice.contact.contact_id if invoice is not None and invoice.contact is not None else None
        if contact is not None:
            facts = facts_known(line) | facts_given(settlement, line)
            write = PerhapsTyped(
                wanted=Wanted(
                    name=line.id,
                    of=contact,
                    amount=line.amount,
                    on=settlement.on,
                    account=kept.get(settlement.id, accounts).clearing_id,
                ),
                operation=Pending(CreateSaleCredit.kind, line.id),
                facts=facts,
                paying=Pending(Refund.kind, line.id),
                facts_paying=facts,
            )
            writes.append(write)
    return writes


async def _decide_payments(books: Books, backfill: TakingOver, writes: Iterable[PerhapsTyped]) -> None:
    """Decide on the payments of those *writes* whose bill or credit note is known and stands: people may pay it."""
    payments: dict[str, PerhapsTyped] = {}
    besides: list[Typed] = []
    for each in writes:
        known = backfill.known.get(intent_key(books.tenant, each.operation))
        payment = each.payment(known.xero_id or "") if known is not None else None
        if known is None or payment is None or known.state is not State.CONFIRMED or known.key in backfill.gone.keys:
            continue
        payments[each.wanted.name] = payment
        if backfill.is_anew(books, payment):
            taken = {one.xero_id for one in backfill.actions if isinstance(one, Adopt)}
            others = [one for one in backfill.met if one.of == each.wanted.of and one.xero_id != known.xero_id]
            besides += (
                _on_another(one, payment) for one in others if one.paid and one.paid.seen.document_id not in taken
            )
    ids = [each.wanted.of for each in payments.values()]
    documents = [one for one, _ in (await stamped(books, INVOICES, Invoice, ids)).values()]
    notes = [one for one, _ in (await stamped(books, CREDIT_NOTES, CreditNote, ids)).values()]
    due = {one.invoice_id or "": (_due(one), one.currency_code) for one in documents if one.status not in GONE}
    due |= {
        one.credit_note_id or "": (one.remaining_credit or Decimal(0), one.currency_code)
        for one in notes
        if one.status not in GONE
    }
    typed = await typed_payments(books, {key: currency or "XXX" for key, (_, currency) in due.items()})
    # An answer that names the document itself was given before that was taken over.
    chosen = {
        name: one
        for name, one in backfill.chosen.items()
        if name not in payments or plain_id(one) != payments[name].wanted.of
    }
    standing = [each for each in payments.values() if each.wanted.of in due]
    left = {key: left for key, (left, _) in due.items()}
    evolve(backfill, chosen=chosen).decide(books, standing, [*typed, *besides], left)


def _on_another(one: Typed, payment: PerhapsTyped) -> Typed:
    """The payment of *one*, which may be *payment* although the document of that still stands."""
    return evolve(
        one,
        seen=one.paid.seen if one.paid is not None else one.seen,
        of=payment.wanted.of,
        amount=abs(one.amount),
        on=one.paid.on if one.paid is not None else one.on,
        account=payment.wanted.account,
        paid=None,
        otherwise="on another document",
        pays=one.xero_id,
    )


def _movement(
    settlement: Settlement, operation: Pending, effect: Money, on: date, clearing: str, *, other: str = ""
) -> PerhapsTyped:
    facts = {
        "settlement": settlement.id,
        "on": on.isoformat(),
        "account": clearing,
        "effect": str(effect.amount),
        "dated": on.isoformat(),
    }
    return PerhapsTyped(
        wanted=Wanted(name=operation.host_ref, of=operation.kind, amount=effect, on=on, account=other or clearing),
        operation=operation,
        facts=facts,
    )
