"""Webhooks: whose they are, and what is kept of them; lost, doubled, late and forged ones do no harm (F 7.08–7.20)."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import Product
from tests.running.conftest import listening, wait

from xerosync import MemoryStore, Secret, WebhookInbox, read_delivery
from xerosync.engine.inbox import EventNumbers, read_told
from xerosync.errors import InvalidInput, WebhookRefused
from xerosync.simulator import Fault

KEY = "a webhook's signing key"
TENANT = "5d0a5a4b-3a3c-4d0b-9f0e-1c1c1c1c1c1c"
DOCUMENT = "7c1d5a4b-3a3c-4d0b-9f0e-2d2d2d2d2d2d"
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def signed(body: bytes, key: str = KEY) -> str:
    return base64.b64encode(hmac.digest(key.encode(), body, sha256)).decode()


def event(**other: object) -> dict[str, object]:
    return {
        "resourceUrl": f"https://api.xero.com/api.xro/2.0/Invoices/{DOCUMENT}",
        "resourceId": DOCUMENT,
        "tenantId": TENANT,
        "tenantType": "ORGANISATION",
        "eventCategory": "INVOICE",
        "eventType": "UPDATE",
        "eventDateUtc": "2026-01-05T12:00:00.123",
        **other,
    }


def body_of(*events: object, first: object = 1, last: object = None) -> bytes:
    last = first if last is None else last
    told = {"events": events, "firstEventSequence": first, "lastEventSequence": last, "entropy": "ABCDEF"}
    return json.dumps(told).encode()


def test_xero_finds_the_inbox_worthy_and_learns_nothing_else(product: Product) -> None:
    hook = listening(product)

    assert [answer.status for answer in hook.answers] == [200, 401, 200, 401]
    assert hook.told == []


def test_a_change_is_told_once_however_often_it_comes(prompt: Product) -> None:
    hook = listening(prompt)
    prompt.simulator.faults.plan(Fault.WEBHOOK_DOUBLED)

    prompt.books.add_contact("Ana Costa")
    wait(prompt, 1)

    assert [answer.status for answer in hook.answers[4:]] == [200, 200]
    assert hook.told == [("CONTACT", "CREATE")]
    assert prompt.simulator.faults.unmet() == []


def test_the_signature_counts_for_the_very_bytes_that_came() -> None:
    body = body_of(event())

    (read,) = read_delivery(body, signed(body), "another key", Secret(KEY)).events

    assert (read.organisation, read.category, read.resource_id, read.kind) == (TENANT, "INVOICE", DOCUMENT, "UPDATE")
    assert read.at == datetime(2026, 1, 5, 12, 0, 0, 123000, tzinfo=UTC)
    anew = json.dumps(json.loads(body), indent=1).encode()
    with pytest.raises(WebhookRefused, match="not signed"):
        read_delivery(anew, signed(body), KEY)


@pytest.mark.parametrize(
    "signature",
    [None, "", "x", "é", signed(b"{}"), signed(body_of(event()), "another key"), signed(body_of(event()))[:-1]],
)
def test_what_is_forged_is_answered_401_and_leaves_nothing(signature: str | None) -> None:
    store = MemoryStore()

    answer = WebhookInbox(store, KEY).receive(body_of(event()), signature)

    assert (answer.status, answer.events) == (401, ())
    assert store.query("webhook", TENANT) == store.query("webhook.sequence", "") == []


def test_a_huge_body_is_refused_before_it_is_read() -> None:
    body = body_of(event(padding="x" * (1 << 20)))

    assert WebhookInbox(MemoryStore(), KEY).receive(body, signed(body)).status == 401


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{", b'{"events": 1}', b"\xff\xfe", b"[" * 100_000, body_of(first=3, last=1),
        body_of(first="1"), body_of(event(), first=-1), body_of(event(tenantId="of nobody")),
        body_of(event(eventDateUtc="yesterday")), body_of("no event"), body_of(event(resourceId="../../Users")),
    ],
)  # fmt: skip
def test_what_xero_signed_and_nobody_can_read_is_taken_and_counts_as_missed(body: bytes) -> None:
    store = MemoryStore()

    answer = WebhookInbox(store, KEY).receive(body, signed(body))

    assert answer.status == 200
    (numbers,) = store.query("webhook.sequence", "")
    assert len(json.loads(numbers.body)["gaps"]) == 1


def test_an_unknown_category_and_xero_s_app_store_are_told_of_as_they_are() -> None:
    store = MemoryStore()
    body = body_of(event(eventCategory="QUOTE"), event(eventCategory="SUBSCRIPTION", tenantType="APPLICATION"), last=2)

    answer = WebhookInbox(store, KEY).receive(body, signed(body))

    assert [each.category for each in answer.events] == ["QUOTE", "SUBSCRIPTION"]
    assert [record.key for record in store.query("webhook", TENANT)] == [f"QUOTE/{DOCUMENT}"]


@pytest.mark.parametrize("keys", [(), ("",), (KEY, "")])
def test_an_inbox_without_a_key_is_refused(keys: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput, match="key"):
        WebhookInbox(MemoryStore(), *keys)


def test_the_key_shows_nowhere() -> None:
    inbox = WebhookInbox(MemoryStore(), KEY)

    assert KEY not in repr(inbox) + repr(vars(inbox)) + repr(vars(inbox._flows))


def test_a_missing_number_is_a_gap_until_it_comes() -> None:
    numbers = EventNumbers().after(5, 6, NOON).after(9, 9, NOON)

    assert [(gap.first, gap.last) for gap in numbers.gaps] == [(7, 8)]
    assert [(gap.first, gap.last) for gap in numbers.after(8, 8, NOON).gaps] == [(7, 7)]
    assert numbers.after(7, 8, NOON).gaps == ()


def test_numbers_begin_again_after_the_last() -> None:
    assert EventNumbers(2_147_483_647).after(1, 3, NOON) == EventNumbers(3)


@given(st.lists(st.integers(0, 9), max_size=20))
def test_each_moment_that_was_told_of_is_kept_once_in_whatever_order_it_comes(seconds: list[int]) -> None:
    """The latest alone would hide a change of people's behind one of the library's own."""
    store = MemoryStore()
    inbox = WebhookInbox(store, KEY)
    fresh: list[int] = []
    for place, second in enumerate(seconds):
        body = body_of(event(eventDateUtc=f"2026-01-05T12:00:0{second}"), first=place + 1)
        fresh += [each.at.second for each in inbox.receive(body, signed(body)).events]

    assert fresh == list(dict.fromkeys(seconds))
    for record in store.query("webhook", TENANT):
        told = read_told(record)
        assert {each.second for each in told.waiting} == set(seconds)
        assert told.at.second == max(seconds)


def test_two_changes_of_one_document_in_one_delivery_are_two_events() -> None:
    store = MemoryStore()
    body = body_of(event(eventDateUtc="2026-01-05T12:00:07"), event(eventDateUtc="2026-01-05T12:00:03"), last=2)

    answer = WebhookInbox(store, KEY).receive(body, signed(body))

    assert [each.at.second for each in answer.events] == [7, 3]
    assert [read_told(record).at.second for record in store.query("webhook", TENANT)] == [7]


@given(st.permutations(range(1, 12)), st.sets(st.integers(1, 11), max_size=5))
def test_what_is_missing_in_the_end_is_what_never_came(order: list[int], lost: set[int]) -> None:
    numbers = EventNumbers(0)
    for number in order:
        if number not in lost:
            numbers = numbers.after(number, number, NOON)

    missing = {number for gap in numbers.gaps for number in range(gap.first, gap.last + 1)}
    came = set(order) - lost
    assert missing == {number for number in lost if number < max(came, default=0)}
