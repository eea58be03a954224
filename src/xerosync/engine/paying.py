"""Paying bills: what the host paid becomes payments, alone or in batches; pure decisions, and their flow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from attrs import define, field, frozen

from xerosync.client._books import Books
from xerosync.engine.actions import BILL_PAYMENT, Action, Adopt, Pay, PayBill, Pending, RemovePayment
from xerosync.engine.batches import forgotten, in_batches, unsettled
from xerosync.engine.billing import OpenDocument
from xerosync.engine.clearing import ClearingChoice, Eligibility, clearing_choice
from xerosync.engine.intents import Intent, intent_key, retries, tag_of
from xerosync.engine.mirror import ACCOUNTS, GONE, INVOICES, PAYMENTS, refresh, walk
from xerosync.engine.observed import account_choice, invoice_paid, stamped, tagged
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.recovery import finding_for
from xerosync.engine.restoring import current_of
from xerosync.engine.states import State
from xerosync.errors import InvalidInput, Misconfigured
from xerosync.mapping.documents import check_day
from xerosync.models import Account, AccountId, Invoice, InvoiceId, Payment, PaymentStatus, TenantId
from xerosync.money import Money, exactly


@frozen(kw_only=True, repr=False)
class BillPayment:
    """
    The host's payment of a bill: *id* is the host's own for the payment, *bill_id* its id of the bill.

    *amount* is what was paid, all that is due unless given; *on* the day it was paid; *account* the code or id of the
    account it was paid from, where that is not the one bills are paid from. Raises `InvalidInput` for an amount that
    cannot be paid.
    """

    id: str
    bill_id: str
    on: date
    amount: Money | None = None
    account: str | None = None

    def __attrs_post_init__(self) -> None:
        check_day("on", self.on)
        if self.amount is not None and (self.amount.amount <= 0 or not self.amount.to_the_cent):
            raise InvalidInput("amount", "give a positive amount, to the currency's smallest coin")

    def __repr__(self) -> str:
        return f"<BillPayment {self.id}>"


@frozen(kw_only=True)
class KnownPayments:
    """
    What is known when bills are paid: bills by host id, intents by key, payments posted before, and marks found.

    *accounts* are the accounts chosen as they were named, each its id, or why it cannot pay. *in_forgotten* are the
    payments, by bill, of batches with our mark that the ledger does not know.
    """

    tenant: TenantId
    bills: Mapping[str, OpenDocument]
    intents: Mapping[str, Intent]
    payments: Mapping[str, tuple[Payment, str]]
    tagged: Mapping[str, Payment]
    in_forgotten: Mapping[str, Sequence[Payment]]
    accounts: Mapping[str | None, ClearingChoice | None]
    retry_refused: bool


Bills = Callable[[Sequence[str]], Awaitable[Sequence[OpenDocument]]]
"""Gives the bills of these host ids, those that are in Xero and known."""


async def pay_bills(
    books: Books,
    payments: Iterable[BillPayment],
    bills: Bills,
    *,
    account: str | None,
    batch: bool,
    retry_refused: bool,
) -> Plan:
    """Plan what of *payments* is not in the books yet; with *batch*, those of one account and day as one sum."""
    listed = list(payments)
    if len({payment.id for payment in listed}) != len(listed):
        raise InvalidInput("id", "give each payment once, under an id of its own")
    accounts = await _accounts(books, account, listed)
    await refresh(books, INVOICES, PAYMENTS)
    in_doubt = await unsettled(books)
    operations = [payment_operation(payment.id) for payment in listed]
    removals = [Pending(RemovePayment.kind, operation.host_ref) for operation in operations]
    intents = {**in_doubt.intents, **await current_of(books, [*operations, *removals])}
    keys = (intent_key(books.tenant, operation) for operation in operations)
    known = KnownPayments(
        tenant=books.tenant,
        bills={each.host_id: each for each in await bills([payment.bill_id for payment in listed])},
        intents=intents,
        payments=await stamped(books, PAYMENTS, Payment, filter(None, (each.xero_id for each in intents.values()))),
        tagged=await tagged(books, PAYMENTS, Payment, [tag_of(key) for key in keys if key not in intents]),
        in_forgotten=await forgotten(books) if batch else {},
        accounts=accounts,
        retry_refused=retry_refused,
    )
    actions, findings = decide_payments(listed, known)
    if batch and len(actions) > 1:
        currency = (await books.organisation()).base_currency or ""
        actions = in_batches(actions, currency=currency, alone=in_doubt.alone)
    return Plan(tenant=books.tenant, actions=tuple(actions), findings=tuple(findings))


async def _accounts(
    books: Books, account: str | None, payments: Sequence[BillPayment]
) -> dict[str | None, ClearingChoice | None]:
    """The accounts chosen. Raises `Misconfigured` where the one that all are paid from is needed, and cannot pay."""
    own = {payment.account for payment in payments if payment.account is not None}
    needs_default = not payments or any(payment.account is None for payment in payments)
    choices: dict[str | None, ClearingChoice | None] = {}
    if needs_default:
        choices[None] = await paying_account(books, account)
    elif own:
        await refresh(books, ACCOUNTS)
    if own:
        chart = [each async for _, each in walk(books, ACCOUNTS, Account)]
        found = {str(name): each for each in chart for name in (each.code, each.account_id) if name in own}
        choices |= {name: clearing_choice(found[name]) if name in found else None for name in own}
    return choices


async def paying_account(books: Books, wanted: str | None) -> ClearingChoice:
    """The account that pays bills and takes refunds. Raises `Misconfigured` where it cannot."""
    choice = await account_choice(books, wanted, setting="payment_account")
    if choice.answer is not Eligibility.ELIGIBLE:
        raise Misconfigured(f"bills cannot be paid from this account ({choice.reason}): choose another one")
    return choice


@exactly
def decide_payments(payments: Iterable[BillPayment], known: KnownPayments) -> tuple[list[Action], list[Finding]]:
    """The payments to post so that the books hold what the host paid; a bill with nothing due needs none."""
    paying = _Paying(known)
    for payment in payments:
        paying.take(payment)
    return paying.actions, paying.findings


@define
class _Paying:
    known: KnownPayments
    actions: list[Action] = field(factory=list[Action])
    findings: list[Finding] = field(factory=list[Finding])
    _due: dict[str, Decimal] = field(factory=dict[str, Decimal])
    _taken_over: set[str | None] = field(factory=set[str | None])

    def take(self, payment: BillPayment) -> None:
        known = self.known
        key = intent_key(known.tenant, payment_operation(payment.id))
        earlier, bill = known.intents.get(key), known.bills.get(payment.bill_id)
        forgotten_one = known.tagged.get(tag_of(key)) or self._in_forgotten(payment, bill)
        if earlier is None and forgotten_one is not None:
            self._taken_over.add(forgotten_one.payment_id)
            self.actions.append(_adopted(payment, forgotten_one))
        elif earlier is not None and earlier.state is State.CONFIRMED:
            self.findings += _changed(payment, earlier) or _removed(payment, earlier, known)
        elif earlier is not None and not retries(
            earlier, (bill.seen,) if bill is not None else (), always=known.retry_refused
        ):
            self.findings += filter(None, [finding_for(earlier)])
        else:
            self._pay(payment, bill)

    def _in_forgotten(self, payment: BillPayment, bill: OpenDocument | None) -> Payment | None:
        """The payment of that bill, day and amount in a batch of ours that the ledger does not know."""
        paid = self.known.in_forgotten.get(bill.seen.document_id, ()) if bill is not None else ()
        return next(
            (
                each
                for each in paid
                if each.date == payment.on
                and each.payment_id not in self._taken_over
                and (payment.amount is None or payment.amount.amount == each.amount)
            ),
            None,
        )

    def _pay(self, payment: BillPayment, bill: OpenDocument | None) -> None:
        if bill is None or not isinstance(bill.document, Invoice):
            cause, fix = "the library knows no such bill", "submit the bill, or bring it back from Xero, first"
            self._find(payment, "not created here", cause, fix, retry=True)
            return
        choice = self.known.accounts.get(payment.account)
        if choice is None or choice.answer is not Eligibility.ELIGIBLE:
            cause = choice.reason if choice is not None else "the organisation has no such account"
            self._find(payment, "account cannot pay", cause, "choose another account for the payment")
            return
        invoice = bill.document
        left = self._due.setdefault(payment.bill_id, bill.left)
        amount = Money(left, invoice.currency_code or "XXX") if payment.amount is None else payment.amount
        if amount.currency != invoice.currency_code or amount.amount > left or invoice.status in GONE:
            cause = f"the bill is {invoice.status}, and less is due than was paid, or in another currency"
            fix = "look at the bill in Xero: was it paid, credited or edited there?"
            self._find(payment, "does not fit", cause, fix, worth=amount)
        elif amount:
            self._due[payment.bill_id] = left - amount.amount
            action = PayBill(
                host_ref=payment.id,
                reason="paid by the host",
                seen=(bill.seen,),
                facts={"bill": payment.bill_id},
                invoice=invoice.invoice_id or InvoiceId(""),
                account=choice.account.account_id or AccountId(""),
                amount=amount,
                on=payment.on,
                reference=invoice.invoice_number or "",
            )
            self.actions.append(action)

    def _find(
        self,
        payment: BillPayment,
        code: str,
        cause: str,
        fix: str,
        *,
        retry: bool = False,
        worth: Money | None = None,
    ) -> None:
        worth = payment.amount if worth is None else worth
        self.findings.append(Finding(code=code, about=payment.id, cause=cause, fix=fix, retry=retry, worth=worth))


def payment_operation(payment_id: str) -> Pending:
    """The operation of a bill's payment, as `PayBill.itself` names it."""
    return Pending(Pay.kind, f"{BILL_PAYMENT}{payment_id}")


