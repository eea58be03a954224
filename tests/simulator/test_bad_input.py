"""Bad input is refused in Xero's own kind of error, and leaves the books as they were."""

from __future__ import annotations

import json
from decimal import Decimal
from urllib.parse import quote

import pytest
from tests.simulator.conftest import Product, Reply, invoice, make, payment, rows_of, text

URL = "https://api.xero.com/api.xro/2.0/"
JSON = {"Content-Type": "application/json"}


def raw(product: Product, method: str, path: str, body: bytes, **headers: str) -> Reply:
    """Send *body* as it is."""
    sent = {"Authorization": f"Bearer {product.access_token}", "Xero-Tenant-Id": product.tenant_id}
    sent |= {"Accept": "application/json"} | JSON
    return product.send(
        method, URL + path, sent | {name.replace("_", "-"): each for name, each in headers.items()}, body
    )


def told(reply: Reply) -> tuple[int, object, object]:
    return reply.status, reply.row["ErrorNumber"], reply.row["Type"]


POST_DATA = (400, 14, "PostDataInvalidException")
QUERY = (400, 16, "QueryParseException")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  ",
        b"{",
        b"[1, 2]",
        b'["Ana"]',
        b"[null]",
        b"[[]]",
        b"null",
        b'"Ana"',
        b"7",
        b"\xff\xfe{}",
        b'{"Name": "Ana\x00"}',
        b'{"Name": "Ana\\u0000"}',
        b'{"Name": "A\\u000bna"}',
        b'[{"Name": "Ana"}, {"EmailAddress": "\\b"}]',
        b'{"Name\\u0001": "Ana"}',
        b'{"Name": "\\ud800"}',
        b'{"Name": "\\ud800 and more"}',
        b'{"Name": "\\udc00"}',
        b'{"Name": "Ana", "Total": NaN}',
        b'{"Name": "Ana", "Total": 1e99999999999999999999}',
        b'{"Name": "Ana", "Total": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"Name": "Ana", "Phones": ' + b'{"a":' * 80 + b"1" + b"}" * 81,
        b"<Contact><Name>Ana</Name></Contact>",
    ],
)
def test_a_body_that_cannot_be_read_is_refused_whole(product: Product, body: bytes) -> None:
    reply = raw(product, "PUT", "Contacts", body)

    assert told(reply) == POST_DATA
    assert product.books.contacts == ()


@pytest.mark.parametrize("name", ["💰 Ana", "عنا", "Ａｎａ", "A\u202ena", "Zoë", "A&#x1;na"])
def test_any_letter_is_kept(product: Product, name: str) -> None:
    reply = raw(product, "PUT", "Contacts", json.dumps({"Name": name}).encode())

    assert text(reply.one("Contacts"), "Name") == product.books.contacts[0].name == name


def test_a_byte_order_mark_and_an_escaped_backslash_are_no_offence(product: Product) -> None:
    assert raw(product, "PUT", "Contacts", b'\xef\xbb\xbf{"Name": "A\\\\u0001"}').status == 200

    assert [one.name for one in product.books.contacts] == ["A\\u0001"]


def test_ten_megabytes_are_the_end(product: Product) -> None:
    """F 2.19."""
    reply = raw(product, "PUT", "Contacts", b'{"Name": "Ana", "x": "' + b"x" * (10 * 1024 * 1024) + b'"}')

    assert (reply.status, product.books.contacts) == (413, ())


