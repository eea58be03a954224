"""/Payments."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from xerosync.simulator.books import Books
from xerosync.simulator.entities import Payment
from xerosync.simulator.given import Given
from xerosync.simulator.query import Id, Names, Value, at_midnight
from xerosync.simulator.refusals import Invalid, NotThere
from xerosync.simulator.resources import documents as shapes
from xerosync.simulator.resources.batch_payments import part_of_payment
from xerosync.simulator.resources.call import Answer, Call, echo, only, write_each
from xerosync.simulator.resources.listing import Listing, listed
from xerosync.simulator.resources.route import PAYMENTS, TRANSACTIONS, Route
from xerosync.simulator.rules import payments as rules
from xerosync.simulator.wire import Row, currency_rate, day, money, stamp, stamp_string

_getters: Final[dict[str, Callable[[Payment], Value]]] = {
    "paymentid": lambda one: Id(one.id),
    "paymenttype": lambda one: one.type,
    "status": lambda one: one.status,
    "date": lambda one: at_midnight(one.date),
    "amount": lambda one: one.amount,
    "bankamount": lambda one: one.bank_amount,
    "reference": lambda one: one.reference,
    "isreconciled": lambda one: one.is_reconciled,
    "account.accountid": lambda one: Id(one.account_id),
    "updateddateutc": lambda one: one.updated.replace(tzinfo=None),
    "invoice.invoiceid": lambda one: Id(one.document_id),
}


def get_many(call: Call) -> Answer:
    """GET /Payments."""
    books = call.books
    names = Names("Payment", {**_getters, **_nested(books)})
    return listed(
        call,
        Listing("Payments", names, paged=True, sort=None),
        lambda: _wanted(books),
        shown=lambda payment: listed_row(books, payment),
        light=lambda payment: listed_row(books, payment),
    )


def _wanted(books: Books) -> Iterable[Payment]:
    every = books.payments_in_order.rows()
    if books.switches.deleted_payments_are_listed:
        return every
    return [payment for payment in every if payment.status != "DELETED"]


def get_one(call: Call, key: str) -> Answer:
    """GET /Payments/{PaymentID}."""
    return Answer({"Payments": [whole_row(call.books, _found(call.books, key))]})


def create(call: Call) -> Answer:
    """PUT /Payments: several; POST /Payments: likewise (A.06), or a deletion by PaymentID and Status."""

    def write(given: Given) -> Payment:
        if call.method == "POST" and (payment_id := given.id("PaymentID")):
            payment = call.books.payments.get(payment_id)
            if payment is None:
                raise Invalid("Payment could not be found")
            return rules.remove(call.books, payment, given)
        return rules.pay(call.books, given, made_by=call.app_id)

    return _write(call, write)


def remove(call: Call, key: str) -> Answer:
    """POST /Payments/{PaymentID} with Status DELETED, the only change there is (F 6.121, 6.122)."""
    payment = _found(call.books, key)
    only(call.given("Payments"))
    return _write(call, lambda given: rules.remove(call.books, payment, given))


def _write(call: Call, write: Callable[[Given], Payment]) -> Answer:
    return write_each(
        call,
        "Payments",
        call.given("Payments"),
        write=write,
        shown=lambda payment: whole_row(call.books, payment),
        failed=lambda given: echo(given) | {"HasValidationErrors": True},
    )


def _found(books: Books, key: str) -> Payment:
    payment = books.payments.get(key.lower())
    if payment is None:
        raise NotThere
    return payment


def _nested(books: Books) -> dict[str, Callable[[Payment], Value]]:
    def contact_id(payment: Payment) -> Value:
        return Id(books.documents[payment.document_id].contact_id)

    return {
        "invoice.invoicenumber": lambda one: books.documents[one.document_id].number or None,
        "invoice.type": lambda one: books.documents[one.document_id].type,
        "invoice.contact.contactid": contact_id,
        "invoice.contact.name": lambda one: books.contacts[books.documents[one.document_id].contact_id].name,
        "account.code": lambda one: books.accounts[one.account_id].code or None,
    }


def _head(payment: Payment) -> Row:
    return {
        "PaymentID": payment.id,
        "Date": day(payment.date),
        "BankAmount": money(payment.bank_amount),
        "Amount": money(payment.amount),
        "Reference": payment.reference,
        "CurrencyRate": currency_rate(payment.rate),
        "PaymentType": payment.type,
        "Status": payment.status,
        "UpdatedDateUTC": stamp(payment.updated_ms),
        "UpdatedDateUTCString": stamp_string(payment.updated_ms),
        "HasAccount": True,
        "IsReconciled": payment.is_reconciled,
    }


def listed_row(books: Books, payment: Payment) -> Row:
    """A payment in a list: its invoice is a stub (F 6.118)."""
    account = books.accounts[payment.account_id]
    named: Row = {"AccountID": account.id, "Code": account.code} if account.code else {"AccountID": account.id}
    return _head(payment) | {
        **part_of_payment(books, payment),
        "Account": named,
        "Invoice": shapes.stub(books, books.documents[payment.document_id]),
        "HasValidationErrors": False,
    }


def whole_row(books: Books, payment: Payment) -> Row:
    """A payment alone or as written: the whole document is in it, as it stands now (F 6.117)."""
    account = books.accounts[payment.account_id]
    named: Row = {"AccountID": account.id, "Code": account.code, "Name": account.name}
    return _head(payment) | {
        **part_of_payment(books, payment),
        "Account": named,
        "Invoice": shapes.invoice_written(books, books.documents[payment.document_id]),
        "HasValidationErrors": False,
    }


ROUTES: Final = (
    Route(
        ("payments",),
        PAYMENTS,
        TRANSACTIONS,
        plain={"GET": get_many, "PUT": create, "POST": create},
    ),
    Route(("payments", "{}"), PAYMENTS, TRANSACTIONS, by_id={"GET": get_one, "POST": remove}),
)
