"""The token set of one consent, kept in the store: refreshed early, saved before use, shared by organisations."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, Protocol

from attrs import define, evolve, field

from xerosync.client._connections import ask
from xerosync.client._grant import ENDED, LEASE_S, REVOKED, Grant, grant_key, read_grant
from xerosync.client.oauth import (
    App,
    Endpoints,
    Tokens,
    client_credentials_request,
    refresh_request,
    revocation_request,
    token_refusal,
    tokens_from,
)
from xerosync.errors import (
    LeaseLost,
    Misconfigured,
    ReconnectNeeded,
    StoreFailed,
    Unavailable,
    VersionConflict,
    XerosyncError,
)
from xerosync.events import Event
from xerosync.ports import Clock, Transport, TransportFault
from xerosync.secret import Secret
from xerosync.storage.owner import one_run, take_lease
from xerosync.storage.protocol import AsyncStorage, Fence, Owner

_EARLY: Final = timedelta(minutes=5)
_LAST: Final = timedelta(minutes=1)
_REST: Final = timedelta(seconds=30)
_SEND_WITHIN: Final = timedelta(seconds=20)
_ATTEMPTS_MAX: Final = 5
_POLL_S: Final = 0.5
_DOUBT_S: Final = 5.0


class Tell(Protocol):
    """Tells the host's listener of an event."""

    def __call__(self, event: str, **fields: object) -> None:
        """As `Books.tell`."""


class Note(Protocol):
    """Takes down that a token was renewed, or could not be."""

    def __call__(self, **facts: str) -> None:
        """By these *facts*, never a token."""


def _untold(event: str, **fields: object) -> None:
    """Nobody is told."""


def _unnoted(**facts: str) -> None:
    """Nothing is taken down."""


