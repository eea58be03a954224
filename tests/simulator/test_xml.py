"""Xero speaks XML unless JSON is asked for, and takes it in every form that its clients send."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import quote, quote_plus
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from tests.simulator.conftest import Product, Reply, connect, invoice, make

from xerosync.simulator import DemoCompany, Simulator, Switches
from xerosync.simulator.routes import ROUTES
from xerosync.simulator.wire_xml import _is_json_only, singular

SCHEMA = "{http://www.w3.org/2001/XMLSchema-instance}"
XML = "application/xml"


def call_xml(product: Product, method: str, path: str, body: str | bytes = b"", **headers: str) -> Reply:
    """Call as a client does that speaks XML and forgets to ask for JSON."""
    sent = {"Authorization": f"Bearer {product.access_token}", "Xero-Tenant-Id": product.tenant_id}
    sent |= {name.replace("_", "-"): value for name, value in ({"Content_Type": XML} | headers).items()}
    written = body.encode() if isinstance(body, str) else body
    return product.send(method, f"https://api.xero.com/api.xro/2.0/{path}", sent, written)


def read(reply: Reply) -> Element:
    root: Element = fromstring(reply.text)
    return root


def texts(root: Element, path: str) -> list[str]:
    return [found.text or "" for found in root.findall(path)]


@pytest.mark.rank(27)
@pytest.mark.parametrize("accept", ["", "*/*", "application/xml", "text/xml"])
def test_an_answer_is_xml_unless_json_is_asked_for(product: Product, accept: str) -> None:
    reply = call_xml(product, "GET", "Organisation", Accept=accept)

    assert (reply.status, reply.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert texts(read(reply), "Organisations/Organisation/Name") == [product.books.organisation.name]
    assert [child.tag for child in read(reply)] == ["Id", "Status", "ProviderName", "DateTimeUTC", "Organisations"]


@pytest.mark.rank(27)
def test_a_document_in_xml_has_singular_elements_iso_dates_and_no_twins(product: Product) -> None:
    books = product.books
    ana = books.add_contact("Ana & Sons")
    made = books.add_invoice(ana.id, amount=Decimal("115.00"))
    books.add_payment(made.id, account="090", amount=Decimal("15.00"))

    root = read(call_xml(product, "GET", f"Invoices/{made.id}"))

    (found,) = root.findall("Invoices/Invoice")
    assert texts(found, "Contact/Name") == ["Ana & Sons"]
    assert texts(found, "LineItems/LineItem/LineItemID") == [made.lines[0].id]
    assert texts(found, "Payments/Payment/Amount") == ["15.00"]
    assert len(found.findall("Contact/Addresses/Address")) == 2
    assert texts(found, "Date") == [f"{made.date}T00:00:00"]
    stamp = books.invoice(made.id).updated
    fraction = f"{stamp:%f}"[:3].rstrip("0")
    assert texts(found, "UpdatedDateUTC") == [f"{stamp:%Y-%m-%dT%H:%M:%S}" + (f".{fraction}" if fraction else "")]
    assert not {"DateString", "DueDateString", "UpdatedDateUTCString", "HasErrors"} & {child.tag for child in found}
    assert texts(root, "DateTimeUTC")[0].endswith("Z")


@pytest.mark.rank(27)
def test_a_refusal_in_xml_names_what_its_elements_are(product: Product) -> None:
    reply = call_xml(product, "PUT", "Invoices", "<Invoice><Type>ACCREC</Type><LineItems /></Invoice>")

    root = read(reply)
    assert (reply.status, root.tag, texts(root, "ErrorNumber")) == (400, "ApiException", ["10"])
    (element,) = root.findall("Elements/DataContractBase")
    assert element.get(f"{SCHEMA}type") == "Invoice"
    assert "A Contact must be specified for this type of transaction" in texts(
        element, "ValidationErrors/ValidationError/Message"
    )


def test_the_state_of_an_element_is_an_attribute_in_xml(product: Product) -> None:
    body = "<Contacts><Contact><Name>Ana</Name></Contact><Contact><Name> </Name></Contact></Contacts>"

    root = read(call_xml(product, "PUT", "Contacts?summarizeErrors=false", body))

    assert [found.get("status") for found in root.findall("Contacts/Contact")] == ["OK", "ERROR"]
    assert root.findall("Contacts/Contact/StatusAttributeString") == []


INVOICE = """
<Invoices xmlns="http://api.xero.com" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">
  <Invoice>
    <Type>ACCREC</Type>
    <Contact><Name>Ana</Name><Phones><Phone><PhoneType>MOBILE</PhoneType><PhoneNumber>1</PhoneNumber></Phone></Phones>
    </Contact>
    <Date>2026-01-03T00:00:00</Date>
    <DueDate>2026-02-03T00:00:00</DueDate>
    <SentToContact>true</SentToContact>
    <Reference i:nil="true" />
    <LineAmountTypes>Inclusive</LineAmountTypes>
    <Status>AUTHORISED</Status>
    <LineItems>
      <LineItem><Description>Twelve &amp; a half</Description><Quantity>1</Quantity><UnitAmount>115.00</UnitAmount>
        <AccountCode>200</AccountCode><Tracking /></LineItem>
      <LineItem><Description>A note\r\nin two lines</Description></LineItem>
    </LineItems>
  </Invoice>
