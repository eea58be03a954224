"""What a settlement cost and what was paid out of it: fees, reserve, adjustments, and the payout to the bank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from attrs import define, field, frozen

from xerosync.engine.actions import Action, Adopt, CreateBill, MoveMoney, Pay, Pending, Ref, Transfer
from xerosync.engine.intents import Intent, intent_key, retries, tag_of
from xerosync.engine.plans import Finding
from xerosync.engine.recovery import finding_for
from xerosync.engine.settlement_books import SettlementAccounts
from xerosync.engine.settling_policies import FeesAs, OpenBooks
from xerosync.engine.states import OPEN, State
from xerosync.engine.vendors import Vendors
from xerosync.errors import Misconfigured
from xerosync.mapping.banking import Movement, deductions, fee_bill, money_moved
from xerosync.mapping.settlement import Settlement
from xerosync.models import AccountId, InvoiceId, TenantId
from xerosync.money import Money, exactly

FEES: Final = "fees/"
"""What the name of an operation begins with that posts a settlement's fees."""
PAYOUT: Final = "payout/"
"""What the name of an operation begins with that posts a settlement's payout."""
_DIFFERENCE: Final = "Exchange difference on charge-backs"


@frozen(kw_only=True)
class KnownPayouts:
    """
    What is known when payouts are decided on: intents by key, documents by our mark on them, and which of what was
    written is *gone* from Xero, or was *undone* by us. *differences* of rates are by line.
    """

    tenant: TenantId
    accounts: SettlementAccounts
    open_books: OpenBooks
    provider: str
    intents: Mapping[str, Intent]
    marked: Mapping[str, str]
    gone: frozenset[str]
    undone: frozenset[str]
    retry_refused: bool
    differences: Mapping[str, Money] = field(factory=dict[str, Money])


def operations(settlement: Settlement) -> tuple[Pending, ...]:
    """Every operation that may post *settlement*'s fees and payout, whatever the accounts."""
    return (
        Pending(MoveMoney.kind, FEES + settlement.id),
        Pending(CreateBill.kind, FEES + settlement.id),
        Pending(Pay.kind, FEES + settlement.id),
        Pending(Transfer.kind, PAYOUT + settlement.id),
        Pending(MoveMoney.kind, PAYOUT + settlement.id),
    )


def exchange_of(settlement: Settlement, differences: Mapping[str, Money]) -> Money | None:
    """What the lines of *settlement* cost beyond what had come in; None where that is nothing."""
    found = [differences[line.id] for line in settlement.lines if line.id in differences]
    total = Money.total(found, found[0].currency) if found else None
    return total or None


@exactly
def decide_payouts(
    settlements: Sequence[Settlement], known: KnownPayouts, vendors: Vendors
) -> tuple[list[Action], list[Finding]]:
    """
    What to post of the fees, adjustments and payouts of *settlements*, so that the clearing account holds what is in
    flight.

    Raises `Misconfigured`, naming the setting, where an account or the provider's name is missing for it.
    """
    deciding = _Payouts(known, vendors)
    for settlement in settlements:
        deciding.settle(settlement)
    return deciding.actions, deciding.findings


