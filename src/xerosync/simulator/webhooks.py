"""Webhooks: what is told of changes, to whom, signed, again and again until it is taken (F 7.01–7.20)."""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from hashlib import sha256
from threading import Lock
from typing import Final, Literal

from attrs import evolve

from xerosync.errors import InvalidInput
from xerosync.ports import Request, Response
from xerosync.simulator.books import Books
from xerosync.simulator.entities import Contact, Document, instant, milliseconds
from xerosync.simulator.faults import Fault, Faults
from xerosync.simulator.hooks import CATEGORIES, Event, Subscription, post
from xerosync.simulator.wire import Row, compact_json
from xerosync.simulator.world import World

Receiver = Callable[[Request], Response]
_API: Final = "https://api.xero.com/api.xro/2.0"
_PATHS: Final = {
    "INVOICE": "Invoices", "CONTACT": "Contacts", "CREDITNOTE": "CreditNotes", "PREPAYMENT": "Prepayments",
    "OVERPAYMENT": "Overpayments",
}  # fmt: skip
_SCOPES: Final = {
    "INVOICE": ("accounting.invoices", "accounting.transactions"),
    "CREDITNOTE": ("accounting.invoices", "accounting.transactions"),
    "CONTACT": ("accounting.contacts",),
    "PREPAYMENT": ("accounting.payments", "accounting.transactions"),
    "OVERPAYMENT": ("accounting.payments", "accounting.transactions"),
}
_FAMILIES: Final = {path: category for category, path in _PATHS.items()}
_IN_TIME_S: Final = 5.0
_RETRY: Final = timedelta(minutes=15)
_GIVES_UP: Final = timedelta(hours=24)
_KEPT: Final = timedelta(days=31)
_LONGEST_DELAY_S: Final = 90
_MOST_EVENTS: Final = 100


