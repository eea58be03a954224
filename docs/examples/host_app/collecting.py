"""Collections and the books, for one company: customers, invoices, settlements. Each verb plans, then applies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from attrs import frozen
from sqlalchemy import select
from sqlalchemy.orm import Session

from host_app import models
from host_app.access import Access
from host_app.outcomes import Done, carried_out
from xerosync import (
    CancelTransaction,
    ChangeTransaction,
    ClearingChoice,
    Customer,
    Fee,
    Fix,
    ImportInvoice,
    ImportPolicy,
    ImportPreview,
    ImportSettings,
    Match,
    MatchStatus,
    Plan,
    ProcessingCalendar,
    Receivables,
    Reconciliation,
    Settlement,
    SettlementLine,
    SettlementReport,
    SettlementSettings,
    Transaction,
    TransactionState,
    TransactionStatus,
    UpdateCustomer,
)
from xerosync.models import Address

PROVIDER: Final = "Paua Payments Ltd"
CALENDAR: Final = ProcessingCalendar(zone=ZoneInfo("Pacific/Auckland"))


@frozen(repr=False)
class Collecting:
    """The receivables of *company*; made by `collecting`, which gives the client back."""

    access: Access
    company: models.Company
    sales: Receivables

    # Setting up

    def clearing_choices(self) -> Sequence[ClearingChoice]:
        """Every account with the answer to whether it may be the clearing account."""
        return self.sales.clearing_accounts()

    def prepare(self) -> Done:
        """Enable payments on the clearing account, where that is all it lacks."""
        return carried_out(self.sales, self.sales.prepare)

    # Customers

    def review(self) -> Sequence[Match[Customer]]:
        """How each customer stands towards the contacts in Xero; which are connected is kept for the first page."""
        matches = self.sales.matches(self._customers())
        with self._session() as session, session.begin():
            for each in matches:
                row = session.get_one(models.Customer, each.customer.id)
                row.is_connected = each.status is MatchStatus.CONNECTED
        return matches

    def connect_matches(self) -> Done:
        """Connect every customer that a match was found for."""
        return carried_out(self.sales, lambda: self.sales.match(self._customers()))

    def connect(self, customer: str, contact: str) -> Done:
        """Connect a customer to the contact that a person chose."""
        return carried_out(self.sales, lambda: self.sales.link(customer, contact))

    def unlink(self, customer: str) -> Done:
        """Take a customer and its contact apart."""
        return carried_out(self.sales, lambda: self.sales.unlink(customer))

    def create_contact(self, customer: models.Customer) -> Done:
        """Create a contact in Xero for a customer that is not there."""
        return carried_out(self.sales, lambda: self.sales.create_contact(_customer(customer)))

    def policies(self) -> dict[str, ImportPolicy]:
        """How the invoices of each customer are imported, where it was chosen."""
        return self.sales.import_policies()

    def set_policy(self, customer: str, policy: str) -> Done:
        """Choose how the invoices of a customer are imported."""
        return carried_out(self.sales, lambda: self.sales.set_import_policies({customer: policy}))

    def update_customers(self, ids: Iterable[str]) -> int:
        """
        Take over what has changed in Xero of the contacts of these customers; how many that were.

        The rows and what xerosync remembers of them are committed together, so that nothing is missed the next time.
        """
        plan = self.sales.contact_updates(list(ids))
        updates = plan.of(UpdateCustomer)
        with self._session() as session, session.begin():
            self.access.store_within(session.connection()).commit(plan.records())
            for each in updates:
                row = session.get_one(models.Customer, each.host_ref)
                row.name = each.details.name or row.name
                row.email, row.phone = each.details.email, each.details.phone or each.details.mobile
                row.address = _one_line(each.details.postal_address)
        return len(updates)

    # Invoices

    def preview(self, due_from: date | None = None) -> ImportPreview:
        """What would become of every invoice in Xero."""
        return self.sales.preview_imports(due_from=due_from)

    def import_invoices(self, chosen: Iterable[str] | None = None, *, automatic: bool = False) -> Plan:
        """
        Make collections of the invoices that were *chosen*, or of those of customers set to *automatic* import.

        The rows and what xerosync remembers of them are committed together: both are there, or neither. Raises
        `VersionConflict` where another page has imported one of them meanwhile.
        """
        plan = self.sales.import_invoices(None if chosen is None else list(chosen), automatic=automatic)
        with self._session() as session, session.begin():
            self.access.store_within(session.connection()).commit(plan.records())
            session.add_all(_collection(action.transaction, self.company) for action in plan.of(ImportInvoice))
        return plan

    def follow(self) -> Plan:
        """
        Let collections that were not sent yet follow their invoices in Xero, and tell how all of them stand.

        Rows first, then the plan: what the rows do not show yet is told again the next time.
        """
        with self._session() as session:
            states = [
                _state(each) for each in session.scalars(select(models.Collection).filter_by(company=self.company.id))
            ]
        plan = self.sales.follow(states)
        with self._session() as session, session.begin():
            for action in plan:
                if not isinstance(action, ChangeTransaction | CancelTransaction):
                    continue
                row = session.get(models.Collection, action.transaction.id)
                if row is None or row.status is not TransactionStatus.FUTURE:
                    continue
                if isinstance(action, CancelTransaction):
                    row.status = TransactionStatus.DELETED
                else:
                    row.amount, row.on = action.transaction.amount, action.transaction.on
        self.sales.apply(plan)
        return plan

    def link(self, collection: str, invoice: str) -> Done:
        """Let a collection that was asked for by hand stand for the *invoice* of this number."""
        return carried_out(self.sales, lambda: self.sales.link_transaction(collection, invoice=invoice))

    # Settlements

    def report_to_xero(self, settlement: models.Settlement) -> Done:
        """Post what *settlement* brought in and took back; as often as you like, nothing is posted twice."""
        return carried_out(self.sales, lambda: self.sales.settle(_settlement(settlement)))

    def settlement_report(self, settlement: models.Settlement) -> SettlementReport:
        """Every line of *settlement*, ticked or crossed with the cause and the next step."""
        return self.sales.settlement_report(_settlement(settlement))

    # The clearing account

    def reconcile(self) -> Reconciliation:
        """Why the clearing account's balance is what it is, held against all of the product's settlements."""
        with self._session() as session:
            rows = session.scalars(select(models.Settlement).filter_by(company=self.company.id))
            settlements = [_settlement(each) for each in rows]
        return self.sales.reconcile(settlements)

    def put_right(self, code: str, fix: Fix) -> Done:
        """Fix all discrepancies of one kind in one way."""
        return carried_out(self.sales, lambda: self.reconcile().plan({code: fix}))

    def _customers(self) -> list[Customer]:
        with self._session() as session:
            rows = session.scalars(select(models.Customer).filter_by(company=self.company.id))
            return [_customer(each) for each in rows]

    def _session(self) -> Session:
        # Never held over a call to Xero: a transaction of the product's own is short.
        return Session(self.access.engine)


@contextmanager
def collecting(access: Access, company: models.Company) -> Iterator[Collecting]:
    """The receivables of *company*, with the accounts it has chosen."""
    settings = SettlementSettings(
        bank_account=company.bank_account or None,
        fee_account=company.fee_account or None,
        provider=PROVIDER,
    )
    with access.xero_of(company.id) as xero:
        yield Collecting(
            access,
            company,
            Receivables(
                xero,
                clearing_account=company.clearing_account or None,
                imports=ImportSettings(calendar=CALENDAR),
                settlements=settings,
            ),
        )


def _customer(row: models.Customer) -> Customer:
    return Customer(id=row.id, custom_identifier=row.custom_identifier, name=row.name, email=row.email)


def _one_line(address: Address) -> str:
    street = (address.address_line1, address.address_line2, address.address_line3, address.address_line4)
    return ", ".join(filter(None, (*street, address.city, address.region, address.postal_code, address.country)))


def _collection(made: Transaction, company: models.Company) -> models.Collection:
    return models.Collection(
        id=made.id,
        company=company.id,
        customer_id=made.customer,
        comment=made.comment,
        amount=made.amount,
        due=made.due,
        on=made.on,
    )


def _state(row: models.Collection) -> TransactionState:
    return TransactionState(id=row.id, status=row.status, amount=row.amount, on=row.on)


def _settlement(row: models.Settlement) -> Settlement:
    return Settlement(
        id=row.id,
        on=row.on,
        lines=[
            SettlementLine(id=each.id, transaction=each.collection_id, amount=each.amount, kind=each.kind)
            for each in row.lines
        ],
        fees=[] if row.fee is None else [Fee(amount=row.fee)],
        paid_out_on=row.paid_out_on,
    )
