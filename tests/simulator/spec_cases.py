"""Calls made up from Xero's published specification, nearly right and wildly wrong, for the fuzz tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TypeAlias, cast
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

import yaml
from attrs import field, frozen
from hypothesis import strategies as st

SPECIFICATIONS = Path(__file__).parents[3] / "shared" / "openapi"
API = "https://api.xero.com"
IDENTITY = "https://identity.xero.com"
VERBS = ("get", "put", "post", "delete")

Schema: TypeAlias = dict[str, object]
Draw: TypeAlias = Callable[[st.SearchStrategy[object]], object]


@frozen
class Operation:
    """One verb on one path of the specification."""

    method: str
    path: str
    host: str = f"{API}/api.xro/2.0"
    path_names: tuple[str, ...] = ()
    query_names: tuple[str, ...] = ()
    body: Schema | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@frozen
class Case:
    """One call. What it is told by shows all of it."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes = b""


@cache
def accounting() -> Schema:
    text = (SPECIFICATIONS / "xero_accounting.yaml").read_text(encoding="utf-8")
    return cast(Schema, yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))  # noqa: S506


def at(schema: Mapping[str, object], *keys: str) -> Schema:
    found: object = schema
    for key in keys:
        found = cast(Schema, found).get(key, {})
    return cast(Schema, found)


def resolved(schema: Schema) -> Schema:
    while "$ref" in schema:
        schema = at(accounting(), *str(schema["$ref"]).removeprefix("#/").split("/"))
    return schema


def operations() -> list[Operation]:
    """Every operation of the accounting API, and those of the identity API."""
    found = [
        _operation(path, method, cast(Schema, said[method]), _parameters(said))
        for path, said in cast("dict[str, Schema]", accounting()["paths"]).items()
        for method in VERBS
        if method in said
    ]
    return [
        *found,
        Operation("get", "/Connections", API, query_names=("authEventId",)),
        Operation("delete", "/Connections/{id}", API, path_names=("id",)),
        Operation("get", "/.well-known/openid-configuration", IDENTITY),
    ]


def _parameters(said: Mapping[str, object]) -> list[Schema]:
    return [resolved(one) for one in cast("list[Schema]", said.get("parameters", []))]


def _operation(path: str, method: str, said: Schema, shared: list[Schema]) -> Operation:
    parameters = [*shared, *_parameters(said)]
    content = at(said, "requestBody", "content", "application/json", "schema")
    return Operation(
        method,
        path,
        path_names=tuple(str(one["name"]) for one in parameters if one["in"] == "path"),
        query_names=tuple(str(one["name"]) for one in parameters if one["in"] == "query"),
        body=content or ({"type": "string"} if "requestBody" in said else None),
    )


ODD_TEXTS = [
    "", " ", "\x00", "a\x0bb", "\ufffe", "\r\nX-Evil: 1", "💰" * 3, "\u202e", "' OR 1=1 --", "<b>&amp;", "%00", "../..",
    "null", "NaN", "Infinity", "-0", "1e400", "1e-400", "1_000", "٣", "0x10", "1,00", "99999999999999999999",
    "x" * 5000,
    "0000-00-00", "0000-01-01", "0001-01-01", "1752-12-31", "9999-12-31", "9999-12-31T23:59:59+14:00", "2026-02-30",
    "2026-1-5", "20260105", "2026-W01-1", "/Date(0)/", "/Date(253402300799999)/", "/Date(-62135596800000-1200)/",
    "/Date(999999999999999999)/", "/Date(1e3)/", "00000000-0000-0000-0000-000000000000", "true", "DELETED", "VOIDED",
]  # fmt: skip
ODD_NUMBERS: list[object] = [
    0, -1, 1, 0.005, -0.01, 1e15, 1e16, 1e300, 5e-324, 2**31, 2**63, 2**64, 10**40, -(10**20), 100, 115.0, True, False,
]  # fmt: skip
ODD_VALUES: list[object] = [None, [], {}, [[]], [None], [1, 2], {"": ""}, {"Name": {"Name": {}}}, [{}], "x", 1, False]
FILTERS = [
    'Status=="AUTHORISED"', 'Type=="ACCREC" AND Total>1', "Date>=DateTime(2026,1,1)", 'Name.Contains("a")',
    "IsCustomer==true",
    'Contact.ContactID==Guid("{id}")', "AmountDue>0 OR AmountDue<0", 'Name=="', "Name=='a'", "((((", ")",
    "Nothing==1", "1==1",
    "Name", "Date==null", "null==null", "null.Contains(1)", 'Name.Nothing("a")', "DateTime(0,0,0)==Date", "Total=-",
    "Total==99999999999999999999999999999999999999999", 'Total>"a"', "Date>1", 'Guid("x")==ContactID',
    "!!!!IsCustomer", "NOT",
    "(" * 300 + "1==1" + ")" * 300, "!" * 3000 + "IsCustomer", "a." * 2000 + "b", 'Name=="' + "x" * 3000 + '"',
    "Name==1==1",
    "Name && Total", "DateTime(9999,12,31,23,59,59)<Date", "Name.ToLower().ToUpper().Contains(Name)", "\x00", "💰",
    "--1==1",
    " OR ".join(["Total==1"] * 500), "Total.Value==1", "Date.Value.Year==2026", "Total==1.2.3", "Name.Length>1",
]  # fmt: skip
ORDERS = [
    "Date",
    "Date DESC",
    "UpdatedDateUTC ASC",
    "Nothing",
    "",
    ",",
    "Date DESC DESC",
    "Date,Date,Total",
    "x" * 3000,
]
WHOLE = ["1", "0", "-1", "2", "1000", "1001", "99999999999999999999", "1e3", "a", "", "٣", "1_0"]
SINCE = [
    "2026-01-05T00:00:00", "Mon, 05 Jan 2026 00:00:00 GMT", '"2026-01-05"', "0001-01-01T00:00:00+14:00", "nonsense", "",
    "9999-12-31T23:59:59", "9999-12-31T23:59:59-14:00", "1 Jan", "\x00",
]  # fmt: skip


