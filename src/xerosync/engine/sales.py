"""The sales' side: customers who are connected, and numbers that no two invoices may have."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal

from attrs import define, evolve, field, frozen

from xerosync.client._books import Books
from xerosync.engine.actions import Action, Ref
from xerosync.engine.allocating import parked_credits
from xerosync.engine.billing import OpenDocument
from xerosync.engine.ended import operations
from xerosync.engine.intents import Intent
from xerosync.engine.mirror import CONTACTS, CREDIT_NOTES, GONE, INVOICES, read_mirrored, refresh, walk
from xerosync.engine.noting import noted
from xerosync.engine.observed import intents_of, intents_with, links_of, records_by
from xerosync.engine.once import each_once, sifted
from xerosync.engine.pair_actions import ConnectCustomer
from xerosync.engine.paper_settings import SaleSettings
from xerosync.engine.paying import REFUNDS, CreditRefund, Open, OpenOverpayment, pay
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.posted import PostedDocument, posted_documents
from xerosync.engine.settling_policies import HistoryNotes
from xerosync.engine.sides import SALES
from xerosync.engine.states import State
from xerosync.engine.submitting import Posted, Submitting, read_known, worth_of
from xerosync.engine.transactions import standing_under
from xerosync.engine.updating import any_credits, update
from xerosync.engine.voiding import void
from xerosync.mapping.papers import Sale, check_names
from xerosync.matching.contacts import Contacts, is_active
from xerosync.models import Contact, CreditNote, Invoice, InvoiceType, Overpayment
from xerosync.money import Money
from xerosync.tables import Listing


@frozen(kw_only=True)
class PostedSale:
    """
    A sale as Xero keeps it: the host's *id*, the *number* it has there, and its total, negative for a credit note.

    *due* is what is still to be paid, or what is left of a credit, negative too.
    """

    id: str
    xero_id: str
    number: str
    total: Money
    due: Money
    status: str

    def __repr__(self) -> str:
        return f"<PostedSale {self.id} {self.status}>"


async def posted_sales(books: Books, ids: Iterable[str]) -> Listing[PostedSale]:
    """Those of the host's sales that stand in Xero."""
    found = await posted_documents(books, ids, side=SALES)
    return Listing(_posted(each) for each in found.values() if each.document.status not in GONE)


def _posted(posted: PostedDocument) -> PostedSale:
    match posted.document:
        case Invoice() as document:
            number, sign = document.invoice_number, 1
        case CreditNote() as document:
            number, sign = document.credit_note_number, -1
        case _:
            raise TypeError("a sale is an invoice or a credit note")
    open_ = OpenDocument(host_id=posted.host_id, document=document, stamp="")
    currency = document.currency_code or "XXX"
    return PostedSale(
        id=posted.host_id,
        xero_id=posted.xero_id,
        number=number or "",
        total=Money(sign * (document.total or Decimal(0)), currency),
        due=Money(sign * open_.left, currency),
        status=document.status or "",
    )


async def submit_sales(books: Books, sales: Iterable[Sale], settings: SaleSettings, *, retry_refused: bool) -> Plan:
    """Plan the invoices and credit notes to create so that the books hold *sales*; the rest are findings."""
    listed, unfit = sifted(each_once(sales, "sale"), check_names, worth_of)
    await refresh(books, CONTACTS, INVOICES, CREDIT_NOTES)
    papers = await read_known(books, SALES, listed, settings, linked={}, retry_refused=retry_refused)
    numbers = await _taken(books, {sale.number for sale in listed if sale.number})
    customers = await known_customers(books, (sale.customer for sale in listed))
    intents = [(each, papers.intent(SALES.invoice, each.id)) for each in listed]
    new = [each for each, intent in intents if intent is None or intent.state is State.REJECTED]
    standing = await standing_under(books, map(_transaction, new))
    submitting = _Sales(papers, settings, customers=customers, numbers=numbers, standing=standing)
    submitting.submit(listed)
    plan = Plan(
        tenant=books.tenant,
        actions=tuple(submitting.actions),
        findings=(*unfit, *customers.findings, *submitting.findings),
    )
    return await noted(books, plan, settings.notes, papers.intents.values(), retry_refused=retry_refused)


