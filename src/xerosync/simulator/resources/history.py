"""…/History of every row that keeps one: what was done to it, and notes (F 6.191)."""

from __future__ import annotations

from typing import Final

from xerosync.simulator.entities import HistoryEntry, instant
from xerosync.simulator.given import Given
from xerosync.simulator.history import add_note
from xerosync.simulator.refusals import Invalid
from xerosync.simulator.resources.call import Answer, Call, write_each
from xerosync.simulator.resources.owners import OWNERS, owner
from xerosync.simulator.resources.route import CONTACTS, INVOICES, PAYMENTS, SETTINGS, TRANSACTIONS, ById, Route
from xerosync.simulator.wire import Row, bare_stamp, stamp

_SCOPES: Final = {
    "BankTransactions": ("accounting.banktransactions", TRANSACTIONS),
    "BankTransfers": ("accounting.banktransactions", TRANSACTIONS),
    "BatchPayments": (PAYMENTS, TRANSACTIONS),
    "Contacts": (CONTACTS, CONTACTS),
    "CreditNotes": (INVOICES, TRANSACTIONS),
    "Invoices": (INVOICES, TRANSACTIONS),
    "Items": (SETTINGS, SETTINGS),
    "ManualJournals": ("accounting.manualjournals", TRANSACTIONS),
    "Overpayments": (PAYMENTS, TRANSACTIONS),
    "Payments": (PAYMENTS, TRANSACTIONS),
    "Prepayments": (PAYMENTS, TRANSACTIONS),
    "PurchaseOrders": (INVOICES, TRANSACTIONS),
    "Quotes": (INVOICES, TRANSACTIONS),
}
_LONGEST_NOTE: Final = 2500


def _read(endpoint: str) -> ById:
    def get_history(call: Call, key: str) -> Answer:
        found = call.books.histories.get(owner(call.books, endpoint, key).id)
        entries = found.entries if found is not None else ()
        return Answer({"HistoryRecords": [_row(entry) for entry in reversed(entries)]})

    return get_history


def _write(endpoint: str) -> ById:
    def add(call: Call, key: str) -> Answer:
        def note(given: Given) -> HistoryEntry:
            found = OWNERS[endpoint](call.books, key)
            if found is None:
                raise Invalid("The document with the supplied id was not found for this endpoint.")
            details = given.text("Details")
            if not details.strip():
                raise Invalid("Details must be specified")
            if len(details) > _LONGEST_NOTE:
                raise Invalid(f"Details must not be longer than {_LONGEST_NOTE} characters")
            return add_note(call.books, found.id, details)

        return write_each(
            call,
            "HistoryRecords",
            call.given("HistoryRecords"),
            write=note,
            shown=lambda entry: _written(call, entry.details) | {"ValidationErrors": list[Row]()},
            failed=lambda given: _written(call, given.text("Details")),
        )

    return add


def _row(entry: HistoryEntry) -> Row:
    return {
        "Changes": entry.changes,
        "DateUTCString": _plain(entry.at_ms),
        "DateUTC": stamp(entry.at_ms),
        "User": entry.user,
        "Details": entry.details,
    }


def _written(call: Call, details: str) -> Row:
    """A note in the reply to its writing, dates without an offset (A.09)."""
    now = call.books.now()
    return {"DateUTCString": f"{now:%Y-%m-%dT%H:%M:%S}", "DateUTC": bare_stamp(now), "Details": details}


def _plain(ms: int) -> str:
    return f"{instant(ms):%Y-%m-%dT%H:%M:%S}"


def _route(endpoint: str) -> Route:
    scope, broad = _SCOPES[endpoint]
    add = _write(endpoint)
    return Route(
        (endpoint.lower(), "{}", "history"), scope, broad, by_id={"GET": _read(endpoint), "PUT": add, "POST": add}
    )


ROUTES: Final = tuple(map(_route, _SCOPES))