class Pool:
    """What the books hold that a call may name, by a part of the field's name; and how a call is let in."""

    def __init__(self, headers: dict[str, str], ids: Sequence[str], words: Mapping[str, Sequence[str]]) -> None:
        self.headers = headers
        self.ids = list(ids)
        self.words = {name.lower(): list(found) for name, found in words.items()}

    def named(self, name: str) -> list[str]:
        lower = name.lower()
        if lower in self.words:
            return self.words[lower]
        return self.ids if lower.endswith(("id", "ids")) else []


def cases(among: Sequence[Operation], pool: Pool) -> st.SearchStrategy[Case]:
    """Calls of the operations *among*: most nearly right, some not at all."""

    @st.composite
    def case(draw: Draw) -> Case:
        return _case(draw, cast(Operation, _pick(draw, among)), pool)

    return case()


def _one_in(draw: Draw, count: int) -> bool:
    return draw(st.integers(0, count - 1)) == count - 1


def _pick(draw: Draw, among: Sequence[object]) -> object:
    return draw(st.sampled_from(among))


def _case(draw: Draw, operation: Operation, pool: Pool) -> Case:
    method = operation.method if not _one_in(draw, 25) else str(_pick(draw, ["PATCH", "HEAD", "DELETE", "PUT", "x"]))
    path = operation.path
    for name in operation.path_names:
        path = path.replace(f"{{{name}}}", _path_part(draw, name, pool))
    url = f"{operation.host}{path}"
    query = {name: _asked(draw, name, pool) for name in operation.query_names if _one_in(draw, 3)}
    if query:
        url += f"?{urlencode(query)}"
    if _one_in(draw, 20):
        url += str(
            _pick(draw, ["/", "//", "?", "?%", "?where=%ff%zz", "?&&=&page", "#x", "%2F..%2F", "?" + "a=1&" * 500])
        )
    headers = pool.headers | _odd_headers(draw, pool)
    if operation.body is None and not _one_in(draw, 10):
        return Case(method.upper(), url, headers)
    kind, body = _body(draw, operation, pool)
    return Case(method.upper(), url, headers | {"Content-Type": kind}, body)


def _path_part(draw: Draw, name: str, pool: Pool) -> str:
    if not _one_in(draw, 4):
        return quote(str(_pick(draw, pool.named(name) or pool.ids)), safe="")
    return quote(str(_pick(draw, ODD_TEXTS)), safe=str(_pick(draw, ["", "/%"]))) or "-"


def _asked(draw: Draw, name: str, pool: Pool) -> str:
    match name.lower():
        case "where":
            return str(_pick(draw, FILTERS)).replace("{id}", str(_pick(draw, pool.ids)))
        case "order":
            return str(_pick(draw, ORDERS))
        case "page" | "pagesize" | "unitdp" | "offset" | "periods":
            return str(_pick(draw, WHOLE))
        case _:
            known = pool.named(name) or ["true", "False", "2026-01-05", "AUTHORISED", "a"]
            return str(_pick(draw, known if not _one_in(draw, 3) else ODD_TEXTS))


def _odd_headers(draw: Draw, pool: Pool) -> dict[str, str]:
    odd: dict[str, str] = {}
    if _one_in(draw, 3):
        odd["Accept"] = str(_pick(draw, ["", "*/*", "application/xml", "application/pdf", "text/html;q=0.1", "\x00"]))
    if _one_in(draw, 5):
        odd["If-Modified-Since"] = str(_pick(draw, SINCE))
    if _one_in(draw, 8):
        odd["Idempotency-Key"] = str(_pick(draw, ["a", "b" * 129, "ü", " "]))
    if _one_in(draw, 20):
        odd["Xero-Tenant-Id"] = str(_pick(draw, ["", "x", pool.ids[0], "\x00"]))
    if _one_in(draw, 40):
        odd["Authorization"] = str(_pick(draw, ["", "Bearer", "Bearer x", "Basic eDp5", "Bearer \x00"]))
    return odd


