"""What a settlement cost and what was paid out of it: fees, reserve, adjustments, and the payout to the bank."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, cast

from attrs import define, evolve, field, frozen

from xerosync.engine.actions import Action, Adopt, CreateBill, MoveMoney, Pay, Pending, Ref, Transfer
from xerosync.engine.given_again import CHANGED
from xerosync.engine.intents import Intent, intent_key, retries, tag_of, text_at
from xerosync.engine.outcomes import finding_for
from xerosync.engine.plans import Finding
from xerosync.engine.restoring import RESTORED
from xerosync.engine.settlement_books import UNFIT, UNFIT_FIX, Deciding, SettlementAccounts
from xerosync.engine.settling_policies import FeesAs, OpenBooks
from xerosync.engine.states import OPEN, State
from xerosync.engine.vendors import Vendors
from xerosync.errors import Misconfigured
from xerosync.mapping.banking import Movement, deductions, fee_bill, money_moved
from xerosync.mapping.settlement import Settlement, is_more_than_lines
from xerosync.models import AccountId, InvoiceId, TenantId
from xerosync.money import Money, exactly

FEES: Final = "fees/"
"""What the name of an operation begins with that posts a settlement's fees."""
PAYOUT: Final = "payout/"
"""What the name of an operation begins with that posts a settlement's payout."""
COSTS: Final = (
    (MoveMoney.kind, FEES),
    (CreateBill.kind, FEES),
    (Pay.kind, FEES),
    (Transfer.kind, PAYOUT),
    (MoveMoney.kind, PAYOUT),
)
"""The kinds of action that post fees and payouts, each with what the names of those operations begin with."""
PORTIONS: Final = "portions"
"""The fact that names the lines of a settlement which were posted in others before, that were lines alone."""
PAYS_PORTIONS: Final = ("pays", "portions")
"""What a cost or a payout is found by that has them."""
HELD: Final = "payout held"
"""The code of a finding on a payout that waits for lines of its settlement."""
_HELD_FIX: Final = "see what is found about those lines: it is posted by itself once they stand"
FOLLOWED: Final = ("followed", "yes")
"""The fact that people edited it in Xero, and that it is on record as it was followed."""
_AS_POSTED: Final = "give the settlement as it was posted, or correct what was posted in Xero by hand"
_AS_FOLLOWED: Final = "give the settlement as it was followed, or correct that in Xero by hand"
_WHAT: Final[Mapping[str, str]] = {FEES: "fees", PAYOUT: "a payout"}
_SHOWN: Final = 3
"""How many lines a held payout names."""
_DIFFERENCE: Final = "Exchange difference on charge-backs"


@frozen(kw_only=True)
class KnownPayouts:
    """
    What is known when payouts are decided on: intents by key, documents by our mark on them, and which of what was
    written is *gone* from Xero, or *undone* by the library. *decided* is what became of the settlements' lines.
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
    decided: Deciding

    def of(self, settlement: Settlement) -> KnownPayouts:
        """The same, with the accounts that *settlement* goes through."""
        return evolve(self, accounts=self.decided.known.of(settlement).accounts)

    def intent(self, operation: Pending) -> Intent | None:
        """What is known of *operation*."""
        return self.intents.get(intent_key(self.tenant, operation))

    def may_stand(self, intent: Intent) -> bool:
        """Whether what *intent* wrote is in Xero, or may come to be."""
        return intent.state is not State.REJECTED and (intent.state is not State.CONFIRMED or self.stands(intent))

    def stands(self, intent: Intent) -> bool:
        """Whether what *intent* wrote is in Xero."""
        return intent.state is State.CONFIRMED and intent.xero_id not in self.gone | self.undone


@frozen(kw_only=True, repr=False)
class CostFinding(Finding):
    """A finding on a settlement: *part* is `FEES` or `PAYOUT`, blank for one on a line."""

    part: str

    def is_behind(self, root: str) -> bool:
        """As `Finding.is_behind`; a line may be called as a settlement is."""
        return super().is_behind(root) and not self.part


class ProviderWanted(Exception):
    """Something is to be posted with the provider's contact, which is still to be looked for."""


def operations(settlement: str) -> tuple[Pending, ...]:
    """Every operation that may post the fees and the payout of a *settlement*, by its id, whatever the accounts."""
    return tuple(Pending(kind, part + settlement) for kind, part in COSTS)


def portions_in(costs: Iterable[Intent | Action]) -> frozenset[str]:
    """The lines that *costs* of a settlement were posted with, and that had been posted in others before."""
    return frozenset(name for each in costs for name in cast(list[str], json.loads(each.facts.get(PORTIONS, "[]"))))


