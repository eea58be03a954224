"""Beginning in the middle: what people entered by hand before is taken over, asked about, and never posted again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from decimal import Decimal
from typing import Final

from attrs import define, evolve, field, frozen

from xerosync.client._books import Books
from xerosync.engine.actions import Action, Adopt, ImportInvoice, MoveMoney, Pay, Pending, Transfer
from xerosync.engine.batches import unsettled
from xerosync.engine.billing import OpenDocument
from xerosync.engine.clearing import ClearingChoice
from xerosync.engine.handmade import link_transactions
from xerosync.engine.intents import Intent, intent_key
from xerosync.engine.mirror import BANK_TRANSACTIONS, BANK_TRANSFERS, GONE, INVOICES, PAYMENTS, Shelf, refresh
from xerosync.engine.observed import intents_with, stamped
from xerosync.engine.paying import BILLS, BillPayment, accounts_of
from xerosync.engine.payouts import FEES, PAYOUT
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.restoring import RESTORED, TAKING_BACK, being_taken_back, current_of
from xerosync.engine.settled_before import posted_before
from xerosync.engine.settlement_accounts import kept_accounts, settlement_accounts
from xerosync.engine.settlement_books import SettlementAccounts, facts_given, facts_known
from xerosync.engine.settling_policies import FeesAs, SettlementSettings
from xerosync.engine.states import POSTED, State
from xerosync.engine.transactions import transactions_of
from xerosync.engine.typed import Dismiss, Pairing, Suspect, Typed, Wanted, in_doubt, not_given, not_it, pair
from xerosync.engine.typed_books import typed_movements, typed_payments, typed_payouts
from xerosync.mapping.banking import deductions
from xerosync.mapping.settlement import LineKind, Settlement, SettlementLine, checked_settlements
from xerosync.mapping.transactions import Transaction
from xerosync.models import AccountId, BankTransaction, BankTransfer, DocumentStatus, Invoice, Payment
from xerosync.money import Money, exactly

_TYPED: Final = "typed in Xero before"
_ON: Final[Mapping[str, tuple[Shelf, type[Payment | BankTransaction | BankTransfer]]]] = {
    Pay.kind: (PAYMENTS, Payment),
    MoveMoney.kind: (BANK_TRANSACTIONS, BankTransaction),
    Transfer.kind: (BANK_TRANSFERS, BankTransfer),
}


@frozen(kw_only=True)
class _Write:
    """What the library would have written for *wanted*: its *operation*, and what would be kept with it."""

    wanted: Wanted
    operation: Pending
    facts: Mapping[str, str]

    def taken_over(
        self, kind: type[Adopt], reason: str, one: Typed | None = None, *, let_go: Intent | None = None
    ) -> Adopt:
        """
        The action that keeps it as *one* that was typed, or holds it back, or lets it go. What was *let_go* is gone in
        Xero, and the one takes its place.
        """
        amount, on = (one or self.wanted).amount.amount, self.wanted.on
        payload: dict[str, object] = {"Date": (one.on or on if one is not None else on).isoformat()}
        if self.operation.kind == Pay.kind:
            payload |= {"Amount": str(amount), "Invoice": {"InvoiceID": self.wanted.of}}
        else:
            payload |= {"Amount": str(abs(amount))}
        return kind(
            host_ref=self.operation.host_ref,
            reason=reason,
            seen=(one.seen,) if one is not None else (),
            revision=let_go.operation.revision + 1 if let_go is not None else 1,
            facts={**self.facts, **dict([RESTORED] if let_go is not None else [])},
            adopted_kind=self.operation.kind,
            xero_id=one.xero_id if one is not None else "",
            payload=payload,
        )


@define
class _Backfill:
    """
    What was decided so far; what is *known* of a write already is left as it is, unless a person must say, or people
    have removed it, so that it is *gone*.
    """

    known: Mapping[str, Intent]
    gone: AbstractSet[str]
    chosen: Mapping[str, str]
    actions: list[Action] = field(factory=list[Action])
    findings: list[Finding] = field(factory=list[Finding])

    def is_open(self, intent: Intent | None) -> bool:
        """Whether a write of which *intent* is known may still be looked for among what people typed."""
        return intent is None or intent.state in {State.SUSPECT, State.REJECTED} or intent.key in self.gone

    def decide(
        self, books: Books, writes: Iterable[_Write], typed: Iterable[Typed], due: Mapping[str, Decimal]
    ) -> None:
        held: dict[str, Intent | None] = {}
        open_: dict[str, _Write] = {}
        for each in writes:
            intent = self.known.get(intent_key(books.tenant, each.operation))
            if self.is_open(intent):
                open_[each.wanted.name], held[each.wanted.name] = each, intent
        found = pair([each.wanted for each in open_.values()], typed, self.chosen, due)
        for name, each in open_.items():
            self._settle(each, found, held[name])

    def _settle(self, write: _Write, found: Pairing, held: Intent | None) -> None:
        name = write.wanted.name
        is_held = held is not None and held.state is State.SUSPECT
        if name in found.sure:
            one = found.sure[name]
            differs = ", ".join(write.wanted.differs(one))
            reason = f"{_TYPED}, {differs}: chosen by a person" if differs else _TYPED
            let_go = held if held is not None and held.key in self.gone else None
            self.actions.append(write.taken_over(Adopt, reason, one, let_go=let_go))
        elif name in found.none or (is_held and name not in found.doubtful and name not in found.wrong):
            if is_held:
                self.actions.append(write.taken_over(Dismiss, "nothing in Xero is the same"))
        elif name in found.wrong:
            self.findings.append(not_it(write.wanted))
        elif name in found.doubtful:
            self.findings.append(in_doubt(write.wanted, found.doubtful[name]))
            if held is None:
                self.actions.append(write.taken_over(Suspect, "perhaps typed in Xero before: a person must say"))


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
    writes = [
        _line_write(settlement, line, transactions[line.transaction], kept.get(settlement.id, accounts))
        for settlement, line in lines
        if line.transaction in transactions
    ]
    more: dict[AccountId, tuple[SettlementAccounts, list[_Write]]] = {}
    for each in ordered:
        through = kept.get(each.id, accounts)
        more.setdefault(through.clearing_id, (through, []))[1].extend(_cost_writes(each, through))
    costs = [write for _, of_account in more.values() for write in of_account]
    known = await current_of(books, [each.operation for each in (*writes, *costs)])
    backfill = _Backfill(known, await _gone(books, known.values()), chosen)
    backfill.actions += (each for each in linked if isinstance(each, ImportInvoice))
    backfill.findings += (each for each in linked if isinstance(each, Finding))
    backfill.findings += _not_given(given, invoices, chosen)
    await _decide_lines(books, backfill, writes)
    for through, of_account in more.values():
        if of_account:
            backfill.decide(books, of_account, await _typed_costs(books, through, of_account), {})
    return Plan(tenant=books.tenant, actions=tuple(backfill.actions), findings=tuple(backfill.findings))


async def _typed_costs(books: Books, accounts: SettlementAccounts, writes: Sequence[_Write]) -> list[Typed]:
    """What people typed that may be the fees and payouts of *writes*, which go through *accounts*."""
    if accounts.through_a_bank:
        return await typed_movements(books, accounts.clearing_id, accounts.currency)
    bank = accounts.bank.account_id if accounts.bank is not None else None
    return await typed_payouts(books, accounts, bank or AccountId(""), [each.wanted for each in writes])


async def _decide_lines(books: Books, backfill: _Backfill, writes: Sequence[_Write]) -> None:
    invoiced = await stamped(books, INVOICES, Invoice, {each.wanted.of for each in writes})
    due = {key: _due(invoice) for key, (invoice, _) in invoiced.items()}
    currencies = {key: invoice.currency_code or "XXX" for key, (invoice, _) in invoiced.items()}
    backfill.decide(books, writes, await typed_payments(books, currencies), due)


def _not_given(
    settlements: Sequence[Settlement], invoices: Mapping[str, str], chosen: Mapping[str, str]
) -> list[Finding]:
    """The findings on answers, and on transactions' *invoices*, that are of nothing in *settlements*."""
    lines = [line for each in settlements for line in each.lines if line.kind is LineKind.COLLECTED]
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
    backfill = _Backfill(known, await _gone(books, known.values()), chosen)
    writes: list[_Write] = []
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


