"""Payments, reconciliation and allocations, by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from attrs import evolve

from xerosync.errors import InvalidInput
from xerosync.simulator.bookkeeper.reading import Reading
from xerosync.simulator.entities import Allocation, Payment
from xerosync.simulator.given import Given, Json
from xerosync.simulator.rules import allocations, batches, payments


class MoneyWork(Reading):
    """Paying, taking back, reconciling, allocating."""

    def add_payment(
        self,
        invoice_id: str,
        *,
        account: str,
        amount: Decimal | None = None,
        date: date | None = None,
        reference: str = "",
        is_reconciled: bool = False,
        rate: Decimal | None = None,
    ) -> Payment:
        """
        Pay a document from or into the account of code *account*: *amount*, or all that is due.

        *rate* is that of a document in another currency (F 6.116).
        """
        document = self.invoice(invoice_id)
        target: dict[str, Json] = {"CreditNoteID" if document.is_credit_note else "InvoiceID": document.id}
        fields: dict[str, Json] = {
            "CreditNote" if document.is_credit_note else "Invoice": target,
            "Account": {"Code": account},
            "Amount": document.amount_due if amount is None else amount,
            "Date": (date or self.today).isoformat(),
            "Reference": reference,
            "IsReconciled": is_reconciled,
            "CurrencyRate": rate,
        }
        return self._do(lambda: payments.pay(self._books, Given(fields), made_by=""))

    def remove_payment(self, payment_id: str) -> Payment:
        """Remove a payment and redo, as people may even with a reconciled one, but with none of a batch (F 6.123)."""
        payment = self._books.payments.get(payment_id)
        if payment is None or payment.status == "DELETED":
            raise InvalidInput("payment_id", "there is no such payment")
        if payment.batch_id:
            raise InvalidInput("payment_id", "it is part of a batch payment: remove the batch")
        return self._do(lambda: payments.take_back(self._books, payment))

    def reconcile_payment(self, payment_id: str) -> Payment:
        """Match a payment with a line of the bank's statement; one of a batch with all of its batch (F 6.144)."""
        payment = self._books.payments[payment_id]
        if payment.batch_id:
            self._do(lambda: batches.reconcile(self._books, self._books.batch_payments[payment.batch_id]))
            return self._books.payments[payment_id]
        stamp = self._books.write_stamp
        return self._do(lambda: self._books.payments.put(evolve(payment, is_reconciled=True, updated_ms=stamp())))

    def allocate(self, credit_note_id: str, *, invoice_id: str, amount: Decimal) -> Allocation:
        """Set *amount* of a credit note against an invoice."""
        note = self.invoice(credit_note_id)
        given = Given({"Invoice": {"InvoiceID": invoice_id}, "Amount": amount})
        return self._do(lambda: allocations.allocate(self._books, note, given))

    def remove_allocation(self, allocation_id: str) -> None:
        """Take back what was set of a credit note against an invoice."""
        allocation = self._books.allocations.get(allocation_id)
        if allocation is None:
            raise InvalidInput("allocation_id", "there is no such allocation")
        self._do(lambda: allocations.unallocate(self._books, allocation))
