"""How Xero writes: pretty-printed JSON with escaped slashes in dates, twin dates, amounts with two places."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Final

import msgspec

from xerosync.simulator.entities import instant, milliseconds

Row = dict[str, object]
_DAY_MS: Final = 86_400_000
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_CENT: Final = Decimal("0.01")
_TEN_THOUSANDTH: Final = Decimal("0.0001")
_MILLIONTH: Final = Decimal("0.000001")
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode


@lru_cache(4096)
def day(value: date) -> str:
    """A day as Xero writes it: UTC midnight, whatever the organisation's zone (F 5.10)."""
    return f"/Date({(value.toordinal() - _EPOCH_DAY) * _DAY_MS}+0000)/"


@lru_cache(4096)
def day_string(value: date) -> str:
    """The twin of `day`, without a zone."""
    return f"{value.isoformat()}T00:00:00"


def stamp(ms: int) -> str:
    """An instant as Xero writes it."""
    return f"/Date({ms}+0000)/"


def stamp_string(ms: int) -> str:
    """The twin of `stamp`, to the second (F 5.12)."""
    return _second_string(ms // 1000)


@lru_cache(4096)
def _second_string(seconds: int) -> str:
    return f"{instant(seconds * 1000).isoformat()[:19]}Z"


def bare_stamp(moment: datetime) -> str:
    """An instant without the offset, as in envelopes and CreatedDateUTC."""
    return f"/Date({milliseconds(moment)})/"


def money(value: Decimal) -> Decimal:
    """*value* with two places (F 5.03)."""
    return value.quantize(_CENT, ROUND_HALF_UP)


def unit_price(value: Decimal, places: int) -> Decimal:
    """*value* with two places, or four (F 5.21)."""
    return value.quantize(_TEN_THOUSANDTH if places == 4 else _CENT, ROUND_HALF_UP)


def quantity(value: Decimal) -> Decimal:
    """*value* with four places."""
    return value.quantize(_TEN_THOUSANDTH, ROUND_HALF_UP)


def currency_rate(value: Decimal) -> Decimal:
    """*value* with six places or more."""
    return value if value.as_tuple().exponent in range(-18, -5) else value.quantize(_MILLIONTH, ROUND_HALF_UP)


def json_bytes(row: Mapping[str, object]) -> bytes:
    """*row* as the accounting API writes it (F 5.02)."""
    # Escaping the slash inside any other text that happens to look like this changes nothing once it is read.
    written = msgspec.json.format(_encode(row), indent=2).replace(b"\n", b"\r\n")
    return written.replace(b'"/Date(', b'"\\/Date(').replace(b')/"', b')\\/"')


def compact_json(value: object) -> bytes:
    """*value* as the identity API and the gateway write it."""
    return _encode(value)


def squeezed(body: bytes) -> bytes:
    """*body* as gzip, always the same bytes for the same body (F 2.26)."""
    return gzip.compress(body, 1, mtime=0)
