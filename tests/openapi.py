"""The simulator's answers against Xero's published specification, which lies beside the project where it is there."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from attrs import define, field, frozen

if TYPE_CHECKING:
    from jsonschema_rs import Validator

    from xerosync.ports import Request, Response
    from xerosync.simulator.hooks import Subscription

SHARED: Final = Path(__file__).resolve().parents[1].parent / "shared" / "openapi"
SAMPLED: Final = 200
# Answers are indented, so that the blanks before a key tell how deep it stands. Bulk pages repeat themselves.
_KEYS: Final = re.compile(rb'\n( *"[^"]+"):')
_LONGEST_LOOK: Final = 200_000
Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | int | bool | None"
Schema: TypeAlias = dict[str, Json]

# Where the live API differs from the specification: (schema, key), and the fact that says so.
_TWINS: Final = {
    (schema, key): "A.11, 5.10: days come twice"
    for schema, keys in {
        "Invoice": "DateString DueDateString",
        "CreditNote": "DateString DueDateString",
        "BankTransaction": "DateString",
        "BankTransfer": "DateString CreatedDateUTCString",
        "Overpayment": "DateString",
        "Prepayment": "DateString",
        "PurchaseOrder": "DateString DeliveryDateString ExpectedArrivalDateString",
        "HistoryRecord": "DateUTCString",
    }.items()
    for key in keys.split()
}
DEVIATIONS: Final = _TWINS | {
    ("Allocation", ""): "6.101: the reply to a deletion has no Amount",
    ("Allocation", "Allocations"): "6.101: with a switch, it comes in a list",
    ("Allocation", "AllocationId"): "6.101: and a spelling of its own",
    ("Allocation", "Invoice"): "6.101: and its Invoice is a list",
    ("BankTransaction", "Attachments"): "4.11: a single read lists the files",
    ("BankTransaction", "Warnings"): "5.35: what did not fail an element is said on it",
    ("BatchPayment", "StatusAttributeString"): "5.35",
    ("Connection", "createdDateUtc"): "1.32, as recorded: UTC that does not say so",
    ("Connection", "updatedDateUtc"): "1.32, as recorded: UTC that does not say so",
    ("ContactGroup", "HasValidationErrors"): "the specification's own examples have it",
    ("CreditNote", "ID"): "6.95: the id comes twice",
    ("HistoryRecord", "ValidationErrors"): "6.191, as recorded",
    ("Invoice", "InvoicePaymentServices"): "A.11",
    ("LineItem", "ValidationErrors"): "5.41, as recorded",
    ("LineItemTracking", "Options"): "4.11, as recorded: a page shows an empty list",
    ("Overpayment", "ID"): "6.154",
    ("Prepayment", "ID"): "6.154",
    ("Payments", "Payments.BatchPayment.IsReconciled"): "8.24: a text",
    ("Payments", "Payments.BatchPayment.TotalAmount"): "8.24: a text",
    ("PurchaseOrder", "HasErrors"): "6.176, as recorded",
    ("PurchaseOrder", "IsDiscounted"): "6.176, as recorded",
    ("PurchaseOrder", "Type"): "6.176, as recorded",
    ("Quote", "Warnings"): "5.35: as above",
    ("Quotes", "SummarizeErrors"): "recorded by others",
    ("TrackingOption", "HasValidationErrors"): "the specification's own examples have it",
    ("TrackingOption", "IsActive"): "the specification's own examples have it",
    ("TrackingOption", "IsArchived"): "the specification's own examples have it",
    ("TrackingOption", "IsDeleted"): "the specification's own examples have it",
    ("WebhookEvent", "data"): "7.05: a credit note's event says more, as another schema knows",
    ("WebhookEvent", "events.eventCategory"): "7.02: prepayments and overpayments came later",
    ("WebhookEvent", "events.eventDateUtc"): "7.04, and the specification's own examples: UTC that does not say so",
    ("CreditNoteWebhookEvent", "events.eventDateUtc"): "the same",
    ("WebhookEvent", "firstEventSequence"): "7.10: 0 where a receiver is only tried",
    ("WebhookEvent", "lastEventSequence"): "7.10: 0 where a receiver is only tried",
}


class Deviates(AssertionError):
    """An answer is not what the specification says, and no fact says why."""


@frozen
class Found:
    """One thing that is not as specified: at the *schema* and *key*, and what is wrong with it."""

    schema: str
    key: str
    what: str


@define
class Specification:
    """One published file: its paths by verb and shape, and its schemas."""

    version: str
    schemas: dict[str, Schema]
    operations: dict[tuple[str, tuple[str, ...]], dict[str, Json]]
    validators: dict[str, Validator] = field(factory=dict)

    def answers(self, method: str, path: tuple[str, ...]) -> dict[str, Json]:
        """The schemas of the answers of one operation by status; none where it is not specified."""
        return self.operations.get((method, path), {})

    def violations(self, name: str, value: Json) -> Iterator[Found]:
        """What in *value* the schema *name* does not allow, unknown keys included."""
        from jsonschema_rs import Draft4Validator, Draft202012Validator  # noqa: PLC0415

        if name not in self.validators:
            root = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": self.schemas}}
            dialect = Draft4Validator if self.version.startswith("3.0") else Draft202012Validator
            self.validators[name] = dialect(root, validate_formats=True)
        for error in self.validators[name].iter_errors(value):
            key = ".".join(part for part in map(str, error.instance_path) if not part.isdigit())
            yield Found(name, key, error.message[:200])
        yield from self._unknown({"$ref": f"#/components/schemas/{name}"}, value, "")

    def _unknown(self, schema: Schema, value: Json, owner: str) -> Iterator[Found]:
        reference = schema.get("$ref")
        if isinstance(reference, str):
            owner = reference.rpartition("/")[2]
            schema = self.schemas[owner]
        if isinstance(value, list):
            items = schema.get("items")
            if isinstance(items, dict):
                for part in value:
                    yield from self._unknown(items, part, owner)
        properties = schema.get("properties")
        if isinstance(value, dict) and isinstance(properties, dict):
            for key, part in value.items():
                inside = properties.get(key)
                if not isinstance(inside, dict):
                    yield Found(owner, key, "the specification does not know this key")
                else:
                    yield from self._unknown(inside, part, owner)


def shape(path: str) -> tuple[str, ...]:
    """A templated *path* as routes are written: small letters, and {} for every id."""
    return tuple("{}" if part.startswith("{") else part.lower() for part in path.strip("/").split("/"))


@cache
def specification(name: str) -> Specification:
    """The published file *name*, read once."""
    import yaml  # noqa: PLC0415

    text = (SHARED / f"{name}.yaml").read_text(encoding="utf-8")
    read: dict[str, dict[str, dict[str, Schema]]] = yaml.load(text, Loader=yaml.CSafeLoader)
    version = text.partition("openapi:")[2].strip(" \"'")[:5]
    schemas = json.loads(json.dumps(read["components"]["schemas"], default=str))
    operations: dict[tuple[str, tuple[str, ...]], dict[str, Json]] = {}
    for path, verbs in read.get("paths", {}).items():
        for verb, operation in verbs.items():
            if verb in {"get", "put", "post", "delete", "patch"}:
                held = operations.setdefault((verb.upper(), shape(path)), {})
                held.update(_schemas_of(operation))
    return Specification(version, {one: _draft4(schema) for one, schema in schemas.items()}, operations)


def _schemas_of(operation: Mapping[str, Json]) -> dict[str, Json]:
    responses = operation["responses"]
    assert isinstance(responses, dict)
    held: dict[str, Json] = {}
    for status, response in responses.items():
        if isinstance(response, dict):
            if response.get("$ref") == "#/components/responses/400Error":
                held[str(status)] = "Error"
            elif "History" in str(response.get("$ref")):
                held[str(status)] = "HistoryRecords"
            else:
                content = response.get("content")
                json_of = content.get("application/json") if isinstance(content, dict) else None
                schema = json_of.get("schema") if isinstance(json_of, dict) else None
                if isinstance(schema, dict) and isinstance(reference := schema.get("$ref"), str):
                    held[str(status)] = reference.rpartition("/")[2]
    return held


def _draft4(schema: Schema) -> Schema:
    """*schema* of OpenAPI 3.0 as plain JSON schema: nullable becomes a further type."""
    out: Schema = {}
    for key, value in schema.items():
        if isinstance(value, dict):
            out[key] = _draft4(value) if key != "example" else value
        elif isinstance(value, list) and key in {"allOf", "anyOf", "oneOf"}:
            out[key] = [_draft4(part) if isinstance(part, dict) else part for part in value]
        else:
            out[key] = value
    if out.get("nullable") is True and isinstance(out.get("type"), str):
        out["type"] = [str(out["type"]), "null"]
    return out


@define
class Observer:
    """
    Looks at answers of the accounting API: each shape in full once, and one in *every* after that.

    A shape is a verb, a path, a status, and the set of keys with the depth at which each stands.
    """

    every: int = SAMPLED
    seen: Counter[object] = field(factory=Counter[object])
    used: set[tuple[str, str]] = field(factory=set[tuple[str, str]])

    def look(self, request: Request, parts: list[str], response: Response) -> None:
        """Raise `Deviates` where *response* is not what the specification says."""
        from xerosync.simulator import routes  # noqa: PLC0415
        from xerosync.simulator.refusals import NotThere  # noqa: PLC0415

        if "json" not in response.headers.get("content-type", "") or response.status not in {200, 400}:
            return
        try:
            path = routes.find(parts)[0].path
        except NotThere:
            return
        keys = hash(frozenset(_KEYS.findall(response.body, 0, _LONGEST_LOOK)))
        mark = (request.method, path, response.status, keys)
        self.seen[mark] += 1
        if self.seen[mark] > 1 and self.seen[mark] % self.every:
            return
        spec = specification("xero_accounting")
        schema = spec.answers(request.method, path).get(str(response.status))
        if response.status == 400:
            schema = "Error"
        if not isinstance(schema, str):
            return
        self._check(spec, schema, f"{request.method} /{'/'.join(path)}", json.loads(response.body))

    def look_at_connections(self, response: Response) -> None:
        """The same for the list of connections, which is the other specified answer of the identity service."""
        if response.status == 200:
            for row in json.loads(response.body):
                self._check(specification("xero-identity"), "Connection", "GET /Connections", row)

    def look_at_delivery(self, body: bytes) -> None:
        """The same for what a webhook's receiver is sent."""
        spec, sent = specification("xero-webhooks"), json.loads(body)
        self._check(spec, "WebhookEvent", "a delivery", sent)
        notes = [event for event in sent["events"] if event["eventCategory"] == "CREDITNOTE"]
        if notes:
            self._check(spec, "CreditNoteWebhookEvent", "a delivery", sent | {"events": notes})

    def _check(self, spec: Specification, schema: str, where: str, value: Json) -> None:
        if isinstance(value, dict):
            for key in ("Id", "Status", "ProviderName", "DateTimeUTC"):
                value.pop(key, None)
            # The elements of an error are what the caller gave, and some more (F 5.40).
            value = {key: _taken(part) for key, part in value.items() if key != "Elements"}
        wrong: list[str] = []
        for one in spec.violations(schema, value):
            place = (one.schema, one.key)
            if place in DEVIATIONS:
                self.used.add(place)
            else:
                wrong.append(f"{one.schema} {one.key}: {one.what}")
        if wrong:
            raise Deviates(f"{where}: " + "; ".join(dict.fromkeys(wrong)))


