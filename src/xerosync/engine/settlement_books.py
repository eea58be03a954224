"""What settlements are decided on: what the host made, what the library wrote, what Xero holds now."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from decimal import Decimal
from typing import Final

from attrs import define, evolve, field, frozen

from xerosync.engine.actions import (
    SALE,
    Action,
    CreateSale,
    CreateSaleCredit,
    Link,
    MoveMoney,
    Pay,
    Pending,
    Refund,
    RemoveMoney,
    RemovePayment,
    Seen,
    VoidCredit,
)
from xerosync.engine.batches import Forgotten
from xerosync.engine.chains import Chain, Effect, Event, KnownChain, Unfit, follow
from xerosync.engine.exchange import Exchange, Mismatch, currency_of, exchanged
from xerosync.engine.given_again import UNDONE, PostedBefore
from xerosync.engine.intents import Intent, intent_key, retries, text_at
from xerosync.engine.mirror import GONE
from xerosync.engine.outcomes import finding_for
from xerosync.engine.paper_actions import VoidSale
from xerosync.engine.plans import Finding
from xerosync.engine.settling_policies import FeesAs, OpenBooks, Surplus
from xerosync.engine.states import OPEN, State
from xerosync.mapping.declines import RetryPolicy
from xerosync.mapping.settlement import LineKind, Settlement, SettlementLine
from xerosync.mapping.transactions import Transaction
from xerosync.models import (
    Account,
    AccountId,
    AccountType,
    ContactId,
    DocumentStatus,
    Invoice,
    InvoiceId,
    Payment,
    PaymentId,
    PaymentStatus,
    TenantId,
)
from xerosync.money import Money

COUNTER: Final = "charged back/"
"""What the name of an operation begins with that stands for a payment which cannot be removed any more."""
SURPLUS: Final = "surplus/"
"""What the name of an operation begins with that parks what was collected too much."""
_TAKEN_BACK_BY: Final[Mapping[str, str]] = {
    Pay.kind: RemovePayment.kind,
    Refund.kind: RemovePayment.kind,
    MoveMoney.kind: RemoveMoney.kind,
    CreateSale.kind: VoidSale.kind,
    CreateSaleCredit.kind: VoidCredit.kind,
}
UNFIT: Final = "account unfit"
"""The code of a finding on what must go into an account that takes nothing any more."""
UNFIT_FIX: Final = "make the account take payments in Xero again, or post what is left of the settlement by hand"


@frozen(kw_only=True)
class SettlementAccounts:
    """
    The accounts that settlements are posted to, each looked at and found fit, and how fees are posted.

    *base* is the organisation's currency; *exchange* the code of the account for differences of rates. *unfit* says why
    nothing can be posted into the clearing account any more: one that a settlement was begun in, and must stay in.
    """

    clearing: Account
    base: str
    bank: Account | None = None
    charge_backs: Account | None = None
    fees: str = ""
    reserve: str | None = None
    exchange: str | None = None
    fees_as: FeesAs = FeesAs.SPEND_MONEY
    unfit: str = ""

    @property
    def clearing_id(self) -> AccountId:
        """The clearing account's id."""
        return self.clearing.account_id or AccountId("")

    @property
    def currency(self) -> str:
        """The currency that the clearing account is kept in, and so every settlement."""
        return currency_of(self.clearing, self.base)

    @property
    def through_a_bank(self) -> bool:
        """Whether the clearing account is a bank account, through which money is spent and transferred (F 6.133)."""
        return self.clearing.type == AccountType.BANK


