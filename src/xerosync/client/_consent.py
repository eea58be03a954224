"""The token set of one consent, kept in the store: refreshed early, saved before use, shared by organisations."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from attrs import define, evolve, field, frozen

from xerosync.client._connections import ask
from xerosync.client.oauth import (
    App,
    Endpoints,
    GrantType,
    Tokens,
    client_credentials_request,
    refresh_request,
    revocation_request,
    token_refusal,
    tokens_from,
)
from xerosync.errors import Misconfigured, ReconnectNeeded, Unavailable, VersionConflict
from xerosync.ports import Clock, Transport, TransportFault
from xerosync.storage.owner import one_run
from xerosync.storage.protocol import AsyncStorage, Owner, Record, RecordKey

_EARLY: Final = timedelta(minutes=5)
_LEASE_S: Final = 45.0
_ATTEMPTS_MAX: Final = 5
_REVOKED: Final = "revoked"


@frozen(repr=False)
class Grant:
    """A stored token set: its record, and the tokens in it."""

    record: Record
    tokens: Tokens

    def with_tokens(self, tokens: Tokens) -> Record:
        """The record that takes this one's place, holding *tokens*."""
        return self.record.with_body(_body(tokens))


def new_grant(app: App, tokens: Tokens) -> Record:
    """The record of a consent just given. Its key is derived from it, so that storing it again finds it again."""
    seed = tokens.refresh_token or tokens.access_token
    if tokens.grant_type == "client_credentials":
        # A custom connection asks for a new token whenever it likes: it is one grant all the same.
        seed = " ".join((tokens.grant_type, app.client_id, *tokens.scopes))
    return Record("grant", "", hashlib.sha256(seed.encode()).hexdigest()[:26], _body(tokens))


def read_grant(record: Record) -> Grant:
    """The token set in *record*."""
    body = json.loads(record.body)
    expires_at = datetime.fromisoformat(body["expires_at"])
    # Older records do not say what they came of: a user's consent.
    kind: GrantType = "client_credentials" if body.get("grant_type") == "client_credentials" else "authorization_code"
    return Grant(record, Tokens(body["access_token"], body["refresh_token"], expires_at, tuple(body["scopes"]), kind))


def _body(tokens: Tokens) -> str:
    return json.dumps(
        {
            "access_token": tokens.access_token,
            "refresh_token": tokens.refresh_token,
            "expires_at": tokens.expires_at.isoformat(),
            "scopes": tokens.scopes,
            "grant_type": tokens.grant_type,
        }
    )


def _untold() -> None:
    """Nobody is told."""


@define
class Consent:
    """Gives out the access token of one grant, refreshing it when it is about to end; *refreshed* hears of it."""

    app: App
    key: str
    storage: AsyncStorage
    transport: Transport
    clock: Clock
    endpoints: Endpoints
    owner: Owner
    refreshed: Callable[[], None] = _untold
    _grant: Grant | None = field(default=None, repr=False)

    async def access_token(self) -> str:
        """An access token with some minutes of life left. Raises `ReconnectNeeded` when the consent has ended."""
        grant = self._grant or await self._load()
        if grant.tokens.expires_at - self.clock.now() > _EARLY:
            return grant.tokens.access_token
        return await self.renew(grant.tokens.access_token)

    async def renew(self, used: str) -> str:
        """A token other than *used*, which Xero refused or which is about to end: another worker's, or a fresh one."""
        owner = one_run(self.owner)
        while True:
            grant = await self._load()
            if grant.tokens.access_token != used:
                return grant.tokens.access_token
            fence = await self.storage.lease(self._lease, owner, ttl_s=_LEASE_S, now=self.clock.now())
            if fence is not None:
                break
            await self.clock.sleep(1.0)
        try:
            return await self._refresh(grant)
        finally:
            await self.storage.release(fence)

    async def tokens(self) -> Tokens:
        """The token set as it is kept now. Raises `ReconnectNeeded` when there is none, or none any more."""
        return (await self._load()).tokens

    async def revoke(self) -> None:
        """
        End the consent at Xero (F 1.02), and forget its tokens; every client of the store sees that it has ended.

        Raises `Misconfigured` for a custom connection, which no user has given.
        """
        owner = one_run(self.owner)
        # No refresh may come in between: it would leave a token that lives on.
        while (fence := await self.storage.lease(self._lease, owner, ttl_s=_LEASE_S, now=self.clock.now())) is None:
            await self.clock.sleep(1.0)
        try:
            grant = await self._load()
            if grant.tokens.grant_type == "client_credentials":
                raise Misconfigured("a custom connection has no consent to revoke: end it at developer.xero.com")
            if grant.tokens.refresh_token is not None:
                request = revocation_request(self.app, grant.tokens.refresh_token, self.endpoints)
                response = await ask(self.transport, self.clock, request)
                if response.status != 200:
                    raise token_refusal(response)
            ended = _body(evolve(grant.tokens, access_token="", refresh_token=None))
            await self.storage.commit([grant.record.with_body(ended, state=_REVOKED)])
            self._grant = None
        finally:
            await self.storage.release(fence)

    @property
    def _lease(self) -> str:
        return f"grant/{self.key}"

    async def _load(self) -> Grant:
        (record,) = await self.storage.get_many([RecordKey("grant", "", self.key)])
        if record is None:
            raise ReconnectNeeded("the store holds no tokens for this connection: connect to Xero again")
        if record.state == _REVOKED:
            raise ReconnectNeeded("the consent was revoked: connect to Xero again")
        self._grant = read_grant(record)
        return self._grant

    async def _refresh(self, grant: Grant) -> str:
        try:
            tokens = await self._exchange(grant.tokens)
        except ReconnectNeeded:
            newer = await self._load()
            if newer.record.version == grant.record.version:
                raise
            return newer.tokens.access_token
        kept = evolve(
            tokens,
            refresh_token=tokens.refresh_token or grant.tokens.refresh_token,
            scopes=tokens.scopes or grant.tokens.scopes,
        )
        replacement = grant.with_tokens(kept)
        with suppress(VersionConflict):  # then another worker's is as good
            await self.storage.commit([replacement], expect={grant.record.identity: grant.record.version})
            self.refreshed()
        return (await self._load()).tokens.access_token

    async def _exchange(self, kept: Tokens) -> Tokens:
        if kept.grant_type == "client_credentials":
            request = client_credentials_request(self.app, kept.scopes, self.endpoints)
        elif kept.refresh_token is not None:
            request = refresh_request(self.app, kept.refresh_token, self.endpoints)
        else:
            raise ReconnectNeeded("this token set cannot be refreshed: ask for offline_access when connecting")
        # Xero lets the same refresh token be used again for 30 minutes, so a lost answer may be asked for again (F
        # 1.17).
        for attempt in range(_ATTEMPTS_MAX):
            try:
                response = await self.transport.send(request)
                return tokens_from(response, self.clock.now(), grant_type=kept.grant_type)
            except (TransportFault, Unavailable):
                await self.clock.sleep(2.0**attempt)
        raise Unavailable("Xero's token endpoint did not answer")
