"""The books of one organisation: its tables, its ledger, and how things are found in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone, tzinfo
from typing import Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import evolve

from xerosync.simulator.entities import (
    Account,
    Allocation,
    Attachment,
    BankTransaction,
    BankTransfer,
    BatchPayment,
    Contact,
    ContactGroup,
    Document,
    FileContent,
    History,
    Item,
    LinkedTransaction,
    ManualJournal,
    Offer,
    Organisation,
    Payment,
    PurchaseOrder,
    Quote,
    TaxRate,
    TrackingCategory,
    User,
)
from xerosync.simulator.history import keep_history
from xerosync.simulator.ledger import (
    ControlAccounts,
    Journal,
    Ledger,
    allocation_journal,
    bank_journal,
    document_journal,
    manual_journal,
    parts_journal,
    payment_journal,
    transfer_journal,
)
from xerosync.simulator.switches import Switches
from xerosync.simulator.tables import AnyTable, Changes, InStampOrder, Keys, Row, Table

T = TypeVar("T", bound=Row)

_STANDARD_HOURS: Final = {
    "Pacific/Auckland": 12, "Australia/Sydney": 10, "Europe/London": 0, "America/New_York": -5, "America/Toronto": -5,
}  # fmt: skip


class Books:
    """
    Everything one organisation holds. Writers put new values into the tables; the ledger follows by itself.

    *by_adviser* is whether an adviser writes at the moment, whom the period lock does not hold (F 6.67).

    *draw* gives a new id, *write_stamp* the milliseconds of the write under way, *now* the instant.
    """

    def __init__(
        self,
        tenant: str,
        changes: Changes,
        *,
        switches: Switches,
        draw: Callable[[], str],
        write_stamp: Callable[[], int],
        now: Callable[[], datetime],
    ) -> None:
        self.tenant = tenant
        self.switches = switches
        self.draw = draw
        self.write_stamp = write_stamp
        self.now = now
        self._changes = changes
        self._tables: list[AnyTable] = []
        self.organisations: Final = self._table("organisation", Organisation)
        self.tax_rates: Final = self._table("tax_rate", TaxRate)
        self.accounts: Final = self._table("account", Account, code=_account_codes, system=_systems)
        self.contacts: Final = self._table("contact", Contact, name=_active_names, any_name=_names, number=_numbers)
        self.users: Final = self._table("user", User)
        self.contact_groups: Final = self._table("contact_group", ContactGroup, contact=_members)
        self.items: Final = self._table("item", Item, code=_item_codes)
        self.tracking_categories: Final = self._table("tracking_category", TrackingCategory)
        self.documents: Final = self._table(
            "document", Document, number=_document_numbers, contact=_contacts, item=_items
        )
        self.documents_in_order: Final = InStampOrder(self.documents, lambda document: document.family)
        self.payments: Final = self._table("payment", Payment, document=_documents)
        self.payments_in_order: Final = InStampOrder(self.payments)
        self.allocations: Final = self._table("allocation", Allocation, document=_allocated)
        self.purchase_orders: Final = self._table("purchase_order", PurchaseOrder, number=_offer_numbers)
        self.quotes: Final = self._table("quote", Quote, number=_offer_numbers)
        self.attachments: Final = self._table("attachment", Attachment, owner=_owners)
        self.files: Final = self._table("file", FileContent)
        self.histories: Final = self._table("history", History)
        self.batch_payments: Final = self._table("batch_payment", BatchPayment)
        self.bank_transactions: Final = self._table("bank_transaction", BankTransaction, account=_banks)
        self.bank_transfers: Final = self._table("bank_transfer", BankTransfer)
        self.manual_journals: Final = self._table("manual_journal", ManualJournal)
        self.linked_transactions: Final = self._table("linked_transaction", LinkedTransaction, line=_linked_lines)
        self.ledger: Final = Ledger()
        self.last_listing: tuple[object, object] = (None, None)
        self.by_adviser = False
        self._control: ControlAccounts | None = None
        self._post_everything()
        self.accounts.watch(self._follow_account)
        keep_history(self)

    def tables(self) -> Iterator[AnyTable]:
        """Every table, in the order in which a file must be read: what a row names comes before it."""
        yield from self._tables

    @property
    def version(self) -> int:
        """A number that grows with every change."""
        return sum(table.version for table in self.tables())

    @property
    def organisation(self) -> Organisation:
        """The organisation itself."""
        return self.organisations[self.tenant]

    def today(self) -> date:
        """The day it is in the organisation's time zone (F 6.55)."""
        return self.now().astimezone(self.zone()).date()

    def zone(self) -> tzinfo:
        """The organisation's time zone; its standard time where this machine knows no zones."""
        name = self.organisation.zone
        try:
            return ZoneInfo(name)
        except ZoneInfoNotFoundError:
            return timezone(timedelta(hours=_STANDARD_HOURS.get(name, 0)))

    def account(self, code: str) -> Account | None:
        """The account of *code*, an active one first."""
        found = self.accounts.by("code", code.lower())
        return next((account for account in found if account.status == "ACTIVE"), found[0] if found else None)

    def control(self) -> ControlAccounts:
        """The accounts that Xero posts to by itself."""
        if self._control is None:
            of = {account.system: account.id for account in self.accounts if account.system}
            self._control = ControlAccounts(
                debtors=of["DEBTORS"],
                creditors=of["CREDITORS"],
                tax=of["GST"],
                rounding=of["ROUNDING"],
                currency_gain=of["REALISEDCURRENCYGAIN"],
                retained=of["RETAINEDEARNINGS"],
            )
        return self._control

    def payments_of(self, document_id: str) -> list[Payment]:
        """The payments of a document that have not been deleted."""
        return [payment for payment in self.payments.by("document", document_id) if payment.status == "AUTHORISED"]

    def attachments_of(self, owner_id: str) -> list[Attachment]:
        """The files that hang on a document, a contact or an account, oldest first."""
        return self.attachments.by("owner", owner_id)

    def has_attachments(self, owner_id: str) -> bool:
        """Whether any file hangs on *owner_id* (F 6.189)."""
        return self.attachments.has("owner", owner_id)

    def allocations_of(self, document_id: str) -> list[Allocation]:
        """The allocations from a credit note, or to an invoice."""
        return self.allocations.by("document", document_id)

    def next_number(self, *, credit_note: bool) -> str:
        """A number for a sale that came without one (F 6.57)."""
        while True:
            organisation = self.organisation
            count = (organisation.credit_notes_numbered if credit_note else organisation.invoices_numbered) + 1
            if credit_note:
                self.organisations.put(evolve(organisation, credit_notes_numbered=count))
            else:
                self.organisations.put(evolve(organisation, invoices_numbered=count))
            number = f"{'CN' if credit_note else 'INV'}-{count:04d}"
            if not self.documents.has("number", number.lower()):
                return number

    def _table(self, kind: str, shape: type[T], **keys: Keys[T]) -> Table[T]:
        table = Table(kind, shape, self._changes, tenant=self.tenant, keys=keys)
        self._tables.append(table)
        return table

    def _post_everything(self) -> None:
        self._posts(self.documents, lambda document: document_journal(document, self.control()))
        self._posts(self.payments, self._payment_journal)
        self._posts(self.allocations, self._allocation_journal)
        self._posts(self.bank_transactions, lambda transaction: bank_journal(transaction, self.control()))
        self._posts(self.bank_transfers, transfer_journal)
        self._posts(self.manual_journals, lambda journal: manual_journal(journal, self.control()))
        self.payments.watch(lambda old, new: self._post_parts(*_targets(old), *_targets(new)))
        self.allocations.watch(lambda old, new: self._post_parts(*_targets(old), *_targets(new)))

    def _posts(self, table: Table[T], journal: Callable[[T], Journal | None]) -> None:
        """Let the ledger hold what *journal* says each row of *table* posts."""

        def follow(old: T | None, new: T | None) -> None:
            row = new if new is not None else old
            if row is not None:
                self.ledger.post(row.id, journal(new) if new is not None else None)

        table.watch(follow)

    def _payment_journal(self, payment: Payment) -> Journal | None:
        return payment_journal(payment, self.documents[payment.document_id], self.control())

    def _allocation_journal(self, allocation: Allocation) -> Journal | None:
        credit, invoice = self.documents[allocation.credit_id], self.documents[allocation.invoice_id]
        return allocation_journal(allocation, credit, invoice, self.control())

    def _post_parts(self, *document_ids: str) -> None:
        """Let the ledger hold the cents that settling a document in parts leaves over."""
        for document in filter(None, map(self.documents.get, document_ids)):
            if document.rate != 1 or document.family == "Prepayments":
                parts: list[Payment | Allocation] = [*self.payments_of(document.id)]
                parts += self.allocations_of(document.id)
                self.ledger.post(f"{document.id}/parts", parts_journal(document, parts, self.control()))

    def _follow_account(self, old: Account | None, new: Account | None) -> None:
        if (old and old.system) or (new and new.system):
            self._control = None


