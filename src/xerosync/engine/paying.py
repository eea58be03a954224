"""What the host paid becomes payments of bills, alone or in batches, or refunds of credit notes to customers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, TypeAlias, TypeVar

from attrs import define, field, frozen

from xerosync.arguments import fields_checked
from xerosync.client._books import Books
from xerosync.engine.actions import (
    BILL_PAYMENT,
    SALE,
    Action,
    Adopt,
    Pay,
    PayBill,
    Pending,
    Refund,
    RemovePayment,
    Seen,
)
from xerosync.engine.batches import Forgotten, forgotten_batches, in_batches, unsettled
from xerosync.engine.billing import OpenDocument
from xerosync.engine.clearing import ClearingChoice, Eligibility, clearing_choice
from xerosync.engine.exchange import Exchange, currency_of, exchanged
from xerosync.engine.intents import Intent, intent_key, retries, tag_of
from xerosync.engine.mirror import (
    ACCOUNTS,
    CREDIT_NOTES,
    GONE,
    INVOICES,
    OVERPAYMENTS,
    PAYMENTS,
    Shelf,
    refresh,
    walk,
)
from xerosync.engine.observed import account_choice, invoice_paid, stamped, tagged
from xerosync.engine.once import each_once, sifted
from xerosync.engine.outcomes import finding_for
from xerosync.engine.paper_actions import (
    RefundParked,
    RefundSaleCredit,
)
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.posted import UNAPPROVED
from xerosync.engine.restoring import being_taken_back, current_of
from xerosync.engine.states import State
from xerosync.errors import InvalidInput, Misconfigured
from xerosync.mapping.documents import check_day, check_written_day
from xerosync.models import (
    Account,
    AccountId,
    CreditNote,
    CreditNoteId,
    DocumentStatus,
    Invoice,
    InvoiceId,
    Overpayment,
    OverpaymentId,
    Payment,
    PaymentStatus,
    PaymentType,
    TenantId,
)
from xerosync.money import Money, exactly
from xerosync.texts import check_id, check_text, plain_id


@frozen(kw_only=True, repr=False, field_transformer=fields_checked)
class HostPayment:
    """What the payment of a bill and the refund of a credit note have in common; `of` names what was paid."""

    id: str
    on: date
    amount: Money | None = None
    account: str | None = None
    paid: Money | None = None
    rate: Decimal | None = None

    def __attrs_post_init__(self) -> None:
        check_day("on", self.on)
        for name, money in (("amount", self.amount), ("paid", self.paid)):
            if money is not None and (money.amount <= 0 or not money.to_the_cent):
                raise InvalidInput(name, "give a positive amount, to the currency's smallest coin")
        if self.rate is not None and self.rate <= 0:
            raise InvalidInput("rate", "give units of the document's currency for one of the organisation's own")

    @property
    def of(self) -> str:
        """The host's id of what was paid."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"


@frozen(kw_only=True, repr=False, field_transformer=fields_checked)
class BillPayment(HostPayment):
    """
    The host's payment of a bill: *id* is the host's own for the payment, *bill_id* its id of the bill.

    *amount* is what was paid, all that is due unless given; *on* the day it was paid; *account* the code or id of the
    account it was paid from, where that is not the one bills are paid from.

    Where the bill is in another currency than the account, *paid* is what left the account, in its currency, or *rate*
    units of the bill's for one of the organisation's own (F 6.70). Raises `InvalidInput` for an amount or a rate that
    cannot be.
    """

    bill_id: str

    @property
    def of(self) -> str:
        """The host's id of the bill."""
        return self.bill_id


@frozen(kw_only=True, repr=False, field_transformer=fields_checked)
class CreditRefund(HostPayment):
    """
    Money that a customer got back for credit: *id* is the host's own for it, *credit_id* its id of the credit note, or
    of the settlement's line of which more was collected than was due, and parked.

    *amount* is what was given back, all that is left unless given; *on* the day; *account* the code or id of the
    account it left, where that is not the clearing account; *paid* and *rate* are as of a `BillPayment`. Raises
    `InvalidInput` for an amount that cannot be.
    """

    credit_id: str

    @property
    def of(self) -> str:
        """The host's id of the credit."""
        return self.credit_id