@pytest.mark.parametrize(
    "line",
    [
        {"Quantity": "NaN"},
        {"Quantity": "Infinity"},
        {"Quantity": "1_000"},
        {"Quantity": "٣"},
        {"Quantity": "1,000"},
        {"Quantity": []},
        {"Quantity": True},
        {"UnitAmount": "1e400"},
        {"UnitAmount": 1e300},
        {"UnitAmount": 10**25},
        {"UnitAmount": {"Amount": 1}},
        {"LineItemID": "x"},
        {"LineItemID": "0" * 31 + "_"},
        {"Description": {"Text": "x"}},
        {"Description": ["x"]},
        {"AccountCode": {"Code": "200"}},
    ],
)
def test_a_field_of_the_wrong_kind_refuses_the_call(product: Product, line: dict[str, object]) -> None:
    ana = product.books.add_contact("Ana").id
    sound = {"Description": "Work", "Quantity": 1, "UnitAmount": 1, "AccountCode": "200"}

    reply = product.call("PUT", "Invoices", [invoice(ana), invoice(ana, LineItems=[sound | line])])

    assert reply.status == 400
    assert isinstance(reply.row["ErrorNumber"], int)
    assert product.books.invoices == ()


@pytest.mark.parametrize("lines", [[1, 2], ["x"], [[]], [None], "x", 7, True])
def test_a_list_of_something_else_refuses_the_call(product: Product, lines: object) -> None:
    reply = product.call("PUT", "Invoices", invoice(product.books.add_contact("Ana").id, LineItems=lines))

    assert reply.status == 400
    assert product.books.invoices == ()


@pytest.mark.parametrize(
    "day",
    [
        "0000-01-01", "0001-01-01", "1752-12-31", "2026-02-30", "2026-13-01", "20260105", "2026-W01-1", "today", "-1",
        "2026-01-05T25:00:00", "2026-01-05T00:00:00+99:00", "/Date(999999999999999)/", "/Date(-99999999999999)/",
        "/Date(x)/", "２０２６-01-05", 20260105, {}, [1], "99999-01-01",
    ],
)  # fmt: skip
def test_a_day_that_no_calendar_has_refuses_the_call(product: Product, day: object) -> None:
    reply = product.call("PUT", "Invoices", invoice(product.books.add_contact("Ana").id, Date=day))

    assert reply.status == 400
    assert product.books.invoices == ()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2026-01-05", "2026-01-05"),
        ("2026-1-5", "2026-01-05"),
        ("2026-01-05T23:59:59.9999999", "2026-01-05"),
        ("2026-01-05T23:59:59+14:00", "2026-01-05"),
        ("2026-01-05T00:00:00Z", "2026-01-05"),
        ("2026-01-05 00:00", "2026-01-05"),
        ("/Date(1767571200000+0000)/", "2026-01-05"),
        ("/Date(1767524400000+1300)/", "2026-01-05"),
        ("1753-01-01", "1753-01-01"),
        ("9999-12-31", "9999-12-31"),
        ("/Date(253402300799999)/", "9999-12-31"),
    ],
)
def test_a_day_is_read_in_every_form_that_clients_send(product: Product, given: str, kept: str) -> None:
    """F 5.13, A.11, A.12."""
    ana = product.books.add_contact("Ana").id
    made = product.call("PUT", "Invoices", invoice(ana, Date=given, DueDate="9999-12-31"))

    assert made.status == 200, made.text
    assert text(made.one("Invoices"), "DateString") == f"{kept}T00:00:00"
    for asked in ("Invoices", "Invoices?page=1", f"Contacts/{ana}", "Reports/TrialBalance"):
        assert product.call("GET", asked).status == 200


def test_ids_are_read_with_and_without_dashes_and_nothing_else(product: Product) -> None:
    ana = product.books.add_contact("Ana").id

    for id_ in (ana, ana.upper(), ana.replace("-", ""), f"{{{ana}}}"):
        assert product.call("POST", "Contacts", {"ContactID": id_, "EmailAddress": f"{id_[0]}@a.nz"}).status == 200
    for id_ in (ana[:-1], f"{ana}0", f"urn:uuid:{ana}", "x", "7", f"{ana[:-1]}_"):
        assert product.call("POST", "Contacts", {"ContactID": id_, "EmailAddress": "no@a.nz"}).status == 400
    assert [one.email for one in product.books.contacts] == ["{@a.nz"]


