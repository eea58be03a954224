"""How a test reads the books, and the one way in which the bookkeeper's hand writes them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from decimal import Decimal
from typing import TypeVar

from xerosync.errors import InvalidInput
from xerosync.simulator.books import Books
from xerosync.simulator.entities import Account, Allocation, Contact, Document, Organisation, Payment
from xerosync.simulator.identity import Identity
from xerosync.simulator.ledger import Journal
from xerosync.simulator.refusals import Invalid
from xerosync.simulator.resources.reports import TrialLine, trial_balance
from xerosync.simulator.world import World

T = TypeVar("T")


class Reading:
    """The books of one organisation, looked at."""

    def __init__(
        self, world: World, books: Books, identity: Identity, transaction: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._world = world
        self._books = books
        self._identity = identity
        self._transaction = transaction

    @property
    def organisation(self) -> Organisation:
        """The organisation itself."""
        return self._books.organisation

    @property
    def tenant_id(self) -> str:
        """The tenant id, which is the OrganisationID too."""
        return self._books.tenant

    @property
    def today(self) -> date:
        """The day it is in the organisation's time zone."""
        return self._books.today()

    @property
    def accounts(self) -> tuple[Account, ...]:
        """The chart of accounts."""
        return tuple(self._books.accounts)

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """All contacts, archived ones too."""
        return tuple(self._books.contacts)

    @property
    def invoices(self) -> tuple[Document, ...]:
        """All invoices and bills, of every status."""
        return tuple(one for one in self._books.documents if one.is_invoice)

    @property
    def credit_notes(self) -> tuple[Document, ...]:
        """All credit notes, of every status."""
        return tuple(one for one in self._books.documents if one.is_credit_note)

    @property
    def payments(self) -> tuple[Payment, ...]:
        """All payments, deleted ones too."""
        return tuple(self._books.payments)

    @property
    def allocations(self) -> tuple[Allocation, ...]:
        """Which parts of credit notes are set against which invoices."""
        return tuple(self._books.allocations)

    def account(self, code: str) -> Account:
        """The account of *code*. Raises `InvalidInput`."""
        found = self._books.account(code)
        if found is None:
            raise InvalidInput("code", f"there is no account {code}")
        return found

    def contact(self, contact_id: str) -> Contact:
        """The contact *contact_id*. Raises `InvalidInput`."""
        found = self._books.contacts.get(contact_id)
        if found is None:
            raise InvalidInput("contact_id", "there is no such contact")
        return found

    def invoice(self, invoice_id: str) -> Document:
        """The invoice, bill or credit note *invoice_id*. Raises `InvalidInput`."""
        found = self._books.documents.get(invoice_id)
        if found is None:
            raise InvalidInput("invoice_id", "there is no such document")
        return found

    def payments_of(self, document_id: str) -> tuple[Payment, ...]:
        """The payments of a document that have not been deleted."""
        return tuple(self._books.payments_of(document_id))

    def balance(self, account_id: str) -> Decimal:
        """What stands on *account_id*, debit positive, in base currency."""
        return self._books.ledger.balance(account_id)

    @property
    def ledger(self) -> tuple[Journal, ...]:
        """What everything in the books has posted: journals whose entries sum to zero, in base currency."""
        return tuple(self._books.ledger)

    def trial_balance(self, on: date | None = None) -> tuple[TrialLine, ...]:
        """The trial balance as at *on*; today when that is not given."""
        return tuple(trial_balance(self._books, on or self.today))

    def _do(self, write: Callable[[], T]) -> T:
        try:
            with self._transaction():
                return write()
        except Invalid as fault:
            raise InvalidInput("books", "; ".join(fault.every_message)) from None
