"""Sales invoices as transactions of the host: what is asked of whom, and when. Pure, to be wrapped or replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeAlias

from attrs import evolve, field, frozen

from xerosync.arguments import asked, fields_checked, fits
from xerosync.errors import InvalidInput
from xerosync.mapping.calendar import ProcessingCalendar
from xerosync.mapping.declines import Decline, DeclineReason, decline_reason
from xerosync.mapping.documents import check_day
from xerosync.models import Invoice, InvoiceId
from xerosync.money import Money
from xerosync.texts import check_id, check_text


class TransactionStatus(StrEnum):
    """How a transaction stands with the host (R35)."""

    FUTURE = "future"
    """Not sent yet: it can still be changed or deleted (R30)."""
    SENT = "sent to bank"
    PROCESSED = "processed"
    APPROVED = "approved"
    DECLINED = "declined"
    CHARGED_BACK = "charged back"
    DELETED = "deleted"

    @property
    def has_ended(self) -> bool:
        """Whether nothing came of it, or nothing is left of it: its invoice may be imported again."""
        return self in _ENDED

    @property
    def is_under_way(self) -> bool:
        """Whether the payer has been asked: it can no longer be changed, and money comes or has come of it."""
        return self is not TransactionStatus.FUTURE and not self.has_ended


_AGAIN: Final = "/"
_FAILED: Final = frozenset({TransactionStatus.DECLINED, TransactionStatus.CHARGED_BACK})
_ENDED: Final = frozenset({*_FAILED, TransactionStatus.DELETED})


def _status(value: TransactionStatus | str) -> TransactionStatus:
    try:
        return TransactionStatus(value)
    except ValueError:
        raise InvalidInput("status", f"give one of {', '.join(TransactionStatus)}") from None


@frozen(kw_only=True, repr=False, field_transformer=fields_checked)
class Transaction:
    """
    A collection the library made out of a sales invoice: the host's *id* for it, and the invoice behind it.

    *amount* is to be collected of *customer* on the day *on*, for what is *due*; *comment* names the invoice to whoever
    looks at it. *attempt* counts the transactions made of the invoice, this one included. *status* is what the host
    last said of it; where it was *cancelled*, nothing is due any more and the host is to delete it. *declines* tell why
    it failed, as far as that was said; *agreed_anew* that the payer agreed to this attempt after an earlier one did,
    *agreed_on* the day of the last line of a settlement that said so of this transaction.
    """

    id: str
    invoice_id: InvoiceId
    invoice_number: str
    customer: str
    amount: Money
    due: date | None = None
    on: date | None = None
    comment: str = ""
    attempt: int = 1
    status: TransactionStatus = TransactionStatus.FUTURE
    cancelled: bool = False
    declines: tuple[Decline, ...] = ()
    agreed_anew: bool = False
    agreed_on: date | None = None

    @property
    def is_live(self) -> bool:
        """Whether money may come, or has come, of it."""
        return not self.cancelled and not self.status.has_ended

    def __repr__(self) -> str:
        return f"<Transaction {self.id} {self.status}>"


@frozen(kw_only=True, repr=False, field_transformer=fields_checked)
class TransactionState:
    """
    How a transaction stands with the host now: its *status*, and what the host's own row says of *amount* and day *on*.

    While it is ``future``, give both; while it is under way, the amount: that is what the payer was asked for. *reason*
    is why it was declined or charged back, one of `DeclineReason` or the bank's own code, which should hold no personal
    data. Raises `InvalidInput`.
    """

    id: str
    status: TransactionStatus = field(converter=_status)
    amount: Money | None = None
    on: date | None = None
    reason: DeclineReason | None = field(default=None, converter=decline_reason)

    def __attrs_post_init__(self) -> None:
        if self.reason is not None and self.status not in _FAILED:
            raise InvalidInput("reason", "leave it out: only what was declined or charged back has one")
        if self.amount is None and not self.status.has_ended:
            raise InvalidInput("amount", "give the amount that your own row of the transaction holds")
        if self.on is not None:
            check_day("on", self.on)
        elif self.status is TransactionStatus.FUTURE:
            raise InvalidInput("on", "give the day that your own row of the transaction holds")

    def __repr__(self) -> str:
        return f"<TransactionState {self.id} {self.status}>"


@frozen(kw_only=True)
class ImportTerms:
    """
    What a mapper is told besides the invoice: whose it is, the *attempt* it would be, and the processing day *on*.

    *comment* is the template of the comment.
    """

    customer: str
    attempt: int
    on: date
    comment: str


InvoiceMapper: TypeAlias = Callable[[Invoice, ImportTerms], Transaction]
"""Makes a transaction of an invoice. It must be pure: the same invoice and terms give the same transaction."""


def map_invoice(invoice: Invoice, terms: ImportTerms) -> Transaction:
    """
    The transaction for what is due on *invoice*, to be collected on the day that *terms* name (R27).

    Its id is the invoice's own, with the number of the attempt behind it from the second on.
    """
    invoice_id = invoice.invoice_id or InvoiceId("")
    return Transaction(
        id=invoice_id if terms.attempt == 1 else f"{invoice_id}{_AGAIN}{terms.attempt}",
        invoice_id=invoice_id,
        invoice_number=invoice.invoice_number or "",
        customer=terms.customer,
        amount=Money(invoice.amount_due or Decimal(0), invoice.currency_code or "XXX"),
        due=invoice.due_date,
        on=terms.on,
        comment=commented(terms.comment, number=invoice.invoice_number or "", due=invoice.due_date or terms.on),
        attempt=terms.attempt,
    )


def behind(transaction_id: str) -> tuple[InvoiceId, int] | None:
    """The invoice and the attempt that *transaction_id* names where `map_invoice` gave it."""
    invoice_id, again, attempt = transaction_id.partition(_AGAIN)
    if again and not attempt.isdecimal():
        return None
    return InvoiceId(invoice_id), int(attempt or 1)


def commented(template: str, *, number: str, due: date) -> str:
    """*template* with the ``{invoice_number}`` and the ``{due}`` day put in (R21)."""
    return template.format(invoice_number=number, due=due)


def _template(value: str) -> str:
    try:
        commented(value, number="INV-1", due=date(2026, 1, 5))
    except (KeyError, IndexError, ValueError, AttributeError):
        raise InvalidInput("comment", "give a text in which {invoice_number} and {due} may stand") from None
    return value


@frozen(kw_only=True, field_transformer=fields_checked)
class ImportSettings:
    """How invoices become transactions: on which days, under which *comment*, and by which *mapper*."""

    calendar: ProcessingCalendar = field(factory=ProcessingCalendar)
    comment: str = field(default="Invoice {invoice_number}", converter=_template)
    mapper: InvoiceMapper = map_invoice

    def transaction(self, invoice: Invoice, *, customer: str, attempt: int, on: date) -> Transaction:
        """
        The transaction that the mapper makes of *invoice*; whose it is, and for what, is not the mapper's say.

        Raises `InvalidInput` for an amount that nobody could collect, and where the mapper makes no transaction.
        """
        try:
            terms = ImportTerms(customer=customer, attempt=attempt, on=on, comment=self.comment)
            made = asked("mapper", self.mapper, invoice, terms)
        except InvalidInput as error:
            raise InvalidInput("mapper", error.remedy if error.field == "mapper" else str(error)) from error
        fits(made, Transaction, "mapper")
        of_the_invoice = made.invoice_id == invoice.invoice_id and made.amount.currency == invoice.currency_code
        if not of_the_invoice or (made.customer, made.attempt) != (customer, attempt):
            raise InvalidInput("mapper", "leave the invoice, its currency, the customer and the attempt as they are")
        check_id("mapper", made.id)
        check_text("mapper", made.comment)
        if made.amount.amount <= 0 or not made.amount.to_the_cent or made.on is None:
            raise InvalidInput("mapper", "give a positive amount, to the currency's smallest coin, and a day")
        return evolve(made, due=invoice.due_date, declines=(), agreed_anew=False, agreed_on=None)


def checked_states(states: Iterable[TransactionState]) -> list[TransactionState]:
    """*states*, each transaction once. Raises `InvalidInput` for one that is given twice."""
    listed = list(states)
    if len({state.id for state in listed}) != len(listed):
        raise InvalidInput("states", "give each transaction once")
    return listed
