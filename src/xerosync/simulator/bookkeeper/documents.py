"""Invoices, bills and credit notes, by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from xerosync.errors import InvalidInput
from xerosync.simulator.bookkeeper.reading import Reading
from xerosync.simulator.entities import Document
from xerosync.simulator.given import Given, Json
from xerosync.simulator.rules import documents


class DocumentWork(Reading):
    """Adding, editing and voiding."""

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
