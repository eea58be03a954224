"""The chart of accounts and the contacts, by hand."""

from __future__ import annotations

from attrs import evolve

from xerosync.simulator.bookkeeper.reading import Reading
from xerosync.simulator.entities import Account, Contact
from xerosync.simulator.given import Given, Json
from xerosync.simulator.refusals import Invalid
from xerosync.simulator.rules import accounts, contacts


class ContactWork(Reading):
    """Adding, renaming, archiving and merging."""

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