async def _gone(books: Books, known: Iterable[Intent]) -> frozenset[str]:
    """The keys of those *known* whose documents people have removed in Xero: what was typed since may be in place."""
    posted = [each for each in known if each.xero_id and each.state in POSTED and each.operation.kind in _ON]
    shelves = [_ON[kind] for kind in sorted({each.operation.kind for each in posted})]
    await refresh(books, *(shelf for shelf, _ in shelves))
    removed: set[str] = set()
    for shelf, model in shelves:
        found = await stamped(books, shelf, model, (each.xero_id or "" for each in posted))
        removed |= {xero_id for xero_id, (document, _) in found.items() if document.status in GONE}
    ours = set(await being_taken_back(books))
    for each in removed:
        if any(one.operation.kind in TAKING_BACK for one in await intents_with(books, lookup=("xero_id", each))):
            ours.add(each)
    return frozenset(each.key for each in posted if each.xero_id in removed - ours)


def _line_write(
    settlement: Settlement, line: SettlementLine, transaction: Transaction, accounts: SettlementAccounts
) -> _Write:
    return _Write(
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


def _payment_write(payment: BillPayment, bill: OpenDocument, choice: ClearingChoice | None, amount: Money) -> _Write:
    account = (choice.account.account_id or "") if choice is not None else ""
    return _Write(
        wanted=Wanted(name=payment.id, of=bill.seen.document_id, amount=amount, on=payment.on, account=account),
        operation=BILLS.operation(payment.id),
        facts={BILLS.fact: payment.bill_id}
        | ({} if payment.amount is None else {"amount": str(payment.amount.amount)}),
    )


def _cost_writes(settlement: Settlement, accounts: SettlementAccounts) -> Iterable[_Write]:
    """The fees that were spent, and the payout; what is billed is left to `settle`."""
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


def _movement(
    settlement: Settlement, operation: Pending, effect: Money, on: date, clearing: str, *, other: str = ""
) -> _Write:
    facts = {
        "settlement": settlement.id,
        "on": on.isoformat(),
        "account": clearing,
        "effect": str(effect.amount),
        "dated": on.isoformat(),
    }
    return _Write(
        wanted=Wanted(name=operation.host_ref, of=operation.kind, amount=effect, on=on, account=other or clearing),
        operation=operation,
        facts=facts,
    )
