"""All that was in the books before a story starts, entered at a stroke."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve

from xerosync.errors import InvalidInput
from xerosync.simulator.bookkeeper.contacts import ContactWork
from xerosync.simulator.bookkeeper.documents import DocumentWork
from xerosync.simulator.given import Given, Json
from xerosync.simulator.rules import contacts


class SetUpWork(ContactWork, DocumentWork):
    """Entering accounts, contacts and invoices, once."""

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
