"""The host's own papers and the documents they become in Xero, whichever side of the books they stand on: pure."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final, TypeVar

from attrs import field, frozen

from xerosync.arguments import fields_checked
from xerosync.errors import InvalidInput
from xerosync.mapping.documents import check_day, check_written_day
from xerosync.mapping.lines import LONGEST, BillLine, PaperLine, SaleLine, check_lines, line_items, lines_total
from xerosync.matching.keys import Vendor, vendor_name
from xerosync.models import CreditNote, DocumentStatus, Invoice, InvoiceType, LineAmountTypes
from xerosync.money import Money
from xerosync.texts import check_id, check_text

_POSTED_AS: Final = (DocumentStatus.DRAFT, DocumentStatus.SUBMITTED, DocumentStatus.AUTHORISED)


@frozen(kw_only=True, repr=False, field_transformer=fields_checked)
class Paper:
    """What a bill and a sale have in common; `party` is whose it is."""

    id: str
    number: str
    on: date
    lines: tuple[PaperLine, ...]
    due: date | None = None
    amounts: LineAmountTypes = LineAmountTypes.NO_TAX
    status: DocumentStatus | None = None
    currency_rate: Decimal | None = None
    stated_total: Money | None = None

    def __attrs_post_init__(self) -> None:
        check_day("on", self.on)
        if self.due is not None:
            check_day("due", self.due)

    @property
    def party(self) -> str:
        """Whose it is: the vendor's name, or the host's own id of the customer."""
        raise NotImplementedError

    @property
    def total(self) -> Money:
        """
        The sum of the lines, with the taxes they state where amounts exclude them.

        Raises `InvalidInput` when there is no line, or they differ in currency.
        """
        return lines_total(self.lines, self.amounts)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"


P = TypeVar("P", bound=Paper)


@frozen(kw_only=True, repr=False, field_transformer=fields_checked)
class Bill(Paper):
    """
    A bill, receipt or credit note as the host has it. *id* is the host's own and makes it known again.

    *vendor* is the vendor's name, or a `Vendor` with more by which it is found; *number* its number for the paper. A
    negative total makes it a supplier's credit note. *due* is the day the bill is due, *on* unless given. *amounts*
    says whether the lines' amounts contain tax, or bear none. *status* is a draft, awaiting approval (`SUBMITTED`) or
    approved (`AUTHORISED`), as the story is set up unless given. *currency_rate* is units of the bill's currency for
    one of the organisation's own (F 6.70); Xero's day rate unless given. *stated_total* is what the paper says is to be
    paid: cents that the taxes of its lines do not add up to become a line of their own.
    """

    vendor: str | Vendor
    lines: tuple[BillLine, ...] = field(converter=tuple[BillLine, ...])

    @property
    def party(self) -> str:
        """The vendor's name."""
        return vendor_name(self.vendor)


@frozen(kw_only=True, repr=False, field_transformer=fields_checked)
class Sale(Paper):
    """
    An invoice to a customer as the host has it, or a credit note where the total is negative. *id* is the host's own.

    *customer* is the host's id of the customer, who must be connected. *number* is unique in the organisation (F 6.57),
    and given by Xero unless given here. *due* is the day it is due, *on* unless given. *amounts* says whether the
    lines' amounts contain tax, or bear none. *status* is a draft, awaiting approval (`SUBMITTED`) or approved
    (`AUTHORISED`), as the story is set up unless given. *currency_rate* and *stated_total* are as a `Bill`'s. Lines of
    settlements name the invoice as *transaction*, by its *id* unless given.
    """

    customer: str
    number: str = ""
    lines: tuple[SaleLine, ...] = field(converter=tuple[SaleLine, ...])
    reference: str = ""
    transaction: str = ""

    @property
    def party(self) -> str:
        """The host's id of the customer."""
        return self.customer