@pytest.mark.parametrize(
    ("path", "field"),
    [("Contacts", "ContactStatus"), ("Invoices", "LineAmountTypes"), ("CreditNotes", "LineAmountTypes")],
)
def test_a_word_that_is_none_of_xeros_refuses_the_call(product: Product, path: str, field: str) -> None:
    """F 5.43."""
    ana = product.books.add_contact("Ana").id
    body = {"Name": "Ben"} if path == "Contacts" else invoice(ana, Type="ACCREC" + "CREDIT" * (path == "CreditNotes"))

    reply = product.call("PUT", path, body | {field: "Nonsense"})

    assert told(reply) == (400, 17, "PostDataInvalidException")
    assert [one.name for one in product.books.contacts] == ["Ana"]
    assert (product.books.invoices, product.books.credit_notes) == ((), ())


def test_the_same_new_thing_twice_in_a_batch_is_one_and_a_refusal(product: Product) -> None:
    reply = product.call("PUT", "Contacts?summarizeErrors=false", [{"Name": "Ana"}, {"Name": "ana"}])

    assert [text(one, "StatusAttributeString") for one in reply.rows("Contacts")] == ["OK", "ERROR"]
    assert len(product.books.contacts) == 1


def test_the_same_document_twice_in_a_batch_takes_the_last_word(product: Product) -> None:
    made = product.books.add_contact("Ana")
    body = [{"ContactID": made.id, "EmailAddress": "one@a.nz"}, {"ContactID": made.id, "EmailAddress": "two@a.nz"}]

    assert product.call("POST", "Contacts", body).status == 200
    assert product.books.contact(made.id).email == "two@a.nz"


@pytest.mark.parametrize("amount", [0, -1, "-0.01", "0.00", "1e-400", "", None, "99999999999999999999", "1.005"])
def test_a_payment_of_no_sensible_amount_is_not_booked(product: Product, amount: object) -> None:
    sale = product.books.add_invoice(product.books.add_contact("Ana").id, amount=Decimal(1))

    reply = product.call("PUT", "Payments", payment(sale.id, "") | {"Amount": amount})

    assert reply.status == 400
    assert product.books.payments == ()


@pytest.mark.parametrize("name", ["BankAmount", "CurrencyRate"])
@pytest.mark.parametrize("value", ["1e-400", "0.001", 0, -1, "999999999999999"])
def test_an_absurd_rate_leaves_books_that_can_be_read(product: Product, name: str, value: object) -> None:
    books = product.books
    books.add_currency("USD")
    sale = books.add_invoice(books.add_contact("Ana").id, amount=Decimal(10), CurrencyCode="USD", CurrencyRate="0.6")

    assert product.call("PUT", "Payments", payment(sale.id, "0.05", **{name: value})).status in {200, 400}

    for asked in ("Payments", "Payments?page=1", f"Invoices/{sale.id}", "Reports/TrialBalance"):
        assert product.call("GET", asked).status == 200
    assert sum(line.balance for line in books.trial_balance()) == 0


@pytest.mark.rank(35)
@pytest.mark.parametrize(
    "where",
    [
        "Name==", "==", "(", ")", "((Name==null)", 'Name=="Ana', "Name=='Ana'", "Nothing==1", "Name.Nothing==1",
        "Name==1",
        "Name", "1", "--1==1", "-Name==1", "Name==-", "Name.Contains(", "Name.Contains()", "Name.Nothing()", "AND",
        "Name==1 AND",
        "Name && Name", 'Name="a" "b"', "Guid(1)==ContactID", 'ContactID==Guid("x")', "ContactID==1",
        "DateTime(1)==Name",
        "UpdatedDateUTC>DateTime(0,1,1)", "UpdatedDateUTC>DateTime(2026,1,1,25,0,0)", 'UpdatedDateUTC>"2026"',
        "Name==\x00",
        "Name==💰", "(" * 61 + "Name==null" + ")" * 61, "!" * 10_000 + "IsCustomer",
        "Name" + ".ToLower()" * 100 + '=="a"',
        "IsCustomer==1.2.3", "FirstName.Contains(null)", "EmailAddress.StartsWith(Name)", "IsCustomer>true",
        "a" * 100_000,
    ],
)  # fmt: skip
def test_a_filter_that_cannot_be_read_is_refused_in_xeros_words(product: Product, where: str) -> None:
    """F 4.46, 4.49."""
    product.books.add_contact("Ana")

    reply = product.call("GET", f"Contacts?where={quote(where)}")

    assert told(reply) == QUERY
    assert text(reply.row, "Message")
    assert "Elements" not in reply.row


