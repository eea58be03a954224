"""The keys that records are encrypted with, and what becomes of one record under them: pure, no store in sight."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from typing import TYPE_CHECKING, Final, cast

from attrs import evolve

from xerosync.errors import InvalidInput, KeyMissing, NotEncrypted, SealBroken
from xerosync.secret import Secret
from xerosync.storage.protocol import Record
from xerosync.storage.rules import check_text, to_micros

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_SEALED: Final = '{"sealed":"'
_ASK: Final = "give 32 random bytes in base64, as KeyRing.new_key() makes them; the newest first"


class KeyRing:
    """
    The keys of an encrypted store: the first writes, all of them read.

    A key is 32 random bytes as base64 text; `new_key` makes one. It has no name that could be confused: a record says
    by a fingerprint (`ids`) which key it needs. Raises `InvalidInput` for no key, or for what is none: a passphrase
    will not do.
    """

    __slots__ = ("_ciphers", "_keys")

    def __init__(self, *keys: str | Secret) -> None:
        try:
            given = [Secret(key) for key in keys]
        finally:
            del keys  # a good key must not stand in a frame of the error that is about another
        if not given:
            raise InvalidInput("keys", _ASK)
        self._keys: Final = dict(map(_known, given))
        self._ciphers: Final[dict[str, AESGCM]] = {}

    @staticmethod
    def new_key() -> Secret:
        """A new random key. Keep its text where you keep passwords, and never beside the store."""
        return Secret(base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)).decode())

    @property
    def ids(self) -> tuple[str, ...]:
        """The fingerprints of the keys, the one that writes first. They tell keys apart and are no secret."""
        return tuple(self._keys)

    def seal(self, record: Record, *, version: int) -> Record:
        """
        *record* with its body encrypted, to be stored as this *version* of it under this name.

        Whoever stores it in another place, or changes what it is found by, makes it unreadable.
        """
        key_id, nonce = self.ids[0], os.urandom(_NONCE_BYTES)
        check_text([record])  # the store below no longer sees it
        sealed = nonce + self._cipher(key_id).encrypt(nonce, record.body.encode(), _place(record, version))
        return evolve(record, body=f'{_SEALED}{base64.b64encode(sealed).decode()}","key":"{key_id}"}}')

    def open(self, record: Record, *, allow_plain: bool = False) -> Record:
        """*record*, as a store gave it, with its body decrypted. Raises `KeyMissing`, `SealBroken`, `NotEncrypted`."""
        parts = _parts(record)
        if parts is None:
            if allow_plain:
                return record
            raise NotEncrypted(f"the record {record.identity} lies in the store in plain text: {_PLAIN}")
        sealed, key_id = parts
        if key_id not in self._keys:
            raise KeyMissing(
                f"the record {record.identity} is encrypted with key {key_id}, and the ring has {', '.join(self.ids)}: "
                "put that key on it, behind the one that writes"
            )
        return evolve(record, body=self._opened(record, sealed, key_id))

    def is_current(self, record: Record) -> bool:
        """Whether *record*, as a store gave it, is encrypted with the key that writes."""
        parts = _parts(record)
        return parts is not None and parts[1] == self.ids[0]

    def __repr__(self) -> str:
        return f"<KeyRing {' '.join(getattr(self, '_keys', ()))}>"  # also of one in the making

    def _opened(self, record: Record, sealed: str, key_id: str) -> str:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - as in `_cipher`

        try:
            raw = base64.b64decode(sealed, validate=True)
            nonce, text = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
            return self._cipher(key_id).decrypt(nonce, text, _place(record, record.version)).decode()
        except (InvalidTag, ValueError):
            raise SealBroken(
                f"the record {record.identity} v{record.version} is not what was written under this name: restore it "
                "from a backup"
            ) from None

    def _cipher(self, key_id: str) -> AESGCM:
        if key_id not in self._ciphers:
            # Most hosts encrypt elsewhere or not at all, and it is slow to load.
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

            self._ciphers[key_id] = AESGCM(base64.b64decode(self._keys[key_id].reveal()))
        return self._ciphers[key_id]


_PLAIN: Final = (
    "if it is from before the store had a key, read it with allow_plain=True, and encrypt it with KeyRotation"
)


def check_plain(record: Record, what: str) -> None:
    """Raise `KeyMissing` where the body of *record*, *what* is kept in it, lies there encrypted still."""
    if record.body.startswith(_SEALED):
        raise KeyMissing(f"{what} is encrypted: read this store in your own code, as encrypted(store, keys)")


def _place(record: Record, version: int) -> bytes:
    """Where *record* stands and all that it is found by: a body is readable only there (reliability S7)."""
    due = None if record.due is None else to_micros(record.due)
    told = [1, record.kind, record.tenant, record.key, version, record.state, due, record.lookups]
    return json.dumps(told, separators=(",", ":")).encode()


def _parts(record: Record) -> tuple[str, str] | None:
    """The encrypted text in *record* and the id of its key; None when its body is plain."""
    if not record.body.startswith(_SEALED):
        return None
    try:
        body = cast(dict[str, object], json.loads(record.body))
        return str(body["sealed"]), str(body["key"])
    except (ValueError, KeyError, RecursionError):
        raise SealBroken(f"the record {record.identity} was cut or changed: restore it from a backup") from None


def _known(key: Secret) -> tuple[str, Secret]:
    """The fingerprint of *key*, and the key as `AESGCM` reads it."""
    raw = _key_bytes(key)
    if raw is None:
        raise InvalidInput("keys", _ASK)
    return hashlib.sha256(b"xerosync key " + raw).hexdigest()[:8], Secret(base64.b64encode(raw).decode())


def _key_bytes(key: Secret) -> bytes | None:
    try:
        raw = base64.urlsafe_b64decode(key.reveal().strip().replace("+", "-").replace("/", "_"))
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == _KEY_BYTES else None
