"""Billable expenses, by hand."""

from __future__ import annotations

from xerosync.simulator.bookkeeper.reading import Reading
from xerosync.simulator.entities import LinkedTransaction
from xerosync.simulator.given import Given
from xerosync.simulator.rules import linked


class LinkedWork(Reading):
    """Charging lines of purchases to customers."""

    @property
    def linked_transactions(self) -> tuple[LinkedTransaction, ...]:
        """All that are there, oldest first."""
        return tuple(self._books.linked_transactions)

    def linked_status(self, linked_transaction_id: str) -> str:
        """How far it has come: DRAFT, APPROVED, ONDRAFT, BILLED or VOIDED."""
        return linked.status(self._books, self._books.linked_transactions[linked_transaction_id])

    def link_expense(self, purchase_id: str, *, line_id: str, contact_id: str = "") -> LinkedTransaction:
        """Mark the line of a bill, or of money spent, as billable to a customer, or to nobody yet."""
        fields = {"SourceTransactionID": purchase_id, "SourceLineItemID": line_id, "ContactID": contact_id}
        return self._do(lambda: linked.create(self._books, Given(fields)))

    def bill_expense(self, linked_transaction_id: str, *, sale_id: str) -> LinkedTransaction:
        """Put it on the first line of a sale to the customer."""
        line = self._books.documents[sale_id].lines[0]
        given = Given({"TargetTransactionID": sale_id, "TargetLineItemID": line.id})
        old = self._books.linked_transactions[linked_transaction_id]
        return self._do(lambda: linked.update(self._books, old, given))
