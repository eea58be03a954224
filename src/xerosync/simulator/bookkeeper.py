"""What people do by hand in Xero's own screens, and how a test reads the books."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from decimal import Decimal
from typing import TypeVar

from attrs import evolve

from xerosync.errors import InvalidInput
from xerosync.simulator.books import Books
from xerosync.simulator.entities import Account, Allocation, Contact, Document, Organisation, Payment
from xerosync.simulator.given import Given, Json
from xerosync.simulator.identity import Identity
from xerosync.simulator.refusals import Invalid
from xerosync.simulator.resources.reports import TrialLine, trial_balance
from xerosync.simulator.rules import accounts, contacts, documents, payments
from xerosync.simulator.world import World

T = TypeVar("T")


class Bookkeeper:
    """
    One organisation's books, worked on by hand.

    What Xero's rules refuse raises `InvalidInput` with Xero's own words. Every change is durable when the call returns,
    or with the transaction around it. Amounts are in the document's currency, balances in the base currency.
    """

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
        return tuple(one for one in self._books.documents if not one.is_credit_note)

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

    def trial_balance(self, on: date | None = None) -> tuple[TrialLine, ...]:
        """The trial balance as at *on*; today when that is not given."""
        return tuple(trial_balance(self._books, on or self.today))

    def add_account(
        self,
        code: str,
        name: str,
        *,
        type: str = "CURRENT",  # noqa: A002
        enable_payments: bool = False,
        **others: Json,
    ) -> Account:
        """Add an account; *others* are further fields by Xero's names."""
        fields: dict[str, Json] = {"Code": code, "Name": name, "Type": type, "EnablePaymentsToAccount": enable_payments}
        if type == "BANK":
            fields["BankAccountNumber"] = f"020800{code}"
        return self._do(lambda: accounts.create(self._books, Given(fields | others)))

    def archive_account(self, code: str) -> Account:
        """Archive the account of *code*, used or not."""
        account = self.account(code)
        return self._do(lambda: accounts.update(self._books, account, Given({"Status": "ARCHIVED"})))

    def add_contact(self, name: str, *, email: str = "", number: str = "", **others: Json) -> Contact:
        """Add a contact; *others* are further fields by Xero's names."""
        fields: dict[str, Json] = {"Name": name}
        if email:
            fields["EmailAddress"] = email
        if number:
            fields["ContactNumber"] = number
        return self._do(lambda: contacts.save(self._books, Given(fields | others), create_only=True))

    def rename_contact(self, contact_id: str, name: str) -> Contact:
        """Give a contact another name."""
        contact = self.contact(contact_id)
        return self._do(lambda: contacts.update(self._books, contact, Given({"Name": name})))

    def archive_contact(self, contact_id: str) -> Contact:
        """Archive a contact; open invoices do not hinder that (F 6.30)."""
        contact = self.contact(contact_id)
        return self._do(lambda: contacts.update(self._books, contact, Given({"ContactStatus": "ARCHIVED"})))

    def restore_contact(self, contact_id: str) -> Contact:
        """Take a contact back out of the archive, which only people can (F 6.31)."""
        contact = self.contact(contact_id)

        def restore() -> Contact:
            if self._books.contacts.has("name", contact.name.lower()):
                raise Invalid(contacts.taken(contact.name))
            return self._books.contacts.put(evolve(contact, status="ACTIVE", updated_ms=self._books.write_stamp()))

        return self._do(restore)

    def merge_contacts(self, contact_id: str, *, into: str) -> Contact:
        """Merge a contact *into* another, which gets its documents and whose stamp does not move (F 6.34)."""
        loser, survivor = self.contact(contact_id), self.contact(into)

        def merge() -> Contact:
            for document in self._books.documents.by("contact", loser.id):
                moved = evolve(document, contact_id=survivor.id, updated_ms=self._books.write_stamp())
                self._books.documents.put(moved)
            self._books.contacts.put(
                evolve(
                    survivor,
                    is_customer=survivor.is_customer or loser.is_customer,
                    is_supplier=survivor.is_supplier or loser.is_supplier,
                )
            )
            stamp = self._books.write_stamp()
            return self._books.contacts.put(evolve(loser, status="ARCHIVED", merged_to=survivor.id, updated_ms=stamp))

        return self._do(merge)

    def add_invoice(
        self,
        contact_id: str,
        *,
        number: str = "",
        date: date | None = None,
        due: date | None = None,
        amount: Decimal | None = None,
        lines: Sequence[Mapping[str, Json]] | None = None,
        type: str = "ACCREC",  # noqa: A002
        status: str = "AUTHORISED",
        account: str = "",
        reference: str = "",
        **others: Json,
    ) -> Document:
        """
        Add an invoice or a bill (*type* ACCPAY) of *lines* by Xero's names, or of one line that makes *amount* in all.

        *account* is the code of that one line: 200 for sales, 429 for purchases. Due the day it is dated unless *due*.
        """
        fields = self._document_fields(
            contact_id, type=type, status=status, date=date, amount=amount, lines=lines, account=account
        ) | {
            "InvoiceNumber": number,
            "Reference": reference,
            "DueDate": (due or date or self.today).isoformat(),
        }
        wish = documents.Wish(self._books, Given(fields | others), documents.INVOICE, "")
        return self._do(lambda: documents.create(wish).document)

    def add_credit_note(
        self,
        contact_id: str,
        *,
        number: str = "",
        date: date | None = None,
        amount: Decimal | None = None,
        lines: Sequence[Mapping[str, Json]] | None = None,
        type: str = "ACCRECCREDIT",  # noqa: A002
        status: str = "AUTHORISED",
        account: str = "",
        **others: Json,
    ) -> Document:
        """Add a credit note, or a supplier's (*type* ACCPAYCREDIT); amounts as in `add_invoice`."""
        fields = self._document_fields(
            contact_id, type=type, status=status, date=date, amount=amount, lines=lines, account=account
        )
        given = Given(fields | {"CreditNoteNumber": number} | others)
        wish = documents.Wish(self._books, given, documents.CREDIT_NOTE, "")
        return self._do(lambda: documents.create(wish).document)

    def edit_invoice(
        self,
        invoice_id: str,
        *,
        amount: Decimal | None = None,
        lines: Sequence[Mapping[str, Json]] | None = None,
        due: date | None = None,
        **others: Json,
    ) -> Document:
        """Change an invoice, bill or credit note: what it amounts to, when it is due, *others* by Xero's names."""
        old = self.invoice(invoice_id)
        fields: dict[str, Json] = dict(others)
        if amount is not None:
            fields |= {"LineAmountTypes": "Inclusive", "LineItems": [self._one_line(old.type, amount, "")]}
        if lines is not None:
            fields["LineItems"] = [dict(line) for line in lines]
        if due is not None:
            fields["DueDate"] = due.isoformat()
        kind = documents.CREDIT_NOTE if old.is_credit_note else documents.INVOICE
        wish = documents.Wish(self._books, Given(fields), kind, old.made_by)
        return self._do(lambda: documents.update(wish, old).document)

    def void_invoice(self, invoice_id: str) -> Document:
        """Void an approved document, or delete a draft. Payments and allocations must be gone (F 6.53)."""
        draft = self.invoice(invoice_id).status in {"DRAFT", "SUBMITTED"}
        return self.edit_invoice(invoice_id, Status="DELETED" if draft else "VOIDED")

    def add_payment(
        self,
        invoice_id: str,
        *,
        account: str,
        amount: Decimal | None = None,
        date: date | None = None,
        reference: str = "",
        is_reconciled: bool = False,
    ) -> Payment:
        """Pay a document from or into the account of code *account*: *amount*, or all that is due."""
        document = self.invoice(invoice_id)
        target: dict[str, Json] = {"CreditNoteID" if document.is_credit_note else "InvoiceID": document.id}
        fields: dict[str, Json] = {
            "CreditNote" if document.is_credit_note else "Invoice": target,
            "Account": {"Code": account},
            "Amount": document.amount_due if amount is None else amount,
            "Date": (date or self.today).isoformat(),
            "Reference": reference,
            "IsReconciled": is_reconciled,
        }
        return self._do(lambda: payments.pay(self._books, Given(fields), made_by=""))

    def remove_payment(self, payment_id: str) -> Payment:
        """Remove a payment and redo, as people may even with a reconciled one."""
        payment = self._books.payments.get(payment_id)
        if payment is None or payment.status == "DELETED":
            raise InvalidInput("payment_id", "there is no such payment")
        return self._do(lambda: payments.take_back(self._books, payment))

    def reconcile_payment(self, payment_id: str) -> Payment:
        """Match a payment with a line of the bank's statement."""
        payment = self._books.payments[payment_id]
        stamp = self._books.write_stamp
        return self._do(lambda: self._books.payments.put(evolve(payment, is_reconciled=True, updated_ms=stamp())))

    def allocate(self, credit_note_id: str, *, invoice_id: str, amount: Decimal) -> Allocation:
        """Set *amount* of a credit note against an invoice."""
        note = self.invoice(credit_note_id)
        given = Given({"Invoice": {"InvoiceID": invoice_id}, "Amount": amount})
        return self._do(lambda: payments.allocate(self._books, note, given))

    def lock_period(self, until: date | None, *, year_end: bool = False) -> None:
        """Close the books up to and with *until*, for good if *year_end*; None opens them again (F 6.03)."""
        organisation = self._books.organisation
        locked = evolve(organisation, year_lock=until) if year_end else evolve(organisation, period_lock=until)
        self._do(lambda: self._books.organisations.put(locked))

    def add_currency(self, code: str) -> None:
        """Subscribe to a further currency (F 6.69)."""
        organisation = self._books.organisation
        several = tuple(dict.fromkeys((*organisation.currencies, code.upper())))
        self._do(lambda: self._books.organisations.put(evolve(organisation, currencies=several)))

    def disconnect(self, client_id: str | None = None) -> None:
        """Take the connection of app *client_id*, or of all apps, away in Xero's own settings (F 1.39)."""
        apps = [app.id for app in self._world.apps] if client_id is None else [client_id]
        self._do(lambda: self._identity.disconnect(apps, self.tenant_id))

    def set_up(
        self,
        key: str,
        *,
        accounts: Sequence[Mapping[str, Json]] = (),
        contacts: Sequence[Mapping[str, Json]] = (),
        invoices: Sequence[Mapping[str, Json]] = (),
    ) -> bool:
        """
        Enter what the bookkeeper had before the story starts: all in one transaction, and once for each *key*.

        Fields go by Xero's names or ours, in any letter case: accounts by ``code, name, type``, contacts by ``name``,
        invoices by ``contact`` (a name), ``number, date, due, amount`` or ``lines, type, status``. An account whose
        code, or a contact whose name, is there already is left as it is; one of another type is refused. False when
        *key* was done before.
        """
        if key in self._books.organisation.set_ups:
            return False
        with self._transaction():
            for row in accounts:
                self._set_up_account(Given(row))
            for row in contacts:
                self._set_up_contact(Given(row))
            by_name = {contact.name.lower(): contact.id for contact in self._books.contacts if not contact.merged_to}
            for row in invoices:
                self._set_up_invoice(Given(row), by_name)
            organisation = self._books.organisation
            self._books.organisations.put(evolve(organisation, set_ups=(*organisation.set_ups, key)))
        return True

    def _set_up_contact(self, given: Given) -> None:
        name = " ".join(given.text("name").split())
        if not self._books.contacts.has("name", name.lower()):
            self._do(lambda: contacts.save(self._books, given, create_only=True))

    def _set_up_account(self, given: Given) -> None:
        code, kind = given.text("code"), given.text("type").upper()
        existing = self._books.account(code)
        if existing is None:
            payable = bool(given.flag("EnablePaymentsToAccount") or given.flag("enable_payments"))
            self.add_account(code, given.text("name"), type=kind or "CURRENT", enable_payments=payable)
        elif kind and existing.type != kind:
            raise InvalidInput("accounts", f"account {code} is there already, of type {existing.type}")

    def _set_up_invoice(self, given: Given, by_name: Mapping[str, str]) -> None:
        named = given.text("contact") if isinstance(given.get("contact"), str) else ""
        contact = given.one("contact") if not named else None
        owner = (
            contact.text("ContactID") if contact is not None else by_name.get(" ".join(named.split()).lower(), named)
        )
        lines = given.get("LineItems") if given.has("LineItems") else given.get("lines")
        self.add_invoice(
            owner,
            number=given.text("number") or given.text("InvoiceNumber"),
            date=given.day("date"),
            due=given.day("due") or given.day("DueDate"),
            amount=given.amount("amount"),
            lines=[line for line in lines if isinstance(line, dict)] if isinstance(lines, list) else None,
            type=given.text("type").upper() or "ACCREC",
            status=given.text("status").upper() or "AUTHORISED",
            account=given.text("account"),
            reference=given.text("reference"),
        )

    def _document_fields(
        self,
        contact_id: str,
        *,
        type: str,  # noqa: A002
        status: str,
        date: date | None,
        amount: Decimal | None,
        lines: Sequence[Mapping[str, Json]] | None,
        account: str,
    ) -> dict[str, Json]:
        fields: dict[str, Json] = {
            "Type": type,
            "Status": status,
            "Contact": {"ContactID": contact_id},
            "Date": (date or self.today).isoformat(),
        }
        if lines is not None:
            fields["LineItems"] = [dict(line) for line in lines]
        elif amount is not None:
            fields["LineAmountTypes"] = "Inclusive"
            fields["LineItems"] = [self._one_line(type, amount, account)]
        else:
            raise InvalidInput("amount", "give an amount or lines")
        return fields

    @staticmethod
    def _one_line(type: str, amount: Decimal, account: str) -> dict[str, Json]:  # noqa: A002
        code = account or ("200" if type.startswith("ACCREC") else "429")
        return {"Description": "Goods and services", "Quantity": 1, "UnitAmount": amount, "AccountCode": code}

    def _do(self, write: Callable[[], T]) -> T:
        try:
            with self._transaction():
                return write()
        except Invalid as fault:
            raise InvalidInput("books", "; ".join(fault.messages)) from None