def checked(paper: P) -> P:
    """*paper*, if Xero can keep it. Raises `InvalidInput` naming the field, before anything is sent."""
    check_names(paper)
    check_text("number", paper.number, longest=LONGEST["number"])
    check_written_day("on", paper.on)
    check_written_day("due", paper.due)
    if paper.status not in {None, *_POSTED_AS}:
        raise InvalidInput("status", f"give one of {', '.join(_POSTED_AS)}")
    if paper.stated_total is not None and not paper.stated_total.to_the_cent:
        raise InvalidInput("stated_total", "give a total to the currency's smallest coin")
    check_lines(paper.lines, paper.amounts, paper.currency_rate)
    if isinstance(paper, Sale):
        _check_sale(paper)
    return paper


def check_names(paper: Paper) -> None:
    """Refuse a *paper* that cannot even be looked for: its id, or whose it is, cannot be. Raises `InvalidInput`."""
    check_id("id", paper.id)
    match paper:
        case Bill():
            check_vendor(paper.vendor)
        case Sale():
            check_id("customer", paper.customer)
        case _:
            pass


def _check_sale(sale: Sale) -> None:
    check_text("reference", sale.reference, longest=LONGEST["reference"])
    if sale.transaction:
        check_id("transaction", sale.transaction)
    if sale.total.amount < 0 and any(line.is_discounted for line in sale.lines):
        raise InvalidInput("discount", "give what is left after it: Xero has no discounts on credit notes (F 6.105)")


def check_vendor(vendor: str | Vendor) -> None:
    """Refuse a vendor without a name, or with a text that cannot be kept. Raises `InvalidInput`."""
    check_text("vendor", vendor_name(vendor), needed=True)
    if isinstance(vendor, Vendor):
        for name in ("contact_number", "account_number", "email", "tax_number", "phone"):
            check_text(f"vendor.{name}", getattr(vendor, name))


def map_bill(bill: Bill) -> Invoice | CreditNote:
    """
    *bill* as the document it becomes in Xero: a bill, or a supplier's credit note where its total is negative.

    A mapper of your own may wrap this one: evolve what it gives. Contact and mark are put in after it.
    """
    if bill.total.amount < 0:
        return _credit_note(bill, InvoiceType.ACCPAYCREDIT, number=bill.number)
    return _invoice(bill, InvoiceType.ACCPAY, number=bill.number)


def map_sale(sale: Sale) -> Invoice | CreditNote:
    """
    *sale* as the document it becomes in Xero: an invoice, or a credit note to the customer where its total is negative.

    A mapper of your own may wrap this one: evolve what it gives. Contact and mark are put in after it.
    """
    number, reference = sale.number or None, sale.reference or None
    if sale.total.amount < 0:
        return _credit_note(sale, InvoiceType.ACCRECCREDIT, number=number, reference=reference)
    return _invoice(sale, InvoiceType.ACCREC, number=number, reference=reference)


def _invoice(paper: Paper, kind: InvoiceType, *, number: str | None, reference: str | None = None) -> Invoice:
    """*paper* as an invoice of *kind*, its contact and mark left open."""
    return Invoice(
        type=kind,
        invoice_number=number,
        reference=reference,
        date=paper.on,
        due_date=paper.due or paper.on,
        status=paper.status or DocumentStatus.AUTHORISED,
        line_amount_types=paper.amounts,
        line_items=line_items(paper.lines, paper.amounts),
        currency_code=paper.total.currency,
        currency_rate=paper.currency_rate,
    )


def _credit_note(paper: Paper, kind: InvoiceType, *, number: str | None, reference: str | None = None) -> CreditNote:
    """*paper*, whose total is negative, as a credit note of *kind*, its contact and mark left open."""
    return CreditNote(
        type=kind,
        credit_note_number=number,
        reference=reference,
        date=paper.on,
        status=paper.status or DocumentStatus.AUTHORISED,
        line_amount_types=paper.amounts,
        line_items=line_items(paper.lines, paper.amounts, sign=-1),
        currency_code=paper.total.currency,
        currency_rate=paper.currency_rate,
    )