@define(repr=False)
class Consent:
    """
    Gives out the access token of one grant, refreshing it when it is about to end.

    Of all threads, tasks and processes on one store only one refreshes at a time, under a lease, and what Xero gave is
    in the store before anybody uses it. That a refresh has begun is kept too: whoever finds one that never ended makes
    it again at once, while Xero still takes the old refresh token (F 1.17). *is_over* once the user must connect again.
    """

    app: App
    key: str
    storage: AsyncStorage
    transport: Transport
    clock: Clock
    endpoints: Endpoints
    owner: Owner
    tell: Tell = _untold
    note: Note = _unnoted
    is_over: bool = field(default=False, init=False)
    _grant: Grant | None = field(default=None, init=False)
    _unsaved: tuple[Grant, Tokens] | None = field(default=None, init=False)
    _rests_until: datetime | None = field(default=None, init=False)

    def __repr__(self) -> str:
        return f"<Consent {self.key}>"

    async def access_token(self) -> Secret:
        """
        An access token with some life left. Raises `ReconnectNeeded` when the consent has ended.

        It is renewed five minutes before its end; while it lives it is given out all the same where another worker is
        renewing it, or where Xero's identity host is away.
        """
        grant = self._grant or await self._load()
        now = self.clock.now()
        life = grant.tokens.expires_at - now
        if life > _EARLY and not grant.is_half_refreshed(now):
            return grant.tokens.access_token
        if life <= _LAST:
            return await self.renew(grant.tokens.access_token)
        is_resting = self._rests_until is not None and now < self._rests_until
        if is_resting or not grant.is_renewable:
            return grant.tokens.access_token
        return await self.renew_early(grant.tokens.access_token)

    async def renew(self, used: Secret) -> Secret:
        """A token other than *used*, which Xero refused or which is about to end: another worker's, or a fresh one."""
        return await self._renew(used, patient=True)

    async def renew_early(self, used: Secret) -> Secret:
        """As `renew`, but *used* itself where another worker is at it, or where Xero cannot be reached."""
        try:
            return await self._renew(used, patient=False)
        except Unavailable:
            # Not at every call: each would wait for all its attempts.
            self._rests_until = self.clock.now() + _REST
            return used

    @property
    def unsaved(self) -> Tokens | None:
        """What Xero gave last and the store has not taken yet."""
        return None if self._unsaved is None else self._unsaved[1]

    async def tokens(self) -> Tokens:
        """The token set as it is kept now. Raises `ReconnectNeeded` when there is none, or none any more."""
        return (await self._load()).tokens

    async def revoke(self) -> None:
        """
        End the consent at Xero (F 1.02), and forget its tokens; every client of the store sees that it has ended.

        Does nothing when it was revoked before. Raises `Misconfigured` where there is nothing to revoke: for a custom
        connection, which no user has given, and for tokens without a refresh token.
        """
        owner = one_run(self.owner)
        # No refresh may come in between: it would leave a token that lives on.
        while (fence := await self._take(owner)) is None:
            await self.clock.sleep(_POLL_S)
        try:
            grant = await self._read()
            if grant is not None and grant.record.state != REVOKED:
                await self._revoked(grant.tokens)
                await self.storage.commit([grant.ended(REVOKED)])
            self._grant = self._unsaved = None
        finally:
            await self._give_back(fence)

    async def _revoked(self, tokens: Tokens) -> None:
        """Let Xero end the consent of *tokens*."""
        if tokens.grant_type == "client_credentials":
            raise Misconfigured("a custom connection has no consent to revoke: end it at developer.xero.com")
        if tokens.refresh_token is None:
            raise Misconfigured("there is no refresh token to revoke: call disconnect() for each organisation")
        request = revocation_request(self.app, tokens.refresh_token, self.endpoints)
        response = await ask(self.transport, self.clock, request)
        if response.status != 200:
            raise token_refusal(response)

    async def _renew(self, used: Secret, *, patient: bool) -> Secret:
        owner = one_run(self.owner)
        while True:
            current = (await self._load()).tokens.access_token
            if current != used:
                return current
            fence = await self._take(owner)
            if fence is None and not patient:
                return used
            if fence is not None:
                try:
                    return await self._refreshed(used, owner, fence)
                except (VersionConflict, LeaseLost):
                    pass  # another worker was faster: look again
                except XerosyncError as error:
                    self.note(consent=self.key, error=type(error).__name__)
                    raise
                finally:
                    await self._give_back(fence)
            await self.clock.sleep(_POLL_S)

    async def _refreshed(self, used: Secret, owner: Owner, fence: Fence) -> Secret:
        """The token that takes the place of *used*, under the lease. Raises `VersionConflict` or `LeaseLost`."""
        if self._unsaved is not None:
            return await self._save(*self._unsaved)
        grant = await self._load()
        if grant.tokens.access_token != used:
            return grant.tokens.access_token
        if grant.client_id not in {None, self.app.client_id}:
            raise Misconfigured("the store holds tokens of another app: give the client id that the user connected")
        if not grant.is_renewable:
            raise self._over("this token set cannot be refreshed: ask for offline_access when connecting")
        identity = grant.record.identity
        begun = grant.begun(self.clock.now())
        await self.storage.commit([begun], expect={identity: grant.record.version}, fence=fence)
        grant = await self._load()
        try:
            tokens = await self._exchange(grant.tokens, owner, fence)
        except ReconnectNeeded:
            return await self._doubted(grant, owner, fence)
        return await self._save(grant, tokens)

    async def _doubted(self, grant: Grant, owner: Owner, fence: Fence) -> Secret:
        """
        What to use after Xero called the refresh token of *grant* invalid: what another worker has saved meanwhile.

        Otherwise Xero is asked once more, and then never again: the consent has ended (F 1.31).
        """
        newer = await self._load()
        if newer.tokens.access_token == grant.tokens.access_token:
            await self.clock.sleep(_DOUBT_S)
            newer = await self._load()
        if newer.tokens.access_token != grant.tokens.access_token:
            return newer.tokens.access_token
        try:
            tokens = await self._exchange(newer.tokens, owner, fence)
        except ReconnectNeeded:
            if newer.tokens.grant_type != "client_credentials":
                expected = {newer.record.identity: newer.record.version}
                await self.storage.commit([newer.ended(ENDED)], expect=expected)
                self.tell(Event.CONSENT_ENDED)
            raise self._over(_ENDED) from None
        return await self._save(newer, tokens)

    async def _exchange(self, kept: Tokens, owner: Owner, fence: Fence) -> Tokens:
        # Xero lets the same refresh token be used again for 30 minutes, so a lost answer may be asked for again (F
        # 1.17).
        attempt = 1
        while True:
            await self._hold(owner, fence)
            request = (
                client_credentials_request(self.app, kept.scopes, self.endpoints)
                if kept.grant_type == "client_credentials" or kept.refresh_token is None
                else refresh_request(self.app, kept.refresh_token, self.endpoints)
            )
            # A worker that was asleep must not refresh behind the back of its successor.
            request = evolve(request, not_after=self.clock.now() + _SEND_WITHIN, clock=self.clock)
            try:
                response = await self.transport.send(request)
                return tokens_from(response, self.clock.now(), grant_type=kept.grant_type)
            except (TransportFault, Unavailable) as fault:
                if attempt == _ATTEMPTS_MAX:
                    raise Unavailable(f"Xero's token endpoint did not answer: {fault}") from None
            await self.clock.sleep(2.0 ** (attempt - 1))
            attempt += 1

    async def _save(self, grant: Grant, tokens: Tokens) -> Secret:
        """
        Keep *tokens*, which Xero gave for those of *grant*, and return the access token that is kept then.

        Where the store fails they stay in memory, and the next call tries again before anything else. Raises
        `StoreFailed`.
        """
        fresh = evolve(
            tokens,
            refresh_token=tokens.refresh_token or grant.tokens.refresh_token,
            scopes=tokens.scopes or grant.tokens.scopes,
        )
        self._unsaved = (grant, fresh)
        attempt = 1
        while True:
            record = grant.with_tokens(fresh, self.clock.now())
            try:
                await self.storage.commit([record], expect={record.identity: grant.record.version})
            except VersionConflict:
                newer = await self._load()
                if newer.tokens.access_token != grant.tokens.access_token:
                    break  # another worker's is as good
                grant = newer
            except StoreFailed:
                if attempt == _ATTEMPTS_MAX:
                    self.tell(Event.TOKENS_UNSAVED, attempts=attempt)
                    raise
                await self.clock.sleep(2.0 ** (attempt - 1))
                attempt += 1
            else:
                self.tell(Event.TOKEN_REFRESHED)
                self.note(consent=self.key)
                break
        self._unsaved = self._rests_until = None
        return (await self._load()).tokens.access_token

    async def _load(self) -> Grant:
        """The token set as it is kept. Raises `ReconnectNeeded` when there is none any more, without asking Xero."""
        grant = await self._read()
        if grant is None:
            raise self._over("the store holds no tokens for this connection: connect to Xero again")
        if grant.record.state == REVOKED:
            raise self._over("the consent was revoked: connect to Xero again")
        # Another worker may have asked in vain with the token before those that wait here to be saved.
        if grant.record.state == ENDED and self._unsaved is None:
            raise self._over(_ENDED)
        self._grant = grant
        return grant

    async def _read(self) -> Grant | None:
        (record,) = await self.storage.get_many([grant_key(self.key)])
        return None if record is None else read_grant(record)

    def _over(self, why: str) -> ReconnectNeeded:
        self._grant = self._unsaved = None
        self.is_over = True
        return ReconnectNeeded(why)

    async def _take(self, owner: Owner) -> Fence | None:
        return await take_lease(self.storage, f"grant/{self.key}", owner, ttl_s=LEASE_S, now=self.clock.now())

    async def _hold(self, owner: Owner, fence: Fence) -> None:
        """Renew the lease. Raises `LeaseLost` when another worker has had it meanwhile, and may have refreshed."""
        held = await self._take(owner)
        if held is not None and held.epoch != fence.epoch:
            await self._give_back(held)
        if held is None or held.epoch != fence.epoch:
            raise LeaseLost("another worker refreshes this token set")

    async def _give_back(self, fence: Fence) -> None:
        with suppress(StoreFailed):  # it runs out by itself, and must not hide what went wrong
            await self.storage.release(fence)


_ENDED: Final = "the consent has ended (invalid_grant): ask the user to connect to Xero again"
