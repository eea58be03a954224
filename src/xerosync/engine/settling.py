"""What settlements mean for the books: a pure decision from the host's lines and what Xero holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from attrs import define

from xerosync.engine.actions import Adopt, CreateSaleCredit, MoveMoney, NoteTransaction, Pay, Pending
from xerosync.engine.chain_books import undone_with
from xerosync.engine.declining import TOLD, Tried, declined, retried
from xerosync.engine.exchange import Exchange
from xerosync.engine.given_again import OF_RUN, SETTLE_ANEW, UNDONE, WHOLE
from xerosync.engine.intents import Intent, intent_key, retries, tag_of
from xerosync.engine.observed import invoice_paid
from xerosync.engine.outcomes import finding_for
from xerosync.engine.remembering import FORGOTTEN
from xerosync.engine.returns import Returns
from xerosync.engine.settlement_books import (
    SURPLUS,
    UNFIT,
    UNFIT_FIX,
    CameIn,
    Deciding,
    Known,
    facts_given,
    facts_known,
)
from xerosync.engine.settling_policies import Surplus
from xerosync.engine.states import POSTED, State
from xerosync.engine.turns import in_turn
from xerosync.mapping.banking import credit_kept, overpayment
from xerosync.mapping.settlement import LineKind, Settlement, SettlementLine
from xerosync.mapping.transactions import Transaction
from xerosync.models import DocumentStatus, InvoiceId, Payment, PaymentStatus
from xerosync.money import Money, exactly

NOT_OURS = (
    "import its invoice and settle it under that transaction, link it with link_transaction(), "
    "or mark the invoice paid in Xero by hand"
)
_NEW_LINE = "settle it under a new line id, or leave it"
_REMOVED = "removed in Xero"


@exactly
def decide_settlements(settlements: Sequence[Settlement], known: Known) -> Deciding:
    """
    The payments to post and to take back so that the books hold what *settlements*, in order of day, say.

    A line the library did not create the transaction of is a finding with its remedy; so is one that does not fit, and
    one that was posted otherwise before.
    """
    deciding = Deciding(known)
    collecting, returns = _Collecting(deciding), Returns(deciding)
    deciding.to_come = {line.id for settlement in settlements for line in settlement.lines}

    def fits(settlement: Settlement, line: SettlementLine) -> bool:
        return _fits(settlement, line, collecting, returns)

    chain_of = {each.id: each.invoice_id for each in known.transactions.values()}
    for settlement, line in in_turn(settlements, chain_of, fits):
        deciding.known = known.of(settlement)
        deciding.to_come.discard(line.id)
        with deciding.deciding_on(line):
            _decide(settlement, line, collecting, returns)
    deciding.known = known
    for settlement in settlements:
        if settlement.id not in deciding.missing:
            missing = known.before.missing(settlement)
            deciding.findings += missing
            deciding.missing[settlement.id] = [each.about for each in missing]
    # Whose payment somebody removed in Xero, and a charge-back takes back now, needs nobody any more.
    claimed = deciding.claimed
    deciding.findings = [each for each in deciding.findings if (each.code, each.about in claimed) != (_REMOVED, True)]
    deciding.waiting -= claimed
    _tell_declines(settlements, deciding)
    return deciding


def _tell_declines(settlements: Sequence[Settlement], deciding: Deciding) -> None:
    """Remember why what failed did, and find the attempts that should not have been; their money is posted as well."""
    known = deciding.known
    told = declined(settlements, known.transactions, deciding.waiting)
    deciding.actions[:0] = [
        NoteTransaction.remember(one, before=before, reason=why)
        for name, one in told.items()
        for before, why in [(None, FORGOTTEN) if name in known.forgotten else (known.transactions[name], TOLD)]
        if one != before
    ]
    chains = {invoice: each.chain for invoice, each in known.chains.items()} | deciding.chains
    days = {line: on for each in known.chains.values() for line, on in each.on.items()}
    days |= {line.id: each.on.isoformat() for each in settlements for line in each.lines}
    tried = Tried(transactions=told, attempts=known.attempts, chains=chains, days=days)
    found = {each.about for each in deciding.findings}
    deciding.findings += (each for each in retried(settlements, tried, known.retries) if each.about not in found)


def _decide(settlement: Settlement, line: SettlementLine, collecting: _Collecting, returns: Returns) -> None:
    deciding, known = collecting.deciding, collecting.deciding.known
    changed = known.before.changed(settlement, line)
    transaction, undone = known.transactions.get(line.transaction), undone_with(known, line)
    if changed is not None:
        deciding.findings.append(changed)
    elif transaction is None:
        deciding.find(line, "not created here", "the library did not create this transaction", NOT_OURS)
    elif known.accounts.unfit and line.kind is not LineKind.DECLINED and line.id not in known.before.lines:
        deciding.find(line, UNFIT, known.accounts.unfit, UNFIT_FIX)
    elif undone is not None and settlement.id not in known.before.undone_whole:
        # What was posted under its id is no longer there, so nothing of it may be paid out.
        fix = SETTLE_ANEW if undone.facts[UNDONE] == settlement.id else _NEW_LINE
        deciding.find(line, UNDONE, _how_undone(undone), fix)
    else:
        match line.kind:
            case LineKind.COLLECTED | LineKind.REINSTATED:
                collecting.collect(settlement, line, transaction)
            case LineKind.CHARGED_BACK if undone is None:
                returns.take_back(settlement, line, transaction)
            case LineKind.REFUNDED:
                returns.refund(settlement, line, transaction)
            case LineKind.DECLINED | LineKind.CHARGED_BACK:
                pass


def _how_undone(removal: Intent) -> str:
    """How what a *removal* took back came to be undone."""
    if WHOLE in removal.facts:
        return f"it was taken back when settlement {removal.facts[UNDONE]} was undone"
    by_run = "when its run was undone" if OF_RUN in removal.facts else "as no settlement had it"
    return f"it was taken back {by_run}"


def _fits(settlement: Settlement, line: SettlementLine, collecting: _Collecting, returns: Returns) -> bool:
    """Whether *line* can be done as the books stand now, or never will be by another line of its day."""
    known = collecting.deciding.known
    transaction = known.transactions.get(line.transaction)
    is_other = known.before.changed(settlement, line) is not None or undone_with(known, line) is not None
    if transaction is None or is_other or line.kind is LineKind.DECLINED:
        return True
    if line.kind in {LineKind.COLLECTED, LineKind.REINSTATED}:
        return collecting.fits(line, transaction)
    return returns.fits(settlement, line, transaction)


@define
class _Collecting:
    """Decides on the lines that brought money in."""

    deciding: Deciding

    def fits(self, line: SettlementLine, transaction: Transaction) -> bool:
        """Whether all of *line* is due now, or it was posted before."""
        known, operation = self.deciding.known, Pending(Pay.kind, line.id)
        intent = known.intent(operation)
        posted = intent is not None and intent.state is not State.REJECTED
        marked = tag_of(intent_key(known.tenant, operation)) in known.tagged
        if posted or marked or known.parked_by(line.id) is not None:
            return True
        return self.deciding.due(self._target(transaction, line.amount.amount)) >= line.amount.amount

    def collect(self, settlement: Settlement, line: SettlementLine, transaction: Transaction) -> None:
        known = self.deciding.known
        operation = Pending(Pay.kind, line.id)
        intent = known.intent(operation)
        tagged = known.tagged.get(tag_of(intent_key(known.tenant, operation)))
        if intent is not None and intent.state is not State.REJECTED:
            self._check(settlement, line, intent)
        elif intent is None and tagged is not None:
            self._adopt(settlement, line, transaction, tagged)
        elif intent is None and (moved := self._in_forgotten(settlement, line, transaction)) is not None:
            self._adopt(settlement, line, transaction, moved)
        elif (parked := known.parked_by(line.id)) is not None and not self._is_rest(line, parked):
            if parked.state is not State.CONFIRMED:
                self.deciding.not_confirmed(line, parked, "parking it")
        elif self._may_post(line, transaction, intent):
            invoice, _ = known.invoices[transaction.invoice_id]
            exchange = self.deciding.exchange(settlement, line, invoice.currency_code)
            if exchange is not None:
                self._post(settlement, line, transaction, exchange)

    def _check(self, settlement: Settlement, line: SettlementLine, intent: Intent) -> None:
        """A payment written before must still stand, unless the library itself removed it."""
        deciding = self.deciding
        if intent.state not in POSTED:
            deciding.not_confirmed(line, intent, "posting it")
            return
        is_gone = intent.state is State.REMOVED or deciding.known.is_gone(intent)
        is_gone = is_gone and deciding.known.was_not_removed(line.id)
        if is_gone:
            cause = "its payment was removed in Xero by somebody else; it is not posted again"
            fix = "find out why; to post it again, settle it under a new line id"
            deciding.find(line, _REMOVED, cause, fix)
        # What is due was paid, and a crash may have come before the rest was parked, or before that was taken back.
        is_kept = not is_gone and not deciding.known.is_taken_back(line.id)
        if "surplus" in intent.facts and (is_kept or deciding.parked(line)):
            self._park(settlement, line, Money(intent.facts["surplus"], line.amount.currency))

    def _in_forgotten(self, settlement: Settlement, line: SettlementLine, transaction: Transaction) -> Payment | None:
        """The payment of *line* in a batch of ours that the ledger does not know; a part of it may be parked."""
        known, whole = self.deciding.known, line.amount.amount
        wanted = whole - self.deciding.parked(line)
        parks = known.surplus is Surplus.PARK
        for place, payment in enumerate(paid := known.in_forgotten.payments.get(transaction.invoice_id, [])):
            amount = payment.amount or Decimal(0)
            fits = amount == wanted or (wanted == whole and parks and amount < whole)
            if fits and payment.date == known.open_books.day_for(settlement.on):
                return paid.pop(place)
        return None

    def _is_rest(self, line: SettlementLine, parked: Intent) -> bool:
        """Whether *parked* stands for a part of the line only: the payment of what was due was refused."""
        return parked.state is State.CONFIRMED and self.deciding.parked(line) < line.amount.amount

    def _adopt(self, settlement: Settlement, line: SettlementLine, transaction: Transaction, payment: Payment) -> None:
        rest = line.amount.amount - (payment.amount or Decimal(0))
        parks = rest > 0 and self.deciding.known.surplus is Surplus.PARK
        facts = (
            _facts(settlement, line) | {"surplus": str(rest)}
            if parks
            else facts_known(line) | {"settlement": settlement.id}
        )
        action = Adopt(
            host_ref=line.id,
            reason="its mark is in Xero already",
            adopted_kind=Pay.kind,
            xero_id=payment.payment_id or "",
            payload={"Amount": str(payment.amount), "Date": str(payment.date), "Invoice": invoice_paid(payment)},
            facts=facts,
        )
        self.deciding.actions.append(action)
        put_by = self._park(settlement, line, Money(rest, line.amount.currency)) if parks else None
        came_in = CameIn(
            payment=payment.payment_id,
            invoice=invoice_paid(payment)["InvoiceID"],
            paid=payment.amount or Decimal(0),
            parked=rest if parks else Decimal(0),
            settled=None if line.settled is None else line.settled.amount,
            put_by=put_by,
            account=(payment.account.account_id if payment.account is not None else None) or "",
            gone=payment.status == PaymentStatus.DELETED,
        )
        self.deciding.comes_in(settlement, line, transaction, came_in)

    def _may_post(self, line: SettlementLine, transaction: Transaction, refused: Intent | None) -> bool:
        deciding = self.deciding
        invoice, _ = deciding.known.invoices.get(transaction.invoice_id, (None, ""))
        if invoice is None:
            cause = "its invoice is not among those read from Xero"
            deciding.find(line, "invoice unknown", cause, "import it again", retry=True)
            return False
        seen = deciding.seen(transaction.invoice_id)
        if refused is not None and not retries(refused, seen, always=deciding.known.retry_refused):
            deciding.findings += filter(None, [finding_for(refused)])
            return False
        return True

    def _post(self, settlement: Settlement, line: SettlementLine, transaction: Transaction, exchange: Exchange) -> None:
        """Pay what is due, of the invoice or of what took its place; the rest is parked, or nothing is posted."""
        deciding, known = self.deciding, self.deciding.known
        parked = deciding.parked(line)
        wanted = line.amount.amount - parked
        target = self._target(transaction, wanted)
        part = min(deciding.due(target), wanted)
        rest = line.amount.amount - part
        if parked and rest != parked:
            cause = "of its money a part is kept as the customer's credit already, and less is due now than the rest"
            fix = "look at the invoice in Xero: what was paid, credited or edited there since?"
            deciding.find(line, "does not fit", cause, fix)
            return
        if rest and not parked and not self._may_park(line, transaction):
            return
        day = known.open_books.day_for(settlement.on)
        if day is None:
            deciding.findings.append(known.open_books.finding(line.id, line.amount))
            return
        payment, put_by = None, None
        if part:
            deciding.pay_off(target, part)
            payment = self._pay(settlement, line, invoice=InvoiceId(target), part=part, day=day, exchange=exchange)
        if rest:
            put_by = self._park(settlement, line, Money(rest, line.amount.currency))
        came_in = CameIn(
            payment=payment,
            invoice=transaction.invoice_id if target in deciding.new_invoices else target,
            paid=part,
            parked=rest,
            settled=None if exchange.settled is None else exchange.settled.amount,
            put_by=put_by,
            account=known.accounts.clearing_id,
        )
        deciding.comes_in(settlement, line, transaction, came_in)

    def _target(self, transaction: Transaction, amount: Decimal) -> str:
        """The invoice that the money is for: the transaction's own, or the one that took a charged-back one's place."""
        counters = self.deciding.known.counters.get(transaction.id, ())
        planned = self.deciding.countered.get(transaction.id, ())
        candidates: list[str] = [transaction.invoice_id, *(each.xero_id for each in counters if each.xero_id), *planned]
        fits = [each for each in candidates if self.deciding.due(each) >= amount]
        owed = [each for each in candidates if self.deciding.due(each)]
        return (fits or owed or candidates)[0]

    def _may_park(self, line: SettlementLine, transaction: Transaction) -> bool:
        invoice, _ = self.deciding.known.invoices[transaction.invoice_id]
        stands = invoice.status in {DocumentStatus.AUTHORISED, DocumentStatus.PAID}
        parks = self.deciding.known.surplus is Surplus.PARK
        if stands and parks and line.settled is None:
            return True
        cause = f"the invoice is {invoice.status or 'without a status'} and less is due than was collected"
        fix = "look at the invoice in Xero: was it paid, voided or edited there?"
        if stands and parks:
            fix += " What is in another currency than the clearing account cannot be kept as the customer's credit"
        elif stands:
            fix += " With surplus=Surplus.PARK the rest becomes the customer's credit"
        self.deciding.find(line, "does not fit", cause, fix)
        return False

    def _pay(
        self,
        settlement: Settlement,
        line: SettlementLine,
        *,
        invoice: InvoiceId,
        part: Decimal,
        day: date,
        exchange: Exchange,
    ) -> Pending:
        deciding = self.deciding
        facts = _facts(settlement, line)
        if part != line.amount.amount:
            facts["surplus"] = str(line.amount.amount - part)
        why = "reinstated" if line.kind is LineKind.REINSTATED else "collected"
        moved = deciding.known.open_books.reason(settlement.on)
        action = Pay(
            host_ref=line.id,
            reason=f"{why} in settlement {settlement.id}{moved}",
            seen=() if invoice in deciding.new_invoices else deciding.seen(invoice),
            facts=facts,
            invoice=deciding.new_invoices.get(invoice, invoice),
            account=deciding.known.accounts.clearing_id,
            amount=Money(part, line.amount.currency),
            on=day,
            reference=deciding.known.transactions[line.transaction].invoice_number,
            settled=exchange.settled,
            rate=exchange.rate,
            after=deciding.opened_by(invoice),
        )
        deciding.actions.append(action)
        return action.itself

    def _park(self, settlement: Settlement, line: SettlementLine, rest: Money) -> Pending:
        deciding, known = self.deciding, self.deciding.known
        transaction = known.transactions[line.transaction]
        kind = MoveMoney.kind if known.accounts.through_a_bank else CreateSaleCredit.kind
        operation = Pending(kind, f"{SURPLUS}{line.id}")
        day = known.open_books.day_for(settlement.on)
        if not deciding.may_plan(line, operation, "parking the rest of it"):
            return operation
        if day is None:
            deciding.findings.append(known.open_books.finding(line.id, rest))
            return operation
        deciding.parking[line.id] = operation
        reason = f"collected in settlement {settlement.id}, and not due{known.open_books.reason(settlement.on)}"
        facts = _facts(settlement, line) | {
            "account": known.accounts.clearing_id,
            "effect": str(rest.amount),
            "dated": day.isoformat(),
        }
        contact, number = deciding.contact_of(transaction), transaction.invoice_number
        if known.accounts.through_a_bank:
            document = overpayment(
                rest, bank_account=known.accounts.clearing_id, on=day, reference=number, rate=settlement.rate
            )
            deciding.actions.append(
                MoveMoney(
                    host_ref=operation.host_ref,
                    reason=reason,
                    facts=facts,
                    transaction=document,
                    contact=contact,
                    total=rest,
                )
            )
            return operation
        note = credit_kept(rest, account=known.accounts.clearing.code or "", on=day, reference=number)
        deciding.actions.append(
            CreateSaleCredit(
                host_ref=operation.host_ref,
                reason=reason,
                facts=facts,
                credit_note=note,
                contact=contact,
                total=rest,
            )
        )
        return operation


def _facts(settlement: Settlement, line: SettlementLine) -> dict[str, str]:
    return facts_known(line) | facts_given(settlement, line)