def exchange_of(settlement: Settlement, differences: Mapping[str, Money]) -> Money | None:
    """What the lines of *settlement* cost beyond what had come in; None where that is nothing."""
    found = [differences[line.id] for line in settlement.lines if line.id in differences]
    total = Money.total(found, found[0].currency) if found else None
    return total or None


@exactly
def decide_payouts(
    settlements: Sequence[Settlement], known: KnownPayouts, vendors: Vendors | None
) -> tuple[list[Action], list[Finding]]:
    """
    What to post of the fees, adjustments and payouts of *settlements*, so that the clearing account holds what is in
    flight.

    Raises `Misconfigured`, naming the setting, where an account or the provider's name is missing for it, and
    `ProviderWanted` where something is to be posted and nothing is known of *vendors*.
    """
    deciding = _Payouts(known, vendors)
    for settlement in settlements:
        deciding.settle(settlement)
    return deciding.actions, deciding.findings


@define
class _Payouts:
    known: KnownPayouts
    vendors: Vendors | None
    actions: list[Action] = field(factory=list[Action])
    findings: list[Finding] = field(factory=list[Finding])

    def settle(self, settlement: Settlement) -> None:
        known = self.known = self.known.of(settlement)
        accounts = known.accounts
        if is_more_than_lines(settlement) and settlement.proof.net.currency != accounts.currency:
            cause = f"it is not in {accounts.currency}, which the clearing account is kept in"
            fix = "settle it through an account in its currency, or give what it made there"
            self._find(settlement, PAYOUT, "another currency", cause, fix, worth=settlement.proof.net)
            return
        moved = deductions(settlement, fee_account=accounts.fees, reserve_account=accounts.reserve)
        difference = exchange_of(settlement, known.decided.differences)
        if difference:
            moved.append(Movement(amount=difference, description=_DIFFERENCE, account=accounts.exchange or ""))
        if any(not each.account for each in moved):
            raise Misconfigured("the settlement has fees: give fee_account=… the code of an expense account")
        if moved and accounts.fees_as is FeesAs.SPEND_MONEY:
            self._spend(settlement, moved)
        elif moved and accounts.fees_as is FeesAs.BILL:
            self._bill(settlement, moved)
        elif not moved:
            self._without(settlement, FEES)
        if settlement.paid_out_on is None:
            self._without(settlement, PAYOUT)
        elif accounts.through_a_bank:
            self._transfer(settlement, settlement.paid_out_on)
        else:
            netted = moved if accounts.fees_as is FeesAs.NETTED else []
            self._received(settlement, netted, settlement.paid_out_on)

    def _without(self, settlement: Settlement, part: str) -> bool:
        """Whether fees, or a payout, stand that *settlement* is given without: that is a finding."""
        for operation in operations(settlement.id):
            posted = self.known.intent(operation) if operation.host_ref.startswith(part) else None
            if posted is None or not self.known.stands(posted) or operation.kind == CreateBill.kind:
                continue
            then = _moved_by(posted, self.known.accounts.currency)
            cause = f"{_came(posted)} {_WHAT[part]} of {then} on {posted.facts.get('on')}, and is given without"
            self._find(settlement, part, CHANGED, cause, _fix(posted), worth=then)
            return True
        return False

    def _spend(self, settlement: Settlement, moved: Sequence[Movement]) -> None:
        total = _total(moved)
        if not total:
            cause = "its fees and what else changed its net make nothing, and Xero takes no bank transaction of nothing"
            if not self._without(settlement, FEES):
                fix = "enter them by hand, as a journal"
                self._find(settlement, FEES, "cannot be posted", cause, fix, worth=total)
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
            if not self._without(settlement, FEES):
                cause = "its fees were given back, and a bill of less than nothing cannot be paid"
                self._find(
                    settlement, FEES, "cannot be posted", cause, self._instead_of_a_bill(settlement), worth=total
                )
            return
        found = len(self.findings)
        billed = self.known.intent(Pending(CreateBill.kind, name))
        bill: Ref | None = billed.xero_id if billed is not None and self.known.stands(billed) else None
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
        if bill is None or len(self.findings) > found:
            return
        payment = self._payment_of(bill, name)
        paid = self._wanted(settlement, payment, settlement.on, -total)
        if paid is None:
            return
        facts = self._facts(settlement, settlement.on, -total)
        self.actions.append(
            Pay(
                host_ref=name,
                revision=payment.revision,
                reason=reason,
                facts=facts if payment.revision == 1 else facts | dict([RESTORED]),
                invoice=bill if isinstance(bill, Pending) else InvoiceId(bill),
                account=self.known.accounts.clearing_id,
                amount=total,
                on=paid,
                reference=f"Fees {settlement.id}",
                rate=settlement.rate,
            )
        )

    def _payment_of(self, bill: Ref, name: str) -> Pending:
        """The operation that pays *bill*: its next revision where that took the place of one that people removed."""
        first = Pending(Pay.kind, name)
        before = self.known.intent(first)
        paid = text_at(before.payload, "Invoice", "InvoiceID") if before is not None else ""
        if before is None or paid in {"", bill} or isinstance(bill, Pending) or self.known.may_stand(before):
            return first
        return evolve(first, revision=before.operation.revision + 1)

    def _instead_of_a_bill(self, settlement: Settlement) -> str:
        """How the fees of *settlement* can be posted that no bill can be of."""
        if self.known.accounts.through_a_bank:
            return "post them as spend money, or by hand"
        paid_out = self.known.intent(Pending(MoveMoney.kind, PAYOUT + settlement.id))
        stands = paid_out is not None and self.known.stands(paid_out)
        return "post them by hand" if stands else "post them with the payout, netted, or by hand"

    def _transfer(self, settlement: Settlement, on: date) -> None:
        net = settlement.proof.net
        if not net:
            self._without(settlement, PAYOUT)
            return
        typed = self.known.intent(Pending(MoveMoney.kind, PAYOUT + settlement.id))
        if typed is not None and self.known.stands(typed):
            # Somebody typed it as money spent, and it was taken over: a transfer would be a second payout.
            self._check(settlement, PAYOUT, typed, on, -net, net=net)
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
                after=self._lines(settlement),
            )
        )

    def _received(self, settlement: Settlement, netted: Sequence[Movement], on: date) -> None:
        """The payout as a bank transaction with a line on the clearing account, which is no bank account (F 6.133)."""
        net = settlement.proof.net
        cleared = net if not netted else net + _total(netted)
        if not net:
            if not self._without(settlement, PAYOUT) and cleared:
                cause = "its net is nothing, and Xero takes no bank transaction of nothing"
                fix = "post its fees with fees_as=FeesAs.BILL"
                self._find(settlement, PAYOUT, "cannot be posted", cause, fix, worth=net)
            return
        day = self._wanted(settlement, Pending(MoveMoney.kind, PAYOUT + settlement.id), on, -cleared, net=net)
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
                facts=self._facts(settlement, on, -cleared) | {"net": str(net.amount)},
                transaction=money_moved(lines, bank_account=self._bank(), on=day, reference=f"Payout {settlement.id}"),
                contact=contact,
                total=net,
                after=self._lines(settlement),
            )
        )

    def _lines(self, settlement: Settlement) -> tuple[Pending, ...]:
        """What this plan posts of the lines of *settlement*: a payout holds no money that did not come in."""
        planned = self.known.decided.planned
        return tuple(dict.fromkeys(one for line in settlement.lines for one in planned.get(line.id, ())))

    def _wanted(
        self, settlement: Settlement, operation: Pending, on: date, effect: Money, *, net: Money | None = None
    ) -> date | None:
        """The day *operation* is to be posted on; None where it is posted, or must wait for a person."""
        part = FEES if operation.host_ref.startswith(FEES) else PAYOUT
        key = intent_key(self.known.tenant, operation)
        intent, marked = self.known.intents.get(key), self.known.marked.get(tag_of(key))
        if intent is not None and not retries(intent, (), always=self.known.retry_refused):
            self._check(settlement, part, intent, on, effect, net=net)
            return None
        if intent is None and marked is not None:
            self.actions.append(
                Adopt(
                    host_ref=operation.host_ref,
                    reason="its mark is in Xero already",
                    adopted_kind=operation.kind,
                    xero_id=marked,
                    facts=self._facts(settlement, on, effect) | ({} if net is None else {"net": str(net.amount)}),
                )
            )
            return None
        if self.known.accounts.unfit:
            self._find(settlement, part, UNFIT, self.known.accounts.unfit, UNFIT_FIX, worth=effect)
            return None
        if part == PAYOUT and (waiting := self._waiting(settlement)):
            shown = ", ".join(waiting[:_SHOWN]) + (f" and {len(waiting) - _SHOWN:,} more" if waiting[_SHOWN:] else "")
            cause = f"lines of its settlement do not stand in the books as they are given: {shown}"
            retry = self._may_come(waiting)
            self._find(settlement, part, HELD, cause, _HELD_FIX, worth=effect, retry=retry, root=waiting[0])
            return None
        day = self.known.open_books.day_for(on)
        if day is None:
            closed = self.known.open_books.finding(settlement.id, effect)
            self._find(
                settlement, part, closed.code, closed.cause, closed.fix, worth=effect, retry=True, who=closed.who
            )
        return day

    def _may_come(self, waiting: Sequence[str]) -> bool:
        """Whether the lines *waiting* may come to stand by themselves, none of them being left to a person."""
        found = self.known.decided.findings
        may_come = {each.about for each in found if each.retry} - {each.about for each in found if not each.retry}
        return may_come.issuperset(waiting)

    def _waiting(self, settlement: Settlement) -> list[str]:
        """The lines of *settlement* that do not stand in the books, and those that it is given without."""
        decided = self.known.decided
        lines = [line.id for line in settlement.lines if line.id in decided.waiting]
        return [*lines, *decided.missing.get(settlement.id, ())]

    def _check(
        self, settlement: Settlement, part: str, intent: Intent, on: date, effect: Money, *, net: Money | None
    ) -> None:
        """What was posted before must be what the settlement says, and must still stand."""
        said = Decimal(intent.facts.get("effect") or intent.facts.get("amount") or "0")
        paid = intent.facts.get("net")
        if intent.state in OPEN:
            cause = "an earlier run was interrupted while posting its fees or its payout"
            self._find(settlement, part, "still open", cause, "call recover()", worth=effect, retry=True)
        elif intent.state is not State.CONFIRMED:
            self.findings += filter(None, [finding_for(intent)])
        elif (
            said != effect.amount
            or intent.facts.get("on") != on.isoformat()
            or (net is not None and paid is not None and Decimal(paid) != net.amount)
        ):
            then = _moved_by(intent, effect.currency)
            now = net if net is not None and paid is not None else _out(intent, effect)
            cause = f"{_came(intent)} {_WHAT[part]} of {then} on {intent.facts.get('on')}"
            if then == now and intent.facts.get("on") == on.isoformat():
                taken = Money(-said, effect.currency)
                cause += f" that took {taken} out of the clearing account, and is given with one that takes {-effect}"
            else:
                cause += f", and is given with {now} on {on.isoformat()}"
            self._find(settlement, part, CHANGED, cause, _fix(intent), worth=effect)
        elif intent.xero_id in self.known.gone:
            cause = "its fees or its payout were removed in Xero by somebody else; they are not posted again"
            self._find(settlement, part, "removed in Xero", cause, "find out why, and enter them by hand", worth=effect)

    def _provider(self) -> Ref | None:
        if not self.known.provider.strip():
            raise Misconfigured("fees and payouts have a contact: give provider=… the name of who pays out")
        if self.vendors is None:
            raise ProviderWanted
        return self.vendors.contact(self.known.provider)

    def _bank(self) -> AccountId:
        bank = self.known.accounts.bank
        if bank is None or bank.account_id is None:
            raise Misconfigured("the settlement was paid out: give bank_account=… its code or id")
        return bank.account_id

    def _facts(self, settlement: Settlement, on: date, effect: Money) -> dict[str, str]:
        portions = self.known.decided.known.before.in_portions(settlement)
        return ({PORTIONS: json.dumps(portions)} | dict([PAYS_PORTIONS]) if portions else {}) | {
            "settlement": settlement.id,
            "on": on.isoformat(),
            "account": self.known.accounts.clearing_id,
            "effect": str(effect.amount),
            "dated": (self.known.open_books.day_for(on) or on).isoformat(),
        }

    def _find(
        self,
        settlement: Settlement,
        part: str,
        code: str,
        cause: str,
        fix: str,
        *,
        worth: Money,
        retry: bool = False,
        who: str = "you",
        root: str = "",
    ) -> None:
        found = CostFinding(part=part, code=code, about=settlement.id, cause=cause, fix=fix, worth=worth, root=root)
        self.findings.append(evolve(found, retry=retry, who=who))


def _came(intent: Intent) -> str:
    return "it was edited in Xero, and followed, to" if FOLLOWED[0] in intent.facts else "it was posted with"


def _fix(intent: Intent) -> str:
    return _AS_FOLLOWED if FOLLOWED[0] in intent.facts else _AS_POSTED


def _total(moved: Sequence[Movement]) -> Money:
    return Money.total((each.amount for each in moved), moved[0].amount.currency)


def _moved_by(intent: Intent, currency: str) -> Money:
    """The fees or the net that *intent* posted."""
    paid = intent.facts.get("net")
    said = intent.facts.get("effect") or intent.facts.get("amount") or "0"
    return Money(Decimal(paid), currency) if paid is not None else _out(intent, Money(Decimal(said), currency))


def _out(intent: Intent, effect: Money) -> Money:
    """What left the clearing account by an *effect* on it; a bill has none of its own."""
    return effect if intent.operation.kind == CreateBill.kind else -effect