@define
class _Payouts:
    known: KnownPayouts
    vendors: Vendors
    actions: list[Action] = field(factory=list[Action])
    findings: list[Finding] = field(factory=list[Finding])

    def settle(self, settlement: Settlement) -> None:
        accounts = self.known.accounts
        if settlement.proof.net.currency != accounts.currency:
            cause = f"it is not in {accounts.currency}, which the clearing account is kept in"
            fix = "settle it through an account in its currency, or give what it made there"
            self._find(settlement, "another currency", cause, fix, settlement.proof.net)
            return
        moved = deductions(settlement, fee_account=accounts.fees, reserve_account=accounts.reserve)
        difference = exchange_of(settlement, self.known.differences)
        if difference:
            moved.append(Movement(amount=difference, description=_DIFFERENCE, account=accounts.exchange or ""))
        if any(not each.account for each in moved):
            raise Misconfigured("the settlement has fees: give fee_account=… the code of an expense account")
        if moved and accounts.fees_as is FeesAs.SPEND_MONEY:
            self._spend(settlement, moved)
        elif moved and accounts.fees_as is FeesAs.BILL:
            self._bill(settlement, moved)
        if settlement.paid_out_on is None:
            return
        if accounts.through_a_bank:
            self._transfer(settlement, settlement.paid_out_on)
        else:
            netted = moved if accounts.fees_as is FeesAs.NETTED else []
            self._received(settlement, netted, settlement.paid_out_on)

    def _spend(self, settlement: Settlement, moved: Sequence[Movement]) -> None:
        total = _total(moved)
        if not total:
            cause = "its fees and what else changed its net make nothing, and Xero takes no bank transaction of nothing"
            self._find(settlement, "cannot be posted", cause, "enter them by hand, as a journal", total)
            return
        planned = self._wanted(settlement, Pending(MoveMoney.kind, FEES + settlement.id), settlement.on, -total)
        contact = self._provider() if planned is not None else None
        if planned is None or contact is None:
            return
        document = money_moved(
            moved,
            bank_account=self.known.accounts.clearing_id,
            on=planned,
            reference=f"Fees {settlement.id}",
            rate=settlement.rate,
        )
        self.actions.append(
            MoveMoney(
                host_ref=FEES + settlement.id,
                reason=f"fees of settlement {settlement.id}{self.known.open_books.reason(settlement.on)}",
                facts=self._facts(settlement, settlement.on, -total),
                transaction=document,
                contact=contact,
                total=-total,
            )
        )

    def _bill(self, settlement: Settlement, moved: Sequence[Movement]) -> None:
        """A bill of the provider, and its payment out of the clearing account."""
        total = _total(moved)
        name = FEES + settlement.id
        if total.amount <= 0:
            cause = "its fees were given back, and a bill of less than nothing cannot be paid"
            self._find(settlement, "cannot be posted", cause, "post them as spend money, or by hand", total)
            return
        billed = self.known.intents.get(intent_key(self.known.tenant, Pending(CreateBill.kind, name)))
        stands = billed is not None and billed.state is State.CONFIRMED and not self._went(billed)
        bill: Ref | None = billed.xero_id if billed is not None and stands else None
        reason = f"fees of settlement {settlement.id}{self.known.open_books.reason(settlement.on)}"
        day = self._wanted(settlement, Pending(CreateBill.kind, name), settlement.on, total)
        contact = self._provider() if day is not None else None
        if day is not None and contact is not None:
            action = CreateBill(
                host_ref=name,
                reason=reason,
                facts={"settlement": settlement.id, "amount": str(total.amount), "on": settlement.on.isoformat()},
                invoice=fee_bill(moved, number=settlement.id, on=day, rate=settlement.rate),
                contact=contact,
                total=total,
            )
            self.actions.append(action)
            bill = action.itself
        paid = self._wanted(settlement, Pending(Pay.kind, name), settlement.on, -total) if bill is not None else None
        if bill is None or paid is None:
            return
        self.actions.append(
            Pay(
                host_ref=name,
                reason=reason,
                facts=self._facts(settlement, settlement.on, -total),
                invoice=bill if isinstance(bill, Pending) else InvoiceId(bill),
                account=self.known.accounts.clearing_id,
                amount=total,
                on=paid,
                reference=f"Fees {settlement.id}",
                rate=settlement.rate,
            )
        )

    def _transfer(self, settlement: Settlement, on: date) -> None:
        net = settlement.proof.net
        if not net:
            return
        day = self._wanted(settlement, Pending(Transfer.kind, PAYOUT + settlement.id), on, -net)
        if day is None:
            return
        clearing, bank = self.known.accounts.clearing_id, self._bank()
        source, target = (clearing, bank) if net.amount > 0 else (bank, clearing)
        self.actions.append(
            Transfer(
                host_ref=PAYOUT + settlement.id,
                reason=f"payout of settlement {settlement.id}{self.known.open_books.reason(on)}",
                facts=self._facts(settlement, on, -net),
                source=source,
                target=target,
                amount=abs(net),
                on=day,
                reference=f"Payout {settlement.id}",
            )
        )

    def _received(self, settlement: Settlement, netted: Sequence[Movement], on: date) -> None:
        """The payout as a bank transaction with a line on the clearing account, which is no bank account (F 6.133)."""
        net = settlement.proof.net
        cleared = net if not netted else net + _total(netted)
        if not net:
            if cleared:
                cause = "its net is nothing, and Xero takes no bank transaction of nothing"
                self._find(settlement, "cannot be posted", cause, "post its fees with fees_as=FeesAs.BILL", net)
            return
        day = self._wanted(settlement, Pending(MoveMoney.kind, PAYOUT + settlement.id), on, -cleared)
        contact = self._provider() if day is not None else None
        if day is None or contact is None:
            return
        code = self.known.accounts.clearing.code or ""
        out = Movement(amount=-cleared, description=f"Payout {settlement.id}", account=code)
        lines = [out, *netted] if cleared else list(netted)
        self.actions.append(
            MoveMoney(
                host_ref=PAYOUT + settlement.id,
                reason=f"payout of settlement {settlement.id}{self.known.open_books.reason(on)}",
                facts=self._facts(settlement, on, -cleared),
                transaction=money_moved(lines, bank_account=self._bank(), on=day, reference=f"Payout {settlement.id}"),
                contact=contact,
                total=net,
            )
        )

    def _wanted(self, settlement: Settlement, operation: Pending, on: date, effect: Money) -> date | None:
        """The day *operation* is to be posted on; None where it is posted, or must wait for a person."""
        key = intent_key(self.known.tenant, operation)
        intent, marked = self.known.intents.get(key), self.known.marked.get(tag_of(key))
        if intent is not None and not retries(intent, (), always=self.known.retry_refused):
            self._check(settlement, intent, on, effect)
            return None
        if intent is None and marked is not None:
            self.actions.append(
                Adopt(
                    host_ref=operation.host_ref,
                    reason="its mark is in Xero already",
                    adopted_kind=operation.kind,
                    xero_id=marked,
                    facts=self._facts(settlement, on, effect),
                )
            )
            return None
        day = self.known.open_books.day_for(on)
        if day is None:
            self.findings.append(self.known.open_books.finding(settlement.id, effect))
        return day

    def _check(self, settlement: Settlement, intent: Intent, on: date, effect: Money) -> None:
        """What was posted before must be what the settlement says, and must still stand."""
        said = Decimal(intent.facts.get("effect") or intent.facts.get("amount") or "0")
        if intent.state in OPEN:
            cause = "an earlier run was interrupted while posting its fees or its payout"
            self._find(settlement, "still open", cause, "call recover()", effect, retry=True)
        elif intent.state is not State.CONFIRMED:
            self.findings += filter(None, [finding_for(intent)])
        elif said != effect.amount or intent.facts.get("on") != on.isoformat():
            cause = "its fees or its payout were posted before with another amount or day"
            self._find(settlement, "changed since posted", cause, "correct what was posted in Xero by hand", effect)
        elif intent.xero_id in self.known.gone:
            cause = "its fees or its payout were removed in Xero by somebody else; they are not posted again"
            self._find(settlement, "removed in Xero", cause, "find out why, and enter them by hand", effect)

    def _went(self, intent: Intent) -> bool:
        """Whether what *intent* wrote stands in Xero no more, whoever took it back."""
        return intent.xero_id in self.known.gone | self.known.undone

    def _provider(self) -> Ref | None:
        if not self.known.provider.strip():
            raise Misconfigured("fees and payouts have a contact: give provider=… the name of who pays out")
        return self.vendors.contact(self.known.provider)

    def _bank(self) -> AccountId:
        bank = self.known.accounts.bank
        if bank is None or bank.account_id is None:
            raise Misconfigured("the settlement was paid out: give bank_account=… its code or id")
        return bank.account_id

    def _facts(self, settlement: Settlement, on: date, effect: Money) -> dict[str, str]:
        return {
            "settlement": settlement.id,
            "on": on.isoformat(),
            "account": self.known.accounts.clearing_id,
            "effect": str(effect.amount),
            "dated": (self.known.open_books.day_for(on) or on).isoformat(),
        }

    def _find(
        self, settlement: Settlement, code: str, cause: str, fix: str, worth: Money, *, retry: bool = False
    ) -> None:
        self.findings.append(Finding(code=code, about=settlement.id, cause=cause, fix=fix, retry=retry, worth=worth))


def _total(moved: Sequence[Movement]) -> Money:
    return Money.total((each.amount for each in moved), moved[0].amount.currency)
