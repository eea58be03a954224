"""What stands on a clearing account, entry by entry: what the library's record says of it, and what it is in Xero."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, TypeAlias, cast

from attrs import evolve, frozen

from xerosync.engine.intents import Intent, tag_in
from xerosync.engine.mirror import GONE
from xerosync.engine.movements import (
    Movements,
    amount_on,
    is_on,
    said_to_move,
    signed_payment,
    signed_transaction,
    signed_transfer,
)
from xerosync.engine.payouts import FEES, PAYOUT
from xerosync.engine.settlement_books import COUNTER, SURPLUS
from xerosync.models import (
    AccountId,
    BankTransaction,
    BankTransactionStatus,
    BankTransactionType,
    BankTransfer,
    Payment,
    PaymentStatus,
)
from xerosync.money import Money

Document: TypeAlias = Payment | BankTransaction | BankTransfer
Key: TypeAlias = tuple[str, str]
"""What of the host an entry stands for: ``line``, ``fees`` or ``payout``, and its id."""

LINE = "line"
KEPT: Final = "kept"
"""The fact what a payout that was followed keeps on the account, where its lines do not say so by their order."""
_SETTLED = frozenset({"settlement", "transaction", "charged_back_by"})


@frozen(kw_only=True, repr=False)
class Entry:
    """
    One amount on the account, debit positive: *recorded* by the library, *actual* in Xero, each on its day.

    *intent* is what wrote it, or took it back; None where somebody entered it. *what* is the kind of document. *kept*
    is what a payout was posted with on the account besides, and left there.
    """

    what: str
    xero_id: str
    recorded: Money
    recorded_on: date | None
    actual: Money
    actual_on: date | None
    intent: Intent | None = None
    document: Document | None = None
    kept: Money | None = None

    @property
    def key(self) -> Key | None:
        """What of the host it stands for; None for what belongs to no settlement."""
        return None if self.intent is None else key_of(self.intent)

    @property
    def is_changed(self) -> bool:
        """Whether the library wrote it, and it has another amount or another day now, here or in all."""
        moved = (self.actual, self.actual_on) != (self.recorded, self.recorded_on)
        return self.intent is not None and (moved or self.in_all is not None)

    @property
    def in_all(self) -> Decimal | None:
        """
        What a payout that moves here what it was posted with comes to in all, where that is another amount than it was
        posted with: what else is on it, such as its fees, was edited. Else None.
        """
        document = self.document
        if self.intent is None or not isinstance(document, BankTransaction) or document.status in GONE:
            return None
        if "net" not in self.intent.facts or not self.intent.payload.get("LineItems") or self.actual != self.recorded:
            return None  # of what people typed nobody knows what it came to when it was taken over
        said = abs(Decimal(self.intent.facts.get("total") or self.intent.facts["net"]))
        return None if document.total in {None, said} else document.total

    @property
    def settlement(self) -> str:
        """The id of the settlement that it was posted for; blank where there is none."""
        return "" if self.intent is None else self.intent.facts.get("settlement", "")

    @property
    def tag(self) -> str | None:
        """Our mark on the document."""
        return tag_in((self.document.reference if self.document is not None else None) or "")

    @property
    def invoice(self) -> str:
        """The id of the invoice that it pays."""
        paid = self.document.invoice if isinstance(self.document, Payment) else None
        return (paid.invoice_id if paid is not None else None) or ""

    @property
    def is_removed(self) -> bool:
        """Whether its document stands no more: one that stands, and is not on the account, is on another."""
        return not self.actual and (self.document is None or self.document.status in GONE)

    def is_in_part(self, account: AccountId) -> bool:
        """Whether it stands on *account* by lines of its document, and not all of those are on it."""
        bank = self.document.bank_account if isinstance(self.document, BankTransaction) else None
        if not isinstance(self.document, BankTransaction) or (bank is not None and bank.account_id == account):
            return False
        return any(each.account_id != account for each in self.document.line_items or ())

    def __repr__(self) -> str:
        return f"<Entry {self.what}>"


def what_became_of(entry: Entry) -> str:
    """What somebody did in Xero to *entry*, which the library posted."""
    if entry.is_removed:
        return f"its {entry.what} was removed in Xero by somebody else"
    if entry.in_all is not None:
        return f"its {entry.what} was edited in Xero by somebody else: beside its line here it has other amounts"
    if not entry.actual:
        return f"its {entry.what} was moved to another account in Xero by somebody else"
    if entry.actual != entry.recorded:
        return f"its {entry.what} was edited in Xero by somebody else: it has another amount"
    return f"its {entry.what} was moved to another day in Xero by somebody else"


def key_of(intent: Intent) -> Key | None:
    """What of the host *intent* was for; None where that is no settlement's."""
    if not _SETTLED & intent.facts.keys():
        return None
    if "charged_back_by" in intent.facts:
        return LINE, intent.facts["charged_back_by"]
    return named(intent.operation.host_ref)


