"""The RS256 signature of id and access tokens, and the public key that others verify it with (F 1.21, 1.22)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from xerosync.simulator.wire import Row
from xerosync.simulator.world import SigningKey, World

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

KEY_ID: Final = "simulator"


class Signer:
    """
    Signs with one key for each process, made when it is first needed; books kept in a file keep theirs.

    It does not follow the seed: a key that anybody can make again is no key.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def sign(self, claims: Row) -> str:
        """*claims* as a signed JWT."""
        from joserfc import jwt  # noqa: PLC0415 (loaded only where tokens are issued)

        header: dict[str, str] = {"alg": "RS256", "kid": KEY_ID, "typ": "JWT"}
        return jwt.encode(header, claims, self._key())

    def public_keys(self) -> Row:
        """The key set under jwks_uri."""
        key = self._key().as_dict(private=False)
        return {"keys": [{"kid": KEY_ID, "use": "sig", "alg": "RS256", **key}]}

    def _key(self) -> RSAKey:
        kept = self._world.keys.get(KEY_ID)
        if kept is not None:
            return _read(kept.pem)
        key = _of_this_process()
        if self._world.keeper is not None:
            self._world.keys.put(SigningKey(KEY_ID, key.as_pem(private=True).decode()))
        return key


@lru_cache(1)
def _of_this_process() -> RSAKey:
    from joserfc.jwk import RSAKey  # noqa: PLC0415

    return RSAKey.generate_key(2048, {"kid": KEY_ID}, private=True)


@lru_cache(8)
def _read(pem: str) -> RSAKey:
    from joserfc.jwk import RSAKey  # noqa: PLC0415

    return RSAKey.import_key(pem, {"kid": KEY_ID})