@frozen(kw_only=True)
class OpenOverpayment:
    """What a settlement parked as an overpayment: the line's id, Xero's document, and the stamp it was seen at."""

    host_id: str
    document: Overpayment
    stamp: str

    @property
    def left(self) -> Decimal:
        """What is left of it; nothing where it does not stand."""
        stands = self.document.status == DocumentStatus.AUTHORISED
        return (self.document.remaining_credit if stands else None) or Decimal(0)

    @property
    def seen(self) -> Seen:
        """It as it was seen."""
        return Seen(OVERPAYMENTS.name, self.document.overpayment_id or "", self.stamp)


Open: TypeAlias = OpenDocument | OpenOverpayment
"""What money may be paid for."""


@frozen(kw_only=True)
class Way:
    """
    One way for money: its *kind* of write and the *prefix* of its operations, the *fact* that names what was paid.

    *noun* is what is paid, on *shelf*; *setting* the account that is chosen for it, and *fix* what makes it known.
    """

    kind: str
    prefix: str
    fact: str
    noun: str
    shelf: Shelf
    setting: str
    fix: str

    def operation(self, payment_id: str) -> Pending:
        """The operation of the payment of this id of the host's."""
        return Pending(self.kind, f"{self.prefix}{payment_id}")


BILLS: Final = Way(
    kind=Pay.kind,
    prefix=BILL_PAYMENT,
    fact="bill",
    noun="bill",
    shelf=INVOICES,
    setting="payment_account",
    fix="submit the bill, or bring it back from Xero, first",
)
REFUNDS: Final = Way(
    kind=Refund.kind,
    prefix=SALE,
    fact="credit",
    noun="credit",
    shelf=CREDIT_NOTES,
    setting="clearing_account",
    fix="submit the credit note, or settle what was collected, first",
)


@frozen(kw_only=True)
class KnownPayments:
    """
    What is known when something is paid: documents by host id, intents by key, payments before, and marks found.

    *accounts* are the accounts chosen as they were named, each its id, or why it cannot pay. *forgotten* are batches
    with our mark that the ledger does not know, *going* the ids of documents that a run has begun to take back, and
    *base* is the organisation's currency.
    """

    tenant: TenantId
    way: Way
    documents: Mapping[str, Open]
    intents: Mapping[str, Intent]
    payments: Mapping[str, tuple[Payment, str]]
    tagged: Mapping[str, Payment]
    forgotten: Forgotten
    accounts: Mapping[str | None, ClearingChoice | None]
    retry_refused: bool
    base: str
    going: Collection[str] = ()
    at_xeros_rate: bool = False


H = TypeVar("H", bound=HostPayment)

Documents = Callable[[Sequence[str]], Awaitable[Sequence[Open]]]
"""Gives the documents of these host ids, those that are in Xero and known."""


async def pay(
    books: Books,
    way: Way,
    payments: Iterable[HostPayment],
    documents: Documents,
    *,
    account: str | None,
    batch: bool = False,
    at_xeros_rate: bool = False,
    retry_refused: bool,
) -> Plan:
    """
    Plan what of *payments* is not in the books yet; with *batch*, those of one account and day as one sum.

    *at_xeros_rate* lets those go that say neither a rate nor what they made in the account.
    """
    listed, unfit = fit_payments(each_once(payments, "payment"))
    accounts = await accounts_of(books, way, account, listed)
    await refresh(books, way.shelf, PAYMENTS)
    in_doubt = await unsettled(books)
    operations = [way.operation(payment.id) for payment in listed]
    removals = [Pending(RemovePayment.kind, operation.host_ref) for operation in operations]
    intents = {**in_doubt.intents, **await current_of(books, [*operations, *removals])}
    keys = (intent_key(books.tenant, operation) for operation in operations)
    known = KnownPayments(
        tenant=books.tenant,
        way=way,
        documents={each.host_id: each for each in await documents([payment.of for payment in listed])},
        intents=intents,
        payments=await stamped(books, PAYMENTS, Payment, filter(None, (each.xero_id for each in intents.values()))),
        tagged=await tagged(books, PAYMENTS, Payment, [tag_of(key) for key in keys if key not in intents]),
        forgotten=await forgotten_batches(books) if batch else Forgotten(),
        accounts=accounts,
        retry_refused=retry_refused,
        base=(await books.organisation()).base_currency or "",
        going=await being_taken_back(books),
        at_xeros_rate=at_xeros_rate,
    )
    actions, findings = decide_payments(listed, known)
    if batch and len(actions) > 1:
        actions = in_batches(
            actions, tenant=books.tenant, currency=known.base, alone=in_doubt.alone, marked=known.forgotten.tags
        )
    return Plan(tenant=books.tenant, actions=tuple(actions), findings=(*unfit, *findings))


