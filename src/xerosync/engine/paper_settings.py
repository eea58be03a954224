"""What a host chose for its papers, and the documents they become by that: pure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import date
from typing import Generic, TypeAlias

from attrs import evolve, field, frozen

from xerosync.arguments import asked, fields_checked, fits
from xerosync.client._wire.outgoing import encode
from xerosync.engine.coding import Rules, why
from xerosync.engine.duplicates import Duplicates
from xerosync.engine.settling_policies import HistoryNotes, WhenLocked
from xerosync.errors import InvalidInput
from xerosync.mapping.papers import Bill, P, Sale, checked, map_bill, map_sale
from xerosync.models import CreditNote, DocumentStatus, Invoice

BillMapper: TypeAlias = Callable[[Bill], Invoice | CreditNote]
"""Makes a document of a bill, as `map_bill` does: a pure function."""


SaleMapper: TypeAlias = Callable[[Sale], Invoice | CreditNote]
"""Makes a document of a sale, as `map_sale` does: a pure function."""


@frozen(kw_only=True, field_transformer=fields_checked)
class PaperSettings(ABC, Generic[P]):
    """What a host chose for its bills and its sales alike; `BillSettings` says what each part means."""

    mapper: Callable[[P], Invoice | CreditNote]
    rules: Rules = field(factory=Rules)
    status: DocumentStatus = DocumentStatus.AUTHORISED
    when_locked: WhenLocked = WhenLocked.REFUSE
    notes: HistoryNotes | None = None

    @property
    @abstractmethod
    def standard(self) -> Callable[[P], Invoice | CreditNote]:
        """The mapper that a host wraps, or takes the place of."""

    def coded(self, paper: P) -> tuple[P, str]:
        """*paper* with what its lines and it do not say, and why they got it."""
        coded = [self.rules.code(paper.party, line) for line in paper.lines]
        status = paper.status or self.status
        return evolve(paper, lines=tuple(each.line for each in coded), status=status), why(coded)

    def document(self, coded: P) -> Invoice | CreditNote:
        """
        What the mapper makes of a paper that is *coded*.

        Raises `InvalidInput` where a mapper of the host's own raises anything, or makes of it what it is not.
        """
        made = asked("mapper", self.mapper, coded)
        if self.mapper is not self.standard:
            fits(made, Invoice | CreditNote, "mapper")
            asked("mapper", encode, made)
            xero_id = made.invoice_id if isinstance(made, Invoice) else made.credit_note_id
            if made.type != self.standard(coded).type or xero_id is not None:
                raise InvalidInput("mapper", "leave the type of the document and its id in Xero as they are")
        return made


@frozen(kw_only=True, field_transformer=fields_checked)
class BillSettings(PaperSettings[Bill]):
    """
    What a host chose for its bills, credit notes and card receipts.

    *rules* code the lines that do not say their account, tax or tracking. *status* is what documents are posted as that
    do not say: a draft, awaiting approval, or approved. *when_locked* says what becomes of a document in closed books.
    *mapper* makes Xero's document of a bill, after the rules; wrap `map_bill` to change a part of it. *duplicates* says
    what becomes of a bill that looks like one in Xero. *notes* puts a note into the history of whatever is written.
    """

    mapper: BillMapper = map_bill
    duplicates: Duplicates = Duplicates.WARN

    @property
    def standard(self) -> BillMapper:
        """`map_bill`."""
        return map_bill


@frozen(kw_only=True, field_transformer=fields_checked)
class SaleSettings(PaperSettings[Sale]):
    """
    What a host chose for its sales and its credit notes to customers.

    *rules* code the lines that do not say their account, tax or tracking; what they are told of the party is the
    customer's id. *status* is what documents are posted as that do not say: a draft, awaiting approval, or approved.
    *when_locked* says what becomes of a document in closed books. *mapper* makes Xero's document of a sale, after the
    rules; wrap `map_sale` to change a part of it. *notes* puts a note into the history of whatever is written.
    """

    mapper: SaleMapper = map_sale

    @property
    def standard(self) -> SaleMapper:
        """`map_sale`."""
        return map_sale


def documents_of(papers: Iterable[P], settings: PaperSettings[P]) -> list[Invoice | CreditNote]:
    """What those of *papers* become that can be posted: to see what they refer to."""
    documents: list[Invoice | CreditNote] = []
    for paper in papers:
        with suppress(InvalidInput):
            documents.append(settings.document(settings.coded(checked(paper))[0]))
    return documents


def moved_to(document: Invoice | CreditNote, on: date) -> Invoice | CreditNote:
    """*document* dated *on*, and due then at the earliest."""
    if isinstance(document, CreditNote):
        return evolve(document, date=on)
    return evolve(document, date=on, due_date=max(on, document.due_date or on))
