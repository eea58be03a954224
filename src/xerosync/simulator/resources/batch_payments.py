"""/BatchPayments: never paged, made and deleted as a whole (F 6.140–6.144)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from xerosync.simulator.books import Books
from xerosync.simulator.entities import NO_ID, BatchMember, BatchPayment, Payment
from xerosync.simulator.given import Given
from xerosync.simulator.query import Id, Names, Value, at_midnight
from xerosync.simulator.refusals import Invalid, NotThere
from xerosync.simulator.resources.call import Answer, Call, echo, only, write_each
from xerosync.simulator.resources.listing import Listing, listed
from xerosync.simulator.resources.route import PAYMENTS, TRANSACTIONS, Route
from xerosync.simulator.rules import batches as rules
from xerosync.simulator.wire import Row, day, day_string, money, stamp

_getters: Final[dict[str, Callable[[BatchPayment], Value]]] = {
    "batchpaymentid": lambda one: Id(one.id),
    "type": lambda one: one.type,
    "status": lambda one: one.status,
    "date": lambda one: at_midnight(one.date),
    "reference": lambda one: one.reference or None,
    "totalamount": lambda one: one.total,
    "isreconciled": lambda one: one.is_reconciled,
    "account.accountid": lambda one: Id(one.account_id),
    "updateddateutc": lambda one: one.updated.replace(tzinfo=None),
}
_LISTING: Final = Listing("BatchPayments", Names("BatchPayment", _getters), paged=False)


def get_many(call: Call) -> Answer:
    """GET /BatchPayments."""
    books = call.books
    return listed(
        call,
        _LISTING,
        lambda: books.batch_payments,
        shown=lambda one: batch_row(books, one),
        light=lambda one: batch_row(books, one),
    )


def get_one(call: Call, key: str) -> Answer:
    """GET /BatchPayments/{BatchPaymentID}."""
    return Answer({"BatchPayments": [batch_row(call.books, _found(call.books, key))]})


def create(call: Call) -> Answer:
    """PUT /BatchPayments."""
    return _write(call, lambda given: rules.create(call.books, given, made_by=call.app_id))


def remove(call: Call) -> Answer:
    """POST /BatchPayments: the deletion of those whose BatchPaymentID is given."""

    def write(given: Given) -> BatchPayment:
        found = call.books.batch_payments.get(given.id("BatchPaymentID"))
        if found is None:
            raise Invalid("An existing Batch Payment with the specified BatchPaymentID could not be found")
        return rules.delete(call.books, found, given)

    return _write(call, write)


def remove_one(call: Call, key: str) -> Answer:
    """POST /BatchPayments/{BatchPaymentID} with Status DELETED."""
    batch = _found(call.books, key)
    only(call.given("BatchPayments"))
    return _write(call, lambda given: rules.delete(call.books, batch, given), batch.id)


def _write(call: Call, write: Callable[[Given], BatchPayment], batch_id: str = NO_ID) -> Answer:
    return write_each(
        call,
        "BatchPayments",
        call.given("BatchPayments"),
        write=write,
        shown=lambda one: batch_row(call.books, one),
        failed=lambda given: {"BatchPaymentID": batch_id} | echo(given) | {"HasValidationErrors": True},
    )


def _found(books: Books, key: str) -> BatchPayment:
    batch = books.batch_payments.get(key.lower())
    if batch is None:
        raise NotThere
    return batch


def batch_row(books: Books, batch: BatchPayment) -> Row:
    """A batch with its payments; one that was deleted has none left."""
    account = books.accounts[batch.account_id]
    row: Row = {"Account": {"AccountID": account.id, "CurrencyCode": account.currency or books.organisation.currency}}
    row |= _told(
        Reference=batch.reference,
        Particulars=batch.particulars,
        Code=batch.code,
        Details=batch.details,
        Narrative=batch.narrative,
    )
    members = batch.members if batch.status != "DELETED" else ()
    return row | {
        "BatchPaymentID": batch.id,
        "DateString": day_string(batch.date),
        "Date": day(batch.date),
        "Payments": [_member_row(books, member) for member in members],
        "Type": batch.type,
        "Status": batch.status,
        "TotalAmount": money(batch.total),
        "UpdatedDateUTC": stamp(batch.updated_ms),
        "IsReconciled": batch.is_reconciled,
    }


def _told(**texts: str) -> Row:
    return {name: text for name, text in texts.items() if text}


def _member_row(books: Books, member: BatchMember) -> Row:
    payment = books.payments[member.payment_id]
    document = books.documents[payment.document_id]
    return {
        "Invoice": {
            "InvoiceID": document.id,
            "CurrencyCode": document.currency,
            "Payments": [],
            "CreditNotes": [],
            "Prepayments": [],
            "Overpayments": [],
            "HasErrors": False,
            "IsDiscounted": False,
            "LineItems": [],
        },
        "PaymentID": payment.id,
        **_told(
            Reference=payment.reference,
            BankAccountNumber=member.bank_account_number,
            Particulars=member.particulars,
            Code=member.code,
            Details=member.details,
        ),
        "Amount": money(payment.amount),
        "BankAmount": money(payment.bank_amount),
    }


def part_of_payment(books: Books, payment: Payment) -> Row:
    """The batch inside one of its payments, whose total and flag are texts (F 6.118, 8.24)."""
    if not payment.batch_id:
        return {}
    batch = books.batch_payments[payment.batch_id]
    return {
        "BatchPaymentID": batch.id,
        "BatchPayment": {
            "Account": {"AccountID": batch.account_id},
            "BatchPaymentID": batch.id,
            "Date": day(batch.date),
            "Type": batch.type,
            "Status": batch.status,
            "TotalAmount": f"{batch.total:.2f}",
            "UpdatedDateUTC": stamp(batch.updated_ms),
            "IsReconciled": "true" if batch.is_reconciled else "false",
        },
    }


ROUTES: Final = (
    Route(("batchpayments",), PAYMENTS, TRANSACTIONS, plain={"GET": get_many, "PUT": create, "POST": remove}),
    Route(("batchpayments", "{}"), PAYMENTS, TRANSACTIONS, by_id={"GET": get_one, "POST": remove_one}),
)
