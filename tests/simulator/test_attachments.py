"""Files that hang on documents, contacts and accounts, and documents as PDF and by e-mail (facts 6j, 6.81, 6.82)."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from pypdf import PdfReader
from tests.simulator.conftest import Product, connect, make, rows_of, text, wait

from xerosync.errors import InvalidInput
from xerosync.ports import Request, Response
from xerosync.simulator import Simulator, Switches
from xerosync.simulator.given import Json

BYTES = b"%PDF-1.4 \x00\xff recording"


def send(product: Product, method: str, path: str, body: bytes = b"", **headers: str) -> Response:
    """A call whose answer may be bytes."""
    sent = {
        "Authorization": f"Bearer {product.access_token}",
        "Xero-Tenant-Id": product.tenant_id,
        "Accept": "application/json",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"https://api.xero.com/api.xro/2.0/{path}"
    return product.simulator.handle(Request(method, url, sent, body))


def messages(product: Product, method: str, path: str, body: bytes) -> list[str]:
    """What Xero objects to in an upload."""
    url = f"https://api.xero.com/api.xro/2.0/{path}"
    headers = {
        "Authorization": f"Bearer {product.access_token}",
        "Xero-Tenant-Id": product.tenant_id,
        "Accept": "application/json",
    }
    reply = product.send(method, url, headers, body)
    assert reply.status == 400
    return reply.messages()


@pytest.fixture
def sale(product: Product) -> str:
    """The id of an approved sales invoice."""
    return product.books.add_invoice(product.books.add_contact("Ana").id, amount=Decimal("115.00")).id


@pytest.mark.rank(53)
def test_a_file_comes_back_byte_for_byte_whatever_is_accepted(product: Product, sale: str) -> None:
    """F 6.185, 6.188, 2.04: its kind is guessed from its name."""
    path = f"Invoices/{sale}/Attachments/recording.pdf"

    reply = send(product, "PUT", path, BYTES, Content_Type="application/octet-stream")
    row = product.call("GET", f"Invoices/{sale}/Attachments").one("Attachments")
    by_name = send(product, "GET", path)
    by_id = send(product, "GET", f"Invoices/{sale}/Attachments/{row['AttachmentID']}")

    assert reply.status == 200
    assert list(row) == ["AttachmentID", "FileName", "Url", "MimeType", "ContentLength"]
    assert row["Url"] == f"https://api.xero.com/api.xro/2.0/{path}"
    assert (row["MimeType"], row["ContentLength"]) == ("application/pdf", len(BYTES))
    assert by_name.body == by_id.body == BYTES
    assert by_name.headers["content-type"] == "application/pdf"
    assert "x-daylimit-remaining" in by_name.headers


@pytest.mark.rank(53)
def test_multipart_is_not_understood(product: Product, sale: str) -> None:
    """F 6.185: the bytes are kept as they came."""
    body = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nhello\r\n--x--\r\n'

    send(product, "POST", f"Invoices/{sale}/Attachments/a.txt", body, Content_Type="multipart/form-data; boundary=x")

    assert send(product, "GET", f"Invoices/{sale}/Attachments/a.txt").body == body


@pytest.mark.rank(53)
def test_the_same_name_replaces_and_an_eleventh_file_is_refused(product: Product, sale: str) -> None:
    """F 6.186, 6.187."""
    for number in range(10):
        assert send(product, "PUT", f"Invoices/{sale}/Attachments/{number}.txt", b"old").status == 200

    assert send(product, "PUT", f"Invoices/{sale}/Attachments/9.TXT", b"newer").status == 200
    refused = messages(product, "PUT", f"Invoices/{sale}/Attachments/10.txt", b"new")

    held = product.books.attachments_of(sale)
    assert refused == ["A maximum of 10 attachments can be added to a document"]
    assert len(held) == 10
    assert product.books.attachment_content(held[-1].id) == b"newer"


@pytest.mark.rank(53)
@pytest.mark.parametrize(
    ("name", "body", "part"),
    [
        ("a%3Ab.pdf", b"x", "cannot contain"),
        ("a+b.pdf", b"x", "cannot contain"),
        ("a%00.pdf", b"x", "cannot contain"),
        ("empty.pdf", b"", "empty"),
        ("noextension", b"x", "The file couldn't be uploaded because it isn't a supported file type."),
        (f"{'n' * 300}.pdf", b"x", "255"),
    ],
)
def test_what_cannot_be_attached_is_refused_and_nothing_is_kept(
    product: Product, sale: str, name: str, body: bytes, part: str
) -> None:
    """F 6.187; the words about file types as recorded."""
    (message,) = messages(product, "PUT", f"Invoices/{sale}/Attachments/{name}", body)

    assert part in message
    assert product.books.attachments_of(sale) == ()


def test_a_name_with_blanks_and_brackets_is_decoded_once(product: Product, sale: str) -> None:
    """F 6.187."""
    send(product, "PUT", f"Invoices/{sale}/Attachments/bill%20%5B2%5D%2541.pdf", BYTES)

    row = product.call("GET", f"Invoices/{sale}/Attachments").one("Attachments")

    assert row["FileName"] == "bill [2]%41.pdf"
    assert text(row, "Url").endswith("/bill%20%5B2%5D%2541.pdf")


def test_a_file_over_ten_megabytes_is_refused(product: Product, sale: str) -> None:
    """F 6.186, 2.19."""
    reply = send(product, "PUT", f"Invoices/{sale}/Attachments/big.pdf", b"x" * (10 * 1024 * 1024 + 1))

    assert reply.status == 413
    assert product.books.attachments_of(sale) == ()


@pytest.mark.rank(53)
def test_the_document_tells_that_it_has_files_and_its_stamp_stays(product: Product, sale: str) -> None:
    """F 6.189."""
    before = product.books.invoice(sale).updated

    send(product, "PUT", f"Invoices/{sale}/Attachments/a.pdf", BYTES)

    one = product.call("GET", f"Invoices/{sale}").one("Invoices")
    listed = product.call("GET", "Invoices?page=1").one("Invoices")
    assert (one["HasAttachments"], listed["HasAttachments"]) == (True, True)
    assert [row["FileName"] for row in rows_of(one, "Attachments")] == ["a.pdf"]
    assert "Attachments" not in listed
    assert product.books.invoice(sale).updated == before


def test_a_file_may_move_the_stamp() -> None:
    """F 6.189, the other way of the switch."""
    product = make(Switches(attaching_moves_stamp=True))
    sale = product.books.add_invoice(product.books.add_contact("Ana").id, amount=Decimal(1))

    send(product, "PUT", f"Invoices/{sale.id}/Attachments/a.pdf", BYTES)

    assert product.books.invoice(sale.id).updated > sale.updated


def test_only_sales_go_online(product: Product, sale: str) -> None:
    """F 6.185, A.09: IncludeOnline is absent where it is not so."""
    bill = product.books.add_invoice(product.books.add_contact("Bo").id, amount=Decimal(1), type="ACCPAY")

    for owner in (sale, bill.id):
        send(product, "PUT", f"Invoices/{owner}/Attachments/a.pdf?IncludeOnline=True", BYTES)

    assert product.call("GET", f"Invoices/{sale}/Attachments").one("Attachments")["IncludeOnline"] is True
    assert "IncludeOnline" not in product.call("GET", f"Invoices/{bill.id}/Attachments").one("Attachments")


def test_a_voided_bill_takes_files(product: Product) -> None:
    """F 6.190."""
    bill = product.books.add_invoice(product.books.add_contact("Bo").id, amount=Decimal(1), type="ACCPAY")
    product.books.void_invoice(bill.id)

    assert send(product, "POST", f"Invoices/{bill.id}/Attachments/a.pdf", BYTES).status == 200


def test_whatever_takes_files_says_so(product: Product) -> None:
    """F 6.185, 6.189: accounts, contacts, credit notes, purchase orders, quotes."""
    books = product.books
    contact = books.add_contact("Ana").id
    owners = {
        "Accounts": books.account("200").id,
        "Contacts": contact,
        "CreditNotes": books.add_credit_note(contact, amount=Decimal(1)).id,
        "PurchaseOrders": books.add_purchase_order(contact, amount=Decimal(1)).id,
        "Quotes": books.add_quote(contact, amount=Decimal(1)).id,
    }

    for endpoint, owner in owners.items():
        assert send(product, "PUT", f"{endpoint}/{owner}/Attachments/a.pdf", BYTES).status == 200
        row = product.call("GET", f"{endpoint}/{owner}").one(endpoint)
        assert row.get("HasAttachments", True) is True
        assert send(product, "GET", f"{endpoint}/{owner.replace('-', '')}/Attachments/a.pdf").body == BYTES


def test_what_is_not_there_is_a_404(product: Product, sale: str) -> None:
    """F 5.44: the document, the file, a document of another kind."""
    nobody = "00000000-0000-0000-0000-00000000000a"

    assert send(product, "PUT", f"Invoices/{nobody}/Attachments/a.pdf", BYTES).status == 404
    assert send(product, "GET", f"Invoices/{sale}/Attachments/a.pdf").status == 404
    assert send(product, "GET", f"CreditNotes/{sale}/Attachments").status == 404
    assert send(product, "DELETE", f"Invoices/{sale}/Attachments/a.pdf").status == 405  # F 6.188: never deleted


@pytest.mark.rank(31)
def test_files_need_their_own_scope_and_nothing_else() -> None:
    """F 1.48, 8.48."""
    simulator = Simulator(limits=False)
    books = simulator.add_organisation()
    sale = books.add_invoice(books.add_contact("Ana").id, amount=Decimal(1)).id
    without = connect(simulator, books, "accounting.invoices accounting.transactions")
    only = connect(simulator, books, "accounting.attachments")
    reading = connect(simulator, books, "accounting.attachments.read")
    path = f"Invoices/{sale}/Attachments/a.pdf"

    assert send(without, "PUT", path, BYTES).status == 401
    assert send(reading, "PUT", path, BYTES).status == 401
    assert send(only, "PUT", path, BYTES).status == 200
    assert send(reading, "GET", path).body == BYTES
    assert send(only, "GET", f"Invoices/{sale}").status == 401


def test_a_replayed_upload_is_one_file(product: Product, sale: str) -> None:
    """F 3.05: an Idempotency-Key covers uploads too."""
    path = f"Invoices/{sale}/Attachments/a.pdf"

    first = send(product, "PUT", path, BYTES, Idempotency_Key="k")
    again = send(product, "PUT", path, BYTES, Idempotency_Key="k")
    misused = send(product, "PUT", path, b"other", Idempotency_Key="k")

    assert first.body == again.body
    assert misused.status == 400
    assert len(product.books.attachments_of(sale)) == 1


def test_by_hand_what_cannot_be_is_refused_in_words(product: Product, sale: str) -> None:
    """The bookkeeper meets the rules of the API."""
    product.books.attach("Invoices", sale, "paper.pdf", b"ink")

    with pytest.raises(InvalidInput, match="supported"):
        product.books.attach("Invoices", sale, "paper", b"ink")
    with pytest.raises(InvalidInput, match="no such row"):
        product.books.attach("Quotes", sale, "paper.pdf", b"ink")
    with pytest.raises(InvalidInput, match="nothing hangs"):
        product.books.attach("Budgets", sale, "paper.pdf", b"ink")


def test_a_document_is_a_pdf_where_one_is_accepted(product: Product) -> None:
    """F 5.05, 8.50: number, date and total are on the page."""
    books = product.books
    contact = books.add_contact("Zoë (Ltd)").id
    lines: list[dict[str, Json]] = [
        {"Description": f"Day {day}", "Quantity": 1, "UnitAmount": "1000.00", "AccountCode": "200"} for day in range(60)
    ]
    papers = {
        "Invoices": books.add_invoice(contact, number="INV-9", lines=lines).id,
        "CreditNotes": books.add_credit_note(contact, number="CN-9", amount=Decimal("115.00")).id,
        "PurchaseOrders": books.add_purchase_order(contact, number="PO-9", amount=Decimal("115.00")).id,
        "Quotes": books.add_quote(contact, number="QU-9", amount=Decimal("115.00")).id,
    }

    for endpoint, owner in papers.items():
        reply = send(product, "GET", f"{endpoint}/{owner}", Accept="application/pdf")
        page = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(reply.body), strict=True).pages)

        assert reply.headers["content-type"] == "application/pdf"
        assert f"{product.books.today:%d %b %Y}" in page
        assert "Zoë (Ltd)" in page
        assert ("69,000.00" if endpoint == "Invoices" else "115.00") in page
        assert "-9" in page
        assert send(product, "GET", f"{endpoint}/{owner}/pdf").body == reply.body


def _emailable(plan: str) -> tuple[Product, str]:
    product = make()
    product.books.change_plan(plan)
    contact = product.books.add_contact("Ana", email="ana@example.com")
    return product, product.books.add_invoice(contact.id, amount=Decimal("115.00")).id


def test_an_emailed_invoice_is_marked_as_sent() -> None:
    """F 6.81: 204 and nothing in it."""
    product, sale = _emailable("STANDARD")

    reply = product.call("POST", f"Invoices/{sale}/Email")

    assert (reply.status, reply.text) == (204, "")
    assert product.books.invoice(sale).sent_to_contact
    assert product.books.history_of(sale)[-1].details == "This invoice has been sent"


def test_only_approved_sales_with_an_address_are_emailed() -> None:
    """F 6.81."""
    product, sale = _emailable("STANDARD")
    contact = product.books.invoice(sale).contact_id
    draft = product.books.add_invoice(contact, amount=Decimal(1), status="DRAFT").id
    bill = product.books.add_invoice(contact, amount=Decimal(1), type="ACCPAY").id
    silent = product.books.add_invoice(product.books.add_contact("Silent").id, amount=Decimal(1)).id

    for refused in (draft, bill, silent):
        reply = product.call("POST", f"Invoices/{refused}/Email")
        assert reply.status == 400
        assert not product.books.invoice(refused).sent_to_contact


def test_a_demo_company_sends_nothing_and_a_trial_twenty_a_day() -> None:
    """F 6.81."""
    demo, sale = _emailable("DEMO")
    assert demo.call("POST", f"Invoices/{sale}/Email").status == 400

    trial, sale = _emailable("TRIAL")
    answers = [trial.call("POST", f"Invoices/{sale}/Email").status for _ in range(21)]
    assert answers == [204] * 20 + [400]
    wait(trial, 24 * 3600)
    trial_again = connect(trial.simulator, trial.books)
    assert trial_again.call("POST", f"Invoices/{sale}/Email").status == 204


def test_an_approved_sale_has_a_page_online_and_a_draft_has_none(product: Product, sale: str) -> None:
    """F 6.82."""
    draft = product.books.add_invoice(product.books.invoice(sale).contact_id, amount=Decimal(1), status="DRAFT").id

    row = product.call("GET", f"Invoices/{sale}/OnlineInvoice").one("OnlineInvoices")

    assert text(row, "OnlineInvoiceUrl").startswith("https://in.xero.com/")
    assert product.call("GET", f"Invoices/{draft}/OnlineInvoice").status == 400
