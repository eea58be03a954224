"""XML as Xero writes it, which is its answer unless JSON is asked for, and as its clients send it (F 5.04, 5.06)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, cast
from xml.sax.saxutils import escape, quoteattr

from xerosync.simulator.entities import instant
from xerosync.simulator.refusals import UnreadableBody
from xerosync.simulator.wire import Row

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from xerosync.simulator.given import Fields, Json

_SPACES: Final = 'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_NIL: Final = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_NAME: Final = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DATE: Final = re.compile(r"/Date\((-?[0-9]{1,15})(?:\+0000)?\)/")
_ENTITIES: Final = {"\r": "&#xD;"}
DEEPEST: Final = 64

# What the rules of English do not give.
_SINGULAR: Final = {"tracking": "TrackingCategory"}
# JSON has these beside the fields that XML has; clients that send XML must not send them.
_JSON_ONLY: Final = frozenset({"HasErrors", "HasValidationErrors", "HasAccount", "IsDiscounted", "ID"})
# Lists that may come empty: an empty element of another name is a blank text.
_LISTS: Final = frozenset({
    "addresses", "allocations", "attachments", "contactgroups", "contactpersons", "contacts", "creditnotes",
    "externallinks", "historyrecords", "invoices", "items", "journallines", "lineitems", "options", "payments",
    "phones", "purchasestrackingcategories", "salestrackingcategories", "taxcomponents", "tracking",
    "trackingcategories",
})  # fmt: skip


def singular(plural: str) -> str:
    """The name of one element of the list *plural*."""
    if plural.lower() in _SINGULAR:
        return _SINGULAR[plural.lower()]
    if plural.endswith("sses"):
        return plural[:-2]
    return f"{plural[:-3]}y" if plural.endswith("ies") else plural.removesuffix("s")


_KINDS: Final = {
    name.lower(): singular(name)
    for name in (
        "Accounts Allocations Attachments BankTransactions BankTransfers BatchPayments ContactGroups Contacts "
        "CreditNotes Currencies Invoices Items LinkedTransactions ManualJournals Overpayments Payments Prepayments "
        "PurchaseOrders Quotes TaxRates TrackingCategories Users"
    ).split()
} | {"history": "HistoryRecord", "options": "TrackingOption", "organisation": "Organisation"}


def kind_of(parts: Sequence[str]) -> str:
    """What the elements of a call to the path *parts* are, as Xero's code names them."""
    return next((_KINDS[part.lower()] for part in reversed(parts) if part.lower() in _KINDS), "")


def xml_bytes(row: Mapping[str, object], root: str = "Response", *, kind: str = "") -> bytes:
    """*row* as XML; *kind* is what the elements of a refusal are."""
    parts = [f"<{root} {_SPACES}>"]
    for name, value in row.items():
        if name == "Elements":
            _write_refused(value, kind, parts)
        elif name == "DateTimeUTC":
            parts.append(f"  <DateTimeUTC>{_text(value)}Z</DateTimeUTC>")
        else:
            _write(name, value, parts, "  ")
    parts.append(f"</{root}>")
    return "\r\n".join(parts).encode()


def _write_refused(elements: object, kind: str, parts: list[str]) -> None:
    parts.append("  <Elements>")
    for element in cast("Sequence[Row]", elements):
        _write_object("DataContractBase", element, parts, "    ", f' xsi:type="{kind}"')
    parts.append("  </Elements>")


def _write(name: str, value: object, parts: list[str], indent: str) -> None:
    if value is None or _is_json_only(name) or not _NAME.fullmatch(name):
        return
    if isinstance(value, dict):
        _write_object(name, cast("Row", value), parts, indent)
    elif isinstance(value, list | tuple):
        _write_list(name, cast("Sequence[object]", value), parts, indent)
    else:
        text = _text(value)
        parts.append(f"{indent}<{name}>{text}</{name}>" if text else f"{indent}<{name} />")


def _write_list(name: str, values: Sequence[object], parts: list[str], indent: str) -> None:
    if not values:
        parts.append(f"{indent}<{name} />")
        return
    one = singular(name)
    parts.append(f"{indent}<{name}>")
    for value in values:
        _write(one, value, parts, f"{indent}  ")
    parts.append(f"{indent}</{name}>")


def _write_object(name: str, row: Row, parts: list[str], indent: str, marks: str = "") -> None:
    status = row.get("StatusAttributeString")
    if status is not None:
        # The key says where it comes from: in XML it is an attribute of the element.
        marks = f"{marks} status={quoteattr(_NOT_XML.sub('', str(status)))}"
    start = len(parts)
    parts.append(f"{indent}<{name}{marks}>")
    for inner, value in row.items():
        if inner != "StatusAttributeString":
            _write(inner, value, parts, f"{indent}  ")
    if len(parts) == start + 1:
        parts[start] = f"{indent}<{name}{marks} />"
    else:
        parts.append(f"{indent}</{name}>")


def _is_json_only(name: str) -> bool:
    return name in _JSON_ONLY or name.endswith(("DateString", "UTCString"))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    found = _DATE.fullmatch(text)
    return (found and _instant_text(int(found[1]))) or escape(_NOT_XML.sub("", text), _ENTITIES)


def _instant_text(ms: int) -> str:
    """The instant as XML writes it, without a zone; blank for one that no calendar has."""
    try:
        moment = instant(ms)
    except OverflowError:
        return ""
    fraction = f".{moment.microsecond:06d}".rstrip("0").rstrip(".")
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}"


def read_xml(body: bytes, plural: str) -> list[Fields]:
    """
    The elements of an XML *body*: a list named *plural*, or one element by its singular.

    Raises `UnreadableBody`; nothing that XML can be made to do to its reader is allowed.
    """
    root = _parsed(body)
    tag = _tag(root)
    if tag.lower() == plural.lower():
        elements = [one for one in root if _tag(one).lower() == singular(plural).lower()]
    elif tag.lower() == singular(plural).lower():
        elements = [root]
    else:
        raise UnreadableBody(f"<{tag} xmlns=''> was not expected.")
    return [_fields(element) for element in elements]


def _parsed(body: bytes) -> Element:
    from xml.etree.ElementTree import ParseError  # noqa: PLC0415 (loaded only where XML comes)

    from defusedxml import DefusedXmlException  # noqa: PLC0415
    from defusedxml.ElementTree import fromstring  # noqa: PLC0415

    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise UnreadableBody("The request body could not be read: it is not valid XML") from None
    if any(depth > DEEPEST for depth in _depths(root)):
        raise UnreadableBody(f"The reader's MaxDepth of {DEEPEST} has been exceeded.")
    return root


def _depths(root: Element) -> Iterator[int]:
    level = [root]
    depth = 0
    while level:
        depth += 1
        yield depth
        level = [child for element in level for child in element]


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _fields(element: Element) -> dict[str, Json]:
    return {_tag(part): _value(part) for part in element}


def _value(element: Element) -> Json:
    tag = _tag(element)
    if element.get(_NIL, "") in {"true", "1"}:
        return None
    one = singular(tag).lower()
    members = [part for part in element if _tag(part).lower() == one] if one != tag.lower() else []
    if members or tag.lower() in _LISTS:
        return [_fields(part) for part in members]
    return _fields(element) if len(element) else element.text or ""
