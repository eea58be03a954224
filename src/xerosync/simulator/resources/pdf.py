"""Documents as PDF (F 5.05, 8.50): small, and true about number, date and total."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from xerosync.simulator.books import Books
from xerosync.simulator.entities import Document, Line, Offer, PurchaseOrder
from xerosync.simulator.resources.call import Answer, Call

PDF: Final = "application/pdf"
_LINES_A_PAGE: Final = 48
_NOUNS: Final = {
    "ACCREC": "Invoice", "ACCPAY": "Bill", "ACCRECCREDIT": "Credit Note", "ACCPAYCREDIT": "Supplier Credit Note",
}  # fmt: skip


def wanted(call: Call) -> bool:
    """Whether the caller asks for a PDF rather than for data."""
    return PDF in call.headers.get("accept", "").lower()


def of_document(books: Books, document: Document) -> Answer:
    """An invoice, a bill or a credit note on paper."""
    due = [f"Due: {document.due_date:%d %b %Y}"] if document.due_date is not None else []
    return _paper(books, _NOUNS[document.type], document, [*due, f"Amount due: {document.amount_due:,.2f}"])


def of_offer(books: Books, offer: Offer) -> Answer:
    """A purchase order or a quote on paper."""
    return _paper(books, "Purchase Order" if isinstance(offer, PurchaseOrder) else "Quote", offer, [])


def _paper(books: Books, noun: str, document: Document | Offer, more: Sequence[str]) -> Answer:
    rows = [
        books.organisation.name,
        "",
        f"{noun} {document.number}".rstrip(),
        f"To: {books.contacts[document.contact_id].name}",
        f"Date: {document.date:%d %b %Y}",
        *([f"Reference: {document.reference}"] if document.reference else []),
        "",
        *(row for line in document.lines for row in _rows(line)),
        "",
        f"Subtotal: {document.sub_total:,.2f}",
        f"Tax: {document.total_tax:,.2f}",
        f"Total {document.currency}: {document.total:,.2f}",
        *more,
    ]
    return Answer(None, raw=written(rows), content_type=PDF)


def _rows(line: Line) -> list[str]:
    texts = line.description.splitlines() or [""]
    if line.amount is None:
        return texts
    return [f"{texts[0]}   {line.quantity} x {line.unit_amount}   {line.amount:,.2f}", *texts[1:]]


def written(rows: Sequence[str]) -> bytes:
    """*rows* of text as a PDF of as many A4 pages as they need."""
    pages = [rows[start : start + _LINES_A_PAGE] for start in range(0, len(rows), _LINES_A_PAGE)]
    kids = " ".join(f"{4 + 2 * place} 0 R" for place in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for place, page in enumerate(pages):
        text = b"BT /F1 11 Tf 16 TL 56 780 Td\n" + b"".join(_shown(row) for row in page) + b"ET"
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
            b"/Contents %d 0 R >>" % (5 + 2 * place)
        )
        objects.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(text), text))
    return _file(objects)


def _shown(row: str) -> bytes:
    encoded = row.encode("cp1252", "replace")
    for sign in (b"\\", b"(", b")"):
        encoded = encoded.replace(sign, b"\\" + sign)
    return b"(" + encoded + b") Tj T*\n"


def _file(objects: Sequence[bytes]) -> bytes:
    """*objects*, numbered from 1, with the table of where each begins."""
    body = b"%PDF-1.4\n"
    starts: list[int] = []
    for number, content in enumerate(objects, 1):
        starts.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    size = len(objects) + 1
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n%b%b" % (size, table, trailer)