@frozen(kw_only=True)
class Known:
    """
    What is known when settlements are decided on: links, intents by key, and the mirror's documents.

    *forgotten* are the transactions that were made here and that an older store did not know; *counters* the invoices
    that took the place of charged-back payments, by transaction; *sold* the invoices that refunds are of, with their
    lines; *used* what was parked and is set against an invoice since, by the name of the operation that parked it;
    *parked* what stands in Xero as parked although the ledger does not know it, by the line's id; *chains* the chains
    of the invoices of which something went back or was declined; *in_forgotten* the batches with our mark that the
    ledger does not know. *before* is what was posted of the settlements already, *kept* the accounts of those that were
    begun in others. *attempts* are those at each invoice that was tried again, *retries* which may be.
    """

    tenant: TenantId
    accounts: SettlementAccounts
    open_books: OpenBooks
    surplus: Surplus
    transactions: Mapping[str, Transaction]
    forgotten: Mapping[str, Transaction]
    intents: Mapping[str, Intent]
    invoices: Mapping[str, tuple[Invoice, str]]
    payments: Mapping[str, tuple[Payment, str]]
    tagged: Mapping[str, Payment]
    counters: Mapping[str, Sequence[Intent]]
    sold: Mapping[str, Invoice]
    retry_refused: bool
    used: AbstractSet[str] = frozenset()
    parked: Mapping[str, Decimal] = field(factory=dict[str, Decimal])
    chains: Mapping[str, KnownChain] = field(factory=dict[str, KnownChain])
    in_forgotten: Forgotten = field(factory=Forgotten)
    before: PostedBefore = field(factory=PostedBefore)
    kept: Mapping[str, SettlementAccounts] = field(factory=dict[str, SettlementAccounts])
    retries: RetryPolicy = field(factory=RetryPolicy)
    attempts: Mapping[InvoiceId, Sequence[Transaction]] = field(factory=dict[InvoiceId, "Sequence[Transaction]"])

    def of(self, settlement: Settlement) -> Known:
        """The same, with the accounts that *settlement* goes through."""
        accounts = self.kept.get(settlement.id)
        return self if accounts is None else evolve(self, accounts=accounts)

    def intent(self, operation: Pending) -> Intent | None:
        """What is known of *operation*."""
        return self.intents.get(intent_key(self.tenant, operation))

    def parked_by(self, line_id: str) -> Intent | None:
        """What parked the money of line *line_id*, all of it or what was not due; not what Xero refused."""
        found = filter(None, map(self.intent, parking(line_id)))
        return next((each for each in found if each.state is not State.REJECTED), None)

    def removal(self, line_id: str) -> Intent | None:
        """What is known of the removal of the payment of line *line_id*."""
        return self.intent(Pending(RemovePayment.kind, line_id))

    def was_not_removed(self, line_id: str) -> bool:
        """Whether the library did not remove the payment of line *line_id*, or Xero refused that."""
        removal = self.removal(line_id)
        return removal is None or removal.state is State.REJECTED

    def is_taken_back(self, line_id: str) -> bool:
        """Whether the payment of line *line_id* was removed, or an invoice put in its place."""
        taken = (self.removal(line_id), self.counter(line_id))
        return any(each is not None and each.state is not State.REJECTED for each in taken)

    def undoing(self, written: Intent) -> Intent | None:
        """What took back what *written* wrote as that was undone, or is about to; not what Xero refused."""
        removal = self.intent(removal_of(written))
        stands = removal is not None and removal.state is not State.REJECTED and removal.target == written.xero_id
        return removal if removal is not None and stands and UNDONE in removal.facts else None

    def is_undone(self, written: Intent) -> bool:
        """Whether what *written* wrote was taken back as that was undone, and that is certain."""
        removal = self.undoing(written)
        return removal is not None and removal.state is State.CONFIRMED

    def counter(self, line_id: str) -> Intent | None:
        """What is known of the invoice in the place of the payment of line *line_id*; not of one that was undone."""
        counter = self.intent(Pending(CreateSale.kind, COUNTER + line_id))
        return None if counter is not None and self.is_undone(counter) else counter

    def anew(self, operation: Pending) -> Pending:
        """The *operation*; where it was done and undone, its next revision."""
        before = self.intent(operation)
        if before is None or not self.is_undone(before):
            return operation
        return evolve(operation, revision=before.operation.revision + 1)

    def payment(self, intent: Intent) -> Payment | None:
        """The payment that *intent* wrote, as the mirror has it."""
        found, _ = self.payments.get(intent.xero_id or "", (None, ""))
        return found

    def account_of(self, intent: Intent) -> str:
        """The account that the payment stands in which *intent* wrote; blank where it is not known."""
        payment = self.payment(intent)
        account = payment.account.account_id if payment is not None and payment.account is not None else None
        return account or text_at(intent.payload, "Account", "AccountID")

    def is_voided(self, counter: Intent) -> bool:
        """Whether the invoice that *counter* wrote in a payment's place was voided or deleted in Xero."""
        document, _ = self.invoices.get(counter.xero_id or "", (None, ""))
        return document is not None and document.status in GONE

    def is_gone(self, intent: Intent) -> bool:
        """Whether the payment that *intent* wrote was removed in Xero."""
        payment = self.payment(intent)
        return payment is not None and payment.status == PaymentStatus.DELETED