def _account_codes(account: Account) -> list[str]:
    return [account.code.lower()] if account.code else []


def _systems(account: Account) -> list[str]:
    return [account.system] if account.system else []


def _active_names(contact: Contact) -> list[str]:
    return [contact.name.lower()] if contact.status == "ACTIVE" else []


def _names(contact: Contact) -> list[str]:
    return [contact.name.lower()]


def _numbers(contact: Contact) -> list[str]:
    return [contact.number.lower()] if contact.number else []


def _document_numbers(document: Document) -> list[str]:
    return [document.number.lower()] if document.number else []


def _members(group: ContactGroup) -> list[str]:
    return list(group.contact_ids)


def _item_codes(item: Item) -> list[str]:
    return [item.code.lower()]


def _items(document: Document) -> list[str]:
    return list(dict.fromkeys(line.item_code.lower() for line in document.lines if line.item_code))


def _contacts(document: Document) -> list[str]:
    return [document.contact_id]


def _documents(payment: Payment) -> list[str]:
    return [payment.document_id]


def _targets(part: Payment | Allocation | None) -> tuple[str, ...]:
    """The documents that a payment or an allocation settles."""
    if part is None:
        return ()
    return (part.document_id,) if isinstance(part, Payment) else (part.credit_id, part.invoice_id)


def _banks(transaction: BankTransaction) -> list[str]:
    return [transaction.account_id]


def _allocated(allocation: Allocation) -> list[str]:
    return [allocation.credit_id, allocation.invoice_id]


def _offer_numbers(offer: Offer) -> list[str]:
    return [offer.number.lower()] if offer.number else []


def _owners(attachment: Attachment) -> list[str]:
    return [attachment.owner_id]


def _linked_lines(linked: LinkedTransaction) -> list[str]:
    return [linked.source_line_id]
