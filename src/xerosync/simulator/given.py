"""What a caller gave: fields by name in any letter case, with typed readers that refuse what cannot be read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final, TypeAlias
from uuid import UUID

import msgspec

from xerosync.simulator.entities import EPOCH
from xerosync.simulator.refusals import Refused, UnreadableBody

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Json: TypeAlias = "bool | int | Decimal | str | list[Json] | dict[str, Json] | None"
Fields: TypeAlias = Mapping[str, Json]
_decoder: Final = msgspec.json.Decoder(float_hook=Decimal)
_LARGEST_EXPONENT: Final = 15
_MS_DATE: Final = re.compile(r"/Date\((-?\d+)([+-]\d{4})?\)/")


class Given:
    """
    One object of a request. Unknown fields are ignored (F 5.08), numbers may be texts (F 6.88), null is like a blank.

    Readers raise `Refused` when a value cannot be what its field must be.
    """

    def __init__(self, fields: Fields) -> None:
        self._fields: dict[str, tuple[str, Json]] = {name.lower(): (name, value) for name, value in fields.items()}

    def has(self, *names: str) -> bool:
        """Whether any of *names* was given, null included."""
        return any(name.lower() in self._fields for name in names)

    @property
    def names(self) -> tuple[str, ...]:
        """The names given, in lower case."""
        return tuple(self._fields)

    def items(self) -> Iterator[tuple[str, Json]]:
        """The fields as they were written."""
        return iter(self._fields.values())

    def get(self, name: str) -> Json:
        """The raw value of *name*; None when it was not given."""
        return self._fields.get(name.lower(), ("", None))[1]

    def text(self, name: str) -> str:
        """The text of *name*, line breaks as Xero keeps them (F 5.16); blank when it was not given."""
        value = self.get(name)
        if value is None:
            return ""
        if isinstance(value, dict | list):
            raise Refused(f"The value of {name} is not a text")
        if isinstance(value, bool):
            return "true" if value else "false"
        return re.sub(r"\r\n|\r|\n", "\r\n", str(value)) if isinstance(value, str) else str(value)

    def id(self, name: str) -> str:
        """The id in *name*, dashed and in small letters; blank when it was not given."""
        value = self.text(name).strip()
        if not value:
            return ""
        try:
            return str(UUID(value))
        except ValueError:
            raise Refused(f"Error converting value to type 'System.Guid'. Path '{name}'") from None

    def amount(self, name: str) -> Decimal | None:
        """The number in *name*; None when it was not given."""
        value = self.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
            raise Refused(f"The value of {name} is not a number")
        try:
            number = Decimal(value.strip() if isinstance(value, str) else value)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or number.adjusted() > _LARGEST_EXPONENT:
            raise Refused(f"The string was not recognised as a valid number. Path '{name}'")
        return number

    def flag(self, name: str) -> bool | None:
        """The yes or no in *name*; None when it was not given."""
        value = self.text(name).strip().lower()
        if value in {"", "true", "false"}:
            return None if not value else value == "true"
        raise Refused(f"The value of {name} is neither true nor false")

    def day(self, name: str) -> date | None:
        """The day in *name*, its time of day dropped (F 5.13); None when it was not given."""
        value = self.text(name).strip()
        if not value:
            return None
        found = read_day(value)
        if found is None:
            raise Refused(f"The string was not recognised as a valid DateTime. Path '{name}'")
        return found

    def choice(self, name: str, among: Sequence[str]) -> str:
        """The one of *among* that *name* names in any letter case; blank when it was not given."""
        value = self.text(name).strip()
        if not value:
            return ""
        for one in among:
            if one.lower() == value.lower():
                return one
        raise Refused(f"Error converting value to an enumeration. Path '{name}'")

    def one(self, name: str) -> Given | None:
        """The object in *name*; None when it was not given."""
        value = self.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise Refused(f"Cannot read the value of {name} as an object")
        return Given(value)

    def many(self, name: str) -> list[Given] | None:
        """The objects in *name*, a bare one counting as one; None when it was not given."""
        value = self.get(name)
        if value is None:
            return None
        rows = value if isinstance(value, list) else [value]
        return [Given(row) for row in rows if isinstance(row, dict)]


def read_day(text: str) -> date | None:
    """The day of an ISO date, an ISO date-time or a ``/Date(ms)/``; None when it is none of them."""
    if found := _MS_DATE.fullmatch(text.replace("\\/", "/")):
        zone = found[2] or "+0000"
        minutes = int(zone[0] + "1") * (int(zone[1:3]) * 60 + int(zone[3:]))
        try:
            return (EPOCH + timedelta(milliseconds=int(found[1]), minutes=minutes)).date()
        except OverflowError:
            return None
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        return None


def read_instant(text: str) -> datetime | None:
    """The instant of an ISO date-time (UTC unless it says otherwise) or an RFC 1123 one; None when it is neither."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        try:
            moment = datetime.strptime(text.strip(), "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
        except ValueError:
            return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def read_body(body: bytes, content_type: str, plural: str) -> list[Given]:
    """
    The elements of a request: an envelope named *plural*, a bare list, or one bare object, as JSON or XML (F 5.06).

    Raises `UnreadableBody`.
    """
    if "json" not in content_type and body.lstrip()[:1] == b"<":
        return [Given(fields) for fields in _xml_elements(body, plural)]
    try:
        value: Json = _decoder.decode(body or b"{}")
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise UnreadableBody("The request body could not be read: it is not valid JSON") from None
    if isinstance(value, dict):
        inside = Given(value).get(plural)
        value = inside if inside is not None else [value]
    if not isinstance(value, list):
        value = [value]
    if not all(isinstance(row, dict) for row in value):
        raise UnreadableBody("The request body holds something that is not an object")
    return [Given(row) for row in value if isinstance(row, dict)]


def _xml_elements(body: bytes, plural: str) -> list[Fields]:
    from xml.etree.ElementTree import ParseError  # noqa: PLC0415 (loaded only where XML comes)

    from defusedxml import DefusedXmlException  # noqa: PLC0415 (loaded only where XML comes)
    from defusedxml.ElementTree import fromstring  # noqa: PLC0415

    try:
        root: Element = fromstring(body.decode())
    except (ParseError, UnicodeDecodeError, DefusedXmlException):
        raise UnreadableBody("The request body could not be read: it is not valid XML") from None
    elements = list(root) if root.tag.lower() == plural.lower() else [root]
    return [fields for fields in map(_xml_value, elements) if isinstance(fields, dict)]


_CONTAINERS: Final = frozenset({
    "lineitems", "phones", "addresses", "contactpersons", "allocations", "payments", "tracking", "invoices", "contacts",
})  # fmt: skip


def _xml_value(element: Element) -> Json:
    if element.tag.lower() in _CONTAINERS:
        return [_xml_value(part) for part in element]
    if not len(element):
        return element.text or ""
    return {part.tag: _xml_value(part) for part in element}
