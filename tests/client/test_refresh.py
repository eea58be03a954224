"""A token set is refreshed in time, saved before use, not lost to a crash, left alone once its consent is over."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import define, evolve
from tests.client.workers import (
    EARLY,
    LATE,
    Counted,
    Failing,
    client,
    counting,
    die_refreshing,
    kept,
    oauth,
    reconnect,
    refresh_tokens,
)
from tests.conftest import Product, Through, found_product

from xerosync import (
    App,
    ConnectionState,
    MemoryStore,
    Tokens,
    Xero,
)
from xerosync.errors import Misconfigured, ReconnectNeeded, StoreFailed, Unavailable
from xerosync.ports import Request, Response
from xerosync.simulator import Fault
from xerosync.storage import Fence
from xerosync.storage.owner import this_process


@pytest.fixture
def connected(product: Product) -> Product:
    product.xero()
    return product


def test_a_token_is_renewed_while_it_lives_and_only_then(connected: Product) -> None:
    xero, asked = counting(connected)
    connected.clock.advance(EARLY - 120)
    xero.organisation()
    assert asked.times == 0

    connected.clock.advance(120)
    xero.organisation()
    xero.organisation()

    assert asked.times == 1


def test_a_worker_that_dies_before_the_save_is_followed_at_once_though_the_token_still_lives(
    connected: Product,
) -> None:
    """What it got is lost; its successor asks again while Xero still takes the old refresh token (F 1.17)."""
    die_refreshing(connected)
    successor, asked = counting(connected)
    connected.clock.advance(100)

    successor.organisation()

    assert asked.times == 1
    connected.clock.advance(LATE * 3)
    assert successor.organisation().name


def test_a_worker_that_dies_before_the_save_leaves_its_refresh_to_whoever_keeps_alive(connected: Product) -> None:
    """Nobody may come along for hours: whoever keeps alive finds it within the grace."""
    die_refreshing(connected)
    connected.clock.advance(100)

    kept_alive = oauth(connected).keep_alive(connected.store)

    assert (kept_alive.refreshed, kept_alive.ended, kept_alive.postponed) == (1, 0, 0)
    connected.clock.advance(40 * 60)
    assert client(connected).organisation().name


def test_a_refresh_lost_for_longer_than_the_grace_needs_the_user(connected: Product) -> None:
    """The bound is Xero's: half an hour in which nobody looked."""
    die_refreshing(connected)
    connected.clock.advance(31 * 60)

    assert client(connected).connection_state() is ConnectionState.RECONNECT


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc to ask")
def test_the_lease_of_a_process_that_is_dead_is_not_waited_out(connected: Product) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    dead = evolve(this_process(), process=child.pid)
    name = f"grant/{kept(connected).key}"
    assert connected.store.lease(name, dead, ttl_s=10_000, now=connected.clock.now()) is not None
    connected.clock.advance(LATE)
    before = connected.clock.now()

    assert client(connected).organisation().name

    assert connected.clock.now() - before < timedelta(seconds=2)


def test_while_another_worker_renews_a_token_that_still_lives_nobody_waits(connected: Product) -> None:
    name = f"grant/{kept(connected).key}"
    assert connected.store.lease(name, this_process("busy"), ttl_s=90, now=connected.clock.now()) is not None
    connected.clock.advance(EARLY - 60)
    assert connected.store.lease(name, this_process("busy"), ttl_s=90, now=connected.clock.now()) is not None
    connected.clock.advance(60)
    xero, asked = counting(connected)
    before = connected.clock.now()

    assert xero.organisation().name

    assert asked.times == 0
    assert connected.clock.now() - before < timedelta(seconds=2)


def test_a_dead_token_is_waited_for_while_another_worker_renews_it(connected: Product) -> None:
    """And the wait ends when that worker's lease does."""
    connected.clock.advance(LATE)
    name = f"grant/{kept(connected).key}"
    assert connected.store.lease(name, this_process("busy"), ttl_s=30, now=connected.clock.now()) is not None
    before = connected.clock.now()

    assert client(connected).organisation().name

    assert timedelta(seconds=30) <= connected.clock.now() - before < timedelta(seconds=33)


def test_an_identity_host_that_is_away_harms_nobody_whose_token_lives(connected: Product) -> None:
    xero, asked = counting(connected)
    connected.clock.advance(EARLY)
    connected.simulator.faults.plan(Fault.UNAVAILABLE, path="/connect/token", times=5)

    for _ in range(3):
        assert xero.organisation().name

    assert asked.times == 5
    connected.clock.advance(60)
    assert xero.organisation().name
    assert asked.times == 6


