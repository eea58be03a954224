"""The host product of the examples, page by page: what it does to the books, and what it says of what cannot be."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

import pytest
from attrs import frozen
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from host_app.demo import Demo, demo
from xerosync.ports import Request
from xerosync.simulator import Bookkeeper, Document, Fault

PAGES = (
    "/",
    "/customers",
    "/customers/c-1",
    "/invoices",
    "/collections",
    "/settlements",
    "/clearing",
    "/clearing/report",
    "/bills",
    "/settings/xero",
    "/settings/xero/check-up",
    "/settings/xero/disconnect",
)
ACCOUNTS = {"bank_account": "090", "fee_account": "404", "payment_account": "090"}
BILL = {
    "kind": "bill",
    "vendor": "Kauri Timber Ltd",
    "number": "7781",
    "amount": "402.50",
    "on": "2026-01-05",
    "account": "453",
    "description": "Bolsters and blocks",
}


@frozen
class Answer:
    """What a page answers: its status, where the visitor ends up, and what can be read there."""

    status: int
    path: str
    text: str
    markup: str


class Visitor:
    """A user of the product, without a browser."""

    def __init__(self, product: Demo) -> None:
        self.product = product
        self.client: FlaskClient = product.app.test_client()

    @property
    def books(self) -> Bookkeeper:
        return self.product.books

    def open(self, path: str) -> Answer:
        return self._read(self.client.get(path, follow_redirects=True))

    def send(self, path: str, **fields: object) -> Answer:
        fields = {"token": self.token(), **fields}
        kind = "multipart/form-data"
        return self._read(self.client.post(path, data=fields, content_type=kind, follow_redirects=True))

    def token(self) -> str:
        found = re.search(r'name="token" value="([^"]+)"', self.open("/settings/xero/disconnect").markup)
        found = found or re.search(r'name="token" value="([^"]+)"', self.open("/settings/xero").markup)
        assert found is not None
        return found[1]

    def boxes(self, path: str, name: str) -> dict[str, str]:
        """The boxes *name* on the page at *path*: what each is for, by what it is called."""
        pattern = rf'<input type="checkbox"[^>]*name="{name}"\s+value="([^"]+)"\s+aria-label="([^"]+)"'
        return {html.unescape(called): value for value, called in re.findall(pattern, self.open(path).markup)}

    def leave(self) -> str:
        """Press "Connect to Xero"; where the browser is sent."""
        left = self.client.post("/settings/xero/connect", data={"token": self.token()})
        return left.headers["Location"].removesuffix("&prompt=consent")

    def consent(self, url: str) -> str:
        """Let the product in at Xero; where the browser is sent back to."""
        answer = self.product.simulator.handle(Request("GET", url))
        return answer.headers["location"].removeprefix("http://localhost")

    def connect(self) -> Answer:
        return self.open(self.consent(self.leave()))

    def set_up(self) -> None:
        """Connect, and choose all accounts."""
        self.connect()
        self.send("/settings/xero/clearing", account="650")
        self.send("/settings/xero/accounts", **ACCOUNTS)

    def collect(self, *numbers: str) -> Answer:
        """Connect customers, import the invoices of these *numbers*, and say that their money came in."""
        self.send("/customers/connect")
        invoices = self.boxes("/invoices", "invoice")
        self.send("/invoices/import", invoice=[invoices[number] for number in numbers])
        due = self.boxes("/collections", "collection")
        chosen = [due[f"Invoice {number}"] for number in numbers]
        return self.send("/collections/answer", collection=chosen, answer="came in")

    def invoice(self, number: str) -> Document:
        (found,) = [each for each in self.books.invoices if each.number == number]
        return found

    def balance(self, code: str) -> Decimal:
        return self.books.balance(self.books.account(code).id)

    def _read(self, answer: TestResponse) -> Answer:
        markup = answer.get_data(as_text=True)
        shown = re.sub(r"<header.*?</header>|<style.*?</style>", "", markup, flags=re.DOTALL)
        text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", shown)).split())
        return Answer(answer.status_code, answer.request.path, text, markup)


@pytest.fixture
def visitor(tmp_path: Path) -> Iterator[Visitor]:
    with demo(tmp_path, address="http://localhost") as product:
        yield Visitor(product)


@pytest.fixture(scope="module")
def settled_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """A user who has set all up, and of whom nothing that changes anything is asked."""
    with demo(tmp_path_factory.mktemp("settled in"), address="http://localhost") as product:
        visitor = Visitor(product)
        visitor.set_up()
        yield visitor


def test_before_xero_is_connected_every_page_that_needs_it_says_so(visitor: Visitor) -> None:
    for path in PAGES:
        answer = visitor.open(path)
        assert answer.status in {200, 400}, path
        if path not in {"/", "/collections", "/settlements", "/settings/xero"}:
            assert "connect" in answer.text.lower(), path


def test_every_page_opens_once_all_is_set_up(settled_in: Visitor) -> None:
    for path in PAGES:
        assert settled_in.open(path).status == 200, path


def test_every_field_has_a_name_that_can_be_read_aloud(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.collect("INV-301")

    for path in (*PAGES, "/customers/c-3"):
        markup = visitor.open(path).markup
        for field in re.findall(r"<(?:input|select|textarea)\b[^>]*>", markup):
            if 'type="hidden"' in field or "aria-label=" in field:
                continue
            found = re.search(r'id="([^"]+)"', field)
            before = markup[: markup.index(field)]
            is_inside = before.rfind("<label") > before.rfind("</label>")
            assert is_inside or (found and f'for="{found[1]}"' in markup), f"{path}: {field}"


def test_a_form_of_another_site_is_refused(visitor: Visitor) -> None:
    visitor.connect()

    answer = visitor.send("/settings/xero/disconnect", token="another site's")

    assert (answer.status, "from another visit" in answer.text) == (400, True)
    assert "connected" in visitor.open("/settings/xero").text


# Connecting


def test_the_user_who_cancels_at_xero_is_told_and_may_try_again(visitor: Visitor) -> None:
    visitor.product.simulator.next_consent(cancel=True)

    answer = visitor.connect()

    assert (answer.status, "Xero was not connected" in answer.text) == (400, True)
    assert "Harbour Yoga Ltd connected" in visitor.connect().text


def test_an_answer_serves_once_and_only_whoever_left(visitor: Visitor) -> None:
    back = visitor.consent(visitor.leave())
    stranger = Visitor(visitor.product)

    assert "Nobody left for Xero" in stranger.open(back).text
    assert "Xero is connected." in visitor.open(back).text
    assert "Nobody left for Xero" in visitor.open(back).text


def test_an_answer_to_another_request_is_not_believed(visitor: Visitor) -> None:
    visitor.leave()

    answer = visitor.open(f"/settings/xero/back?{urlencode({'code': 'x' * 20, 'state': 'y' * 43})}")

    assert (answer.status, "Nothing was kept" in answer.text) == (400, True)


def test_connecting_again_finds_the_links_and_refuses_another_organisation(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send("/customers/connect")
    assert "Your links are kept." in visitor.send("/settings/xero/disconnect").text
    assert "Connect again" in visitor.open("/settings/xero").text
    assert "Connect Xero again" in visitor.open("/customers").text

    other = visitor.product.simulator.add_organisation("Another Ltd")
    visitor.product.simulator.next_consent(tenants=[other.tenant_id])
    assert "does not cover this organisation" in visitor.connect().text
    visitor.product.simulator.next_consent(tenants=[visitor.books.tenant_id])
    visitor.connect()

    assert visitor.open("/customers").text.count("connected") == 5


# The clearing account


def test_nothing_is_settled_before_a_clearing_account_is_chosen(visitor: Visitor) -> None:
    visitor.connect()

    answer = visitor.collect("INV-301")

    assert (answer.status, "Choose a clearing account first" in answer.text) == (409, True)
    assert visitor.books.payments == ()


@pytest.mark.parametrize(
    ("account", "said"),
    [
        ("200", "of type REVENUE"),
        ("610", "a system account"),
        ("no such account", "No clearing account was chosen"),
        ("", "No clearing account was chosen"),
    ],
)
def test_an_account_that_cannot_be_the_clearing_account_is_refused_with_the_reason(
    settled_in: Visitor, account: str, said: str
) -> None:
    answer = settled_in.send("/settings/xero/clearing", account=account)

    assert (answer.status, said in answer.text) == (400, True)


def test_payments_are_enabled_on_the_account_that_lacks_only_that(visitor: Visitor) -> None:
    visitor.connect()
    assert not visitor.books.account("650").enable_payments

    assert "Payments are enabled on it now." in visitor.send("/settings/xero/clearing", account="650").text

    assert visitor.books.account("650").enable_payments


def test_an_account_that_was_archived_since_is_named_before_anything_is_sent(visitor: Visitor) -> None:
    visitor.set_up()
    settlement = visitor.collect("INV-301").path
    visitor.books.archive_account("650")

    answer = visitor.send(f"{settlement}/report")

    assert (answer.status, "ARCHIVED" in answer.text) == (409, True)
    assert visitor.books.payments == ()


# Customers and invoices


def test_a_customer_that_is_only_alike_is_connected_by_a_person(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send("/customers/connect")
    (contact,) = [each for each in visitor.books.contacts if each.name.startswith("Café")]
    assert contact.id in visitor.open("/customers/c-3").markup

    assert "The customer is connected." in visitor.send("/customers/c-3/link", contact=contact.id).text
    assert "not connected any more" in visitor.send("/customers/c-3/unlink").text
    visitor.send("/customers/c-3/identifier", custom_identifier="Café José & Sons Ltd")

    assert "not in Xero" in visitor.open("/customers/c-3").text  # what was taken apart is not paired again by itself


def test_a_customer_that_is_not_in_xero_gets_a_contact(visitor: Visitor) -> None:
    visitor.set_up()

    assert "The contact was created" in visitor.send("/customers/c-6/create").text

    assert [each.name for each in visitor.books.contacts].count("Eve Elm") == 1


def test_a_custom_identifier_makes_the_match(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send("/customers/c-3/identifier", custom_identifier="café josé & sons ltd")

    assert "match found" in visitor.open("/customers/c-3").text


def test_invoices_of_customers_set_to_automatic_are_imported_by_themselves_and_followed(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send("/customers/connect")
    visitor.send("/customers/c-1/policy", policy="automatic")

    assert "1 invoice was imported." in visitor.send("/invoices/automatic").text  # INV-301 was due before today
    visitor.books.edit_invoice(visitor.invoice("INV-306").id, amount=Decimal("40.00"), due=date(2026, 1, 13))
    answer = visitor.send("/collections/follow")
    assert "13 Jan 2026 40.00 NZD future" in answer.text

    visitor.books.void_invoice(visitor.invoice("INV-306").id)
    assert "deleted" in visitor.send("/collections/follow").text


def test_a_collection_that_was_deleted_can_be_imported_again(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send("/customers/connect")
    chosen = visitor.boxes("/invoices", "invoice")["INV-306"]
    visitor.send("/invoices/import", invoice=chosen)
    assert "INV-306" not in visitor.boxes("/invoices", "invoice")

    visitor.send(f"/collections/delete/{chosen}")
    visitor.send("/invoices/import", invoice=chosen)

    assert "12 Jan 2026 35.00 NZD future" in visitor.open("/collections").text


def test_what_is_due_before_the_chosen_day_is_not_ticked(visitor: Visitor) -> None:
    visitor.set_up()

    assert "due before the cut-off" not in visitor.open("/invoices").text
    visitor.send("/customers/connect")

    assert visitor.open("/invoices?due_from=2026-01-06").text.count("due before the cut-off") == 3


# Settlements


def test_a_settlement_is_reported_once_however_often_the_button_is_pressed(visitor: Visitor) -> None:
    visitor.set_up()
    crossed = visitor.collect("INV-301", "INV-302")
    assert (crossed.text.count("✗"), visitor.invoice("INV-301").status) == (2, "AUTHORISED")

    ticked = visitor.send(f"{crossed.path}/report")
    again = visitor.send(f"{crossed.path}/report")

    assert (ticked.text.count("✓"), ticked.text.count("✗")) == (2, 0)
    assert "There was nothing left to report." in again.text
    assert [visitor.invoice(number).status for number in ("INV-301", "INV-302")] == ["PAID", "PAID"]
    assert (len(visitor.books.payments), visitor.balance("650")) == (2, Decimal("234.50"))


def test_a_payout_leaves_nothing_in_the_clearing_account(visitor: Visitor) -> None:
    visitor.set_up()
    settlement = visitor.collect("INV-301", "INV-302").path
    visitor.send(f"{settlement}/report")

    visitor.send(f"{settlement}/payout")

    assert (visitor.balance("650"), visitor.balance("090")) == (Decimal(0), Decimal("233.80"))
    assert "Every cent is explained" in visitor.open("/clearing").text


def test_a_charge_back_opens_the_invoice_again(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send(f"{visitor.collect('INV-301').path}/report")
    invoice = visitor.invoice("INV-301")

    answer = visitor.send(f"/collections/back/{invoice.id}", kind="charged back", amount="89.00")
    visitor.send(f"{answer.path}/report")

    assert visitor.invoice("INV-301").status == "AUTHORISED"
    assert "charged back" in visitor.open("/collections").text
    assert "ended before" in visitor.open("/invoices").text


def test_a_refund_gives_a_part_back_and_leaves_the_invoice_settled(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send(f"{visitor.collect('INV-301').path}/report")
    invoice = visitor.invoice("INV-301")

    answer = visitor.send(f"/collections/back/{invoice.id}", kind="refunded", amount="9.00")
    visitor.send(f"{answer.path}/report")

    assert (visitor.invoice("INV-301").status, visitor.balance("650")) == ("PAID", Decimal("80.00"))
    assert [each.total for each in visitor.books.credit_notes] == [Decimal("9.00")]


def test_a_payment_that_was_removed_in_xero_is_found_and_put_back(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send(f"{visitor.collect('INV-301').path}/report")
    visitor.send("/demo/remove-payment", here="/clearing")
    assert "removed in Xero" in visitor.open("/clearing").text

    visitor.send("/clearing/fix", code="removed in Xero", fix="restore")

    assert "Every cent is explained" in visitor.open("/clearing").text
    assert visitor.balance("650") == Decimal("89.00")


# Bills and receipts


def test_a_bill_is_in_xero_with_its_document_and_is_paid(visitor: Visitor) -> None:
    visitor.set_up()

    answer = visitor.send("/bills", **BILL, due="2026-01-20", document=(BytesIO(b"%PDF-1.4 ..."), "7781.pdf"))
    assert "Saved, and in Xero." in answer.text
    (bill,) = [each for each in visitor.books.invoices if not each.is_sale]
    assert (bill.number, bill.total, bill.status) == ("7781", Decimal("402.50"), "AUTHORISED")
    assert [each.name for each in visitor.books.attachments_of(bill.id)] == ["7781.pdf"]

    (paper,) = re.findall(r'action="(/bills/[^"]+)/pay"', visitor.open("/bills").markup)
    assert "is paid" in visitor.send(f"{paper}/pay").text
    visitor.send(f"{paper}/pay")

    assert (visitor.books.invoice(bill.id).status, visitor.balance("090")) == ("PAID", Decimal("-402.50"))
    assert visitor.client.get(f"{paper}/document").data == b"%PDF-1.4 ..."


def test_a_receipt_is_money_spent_on_the_payment_account(visitor: Visitor) -> None:
    visitor.set_up()

    visitor.send("/bills", **BILL | {"kind": "receipt"}, document=(BytesIO(b"%PDF-1.4 ..."), "r.pdf"))

    (spent,) = visitor.books.bank_transactions
    assert (spent.type, spent.total) == ("SPEND", Decimal("402.50"))
    assert len(visitor.books.attachments_of(spent.id)) == 1


def test_a_bill_is_saved_while_xero_is_away_and_sent_later(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.open("/bills")
    visitor.product.simulator.faults.plan(Fault.UNAVAILABLE, method="PUT", path="/Contacts", times=20)

    away = visitor.send("/bills", **BILL)
    assert "not in Xero" in away.text
    visitor.product.simulator.faults.clear()
    (paper,) = re.findall(r'action="(/bills/[^"]+)/send"', away.markup)
    visitor.send(f"{paper}/send")

    assert [each.number for each in visitor.books.invoices if not each.is_sale] == ["7781"]


# What cannot be


@pytest.mark.parametrize(
    "path",
    [
        "/customers/no-one",
        "/settlements/none",
        "/bills/none/document",
        "/nothing",
        "/customers/%00",
        "/settlements/%27",
    ],
)
def test_what_is_not_there_is_said_on_a_page(settled_in: Visitor, path: str) -> None:
    answer = settled_in.open(path)

    assert (answer.status, "<h1>" in answer.markup) == (404, True)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/customers/no-one/link", {"contact": "c"}),
        ("/customers/c-1/link", {}),
        ("/customers/c-1/link", {"contact": "no such contact"}),
        ("/customers/c-1/unlink", {}),
        ("/customers/c-1/identifier", {"custom_identifier": " "}),
        ("/customers/c-1/identifier", {"custom_identifier": "x" * 300}),
        ("/customers/c-1/policy", {"policy": "now and then"}),
        ("/customers/c-1/policy", {"policy": "automatic"}),
        ("/invoices/import", {}),
        ("/invoices/import", {"invoice": "no such invoice"}),
        ("/collections/answer", {}),
        ("/collections/answer", {"collection": "none"}),
        ("/collections/back/none", {"amount": "1.00"}),
        ("/collections/delete/none", {}),
        ("/settlements/none/report", {}),
        ("/settlements/none/payout", {}),
        ("/clearing/fix", {"code": "removed in Xero", "fix": "wish it away"}),
        ("/clearing/fix", {}),
        ("/settings/xero/accounts", {}),
        ("/settings/xero/accounts", ACCOUNTS | {"fee_account": "nowhere"}),
        ("/bills/none/pay", {}),
        ("/bills/none/send", {}),
        ("/demo/remove-payment", {}),
    ],
)
def test_what_cannot_be_is_said_on_a_page_and_changes_no_books(
    settled_in: Visitor, path: str, fields: dict[str, str]
) -> None:
    before = settled_in.books.ledger

    answer = settled_in.send(path, **fields)

    assert answer.status < 500
    assert len(answer.text) > 40
    assert settled_in.books.ledger == before


@pytest.mark.parametrize("amount", ["", "0", "-5", "12.345", "1e5", "NaN", "twelve", "9" * 30, "１２", "1,000.00", " "])
def test_an_amount_that_cannot_be_is_named_and_nothing_is_saved(settled_in: Visitor, amount: str) -> None:
    answer = settled_in.send("/bills", **BILL | {"amount": amount})

    assert (answer.status, "The amount is not an amount" in answer.text) == (400, True)
    assert "Nothing yet." in settled_in.open("/bills").text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("on", "tomorrow"),
        ("on", ""),
        ("on", "0001-01-01"),
        ("due", "31.12."),
        ("vendor", ""),
        ("number", "\x00"),
        ("account", ""),
    ],
)
def test_a_bill_that_cannot_be_is_not_saved(settled_in: Visitor, field: str, value: str) -> None:
    assert settled_in.send("/bills", **BILL | {field: value}).status == 400
    assert "Nothing yet." in settled_in.open("/bills").text


def test_a_bill_on_an_account_that_is_not_there_stays_here_with_the_reason(settled_in: Visitor) -> None:
    answer = settled_in.send("/bills", **BILL | {"account": "99999"})

    assert "99999" in answer.text
    assert [each for each in settled_in.books.invoices if not each.is_sale] == []


def test_more_than_came_in_cannot_go_back(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send(f"{visitor.collect('INV-301').path}/report")

    answer = visitor.send(f"/collections/back/{visitor.invoice('INV-301').id}", amount="90.00")

    assert (answer.status, "more than came in" in answer.text) == (400, True)


def test_what_is_not_due_yet_is_not_collected(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send("/customers/connect")
    invoice = visitor.boxes("/invoices", "invoice")["INV-306"]
    visitor.send("/invoices/import", invoice=invoice)

    assert visitor.send("/collections/answer", collection=invoice, answer="came in").status == 400
    for _ in range(7):
        visitor.send("/demo/next-day")

    assert visitor.send("/collections/answer", collection=invoice, answer="came in").status == 200


def test_xero_that_is_away_is_said_on_a_page(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.product.simulator.faults.plan(Fault.MAINTENANCE, path="/Contacts", times=50)

    answer = visitor.open("/customers")

    assert (answer.status, "Nothing is lost" in answer.text) == (503, True)
    visitor.product.simulator.faults.clear()


def test_a_name_cannot_become_markup(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.send("/customers/c-6/identifier", custom_identifier="<script>alert(1)</script>")
    visitor.send("/customers/c-6/create")

    assert "<script>" not in visitor.open("/customers").markup
    assert "<script>" not in visitor.open("/customers/c-6").markup