def named(name: str) -> Key:
    """What of the host an operation of this *name* is for."""
    for prefix, what in ((FEES, "fees"), (PAYOUT, "payout")):
        if name.startswith(prefix):
            return what, name.removeprefix(prefix)
    return LINE, name.removeprefix(SURPLUS).removeprefix(COUNTER)


def entries_on(account: AccountId, movements: Movements, currency: str) -> Iterator[Entry]:
    """Every amount that the library's record or Xero has on *account*."""
    for payment in movements.payments:
        yield from _paid(payment, movements, currency)
    for payment in movements.taken_back:
        paid, removal = movements.paid.get(payment.payment_id or ""), movements.removals.get(payment.payment_id or "")
        if paid is not None and removal is not None:
            yield from _both(_of_payment(payment, signed_payment(payment, currency), paid), removal)
    yield from _moved(account, movements, currency)
    for each in movements.transactions:
        if each.bank_transaction_id not in movements.moved and (moved := amount_on(account, each, currency)):
            yield _of_others("bank transaction", each.bank_transaction_id, each, moved, movements)
    for transfer in movements.transfers:
        amount = signed_transfer(account, transfer, movements, currency)
        if transfer.bank_transfer_id not in movements.moved and amount:
            yield _of_others("transfer", transfer.bank_transfer_id, transfer, amount, movements)


def _of_others(
    what: str, xero_id: str | None, document: BankTransaction | BankTransfer, amount: Money, movements: Movements
) -> Entry:
    """What somebody entered; or the library, for another account: what became of it is told of that one."""
    intent = movements.others.get(xero_id or "")
    return Entry(
        what=what,
        xero_id=xero_id or "",
        recorded=Money.zero(amount.currency) if intent is None else amount,
        recorded_on=None if intent is None else document.date,
        actual=amount,
        actual_on=document.date,
        intent=None if intent is None else evolve(intent, facts={}),
        document=document,
    )


def balance_of(account: AccountId, movements: Movements, currency: str) -> Money:
    """All that is on *account*, in its own *currency*: no report of Xero's gives that of another than its own."""
    return Money.total((each.actual for each in entries_on(account, movements, currency)), currency)


def _paid(payment: Payment, movements: Movements, currency: str) -> Iterator[Entry]:
    amount, intent = signed_payment(payment, currency), movements.paid.get(payment.payment_id or "")
    stands = payment.status != PaymentStatus.DELETED
    if stands or intent is not None:
        # Nobody can edit a payment in Xero; it stands or was removed (F 6.122). What it made may be another amount.
        entry = _of_payment(payment, amount, intent)
        yield entry if stands else _gone(entry)


def _of_payment(payment: Payment, amount: Money, intent: Intent | None) -> Entry:
    return Entry(
        what="payment",
        xero_id=payment.payment_id or "",
        recorded=said_to_move(payment, intent, amount.currency) if intent is not None else Money.zero(amount.currency),
        recorded_on=payment.date,
        actual=amount,
        actual_on=payment.date,
        intent=intent,
        document=payment,
    )