def test_a_dead_token_that_cannot_be_renewed_is_passing_trouble_and_no_more(connected: Product) -> None:
    connected.clock.advance(LATE)
    connected.simulator.faults.plan(Fault.UNAVAILABLE, path="/connect/token", times=5)

    with pytest.raises(Unavailable, match="token endpoint"):
        client(connected).organisation()

    assert client(connected).organisation().name


def test_a_token_that_cannot_be_renewed_serves_until_its_end(product: Product) -> None:
    xero = client(product)
    xero.connect(evolve(product.tokens, refresh_token=None))
    product.clock.advance(EARLY + 120)
    assert xero.organisation().name

    product.clock.advance(120)

    with pytest.raises(ReconnectNeeded, match="offline_access"):
        xero.organisation()


def test_a_consent_that_has_ended_is_asked_for_twice_and_never_again(connected: Product) -> None:
    """Another worker may have saved what this one could not: so once more, then no loop that hammers Xero."""
    heard: list[str] = []
    counted = Counted()
    xero = client(
        connected,
        transport=Through(connected.simulator.transport, counted),
        on_event=lambda event, _: heard.append(event),
    )
    connected.clock.advance(61 * 24 * 3600)

    for _ in range(20):
        with pytest.raises(ReconnectNeeded, match="invalid_grant"):
            xero.organisation()

    assert counted.times == 2
    assert heard == ["xerosync.consent_ended"]
    later, asked = counting(connected)
    assert later.connection_state() is ConnectionState.RECONNECT
    assert asked.times == 0
    assert kept(connected).state == "ended"


def test_what_another_worker_saved_meanwhile_ends_the_doubt(connected: Product) -> None:
    """A refusal may only mean that somebody was faster, and has not saved yet."""
    inner = connected.simulator.transport

    def overtaken(times: int) -> None:
        if times > 1:
            return
        assert connected.tokens.refresh_token is not None
        record = kept(connected)
        fresh = connected.simulator.consent(connected.app, tenants=[connected.books.tenant_id])
        body = record.body.replace(connected.tokens.access_token.reveal(), fresh.access_token)
        body = body.replace(connected.tokens.refresh_token.reveal(), fresh.refresh_token)
        until = connected.clock.now() + timedelta(minutes=30)
        body = body.replace(connected.tokens.expires_at.isoformat(), until.isoformat())
        connected.store.commit([evolve(record, body=body)])

    counted = Counted(overtaken)
    xero = client(connected, transport=Through(inner, after=counted))
    connected.clock.advance(61 * 24 * 3600)

    assert xero.organisation().name

    assert counted.times == 1


def test_a_client_goes_on_by_itself_once_the_user_has_connected_again(connected: Product) -> None:
    """A worker that lives for months is not restarted for it."""
    worker = client(connected)
    worker.organisation()
    connected.clock.advance(61 * 24 * 3600)
    with pytest.raises(ReconnectNeeded):
        worker.organisation()

    reconnect(connected)

    assert worker.organisation().name


def test_a_client_takes_up_a_new_consent_though_the_old_one_still_lives(connected: Product) -> None:
    """The first user may have left, so that only the second one's consent reaches the organisation (F 1.54)."""
    worker = client(connected)
    worker.organisation()
    tokens = reconnect(connected)
    connected.clock.advance(61)
    worker.organisation()

    assert worker.tokens().access_token == tokens.access_token


def test_a_client_learns_within_a_minute_that_another_has_disconnected(connected: Product) -> None:
    worker = client(connected)
    worker.organisation()

    client(connected).disconnect()
    connected.clock.advance(61)

    with pytest.raises(ReconnectNeeded, match="disconnected"):
        worker.organisation()


def test_a_token_is_saved_before_it_is_used_and_the_save_tried_again() -> None:
    store = Failing()
    product = evolve(found_product(), store=store)
    product.xero()
    xero, asked = counting(product)
    product.clock.advance(EARLY)
    store.failures = 3

    xero.organisation()

    assert (asked.times, store.failures) == (1, 0)
    assert xero.tokens().access_token.reveal() in kept(product).body
    product.simulator.close()


