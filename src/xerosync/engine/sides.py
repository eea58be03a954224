"""The two sides of the books: what the documents of each are called among all writes, and by what a paper is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import frozen

from xerosync.engine.actions import CreateBill, CreateCreditNote, Pending
from xerosync.engine.paper_actions import ChangeBill
from xerosync.engine.vendors import vendor_key
from xerosync.mapping.papers import Paper


@frozen(kw_only=True)
class Side:
    """
    One side: the kinds of write of its *invoice*, *credit* note and *edit*, whose operations' names begin with
    *prefix*. *known_as* gives what names the *party* of a paper among its facts; where there is none to post to, that
    is *unclear*.
    """

    invoice: str
    credit: str
    edit: str
    prefix: str
    party: str
    known_as: Callable[[str], str]
    unclear: str

    def operation(self, kind: str, host_id: str) -> Pending:
        """The operation of *kind* on the paper of this id of the host's."""
        return Pending(kind, f"{self.prefix}{host_id}")

    def host_id(self, operation: Pending) -> str:
        """The host's id of what *operation* is about."""
        return operation.host_ref.removeprefix(self.prefix)

    def facts(self, paper: Paper) -> dict[str, str]:
        """What a document is known by as that of *paper*."""
        total = paper.total.rounded()
        return {self.party: self.known_as(paper.party), "number": paper.number, "amount": str(total.amount)}


PURCHASES: Final = Side(
    invoice=CreateBill.kind,
    credit=CreateCreditNote.kind,
    edit=ChangeBill.kind,
    prefix="",
    party="vendor",
    known_as=vendor_key,
    unclear="vendor unclear",
)
