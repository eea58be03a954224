"""What files and notes may hang on: under the name of each path, how its rows are found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, TypeVar

from attrs import evolve, frozen

from xerosync.simulator.books import Books
from xerosync.simulator.entities import (
    Account,
    BankTransaction,
    BankTransfer,
    BatchPayment,
    Contact,
    Document,
    Item,
    ManualJournal,
    Payment,
    PurchaseOrder,
    Quote,
)
from xerosync.simulator.refusals import NotThere
from xerosync.simulator.tables import Table


@frozen
class Owner:
    """The row *id*; *touch* moves its stamp. *goes_online*: its files may be shown with the online document."""

    id: str
    touch: Callable[[], object]
    goes_online: bool = False


T = TypeVar(
    "T",
    Account,
    BankTransaction,
    BankTransfer,
    BatchPayment,
    Contact,
    Document,
    Item,
    ManualJournal,
    Payment,
    PurchaseOrder,
    Quote,
)
Finder: TypeAlias = Callable[[Books, str], Owner | None]


def _in(
    table: Callable[[Books], Table[T]],
    *,
    fits: Callable[[T], bool] = lambda _: True,
    goes_online: Callable[[T], bool] = lambda _: False,
) -> Finder:
    def find(books: Books, key: str) -> Owner | None:
        row = table(books).get(key.lower())
        if row is None or not fits(row):
            return None
        return Owner(
            row.id, lambda: table(books).put(evolve(row, updated_ms=books.write_stamp())), goes_online=goes_online(row)
        )

    return find


def _documents(family: str) -> Finder:
    return _in(
        lambda books: books.documents,
        fits=lambda one: one.family == family,
        goes_online=lambda one: one.type in {"ACCREC", "ACCRECCREDIT"},
    )


OWNERS: Final[Mapping[str, Finder]] = {
    "Accounts": _in(lambda books: books.accounts),
    "BankTransactions": _in(lambda books: books.bank_transactions),
    "BankTransfers": _in(lambda books: books.bank_transfers),
    "BatchPayments": _in(lambda books: books.batch_payments),
    "Contacts": _in(lambda books: books.contacts),
    "CreditNotes": _documents("CreditNotes"),
    "Invoices": _documents("Invoices"),
    "Items": _in(lambda books: books.items),
    "ManualJournals": _in(lambda books: books.manual_journals),
    "Overpayments": _documents("Overpayments"),
    "Payments": _in(lambda books: books.payments),
    "Prepayments": _documents("Prepayments"),
    "PurchaseOrders": _in(lambda books: books.purchase_orders),
    "Quotes": _in(lambda books: books.quotes),
}


def owner(books: Books, endpoint: str, key: str) -> Owner:
    """The row of *endpoint* with the id *key*. Raises `NotThere`."""
    found = OWNERS[endpoint](books, key)
    if found is None:
        raise NotThere
    return found