async def update_sales(books: Books, sales: Iterable[Sale], settings: SaleSettings, *, retry_refused: bool) -> Plan:
    """Plan what the documents of *sales* that were posted before lack of what the sales say now."""
    listed = each_once(sales, "sale")
    await refresh(books, CONTACTS, INVOICES, *([CREDIT_NOTES] if any_credits(listed) else []))
    customers = await known_customers(books, (sale.customer for sale in listed))
    standing = await standing_under(books, map(_transaction, listed))
    taken = {
        sale.id: _settled_as_another(sale)
        for sale in listed
        if _is_owed(sale) and standing[_transaction(sale)] - {sale.id}
    }
    own = [sale for sale in listed if sale.id not in taken]
    changed, wrong = await update(books, SALES, own, settings, customers, retry_refused=retry_refused)
    plan = Plan(
        tenant=books.tenant,
        actions=(*customers.actions, *changed),
        findings=(*customers.findings, *wrong, *taken.values()),
    )
    edits: list[Intent] = []
    for kind in (SALES.change.kind, SALES.change_credit.kind) if settings.notes else ():
        edits += await intents_with(books, lookup=("kind", kind))
    return await noted(books, plan, settings.notes, edits, retry_refused=retry_refused)


async def void_sales(books: Books, ids: Iterable[str], settings: SaleSettings, *, retry_refused: bool) -> Plan:
    """Plan the voiding of the documents that the sales of these *ids* became."""
    listed = list(ids)
    plan = await void(books, listed, side=SALES, retry_refused=retry_refused)
    written = await intents_of(books, (one for each in listed for one in operations(each, side=SALES)))
    return await noted(books, plan, settings.notes, written.values(), retry_refused=retry_refused)


async def refund_credits(
    books: Books,
    refunds: Iterable[CreditRefund],
    *,
    account: str | None,
    notes: HistoryNotes | None,
    retry_refused: bool,
) -> Plan:
    """Plan what of *refunds* is not in the books yet, from *account* unless they name another."""
    books = books.reading_once()
    listed = list(refunds)

    async def submitted(host_ids: Sequence[str]) -> list[Open]:
        found = await posted_documents(books, host_ids, side=SALES)
        notes: list[Open] = [
            OpenDocument(host_id=each.host_id, document=each.document, stamp=each.seen.stamp)
            for each in found.values()
            if isinstance(each.document, CreditNote)
        ]
        others = set(host_ids) - {each.host_id for each in notes}
        parked = await parked_credits(books, others) if others else []
        return notes + [
            OpenOverpayment(host_id=each.name, document=each.document, stamp=each.seen.stamp)
            if isinstance(each.document, Overpayment)
            else OpenDocument(host_id=each.name, document=each.document, stamp=each.seen.stamp)
            for each in parked
        ]

    plan = await pay(books, REFUNDS, listed, submitted, account=account, retry_refused=retry_refused)
    written = await intents_of(books, (REFUNDS.operation(each.id) for each in listed))
    return await noted(books, plan, notes, written.values(), retry_refused=retry_refused)


async def known_customers(books: Books, customer_ids: Iterable[str]) -> Customers:
    """The contacts of those of these customers that are connected."""
    links = await links_of(books, ConnectCustomer.kind, dict.fromkeys(customer_ids))
    return Customers(
        linked={customer_id: link["xero_id"] for customer_id, link in links.items()},
        contacts=Contacts([contact async for _, contact in walk(books, CONTACTS, Contact)]),
    )


def _transaction(sale: Sale) -> str:
    """What lines of settlements call *sale*."""
    return sale.transaction or sale.id


def _is_owed(sale: Sale) -> bool:
    """Whether *sale* is an invoice; False where it cannot be."""
    worth = worth_of(sale)
    return worth is not None and worth.amount >= 0


def _settled_as_another(sale: Sale) -> Finding:
    """The finding that lines of settlements could not tell *sale* from another one."""
    return Finding(
        code="transaction id taken",
        about=sale.id,
        cause="the transaction that it is to be settled as stands for another invoice already",
        fix="give it a transaction=… of its own, never one used before",
    )


