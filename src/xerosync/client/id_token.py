"""Who signed in at Xero: the id token, believed only once its signature and every claim have been checked (F 1.22)."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final, cast

from attrs import frozen

from xerosync.client._wire.codec import Json, parse
from xerosync.errors import ConsentFailed, UnreadableAnswer
from xerosync.secret import Secret

if TYPE_CHECKING:
    from joserfc.jwk import KeySetSerialization

ISSUER: Final = "https://identity.xero.com"
"""Who issues Xero's tokens, to the letter (F 1.03)."""

_SKEW_S: Final = 120
_LATEST_S: Final = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


@frozen(repr=False)
class IdToken:
    """
    Who signed in, as Xero vouches for it: *user_id* is Xero's own id of the user, *subject* that of the sign-in.

    The others are told only for the scopes ``email`` and ``profile``. The token itself ends at *expires_at*, five
    minutes after it was issued (F 1.15); what it says was true then.
    """

    subject: str
    user_id: str | None
    expires_at: datetime
    email: str | None = None
    given_name: str | None = None
    family_name: str | None = None

    def __repr__(self) -> str:
        return "<IdToken>"


def verified(
    token: str, keys: Json, *, client_id: str, now: datetime, access_token: Secret, nonce: Secret | None = None
) -> IdToken:
    """
    What *token* says, once *keys* (a JWK set) show that Xero signed it, for this app, in these minutes.

    Checked are the RS256 signature, issuer, audience, the times (two minutes of skew are allowed), ``at_hash``, which
    ties it to *access_token*, and the *nonce* if one was asked for. Raises `ConsentFailed` naming the check.
    """
    claims = _signed_claims(token, keys)
    audience = claims.get("aud")
    ours = [client_id] == audience if isinstance(audience, list) else client_id == audience
    if claims.get("iss") != ISSUER:
        raise _unproven("its issuer is not Xero")
    if not ours or claims.get("azp", client_id) != client_id:
        raise _unproven("it was issued to another app")
    expires, issued = _seconds(claims, "exp"), _seconds(claims, "iat")
    if expires is None or now.timestamp() > expires + _SKEW_S:
        raise _unproven("it has expired")
    begins = max(issued or 0.0, _seconds(claims, "nbf") or 0.0)
    if issued is None or begins > now.timestamp() + _SKEW_S:
        raise _unproven("it is not valid yet: check this machine's clock")
    if not _belongs(claims.get("at_hash"), access_token):
        raise _unproven("it belongs to another access token")
    if nonce is not None and not _same(claims.get("nonce"), nonce.reveal()):
        raise _unproven("it does not answer this request")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject:
        raise _unproven("it names nobody")
    return IdToken(
        subject,
        _text(claims, "xero_userid"),
        datetime.fromtimestamp(expires, UTC),
        _text(claims, "email"),
        _text(claims, "given_name"),
        _text(claims, "family_name"),
    )


def claims_unverified(token: Secret) -> Mapping[str, object]:
    """What a JWT says of itself, unproven; nothing when it is none. For hints only, never to decide on access."""
    try:
        middle = token.reveal().split(".")[1]
        body = parse(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)), where="token")
    except (IndexError, ValueError, binascii.Error, RecursionError, UnreadableAnswer):
        return {}
    return cast(Json, body) if isinstance(body, dict) else {}


def _signed_claims(token: str, keys: Json) -> Json:
    # joserfc loads the cryptography of RSA, and an id token comes once in a consent.
    from joserfc import jwt  # noqa: PLC0415
    from joserfc.errors import JoseError  # noqa: PLC0415
    from joserfc.jwk import KeySet  # noqa: PLC0415

    listed = keys.get("keys")
    signing = [key for key in cast(list[object], listed) if _is_rsa(key)] if isinstance(listed, list) else []
    try:
        # Only RS256: an algorithm that the token itself may name is how signatures were forged.
        known = KeySet.import_key_set(cast("KeySetSerialization", {"keys": signing}))
        return dict(jwt.decode(token, known, algorithms=["RS256"]).claims)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _unproven("its signature is not Xero's") from None


def _is_rsa(key: object) -> bool:
    """Whether *key* is one of the kind Xero signs with; a set may hold others, which must not spoil it."""
    return isinstance(key, dict) and cast(Json, key).get("kty") == "RSA"


def _seconds(claims: Json, name: str) -> float | None:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < _LATEST_S else None


def _belongs(at_hash: object, access_token: Secret) -> bool:
    half = sha256(access_token.reveal().encode()).digest()[:16]
    return _same(at_hash, base64.urlsafe_b64encode(half).rstrip(b"=").decode())


def _same(said: object, due: str) -> bool:
    return isinstance(said, str) and hmac.compare_digest(said.encode(), due.encode())


def _text(claims: Json, name: str) -> str | None:
    value = claims.get(name)
    return value if isinstance(value, str) else None


def _unproven(why: str) -> ConsentFailed:
    return ConsentFailed(f"the id token was refused: {why}. Nothing was kept; send the user to Xero again.", "id_token")
