"""Money that went back: charge-backs, which open invoices again, and refunds, which make sales smaller."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from attrs import define, field, frozen

from xerosync.engine.actions import (
    WAS_ON,
    Adopt,
    CreateSale,
    CreateSaleCredit,
    MoveMoney,
    Pay,
    Pending,
    Ref,
    Refund,
    RemoveMoney,
    RemovePayment,
    VoidCredit,
)
from xerosync.engine.chain_books import undoing_of
from xerosync.engine.chains import Effect, Taking, Unfit
from xerosync.engine.declining import REASON
from xerosync.engine.exchange import Exchange
from xerosync.engine.intents import Intent, text_at
from xerosync.engine.restoring import POSTED_ANEW, RESTORED
from xerosync.engine.settlement_books import COUNTER, SURPLUS, CameIn, Deciding, facts_given, facts_known
from xerosync.engine.states import State
from xerosync.errors import InvalidInput
from xerosync.mapping.banking import Movement, charged_back_again, money_moved, refund_note
from xerosync.mapping.settlement import Settlement, SettlementLine
from xerosync.mapping.transactions import Transaction
from xerosync.models import AccountId, ContactId, CreditNote, CreditNoteId, PaymentId
from xerosync.money import Money

_CLOSED: Final = "in closed books"
_ELSEWHERE: Final = "in another clearing account than this settlement"
_USED: Final = "partly used as the customer's credit"
_REFUNDED: Final = "partly refunded"
_ALL: Final = "all"


@frozen(kw_only=True)
class _Stays:
    """
    What a line collected and cannot be taken back for the reason *why*: an invoice of *amount* takes its place.

    *whole* says that it stands for what was parked, too, *partly* that a part of it was refunded and stays.
    """

    paid: str
    why: str
    amount: Decimal = field(repr=False)
    whole: bool
    partly: bool


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
    after: tuple[Pending, ...]

    def invoice(self, facts: dict[str, str], revision: int) -> CreateSale:
        """The customer owes again."""
        owed = charged_back_again(self.amount, account=self.through, on=self.on, reference=self.number, rate=self.rate)
        return CreateSale(
            host_ref=self.name,
            revision=revision,
            reason=self.reason,
            facts=facts | _anew(revision),
            invoice=owed,
            contact=self.contact,
            total=self.amount,
            after=self.after,
        )

    def money_out(self, clearing: AccountId, facts: dict[str, str], revision: int) -> MoveMoney:
        """The money leaves the clearing account, where that is a bank account."""
        out = Movement(amount=self.amount, description=f"Charged back {self.number}", account=self.through)
        return MoveMoney(
            host_ref=self.name,
            revision=revision,
            reason=self.reason,
            facts=facts | _anew(revision),
            transaction=money_moved([out], bank_account=clearing, on=self.on, reference=self.number, rate=self.rate),
            contact=self.contact,
            total=-self.amount,
            after=self.after,
        )


@define
class Returns:
    """Decides on the lines that took money back."""

    deciding: Deciding

    def fits(self, settlement: Settlement, line: SettlementLine, transaction: Transaction) -> bool:
        """Whether so much of what was collected is left as *line* says that went back."""
        _, effect = self.deciding.follow(settlement, line, transaction)
        return isinstance(effect, Effect)

    def take_back(self, settlement: Settlement, line: SettlementLine, transaction: Transaction) -> None:
        """
        Remove the payments of a charged-back transaction that *line* is about, so that its invoice is open again.

        A payment that is reconciled, in a batch, in closed books, in another clearing account than the money leaves,
        partly refunded, or whose parked part was used, stays; an invoice takes its place, and the money leaves the
        clearing account by it (F 6.123, 6.124, 6.131).
        """
        deciding = self.deciding
        exchange = deciding.exchange(settlement, line, line.amount.currency)
        if exchange is None or deciding.waits(settlement, line, transaction):
            return
        chain, effect = deciding.follow(settlement, line, transaction)
        if isinstance(effect, Unfit):
            deciding.unfit(line, effect)
            return
        taken = [(each, self._came_in(each, transaction)) for each in effect.takings]
        if not self._can_undo(settlement, line, taken):
            return
        if exchange.settled is not None and not self._makes_good(line, taken):
            return
        deciding.chains[transaction.invoice_id] = chain
        for taking, came_in in taken:
            self._undo(settlement, line, transaction, taking, came_in, why=effect.why)

    def _came_in(self, taking: Taking, transaction: Transaction) -> CameIn:
        """How what is taken back had come in, by this plan or before."""
        known, name = self.deciding.known, taking.part.name
        if name in self.deciding.came_in:
            return self.deciding.came_in[name]
        paid = known.intent(Pending(Pay.kind, name))
        rest = known.parked_by(name)
        if paid is None or paid.state is State.REJECTED:
            return CameIn(
                parked=taking.part.amount,
                by=rest,
                put_by=rest.operation if rest is not None else None,
                account=rest.facts.get("account", "") if rest is not None else "",
            )
        return CameIn(
            account=known.account_of(paid),
            payment=PaymentId(paid.xero_id or ""),
            invoice=text_at(paid.payload, "Invoice", "InvoiceID") or transaction.invoice_id,
            paid=Decimal(str(paid.payload["Amount"])),
            parked=Decimal(paid.facts.get("surplus", "0")),
            settled=Decimal(paid.facts["settled"]) if "settled" in paid.facts else None,
            by=paid,
            put_by=rest.operation if rest is not None else self.deciding.parking.get(name),
        )

    def _stays(self, taking: Taking, came_in: CameIn) -> _Stays | None:
        """Why what is taken back cannot be removed, and what takes its place; None where it can be."""
        known, paid = self.deciding.known, taking.part.name
        counter = known.counter(paid)
        used = SURPLUS + paid in known.used and not taking.part.gone
        if counter is not None:
            why, whole = "", counter.facts.get("covers") == _ALL
        elif came_in.by is not None and undoing_of(known, came_in.by) is not None:
            return None
        elif taking.whole:
            why = self._why_it_stays(came_in)
            if not why and used:
                why = _USED
            whole = why == _CLOSED or used or self._is_elsewhere(came_in)
        else:
            why, whole = _REFUNDED, False
        if counter is None and (not why or self._was_refused(paid)):
            return None
        partly = not taking.whole
        amount = taking.amount if partly or whole or not came_in.paid else came_in.paid
        return _Stays(paid=paid, why=why, amount=amount, whole=whole and not partly, partly=partly)

    def _was_refused(self, paid: str) -> bool:
        """Whether Xero refused to remove a payment, and it is not to be tried again: the finding on that stays."""
        removal = self.deciding.known.removal(paid)
        return removal is not None and removal.state is State.REJECTED and not self.deciding.known.retry_refused

    def _can_undo(self, settlement: Settlement, line: SettlementLine, taken: Sequence[tuple[Taking, CameIn]]) -> bool:
        """
        Whether all that had come in can be taken back, or an invoice can take the place of what stays.

        Else nothing of *line* is done, with a finding.
        """
        deciding, known = self.deciding, self.deciding.known
        if any(taking.part.gone and self._is_elsewhere(came_in) for taking, came_in in taken):
            cause = "its payment was removed in Xero from another clearing account than the money leaves now"
            fix = "charge it back in a settlement through that account, or move the money between both by hand"
            deciding.find(line, "does not fit", cause, fix)
            return False
        for stays in filter(None, (self._stays(*each) for each in taken)):
            written = known.counter(stays.paid)
            accounts = known.accounts
            if written is not None and known.is_voided(written):
                cause = "the invoice in its payment's place was voided in Xero by somebody else; it is not made again"
                deciding.find(line, "removed in Xero", cause, "find out why, and enter it by hand if it is owed")
                return False
            if accounts.through_a_bank and accounts.charge_backs is None:
                cause = f"its payment is {stays.why} and cannot be removed, and no charge-back account was chosen"
                fix = "give charge_back_account=…"
                if stays.why != _ELSEWHERE:
                    fix += ", or remove the payment by hand"
                deciding.find(line, "payment stays", cause, fix)
                return False
            if written is None and known.open_books.day_for(settlement.on) is None:
                deciding.findings.append(known.open_books.finding(line.id, line.amount))
                return False
        return True

    def _makes_good(self, line: SettlementLine, taken: Sequence[tuple[Taking, CameIn]]) -> bool:
        """
        Whether what *line* cost in the clearing account's currency, beyond what had come in, can be posted.

        A payment that is removed leaves at the rate it came in at, and the provider took the money at another.
        """
        deciding, accounts = self.deciding, self.deciding.known.accounts
        stays = [each.why for each in (self._stays(*each) for each in taken) if each is not None]
        if stays:
            cause = f"its payment is {stays[0]}, cannot be removed, and is in another currency than the account"
            deciding.find(line, "payment stays", cause, "remove the payment in Xero by hand, then settle again")
            return False
        came_in = sum((each.settled for _, each in taken if each.settled is not None), Decimal(0))
        difference = line.moved - Money(came_in, line.moved.currency)
        if not difference:
            return True
        if accounts.exchange is None:
            cause = "it cost another amount than had come in, since the rate has changed"
            fix = "give exchange_account=… the code of an account for such differences"
            deciding.find(line, "exchange difference", cause, fix)
            return False
        deciding.differences[line.id] = difference
        return True

    def refund(self, settlement: Settlement, line: SettlementLine, transaction: Transaction) -> None:
        """Post a credit note for the part of the sale that was given back, and the money that left for it (F 6.103)."""
        deciding, known = self.deciding, self.deciding.known
        note = Pending(CreateSaleCredit.kind, line.id)
        exchange = deciding.exchange(settlement, line, line.amount.currency)
        if exchange is None:
            return
        noted = known.intent(note)
        if noted is not None and noted.state is State.CONFIRMED:
            self._finish(settlement, line, transaction, noted, exchange)
            return
        may_plan = deciding.may_plan(line, note, "posting its credit note")
        if not may_plan or deciding.waits(settlement, line, transaction):
            return
        chain, effect = deciding.follow(settlement, line, transaction)
        if isinstance(effect, Unfit):
            deciding.unfit(line, effect)
            return
        document = self._note(settlement, line, transaction)
        if document is None or document.date is None:
            return
        deciding.chains[transaction.invoice_id] = chain
        action = CreateSaleCredit(
            host_ref=line.id,
            reason=f"refunded in settlement {settlement.id}{known.open_books.reason(settlement.on)}",
            facts=_facts(settlement, line),
            credit_note=document,
            contact=deciding.contact_of(transaction),
            total=line.amount,
            after=deciding.posting(transaction.invoice_id),
        )
        deciding.actions.append(action)
        number, on = transaction.invoice_number, document.date
        self._pay_out(settlement, line, action.itself, number=number, on=on, exchange=exchange)

    def _note(self, settlement: Settlement, line: SettlementLine, transaction: Transaction) -> CreditNote | None:
        """The credit note of a refund; None, with the finding why, where there can be none."""
        deciding, known = self.deciding, self.deciding.known
        sold, day = known.sold.get(transaction.invoice_id), known.open_books.day_for(settlement.on)
        if sold is None:
            deciding.find(line, "invoice unknown", "Xero does not show its invoice", "import it again", retry=True)
            return None
        if day is None:
            deciding.findings.append(known.open_books.finding(line.id, line.amount))
            return None
        try:
            return refund_note(sold, line.amount, on=day)
        except InvalidInput:
            cause = "more was refunded than its invoice is about"
            deciding.find(line, "does not fit", cause, "refund at most what was sold, or post the rest by hand")
            return None

    def _finish(
        self, settlement: Settlement, line: SettlementLine, transaction: Transaction, noted: Intent, exchange: Exchange
    ) -> None:
        """Pay a refund whose credit note stands; what was paid must still stand, unless the library took it back."""
        deciding, known = self.deciding, self.deciding.known
        payment = Pending(Refund.kind, line.id)
        paid, day = known.intent(payment), known.open_books.day_for(settlement.on)
        if paid is not None and known.is_gone(paid) and undoing_of(known, noted) is None:
            cause = "its payment was removed in Xero by somebody else; it is not posted again"
            deciding.find(line, "removed in Xero", cause, "find out why; refund it again under a new line id")
        elif deciding.may_plan(line, payment, "paying the refund"):
            if day is None:
                deciding.findings.append(known.open_books.finding(line.id, line.amount))
                return
            note, number = CreditNoteId(noted.xero_id or ""), transaction.invoice_number
            self._pay_out(settlement, line, note, number=number, on=day, exchange=exchange)

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

    def _undo(
        self,
        settlement: Settlement,
        line: SettlementLine,
        transaction: Transaction,
        taking: Taking,
        came_in: CameIn,
        *,
        why: str,
    ) -> None:
        """Take back what had come in: remove its payment, and what was parked beside it, or put an invoice there."""
        stays, part, unparking = self._stays(taking, came_in), taking.part, None
        if came_in.parked and not (stays is not None and (stays.whole or stays.partly)):
            unparking = self._unparking(settlement, line, SURPLUS + part.name, came_in)
        if stays is not None:
            self._counter(settlement, line, transaction, stays)
        elif came_in.paid:
            first = () if unparking is None else (unparking.itself,)
            self._remove(settlement, line, part.name, came_in, gone=part.gone, why=why, after=first)
        if unparking is not None:
            self.deciding.actions.append(unparking)

    def _why_it_stays(self, came_in: CameIn) -> str:
        """Why a payment, or what was parked instead, cannot be removed; blank when it can."""
        known = self.deciding.known
        elsewhere = _ELSEWHERE if self._is_elsewhere(came_in) else ""
        if came_in.by is None:
            return elsewhere
        if not came_in.paid:
            return _CLOSED if known.open_books.is_closed(date.fromisoformat(came_in.by.facts["dated"])) else elsewhere
        payment = known.payment(came_in.by)
        if known.is_gone(came_in.by):
            return ""
        if payment is None:
            return elsewhere
        if payment.is_reconciled:
            return "reconciled"
        if payment.batch_payment_id is not None:
            return "part of a batch"
        closed = payment.date is not None and known.open_books.is_closed(payment.date)
        return _CLOSED if closed else elsewhere

    def _is_elsewhere(self, came_in: CameIn) -> bool:
        """Whether the money came into another clearing account than it leaves now: neither would end at nothing."""
        return came_in.account not in {"", self.deciding.known.accounts.clearing_id}

    def _remove(
        self,
        settlement: Settlement,
        line: SettlementLine,
        paid: str,
        came_in: CameIn,
        *,
        gone: bool,
        why: str,
        after: tuple[Pending, ...],
    ) -> None:
        """Remove the payment of line *paid*; where somebody removed it in Xero already, that is taken for it."""
        deciding = self.deciding
        facts = self._facts_back(settlement, line) | {WAS_ON: f"Invoices/{came_in.invoice}"}
        if gone and deciding.known.was_not_removed(paid):
            deciding.claimed.add(paid)
            adopted = Adopt(
                host_ref=paid,
                reason=f"{_told(line)}{why}; somebody removed its payment in Xero already",
                adopted_kind=RemovePayment.kind,
                xero_id=str(came_in.payment),
                facts=facts,
            )
            deciding.actions.append(adopted)
        elif came_in.payment is not None and deciding.may_plan(line, Pending(RemovePayment.kind, paid), "removing it"):
            action = RemovePayment(
                host_ref=paid,
                reason=f"{_told(line)}{why}",
                facts=facts,
                payment=came_in.payment,
                amount=Money(came_in.paid, line.amount.currency),
                after=after,
            )
            deciding.actions.append(action)
            deciding.open_again(came_in.invoice, came_in.paid, action.itself)

    def _counter(self, settlement: Settlement, line: SettlementLine, transaction: Transaction, stays: _Stays) -> None:
        """Put an invoice in the place of a payment that cannot be removed; its money leaves the clearing account."""
        deciding, known = self.deciding, self.deciding.known
        accounts = known.accounts
        through = accounts.charge_backs if accounts.through_a_bank else accounts.clearing
        day = known.open_books.day_for(settlement.on)
        if day is None or through is None:
            return
        amount = Money(stays.amount, line.amount.currency)
        about = self._facts_back(settlement, line) | ({"covers": _ALL} if stays.whole else {})
        about |= {"taken": str(stays.amount)} if stays.partly else {}
        facts = about | {
            "account": accounts.clearing_id,
            "effect": str(-amount.amount),
            "dated": day.isoformat(),
        }
        counter = _Counter(
            name=COUNTER + stays.paid,
            reason=f"{_told(line)}; its payment is {stays.why}, so an invoice takes its place",
            amount=amount,
            on=day,
            through=through.code or "",
            contact=deciding.contact_of(transaction),
            number=transaction.invoice_number,
            rate=settlement.rate,
            after=deciding.posting(transaction.invoice_id),
        )
        doing = "charging it back"
        sale, money = self._once_more(stays.paid)
        if deciding.may_plan(line, sale, doing):
            owed = counter.invoice(about if accounts.through_a_bank else facts, sale.revision)
            deciding.actions.append(owed)
            deciding.owe_again(transaction.id, owed.itself, amount.amount)
        if accounts.through_a_bank and deciding.may_plan(line, money, doing):
            deciding.actions.append(counter.money_out(accounts.clearing_id, facts, money.revision))

    def _once_more(self, paid: str) -> tuple[Pending, Pending]:
        """What is to be posted in the place of the payment of line *paid*: a next revision where both were undone."""
        known, name = self.deciding.known, COUNTER + paid
        sale, money = Pending(CreateSale.kind, name), Pending(MoveMoney.kind, name)
        owed, left = known.counter(paid), known.intent(money)
        # An undo that was interrupted may have taken the money back alone.
        is_older = owed is None or (
            left is not None and left.facts.get("charged_back_by") != owed.facts.get("charged_back_by")
        )
        return known.anew(sale), known.anew(money) if is_older else money

    def _unparking(
        self, settlement: Settlement, line: SettlementLine, parked: str, came_in: CameIn
    ) -> RemoveMoney | VoidCredit | None:
        """What takes back the amount that was parked under the name *parked*, where that is still to be done."""
        deciding, put_by = self.deciding, came_in.put_by
        facts, amount = self._facts_back(settlement, line), Money(came_in.parked, line.amount.currency)
        reason, doing = _told(line), "taking it back"
        written = deciding.known.intent(put_by) if put_by is not None else None
        if put_by is None or (written is not None and written.state is State.REMOVED):
            return None  # what was removed in Xero already is taken for taken back, as a payment is
        it: Ref = (written.xero_id or "") if written is not None and written.state is State.CONFIRMED else put_by
        if put_by.kind == MoveMoney.kind and deciding.may_plan(line, Pending(RemoveMoney.kind, parked), doing):
            return RemoveMoney(host_ref=parked, reason=reason, facts=facts, transaction=it, amount=amount)
        if put_by.kind != MoveMoney.kind and deciding.may_plan(line, Pending(VoidCredit.kind, parked), doing):
            return VoidCredit(host_ref=parked, reason=reason, facts=facts, credit_note=it, amount=amount)
        return None

    def _facts_back(self, settlement: Settlement, line: SettlementLine) -> dict[str, str]:
        """The facts of what takes back for *line*."""
        given = facts_given(settlement, line) | {"through": self.deciding.known.accounts.clearing_id}
        why = {} if line.reason is None else {REASON: line.reason.value}
        return given | {"transaction": line.transaction, "charged_back_by": line.id} | why


def _told(line: SettlementLine) -> str:
    """What a plan says of a charge-back: by which line, and why where that was given."""
    return f"charged back by {line.id}" + (f" ({line.reason.words})" if line.reason is not None else "")


def _anew(revision: int) -> dict[str, str]:
    """The facts of what is posted in a payment's place once more, since what was posted first was undone."""
    return dict([RESTORED, POSTED_ANEW]) if revision > 1 else {}


def _facts(settlement: Settlement, line: SettlementLine) -> dict[str, str]:
    return facts_known(line) | facts_given(settlement, line)