def test_a_token_that_cannot_be_saved_is_not_used_and_not_lost() -> None:
    """It stays in memory, and the next call saves it first, though Xero takes the one before no more by then."""
    store = Failing()
    product = evolve(found_product(), store=store)
    product.xero()
    heard: list[tuple[str, object]] = []
    seen: list[Request] = []
    xero = client(
        product,
        transport=Through(product.simulator.transport, seen.append),
        on_event=lambda event, fields: heard.append((event, dict(fields))),
    )
    product.clock.advance(EARLY)
    store.failures = 5
    with pytest.raises(StoreFailed, match="disk is full"):
        xero.organisation()
    assert [request.url for request in seen] == ["https://identity.xero.com/connect/token"]
    assert heard == [("xerosync.tokens_unsaved", {"organisation": product.books.tenant_id, "attempts": 5})]

    product.clock.advance(45 * 60)
    assert xero.organisation().name

    paths = [request.url.rpartition("/")[2] for request in seen]
    assert paths == ["token", "Organisation", "token", "Organisation"]
    product.simulator.close()


def test_tokens_that_no_store_took_before_the_process_ended_are_brought_back_by_the_host() -> None:
    """Though Xero takes the refresh token before them no more."""
    product = evolve(found_product(), store=Failing())
    product.xero()
    elsewhere: list[str] = []

    def spill(event: str, _: Mapping[str, object]) -> None:
        if event == "xerosync.tokens_unsaved" and xero.unsaved_tokens is not None:
            elsewhere.append(xero.unsaved_tokens.to_json())

    xero = client(product, on_event=spill)
    assert xero.unsaved_tokens is None
    product.clock.advance(EARLY)
    assert isinstance(product.store, Failing)
    product.store.failures = 5
    with pytest.raises(StoreFailed):
        xero.organisation()
    product.clock.advance(LATE + 5 * 60)
    with pytest.raises(ReconnectNeeded):
        client(product).organisation()

    later = client(product)
    later.connect(Tokens.from_json(elsewhere[0]))

    assert later.organisation().name
    assert xero.organisation().name
    assert later.unsaved_tokens is None
    product.simulator.close()


def test_tokens_that_wait_to_be_saved_are_not_lost_where_another_worker_was_told_that_the_consent_has_ended() -> None:
    """It knew none but the refresh token before them, which Xero takes no more."""
    product = evolve(found_product(), store=Failing())
    product.xero()
    xero, asked = counting(product)
    product.clock.advance(EARLY)
    assert isinstance(product.store, Failing)
    product.store.failures = 5
    with pytest.raises(StoreFailed):
        xero.organisation()
    product.clock.advance(LATE + 5 * 60)
    other = client(product)
    with pytest.raises(ReconnectNeeded):
        other.organisation()

    assert xero.organisation().name

    assert other.organisation().name
    assert client(product).organisation().name
    assert asked.times == 2, "the access token among them had ended meanwhile, too"
    product.simulator.close()


def test_a_disk_that_is_full_for_25_minutes_costs_one_refresh() -> None:
    product = evolve(found_product(), store=Failing())
    product.xero()
    xero, asked = counting(product)
    product.clock.advance(EARLY)
    assert isinstance(product.store, Failing)
    product.store.failures = 10**6
    ends = product.clock.now() + timedelta(minutes=25)
    while product.clock.now() < ends:
        with pytest.raises(StoreFailed):
            xero.organisation()
        product.clock.advance(60)

    product.store.failures = 0

    assert (xero.organisation().name, asked.times) == ("Demo Company (NZ)", 1)
    assert xero.unsaved_tokens is None
    product.simulator.close()


def test_a_store_that_is_gone_is_what_the_caller_hears_of(connected: Product) -> None:
    """Not that the lease could not be given back."""

    class Gone(MemoryStore):
        broken = False

        def release(self, fence: Fence) -> None:
            if self.broken:
                raise StoreFailed("no lease can be given back")
            super().release(fence)

    store = Gone()
    product = evolve(connected, store=store)
    product.xero()
    product.clock.advance(LATE)
    store.broken = True
    product.simulator.faults.plan(Fault.UNAVAILABLE, path="/connect/token", times=5)

    with pytest.raises(Unavailable):
        client(product).organisation()


def test_a_record_that_somebody_else_wrote_is_not_shown_and_not_believed(connected: Product) -> None:
    record = kept(connected)
    connected.store.commit([evolve(record, body='{"access_token": "hush-hush"')])

    with pytest.raises(StoreFailed, match="cannot be read") as failed:
        client(connected).organisation()

    assert "hush" not in str(failed.value)
    assert failed.value.__cause__ is failed.value.__context__ is None


