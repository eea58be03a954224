"""What a caller gave: fields by name in any letter case, with typed readers that refuse what cannot be read."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final, TypeAlias
from urllib.parse import unquote_to_bytes
from uuid import UUID

import msgspec

from xerosync.simulator.entities import EPOCH
from xerosync.simulator.refusals import Refused, UnreadableBody
from xerosync.simulator.wire_xml import DEEPEST, read_xml

Json: TypeAlias = "bool | int | Decimal | str | list[Json] | dict[str, Json] | None"
Fields: TypeAlias = Mapping[str, Json]
_decoder: Final = msgspec.json.Decoder(float_hook=Decimal)
_LARGEST_EXPONENT: Final = 15
_FLAGS: Final = {"": None, "true": True, "false": False, "1": True, "0": False}
_MS_DATE: Final = re.compile(r"/Date\((-?[0-9]{1,18})([+-][0-9]{4})?\)/")
_ISO_DATE: Final = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:[T ](?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
    r"(?:Z|[+-](?:0[0-9]|1[0-4]):?[0-5][0-9])?)?",
    re.IGNORECASE,
)
# The first day that the database behind Xero can keep.
_FIRST_DAY: Final = date(1753, 1, 1)
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_UNDASHED: Final = re.compile(r"[0-9a-fA-F]{32}")
_ID: Final = re.compile(r"\{?[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\}?")
_ODD_ESCAPE: Final = re.compile(rb"\\(?:u00[01]|[bf]|u[fF]{3}[eEfF])")
_ODD_CHARACTER: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def dashed(text: str) -> str:
    """*text* with the dashes that callers may leave out of an id (A.11); any other text as it is."""
    return str(UUID(text)) if _UNDASHED.fullmatch(text) else text


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
        if not _ID.fullmatch(value):
            raise Refused(f"Error converting value to type 'System.Guid'. Path '{name}'")
        return str(UUID(value))

    def amount(self, name: str) -> Decimal | None:
        """The number in *name*; None when it was not given."""
        value = self.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
            raise Refused(f"The value of {name} is not a number")
        number = Decimal(value) if not isinstance(value, str) else _number(value.strip())
        if not number.is_finite() or number.adjusted() > _LARGEST_EXPONENT:
            raise Refused(f"The string was not recognised as a valid number. Path '{name}'")
        return number

    def flag(self, name: str) -> bool | None:
        """The yes or no in *name*; None when it was not given."""
        value = self.text(name).strip().lower()
        if value in _FLAGS:
            return _FLAGS[value]
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
        # An element of XML without members is a blank text until one knows what it is for.
        value = value if value != "" else {}
        if not isinstance(value, dict):
            raise Refused(f"Cannot read the value of {name} as an object")
        return Given(value)

    def many(self, name: str) -> list[Given] | None:
        """The objects in *name*, a bare one counting as one; None when it was not given."""
        value = self.get(name)
        if value is None:
            return None
        rows = value if isinstance(value, list) else [value] if value != "" else []
        found = [Given(row) for row in rows if isinstance(row, dict)]
        if len(found) != len(rows):
            raise Refused(f"Cannot read the values of {name} as objects")
        return found


def _number(text: str) -> Decimal:
    return Decimal(text) if _NUMBER.fullmatch(text) else Decimal("NaN")


def read_day(text: str) -> date | None:
    """The day of an ISO date, an ISO date-time or a ``/Date(ms)/``; None when it is none of them."""
    if found := _MS_DATE.fullmatch(text.replace("\\/", "/")):
        zone = found[2] or "+0000"
        minutes = int(zone[0] + "1") * (int(zone[1:3]) * 60 + int(zone[3:]))
        try:
            day = (EPOCH + timedelta(milliseconds=int(found[1]), minutes=minutes)).date()
        except OverflowError:
            return None
        return day if day >= _FIRST_DAY else None
    read = _ISO_DATE.fullmatch(text.strip())
    if read is None:
        return None
    try:
        day = date(int(read[1]), int(read[2]), int(read[3]))
    except ValueError:
        return None
    return day if day >= _FIRST_DAY else None


def read_instant(text: str) -> datetime | None:
    """
    The instant of an ISO date-time (UTC unless it says otherwise) or an RFC 1123 one; None when it is neither.

    Quotes around it are dropped: a client in use sends them.
    """
    text = text.strip().strip('"')
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
        except ValueError:
            return None
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return None


def read_body(body: bytes, content_type: str, plural: str) -> list[Given]:
    """
    The elements of a request: an envelope named *plural*, a bare list, or one bare object, as JSON or XML (F 5.06).

    XML may also come as the field ``xml`` of a form. Raises `UnreadableBody`.
    """
    body = body.strip().removeprefix(codecs.BOM_UTF8)
    kind = content_type.lower()
    if "form-urlencoded" in kind and body[:4].lower() == b"xml=":
        body, kind = unquote_to_bytes(body[4:].partition(b"&")[0].replace(b"+", b" ")), "xml"
    if "xml" in kind or ("json" not in kind and body[:1] == b"<"):
        return [Given(fields) for fields in read_xml(body, plural)]
    return [Given(row) for row in _json_elements(body, plural)]


def _json_elements(body: bytes, plural: str) -> list[Fields]:
    try:
        value: Json = _decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, InvalidOperation):
        raise UnreadableBody("The request body could not be read: it is not valid JSON") from None
    _check(body, value)
    if isinstance(value, dict):
        inside = Given(value).get(plural)
        value = inside if inside is not None else [value]
    rows = value if isinstance(value, list) else [value]
    found = [row for row in rows if isinstance(row, dict)]
    if len(found) != len(rows):
        raise UnreadableBody("The request body holds something that is not an object")
    return list[Fields](found)


def _check(body: bytes, value: Json) -> None:
    """Raise `UnreadableBody` for nesting without end, and for characters that no Xero text can hold."""
    is_odd = _ODD_ESCAPE.search(body) is not None
    if not is_odd and body.count(b"[") + body.count(b"{") <= DEEPEST:
        return
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise UnreadableBody(f"The reader's MaxDepth of {DEEPEST} has been exceeded.")
        if is_odd:
            _check_characters(level)
        level = [part for one in level for part in _parts(one)]


def _parts(value: Json) -> Iterable[Json]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _check_characters(values: Iterable[Json]) -> None:
    texts = (part for value in values for part in (value if isinstance(value, dict) else (value,)))
    for text in texts:
        if isinstance(text, str) and (found := _ODD_CHARACTER.search(text)):
            raise UnreadableBody(f"hexadecimal value 0x{ord(found[0]):02X}, is an invalid character.")