def fit_payments(payments: Iterable[H]) -> tuple[list[H], list[Finding]]:
    """Those of *payments* that can be written, and a finding on each of the rest."""
    return sifted(payments, _check_payment, lambda each: each.amount)


def _check_payment(payment: HostPayment) -> None:
    check_id("id", payment.id)
    check_id("bill_id" if isinstance(payment, BillPayment) else "credit_id", payment.of)
    if payment.account is not None:
        check_text("account", payment.account, needed=True)
    check_written_day("on", payment.on)


async def accounts_of(
    books: Books, way: Way, account: str | None, payments: Sequence[HostPayment]
) -> dict[str | None, ClearingChoice | None]:
    """The accounts chosen. Raises `Misconfigured` where the one that all are paid from is needed, and cannot pay."""
    own = {payment.account for payment in payments if payment.account is not None}
    needs_default = not payments or any(payment.account is None for payment in payments)
    choices: dict[str | None, ClearingChoice | None] = {}
    if needs_default:
        choices[None] = await paying_account(books, account, setting=way.setting)
    elif own:
        await refresh(books, ACCOUNTS)
    if own:
        chart = [each async for _, each in walk(books, ACCOUNTS, Account)]
        named = {str(name): each for each in chart for name in (each.account_id, each.code)}
        found = {name: named.get(name) or named.get(plain_id(name)) for name in own}
        choices |= {name: clearing_choice(each) if each is not None else None for name, each in found.items()}
    return choices


async def paying_account(books: Books, wanted: str | None, *, setting: str = BILLS.setting) -> ClearingChoice:
    """The account that pays and takes refunds. Raises `Misconfigured` where it cannot."""
    choice = await account_choice(books, wanted, setting=setting)
    if choice.answer is not Eligibility.ELIGIBLE:
        raise Misconfigured(f"what is owed cannot be paid from this account ({choice.reason}): choose another one")
    return choice


@exactly
def decide_payments(payments: Iterable[HostPayment], known: KnownPayments) -> tuple[list[Action], list[Finding]]:
    """The payments to post so that the books hold what the host paid; a document with nothing left needs none."""
    paying = _Paying(known)
    for payment in payments:
        paying.take(payment)
    return paying.actions, paying.findings


