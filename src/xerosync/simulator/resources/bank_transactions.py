"""/BankTransactions: spend and receive money (F 6.150–6.153)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from xerosync.simulator.books import Books
from xerosync.simulator.entities import BankTransaction
from xerosync.simulator.given import Given
from xerosync.simulator.query import Id, Names, Value, at_midnight
from xerosync.simulator.refusals import NotThere
from xerosync.simulator.resources import contacts
from xerosync.simulator.resources import documents as shapes
from xerosync.simulator.resources.attachments import attached
from xerosync.simulator.resources.call import Answer, Call, echo, no_id, only, warned, write_each
from xerosync.simulator.resources.listing import Listing, listed
from xerosync.simulator.resources.route import TRANSACTIONS, Route
from xerosync.simulator.rules import banking as rules
from xerosync.simulator.rules import documents
from xerosync.simulator.wire import Row, currency_rate, day, day_string, money, stamp

BANK_TRANSACTIONS: Final = "accounting.banktransactions"
_getters: Final[dict[str, Callable[[BankTransaction], Value]]] = {
    "banktransactionid": lambda one: Id(one.id),
    "type": lambda one: one.type,
    "status": lambda one: one.status,
    "reference": lambda one: one.reference or None,
    "date": lambda one: at_midnight(one.date),
    "total": lambda one: one.total,
    "subtotal": lambda one: one.sub_total,
    "totaltax": lambda one: one.total_tax,
    "currencycode": lambda one: one.currency,
    "isreconciled": lambda one: one.is_reconciled,
    "url": lambda one: one.url or None,
    "updateddateutc": lambda one: one.updated.replace(tzinfo=None),
    "contact.contactid": lambda one: Id(one.contact_id),
    "bankaccount.accountid": lambda one: Id(one.account_id),
}


def get_many(call: Call) -> Answer:
    """GET /BankTransactions."""
    books, places = call.books, call.unit_places
    names = Names("BankTransaction", {**_getters, **_nested(books)})
    return listed(
        call,
        Listing("BankTransactions", names, paged=True),
        lambda: books.bank_transactions,
        shown=lambda one: read_row(books, one, shape="paged", unit_places=places),
        light=lambda one: read_row(books, one, shape="light", unit_places=places),
    )


def get_one(call: Call, key: str) -> Answer:
    """GET /BankTransactions/{BankTransactionID}."""
    found = _found(call.books, key)
    return Answer({"BankTransactions": [read_row(call.books, found, shape="one", unit_places=call.unit_places)]})


def create(call: Call) -> Answer:
    """PUT /BankTransactions."""
    return _write(call, rules.create)


def save(call: Call) -> Answer:
    """POST /BankTransactions: creates, or updates the one of the id."""
    return _write(call, rules.save)


def update(call: Call, key: str) -> Answer:
    """POST /BankTransactions/{BankTransactionID}."""
    old = _found(call.books, key)
    only(call.given("BankTransactions"))
    return _write(call, lambda wish: rules.update(wish, old), old)


def _write(
    call: Call, write: Callable[[documents.Wish], BankTransaction], old: BankTransaction | None = None
) -> Answer:
    def saved(given: Given) -> documents.Wish:
        wish = documents.Wish(call.books, given, documents.BANK_TRANSACTION, call.app_id, call.unit_places)
        done.append(write(wish))
        return wish

    def shown(wish: documents.Wish) -> Row:
        return warned(read_row(call.books, done[-1], shape="written", unit_places=call.unit_places), wish.warnings)

    done: list[BankTransaction] = []
    return write_each(
        call,
        "BankTransactions",
        call.given("BankTransactions"),
        write=saved,
        shown=shown,
        failed=lambda given: _failed(call, given, old),
    )


def _failed(call: Call, given: Given, old: BankTransaction | None) -> Row:
    known = old or call.books.bank_transactions.get(given.id("BankTransactionID"))
    named: Row = {"BankTransactionID": known.id} if known is not None else no_id("BankTransactionID")
    return echo(given) | named


def _found(books: Books, key: str) -> BankTransaction:
    transaction = books.bank_transactions.get(key.lower())
    if transaction is None:
        raise NotThere
    return transaction


def _nested(books: Books) -> dict[str, Callable[[BankTransaction], Value]]:
    return {
        "contact.name": lambda one: books.contacts[one.contact_id].name if one.contact_id else None,
        "bankaccount.code": lambda one: books.accounts[one.account_id].code or None,
        "bankaccount.name": lambda one: books.accounts[one.account_id].name,
    }


def account_part(books: Books, account_id: str) -> Row:
    """A bank account inside another row; Code only where it has one (F 6.11)."""
    account = books.accounts[account_id]
    code: Row = {"Code": account.code} if account.code else {}
    return {"AccountID": account.id} | code | {"Name": account.name}


def read_row(books: Books, transaction: BankTransaction, *, shape: str, unit_places: int = 2) -> Row:
    """A bank transaction: *shape* is ``one``, ``paged``, ``light`` (without lines) or ``written``."""
    whole = shape in {"one", "written"}
    row: Row = {"BankTransactionID": transaction.id, "BankAccount": account_part(books, transaction.account_id)}
    row["Type"] = transaction.type
    if transaction.reference or shape == "written":
        row["Reference"] = transaction.reference
    if transaction.url:
        row["Url"] = transaction.url
    row["IsReconciled"] = transaction.is_reconciled
    if transaction.credit_id:
        row["PrepaymentID" if "PREPAYMENT" in transaction.type else "OverpaymentID"] = transaction.credit_id
    row["CurrencyRate"] = currency_rate(transaction.rate)
    if shape != "written":
        row["HasAttachments"] = books.has_attachments(transaction.id)
    if shape == "one":
        row["Attachments"] = attached(books, "BankTransactions", transaction.id)
    if transaction.contact_id:
        contact = books.contacts[transaction.contact_id]
        ahead_ms = shapes.contact_ahead_ms(books) if shape == "one" else 0
        row["Contact"] = contacts.written_row(books, contact, ahead_ms=ahead_ms) if whole else contacts.stub(contact)
    row |= {"DateString": day_string(transaction.date), "Date": day(transaction.date), "Status": transaction.status}
    row["LineAmountTypes"] = transaction.line_amount_types
    lines = () if shape == "light" else transaction.lines
    row["LineItems"] = [shapes.line_row(books, line, one=whole, unit_places=unit_places) for line in lines]
    return row | {
        "SubTotal": money(transaction.sub_total),
        "TotalTax": money(transaction.total_tax),
        "Total": money(transaction.total),
        "UpdatedDateUTC": stamp(transaction.updated_ms),
        "CurrencyCode": transaction.currency,
    }


ROUTES: Final = (
    Route(
        ("banktransactions",),
        BANK_TRANSACTIONS,
        TRANSACTIONS,
        plain={"GET": get_many, "PUT": create, "POST": save},
    ),
    Route(("banktransactions", "{}"), BANK_TRANSACTIONS, TRANSACTIONS, by_id={"GET": get_one, "POST": update}),
)