@pytest.mark.rank(35)
def test_a_filter_may_be_deep_and_long_within_reason(product: Product) -> None:
    product.books.add_contact("Ana")
    deep = "(" * 60 + 'Name=="Ana"' + ")" * 60
    long = " OR ".join(['Name=="Ana"'] * 1000)

    assert [product.call("GET", f"Contacts?where={quote(where)}").status for where in (deep, long)] == [200, 200]


@pytest.mark.parametrize("order", ["Nothing", "Name Name", "Name ASC ASC", ",", "Name,", "Name UP", "1", "Name;Name"])
def test_an_order_that_cannot_be_read_is_refused(product: Product, order: str) -> None:
    assert told(product.call("GET", f"Contacts?order={quote(order)}")) == QUERY


@pytest.mark.rank(15)
@pytest.mark.parametrize(
    ("asked", "page", "size"),
    [
        ("page=-1", None, None),
        ("page=x", None, None),
        ("page=99999999999999999999", None, None),
        ("page=1_0", None, None),
        ("page=1&pageSize=0", 1, 1),
        ("page=1&pageSize=-5", 1, 1),
        ("page=1&pageSize=5000", 1, 1000),
        ("page=1&pageSize=x", 1, 100),
        ("page=999999999", 999999999, 100),
    ],
)
def test_an_absurd_page_is_clamped_or_none(product: Product, asked: str, page: int | None, size: int | None) -> None:
    """F 4.01."""
    product.books.add_contact("Ana")

    reply = product.call("GET", f"Contacts?{asked}")

    assert reply.status == 200
    if page is not None:
        pagination = reply.row["pagination"]
        assert isinstance(pagination, dict)
        assert (pagination["page"], pagination["pageSize"]) == (page, size)


@pytest.mark.rank(17)
@pytest.mark.parametrize(
    ("since", "found"),
    [
        ("nonsense", 1), ("0001-01-01T00:00:00+14:00", 1), ("9999-12-31T23:59:59", 0), ("9999-12-31T23:59:59-14:00", 1),
        ('"2027-01-01"', 0), ("Mon, 04 Jan 2027 00:00:00 GMT", 0), ("2027-01-01T00:00:00", 0), ("\x00", 1), ("1", 1),
    ],
)  # fmt: skip
def test_if_modified_since_that_cannot_be_read_filters_nothing(product: Product, since: str, found: int) -> None:
    product.books.add_contact("Ana")

    assert len(product.call("GET", "Contacts", If_Modified_Since=since).rows("Contacts")) == found


