"""Billable expenses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import ClassVar, Final

from attrs import AttrsInstance, define

from xerosync.client._driver import stepped, stepped_rows
from xerosync.client.resources.base import as_id, as_text
from xerosync.client.resources.writing import AsyncSingly
from xerosync.models import LinkedTransaction, LinkedTransactionStatus


@define(eq=False)
class AsyncLinkedTransactions(AsyncSingly[LinkedTransaction]):
    """
    Lines of bills, and of money spent, that are billable to customers (F 6.174).

    Which line one is of never changes: delete it, and create another.
    """

    collection: ClassVar[str] = "LinkedTransactions"
    model: ClassVar[type[AttrsInstance]] = LinkedTransaction
    sized: ClassVar[bool] = False

    def list(
        self,
        *,
        source_transaction_id: str = "",
        contact_id: str = "",
        status: LinkedTransactionStatus | None = None,
        target_transaction_id: str = "",
    ) -> AsyncIterator[LinkedTransaction]:
        """Those of a purchase, of a customer, of a status, on a sale; raises `InvalidInput` for what is no id."""
        ids = {
            "SourceTransactionID": ("source_transaction_id", source_transaction_id),
            "ContactID": ("contact_id", contact_id),
            "TargetTransactionID": ("target_transaction_id", target_transaction_id),
        }
        given = {param: as_id(value, name) for param, (name, value) in ids.items() if value}
        return self._paged({**given, "Status": as_text(status or "", "status")})

    async def delete(self, linked_transaction_id: str) -> None:
        """
        Charge it to nobody any more, unless the customer was billed for it.

        Raises `NotFound`, `Rejected`, `OutcomeUnknown`.
        """
        await self._delete(as_id(linked_transaction_id))


class LinkedTransactions:
    """
    Lines of bills, and of money spent, that are billable to customers (F 6.174).

    Which line one is of never changes: delete it, and create another.
    """

    def __init__(self, flows: AsyncLinkedTransactions) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncLinkedTransactions.list)
    get: Final = stepped(AsyncLinkedTransactions.get)
    create: Final = stepped(AsyncLinkedTransactions.create)
    create_one: Final = stepped(AsyncLinkedTransactions.create_one)
    update: Final = stepped(AsyncLinkedTransactions.update)
    update_one: Final = stepped(AsyncLinkedTransactions.update_one)
    delete: Final = stepped(AsyncLinkedTransactions.delete)