def test_the_tokens_of_another_app_are_not_spent(connected: Product) -> None:
    """A store copied to another deployment: to refresh them there would end the consent here."""
    other = connected.simulator.register_app("Staging")
    stranger = client(connected, name=other.client_id, secret=other.client_secret)
    connected.clock.advance(LATE)

    with pytest.raises(Misconfigured, match="another app"):
        stranger.organisation()

    assert client(connected).organisation().name


def test_a_worker_that_slept_does_not_refresh_behind_its_successors_back(connected: Product) -> None:
    """Its claim has run out when it wakes, just before the request would leave."""
    connected.clock.advance(LATE)
    sent: list[int] = []

    def sleep_through(request: Request) -> None:
        if request.url.endswith("/connect/token") and not sent:
            sent.append(1)
            connected.clock.advance(120)
            assert client(connected).organisation().name

    sleeper = client(connected, transport=Through(connected.simulator.transport, sleep_through))
    before = refresh_tokens(connected.simulator)

    assert sleeper.organisation().name

    assert refresh_tokens(connected.simulator) == before + 1


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_revocation_in_the_midst_of_a_slow_refresh_wins(connected: Product, moment: str) -> None:
    """The refresh took longer than its lease; what it brings is not kept, and no connection is left."""
    connected.clock.advance(LATE)

    def revoke(times: int) -> None:
        if times == 1:
            connected.clock.advance(120)
            client(connected).revoke()

    counted = Counted(revoke)
    inner = connected.simulator.transport
    slow = Through(inner, before=counted) if moment == "before" else Through(inner, after=counted)

    with pytest.raises(ReconnectNeeded, match="revoked"):
        client(connected, transport=slow).organisation()

    assert kept(connected).state == "revoked"
    assert client(connected).connection_state() is ConnectionState.RECONNECT


def test_revoking_twice_or_after_a_disconnect_is_no_fault(connected: Product) -> None:
    xero = client(connected)
    xero.disconnect()

    xero.revoke()
    xero.revoke()

    assert kept(connected).state == "revoked"
    assert connected.tokens.access_token.reveal() not in kept(connected).body


def test_a_consent_that_has_ended_can_still_be_forgotten(connected: Product) -> None:
    connected.clock.advance(61 * 24 * 3600)
    xero = client(connected)
    assert xero.connection_state() is ConnectionState.RECONNECT

    xero.revoke()

    assert kept(connected).state == "revoked"


def test_revoking_what_cannot_be_revoked_says_what_to_do_instead(product: Product) -> None:
    tokens = evolve(product.tokens, refresh_token=None)
    xero = client(product)
    xero.connect(tokens)

    with pytest.raises(Misconfigured, match="disconnect"):
        xero.revoke()

    assert xero.organisation().name


def test_a_token_refused_twice_is_renewed_once(connected: Product) -> None:
    """F 1.60; the second refusal is Xero's own trouble, and no reason to send the user away."""
    xero, asked = counting(connected)
    connected.simulator.faults.plan(Fault.EXPIRED_TOKEN, method="GET", path="/Organisation", times=2)

    assert xero.connection_state() is ConnectionState.PASSING

    assert asked.times == 1


@pytest.mark.parametrize("minutes", [-90, -20, 20, 90])
def test_a_worker_whose_clock_is_wrong_still_works_and_harms_nobody(connected: Product, minutes: int) -> None:
    @define
    class Wrong:
        async def sleep(self, seconds: float) -> None:
            await connected.clock.sleep(seconds)

        def now(self) -> object:
            return connected.clock.now() + timedelta(minutes=minutes)

    @define(eq=False)
    class Sharing(Through):
        """A transport goes by the clock of its client, which the simulator's does not know."""

        async def send(self, request: Request) -> Response:
            return await super().send(evolve(request, not_after=None))

    wrong = Xero(
        App(connected.app.client_id, connected.app.client_secret),
        connected.books.tenant_id,
        store=connected.store,
        transport=Sharing(connected.simulator.transport),
        clock=Wrong(),  # type: ignore[arg-type]
    )
    right, asked = counting(connected)

    for _ in range(6):
        connected.clock.advance(20 * 60)
        assert wrong.organisation().name
        assert right.organisation().name

    assert asked.times <= 6