@define
class _Paying:
    known: KnownPayments
    actions: list[Action] = field(factory=list[Action])
    findings: list[Finding] = field(factory=list[Finding])
    _left: dict[str, Decimal] = field(factory=dict[str, Decimal])
    _taken_over: set[str | None] = field(factory=set[str | None])

    def take(self, payment: HostPayment) -> None:
        known = self.known
        key = intent_key(known.tenant, known.way.operation(payment.id))
        earlier, document = known.intents.get(key), known.documents.get(payment.of)
        forgotten_one = known.tagged.get(tag_of(key)) or self._in_forgotten(payment, document)
        if earlier is None and forgotten_one is not None:
            self._taken_over.add(forgotten_one.payment_id)
            self.actions.append(_adopted(payment, known.way, forgotten_one))
        elif earlier is not None and earlier.state is State.CONFIRMED:
            self.findings += _changed(payment, known, earlier, document) or _removed(payment, earlier, known)
        elif earlier is not None and not retries(
            earlier, (document.seen,) if document is not None else (), always=known.retry_refused
        ):
            self.findings += filter(None, [finding_for(earlier)])
        else:
            self._pay(payment, document)

    def _in_forgotten(self, payment: HostPayment, document: Open | None) -> Payment | None:
        """The payment of that document, day and amount in a batch of ours that the ledger does not know."""
        paid = self.known.forgotten.payments.get(document.seen.document_id, ()) if document is not None else ()
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

    def _pay(self, payment: HostPayment, open_: Open | None) -> None:
        way = self.known.way
        if open_ is None:
            self._find(payment, "not created here", f"the library knows no such {way.noun}", way.fix, retry=True)
            return
        if open_.seen.document_id in self.known.going:
            cause = f"an earlier run was interrupted while taking the {way.noun} back"
            self._find(payment, "still open", cause, "call recover()", retry=True)
            return
        choice = self.known.accounts.get(payment.account)
        if choice is None or choice.answer is not Eligibility.ELIGIBLE:
            cause = choice.reason if choice is not None else "the organisation has no such account"
            self._find(payment, "account cannot pay", cause, "choose another account for the payment")
            return
        document = open_.document
        if document.status in UNAPPROVED:
            cause = f"the {way.noun} is {document.status}, and Xero takes payments of approved ones only"
            fix = f"approve the {way.noun}, in Xero or with update(), then pay it again"
            self._find(payment, "not approved", cause, fix, retry=True)
            return
        left = self._left.setdefault(payment.of, open_.left)
        amount = Money(left, document.currency_code or "XXX") if payment.amount is None else payment.amount
        if amount.currency != document.currency_code or amount.amount > left or document.status in GONE:
            cause = f"the {way.noun} is {document.status}, and less is left than was paid, or in another currency"
            fix = f"look at the {way.noun} in Xero: was it paid, credited or edited there?"
            self._find(payment, "does not fit", cause, fix, worth=amount)
            return
        exchange = self._exchange(payment, amount, choice.account) if amount else None
        if exchange is not None:
            self._left[payment.of] = left - amount.amount
            account = choice.account.account_id or AccountId("")
            self.actions.append(_payment(payment, way, open_, account=account, amount=amount, exchange=exchange))

    def _exchange(self, payment: HostPayment, amount: Money, account: Account) -> Exchange | None:
        """How *amount* of a document is paid from *account*; None, with the finding why, where it cannot be."""
        through, base = currency_of(account, self.known.base), self.known.base
        unsaid = payment.paid is None and payment.rate is None
        if unsaid and through == base and self.known.at_xeros_rate:
            return Exchange()
        found = exchanged(amount, through=through, base=base, settled=payment.paid, rate=payment.rate)
        if isinstance(found, Exchange):
            return found
        self._find(payment, found.code, found.cause, found.fix, worth=amount)
        return None

    def _find(
        self,
        payment: HostPayment,
        code: str,
        cause: str,
        fix: str,
        *,
        retry: bool = False,
        worth: Money | None = None,
    ) -> None:
        worth = payment.amount if worth is None else worth
        self.findings.append(Finding(code=code, about=payment.id, cause=cause, fix=fix, retry=retry, worth=worth))


def _payment(
    payment: HostPayment, way: Way, open_: Open, *, account: AccountId, amount: Money, exchange: Exchange
) -> PayBill | RefundSaleCredit | RefundParked:
    seen, facts = (open_.seen,), _facts(payment, way, exchange.settled)
    match open_.document:
        case Invoice() as bill:
            return PayBill(
                host_ref=payment.id,
                reason="paid by the host",
                seen=seen,
                facts=facts,
                invoice=bill.invoice_id or InvoiceId(""),
                account=account,
                amount=amount,
                on=payment.on,
                reference=bill.invoice_number or "",
                settled=exchange.settled,
                rate=exchange.rate,
            )
        case CreditNote() as note:
            return RefundSaleCredit(
                host_ref=payment.id,
                reason="given back by the host",
                seen=seen,
                facts=facts,
                credit_note=note.credit_note_id or CreditNoteId(""),
                account=account,
                amount=amount,
                on=payment.on,
                reference=note.credit_note_number or "",
                settled=exchange.settled,
                rate=exchange.rate,
            )
        case Overpayment() as over:
            return RefundParked(
                host_ref=payment.id,
                reason="given back by the host",
                seen=seen,
                facts=facts,
                overpayment=over.overpayment_id or OverpaymentId(""),
                account=account,
                amount=amount,
                on=payment.on,
                reference=payment.of,
                settled=exchange.settled,
                rate=exchange.rate,
            )


