"""Files and notes on documents: names that Xero takes, sizes, counts, and what a customer may see."""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from typing import cast

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import Product, Through
from tests.engine.test_strange_answers import Altered

from xerosync import Xero, safe_file_name
from xerosync.client.resources.file_names import LONGEST_NAME
from xerosync.client.resources.files import LARGEST_FILE, AsyncFiled
from xerosync.errors import InvalidInput, NotFound, OutcomeUnknown, Rejected, UnreadableAnswer
from xerosync.ports import Request
from xerosync.simulator import Document, Fault

ODD_NAMES = [
    "März & Söhne (2) [neu] 100%.pdf", "50% #1;x=y,z.csv", "a b.png", "日本語.txt", "bill%2F..%2Fx.pdf", "l'été~.docx",
    "..hidden..pdf", "a.b.c.zip",
]  # fmt: skip
WRONG_NAMES = [
    "a/b.pdf", "a\\b.pdf", "a:b.pdf", "a?.pdf", "a*.pdf", 'a".pdf', "a|b.pdf", "<a>.pdf", "a+b.pdf", "a\0.pdf",
    "a\n.pdf", "invoice\u202efdp.exe.pdf", "\u200ba.pdf", "", "   ", ".", "..", ".pdf", " .pdf", "a", "a.", "a.exe",
    "\ud800.pdf", f"{'é' * 126}.pdf",
]  # fmt: skip


def watched(product: Product) -> tuple[Xero, Document, list[Request]]:
    """A client, an invoice, and all that the client sends."""
    sent: list[Request] = []
    xero = product.xero(transport=Through(product.simulator.transport, before=sent.append))
    sent.clear()
    return xero, product.invoice("Ana", "100.00"), sent


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_file_is_kept_under_its_name_and_comes_back_as_it_was(product: Product, xero: Xero, name: str) -> None:
    owed = product.invoice("Ana", "100.00")
    content = bytes(range(256))

    kept = xero.invoices.attach(owed.id, name, content)

    (there,) = product.books.attachments_of(owed.id)
    assert (there.name, product.books.attachment_content(there.id)) == (name, content)
    assert [each.file_name for each in xero.invoices.attachments(owed.id)] == [kept.file_name] == [name]
    assert xero.invoices.download(owed.id, str(kept.attachment_id)) == content


@pytest.mark.parametrize("name", WRONG_NAMES, ids=ascii)
def test_a_name_that_xero_does_not_take_is_refused_before_anything_is_sent(product: Product, name: str) -> None:
    xero, owed, sent = watched(product)

    with pytest.raises(InvalidInput) as refused:
        xero.invoices.attach(owed.id, name, b"x")

    assert refused.value.field == "file_name"
    assert sent == []


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("C:\\bills\\May: 1+2.pdf", "May_ 1_2.pdf"),
        ("/scans/../bill.PDF", "bill.PDF"),
        ("invoice\u202efdp.txt", "invoicefdp.txt"),
        ("Cafe\u0301.pdf", "Caf\u00e9.pdf"),
        ("  two\u00a0 \t blanks  .pdf ", "two blanks.pdf"),
        ("..\\..\\etc.zip", "etc.zip"),
        ("...a.pdf", "a.pdf"),
        ("ok.pdf", "ok.pdf"),
    ],
    ids=ascii,
)
def test_any_name_is_made_one_that_xero_takes(product: Product, xero: Xero, name: str, safe: str) -> None:
    owed = product.invoice("Ana", "100.00")

    assert safe_file_name(name) == safe
    assert xero.invoices.attach(owed.id, safe_file_name(name), b"x").file_name == safe


@given(st.text(max_size=300), st.sampled_from([".pdf", ".TXT", ".docx"]))
def test_a_safe_name_is_short_composed_visible_and_stays_what_it_is(text: str, ending: str) -> None:
    safe = safe_file_name(f"{text}a{ending}")

    assert len(safe.encode()) <= LONGEST_NAME
    assert safe.endswith(ending)
    assert unicodedata.is_normalized("NFC", safe)
    assert not set(safe) & set('<>:"/\\|?*+\0')
    assert safe.isprintable()
    assert safe_file_name(safe) == safe


