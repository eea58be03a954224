"""Whatever a client sends, the simulator answers as Xero would, and a refused call leaves nothing."""

from __future__ import annotations

import json
from decimal import Decimal
from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.simulator.conftest import Product, make, payment

from xerosync.simulator import Bookkeeper

PRODUCT: Product = make()
CONTACT = PRODUCT.books.add_contact("Ridgeway").id
INVOICE = PRODUCT.books.add_invoice(CONTACT, number="INV-9", amount=Decimal(1000)).id
NOTE = PRODUCT.books.add_credit_note(CONTACT, amount=Decimal(1000)).id
PAYMENT = PRODUCT.books.add_payment(INVOICE, account="090", amount=Decimal(1)).id

NAMES = st.sampled_from(
    "Type Status Contact ContactID Name Date DueDate LineItems LineItemID Description Quantity UnitAmount LineAmount "
    "AccountCode AccountID TaxType TaxAmount CurrencyCode CurrencyRate InvoiceNumber InvoiceID Invoice Account Code "
    "Amount Reference Url Phones PhoneType Addresses ContactPersons EmailAddress LineAmountTypes SentToContact "
    "Invoices Payments Allocations CreditNote CreditNoteID BankAmount DiscountRate Tracking ContactStatus".split()
)
VALUES = st.one_of(
    st.sampled_from([
        "ACCREC", "ACCPAY", "ACCRECCREDIT", "AUTHORISED", "VOIDED", "DELETED", "DRAFT", "ARCHIVED", "200", "090", "610",
        "OUTPUT2", "2026-01-05", "/Date(1)/", "/Date(99999999999999999)/", "EUR", "Inclusive", "NoTax", "", " ",
        "1e400", CONTACT, INVOICE, NOTE, PAYMENT, None, True, False, 0, -1, 1e300, "0.005", "NaN",
    ]),
    st.integers(-5, 10**18),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
)  # fmt: skip
ANYTHING = st.recursive(VALUES, lambda part: st.lists(part, max_size=3) | st.dictionaries(NAMES, part, max_size=6))
LINE: dict[str, object] = {"Description": "x", "Quantity": 1, "UnitAmount": "10.00", "AccountCode": "200"}
NEARLY_RIGHT = st.builds(
    lambda kind, line, fields: {
        "Type": kind, "Contact": {"ContactID": CONTACT}, "Status": "AUTHORISED", "DueDate": "2026-02-01",
        "Name": "Somebody", "Account": {"Code": "090"}, "Amount": "1.00", "Invoice": {"InvoiceID": INVOICE},
        "LineItems": [LINE | line],
    } | fields,
    st.sampled_from(["ACCREC", "ACCPAY", "ACCRECCREDIT", "ACCPAYCREDIT", "EXPENSE"]),
    st.dictionaries(NAMES, VALUES, max_size=2),
    st.dictionaries(NAMES, ANYTHING, max_size=2),
)  # fmt: skip
BODIES = ANYTHING | NEARLY_RIGHT | st.lists(NEARLY_RIGHT, max_size=3)
PATHS = st.sampled_from([
    "Contacts", f"Contacts/{CONTACT}", "Invoices", f"Invoices/{INVOICE}", "CreditNotes", f"CreditNotes/{NOTE}",
    f"CreditNotes/{NOTE}/Allocations", "Payments", f"Payments/{PAYMENT}", "Accounts", "Organisation", "TaxRates",
    "Reports/TrialBalance", "Nothing",
])  # fmt: skip


@settings(max_examples=200)
@given(st.sampled_from(["PUT", "POST", "DELETE"]), PATHS, BODIES, st.booleans())
def test_any_body_is_answered(method: str, path: str, body: object, summarize: bool) -> None:
    reply = PRODUCT.call(method, f"{path}?summarizeErrors={summarize}", body)

    assert reply.status in {200, 400, 404, 405}
    if reply.status == 400:
        json.loads(reply.text)
    assert sum(line.balance for line in PRODUCT.books.trial_balance()) == 0


@settings(max_examples=100)
@given(
    PATHS,
    st.dictionaries(
        st.sampled_from("page pageSize order where IDs Statuses summaryOnly searchTerm date unitdp".split()),
        st.one_of(st.text(max_size=8), st.integers().map(str), st.sampled_from(["true", "Date DESC", "0001-01-01"])),
    ),
    st.sampled_from(["", "2026-01-05", "nonsense", "Mon, 05 Jan 2026 00:00:00 GMT"]),
)
def test_any_question_is_answered(path: str, asked: dict[str, str], since: str) -> None:
    reply = PRODUCT.call("GET", f"{path}?{urlencode(asked)}", If_Modified_Since=since)

    assert reply.status in {200, 400, 404, 405}


WORDS = st.sampled_from([
    "Name", "Total", "Date", "IsCustomer", "ContactID", "Contact.ContactID", "Nothing", "null", "true", '"a"', "1.50",
    "-", "=",
    "==", "!=", "<", ">=", "AND", "&&", "OR", "!", "NOT", "(", ")", ".", ",", ".Contains(", ".ToLower()", ".Value",
    "Guid(",
    'Guid("' + CONTACT + '")', "DateTime(2026,1,5)", "DateTime(", '"', "'", "💰", "",
])  # fmt: skip


@settings(max_examples=150)
@given(st.sampled_from(["Contacts", "Invoices", "Payments", "Accounts"]), st.lists(WORDS, max_size=12))
def test_any_filter_is_read_or_refused(path: str, words: list[str]) -> None:
    reply = PRODUCT.call("GET", f"{path}?{urlencode({'where': ' '.join(words)})}")

    assert reply.status == 200 or (reply.status, reply.row["ErrorNumber"]) == (400, 16)


@settings(max_examples=150)
@given(
    st.sampled_from(["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", ""]) | st.text(max_size=4),
    st.text(max_size=20),
    st.dictionaries(st.sampled_from(["Accept", "Content_Type", "If_Modified_Since", "Idempotency_Key"]),
    st.text(max_size=9)),
    st.binary(max_size=20),
)  # fmt: skip
def test_any_request_is_answered(method: str, path: str, headers: dict[str, str], body: bytes) -> None:
    sent = {"Authorization": f"Bearer {PRODUCT.access_token}", "Xero-Tenant-Id": PRODUCT.tenant_id} | headers
    for host in (
        "https://api.xero.com/api.xro/2.0/",
        "https://api.xero.com/",
        "https://identity.xero.com/connect/",
        "",
    ):
        reply = PRODUCT.send(method, host + path, sent, body)

        assert reply.status in {200, 204, 302, 400, 401, 403, 404, 405, 501}


def test_a_refused_element_leaves_nothing_behind(product: Product) -> None:
    """The contact that a refused invoice would have made is not made."""
    books: Bookkeeper = product.books
    body = {"Type": "ACCREC", "Contact": {"Name": "New"}, "Status": "AUTHORISED", "LineItems": []}

    assert product.call("PUT", "Invoices", body).status == 400
    assert books.contacts == ()
    assert product.call("PUT", "Payments", [payment("", "1.00")]).status == 400