@pytest.mark.rank(36)
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("where=Name%3D%3D%22Ana%20%2B%20Co%22", ["Ana + Co"]),
        ("where=Name%3D%3D%22Ana+%2B+Co%22", ["Ana + Co"]),
        ("where=Name%3D%3D%22100%25%2041%22", ["100% 41"]),
        ("where=Name%253D%253D%22x%22", None),
        ('where=Name=="Ana + Co"', []),
        ('where=Name=="A&B"', None),
        ("where=Name%3D%3D%22A%26B%22", ["A&B"]),
        ("where=Name%3D%3D%22A%23B%22", ["A#B"]),
        ('where=Name=="A#B"', None),
        ("WHERE=Name%3D%3D%22A%23B%22", ["A#B"]),
        ("where=Name%3D%3D%22A%23B%22&where=Name%3D%3D%22A%26B%22", ["A&B"]),
        ("where=Name==%22%zz%22", []),
        ("where=Name==%22%ff%22", []),
        ("nothing=1&&=&=1&where", ["A#B", "A&B", "Ana + Co", "100% 41"]),
    ],
)
def test_a_query_is_decoded_once(product: Product, asked: str, found: list[str] | None) -> None:
    """F 4.48: ``+`` is a blank, ``&`` ends a parameter, ``#`` ends the address."""
    for name in ("A#B", "A&B", "Ana + Co", "100% 41"):
        product.books.add_contact(name)

    reply = product.call("GET", f"Contacts?{asked}")

    if found is None:
        assert told(reply) == QUERY
    else:
        assert [text(one, "Name") for one in reply.rows("Contacts")] == found


@pytest.mark.rank(28)
@pytest.mark.parametrize(
    "path",
    [
        "", "/", "Nothing", "Invoices/x", "Invoices/x/y/z", "Contacts/%2F..%2F", "Contacts/%00", "Contacts/%ff",
        "{}", "Contacts/{}",
        "Contacts/%E2%82%AC", "Contacts/'", "Invoices/00000000-0000-0000-0000-000000000000", "Reports",
        "Reports/Nothing",
        "Contacts/" + "x" * 5000, "..", "../connections", "Invoices/Invoices",
    ],
)  # fmt: skip
def test_an_unknown_path_is_404_and_never_json(product: Product, path: str) -> None:
    """F 5.44."""
    for method in ("GET", "PUT", "POST", "DELETE"):
        reply = product.call(method, path, [] if method != "GET" else None)

        assert reply.status in ({404} if method == "GET" else {404, 405})
        assert not reply.text.startswith("{")


@pytest.mark.rank(54)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "Invoices"), ("DELETE", "Contacts"), ("DELETE", "Payments"), ("PUT", "Organisation"),
        ("POST", "Organisation"), ("PATCH", "Invoices"), ("HEAD", "Invoices"), ("OPTIONS", "Invoices"), ("x",
        "Invoices"),
        ("POST", "Reports/TrialBalance"), ("DELETE", "Organisation"),
    ],
)  # fmt: skip
def test_a_verb_that_a_path_does_not_know_is_405(product: Product, method: str, path: str) -> None:
    """F 5.47."""
    reply = product.call(method, path, {})

    assert (reply.status, reply.text) == (405, "")


def test_an_echo_bears_what_was_sent_however_odd(product: Product) -> None:
    body = {
        "Name": "",
        "Total": 10**30,
        "a b": [{"<": None}],
        "AccountNumber": 1.5e-7,
        "Phones": [],
        "Nothing": {"": {}},
    }

    reply = product.call("PUT", "Contacts", body)

    assert told(reply)[:2] == (400, 10)
    assert len(rows_of(reply.row, "Elements")) == 1


def test_what_was_sent_never_becomes_a_header_of_the_answer() -> None:
    product = make()
    evil = "x\r\nX-Evil: 1"
    for reply in (
        product.call("GET", f"Contacts/{quote(evil)}"),
        product.call("GET", "Contacts", Accept=evil, If_Modified_Since=evil, Idempotency_Key=evil),
        product.call("PUT", "Contacts", {"Name": evil}, Idempotency_Key=evil, Content_Type=evil),
        product.call("GET", "Contacts", Xero_Tenant_Id=evil),
        product.call("GET", "Contacts", Authorization=evil),
        product.send("GET", f"https://login.xero.com/identity/connect/authorize?response_type=code&client_id="
                     f"{product.client_id}&redirect_uri=https%3A%2F%2Fa.b%2F{quote(evil)}&state={quote(evil)}", {}),
    ):  # fmt: skip
        assert not any("\n" in value or "\r" in value for value in reply.headers.values())