class Webhooks:
    """
    The webhooks of every app. One subscription an app; events come for the organisations it is connected to.

    Time is the simulator's: on a virtual clock what is due is delivered whenever time is told to pass, and by
    `deliver`. Nothing is delivered while the simulator answers a call, so a receiver may call it back.
    """

    def __init__(self, world: World, faults: Faults, transaction: Callable[[], AbstractContextManager[None]]) -> None:
        self._world = world
        self._faults = faults
        self._transaction = transaction
        self._receivers: dict[str, Receiver] = {}
        self._delivering = Lock()
        world.watch_books(self._follow)

    def subscribe(
        self, client_id: str, receiver: Receiver | str, *, categories: Iterable[str] = CATEGORIES
    ) -> Subscription:
        """
        Let events of *categories* go to *receiver*: a function of this process, or an http(s) URL.

        The subscription is not active until `validate` has found it worthy. Raises `InvalidInput`.
        """
        wanted = tuple(category.upper() for category in categories)
        if not wanted or set(wanted) - set(CATEGORIES):
            raise InvalidInput("categories", f"give some of {', '.join(CATEGORIES)}")
        if client_id not in {app.id for app in self._world.apps}:
            raise InvalidInput("client_id", "there is no such app")
        url = receiver if isinstance(receiver, str) else ""
        if url and not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise InvalidInput("receiver", "Xero delivers over https; plain http is for this machine only")
        if not isinstance(receiver, str):
            self._receivers[client_id] = receiver
        with self._transaction():
            key = self._world.secret(64)
            return self._world.hooks.put(Subscription(client_id, url, key, wanted))

    def subscription(self, client_id: str) -> Subscription:
        """The subscription of an app as it stands. Raises `InvalidInput`."""
        found = self._world.hooks.get(client_id)
        if found is None:
            raise InvalidInput("client_id", "this app has no webhook")
        return found

    def validate(self, client_id: str) -> bool:
        """
        Send the intent to receive: some requests rightly signed, some wrongly; active if all are answered right.

        200 with an empty body for a good signature, 401 for a bad one, within five seconds, without a cookie (F 7.10).
        """
        subscription = self.subscription(client_id)
        worthy = True
        for good in (True, False, True, False):
            with self._transaction():
                body = compact_json(self._envelope([], 0, 0))
            signature = sign(subscription.key, body)
            answer = self._send(subscription, body, signature if good else sign(f"{subscription.key}!", body))
            worthy = worthy and _is_right(answer, 200 if good else 401)
        status: Literal["ACTIVE", "INACTIVE"] = "ACTIVE" if worthy else "INACTIVE"
        with self._transaction():
            fresh = self.subscription(client_id)
            self._world.hooks.put(evolve(fresh, status=status, failing_since_ms=0, next_try_ms=0))
        return worthy

    def pending(self, client_id: str) -> tuple[Event, ...]:
        """The events not yet taken, in order; kept for 31 days, also while the subscription is disabled."""
        return tuple(self._world.hook_events.by("app", client_id))

    def deliver(self) -> int:
        """Deliver what is due by now; how many requests were sent."""
        if not self._delivering.acquire(blocking=False):
            return 0
        try:
            self._forget_old()
            return sum(self._deliver(one) for one in list(self._world.hooks) if one.status == "ACTIVE")
        finally:
            self._delivering.release()

    def _deliver(self, subscription: Subscription) -> int:
        sent = 0
        while batch := self._due(self.subscription(subscription.id)):
            body, lost = self._packed(subscription.id, batch)
            taken = lost
            times = 0 if lost else 1 + self._faults.take_webhook(Fault.WEBHOOK_DOUBLED)
            for _ in range(times):
                taken = _is_right(self._send(subscription, body, sign(subscription.key, body)), 200)
                sent += 1
            if not taken:  # at once again, before it waits
                taken = _is_right(self._send(subscription, body, sign(subscription.key, body)), 200)
                sent += 1
            self._note(subscription.id, batch, taken=taken)
            if not taken:
                break
        return sent

    def _due(self, subscription: Subscription) -> list[Event]:
        now = self._world.now_ms()
        if subscription.status != "ACTIVE" or now < subscription.next_try_ms:
            return []
        return [event for event in self.pending(subscription.id) if event.due_ms <= now][:_MOST_EVENTS]

    def _packed(self, client_id: str, batch: Sequence[Event]) -> tuple[bytes, bool]:
        """The body of one request, under the next sequences of the app, and whether a fault loses it."""
        with self._transaction():
            subscription = self.subscription(client_id)
            first = subscription.sequence + 1
            rows = [event_row(event) for event in batch]
            lost = self._faults.take_webhook(Fault.WEBHOOK_LOST)
            # One event alone has no order.
            if not lost and len(rows) > 1 and self._faults.take_webhook(Fault.WEBHOOK_REORDERED):
                rows.reverse()
            self._world.hooks.put(evolve(subscription, sequence=subscription.sequence + len(batch)))
            return compact_json(self._envelope(rows, first, subscription.sequence + len(batch))), lost

    def _note(self, client_id: str, batch: Sequence[Event], *, taken: bool) -> None:
        now = self._world.now()
        with self._transaction():
            subscription = self.subscription(client_id)
            if taken:
                for event in batch:
                    self._world.hook_events.drop(event.id)
                self._world.hooks.put(evolve(subscription, failing_since_ms=0, next_try_ms=0))
                return
            since = subscription.failing_since_ms or milliseconds(now)
            disabled = now >= instant(since) + _GIVES_UP
            notice = f"Webhook delivery failed for 24 hours and was disabled on {now:%Y-%m-%d %H:%M}Z"
            self._world.hooks.put(
                evolve(
                    subscription,
                    sequence=subscription.sequence - len(batch),
                    failing_since_ms=since,
                    next_try_ms=milliseconds(now + _RETRY),
                    status="DISABLED" if disabled else subscription.status,
                    notices=(*subscription.notices, notice) if disabled else subscription.notices,
                )
            )

    def _send(self, subscription: Subscription, body: bytes, signature: str) -> Response | None:
        """The answer to one request; None when none came in five seconds."""
        headers = {"content-type": "application/json; charset=utf-8", "x-xero-signature": signature}
        request = Request("POST", subscription.url or "https://receiver.invalid/", headers, body)
        receiver = self._receivers.get(subscription.id)
        clock, machine = self._world.now(), time.monotonic()
        if subscription.url:
            answer = post(request, timeout_s=_IN_TIME_S)
        elif receiver is None:
            return None
        else:
            answer = receiver(request)
        late = max((self._world.now() - clock).total_seconds(), time.monotonic() - machine) > _IN_TIME_S
        return None if late else answer

    def _envelope(self, rows: list[Row], first: int, last: int) -> Row:
        entropy = self._world.secret(20).upper()
        return {"events": rows, "lastEventSequence": last, "firstEventSequence": first, "entropy": entropy}

    def _follow(self, books: Books) -> None:
        books.contacts.record(lambda old, new: self._contact(books, old, new))
        books.documents.record(lambda old, new: self._document(books, old, new))

    def _contact(self, books: Books, old: Contact | None, new: Contact) -> None:
        if old is None or old.updated_ms != new.updated_ms:
            self._tell(books.tenant, "CONTACT", new.id, created=old is None)

    def _document(self, books: Books, old: Document | None, new: Document) -> None:
        if old is not None and old.updated_ms == new.updated_ms:
            return
        if old is not None and not self._world.switches.payments_fire_webhooks and _only_paid(old, new):
            return
        data = (new.type, new.status) if new.is_credit_note else ("", "")
        self._tell(books.tenant, _FAMILIES[new.family], new.id, created=old is None, data=data)

    def _tell(
        self, tenant: str, category: str, resource_id: str, *, created: bool, data: tuple[str, str] = ("", "")
    ) -> None:
        """Note an event for every app that wants it; one not yet sent takes the new one in (F 7.13)."""
        world = self._world
        if not len(world.hooks):
            return
        now = world.now_ms()
        for subscription in list(world.hooks):
            if not self._wants(subscription, tenant, category):
                continue
            waiting = [
                one for one in world.hook_events.by("resource", f"{subscription.id} {tenant} {resource_id}")
                if one.due_ms > now
            ]  # fmt: skip
            if waiting:
                world.hook_events.put(evolve(waiting[0], at_ms=now, type_of=data[0], status=data[1]))
                continue
            event_id = world.draw()
            delay_s = 1 + int(event_id[:8], 16) % _LONGEST_DELAY_S if world.switches.webhooks_are_late else 0
            kind = "CREATE" if created else "UPDATE"
            world.hook_events.put(
                Event(event_id, subscription.id, tenant, category, kind, resource_id, now, now + delay_s * 1000, *data)
            )

    def _wants(self, subscription: Subscription, tenant: str, category: str) -> bool:
        """Whether an app is told: it chose the category, is connected, and holds the scope (F 7.01, 7.19)."""
        world = self._world
        if category not in subscription.categories or subscription.status == "INACTIVE":
            return False
        if not world.connections.has("pair", f"{subscription.id} {tenant}"):
            return False
        wanted = {half for scope in _SCOPES[category] for half in (scope, f"{scope}.read")}
        tokens = (one for table in (world.refresh_tokens, world.access_tokens) for one in table)
        return any(one.app == subscription.id and wanted & {*one.scopes.split()} for one in tokens)

    def _forget_old(self) -> None:
        """Drop events older than 31 days (F 7.11)."""
        floor = milliseconds(self._world.now() - _KEPT)
        old = [one for one in self._world.hook_events if one.at_ms < floor]
        if old:
            with self._transaction():
                for event in old:
                    self._world.hook_events.drop(event.id)


