"""Rules of batch payments: made and deleted as a whole (F 6.123, 6.140–6.144)."""

from __future__ import annotations

from typing import Final

from attrs import evolve

from xerosync.simulator.books import Books
from xerosync.simulator.entities import BatchMember, BatchPayment, Payment, total
from xerosync.simulator.given import Given, Json
from xerosync.simulator.refusals import Invalid
from xerosync.simulator.rules import payments
from xerosync.simulator.rules.dates import refuse_locked

_TARGETS: Final = ("Invoice", "CreditNote", "Prepayment", "Overpayment")
_LONGEST: Final = {"Reference": 255, "Particulars": 12, "Code": 12, "Details": 18, "Narrative": 18}


def create(books: Books, given: Given, *, made_by: str) -> BatchPayment:
    """Pay all the invoices or bills that *given* names, or none of them. Raises `Invalid`."""
    rows = given.many("Payments")
    if not rows:
        raise Invalid("A batch payment must have at least one payment")
    reference, particulars, code, details, narrative = (_text(books, given, name) for name in _LONGEST)
    account = payments.paying_account(books, given)
    on = given.day("Date") or books.today()
    refuse_locked(books, on)
    batch_id = books.draw()
    made = _paid(books, given, rows, batch_id, made_by)
    return books.batch_payments.put(
        BatchPayment(
            id=batch_id,
            type="RECBATCH" if made[0].type == "ACCRECPAYMENT" else "PAYBATCH",
            account_id=account.id,
            date=on,
            members=tuple(_member(books, row, payment) for row, payment in zip(rows, made, strict=True)),
            total=total(payment.amount for payment in made),
            updated_ms=books.write_stamp(),
            reference=reference,
            particulars=particulars,
            code=code,
            details=details,
            narrative=narrative,
        )
    )


def delete(books: Books, batch: BatchPayment, given: Given) -> BatchPayment:
    """Delete *batch* as *given* asks; anything else it asks is refused (F 6.142). Raises `Invalid`."""
    if given.text("Status").strip().upper() != "DELETED" or set(given.names) - {"status", "batchpaymentid"}:
        raise Invalid("Only Status accepted for updates.")
    if batch.status == "DELETED":
        raise Invalid("This batch payment has already been deleted and cannot be modified")
    if batch.is_reconciled and not books.switches.reconciled_payments_can_be_deleted:
        raise Invalid("This batch payment cannot be deleted as it has been reconciled")
    return take_back(books, batch)


def take_back(books: Books, batch: BatchPayment) -> BatchPayment:
    """Delete *batch* with every payment in it, which reopens what they paid. Raises `Invalid` if its day is locked."""
    for member in batch.members:
        payments.take_back(books, books.payments[member.payment_id])
    return books.batch_payments.put(evolve(batch, status="DELETED", updated_ms=books.write_stamp()))


def reconcile(books: Books, batch: BatchPayment) -> BatchPayment:
    """Mark *batch* and every payment in it as matched with the bank's statement."""
    stamp = books.write_stamp()
    for member in batch.members:
        books.payments.put(evolve(books.payments[member.payment_id], is_reconciled=True, updated_ms=stamp))
    return books.batch_payments.put(evolve(batch, is_reconciled=True, updated_ms=stamp))


def _paid(books: Books, given: Given, rows: list[Given], batch_id: str, made_by: str) -> list[Payment]:
    """The payments of the batch, made; what is wrong with one stands on it (F 5.41)."""
    shared: dict[str, Json] = {name: given.get(name) for name in ("Account", "Date")}
    made: list[Payment] = []
    faults: dict[tuple[str, int], tuple[str, ...]] = {}
    for place, row in enumerate(rows):
        named: dict[str, Json] = {name: row.get(name) for name in (*_TARGETS, "Amount", "Reference")}
        try:
            _refuse_credits(row)
            payment = payments.pay(books, Given(named | shared), made_by=made_by)
            _refuse_unfit(books, payment, made)
        except Invalid as fault:
            faults["Payments", place] = fault.messages
        else:
            made.append(books.payments.put(evolve(payment, batch_id=batch_id)))
    if faults:
        raise Invalid(nested=faults)
    return made


def _refuse_credits(row: Given) -> None:
    if any((one := row.one(name)) is not None and one.names for name in _TARGETS[1:]):
        raise Invalid("Only invoices and bills can be paid in a batch payment")


def _refuse_unfit(books: Books, payment: Payment, made: list[Payment]) -> None:
    if made and made[0].type != payment.type:
        raise Invalid("All payments of a batch must be of the same type, either receivable or payable")
    if books.documents[payment.document_id].currency != books.organisation.currency:
        raise Invalid("Batch payments can only be made in the base currency of the organisation")


def _text(books: Books, given: Given, name: str) -> str:
    """What the bank is told under *name*: nothing where banks have no such field (F 6.141). Raises `Invalid`."""
    country = books.organisation.country
    if name in {"Particulars", "Code"} and country != "NZ":
        return ""
    if (name == "Details" and country == "NZ") or (name == "Narrative" and country != "GB"):
        return ""
    text = given.text(name)
    if len(text) > _LONGEST[name]:
        raise Invalid(f"{name} must not be longer than {_LONGEST[name]} characters")
    return text


def _member(books: Books, row: Given, payment: Payment) -> BatchMember:
    return BatchMember(
        payment_id=payment.id,
        bank_account_number=row.text("BankAccountNumber"),
        particulars=_text(books, row, "Particulars"),
        code=_text(books, row, "Code"),
        details=_text(books, row, "Details"),
    )
