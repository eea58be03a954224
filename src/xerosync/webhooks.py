"""
Webhooks: what Xero tells of changes, proven to be Xero's, and kept until the organisation is looked at.

It belongs to no web framework: give the raw body and one header to `WebhookInbox.receive`, and answer with its status.
"""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, cast
from uuid import UUID

from attrs import field, frozen

from xerosync.client._driver import stepped
from xerosync.client._wire.codec import Json, parse
from xerosync.engine.inbox import SEQUENCE, EventNumbers, Told, read_numbers
from xerosync.engine.schedule import wake_record
from xerosync.errors import InvalidInput, UnreadableAnswer, VersionConflict, WebhookRefused
from xerosync.models import TenantId
from xerosync.ports import Clock
from xerosync.secret import Secret
from xerosync.storage.adapt import port_for
from xerosync.storage.protocol import AsyncStorage, Record, RecordKey, Storage

SIGNATURE: Final = "x-xero-signature"
"""The header that Xero signs a delivery in (F 7.08)."""

_MOST_BYTES: Final = 1 << 20
_MOST_NUMBER: Final = 2_147_483_647
_ORGANISATION: Final = "ORGANISATION"
_LONGEST: Final = 200
_TRIES: Final = 20


@frozen
class WebhookEvent:
    """
    That one document changed: a hint, to be followed by reading it.

    *organisation* is its tenant id; for a subscription of Xero's app store, it is the app's. *category* is ``INVOICE``
    (a bill too), ``CONTACT``, ``CREDITNOTE``, ``PREPAYMENT``, ``OVERPAYMENT`` or ``SUBSCRIPTION``; *kind* is ``CREATE``
    or ``UPDATE``, which stands for archiving, voiding and deleting too (F 7.02, 7.03). *at* is in UTC.
    """

    organisation: TenantId
    category: str
    resource_id: str
    kind: str
    at: datetime
    of_organisation: bool = field(default=True, repr=False)


@frozen
class Delivery:
    """
    One request of Xero's: its *events*, numbered *first* to *last*, and how many of them are *unread*, being malformed.

    The request by which Xero asks whether anybody is there has no events, and the numbers 0 (F 7.10).
    """

    events: tuple[WebhookEvent, ...] = ()
    first: int = 0
    last: int = 0
    unread: int = 0


@frozen
class WebhookAnswer:
    """
    What to answer Xero: the *status*, an empty body, no cookie (F 7.09).

    *events* are those that had not come before; none with a status of 401.
    """

    status: int
    events: tuple[WebhookEvent, ...] = ()


def read_delivery(body: bytes, signature: str | None, *keys: str | Secret) -> Delivery:
    """
    The delivery in a raw *body* whose *signature*, the header ``x-xero-signature``, was made with one of *keys*.

    The bytes must be those that came, before anybody has parsed them. What is signed and cannot be read is counted, as
    it says that something was missed. Raises `WebhookRefused` when it is not Xero's, or larger than a megabyte.
    """
    if len(body) > _MOST_BYTES:
        raise WebhookRefused("it is larger than a megabyte")
    if not any(_is_signed(body, signature, Secret(key)) for key in keys):
        raise WebhookRefused("it is not signed with the webhook's key")
    try:
        parsed = parse(body, where="webhook")
    except UnreadableAnswer:
        return Delivery(unread=1)
    told = cast(Json, parsed) if isinstance(parsed, dict) else {}
    rows = told.get("events")
    if not isinstance(rows, list):
        return Delivery(unread=1)
    events = [_event(row) for row in cast(list[object], rows)]
    readable = tuple(event for event in events if event is not None)
    first, last = _number(told, "firstEventSequence"), _number(told, "lastEventSequence")
    if first is None or last is None or first > last:
        return Delivery(readable, unread=len(events) - len(readable) + 1)
    return Delivery(readable, first, last, len(events) - len(readable))