def sign(key: str, body: bytes) -> str:
    """The signature of a raw *body* (F 7.08)."""
    return base64.b64encode(hmac.digest(key.encode(), body, sha256)).decode()


def event_row(event: Event) -> Row:
    """One event as it is sent; only credit notes say more than their id (F 7.04, 7.05)."""
    at = instant(event.at_ms)
    row: Row = {
        "resourceUrl": f"{_API}/{_PATHS[event.category]}/{event.resource_id}",
        "resourceId": event.resource_id,
        "tenantId": event.tenant,
        "tenantType": "ORGANISATION",
        "eventCategory": event.category,
        "eventType": event.type,
        "eventDateUtc": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}",
    }
    return row | {"data": {"Type": event.type_of, "Status": event.status}} if event.type_of else row


def _only_paid(old: Document, new: Document) -> bool:
    """Whether nothing but a payment or an allocation came between *old* and *new*."""
    if (old.paid, old.credited) == (new.paid, new.credited):
        return False
    same = evolve(
        old, paid=new.paid, credited=new.credited, status=new.status, fully_paid_on=new.fully_paid_on,
        updated_ms=new.updated_ms,
    )  # fmt: skip
    return same == new


def _is_right(answer: Response | None, status: int) -> bool:
    if answer is None or answer.status != status:
        return False
    cookies = any(name.lower() == "set-cookie" for name in answer.headers)
    return not cookies and (status != 200 or not answer.body)