def _facts(payment: HostPayment, way: Way, settled: Money | None) -> dict[str, str]:
    return {way.fact: payment.of} | ({} if settled is None else {"settled": str(settled.amount)})


def _adopted(payment: HostPayment, way: Way, posted: Payment) -> Adopt:
    paid = invoice_paid(posted)
    # The payment of a credit note stands under its invoice, with the credit note's id (F 6.119).
    of = {"Invoice": paid}
    if posted.payment_type == PaymentType.AROVERPAYMENTPAYMENT:
        of = {"Overpayment": {"OverpaymentID": paid["InvoiceID"]}}
    elif way is REFUNDS:
        of = {"CreditNote": {"CreditNoteID": paid["InvoiceID"]}}
    return Adopt(
        host_ref=way.operation(payment.id).host_ref,
        reason="its mark is in Xero already",
        adopted_kind=way.kind,
        xero_id=posted.payment_id or "",
        payload={"Amount": str(posted.amount), **of},
        facts=_facts(payment, way, payment.paid),
    )


def _changed(payment: HostPayment, known: KnownPayments, intent: Intent, document: Open | None) -> list[Finding]:
    """The finding on a *payment* that was posted as another one, as far as it says what it is now."""
    posted, _ = known.payments.get(intent.xero_id or "", (None, ""))
    differs = list(_differs(payment, known, intent, document))
    if posted is not None and ("Account" in intent.payload or "batch" in intent.facts):
        choice = known.accounts.get(payment.account)
        account_id = choice.account.account_id if choice is not None else None
        there = posted.account.account_id if posted.account is not None else None
        differs += ["day"] if payment.on != posted.date else []
        differs += ["account"] if payment.account is not None and account_id != there else []
    if not differs:
        return []
    cause = f"under this id another payment was posted before; what differs: {', '.join(differs)}"
    fix = "give every payment an id of its own, never one used before; to correct one, remove it in Xero first"
    return [Finding(code="changed since posted", about=payment.id, cause=cause, fix=fix, worth=payment.amount)]


def _differs(payment: HostPayment, known: KnownPayments, intent: Intent, document: Open | None) -> Iterator[str]:
    payload, settled = intent.payload, intent.facts.get("settled")
    # Of one that people typed and that was taken over, a person may have said that it is this one all the same.
    said = intent.facts.get("amount") or str(payload["Amount"])
    if intent.facts.get(known.way.fact) != payment.of:
        yield known.way.noun
    if payment.amount is not None and payment.amount.amount != Decimal(said):
        yield "amount"
    elif (
        payment.amount is not None
        and document is not None
        and payment.amount.currency != document.document.currency_code
    ):
        yield "currency"
    if settled is not None and payment.paid is not None and payment.paid.amount != Decimal(settled):
        yield "what it made in the account"
    if payment.rate is not None and payment.rate != Decimal(str(payload.get("CurrencyRate", payment.rate))):
        yield "rate"


def _removed(payment: HostPayment, intent: Intent, known: KnownPayments) -> list[Finding]:
    posted, _ = known.payments.get(intent.xero_id or "", (None, ""))
    undone = intent_key(known.tenant, Pending(RemovePayment.kind, intent.operation.host_ref)) in known.intents
    if posted is None or posted.status != PaymentStatus.DELETED or undone:
        return []
    cause = "it was removed in Xero by somebody else; it is not posted again"
    fix = "find out why; to post it again, submit it under a new id"
    return [Finding(code="removed in Xero", about=payment.id, cause=cause, fix=fix, worth=payment.amount)]