@frozen(kw_only=True, repr=False)
class CameIn:
    """
    How the money of a line came in: what its *payment* on *invoice* *paid*, and what was *parked*, by which write
    *put_by*, into which *account*, blank where it is not known.

    *settled* is what it made in the clearing account's currency, where that is another; *by* is what wrote it, None
    for what this plan posts or takes over; *gone* says that its payment was removed in Xero.
    """

    payment: PaymentId | Pending | None = None
    invoice: str = ""
    paid: Decimal = Decimal(0)
    parked: Decimal = Decimal(0)
    settled: Decimal | None = None
    by: Intent | None = None
    put_by: Pending | None = None
    account: str = ""
    gone: bool = False


@define
class Deciding:
    """
    What was decided so far, line by line.

    *differences* of rates are by line, what charge-backs took beyond what had come in; *planned* what posts each line,
    *parking* what parks a part of it, *waiting* the lines that do not stand in the books after it, and *missing*, by
    settlement, those it was posted with.
    """

    known: Known
    actions: list[Action] = field(factory=list[Action])
    findings: list[Finding] = field(factory=list[Finding])
    planned: dict[str, tuple[Pending, ...]] = field(factory=dict[str, "tuple[Pending, ...]"])
    waiting: set[str] = field(factory=set[str])
    missing: dict[str, list[str]] = field(factory=dict[str, "list[str]"])
    chains: dict[str, Chain] = field(factory=dict[str, Chain])
    came_in: dict[str, CameIn] = field(factory=dict[str, CameIn])
    parking: dict[str, Pending] = field(factory=dict[str, Pending])
    claimed: set[str] = field(factory=set[str])
    to_come: set[str] = field(factory=set[str])
    differences: dict[str, Money] = field(factory=dict[str, Money])
    countered: dict[str, list[str]] = field(factory=dict[str, list[str]])
    new_invoices: dict[str, Pending] = field(factory=dict[str, Pending])
    _due: dict[str, Decimal] = field(factory=dict[str, Decimal])
    _opened_by: dict[str, list[Pending]] = field(factory=dict[str, "list[Pending]"])

    @contextmanager
    def deciding_on(self, line: SettlementLine) -> Generator[None, None, None]:
        """Note what is planned for *line* meanwhile, and whether a person must see to it first."""
        planned, found = len(self.actions), len(self.findings)
        yield
        self.planned[line.id] = tuple(each.itself for each in self.actions[planned:] if not isinstance(each, Link))
        if len(self.findings) > found:
            self.waiting.add(line.id)

    def find(self, line: SettlementLine, code: str, cause: str, fix: str, *, retry: bool = False) -> None:
        """Add a finding on *line*."""
        self.findings.append(Finding(code=code, about=line.id, cause=cause, fix=fix, retry=retry, worth=line.amount))

    def follow(
        self, settlement: Settlement, line: SettlementLine, transaction: Transaction
    ) -> tuple[Chain, Effect | Unfit]:
        """What becomes of the chain of the invoice of *transaction* by *line*; it is kept only by who does it."""
        known = self.known.chains.get(transaction.invoice_id, KnownChain())
        event = Event(
            kind=line.kind,
            name=line.id,
            transaction=transaction.id,
            amount=line.amount.amount,
            of=line.of,
            later=self._later(known, settlement),
        )
        return follow(self.chains.get(transaction.invoice_id, known.chain), event)

    def comes_in(self, settlement: Settlement, line: SettlementLine, transaction: Transaction, came_in: CameIn) -> None:
        """Note that this plan posts what *line* brought in."""
        if transaction.invoice_id in self.known.chains:
            chain, _ = self.follow(settlement, line, transaction)
            parts = (evolve(each, gone=came_in.gone) if each.name == line.id else each for each in chain.parts)
            self.chains[transaction.invoice_id] = evolve(chain, parts=tuple(parts))
            self.came_in[line.id] = came_in

    def posting(self, invoice_id: str) -> tuple[Pending, ...]:
        """What this plan posts that brings money in for an invoice."""
        chain = self.chains.get(invoice_id, Chain())
        posted = (self.came_in[each.name].payment for each in chain.parts if each.name in self.came_in)
        return tuple(each for each in posted if isinstance(each, Pending))

    def waits(self, settlement: Settlement, line: SettlementLine, transaction: Transaction) -> bool:
        """Whether *line* must wait, with the finding why: nobody knows whether money came in that it may be about."""
        known = self.known.chains.get(transaction.invoice_id, KnownChain())
        later, is_refund = self._later(known, settlement), line.kind is LineKind.REFUNDED
        for name, intent in known.in_doubt.items():
            if name in later or not (is_refund or intent.facts.get("transaction") == transaction.id):
                continue
            if intent.state in OPEN:
                self.still_open(line, "posting a payment of it")
            else:
                cause = f"a payment of it is held back itself: {intent.state}"
                self.find(line, "held back", cause, "see to its collection first, then settle again", retry=True)
            return True
        return False

    def _later(self, known: KnownChain, settlement: Settlement) -> AbstractSet[str]:
        """The lines that brought money in after *settlement*, or will in this plan."""
        return self.to_come | {name for name, on in known.on.items() if on > settlement.on.isoformat()}

    def unfit(self, line: SettlementLine, unfit: Unfit) -> None:
        """Add the finding that *line* is *unfit* for its chain."""
        self.find(line, unfit.code, unfit.cause, unfit.fix, retry=unfit.retry)

    def exchange(self, settlement: Settlement, line: SettlementLine, currency: str | None) -> Exchange | None:
        """How *line* moves money of a document in *currency*; None, with the finding why, where it cannot."""
        accounts = self.known.accounts
        if line.amount.currency != currency:
            fix = "settle it in the invoice's own, with what it made in the clearing account as settled=…"
            self.find(line, "another currency", "the invoice is in another currency", fix)
            return None
        rate = settlement.rate if currency == accounts.currency else None
        found = exchanged(line.amount, through=accounts.currency, base=accounts.base, settled=line.settled, rate=rate)
        if isinstance(found, Mismatch):
            self.find(line, found.code, found.cause, found.fix)
            return None
        return found

    def still_open(self, line: SettlementLine, doing: str) -> None:
        """Add the finding that an earlier run died while *doing* something for *line*."""
        self.find(line, "still open", f"an earlier run was interrupted while {doing}", "call recover()", retry=True)

    def not_confirmed(self, line: SettlementLine, intent: Intent, doing: str) -> None:
        """Add the finding on an *intent* of *line* that is not confirmed, and not to be planned again."""
        if intent.state in OPEN:
            self.still_open(line, doing)
            return
        found = finding_for(intent)
        told = evolve(found, about=line.id, worth=line.amount) if found is not None else None
        if told is not None and told not in self.findings:
            self.findings.append(told)

    def may_plan(self, line: SettlementLine, operation: Pending, doing: str) -> bool:
        """Whether *operation* is still to be planned; else what a person must know of it is a finding."""
        intent = self.known.intent(operation)
        if intent is None or intent.state is State.CONFIRMED:
            return intent is None
        if retries(intent, (), always=self.known.retry_refused):
            return True
        self.not_confirmed(line, intent, doing)
        return False

    def parked(self, line: SettlementLine) -> Decimal:
        """What of the money of *line* stands in Xero as the customer's credit."""
        by = self.known.parked_by(line.id)
        if by is not None and by.state is State.CONFIRMED:
            return Decimal(by.facts["effect"])
        return self.known.parked.get(line.id, Decimal(0))

    def due(self, invoice_id: str) -> Decimal:
        """What is due on an invoice after what this plan pays of it and takes back; nothing where it cannot be paid."""
        if invoice_id not in self._due:
            invoice, _ = self.known.invoices.get(invoice_id, (None, ""))
            stands = invoice is not None and invoice.status == DocumentStatus.AUTHORISED
            self._due[invoice_id] = (invoice.amount_due or Decimal(0)) if invoice is not None and stands else Decimal(0)
        return self._due[invoice_id]

    def pay_off(self, invoice_id: str, amount: Decimal) -> None:
        """Note that this plan pays *amount* of an invoice."""
        self._due[invoice_id] = self.due(invoice_id) - amount

    def open_again(self, invoice_id: str, amount: Decimal, removal: Pending) -> None:
        """Note that this plan takes *amount* of an invoice back, by *removal*."""
        self._due[invoice_id] = self.due(invoice_id) + amount
        self._opened_by.setdefault(invoice_id, []).append(removal)

    def owe_again(self, transaction_id: str, counter: Pending, amount: Decimal) -> None:
        """Note that this plan puts the invoice *counter* of *amount* in a payment's place."""
        self.countered.setdefault(transaction_id, []).append(counter.host_ref)
        self.new_invoices[counter.host_ref] = counter
        self._due[counter.host_ref] = amount

    def opened_by(self, invoice_id: str) -> tuple[Pending, ...]:
        """The removals of this plan that make room on an invoice."""
        return tuple(self._opened_by.get(invoice_id, ()))

    def seen(self, invoice_id: str) -> tuple[Seen, ...]:
        """An invoice as it was seen."""
        _, stamp = self.known.invoices.get(invoice_id, (None, ""))
        return (Seen("invoice", invoice_id, stamp),)

    def contact_of(self, transaction: Transaction) -> ContactId:
        """The contact whose invoice *transaction* collects."""
        invoice, _ = self.known.invoices.get(transaction.invoice_id, (None, ""))
        contact = invoice.contact if invoice is not None else None
        return (contact.contact_id if contact is not None else None) or ContactId("")


