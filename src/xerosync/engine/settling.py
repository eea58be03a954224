"""What settlements mean for the books: a pure decision from the host's lines and what Xero holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from attrs import define, field, frozen

from xerosync.engine.actions import Action, Adopt, Pay, Pending, RemovePayment, Seen
from xerosync.engine.intents import Intent, intent_key, retries, tag_of
from xerosync.engine.plans import Finding
from xerosync.engine.recovery import finding_for
from xerosync.engine.states import OPEN, State
from xerosync.mapping.settlement import LineKind, Settlement, SettlementLine
from xerosync.mapping.transactions import Transaction
from xerosync.models import AccountId, DocumentStatus, Invoice, Payment, PaymentId, PaymentStatus, TenantId
from xerosync.money import Money

NOT_OURS = "import its invoice and settle it under that transaction, or mark the invoice paid in Xero by hand"


@frozen(kw_only=True)
class Known:
    """What is known when settlements are decided on: links, intents by key, and the mirror's documents."""

    tenant: TenantId
    clearing_account: AccountId
    transactions: Mapping[str, Transaction]
    intents: Mapping[str, Intent]
    invoices: Mapping[str, tuple[Invoice, str]]
    payments: Mapping[str, tuple[Payment, str]]
    tagged: Mapping[str, Payment]
    collected_before: Mapping[str, Sequence[Intent]]
    retry_refused: bool


