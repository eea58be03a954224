"""Money that went back: charge-backs, which open invoices again, and refunds, which make sales smaller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, cast

from attrs import define, field, frozen

from xerosync.engine.actions import (
    WAS_ON,
    CreateSale,
    CreateSaleCredit,
    MoveMoney,
    Pay,
    Pending,
    Refund,
    RemoveMoney,
    RemovePayment,
    VoidCredit,
)
from xerosync.engine.exchange import Exchange
from xerosync.engine.intents import Intent
from xerosync.engine.settlement_books import COUNTER, SURPLUS, Deciding
from xerosync.engine.states import OPEN, State
from xerosync.errors import InvalidInput
from xerosync.mapping.banking import Movement, charged_back_again, money_moved, refund_note
from xerosync.mapping.settlement import Settlement, SettlementLine
from xerosync.mapping.transactions import Transaction
from xerosync.models import AccountId, ContactId, CreditNoteId, Payment, PaymentId
from xerosync.money import Money

_CLOSED: Final = "in closed books"
_USED: Final = "partly set against another invoice"
_ALL: Final = "all"


@frozen(kw_only=True)
class _Stays:
    """What line *paid* collected and cannot be taken back for the reason *why*; *whole*: what was parked of it, too."""

    paid: str
    why: str
    amount: Decimal = field(repr=False)
    whole: bool


@frozen(kw_only=True)
class _Counter:
    """What takes the place of a payment that stays: an invoice, and where need be the money that left."""

    name: str
    reason: str
    amount: Money = field(repr=False)
    on: date
    through: str
    contact: ContactId
    number: str
    rate: Decimal | None

    def invoice(self, facts: Mapping[str, str]) -> CreateSale:
        """The customer owes again."""
        owed = charged_back_again(self.amount, account=self.through, on=self.on, reference=self.number, rate=self.rate)
        return CreateSale(
            host_ref=self.name,
            reason=self.reason,
            facts=facts,
            invoice=owed,
            contact=self.contact,
            total=self.amount,
        )

    def money_out(self, clearing: AccountId, facts: Mapping[str, str]) -> MoveMoney:
        """The money leaves the clearing account, where that is a bank account."""
        out = Movement(amount=self.amount, description=f"Charged back {self.number}", account=self.through)
        return MoveMoney(
            host_ref=self.name,
            reason=self.reason,
            facts=facts,
            transaction=money_moved([out], bank_account=clearing, on=self.on, reference=self.number, rate=self.rate),
            contact=self.contact,
            total=-self.amount,
        )


@define
class Returns:
    """Decides on the lines that took money back."""

    deciding: Deciding

    def take_back(self, settlement: Settlement, line: SettlementLine, transaction: Transaction) -> None:
        """
        Remove all payments of a charged-back transaction, so that its invoice is open again.

        A payment that is reconciled, in a batch, in closed books, or whose parked part was used, stays; an invoice of
        the same amount takes its place, and the money leaves the clearing account by it (F 6.123, 6.124, 6.131).
        """
        deciding, known = self.deciding, self.deciding.known
        before = known.collected_before.get(transaction.id, ())
        written = [
            intent
            for intent in before
            if intent.state is not State.REJECTED and not self._came_after(intent, settlement.on)
        ]
        parked = [intent for intent in written if intent.operation.host_ref.startswith(SURPLUS)]
        written = [intent for intent in written if intent.operation.kind == Pay.kind]
        paid = {intent.operation.host_ref for intent in written}
        parked = [intent for intent in parked if intent.operation.host_ref.removeprefix(SURPLUS) not in paid]
        planned = deciding.collected.pop(transaction.id, [])
        if not self._goes_back(settlement, line, (written, parked), planned):
            return
        for intent in written:
            if intent.state in OPEN:
                deciding.still_open(line, "posting a payment of it")
            elif intent.state is not State.CONFIRMED:
                deciding.not_confirmed(line, intent, "posting a payment of it")
            elif intent.xero_id:
                self._undo(settlement, line, transaction, intent)
        for action in planned:
            self._remove(line, action.host_ref, action.itself, str(action.invoice), action.amount.amount)
        for intent in parked:
            self._undo_parked(settlement, line, transaction, intent)
        if not written and not planned and not parked:
            cause = "nothing was ever posted for this transaction"
            deciding.find(line, "nothing to take back", cause, "settle its collection first, or leave it", retry=True)

    def _goes_back(
        self,
        settlement: Settlement,
        line: SettlementLine,
        collected: tuple[Sequence[Intent], Sequence[Intent]],
        planned: Sequence[Pay],
    ) -> bool:
        """Whether *line* takes back all that was *collected*, paid and parked, and can in its currency."""
        exchange = self.deciding.exchange(settlement, line, line.amount.currency)
        if exchange is None:
            return False
        written, parked = collected
        if not self._takes_all(line, [*written, *parked], planned):
            cause = "less was taken back than was collected for the transaction, and a payment is removed whole or not"
            fix = "correct the payments in Xero by hand, or charge back all that was collected"
            self.deciding.find(line, "does not fit", cause, fix)
            return False
        return exchange.settled is None or self._makes_good(line, written, planned)

    def _makes_good(self, line: SettlementLine, written: Sequence[Intent], planned: Sequence[Pay]) -> bool:
        """
        Whether what *line* cost in the clearing account's currency, beyond what had come in, can be posted.

        A payment that is removed leaves at the rate it came in at, and the provider took the money at another.
        """
        deciding, accounts = self.deciding, self.deciding.known.accounts
        taken = [each for each in written if self._is_of(line, self._undone(each))]
        left = [deciding.known.payment(each) for each in taken if self._undone(each) is None]
        stays = [why for each in left if (why := self._why_it_stays(each))]
        if stays:
            cause = f"its payment is {stays[0]}, cannot be removed, and is in another currency than the account"
            deciding.find(line, "payment stays", cause, "remove the payment in Xero by hand, then settle again")
            return False
        came_in = [Decimal(each.facts["settled"]) for each in taken if "settled" in each.facts]
        came_in += [each.settled.amount for each in planned if each.settled is not None]
        difference = line.moved - Money(sum(came_in, Decimal(0)), line.moved.currency)
        if not difference or not (taken or planned):
            return True
        if accounts.exchange is None:
            cause = "it cost another amount than had come in, since the rate has changed"
            fix = "give exchange_account=… the code of an account for such differences"
            deciding.find(line, "exchange difference", cause, fix)
            return False
        deciding.differences[line.id] = difference
        return True

    def _is_of(self, line: SettlementLine, undone: Intent | None) -> bool:
        return undone is None or undone.facts.get("charged_back_by") == line.id

    def refund(self, settlement: Settlement, line: SettlementLine, transaction: Transaction) -> None:
        """Post a credit note for the part of the sale that was given back, and the money that left for it (F 6.103)."""
        deciding, known = self.deciding, self.deciding.known
        note, paid = Pending(CreateSaleCredit.kind, line.id), Pending(Refund.kind, line.id)
        day = known.open_books.day_for(settlement.on)
        exchange = deciding.exchange(settlement, line, line.amount.currency)
        if exchange is None:
            return
        noted = known.intent(note)
        if noted is not None and noted.state is State.CONFIRMED:
            if deciding.may_plan(line, paid, "paying the refund") and day is not None:
                self._pay_out(
                    settlement,
                    line,
                    CreditNoteId(noted.xero_id or ""),
                    number=transaction.invoice_number,
                    on=day,
                    exchange=exchange,
                )
            return
        if not deciding.may_plan(line, note, "posting its credit note"):
            return
        sold = known.sold.get(transaction.invoice_id)
        if sold is None:
            deciding.find(line, "invoice unknown", "Xero does not show its invoice", "import it again", retry=True)
            return
        if day is None:
            deciding.findings.append(known.open_books.finding(line.id, line.amount))
            return
        try:
            document = refund_note(sold, line.amount, on=day)
        except InvalidInput:
            cause = "more was refunded than its invoice is about"
            deciding.find(line, "does not fit", cause, "refund at most what was sold, or post the rest by hand")
            return
        action = CreateSaleCredit(
            host_ref=line.id,
            reason=f"refunded in settlement {settlement.id}{known.open_books.reason(settlement.on)}",
            facts=_facts(settlement, line),
            credit_note=document,
            contact=deciding.contact_of(transaction),
            total=line.amount,
        )
        deciding.actions.append(action)
        self._pay_out(settlement, line, action.itself, number=transaction.invoice_number, on=day, exchange=exchange)

    def _pay_out(
        self,
        settlement: Settlement,
        line: SettlementLine,
        note: CreditNoteId | Pending,
        *,
        number: str,
        on: date,
        exchange: Exchange,
    ) -> None:
        self.deciding.actions.append(
            Refund(
                host_ref=line.id,
                reason=f"refunded in settlement {settlement.id}",
                facts=_facts(settlement, line),
                credit_note=note,
                account=self.deciding.known.accounts.clearing_id,
                amount=line.amount,
                on=on,
                reference=number,
                settled=exchange.settled,
                rate=exchange.rate,
            )
        )

    def _takes_all(self, line: SettlementLine, written: Sequence[Intent], planned: Sequence[Pay]) -> bool:
        """Whether *line* takes back everything that was collected and not taken back by another charge-back."""
        collected = sum((action.amount.amount for action in planned), Decimal(0))
        for intent in written:
            if self._is_of(line, self._undone(intent)):
                collected += Decimal(intent.facts.get("collected") or str(intent.payload["Amount"]))
        return collected <= line.amount.amount

    def _undone(self, intent: Intent) -> Intent | None:
        """What took back what *intent* wrote: its removal, or the invoice in its place."""
        known, name = self.deciding.known, intent.operation.host_ref
        paid = name.removeprefix(SURPLUS)
        undoings = (
            Pending(RemovePayment.kind, name),
            Pending(RemoveMoney.kind, name),
            Pending(VoidCredit.kind, name),
            Pending(CreateSale.kind, COUNTER + paid),
        )
        return next(filter(None, map(known.intent, undoings)), None)

    def _came_after(self, intent: Intent, taken_back_on: date) -> bool:
        """Whether *intent* collected anew what had been taken back: an old charge-back is not for it."""
        settled_on = intent.facts.get("settled_on") or str(intent.payload.get("Date"))
        return intent.operation.host_ref in self.deciding.to_come or settled_on > taken_back_on.isoformat()

    def _undo(self, settlement: Settlement, line: SettlementLine, transaction: Transaction, intent: Intent) -> None:
        """Take back what *intent* paid, and what was parked beside it."""
        known, paid = self.deciding.known, intent.operation.host_ref
        counter = known.intent(Pending(CreateSale.kind, COUNTER + paid))
        used = SURPLUS + paid in known.used and known.removal(paid) is None
        stays = self._why_it_stays(known.payment(intent)) or (_USED if used else "")
        amount, whole = Decimal(str(intent.payload["Amount"])), stays == _CLOSED or used
        if counter is not None:
            whole = counter.facts.get("covers") == _ALL
        if counter is not None or (stays and known.removal(paid) is None):
            covered = Decimal(intent.facts["collected"]) if whole and "surplus" in intent.facts else amount
            self._counter(settlement, line, transaction, _Stays(paid=paid, why=stays, amount=covered, whole=whole))
        elif not known.is_gone(intent):
            invoice = _invoice_of(intent) or transaction.invoice_id
            self._remove(line, paid, PaymentId(intent.xero_id or ""), invoice, amount)
        if "surplus" in intent.facts and not (whole and (counter is not None or stays)):
            self._unpark(line, SURPLUS + paid, Money(Decimal(intent.facts["surplus"]), line.amount.currency))

    def _undo_parked(
        self, settlement: Settlement, line: SettlementLine, transaction: Transaction, intent: Intent
    ) -> None:
        """Take back money all of which was parked."""
        known, name = self.deciding.known, intent.operation.host_ref
        paid, amount = name.removeprefix(SURPLUS), Decimal(intent.facts["collected"])
        closed = known.open_books.is_closed(date.fromisoformat(intent.facts["dated"]))
        countered = known.intent(Pending(CreateSale.kind, COUNTER + paid)) is not None
        if intent.state is not State.CONFIRMED:
            self.deciding.not_confirmed(line, intent, "parking it")
        elif countered or ((closed or name in known.used) and self._undone(intent) is None):
            why = _CLOSED if closed else _USED
            self._counter(settlement, line, transaction, _Stays(paid=paid, why=why, amount=amount, whole=True))
        else:
            self._unpark(line, name, Money(amount, line.amount.currency))

    def _why_it_stays(self, payment: Payment | None) -> str:
        """Why a payment cannot be removed; blank when it can."""
        if payment is None:
            return ""
        if payment.is_reconciled:
            return "reconciled"
        if payment.batch_payment_id is not None:
            return "part of a batch"
        closed = payment.date is not None and self.deciding.known.open_books.is_closed(payment.date)
        return _CLOSED if closed else ""

    def _remove(
        self, line: SettlementLine, paid_line: str, payment: PaymentId | Pending, invoice: str, amount: Decimal
    ) -> None:
        deciding = self.deciding
        if paid_line in deciding.taken_back:
            return
        deciding.taken_back.add(paid_line)
        if deciding.may_plan(line, Pending(RemovePayment.kind, paid_line), "removing it"):
            action = RemovePayment(
                host_ref=paid_line,
                reason=f"charged back by {line.id}",
                facts={
                    "transaction": line.transaction,
                    "charged_back_by": line.id,
                    WAS_ON: f"Invoices/{invoice}",
                },
                payment=payment,
                amount=Money(amount, line.amount.currency),
            )
            deciding.actions.append(action)
            deciding.open_again(invoice, amount, action.itself)

    def _counter(self, settlement: Settlement, line: SettlementLine, transaction: Transaction, stays: _Stays) -> None:
        """Put an invoice in the place of a payment that cannot be removed; its money leaves the clearing account."""
        deciding, known, paid = self.deciding, self.deciding.known, stays.paid
        if paid in deciding.taken_back:
            return
        deciding.taken_back.add(paid)
        written = known.intent(Pending(CreateSale.kind, COUNTER + paid))
        if written is not None and known.is_voided(written):
            cause = "the invoice in its payment's place was voided in Xero by somebody else; it is not made again"
            deciding.find(line, "removed in Xero", cause, "find out why, and enter it by hand if it is owed")
            return
        accounts = known.accounts
        through = accounts.charge_backs if accounts.through_a_bank else accounts.clearing
        if through is None:
            cause = f"its payment is {stays.why} and cannot be removed, and no charge-back account was chosen"
            deciding.find(line, "payment stays", cause, "give charge_back_account=…, or remove the payment by hand")
            return
        day = known.open_books.day_for(settlement.on)
        if day is None:
            deciding.findings.append(known.open_books.finding(line.id, line.amount))
            return
        amount = Money(stays.amount, line.amount.currency)
        about = {"transaction": line.transaction, "charged_back_by": line.id} | (
            {"covers": _ALL} if stays.whole else {}
        )
        facts = about | {
            "account": accounts.clearing_id,
            "effect": str(-amount.amount),
            "dated": day.isoformat(),
        }
        counter = _Counter(
            name=COUNTER + paid,
            reason=f"charged back by {line.id}; its payment is {stays.why}, so an invoice takes its place",
            amount=amount,
            on=day,
            through=through.code or "",
            contact=deciding.contact_of(transaction),
            number=transaction.invoice_number,
            rate=settlement.rate,
        )
        doing = "charging it back"
        if deciding.may_plan(line, Pending(CreateSale.kind, counter.name), doing):
            deciding.actions.append(counter.invoice(about if accounts.through_a_bank else facts))
        if accounts.through_a_bank and deciding.may_plan(line, Pending(MoveMoney.kind, counter.name), doing):
            deciding.actions.append(counter.money_out(accounts.clearing_id, facts))

    def _unpark(self, line: SettlementLine, parked: str, amount: Money) -> None:
        """Take back the *amount* that was parked under the name *parked*."""
        deciding = self.deciding
        money = deciding.known.intent(Pending(MoveMoney.kind, parked))
        credit = deciding.known.intent(Pending(CreateSaleCredit.kind, parked))
        facts = {"transaction": line.transaction, "charged_back_by": line.id}
        reason, doing = f"charged back by {line.id}", "taking it back"
        if money is not None and money.xero_id and deciding.may_plan(line, Pending(RemoveMoney.kind, parked), doing):
            deciding.actions.append(
                RemoveMoney(host_ref=parked, reason=reason, facts=facts, transaction=money.xero_id, amount=amount)
            )
        if credit is not None and credit.xero_id and deciding.may_plan(line, Pending(VoidCredit.kind, parked), doing):
            deciding.actions.append(
                VoidCredit(host_ref=parked, reason=reason, facts=facts, credit_note=credit.xero_id, amount=amount)
            )


def _facts(settlement: Settlement, line: SettlementLine) -> dict[str, str]:
    settled = {} if line.settled is None else {"settled": str(line.settled.amount)}
    about = {"transaction": line.transaction, "settlement": settlement.id, "settled_on": settlement.on.isoformat()}
    return about | settled


def _invoice_of(intent: Intent) -> str:
    """The invoice that a payment was posted on; blank where the payment was only found again."""
    invoice = intent.payload.get("Invoice")
    return str(cast(Mapping[str, object], invoice).get("InvoiceID", "")) if isinstance(invoice, Mapping) else ""
