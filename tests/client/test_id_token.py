"""An id token is believed only when its signature and every claim are right (F 1.03, 1.22)."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from xerosync.client.id_token import ISSUER, verified
from xerosync.errors import ConsentFailed
from xerosync.secret import Secret, secret_or_none

NOW: Final = datetime(2026, 1, 5, tzinfo=UTC)
KEY: Final = RSAKey.generate_key(2048, {"kid": "k1"}, private=True)
KEYS: Final[dict[str, object]] = {
    "keys": [{"kty": "EC", "kid": "new"}, {"kid": "k1", "use": "sig", **KEY.as_dict(private=False)}]
}
ACCESS: Final = Secret("the-access-token")
HALF: Final = base64.urlsafe_b64encode(sha256(ACCESS.reveal().encode()).digest()[:16]).rstrip(b"=").decode()
CLAIMS: Final[dict[str, object]] = {
    "iss": ISSUER,
    "aud": "client",
    "sub": "s",
    "iat": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 300,
    "at_hash": HALF,
    "nonce": "n0nce",
    "email": "ana@example.com",
}


def signed(claims: dict[str, object], key: RSAKey = KEY, kid: str = "k1") -> str:
    return jwt.encode({"alg": "RS256", "kid": kid}, claims, key)


def check(token: str, *, nonce: str | None = "n0nce", now: datetime = NOW) -> str | None:
    return verified(token, KEYS, client_id="client", now=now, access_token=ACCESS, nonce=secret_or_none(nonce)).email


def test_an_id_token_that_passes_every_check_names_the_user_but_never_in_its_repr() -> None:
    who = verified(signed(CLAIMS), KEYS, client_id="client", now=NOW, access_token=ACCESS, nonce=Secret("n0nce"))

    assert (who.email, who.subject, who.expires_at) == ("ana@example.com", "s", NOW + timedelta(minutes=5))
    assert "ana" not in repr(who)
    assert check(signed(CLAIMS | {"aud": ["client"]})) == "ana@example.com"
    assert check(signed(CLAIMS), now=NOW - timedelta(seconds=90)) == "ana@example.com"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"iss": "https://identity.xero.com.evil.example"}, "issuer"),
        ({"aud": "another"}, "another app"),
        ({"aud": ["client", "another"]}, "another app"),
        ({"azp": "another"}, "another app"),
        ({"exp": int(NOW.timestamp()) - 121}, "expired"),
        ({"exp": "never"}, "expired"),
        ({"exp": 1e30}, "expired"),
        ({"iat": int(NOW.timestamp()) + 121}, "clock"),
        ({"nbf": int(NOW.timestamp()) + 121}, "clock"),
        ({"iat": None}, "clock"),
        ({"at_hash": "other"}, "another access token"),
        ({"at_hash": None}, "another access token"),
        ({"nonce": "other"}, "this request"),
        ({"sub": ""}, "nobody"),
    ],
)
def test_an_id_token_that_fails_one_check_is_refused(change: dict[str, object], why: str) -> None:
    with pytest.raises(ConsentFailed, match=why) as refused:
        check(signed(CLAIMS | change))

    assert refused.value.reason == "id_token"


def _another_key() -> str:
    return signed(CLAIMS, RSAKey.generate_key(2048, {"kid": "k1"}, private=True))


def _unsigned() -> str:
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({"alg": "none"}, CLAIMS)
    )
    return f"{head}.{body}."


def _public_key_as_secret() -> str:
    """A token whose "secret" everybody knows, signed by hand since the library refuses to."""
    unsigned = ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "HS256", "kid": "k1"}, CLAIMS)
    )
    mac = hmac.digest(KEY.as_pem(private=False), unsigned.encode(), "sha256")
    return f"{unsigned}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


@pytest.mark.parametrize(
    "forge",
    [_another_key, _unsigned, _public_key_as_secret, lambda: signed(CLAIMS, kid="k2"), lambda: "", lambda: "a.b.c"],
)
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_a_forged_id_token_is_refused(forge: Callable[[], str]) -> None:
    with pytest.raises(ConsentFailed, match="signature"):
        check(forge())
