"""One call of the accounting API as a resource meets it, and the answers it may give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, TypeVar, cast

from attrs import field, frozen

from xerosync.simulator.books import Books
from xerosync.simulator.entities import NO_ID
from xerosync.simulator.faults import Fault, Strike
from xerosync.simulator.given import Given, Json, dashed, read_body
from xerosync.simulator.refusals import Invalid, Refused
from xerosync.simulator.tables import Changes
from xerosync.simulator.wire import Row, day

T = TypeVar("T")


@frozen
class Answer:
    """
    What a resource says: the members of the envelope, or an error's, or nothing at all (204, 304).

    *raw* is a file's own bytes, sent as they are under *content_type*; an answer in JSON may
    name another content type than usual, and what stands in its *head* comes before the envelope's own members.
    """

    row: Row | None
    status: int = 200
    raw: bytes | None = None
    content_type: str = ""
    head: Row = field(factory=dict[str, object])


@frozen
class Call:
    """A call that the gateway let through. *query* has its names in small letters; *app_id* is who calls."""

    method: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    books: Books
    changes: Changes
    app_id: str
    app_name: str = ""
    strike: Strike = field(factory=Strike)

    def given(self, plural: str) -> list[Given]:
        """The elements of the body. Raises `UnreadableBody`."""
        return read_body(self.body, self.headers.get("content-type", ""), plural)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A yes or no of the query, in any letter case."""
        value = self.query.get(name.lower(), "").strip().lower()
        return default if value not in {"true", "false"} else value == "true"

    def listed(self, name: str) -> list[str]:
        """A comma list of the query; empty when it was not given."""
        return [part.strip() for part in self.query.get(name.lower(), "").split(",") if part.strip()]

    def ids(self, name: str) -> set[str]:
        """A comma list of ids of the query; empty when it was not given."""
        return {dashed(part).lower() for part in self.listed(name)}

    @property
    def unit_places(self) -> int:
        """How many places a unit price keeps (F 5.21)."""
        return 4 if self.query.get("unitdp") == "4" else 2


def write_each(
    call: Call,
    plural: str,
    elements: Sequence[Given],
    *,
    write: Callable[[Given], T],
    shown: Callable[[T], Row],
    failed: Callable[[Given], Row],
) -> Answer:
    """
    Write *elements* one after the other and answer as Xero does for a batch (F 5.33–5.40, A.01).

    One bad element makes the call a 400 that shows the bad ones only, while the good ones are kept; with
    ``summarizeErrors=false`` it is a 200 with every element and its own state.
    """
    summarize = call.flag("summarizeErrors", default=True)
    start = call.changes.mark()
    rows: list[Row] = []
    bad: list[Row] = []
    for place, given in enumerate(elements, start=1):
        mark = call.changes.mark()
        try:
            if place == len(elements) and call.strike.does(Fault.PARTIAL_BATCH):
                raise Invalid("An error occurred in Xero. Please check and try again.")
            row = shown(write(given))
            if not summarize:
                row["StatusAttributeString"] = "WARNING" if row.get("Warnings") else "OK"
        except Invalid as fault:
            call.changes.undo_to(mark)
            row = refused(failed(given), fault)
            if not summarize:
                row = {"StatusAttributeString": "ERROR"} | row
            bad.append(row)
        rows.append(row)
    if bad and summarize:
        if call.books.switches.batch_is_atomic:
            call.changes.undo_to(start)
        return invalid(bad)
    return Answer({plural: rows})


def invalid(elements: Sequence[Row]) -> Answer:
    """Xero's 400 for *elements* (F 5.40)."""
    return Answer(
        {
            "ErrorNumber": 10,
            "Type": "ValidationException",
            "Message": "A validation exception occurred",
            "Elements": list(elements),
        },
        400,
    )


def refused(row: Row, fault: Invalid) -> Row:
    """*row* with the reasons why it was not taken, each where it belongs (F 5.41)."""
    for (name, place), messages in fault.nested.items():
        row = row | {name: _with_errors(row.get(name), place, messages)}
    return row | {"ValidationErrors": _errors(fault.messages)}


def _errors(messages: Sequence[str]) -> list[Row]:
    return [{"Message": message} for message in messages]


def _with_errors(inside: object, place: int, messages: Sequence[str]) -> object:
    if place < 0:
        return (cast("Row", inside) if isinstance(inside, dict) else {}) | {"ValidationErrors": _errors(messages)}
    rows = list(cast("Sequence[object]", inside)) if isinstance(inside, list) else []
    return [_with_errors(row, -1, messages) if at == place else row for at, row in enumerate(rows)]


def warned(row: Row, messages: Sequence[str]) -> Row:
    """*row* with remarks that did not stop it (F 5.48)."""
    return row | {"Warnings": [{"Message": message} for message in messages]} if messages else row


_NAMES: Final = {
    name.lower(): name
    for name in (
        "Type Contact ContactID ContactNumber ContactStatus Name EmailAddress FirstName LastName Date DueDate "
        "InvoiceID InvoiceNumber CreditNoteID CreditNoteNumber Reference Status LineAmountTypes LineItems LineItemID "
        "Description Quantity UnitAmount AccountCode AccountID TaxType TaxAmount LineAmount CurrencyCode CurrencyRate "
        "Url Account Code Invoice CreditNote Amount PaymentID IsReconciled Phones PhoneType PhoneNumber Addresses "
        "AddressType Tracking Option ItemCode BankAmount SentToContact AccountNumber ExpiryDate"
    ).split()
}


_PLACES: Final = {
    "Quantity": 4, "UnitAmount": 2, "LineAmount": 2, "TaxAmount": 2, "Amount": 2, "BankAmount": 2, "CurrencyRate": 6,
}  # fmt: skip
_DAYS: Final = frozenset({"Date", "DueDate", "ExpiryDate"})


def echo(given: Given) -> Row:
    """
    What a caller gave, as Xero has read it: a failed element shows it (F 5.36).

    Names have Xero's own spelling, amounts given as texts are numbers, days are written as in any answer, and nulls
    are left out.
    """
    read = ((_NAMES.get(name.lower(), name), value) for name, value in given.items() if value is not None)
    return {name: _echoed(given, name, value) for name, value in read}


def _echoed(given: Given, name: str, value: Json) -> object:
    if isinstance(value, dict):
        return echo(Given(value))
    if isinstance(value, list):
        return [echo(Given(part)) if isinstance(part, dict) else part for part in value]
    try:
        on = given.day(name) if name in _DAYS else None
        amount = given.amount(name) if name in _PLACES else None
    except Refused:
        return value
    if on is not None:
        return day(on)
    return value if amount is None else amount.quantize(Decimal(1).scaleb(-_PLACES[name]), ROUND_HALF_UP)


def only(elements: Sequence[Given]) -> Given:
    """The one element of a write to one id."""
    if len(elements) != 1:
        raise Refused("The request must hold exactly one element")
    return elements[0]


def no_id(name: str) -> Row:
    """The id of what was not made."""
    return {name: NO_ID}