def _body(draw: Draw, operation: Operation, pool: Pool) -> tuple[str, bytes]:
    if _one_in(draw, 12):
        kind = str(
            _pick(draw, ["application/json", "application/xml", "", "application/x-www-form-urlencoded", "\x00"])
        )
        return kind, cast(bytes, _pick(draw, RAW))
    value = _value(draw, "", operation.body or {}, pool, 0)
    if isinstance(value, dict) and _one_in(draw, 4):
        inside = next((one for one in value.values() if isinstance(one, list)), None)
        value = value if inside is None else inside[0] if inside and _one_in(draw, 2) else inside
    if _one_in(draw, 5):
        plural = operation.path.strip("/").partition("/")[0]
        return "application/xml", _xml(plural, value).encode("utf-8", "replace")
    return str(_pick(draw, ["application/json", "application/json; charset=utf-8", ""])), json.dumps(value).encode()


RAW = [
    b"", b" ", b"{", b"[", b"[" * 5000, b'{"a":' * 3000, b"null", b"1", b'"x"', b"[1,2]", b'["a"]', b"[[]]", b"{}",
    b"[]",
    b"\xff\xfe", b"\xef\xbb\xbf{}", b"\x00", b'{"Name":"\\ud800"}', b'{"Name":"\\udc00x"}', b'{"Name":"\\u0000"}',
    b'{"Total":NaN}',
    b'{"Amount":1e99999999999999999999}', b'{"Amount":' + b"1" * 5000 + b"}", b'{"Name":1,"name":2}', b"<", b"<a/>",
    b"<Invoices/>",
    b"<a>" * 3000, b"xml=%3CInvoice%2F%3E", b"xml=", b"<?xml version='1.0' encoding='x'?><a/>", b'{"Invoices":"x"}',
    b'{"Invoices":null}', b'{"Invoices":[null]}', b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    b'{"Contacts":{"Name":"a"}}',
]  # fmt: skip


def _value(draw: Draw, name: str, schema: Schema, pool: Pool, depth: int) -> object:
    schema = resolved(schema)
    if _one_in(draw, 25):
        return _pick(draw, [*ODD_VALUES, *ODD_NUMBERS, *ODD_TEXTS])
    known = pool.named(name)
    if known and schema.get("type") != "array" and not _one_in(draw, 6):
        return _pick(draw, known)
    match schema.get("type"):
        case "object":
            return _object(draw, schema, pool, depth)
        case "array":
            count = cast(int, _pick(draw, [0, 1, 1, 1, 2, 3] if depth else [1, 1, 2, 0]))
            return [_value(draw, name, at(schema, "items"), pool, depth + 1) for _ in range(count)]
        case "number" | "integer":
            return _pick(draw, ODD_NUMBERS)
        case "boolean":
            return _pick(draw, [True, False, "true", "False", 1])
        case _:
            return _text(draw, schema)


def _object(draw: Draw, schema: Schema, pool: Pool, depth: int) -> object:
    if depth > 4:
        return {}
    properties = cast("dict[str, Schema]", schema.get("properties", {}))
    wanted = [name for name in properties if name in NEEDED and not _one_in(draw, 10)]
    others = [name for name in properties if name not in NEEDED]
    extra = cast("list[str]", draw(st.lists(st.sampled_from(others), max_size=3, unique=True))) if others else []
    return {name: _value(draw, name, properties[name], pool, depth + 1) for name in [*wanted, *extra]}


# Without these hardly any call would come to anything.
NEEDED = frozenset(
    "Account AccountCode Allocations Amount BankAccount BankTransactions BankTransfers BatchPayments Code Contact "
    "ContactGroups Contacts CreditNotes Currencies Date Description DueDate FromBankAccount HistoryRecords Invoice "
    "Invoices Items JournalLines LineAmount LineItems ManualJournals Name Narration Payments PurchaseOrders Quantity "
    "Quotes Status TaxComponents TaxRates ToBankAccount TrackingCategories Type UnitAmount Details Rate".split()
)


def _text(draw: Draw, schema: Schema) -> object:
    choices = cast("list[object]", schema.get("enum", []))
    if choices and not _one_in(draw, 8):
        return _pick(draw, choices)
    if "x-is-msdate" in schema or schema.get("format") == "date":
        return _pick(draw, ["2026-01-05", "/Date(1767571200000+0000)/", "2026-01-05T10:00:00", *ODD_TEXTS])
    return _pick(draw, ["a", "Ridgeway", *ODD_TEXTS])


def _xml(name: str, value: object) -> str:
    if isinstance(value, dict):
        return f"<{name}>{''.join(_xml(key or 'x', part) for key, part in value.items())}</{name}>"
    if isinstance(value, list):
        one = f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")
        return f"<{name}>{''.join(_xml(one, part) for part in value)}</{name}>"
    return f"<{name}>{escape(str(value))}</{name}>"
