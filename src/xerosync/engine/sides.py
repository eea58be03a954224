"""The two sides of the books: what the documents of each are called among all writes, and by what a paper is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import evolve, frozen

from xerosync.engine.actions import SALE, CreateBill, CreateCreditNote, CreateSale, CreateSaleCredit, Pending
from xerosync.engine.paper_actions import (
    ChangeBill,
    ChangeCredit,
    ChangeSale,
    ChangeSaleCredit,
    ChangeSupplierCredit,
    SubmitSale,
    SubmitSaleCredit,
)
from xerosync.engine.vendors import vendor_key
from xerosync.mapping.documents import marked_reference, tagged_credit_note
from xerosync.mapping.papers import Paper, Sale
from xerosync.models import CreditNote, Invoice


@frozen(kw_only=True)
class Side:
    """
    One side: what *creates* its invoices and its *credits*, and what changes them.

    Their operations' names begin with *prefix*. *known_as* gives what names the *party* of a paper among its facts; one
    that there is no contact for is *unclear*. *remarked* puts the mark of a document on it again, where an edit would
    lose it.
    """

    creates: type[CreateBill | CreateSale]
    credits: type[CreateCreditNote | CreateSaleCredit]
    prefix: str
    party: str
    known_as: Callable[[str], str]
    unclear: str
    change: type[ChangeBill]
    change_credit: type[ChangeCredit]
    remarked: Callable[[Invoice | CreditNote, str], Invoice | CreditNote]

    @property
    def invoice(self) -> str:
        """The kind of write that creates an invoice."""
        return self.creates.kind

    @property
    def credit(self) -> str:
        """The kind of write that creates a credit note."""
        return self.credits.kind

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


def _remarked_purchase(document: Invoice | CreditNote, mark: str) -> Invoice | CreditNote:
    # A bill's mark is in its link, which no edit sends.
    return tagged_credit_note(document, mark) if isinstance(document, CreditNote) else document


def _remarked_sale(document: Invoice | CreditNote, mark: str) -> Invoice | CreditNote:
    return evolve(document, reference=marked_reference(document.reference or "", mark))


PURCHASES: Final = Side(
    creates=CreateBill,
    credits=CreateCreditNote,
    prefix="",
    party="vendor",
    known_as=vendor_key,
    unclear="vendor unclear",
    change=ChangeBill,
    change_credit=ChangeSupplierCredit,
    remarked=_remarked_purchase,
)

SALES: Final = Side(
    creates=SubmitSale,
    credits=SubmitSaleCredit,
    prefix=SALE,
    party="customer",
    known_as=str,
    unclear="customer unclear",
    change=ChangeSale,
    change_credit=ChangeSaleCredit,
    remarked=_remarked_sale,
)