def _gone(entry: Entry) -> Entry:
    return evolve(entry, actual=Money.zero(entry.actual.currency))


def _both(entry: Entry, removal: Intent) -> Iterator[Entry]:
    """What the library posted, and that it took it back: a charge-back is a line of its own, an undoing is none."""
    by = removal if "charged_back_by" in removal.facts else entry.intent
    yield evolve(entry, document=None)
    yield evolve(entry, recorded=-entry.recorded, actual=-entry.recorded, intent=by, document=None)


def _moved(account: AccountId, movements: Movements, currency: str) -> Iterator[Entry]:
    """What the library wrote besides payments: fees, payouts, what was parked, invoices in a payment's place."""
    documents: dict[str, BankTransaction | BankTransfer] = {}
    documents |= {each.bank_transaction_id or "": each for each in movements.transactions}
    documents |= {each.bank_transfer_id or "": each for each in movements.transfers}
    for xero_id, intent in movements.moved.items():
        effect, day = Money(intent.facts["effect"], currency), date.fromisoformat(intent.facts["dated"])
        entry = Entry(
            what=intent.operation.kind.replace("_", " "),
            xero_id=xero_id,
            recorded=effect,
            recorded_on=day,
            actual=effect,
            actual_on=day,
            intent=intent,
            document=documents.get(xero_id),
        )
        removal = movements.removals.get(xero_id)
        if removal is not None:
            yield from _both(entry, removal)
        elif xero_id in movements.removed:
            yield _gone(entry)
        else:
            yield _as_it_stands(account, entry, movements)


def _as_it_stands(account: AccountId, entry: Entry, movements: Movements) -> Entry:
    document, currency = entry.document, entry.recorded.currency
    if isinstance(document, BankTransfer):
        amount = signed_transfer(account, document, movements, currency)
    elif not isinstance(document, BankTransaction):
        return entry
    elif document.status != BankTransactionStatus.AUTHORISED:
        return _gone(entry)
    elif _was_on(account, entry.intent, document):
        amount = signed_transaction(document, currency) if is_on(account, document) else Money.zero(currency)
    else:
        moved = amount_on(account, document, currency)
        besides = _besides(entry, moved or entry.actual)
        # It stands on another bank account; what nobody knows of its lines is as it was posted.
        amount = entry.actual if moved is None else moved - besides
        entry = evolve(entry, kept=besides or None)
    return evolve(entry, actual=amount, actual_on=document.date or entry.actual_on)


def _besides(entry: Entry, moved: Money) -> Money:
    """
    What *entry*, a payout that has *moved* so much on its account, was posted with there besides the payout: a reserve
    that stays there, say.
    """
    if entry.intent is None:
        return Money.zero(entry.recorded.currency)
    if KEPT in entry.intent.facts:
        return Money(entry.intent.facts[KEPT], entry.recorded.currency)
    if not entry.recorded:
        return moved  # nothing of it left the account
    payload = entry.intent.payload
    out, *others = cast(Sequence[Mapping[str, object]], payload.get("LineItems") or ({},))
    amounts = [
        Decimal(str(each.get("UnitAmount") or 0)) * Decimal(str(each.get("Quantity") or 1))
        for each in others
        if each.get("AccountCode") == out.get("AccountCode")
    ]
    moved = Money(sum(amounts, Decimal(0)), entry.recorded.currency)
    return -moved if payload.get("Type") == BankTransactionType.RECEIVE else moved


def _was_on(account: AccountId, intent: Intent | None, document: BankTransaction) -> bool:
    """Whether the library wrote *document* on *account* itself."""
    written = intent.payload.get("BankAccount") if intent is not None else None
    if isinstance(written, Mapping):
        return cast(Mapping[str, object], written).get("AccountID") == account
    return is_on(account, document)
