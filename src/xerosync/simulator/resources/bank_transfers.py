"""/BankTransfers: money moved between two bank accounts (F 6.157)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from xerosync.simulator.books import Books
from xerosync.simulator.entities import BankTransfer, instant
from xerosync.simulator.given import Given
from xerosync.simulator.query import Id, Names, Value, at_midnight
from xerosync.simulator.refusals import Invalid, NotThere
from xerosync.simulator.resources.bank_transactions import BANK_TRANSACTIONS, account_part
from xerosync.simulator.resources.call import Answer, Call, echo, no_id, only, write_each
from xerosync.simulator.resources.listing import Listing, listed
from xerosync.simulator.resources.route import TRANSACTIONS, Route
from xerosync.simulator.rules import banking as rules
from xerosync.simulator.wire import Row, currency_rate, day, day_string, money, stamp

_getters: Final[dict[str, Callable[[BankTransfer], Value]]] = {
    "banktransferid": lambda one: Id(one.id),
    "date": lambda one: at_midnight(one.date),
    "amount": lambda one: one.amount,
    "reference": lambda one: one.reference or None,
    "status": lambda one: one.status,
    "hasattachments": lambda _: None,
    "frombankaccount.accountid": lambda one: Id(one.from_account_id),
    "tobankaccount.accountid": lambda one: Id(one.to_account_id),
    "createddateutc": lambda one: instant(one.created_ms).replace(tzinfo=None),
}
_LISTING: Final = Listing("BankTransfers", Names("BankTransfer", _getters), paged=False)


def get_many(call: Call) -> Answer:
    """GET /BankTransfers: never paged; deleted ones only when asked for (F 4.37)."""
    books = call.books
    every = call.flag("includeDeleted")
    return listed(
        call,
        _LISTING,
        lambda: [one for one in books.bank_transfers if every or one.status != "DELETED"],
        shown=lambda one: transfer_row(books, one),
        light=lambda one: transfer_row(books, one),
    )


def get_one(call: Call, key: str) -> Answer:
    """GET /BankTransfers/{BankTransferID}."""
    found = call.books.bank_transfers.get(key.lower())
    if found is None:
        raise NotThere
    return Answer({"BankTransfers": [transfer_row(call.books, found)]})


def create(call: Call) -> Answer:
    """PUT /BankTransfers."""
    return _write(call, lambda given: rules.transfer(call.books, given))


def remove(call: Call) -> Answer:
    """POST /BankTransfers: nothing but the deletion of some (F 5.30)."""

    def write(given: Given) -> BankTransfer:
        found = call.books.bank_transfers.get(given.id("BankTransferID"))
        if found is None:
            raise Invalid("An existing Bank Transfer with the specified BankTransferID could not be found")
        return rules.remove_transfer(call.books, found, given)

    return _write(call, write)


def remove_one(call: Call, key: str) -> Answer:
    """POST /BankTransfers/{BankTransferID} with Status DELETED."""
    found = call.books.bank_transfers.get(key.lower())
    if found is None:
        raise NotThere
    only(call.given("BankTransfers"))
    return _write(call, lambda given: rules.remove_transfer(call.books, found, given))


def _write(call: Call, write: Callable[[Given], BankTransfer]) -> Answer:
    return write_each(
        call,
        "BankTransfers",
        call.given("BankTransfers"),
        write=write,
        shown=lambda one: transfer_row(call.books, one),
        failed=lambda given: no_id("BankTransferID") | echo(given),
    )


def transfer_row(books: Books, transfer: BankTransfer) -> Row:
    """A transfer with the ids of its two sides, which /BankTransactions lists too."""
    sides = books.bank_transactions
    return {
        "BankTransferID": transfer.id,
        "CreatedDateUTCString": instant(transfer.created_ms).strftime("%Y-%m-%dT%H:%M:%S"),
        "CreatedDateUTC": stamp(transfer.created_ms),
        "DateString": day_string(transfer.date),
        "Date": day(transfer.date),
        "Status": transfer.status,
        "FromBankAccount": account_part(books, transfer.from_account_id),
        "ToBankAccount": account_part(books, transfer.to_account_id),
        "Amount": money(transfer.amount),
        "FromBankTransactionID": transfer.from_transaction_id,
        "ToBankTransactionID": transfer.to_transaction_id,
        "FromIsReconciled": sides[transfer.from_transaction_id].is_reconciled,
        "ToIsReconciled": sides[transfer.to_transaction_id].is_reconciled,
        "Reference": transfer.reference,
        "CurrencyRate": currency_rate(transfer.rate),
        "HasAttachments": books.has_attachments(transfer.id),
    }


ROUTES: Final = (
    Route(
        ("banktransfers",),
        BANK_TRANSACTIONS,
        TRANSACTIONS,
        plain={"GET": get_many, "PUT": create, "POST": remove},
    ),
    Route(("banktransfers", "{}"), BANK_TRANSACTIONS, TRANSACTIONS, by_id={"GET": get_one, "POST": remove_one}),
)