def line_of(written: Intent) -> str:
    """The line that something was *written* for, by its id; of fees and payouts, their own name."""
    return written.facts.get("charged_back_by") or written.operation.host_ref.removeprefix(SURPLUS)


def removal_of(written: Intent) -> Pending:
    """What takes back what was *written* for a line when that is undone."""
    kind, name = written.operation.kind, written.operation.host_ref
    if not name.startswith(COUNTER):
        return Pending(_TAKEN_BACK_BY[kind], name)
    return Pending(_TAKEN_BACK_BY[kind], (SALE if kind == CreateSale.kind else "") + name, written.operation.revision)


def undoings(written: Iterable[Intent]) -> Iterable[Pending]:
    """Whatever is to be known of what was parked, and of what took a payment's place, if that was undone since."""
    for each in written:
        name, operation = each.operation.host_ref, each.operation
        if operation.kind in _TAKEN_BACK_BY and name.startswith((SURPLUS, COUNTER)):
            yield removal_of(each)
        if name.startswith(COUNTER):
            yield evolve(operation, revision=operation.revision + 1)


def parking(line_id: str) -> tuple[Pending, ...]:
    """The operations that may park what line *line_id* brought in: through a bank account, or as a credit note."""
    return tuple(Pending(kind, SURPLUS + line_id) for kind in (MoveMoney.kind, CreateSaleCredit.kind))


def facts_known(line: SettlementLine) -> dict[str, str]:
    """The facts of *line* that what is posted for it does not show by itself."""
    settled = {} if line.settled is None else {"settled": str(line.settled.amount)}
    return {"transaction": line.transaction} | settled


def facts_given(settlement: Settlement, line: SettlementLine) -> dict[str, str]:
    """What the host says of *line*, by which it is known whether it is the same when it is given again."""
    return {
        "settlement": settlement.id,
        "collected": str(line.amount.amount),
        "settled_on": settlement.on.isoformat(),
        "line": line.kind.value,
        "currency": line.amount.currency,
    }