@pytest.mark.parametrize("name", ["bill", "bill.exe", "/", "", "???", 7])
def test_a_name_of_which_nothing_can_be_made_is_refused(name: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        safe_file_name(cast(str, name))
    assert refused.value.field == "file_name"


def test_a_name_written_in_two_ways_is_one_file(product: Product, xero: Xero) -> None:
    """The same letters, composed or not, would else be two files nobody can tell apart."""
    owed = product.invoice("Ana", "100.00")

    xero.invoices.attach(owed.id, "Cafe\u0301.pdf", b"one")
    xero.invoices.attach(owed.id, "Caf\u00e9.pdf", b"two")

    (there,) = product.books.attachments_of(owed.id)
    assert product.books.attachment_content(there.id) == b"two"


@pytest.mark.parametrize("content", [b"", "text", None, bytearray(b"x"), b"x" * (LARGEST_FILE + 1)], ids=lambda _: "")
def test_a_content_that_cannot_be_kept_is_refused(product: Product, content: object) -> None:
    xero, owed, sent = watched(product)

    with pytest.raises(InvalidInput) as refused:
        xero.invoices.attach(owed.id, "a.pdf", cast(bytes, content))

    assert (refused.value.field, sent) == ("content", [])


def test_the_eleventh_file_is_refused_in_xeros_words_and_a_replacement_is_none(product: Product, xero: Xero) -> None:
    """F 6.186, 6.187."""
    owed = product.invoice("Ana", "100.00")
    for place in range(10):
        xero.invoices.attach(owed.id, f"{place}.pdf", b"x")

    with pytest.raises(Rejected, match="maximum of 10"):
        xero.invoices.attach(owed.id, "10.pdf", b"x")
    xero.invoices.attach(owed.id, "9.pdf", b"y")

    assert len(product.books.attachments_of(owed.id)) == 10


def test_only_invoices_and_credit_notes_show_files_to_customers(product: Product, xero: Xero) -> None:
    """F 6.185."""
    owed = product.invoice("Ana", "100.00")

    assert xero.invoices.attach(owed.id, "a.pdf", b"x", include_online=True).include_online is True
    assert product.books.attachments_of(owed.id)[0].include_online
    with pytest.raises(InvalidInput, match="customers"):
        xero.contacts.attach(owed.contact_id, "a.pdf", b"x", include_online=True)
    kinds = vars(xero.asynchronous).values()
    online = {each.collection for each in kinds if isinstance(each, AsyncFiled) and each.goes_online}
    assert online == {"Invoices", "CreditNotes"}


def test_every_document_that_takes_files_keeps_one(product: Product, xero: Xero) -> None:
    owed = product.invoice("Ana", "100.00")
    books = product.books
    ana = owed.contact_id
    order = books.add_purchase_order(ana, number="PO-1", amount=Decimal(5))
    kept = [
        (xero.accounts.attach, books.account("200").id),
        (xero.contacts.attach, ana),
        (xero.invoices.attach, owed.id),
        (xero.purchase_orders.attach, order.id),
    ]

    for attach, own in kept:
        attach(own, "a.pdf", b"x")

    assert [[each.name for each in books.attachments_of(own)] for _, own in kept] == [["a.pdf"]] * len(kept)


@pytest.mark.parametrize("fault", [Fault.LOST_AFTER, Fault.BAD_GATEWAY, Fault.TRUNCATED], ids=lambda each: each.value)
def test_a_file_whose_answer_is_lost_may_be_there_and_can_be_sent_again(
    product: Product, xero: Xero, fault: Fault
) -> None:
    owed = product.invoice("Ana", "100.00")
    product.simulator.faults.plan(fault, method="PUT", path="/Attachments", times=3)

    with pytest.raises(OutcomeUnknown, match="may have been attached"):
        xero.invoices.attach(owed.id, "a.pdf", b"x")
    xero.invoices.attach(owed.id, "a.pdf", b"x")

    assert len(product.books.attachments_of(owed.id)) == 1


def test_a_file_that_is_not_there_is_not_found(product: Product, xero: Xero) -> None:
    owed = product.invoice("Ana", "100.00")

    with pytest.raises(NotFound):
        xero.invoices.download(owed.id, "00000000-0000-4000-8000-000000000000")
    with pytest.raises(InvalidInput) as refused:
        xero.invoices.download(owed.id, "../../Contacts")
    assert refused.value.field == "attachment_id"


def test_a_page_where_a_pdf_is_due_is_said_to_be_none(product: Product) -> None:
    owed = product.invoice("Ana", "100.00")
    xero = product.xero(
        transport=Altered(
            product.simulator.transport,
            lambda request, answer: evolve(answer, body=b"<html>") if "/pdf" in request.url else answer,
        )
    )

    with pytest.raises(UnreadableAnswer, match="no PDF"):
        xero.invoices.pdf(owed.id)


def test_a_note_stands_in_the_history_of_its_document(product: Product, xero: Xero) -> None:
    """F 6.191."""
    owed = product.invoice("Ana", "100.00")

    xero.invoices.add_note(owed.id, "Called Ana; she pays on Friday.")

    assert "Called Ana; she pays on Friday." in [each.details for each in product.books.history_of(owed.id)]
    noted = next(each for each in xero.invoices.history(owed.id) if (each.details or "").startswith("Called"))
    assert noted.date_utc is not None
    assert noted.date_utc.tzinfo is not None
    with pytest.raises(Rejected):
        xero.invoices.add_note("00000000-0000-4000-8000-000000000000", "x")


@pytest.mark.parametrize("text", ["", "  \n", "x" * 2501, None, 7, "a\0b"], ids=ascii)
def test_a_note_that_cannot_be_kept_is_refused_before_it_is_sent(product: Product, text: object) -> None:
    xero, owed, sent = watched(product)

    with pytest.raises(InvalidInput) as refused:
        xero.invoices.add_note(owed.id, cast(str, text))

    assert (refused.value.field, sent) == ("text", [])