</Invoices>
"""


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (INVOICE.encode(), XML),
        (INVOICE.encode(), "text/xml; charset=utf-8"),
        (INVOICE.encode(), ""),
        (b"\xef\xbb\xbf" + INVOICE.strip().encode(), XML),
        (f"<?xml version='1.0' encoding='utf-16'?>{INVOICE}".encode("utf-16"), XML),
        (f"xml={quote(INVOICE)}".encode(), "application/x-www-form-urlencoded"),
        (f"xml={quote_plus(INVOICE)}&more=1".encode(), "application/x-www-form-urlencoded"),
    ],
)
def test_an_invoice_sent_as_xml_is_booked(product: Product, body: bytes, kind: str) -> None:
    reply = call_xml(product, "PUT", "Invoices", body, Content_Type=kind, Accept="application/json")

    assert reply.status == 200, reply.text
    (booked,) = product.books.invoices
    assert (booked.total, booked.total_tax, str(booked.date)) == (Decimal("115.00"), Decimal("15.00"), "2026-01-03")
    assert [line.description for line in booked.lines] == ["Twelve & a half", "A note\r\nin two lines"]
    assert [phone.number for phone in product.books.contact(booked.contact_id).phones if phone.number] == ["1"]


def test_a_payment_and_an_allocation_are_sent_as_pyxero_sends_them(product: Product) -> None:
    books = product.books
    ana = books.add_contact("Ana").id
    sale = books.add_invoice(ana, amount=Decimal("115.00"))
    note = books.add_credit_note(ana, amount=Decimal("23.00"))
    paid = f"<Payment><Invoice><InvoiceID>{sale.id.replace('-', '')}</InvoiceID></Invoice><Account><Code>090</Code>"
    paid += "</Account><Amount>92.0</Amount><Date>2026-01-05T00:00:00</Date><IsReconciled>True</IsReconciled></Payment>"
    applied = f"<Allocation><Invoice><InvoiceID>{sale.id}</InvoiceID></Invoice><AppliedAmount>23.0</AppliedAmount>"

    made = read(call_xml(product, "PUT", "Payments", paid))
    assert texts(made, "Payments/Payment/PaymentID") == [books.payments[0].id]
    assert texts(made, "Payments/Payment/IsReconciled") == ["true"]
    reply = call_xml(product, "PUT", f"CreditNotes/{note.id}/Allocations", f"{applied}</Allocation>")

    assert reply.status == 200, reply.text
    assert texts(read(reply), "Allocations/Allocation/Amount") == ["23.00"]
    assert (books.invoice(sale.id).status, books.invoice(sale.id).amount_due) == ("PAID", Decimal("0.00"))


@pytest.mark.parametrize(
    "body",
    [
        "<Invoices",
        "<Invoices></Invoice>",
        "text",
        "{}",
        "<Contacts><Contact><Name>Ana</Name></Contact></Contacts>",
        "<!DOCTYPE x [<!ENTITY a 'b'>]><Invoices><Invoice><Type>&a;</Type></Invoice></Invoices>",
        "<!DOCTYPE x SYSTEM 'file:///etc/passwd'><Invoices />",
        "<Invoice>" + "<a>" * 300 + "</a>" * 300 + "</Invoice>",
        "<?xml version='1.0' encoding='nonsense'?><Invoices />",
        "<Invoice><Reference>\x0b</Reference></Invoice>",
        b"<Invoice><Reference>\xff</Reference></Invoice>",
    ],
)
def test_xml_that_cannot_be_read_is_refused_whole(product: Product, body: str | bytes) -> None:
    reply = call_xml(product, "PUT", "Invoices", body)

    root = read(reply)
    assert (reply.status, texts(root, "ErrorNumber"), texts(root, "Type")) == (
        400,
        ["14"],
        ["PostDataInvalidException"],
    )
    assert product.books.invoices == ()


def test_what_is_not_served_is_501_in_xml_whatever_was_asked_for(product: Product) -> None:
    """F 2.16."""
    for path in ("Journals", "Receipts", "Reports/BalanceSheet", f"Contacts/{product.tenant_id}/CISSettings"):
        reply = product.call("GET", path)

        assert (reply.status, reply.headers["content-type"]) == (501, "text/xml; charset=utf-8")
        assert texts(read(reply), "Type") == ["ApiMethodNotImplementedException"]
        assert texts(read(reply), "ErrorNumber") == ["20"]


def test_a_wrong_verb_can_be_made_a_501() -> None:
    product = make(Switches(wrong_verb_is_501=True))

    assert [product.call("DELETE", "Organisation").status, make().call("DELETE", "Organisation").status] == [501, 405]


def test_text_that_xml_cannot_hold_is_left_out_of_it_and_line_ends_are_kept(product: Product) -> None:
    books = product.books
    books.add_contact("Ana\x0b")
    product.call("PUT", "Invoices", invoice(books.contacts[0].id, Reference="one\ntwo /Date(999999999999999)/"))

    root = read(call_xml(product, "GET", f"Invoices/{books.invoices[0].id}"))

    assert texts(root, "Invoices/Invoice/Contact/Name") == ["Ana"]
    assert texts(root, "Invoices/Invoice/Reference") == ["one\r\ntwo /Date(999999999999999)/"]


def test_a_date_beyond_the_calendar_in_a_text_stays_a_text(product: Product) -> None:
    ana = product.books.add_contact("Ana").id
    product.call("PUT", "Invoices", invoice(ana, Reference="/Date(999999999999999)/"))

    root = read(call_xml(product, "GET", "Invoices"))

    assert texts(root, "Invoices/Invoice/Reference") == ["/Date(999999999999999)/"]


def test_fields_that_are_no_names_of_xml_leave_the_answer_readable(product: Product) -> None:
    body = {"a b": 1, "<": 2, "Name": "", "StatusAttributeString": "<\"&'>"}

    reply = product.call("PUT", "Contacts", body, Accept="")

    assert (reply.status, read(reply).tag) == (400, "ApiException")


LISTS = sorted({
    route.path[0] for route in ROUTES if len(route.path) == 1 and "GET" in route.plain
} | {"reports/trialbalance"})  # fmt: skip


def same(in_json: object, in_xml: Element) -> None:
    """What JSON says stands in XML too: members by name, elements one by one, amounts and texts as they are."""
    if isinstance(in_json, dict):
        said = {name: value for name, value in in_json.items() if value is not None and not _is_json_only(name)}
        assert [child.tag for child in in_xml] == list(said)
        for value, child in zip(said.values(), in_xml, strict=True):
            same(value, child)
    elif isinstance(in_json, list):
        assert {child.tag for child in in_xml} <= {singular(in_xml.tag)}
        for value, child in zip(in_json, in_xml, strict=True):
            same(value, child)
    elif isinstance(in_json, bool):
        assert in_xml.text == str(in_json).lower()
    elif not str(in_json).startswith("/Date("):
        assert (in_xml.text or "") == str(in_json)


@pytest.fixture(scope="module")
def demo() -> Iterator[Product]:
    with Simulator(limits=False) as simulator:
        yield connect(simulator, simulator.found(DemoCompany("NZ")), EVERYTHING)


EVERYTHING = (
    "accounting.transactions accounting.contacts accounting.settings accounting.attachments accounting.reports.read"
)


@pytest.mark.rank(27)
@pytest.mark.parametrize("path", LISTS)
def test_both_faces_tell_the_same(demo: Product, path: str) -> None:
    in_json = demo.call("GET", f"{path}?page=1").row
    in_xml = read(call_xml(demo, "GET", f"{path}?page=1"))
    names = list(in_json)[4:]

    assert [child.tag for child in in_xml][4:] == names
    for name in names:
        found = in_xml.find(name)
        assert found is not None
        same(in_json[name], found)
