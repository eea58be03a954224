"""/LinkedTransactions: lines of purchases that are billable to customers (F 6.174)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from xerosync.simulator.books import Books
from xerosync.simulator.entities import LinkedTransaction, instant
from xerosync.simulator.given import Given, dashed
from xerosync.simulator.query import Id, Names, Value
from xerosync.simulator.refusals import Invalid, NotThere, Refused
from xerosync.simulator.resources.call import Answer, Call, echo, invalid, no_id, only, refused, write_each
from xerosync.simulator.resources.listing import Listing, listed
from xerosync.simulator.resources.offers import plain
from xerosync.simulator.resources.route import INVOICES, TRANSACTIONS, Route
from xerosync.simulator.rules import linked as rules
from xerosync.simulator.wire import Row, stamp

_getters: Final[dict[str, Callable[[LinkedTransaction], Value]]] = {
    "linkedtransactionid": lambda one: Id(one.id),
    "updateddateutc": lambda one: instant(one.updated_ms).replace(tzinfo=None),
}
_LISTING: Final = Listing("LinkedTransactions", Names("LinkedTransaction", _getters), paged=True)
_IDS: Final[dict[str, Callable[[LinkedTransaction], str]]] = {
    "linkedtransactionid": lambda one: one.id,
    "sourcetransactionid": lambda one: one.source_id,
    "contactid": lambda one: one.contact_id,
    "targettransactionid": lambda one: one.target_id,
}


def get_many(call: Call) -> Answer:
    """GET /LinkedTransactions: a hundred at a time, without a word on how many there are (F 4.04, 4.36)."""

    def shown(linked: LinkedTransaction) -> Row:
        return _row(call.books, linked)

    asked = plain(call, "pagesize")
    answer = listed(asked, _LISTING, lambda: _wanted(call), shown=shown, light=shown, always_paged=True)
    return answer if answer.row is None else Answer({"LinkedTransactions": answer.row["LinkedTransactions"]})


def _wanted(call: Call) -> list[LinkedTransaction]:
    rows = list(call.books.linked_transactions)
    for name, read in _IDS.items():
        if wanted := dashed(call.query.get(name, "").strip()).lower():
            rows = [one for one in rows if read(one) == wanted]
    status = call.query.get("status", "").strip().upper()
    if status and status not in rules.STATUSES:
        raise Refused(f"The value '{status}' is not a valid Status")
    return [one for one in rows if not status or rules.status(call.books, one) == status]


def get_one(call: Call, key: str) -> Answer:
    """GET /LinkedTransactions/{LinkedTransactionID}."""
    return Answer({"LinkedTransactions": [_row(call.books, _found(call.books, key))]})


def create(call: Call) -> Answer:
    """PUT /LinkedTransactions."""
    return _write(call, lambda given: rules.create(call.books, given))


def update(call: Call, key: str) -> Answer:
    """POST /LinkedTransactions/{LinkedTransactionID}."""
    old = _found(call.books, key)
    only(call.given("LinkedTransactions"))
    return _write(call, lambda given: rules.update(call.books, old, given), old)


def delete(call: Call, key: str) -> Answer:
    """DELETE /LinkedTransactions/{LinkedTransactionID}: 204 (F 5.32)."""
    linked = _found(call.books, key)
    try:
        rules.delete(call.books, linked)
    except Invalid as fault:
        return invalid([refused(_row(call.books, linked), fault)])
    return Answer(None, 204)


def _write(call: Call, write: Callable[[Given], LinkedTransaction], old: LinkedTransaction | None = None) -> Answer:
    known = _row(call.books, old) if old is not None else no_id("LinkedTransactionID")
    return write_each(
        call,
        "LinkedTransactions",
        call.given("LinkedTransactions"),
        write=write,
        shown=lambda one: _row(call.books, one),
        failed=lambda given: known | (echo(given) if old is None else {}),
    )


def _found(books: Books, key: str) -> LinkedTransaction:
    linked = books.linked_transactions.get(key.lower())
    if linked is None:
        raise NotThere
    return linked


def _row(books: Books, linked: LinkedTransaction) -> Row:
    ids: Row = {
        "LinkedTransactionID": linked.id,
        "SourceTransactionID": linked.source_id,
        "SourceLineItemID": linked.source_line_id,
        "ContactID": linked.contact_id,
        "TargetTransactionID": linked.target_id,
        "TargetLineItemID": linked.target_line_id,
    }
    return {name: value for name, value in ids.items() if value} | {
        "Status": rules.status(books, linked),
        "Type": "BILLABLEEXPENSE",
        "UpdatedDateUTC": stamp(linked.updated_ms),
        "SourceTransactionTypeCode": linked.source_type,
    }


ROUTES: Final = (
    Route(("linkedtransactions",), INVOICES, TRANSACTIONS, plain={"GET": get_many, "PUT": create}),
    Route(
        ("linkedtransactions", "{}"),
        INVOICES,
        TRANSACTIONS,
        by_id={"GET": get_one, "POST": update, "DELETE": delete},
    ),
)
