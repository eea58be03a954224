"""What moves through bank accounts outside invoices, and manual journals."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import ClassVar, Final

from attrs import AttrsInstance, define

from xerosync.client._driver import stepped, stepped_into, stepped_rows
from xerosync.client.changes import Changes
from xerosync.client.resources.files import AsyncFiled, AsyncNoted
from xerosync.client.resources.stamped import AsyncStamped
from xerosync.client.resources.writing import AsyncChangeable, AsyncWritable
from xerosync.filters.expressions import Filter
from xerosync.models import BankTransaction, BankTransfer, ManualJournal


@define(eq=False)
class AsyncBankTransactions(
    AsyncChangeable[BankTransaction],
    AsyncFiled[BankTransaction],
    AsyncNoted[BankTransaction],
    AsyncStamped[BankTransaction],
):
    """Money spent and received with lines of its own."""

    collection: ClassVar[str] = "BankTransactions"
    model: ClassVar[type[AttrsInstance]] = BankTransaction
    fixed: ClassVar[Mapping[str, str]] = {"unitdp": "4"}

    def list(
        self, *, where: Filter[BankTransaction] | None = None, modified_since: datetime | None = None
    ) -> AsyncIterator[BankTransaction]:
        """Bank transactions with their lines, in the order of their ids, deleted ones too."""
        return self._paged({}, modified_since, where)

    async def delete(self, document_id: str) -> BankTransaction:
        """Delete a bank transaction that is not reconciled. Raises `Rejected`, `OutcomeUnknown`."""
        return await self._post_one(document_id, {"Status": "DELETED"}, "deleted")


@define(eq=False)
class AsyncBankTransfers(AsyncWritable[BankTransfer], AsyncFiled[BankTransfer], AsyncNoted[BankTransfer]):
    """Money moved between accounts of type BANK."""

    collection: ClassVar[str] = "BankTransfers"
    model: ClassVar[type[AttrsInstance]] = BankTransfer
    at_once: ClassVar[int] = 1

    def list(
        self,
        *,
        where: Filter[BankTransfer] | None = None,
        modified_since: datetime | None = None,
        include_deleted: bool = False,
    ) -> AsyncIterator[BankTransfer]:
        """All transfers; deleted ones only when asked for. Their rows do not say when they last changed."""
        return self._all({"includeDeleted": "true" if include_deleted else ""}, modified_since, where)

    async def delete(self, document_id: str) -> BankTransfer:
        """Delete a transfer, on both accounts. Raises `Rejected`, `OutcomeUnknown`."""
        return await self._post_one(document_id, {"Status": "DELETED"}, "deleted")


@define(eq=False)
class AsyncManualJournals(
    AsyncChangeable[ManualJournal], AsyncFiled[ManualJournal], AsyncNoted[ManualJournal], AsyncStamped[ManualJournal]
):
    """Journals entered by hand."""

    collection: ClassVar[str] = "ManualJournals"
    model: ClassVar[type[AttrsInstance]] = ManualJournal

    def list(
        self, *, where: Filter[ManualJournal] | None = None, modified_since: datetime | None = None
    ) -> AsyncIterator[ManualJournal]:
        """Manual journals with their lines, in the order of their ids."""
        return self._paged({}, modified_since, where)

    async def void(self, document_id: str) -> ManualJournal:
        """Void a journal that is posted (F 6.165). Raises `Rejected`, `OutcomeUnknown`."""
        return await self._post_one(document_id, {"Status": "VOIDED"}, "voided")

    async def delete(self, document_id: str) -> ManualJournal:
        """Delete a journal that is a draft. Raises `Rejected`, `OutcomeUnknown`."""
        return await self._post_one(document_id, {"Status": "DELETED"}, "deleted")


class BankTransactions:
    """Money spent and received with lines of its own."""

    def __init__(self, flows: AsyncBankTransactions) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncBankTransactions.list)
    changes: Final = stepped_into(AsyncBankTransactions.changes, Changes[BankTransaction])
    get: Final = stepped(AsyncBankTransactions.get)
    create: Final = stepped(AsyncBankTransactions.create)
    create_one: Final = stepped(AsyncBankTransactions.create_one)
    update: Final = stepped(AsyncBankTransactions.update)
    update_one: Final = stepped(AsyncBankTransactions.update_one)
    delete: Final = stepped(AsyncBankTransactions.delete)
    attachments: Final = stepped(AsyncBankTransactions.attachments)
    attach: Final = stepped(AsyncBankTransactions.attach)
    download: Final = stepped(AsyncBankTransactions.download)
    history: Final = stepped(AsyncBankTransactions.history)
    add_note: Final = stepped(AsyncBankTransactions.add_note)


class BankTransfers:
    """Money moved between accounts of type BANK."""

    def __init__(self, flows: AsyncBankTransfers) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncBankTransfers.list)
    get: Final = stepped(AsyncBankTransfers.get)
    create: Final = stepped(AsyncBankTransfers.create)
    create_one: Final = stepped(AsyncBankTransfers.create_one)
    delete: Final = stepped(AsyncBankTransfers.delete)
    attachments: Final = stepped(AsyncBankTransfers.attachments)
    attach: Final = stepped(AsyncBankTransfers.attach)
    download: Final = stepped(AsyncBankTransfers.download)
    history: Final = stepped(AsyncBankTransfers.history)
    add_note: Final = stepped(AsyncBankTransfers.add_note)


class ManualJournals:
    """Journals entered by hand."""

    def __init__(self, flows: AsyncManualJournals) -> None:
        self._flows: Final = flows

    list: Final = stepped_rows(AsyncManualJournals.list)
    changes: Final = stepped_into(AsyncManualJournals.changes, Changes[ManualJournal])
    get: Final = stepped(AsyncManualJournals.get)
    create: Final = stepped(AsyncManualJournals.create)
    create_one: Final = stepped(AsyncManualJournals.create_one)
    update: Final = stepped(AsyncManualJournals.update)
    update_one: Final = stepped(AsyncManualJournals.update_one)
    void: Final = stepped(AsyncManualJournals.void)
    delete: Final = stepped(AsyncManualJournals.delete)
    attachments: Final = stepped(AsyncManualJournals.attachments)
    attach: Final = stepped(AsyncManualJournals.attach)
    download: Final = stepped(AsyncManualJournals.download)
    history: Final = stepped(AsyncManualJournals.history)
    add_note: Final = stepped(AsyncManualJournals.add_note)
