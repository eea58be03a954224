"""…/Allocations of credit notes, overpayments and prepayments (F 6.97–6.101, 6.154)."""

from __future__ import annotations

from xerosync.simulator.books import Books
from xerosync.simulator.entities import Allocation, Document
from xerosync.simulator.refusals import Invalid, NotThere
from xerosync.simulator.resources import documents as shapes
from xerosync.simulator.resources.call import Answer, Call, echo, invalid, refused, write_each
from xerosync.simulator.rules import allocations as rules
from xerosync.simulator.wire import Row, bare_stamp, day, money


def get_allocations(call: Call, credit: Document) -> Answer:
    """GET …/{id}/Allocations: what of *credit* is set against invoices."""
    return Answer({"Allocations": rows_of(call.books, credit)})


def allocate(call: Call, credit: Document) -> Answer:
    """PUT …/{id}/Allocations."""
    name = credit.family.removesuffix("s")

    def shown(allocation: Allocation) -> Row:
        row = allocation_row(call.books, allocation)
        row[name] = {f"{name}ID": credit.id, "ID": credit.id, "LineItems": []}
        row["ValidationErrors"] = []
        return row

    return write_each(
        call,
        "Allocations",
        call.given("Allocations"),
        write=lambda given: rules.allocate(call.books, call.books.documents[credit.id], given),
        shown=shown,
        failed=echo,
    )


def unallocate(call: Call, credit: Document, allocation_id: str) -> Answer:
    """DELETE …/{id}/Allocations/{AllocationID}, whose reply has a spelling of its own (F 6.101)."""
    allocation = call.books.allocations.get(allocation_id.lower())
    if allocation is None or allocation.credit_id != credit.id:
        raise NotThere
    try:
        rules.unallocate(call.books, allocation)
    except Invalid as fault:
        return invalid([refused({"AllocationID": allocation.id}, fault)])
    row: Row = {
        "AllocationId": allocation.id,
        "Date": bare_stamp(call.books.now()),
        "Invoice": [{"InvoiceID": allocation.invoice_id}],
        "IsDeleted": True,
    }
    return Answer(row if call.books.switches.deleted_allocation_is_alone else {"Allocations": [row]})


def rows_of(books: Books, credit: Document) -> list[Row]:
    """The allocations of *credit*."""
    return [allocation_row(books, part) for part in books.allocations_of(credit.id)]


def allocation_row(books: Books, allocation: Allocation) -> Row:
    """One allocation; its invoice is hardly more than an id."""
    return {
        "AllocationID": allocation.id,
        "Amount": money(allocation.amount),
        "Date": day(allocation.date),
        "Invoice": shapes.invoice_part(books, allocation),
    }