def _taken(value: Json) -> Json:
    """The rows of *value* that were not refused: those that were echo whatever the caller gave (F 5.36)."""
    if not isinstance(value, list):
        return value
    return [row for row in value if not isinstance(row, dict) or not _is_refused(row)]


def _is_refused(row: dict[str, Json]) -> bool:
    marks = (row.get("ValidationErrors"), row.get("HasErrors"), row.get("HasValidationErrors"))
    return any(marks) or row.get("StatusAttributeString") == "ERROR"


OBSERVER: Final = Observer()


def watch() -> Callable[[], None]:
    """Look at every answer of every simulator of this process from now on; the way to stop it."""
    from xerosync.simulator.api import Api  # noqa: PLC0415
    from xerosync.simulator.webhooks import Webhooks  # noqa: PLC0415

    plain, plainly_connected, plainly_sent = Api.answer, Api.connections, Webhooks._send

    def answer(self: Api, request: Request, parts: list[str], query: Mapping[str, str], **further: object) -> Response:
        response = plain(self, request, parts, query, **further)  # type: ignore[arg-type]
        OBSERVER.look(request, parts, response)
        return response

    def connections(self: Api, request: Request, path: str, query: Mapping[str, str], **further: object) -> Response:
        response = plainly_connected(self, request, path, query, **further)  # type: ignore[arg-type]
        OBSERVER.look_at_connections(response)
        return response

    def send(self: Webhooks, subscription: Subscription, body: bytes, signature: str) -> Response | None:
        OBSERVER.look_at_delivery(body)
        return plainly_sent(self, subscription, body, signature)

    Api.answer, Api.connections, Webhooks._send = answer, connections, send  # type: ignore[method-assign]

    def stop() -> None:
        Api.answer, Api.connections, Webhooks._send = plain, plainly_connected, plainly_sent  # type: ignore[method-assign]

    return stop
