"""Which sales invoices become transactions of the host, and why the others do not: a pure decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal

from attrs import frozen

from xerosync.engine.actions import ImportInvoice, Seen
from xerosync.engine.plans import Finding, Plan
from xerosync.models import DocumentStatus, Invoice, InvoiceType, TenantId
from xerosync.money import Money

NOT_CONNECTED = "customer not connected"
ID_TAKEN = "transaction id taken"


@frozen(kw_only=True)
class Importable:
    """
    What is known when imports are decided on: connected contacts with their customer, and the invoices imported before,
    with the ids of their transactions.
    """

    tenant: TenantId
    customers: Mapping[str, str]
    imported: AbstractSet[str]
    transactions: AbstractSet[str]
    transaction_id: Callable[[Invoice], str]


def decide_imports(invoices: Iterable[tuple[Invoice, str]], known: Importable) -> Plan:
    """
    The imports to make of *invoices*, each with the stamp it was seen at.

    An invoice is imported when it is approved, something is due, its customer is connected (R8), and it was not
    imported before (R28). The plan's tallies count the others by reason; only those that wait for a customer are
    findings.
    """
    actions: list[ImportInvoice] = []
    findings: list[Finding] = []
    tallies: Counter[str] = Counter()
    taken = set(known.transactions)
    for invoice, stamp in invoices:
        reason = left_out(invoice, known)
        if reason is None:
            action = _import(invoice, stamp, known)
            if not action.host_ref or action.host_ref in taken:
                reason = ID_TAKEN
                findings.append(_id_taken(invoice))
            else:
                taken.add(action.host_ref)
                actions.append(action)
        elif reason == NOT_CONNECTED:
            findings.append(_not_connected(invoice))
        tallies[reason or "to import"] += 1
    return Plan(tenant=known.tenant, actions=tuple(actions), findings=tuple(findings), tallies=dict(tallies))


def left_out(invoice: Invoice, known: Importable) -> str | None:
    """Why *invoice* is not imported; None when it is."""
    contact = invoice.contact.contact_id if invoice.contact is not None else None
    if invoice.type != InvoiceType.ACCREC:
        return "not a sales invoice"
    if invoice.invoice_id in known.imported:
        return "imported before"
    if invoice.status != DocumentStatus.AUTHORISED:
        return f"status {invoice.status}"
    if not invoice.amount_due:
        return "nothing due"
    if contact not in known.customers:
        return NOT_CONNECTED
    return None


def _import(invoice: Invoice, stamp: str, known: Importable) -> ImportInvoice:
    invoice_id = invoice.invoice_id or ""
    contact = invoice.contact.contact_id if invoice.contact is not None and invoice.contact.contact_id else ""
    due = Money(invoice.amount_due or Decimal(0), invoice.currency_code or "XXX")
    return ImportInvoice(
        host_ref=known.transaction_id(invoice),
        reason="approved, due, and its customer is connected",
        seen=(Seen("invoice", invoice_id, stamp),),
        facts={
            "invoice_number": invoice.invoice_number or "",
            "customer": known.customers[contact],
            "amount": str(due.amount),
            "currency": due.currency,
        },
        xero_id=invoice_id,
        due=due,
    )


def _id_taken(invoice: Invoice) -> Finding:
    return Finding(
        code=ID_TAKEN,
        about=invoice.invoice_id or "",
        cause="the id given for its transaction is empty, or that of another invoice's",
        fix="let transaction_id give every invoice an id of its own",
    )


def _not_connected(invoice: Invoice) -> Finding:
    return Finding(
        code=NOT_CONNECTED,
        about=invoice.invoice_id or "",
        cause="its contact is not connected to a customer",
        fix="set the customer's custom identifier to the contact's name, then match again",
        retry=True,
    )