def _adopted(payment: BillPayment, posted: Payment) -> Adopt:
    return Adopt(
        host_ref=payment_operation(payment.id).host_ref,
        reason="its mark is in Xero already",
        adopted_kind=Pay.kind,
        xero_id=posted.payment_id or "",
        payload={"Amount": str(posted.amount), "Invoice": invoice_paid(posted)},
        facts={"bill": payment.bill_id},
    )


def _changed(payment: BillPayment, intent: Intent) -> list[Finding]:
    posted = Decimal(str(intent.payload["Amount"]))
    if intent.facts.get("bill") == payment.bill_id and (payment.amount is None or payment.amount.amount == posted):
        return []
    cause = "under this id another payment was posted before: of another bill or amount"
    fix = "give every payment an id of its own, never one used before"
    return [Finding(code="changed since posted", about=payment.id, cause=cause, fix=fix, worth=payment.amount)]


def _removed(payment: BillPayment, intent: Intent, known: KnownPayments) -> list[Finding]:
    posted, _ = known.payments.get(intent.xero_id or "", (None, ""))
    undone = intent_key(known.tenant, Pending(RemovePayment.kind, intent.operation.host_ref)) in known.intents
    if posted is None or posted.status != PaymentStatus.DELETED or undone:
        return []
    cause = "it was removed in Xero by somebody else; it is not posted again"
    fix = "find out why; to post it again, submit it under a new id"
    return [Finding(code="removed in Xero", about=payment.id, cause=cause, fix=fix, worth=payment.amount)]