@define
class _Deciding:
    known: Known
    actions: list[Action] = field(factory=list[Action])
    findings: list[Finding] = field(factory=list[Finding])
    due: dict[str, Decimal] = field(factory=dict[str, Decimal])
    collected: dict[str, list[Pay]] = field(factory=lambda: defaultdict[str, list[Pay]](list))
    taken_back: set[str] = field(factory=set[str])
    to_come: set[str] = field(factory=set[str])

    def settle(self, settlements: Sequence[Settlement]) -> None:
        self.to_come = {line.id for settlement in settlements for line in settlement.lines}
        for settlement in settlements:
            for line in settlement.lines:
                self.to_come.discard(line.id)
                transaction = self.known.transactions.get(line.transaction)
                if transaction is None:
                    self._find(line, "not created here", "the library did not create this transaction", NOT_OURS)
                elif line.kind is LineKind.COLLECTED:
                    self._collect(settlement, line, transaction)
                else:
                    self._take_back(settlement, line, transaction)

    def _collect(self, settlement: Settlement, line: SettlementLine, transaction: Transaction) -> None:
        operation = Pending(Pay.kind, line.id)
        key = intent_key(self.known.tenant, operation)
        intent = self.known.intents.get(key)
        tagged = self.known.tagged.get(tag_of(key))
        if intent is not None and intent.state is not State.REJECTED:
            self._check(settlement, line, intent)
        elif intent is None and tagged is not None:
            self._adopt(line, transaction, tagged)
        elif self._payable(line, transaction, intent):
            self._pay(settlement, line, transaction)

    def _check(self, settlement: Settlement, line: SettlementLine, intent: Intent) -> None:
        """A payment written before must be the line's, and still stand, unless the library itself removed it."""
        if not _wrote(intent, line, settlement.on):
            cause = "under this id another payment was posted before: another transaction, amount or day"
            self._find(line, "changed since posted", cause, "give every line an id of its own, never one used before")
        elif intent.state in OPEN:
            self._find(
                line, "still open", "an earlier run was interrupted while posting it", "call recover()", retry=True
            )
        elif intent.state is not State.CONFIRMED:
            self.findings += filter(None, [finding_for(intent)])
        elif self._gone(intent) and self._removal(line.id) is None:
            cause = "its payment was removed in Xero by somebody else; it is not posted again"
            self._find(line, "removed in Xero", cause, "find out why; to post it again, settle it under a new line id")

    def _gone(self, intent: Intent) -> bool:
        payment, _ = self.known.payments.get(intent.xero_id or "", (None, ""))
        return payment is not None and payment.status == PaymentStatus.DELETED

    def _removal(self, line_id: str) -> Intent | None:
        return self.known.intents.get(intent_key(self.known.tenant, Pending(RemovePayment.kind, line_id)))

    def _adopt(self, line: SettlementLine, transaction: Transaction, payment: Payment) -> None:
        action = Adopt(
            host_ref=line.id,
            reason="its mark is in Xero already",
            adopted_kind=Pay.kind,
            xero_id=payment.payment_id or "",
            payload={"Amount": str(payment.amount), "Date": str(payment.date)},
            facts={"transaction": transaction.id},
        )
        self.actions.append(action)

    def _payable(self, line: SettlementLine, transaction: Transaction, refused: Intent | None) -> bool:
        invoice, stamp = self.known.invoices.get(transaction.invoice_id, (None, ""))
        if invoice is None:
            self._find(
                line, "invoice unknown", "its invoice is not among those read from Xero", "import it again", retry=True
            )
            return False
        seen = (Seen("invoice", transaction.invoice_id, stamp),)
        if refused is not None and not retries(refused, seen, always=self.known.retry_refused):
            self.findings += filter(None, [finding_for(refused)])
            return False
        if line.amount.currency != invoice.currency_code:
            self._find(line, "another currency", "the invoice is in another currency", "settle it in the invoice's own")
            return False
        due = self.due.setdefault(transaction.invoice_id, invoice.amount_due or Decimal(0))
        if invoice.status != DocumentStatus.AUTHORISED or due < line.amount.amount:
            status = invoice.status or "without a status"
            cause = f"the invoice is {status} and less is due than was collected"
            self._find(line, "does not fit", cause, "look at the invoice in Xero: was it paid, voided or edited there?")
            return False
        self.due[transaction.invoice_id] = due - line.amount.amount
        return True

    def _pay(self, settlement: Settlement, line: SettlementLine, transaction: Transaction) -> None:
        _, stamp = self.known.invoices[transaction.invoice_id]
        action = Pay(
            host_ref=line.id,
            reason=f"collected in settlement {settlement.id}",
            seen=(Seen("invoice", transaction.invoice_id, stamp),),
            facts={"transaction": transaction.id, "settlement": settlement.id},
            invoice=transaction.invoice_id,
            account=self.known.clearing_account,
            amount=line.amount,
            on=settlement.on,
            reference=transaction.invoice_number,
        )
        self.actions.append(action)
        self.collected[transaction.id].append(action)

    def _take_back(self, settlement: Settlement, line: SettlementLine, transaction: Transaction) -> None:
        before = self.known.collected_before.get(transaction.id, ())
        written = [
            intent
            for intent in before
            if intent.state is not State.REJECTED and not self._came_after(intent, settlement.on)
        ]
        planned = self.collected.pop(transaction.id, [])
        if not self._takes_all(line, written, planned):
            cause = "less was taken back than was collected for the transaction, and a payment is removed whole or not"
            fix = "correct the payments in Xero by hand, or charge back all that was collected"
            self._find(line, "does not fit", cause, fix)
            return
        for intent in written:
            if intent.state in OPEN:
                cause = "an earlier run was interrupted while posting a payment of it"
                self._find(line, "still open", cause, "call recover(), then plan again", retry=True)
            elif intent.state is State.CONFIRMED and intent.xero_id and not self._gone(intent):
                self._remove(
                    line, intent.operation.host_ref, PaymentId(intent.xero_id), Decimal(str(intent.payload["Amount"]))
                )
            elif intent.state is not State.CONFIRMED:
                self.findings += filter(None, [finding_for(intent)])
        for action in planned:
            self._remove(line, action.host_ref, action.itself, action.amount.amount)
        if not written and not planned:
            cause = "nothing was ever posted for this transaction"
            self._find(line, "nothing to take back", cause, "settle its collection first, or leave it", retry=True)

    def _takes_all(self, line: SettlementLine, written: Sequence[Intent], planned: Sequence[Pay]) -> bool:
        """Whether *line* takes back everything that was collected and not taken back by another charge-back."""
        collected = sum((action.amount.amount for action in planned), Decimal(0))
        for intent in written:
            removal = self._removal(intent.operation.host_ref)
            if removal is None or removal.facts.get("charged_back_by") == line.id:
                collected += Decimal(str(intent.payload["Amount"]))
        return collected <= line.amount.amount

    def _came_after(self, intent: Intent, taken_back_on: date) -> bool:
        """Whether *intent* collected anew what had been taken back: an old charge-back is not for it."""
        return intent.operation.host_ref in self.to_come or str(intent.payload.get("Date")) > taken_back_on.isoformat()

    def _remove(self, line: SettlementLine, paid_line: str, payment: PaymentId | Pending, amount: Decimal) -> None:
        if paid_line in self.taken_back:
            return
        self.taken_back.add(paid_line)
        earlier = self._removal(paid_line)
        if earlier is not None and earlier.state is not State.REJECTED:
            if earlier.state in OPEN:
                self._find(
                    line, "still open", "an earlier run was interrupted while removing it", "call recover()", retry=True
                )
            elif earlier.state is not State.CONFIRMED:
                self.findings += filter(None, [finding_for(earlier)])
            return
        if earlier is not None and not self.known.retry_refused:
            self.findings += filter(None, [finding_for(earlier)])
            return
        self.actions.append(
            RemovePayment(
                host_ref=paid_line,
                reason=f"charged back by {line.id}",
                facts={"transaction": line.transaction, "charged_back_by": line.id},
                payment=payment,
                amount=Money(amount, line.amount.currency),
            )
        )

    def _find(self, line: SettlementLine, code: str, cause: str, fix: str, *, retry: bool = False) -> None:
        self.findings.append(Finding(code=code, about=line.id, cause=cause, fix=fix, retry=retry, worth=line.amount))


def _wrote(intent: Intent, line: SettlementLine, on: date) -> bool:
    """Whether *intent* is the payment of *line*: host ids are used twice sooner or later, and money is lost then."""
    payload = intent.payload
    return (
        intent.facts.get("transaction") == line.transaction
        and Decimal(str(payload["Amount"])) == line.amount.amount
        and payload.get("Date") == on.isoformat()
    )


def decide_settlements(settlements: Sequence[Settlement], known: Known) -> tuple[list[Action], list[Finding]]:
    """
    The payments to post and to remove so that the books hold what *settlements*, in order of day, say.

    A line the library did not create the transaction of is a finding with its remedy; so is one that does not fit.
    """
    deciding = _Deciding(known)
    deciding.settle(settlements)
    return deciding.actions, deciding.findings