async def _taken(books: Books, numbers: Collection[str]) -> frozenset[tuple[InvoiceType, str]]:
    """Those of *numbers* that a sales invoice, or a credit note to a customer, has in Xero."""
    found: set[tuple[InvoiceType, str]] = set()
    for record in await records_by(books, INVOICES, "number", numbers):
        invoice = read_mirrored(record, Invoice)
        if invoice.type == InvoiceType.ACCREC and invoice.status not in GONE:
            found.add((InvoiceType.ACCREC, invoice.invoice_number or ""))
    for record in await records_by(books, CREDIT_NOTES, "number", numbers):
        note = read_mirrored(record, CreditNote)
        if note.type == InvoiceType.ACCRECCREDIT and note.status not in GONE:
            found.add((InvoiceType.ACCRECCREDIT, note.credit_note_number or ""))
    return frozenset(found)


@define(repr=False)
class Customers:
    """Finds the contact of each customer; what must be looked at for it is added to *findings*."""

    linked: Mapping[str, str]
    contacts: Contacts
    actions: list[Action] = field(factory=list[Action], init=False)
    findings: list[Finding] = field(factory=list[Finding], init=False)
    _found: dict[str, Ref | None] = field(factory=dict[str, "Ref | None"], init=False)

    def contact(self, name: str) -> Ref | None:
        """The contact of the customer of this id; None when there is none to post to, which is a finding then."""
        if name not in self._found:
            self._found[name] = self._contact(name)
        return self._found[name]

    def _contact(self, customer: str) -> Ref | None:
        linked = self.linked.get(customer)
        if linked is None:
            cause = "the customer is not connected to a contact"
            self._find(customer, "customer not connected", cause, "match the customer first, or link() it to a contact")
            return None
        contact = self.contacts.surviving(linked)
        if contact is not None and not is_active(contact):
            cause = "its contact was archived in Xero, and nothing can be posted to an archived contact (F 6.31)"
            self._find(
                customer, "archived", cause, "restore the contact in Xero, or move() the customer to another one"
            )
            return None
        return linked if contact is None else contact.contact_id

    def _find(self, customer: str, code: str, cause: str, fix: str) -> None:
        root = customer_root(customer)
        self.findings.append(Finding(code=code, about=customer, cause=cause, fix=fix, retry=True, root=root))


def customer_root(customer: str) -> str:
    """What is behind the findings on a customer, and on all that waits for it."""
    return f"customer {customer}"


@define(repr=False)
class _Sales(Submitting[Sale]):
    customers: Customers = field(kw_only=True)
    numbers: frozenset[tuple[InvoiceType, str]] = field(kw_only=True)
    standing: Mapping[str, frozenset[str]] = field(kw_only=True)
    _planned: set[tuple[InvoiceType, str]] = field(factory=set[tuple[InvoiceType, str]])
    _settled_as: set[str] = field(factory=set[str])

    def contact(self, paper: Sale) -> Ref | None:
        """The contact that the customer is connected to."""
        contact = self.customers.contact(paper.customer)
        if contact is None:
            cause, fix = "its customer has no contact to post to", "see the finding on the customer"
            root = customer_root(paper.customer)
            self.find(paper, "customer unclear", cause, fix, retry=True, root=root)
        return contact

    def allowed(self, paper: Sale, posted: Posted, contact: Ref) -> Mapping[str, str] | None:
        """Nothing more; None where its number, or its transaction, is another one's."""
        del contact
        kind = InvoiceType.ACCREC if isinstance(posted.document, Invoice) else InvoiceType.ACCRECCREDIT
        if paper.number and (kind, paper.number) in self.numbers | self._planned:
            cause = "another document has its number, and numbers of sales are unique in an organisation (F 6.57)"
            fix = "give it a number of its own, or none, so that Xero numbers it"
            self.find(paper, "number taken", cause, fix, retry=True)
            return None
        if kind is InvoiceType.ACCREC:
            name = _transaction(paper)
            if name in self._settled_as or self.standing.get(name, frozenset()) - {paper.id}:
                self.findings.append(_settled_as_another(paper))
                return None
            self._settled_as.add(name)
        self._planned.add((kind, paper.number))
        return {}

    def wrote(self, intent: Intent, paper: Sale) -> bool:
        """Whether *intent* is the document of *paper*, which may have got its number in Xero."""
        document, _ = self.known.documents.get(intent.xero_id or "", (None, ""))
        number = document.invoice_number if isinstance(document, Invoice) else None
        is_given = paper.number == number
        return super().wrote(intent, evolve(paper, number=intent.facts.get("number", "")) if is_given else paper)