class AsyncWebhookInbox:
    """
    Receives webhooks into *store*, awaited; a worker that looks at the same store catches up with what they tell.

    *key* is the webhook's signing key as the developer portal shows it; several while one is exchanged, since Xero
    signs with one of them only. Every process of a host may have one of these.
    """

    def __init__(
        self,
        store: Storage | AsyncStorage,
        *keys: str | Secret,
        clock: Clock | None = None,
        _blocking: bool = False,
    ) -> None:
        if clock is None:
            from xerosync.client import _http  # noqa: PLC0415 - the HTTP library is slow to import

            clock = _http.BlockingClock() if _blocking else _http.AsyncClock()
        self._keys: Final = tuple(Secret(key) for key in keys)
        if not all(self._keys) or not self._keys:
            raise InvalidInput("key", "give the webhook's signing key, as developer.xero.com shows it")
        self._storage: Final = port_for(store, blocking=_blocking)
        self._clock: Final = clock

    async def receive(self, body: bytes, signature: str | None) -> WebhookAnswer:
        """
        Keep what a raw request *body* tells, and say what to answer: 200, or 401 when it is not Xero's.

        Everything is kept in one commit before it returns, and nothing is asked of Xero, so that an answer goes out
        within its five seconds. What comes twice, late or out of order does no harm. Raises `StoreFailed` when it could
        not be kept: then answer with a status of 500, and Xero delivers it again (F 7.11).
        """
        try:
            delivery = read_delivery(body, signature, *self._keys)
        except WebhookRefused:
            return WebhookAnswer(401)
        tries = 0
        while True:
            try:
                return WebhookAnswer(200, await self._kept(delivery))
            except VersionConflict:  # another process receives at the same time
                tries += 1
                if tries == _TRIES:
                    raise

    async def _kept(self, delivery: Delivery) -> tuple[WebhookEvent, ...]:
        """The events of *delivery* that are news, kept with how far their numbers have come."""
        now = self._clock.now()
        events: dict[RecordKey, list[WebhookEvent]] = {}
        for each in delivery.events:
            events.setdefault(_told(each).identity, []).append(each)
        numbers_key = RecordKey(SEQUENCE, "", self._subscription())
        numbers, *known = await self._storage.get_many([numbers_key, *events])
        fresh: list[WebhookEvent] = []
        puts: list[Record] = []
        expect = {numbers_key: 0 if numbers is None else numbers.version}
        for (identity, same), record in zip(events.items(), known, strict=True):
            latest = record
            for event in same:
                kept = _told(event).record(latest)
                if kept is not None:
                    latest = kept
                    fresh.append(event)
            if latest is not None and latest is not record and same[0].of_organisation:
                puts.append(latest)
                expect[identity] = 0 if record is None else record.version
        before = read_numbers(numbers)
        after = _counted(before, delivery, now)
        if after != before or numbers is None:
            puts.append(after.record(self._subscription()))
        puts += [
            wake_record(tenant, now, told=True) for tenant in sorted({each.tenant for each in puts if each.tenant})
        ]
        if puts:
            await self._storage.commit(puts, expect=expect)
        return tuple(fresh)

    def _subscription(self) -> str:
        return sha256(b"xerosync webhook " + self._keys[0].reveal().encode()).hexdigest()[:16]


class WebhookInbox:
    """
    Receives webhooks into *store*; a worker that looks at the same store catches up with what they tell.

    *key* is the webhook's signing key as the developer portal shows it; several while one is exchanged, since Xero
    signs with one of them only. Every process of a host may have one of these.
    """

    def __init__(self, store: Storage, *keys: str | Secret, clock: Clock | None = None) -> None:
        self._flows: Final = AsyncWebhookInbox(store, *keys, clock=clock, _blocking=True)

    receive: Final = stepped(AsyncWebhookInbox.receive)


def _is_signed(body: bytes, signature: str | None, key: Secret) -> bool:
    """Whether *signature* was made of these very bytes with *key* (F 7.08)."""
    expected = base64.b64encode(hmac.digest(key.reveal().encode(), body, sha256))
    return hmac.compare_digest(expected, (signature or "").strip().encode("utf-8", "replace"))


def _event(row: object) -> WebhookEvent | None:
    """The event in *row*; None when it is none."""
    if not isinstance(row, dict):
        return None
    told = cast(Json, row)
    try:
        at = datetime.fromisoformat(_text(told, "eventDateUtc"))
        return WebhookEvent(
            TenantId(str(UUID(_text(told, "tenantId")))),
            _text(told, "eventCategory").upper(),
            str(UUID(_text(told, "resourceId"))),
            _text(told, "eventType").upper(),
            at.replace(tzinfo=UTC) if at.utcoffset() is None else at.astimezone(UTC),
            of_organisation=_text(told, "tenantType").upper() == _ORGANISATION,
        )
    except (ValueError, OverflowError):
        return None


def _text(told: Json, name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str) or not value or len(value) > _LONGEST:
        raise ValueError(name)
    return value


def _number(told: Json, name: str) -> int | None:
    value = told.get(name)
    return value if type(value) is int and 0 <= value <= _MOST_NUMBER else None


def _counted(numbers: EventNumbers, delivery: Delivery, now: datetime) -> EventNumbers:
    """*numbers* after *delivery*; the one that only asks whether anybody is there changes nothing."""
    counted = numbers.after(delivery.first, delivery.last, now) if delivery.last else numbers
    return counted.unread(now) if delivery.unread else counted


def _told(event: WebhookEvent) -> Told:
    return Told(event.organisation, event.category, event.resource_id, event.kind, event.at)
