"""The two sides of the books: what the documents of each are called among all writes, and by what a paper is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import evolve, frozen

from xerosync.engine.actions import SALE, CreateBill, CreateCreditNote, Pending
from xerosync.engine.paper_actions import ChangeBill, ChangeSale, SubmitSale, SubmitSaleCredit
from xerosync.engine.vendors import vendor_key
from xerosync.mapping.documents import marked_reference
from xerosync.mapping.papers import Paper, Sale
from xerosync.models import Invoice


@frozen(kw_only=True)
class Side:
    """
    One side: the kinds of write of its *invoice* and *credit* note, and the *change* of one.

    Their operations' names begin with *prefix*. *known_as* gives what names the *party* of a paper among its facts; one
    that there is no contact for is *unclear*. *remarked* puts the mark of an invoice on it again, where an edit would
    lose it.
    """

    invoice: str
    credit: str
    prefix: str
    party: str
    known_as: Callable[[str], str]
    unclear: str
    change: type[ChangeBill]
    remarked: Callable[[Invoice, str], Invoice]

    @property
    def edit(self) -> str:
        """The kind of write that edits an invoice."""
        return self.change.kind

    def operation(self, kind: str, host_id: str) -> Pending:
        """The operation of *kind* on the paper of this id of the host's."""
        return Pending(kind, f"{self.prefix}{host_id}")

    def host_id(self, operation: Pending) -> str:
        """The host's id of what *operation* is about."""
        return operation.host_ref.removeprefix(self.prefix)

    def facts(self, paper: Paper) -> dict[str, str]:
        """What a document is known by as that of *paper*."""
        total = paper.total.rounded()
        facts = {self.party: self.known_as(paper.party), "number": paper.number, "amount": str(total.amount)}
        if isinstance(paper, Sale) and total.amount >= 0:
            facts["transaction"] = paper.transaction or paper.id
        return facts


PURCHASES: Final = Side(
    invoice=CreateBill.kind,
    credit=CreateCreditNote.kind,
    prefix="",
    party="vendor",
    known_as=vendor_key,
    unclear="vendor unclear",
    change=ChangeBill,
    remarked=lambda bill, _: bill,  # its mark is in its link, which no edit sends
)

SALES: Final = Side(
    invoice=SubmitSale.kind,
    credit=SubmitSaleCredit.kind,
    prefix=SALE,
    party="customer",
    known_as=str,
    unclear="customer unclear",
    change=ChangeSale,
    remarked=lambda sale, mark: evolve(sale, reference=marked_reference(sale.reference or "", mark)),
)
