"""Beginning in the middle: what people entered by hand before is taken over, asked about, and never posted again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from decimal import Decimal
from typing import Final

from attrs import define, evolve, field, frozen

from xerosync.client._books import Books
from xerosync.engine.actions import (
    Action,
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
from xerosync.engine.intents import DENIED, Intent, intent_key, is_denied
from xerosync.engine.mirror import (
    BANK_TRANSACTIONS,
    BANK_TRANSFERS,
    CONTACTS,
    CREDIT_NOTES,
    GONE,
    INVOICES,
    PAYMENTS,
    Shelf,
    refresh,
)
from xerosync.engine.observed import called_alike, intents_of, intents_with, stamped
from xerosync.engine.paying import BILLS, BillPayment, accounts_of
from xerosync.engine.payouts import FEES, PAYOUT
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.restoring import RESTORED, TAKING_BACK, being_taken_back, current_of
from xerosync.engine.settled_before import posted_before
from xerosync.engine.settlement_accounts import kept_accounts, settlement_accounts
from xerosync.engine.settlement_books import SURPLUS, SettlementAccounts, facts_given, facts_known, parking
from xerosync.engine.settling_policies import FeesAs, SettlementSettings
from xerosync.engine.states import POSTED, State
from xerosync.engine.transactions import transactions_of
from xerosync.engine.typed import Dismiss, Pairing, Suspect, Typed, Wanted, in_doubt, not_given, not_it, pair
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
    BankTransaction,
    BankTransfer,
    CreditNote,
    DocumentStatus,
    Invoice,
    Payment,
)
from xerosync.money import Money, exactly
from xerosync.texts import plain_id

_TYPED: Final = "typed in Xero before"
_ON: Final[Mapping[str, tuple[Shelf, type[Payment | BankTransaction | BankTransfer | Invoice | CreditNote]]]] = {
    Pay.kind: (PAYMENTS, Payment),
    Refund.kind: (PAYMENTS, Payment),
    MoveMoney.kind: (BANK_TRANSACTIONS, BankTransaction),
    Transfer.kind: (BANK_TRANSFERS, BankTransfer),
    CreateBill.kind: (INVOICES, Invoice),
    CreateSaleCredit.kind: (CREDIT_NOTES, CreditNote),
}


@frozen(kw_only=True)
class _Write:
    """
    What the library would have written for *wanted*: its *operation*, and what would be kept with it; of a bill or a
    credit note also the operation *paying* it, with what would be kept with that.
    """

    wanted: Wanted
    operation: Pending
    facts: Mapping[str, str]
    paying: Pending | None = None
    facts_paying: Mapping[str, str] = field(factory=dict[str, str])

    @property
    def operations(self) -> tuple[Pending, ...]:
        """All that it would have been written by."""
        return (self.operation,) if self.paying is None else (self.operation, self.paying)

    def taken_over(self, kind: type[Adopt], reason: str, one: Typed | None = None, *, revision: int = 1) -> Adopt:
        """
        The action that keeps it as *one* that was typed, or holds it back, or lets it go. By a later *revision* that
        takes the place of what is gone in Xero.
        """
        amount, on = (one or self.wanted).amount.amount, self.wanted.on
        paid = (one.pays if one is not None else "") or self.wanted.of
        payload: dict[str, object] = {"Date": (one.on or on if one is not None else on).isoformat()}
        if self.operation.kind == Pay.kind:
            payload |= {"Amount": str(amount), "Invoice": {"InvoiceID": paid}}
        elif self.operation.kind == Refund.kind:
            payload |= {"Amount": str(amount), "CreditNote": {"CreditNoteID": paid}}
        elif self.paying is not None:
            payload = {}  # the day is that of its payment
        else:
            payload |= {"Amount": str(abs(amount))}
        return kind(
            host_ref=self.operation.host_ref,
            reason=reason,
            seen=(one.seen,) if one is not None else (),
            revision=revision,
            facts={**self.facts, **dict([RESTORED] if revision > 1 else [])},
            adopted_kind=self.operation.kind,
            xero_id=one.xero_id if one is not None else "",
            payload=payload,
        )

    def payment(self, document: str) -> _Write | None:
        """What would have paid it, the *document* being the bill or the credit note that it is; None where nothing."""
        if self.paying is None:
            return None
        wanted = Wanted(
            name=self.wanted.name,
            of=document,
            amount=self.wanted.amount,
            on=self.wanted.on,
            account=self.wanted.account,
        )
        return _Write(wanted=wanted, operation=self.paying, facts=self.facts_paying)


@frozen(kw_only=True)
class _Gone:
    """
    The *keys* of writes whose documents people have removed in Xero, and by them what is known of the next revision of
    each: the *answers* of people, where they gave any.
    """

    keys: AbstractSet[str]
    answers: Mapping[str, Intent]


@define
class _Backfill:
    """
    What was decided so far; what is *known* of a write already is left as it is, unless a person must say, or people
    have removed it, so that it is *gone*. *met* is all that people typed which was looked at.
    """

    known: Mapping[str, Intent]
    gone: _Gone
    chosen: Mapping[str, str]
    actions: list[Action] = field(factory=list[Action])
    findings: list[Finding] = field(factory=list[Finding])
    met: list[Typed] = field(factory=list[Typed])

    def is_open(self, intent: Intent | None) -> bool:
        """Whether a write of which *intent* is known may still be looked for among what people typed."""
        return intent is None or intent.state in {State.SUSPECT, State.REJECTED} or intent.key in self.gone.keys

    def decide(
        self, books: Books, writes: Iterable[_Write], typed: Sequence[Typed], due: Mapping[str, Decimal]
    ) -> None:
        self.met += typed
        held: dict[str, Intent | None] = {}
        open_: dict[str, _Write] = {}
        for each in writes:
            intent = self.known.get(intent_key(books.tenant, each.operation))
            if self.is_open(intent):
                open_[each.wanted.name], held[each.wanted.name] = each, intent
        found = pair([each.wanted for each in open_.values()], typed, self.chosen, due)
        for name, each in open_.items():
            self._settle(each, found, held[name])
            if name in found.sure:
                self._take_payment(books, each, found.sure[name])

    def _take_payment(self, books: Books, write: _Write, one: Typed) -> None:
        """Take over the payment of *one*, a bill or a credit note, too, where it has one."""
        payment = write.payment(one.xero_id)
        if payment is None or one.paid is None:
            return
        known = self.known.get(intent_key(books.tenant, payment.operation))
        if self.is_open(known):
            paid = evolve(one, seen=one.paid.seen, on=one.paid.on, amount=abs(one.amount))
            self.actions.append(payment.taken_over(Adopt, _TYPED, paid, revision=self._revision(known)))

    def _settle(self, write: _Write, found: Pairing, held: Intent | None) -> None:
        name, revision = write.wanted.name, self._revision(held)
        is_held = held is not None and held.state is State.SUSPECT
        candidates = found.doubtful.get(name) or found.none.get(name, ())
        is_new = not all(self._is_denied(held, each) for each in candidates)
        if name in found.sure:
            one = found.sure[name]
            differs = ", ".join(write.wanted.differs(one))
            reason = f"{_TYPED}, {differs}: chosen by a person" if differs else _TYPED
            self.actions.append(write.taken_over(Adopt, reason, one, revision=revision))
        elif name in found.none or (is_held and name not in found.doubtful and name not in found.wrong):
            if is_held or (revision > 1 and is_new):
                none = write.taken_over(Dismiss, "nothing in Xero is the same", revision=revision)
                denied = " ".join(each.xero_id for each in candidates)
                self.actions.append(evolve(none, facts={**none.facts, DENIED: denied}))
        elif name in found.wrong or (name in found.doubtful and is_new):
            is_wrong = name in found.wrong
            self.findings.append(not_it(write.wanted) if is_wrong else in_doubt(write.wanted, candidates))
            if not is_held:
                doubt = "perhaps typed in Xero before: a person must say"
                self.actions.append(write.taken_over(Suspect, doubt, revision=revision))

    def is_anew(self, books: Books, write: _Write) -> bool:
        """Whether *write* would take the place of what people removed."""
        return self._revision(self.known.get(intent_key(books.tenant, write.operation))) > 1

    def _revision(self, held: Intent | None) -> int:
        """By which revision something is taken over of which *held* is known: what is gone keeps its own."""
        return 1 if held is None else held.operation.revision + (held.key in self.gone.keys)

    def _is_denied(self, held: Intent | None, typed: Typed) -> bool:
        """Whether a person said that what was *typed* is not that of which *held* is known."""
        answer = self.gone.answers.get(held.key, held) if held is not None else None
        return answer is not None and is_denied(answer, typed.xero_id)


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
    costs = [write for _, of_account in more.values() for write in of_account]
    bills = [write for each in ordered for write in _bill_writes(each, kept.get(each.id, accounts))]
    refunds = await _refund_writes(books, ordered, kept, accounts)
    listed = (*writes, *costs, *bills, *refunds)
    known = await current_of(books, [operation for each in listed for operation in each.operations])
    backfill = _Backfill(known, await _gone(books, known.values()), chosen)
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
) -> dict[AccountId, tuple[SettlementAccounts, list[_Write]]]:
    """The fees and payouts of *settlements*, by the clearing account that each goes through."""
    found: dict[AccountId, tuple[SettlementAccounts, list[_Write]]] = {}
    for each in settlements:
        through = kept.get(each.id, accounts)
        found.setdefault(through.clearing_id, (through, []))[1].extend(_cost_writes(each, through))
    return found


async def _decide_costs(
    books: Books, backfill: _Backfill, costs: Iterable[tuple[SettlementAccounts, Sequence[_Write]]]
) -> None:
    for through, of_account in costs:
        if of_account:
            backfill.decide(books, of_account, await _typed_costs(books, through, of_account), {})


async def _decide_refunds(books: Books, backfill: _Backfill, refunds: Sequence[_Write]) -> None:
    if refunds:
        typed = await typed_refunds(books, await called_alike(books, dict.fromkeys(each.wanted.of for each in refunds)))
        backfill.decide(books, refunds, typed, {})


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


async def _gone(books: Books, known: Iterable[Intent]) -> _Gone:
    """Those of the *known* whose documents people have removed in Xero: what was typed since may be in their place."""
    posted = [each for each in known if each.xero_id and each.state in POSTED and each.operation.kind in _ON]
    shelves = {_ON[kind][0].name: _ON[kind] for kind in sorted({each.operation.kind for each in posted})}
    await refresh(books, *(shelf for shelf, _ in shelves.values()))
    removed: set[str] = set()
    for shelf, model in shelves.values():
        found = await stamped(books, shelf, model, (each.xero_id or "" for each in posted))
        removed |= {xero_id for xero_id, (document, _) in found.items() if document.status in GONE}
    ours = set(await being_taken_back(books))
    for xero_id in removed:
        if any(one.operation.kind in TAKING_BACK for one in await intents_with(books, lookup=("xero_id", xero_id))):
            ours.add(xero_id)
    gone = [each for each in posted if each.xero_id in removed - ours]
    anew = {evolve(each.operation, revision=each.operation.revision + 1): each.key for each in gone}
    answers = {anew[each.operation]: each for each in (await intents_of(books, anew)).values()}
    return _Gone(keys=frozenset(anew.values()), answers=answers)


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


def _bill_writes(settlement: Settlement, accounts: SettlementAccounts) -> Iterable[_Write]:
    """The fees that were billed, with the payment of their bill."""
    moved = deductions(settlement, fee_account=accounts.fees, reserve_account=accounts.reserve)
    cost = Money.total((each.amount for each in moved), settlement.proof.net.currency)
    if accounts.fees_as is not FeesAs.BILL or cost.amount <= 0:
        return
    name, on = FEES + settlement.id, settlement.on
    paid = _movement(settlement, Pending(Pay.kind, name), -cost, on, accounts.clearing_id)
    yield _Write(
        wanted=evolve(paid.wanted, of=CreateBill.kind, amount=cost, elsewhere="of another contact"),
        operation=Pending(CreateBill.kind, name),
        facts={"settlement": settlement.id, "amount": str(cost.amount), "on": on.isoformat()},
        paying=paid.operation,
        facts_paying=paid.facts,
    )


async def _decide_bills(books: Books, backfill: _Backfill, provider: str, bills: Sequence[_Write]) -> None:
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
) -> list[_Write]:
    """What was refunded, as the credit note to the customer, with its payment."""
    lines = [(each, line) for each in settlements for line in each.lines if line.kind is LineKind.REFUNDED]
    if not lines:
        return []
    await refresh(books, CREDIT_NOTES)
    transactions = await transactions_of(books, [line.transaction for _, line in lines])
    sold = await stamped(books, INVOICES, Invoice, [each.invoice_id for each in transactions.values()])
    writes: list[_Write] = []
    for settlement, line in lines:
        transaction = transactions.get(line.transaction)
        invoice, _ = sold.get(transaction.invoice_id if transaction is not None else "", (None, ""))
        contact = invoice.contact.contact_id if invoice is not None and invoice.contact is not None else None
        if contact is not None:
            facts = facts_known(line) | facts_given(settlement, line)
            write = _Write(
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


async def _decide_payments(books: Books, backfill: _Backfill, writes: Iterable[_Write]) -> None:
    """Decide on the payments of those *writes* whose bill or credit note is known and stands: people may pay it."""
    payments: dict[str, _Write] = {}
    besides: list[Typed] = []
    for each in writes:
        known = backfill.known.get(intent_key(books.tenant, each.operation))
        payment = each.payment(known.xero_id or "") if known is not None else None
        if known is None or payment is None or known.state is not State.CONFIRMED or known.key in backfill.gone.keys:
            continue
        payments[each.wanted.name] = payment
        if backfill.is_anew(books, payment):
            others = [one for one in backfill.met if one.paid and one.of == each.wanted.of]
            besides += (_on_another(one, payment) for one in others if one.xero_id != known.xero_id)
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


def _on_another(one: Typed, payment: _Write) -> Typed:
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
