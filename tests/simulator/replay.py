"""Makes again, through the API, what stands in an answer of real Xero."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from attrs import define, field
from tests.simulator.conftest import Product, Sent
from tests.simulator.conftest import text as told
from tests.simulator.recorded import Part, part, parts, text

_LINE = ("Description", "UnitAmount", "TaxType", "AccountCode", "Quantity", "ItemCode")


@define
class Replay:
    """Books in which the contacts, items, tracking, documents and payments of recorded rows are made."""

    product: Product
    contacts: dict[str, str] = field(factory=dict[str, str])
    items: set[str] = field(factory=set[str])
    options: dict[str, set[str]] = field(factory=dict[str, set[str]])

    def write(self, method: str, path: str, body: Sent, plural: str = "") -> str:
        """Send *body*, which must be taken; the id of what was made."""
        reply = self.product.call(method, path, body)
        assert reply.status == 200, f"{path}: {reply.text}"
        row = reply.one(plural or path)
        return told(row, next(name for name in row if name.endswith("ID")))

    def account(self, code: str) -> None:
        """Add an account that the recorded company has and a new one of ours has not."""
        if all(one.code != code for one in self.product.books.accounts):
            self.write("PUT", "Accounts", {"Code": code, "Name": f"Account {code}", "Type": "EXPENSE"})

    def contact(self, row: Part) -> str:
        name = text(row, "Name")
        if name not in self.contacts:
            kept = {key: row[key] for key in row if key in {"FirstName", "LastName", "EmailAddress", "TaxNumber"}}
            phones = [{key: text(one, key) for key in one} for one in parts(row, "Phones") if text(one, "PhoneNumber")]
            addresses = [{key: text(one, key) for key in one} for one in parts(row, "Addresses") if len(one) > 1]
            sent: Sent = {"Name": name, "Phones": phones, "Addresses": addresses}
            self.contacts[name] = self.write("PUT", "Contacts", sent | kept)
            for group in parts(row, "ContactGroups"):
                made = self.write("PUT", "ContactGroups", {"Name": text(group, "Name")})
                member: Sent = {"Contacts": [{"ContactID": self.contacts[name]}]}
                self.product.call("PUT", f"ContactGroups/{made}/Contacts", member)
        return self.contacts[name]

    def document(self, row: Part, plural: str = "Invoices") -> str:
        """Make the invoice or credit note *row*, and all that is applied to it."""
        number = text(row, "CreditNoteNumber" if plural == "CreditNotes" else "InvoiceNumber")
        sent: Sent = {
            "Type": text(row, "Type"),
            "Contact": {"ContactID": self.contact(part(row, "Contact"))},
            "Reference": text(row, "Reference"),
            "Date": text(row, "DateString"),
            "LineAmountTypes": text(row, "LineAmountTypes"),
            "Status": "DRAFT" if text(row, "Status") == "DRAFT" else "AUTHORISED",
            "LineItems": [self.line(line) for line in parts(row, "LineItems")],
        }
        if number:
            sent["CreditNoteNumber" if plural == "CreditNotes" else "InvoiceNumber"] = number
        if "DueDateString" in row:
            sent["DueDate"] = text(row, "DueDateString")
        if row.get("SentToContact"):
            sent["SentToContact"] = True
        made = self.write("PUT", plural, sent)
        if row.get("HasAttachments"):
            headers = {
                "Authorization": f"Bearer {self.product.access_token}",
                "Xero-Tenant-Id": self.product.tenant_id,
                "Content-Type": "application/pdf",
            }
            url = f"https://api.xero.com/api.xro/2.0/{plural}/{made}/Attachments/bill.pdf"
            assert self.product.send("PUT", url, headers, b"%PDF-1.4").status == 200
        for allocation in parts(row, "Allocations"):
            self.use(row, allocation, made)
        for note in parts(row, "CreditNotes"):
            self.credit(row, note, made)
        for payment in parts(row, "Payments"):
            self.pay(payment, made)
        if text(row, "Status") == "VOIDED":
            self.write("POST", f"Invoices/{made}", {"InvoiceID": made, "Status": "VOIDED"}, "Invoices")
        return made

    def line(self, row: Part) -> Sent:
        """What to send for the line *row*: what its item or its account would fill in otherwise, too."""
        sent: Sent = {key: text(row, key) for key in _LINE if key in row}
        if code := text(row, "AccountCode"):
            self.account(code)
        if (code := text(row, "ItemCode")) and code not in self.items:
            self.items.add(code)
            self.write("PUT", "Items", {"Code": code, "Name": text(part(row, "Item"), "Name") or code})
        if tracking := parts(row, "Tracking"):
            sent["Tracking"] = [self.option(text(one, "Name"), text(one, "Option")) for one in tracking]
        return sent

    def option(self, category: str, option: str) -> Sent:
        if category not in self.options:
            self.options[category] = set()
            self.write("PUT", "TrackingCategories", {"Name": category})
        if option not in self.options[category]:
            self.options[category].add(option)
            (found,) = (one for one in self.product.books.tracking_categories if one.name == category)
            self.write("PUT", f"TrackingCategories/{found.id}/Options", {"Name": option}, "Options")
        return {"Name": category, "Option": option}

    def credit(self, invoice: Part, row: Part, invoice_id: str) -> None:
        """Make the credit note that *row* shows on an invoice, and allocate it."""
        sale = text(invoice, "Type") == "ACCREC"
        note = self.write(
            "PUT",
            "CreditNotes",
            {
                "Type": "ACCRECCREDIT" if sale else "ACCPAYCREDIT",
                "CreditNoteNumber": text(row, "CreditNoteNumber"),
                "Contact": {"ContactID": self.contact(part(invoice, "Contact"))},
                "Date": text(row, "DateString"),
                "LineAmountTypes": "Inclusive",
                "Status": "AUTHORISED",
                "LineItems": [{"Description": "Credit", "UnitAmount": text(row, "Total"), "AccountCode": "200"}],
            },
        )
        self.allocate(note, invoice_id, text(row, "AppliedAmount"), text(row, "DateString"))

    def use(self, note: Part, allocation: Part, note_id: str) -> None:
        """Make the invoice that the *allocation* of the credit note *note* shows, and allocate to it."""
        amount, day = text(allocation, "Amount"), day_of(text(allocation, "Date"))
        line: Sent = {"Description": "Work", "UnitAmount": amount, "AccountCode": "200"}
        invoice: Sent = {
            "Type": text(note, "Type").removesuffix("CREDIT"),
            "InvoiceNumber": text(part(allocation, "Invoice"), "InvoiceNumber"),
            "Contact": {"ContactID": self.contact(part(note, "Contact"))},
            "Date": day,
            "DueDate": day,
            "LineAmountTypes": "Inclusive",
            "Status": "AUTHORISED",
            "LineItems": [line],
        }
        self.allocate(note_id, self.write("PUT", "Invoices", invoice), amount, day)

    def allocate(self, note: str, invoice_id: str, amount: str, day: str) -> None:
        sent: Sent = {"Allocations": [{"Amount": amount, "Date": day, "Invoice": {"InvoiceID": invoice_id}}]}
        reply = self.product.call("PUT", f"CreditNotes/{note}/Allocations", sent)
        assert reply.status == 200, reply.text

    def pay(self, row: Part, invoice_id: str) -> None:
        sent: Sent = {
            "Invoice": {"InvoiceID": invoice_id},
            "Account": {"Code": "090"},
            "Date": day_of(text(row, "Date")),
            "Amount": text(row, "Amount"),
            "Reference": text(row, "Reference"),
        }
        self.write("PUT", "Payments", sent)


def day_of(escaped: str) -> str:
    """The day that ``/Date(1581292800000+0000)/`` stands for."""
    ms = int(escaped.removeprefix("/Date(").partition("+")[0])
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).date().isoformat()
