"""Intents: the durable record of one write, made before its first byte leaves, closed when its outcome is known."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final, cast

import msgspec
from attrs import evolve, field, frozen

from xerosync.engine.actions import Pending, Seen
from xerosync.engine.states import OPEN, State, may_move
from xerosync.models import TenantId
from xerosync.storage.protocol import Record, RecordKey

CLAIM_S: Final = 20.0
"""How long a claim is good for, counted from before it was written (R2)."""

TAG_PREFIX: Final = "XS-"

PARKED_AFTER: Final = 8
"""How often a write may end in doubt, and not be found, before a person must look at it (R8)."""

WITHDRAWN: Final = "its document has changed in Xero since it was planned, so it was not sent"
"""What is said of a write that was not sent because what it was decided on is no longer so."""

OVERTAKEN: Final = "what it is of was undone since it was planned, so it was not sent"
"""What is said of a write that was not sent because its settlement, or the run that decided it, was undone."""

NOT_SENT: Final = frozenset({(WITHDRAWN,), (OVERTAKEN,)})
"""The messages of writes that were withdrawn, and that Xero had nothing against."""

ANOTHER_FILE: Final = "the file is another than was planned, so it was not sent"
"""What is said of a file that was not sent because its bytes had changed."""

FILE_UNREADABLE: Final = "the file could not be read when it was to be sent"
"""What is said of a file whose bytes the host's own function did not give."""

FILE_NOT_SENT: Final = frozenset({(ANOTHER_FILE,), (FILE_UNREADABLE,)})
"""The messages of files that Xero never saw, and that may be sent as soon as they are given again."""

DISMISSED: Final = "nothing in Xero is the same, as a person said, so it may be sent"
"""What is kept of a write that was held back, and is planned again."""

_PATIENCE: Final = timedelta(minutes=24)
_LONGEST: Final = timedelta(hours=6)

_NAMES: Final = frozenset(
    {
        "vendor",
        "collected",
        "surplus",
        "effect",
        "amount",
        "total",
        "wanted",
        "settled",
        "taken",
        "net",
        "kept",
        "as_typed",
    }
)
"""Facts that are names or amounts: what a record is found by stays readable in an encrypted store."""

DENIED: Final = "denied"
"""The fact which documents in Xero a person said are not the same, as what was held back was let go."""
_NOT_ASKED_FOR: Final = frozenset({"line", "currency", "through", "portions", DENIED})
"""Facts that nothing is found by."""


PAID: Final = "paid"
"""The fact which document a payment pays, so that Xero's event on that one is known for an echo of it (F 7.16)."""


def intent_key(tenant: TenantId, operation: Pending) -> str:
    """The one key of a business operation: the same operation always has the same, and no other has it."""
    return _key_of(tenant, operation.kind, operation.host_ref, operation.revision)


@lru_cache(maxsize=32768)
def _key_of(tenant: TenantId, kind: str, host_ref: str, revision: int) -> str:
    # As a list in JSON would be, in half the time.
    named = f"[{json.dumps(tenant)}, {json.dumps(kind)}, {json.dumps(host_ref)}, {revision}]"
    return base64.b32encode(hashlib.sha256(named.encode()).digest()).decode().rstrip("=").lower()


def tag_of(key: str) -> str:
    """The mark by which the document of the intent *key* is known again in Xero: 65 bits (reliability 4.3)."""
    return TAG_PREFIX + key[:13].upper()


def mark_of(key: str, app: str) -> str:
    """
    What is written on the document of the intent *key*: its tag, and a sign of the *app* by its client id.

    Another product on the same organisation may use this library too; by the sign its documents are not taken for ours.
    """
    return f"{tag_of(key)}.{sign_of(app)}"


@lru_cache(maxsize=32)
def sign_of(app: str) -> str:
    """The sign of an app, by its client id."""
    return base64.b32encode(hashlib.sha256(app.encode()).digest()).decode()[:4]


def sign_in(text: str) -> str | None:
    """The sign that stands behind the tag in *text*, if there are both."""
    tag = tag_in(text)
    sign = text[text.rfind(TAG_PREFIX) + len(tag) :][:5] if tag is not None else ""
    return sign[1:] if len(sign) == 5 and sign[0] == "." and sign[1:].isalnum() else None


def tag_in(text: str) -> str | None:
    """The tag in *text*, if there is one."""
    start = text.rfind(TAG_PREFIX)
    tag = text[start : start + len(TAG_PREFIX) + 13]
    whole = start >= 0 and len(tag) == len(TAG_PREFIX) + 13 and tag[len(TAG_PREFIX) :].isalnum()
    return tag if whole else None


@frozen(kw_only=True, repr=False)
class Member:
    """
    One payment of a batch: its own *operation*, what it pays, and its *xero_id* once the batch stands.

    Of a batch to be removed it is the removal of one payment, the *target*.
    """

    operation: Pending
    payload: Mapping[str, object]
    basis: str = ""
    facts: Mapping[str, str] = field(factory=dict[str, str])
    xero_id: str | None = None
    target: str = ""

    @property
    def invoice(self) -> str:
        """The id of what it pays."""
        return text_at(self.payload, "Invoice", "InvoiceID")


@frozen(kw_only=True, repr=False)
class Intent:
    """
    One write: what is to be sent (*payload*, under *target* where the path names a document), and how it stands.

    *generation* counts its sends under different idempotency keys, *attempts* those that ended in doubt, with nothing
    to be found after; it is left alone until *next_at*. *facts* are what it can be found by later, *members* the
    payments of a batch. *stamp* is when Xero says that it was done, as Xero wrote it, where its answer said so.
    """

    tenant: TenantId
    operation: Pending
    payload: Mapping[str, object]
    target: str = ""
    state: State = State.INTENDED
    generation: int = 1
    xero_id: str | None = None
    messages: tuple[str, ...] = ()
    claimed_at: datetime | None = None
    basis: str = ""
    facts: Mapping[str, str] = field(factory=dict[str, str])
    attempts: int = 0
    next_at: datetime | None = None
    members: tuple[Member, ...] = ()
    stamp: str = ""
    version: int = 0

    @property
    def key(self) -> str:
        """Its record's key."""
        return intent_key(self.tenant, self.operation)

    @property
    def tag(self) -> str:
        """Its mark."""
        return tag_of(self.key)

    @property
    def not_after(self) -> datetime | None:
        """When its claim ends; None while it is not claimed."""
        return self.claimed_at + timedelta(seconds=CLAIM_S) if self.claimed_at is not None else None

    def moved(self, state: State, *, xero_id: str | None = None, messages: tuple[str, ...] = ()) -> Intent:
        """This intent in another *state*. Raises `ValueError` where the table of states has no such move."""
        if not may_move(self.state, state):
            raise ValueError(f"a write that is {self.state} cannot become {state}")
        claimed_at = None if state is State.INTENDED else self.claimed_at
        # Why Xero refused it is known, so what went before is explained.
        attempts = 0 if (self.state, state) == (State.SENT, State.REJECTED) else self.attempts
        return evolve(
            self,
            state=state,
            claimed_at=claimed_at,
            xero_id=xero_id,
            messages=messages,
            attempts=attempts,
            next_at=None,
        )

    def paying(self, payments: Mapping[str, str]) -> Intent:
        """This batch once the ids of its *payments* are known, by what each pays; those to be removed were before."""
        return evolve(
            self,
            members=tuple(evolve(each, xero_id=each.target or payments.get(each.invoice)) for each in self.members),
        )

    def as_single(self) -> list[Intent]:
        """The payments of this batch as if each were a write of its own, in the state of the batch."""
        facts = {"batch": self.xero_id} if self.xero_id else {}
        paid = [{PAID: member.invoice} if member.invoice else dict[str, str]() for member in self.members]
        return [
            Intent(
                tenant=self.tenant,
                operation=member.operation,
                payload=member.payload,
                target=member.target,
                state=self.state,
                xero_id=member.xero_id,
                messages=self.messages,
                claimed_at=self.claimed_at,
                basis=member.basis,
                facts={**member.facts, **facts, **of},
                attempts=self.attempts,
                next_at=self.next_at,
                stamp=self.stamp,
            )
            for member, of in zip(self.members, paid, strict=True)
        ]

    def is_due(self, now: datetime) -> bool:
        """Whether it may be looked at, or sent, at *now*."""
        return self.next_at is None or self.next_at <= now

    def doubted(self, now: datetime, *, answered: bool) -> Intent:
        """
        This doubtful intent after it was looked for in vain (R8).

        It is not there, unless Xero has not *answered*: then it stays in doubt. It is left alone for longer
        each time, and the eighth time it is parked.
        """
        attempts = self.attempts + 1
        if attempts >= PARKED_AFTER:
            return evolve(self.moved(State.PARKED), attempts=attempts, next_at=None)
        later = now + wait_after(attempts)
        if not answered:
            return evolve(self, attempts=attempts, next_at=later)
        sent_again = self.moved(State.INTENDED)
        return evolve(sent_again, generation=self.generation + 1, attempts=attempts, next_at=later)

    def released(self) -> Intent:
        """This parked intent, which a person lets try again: its attempts count from the beginning."""
        return evolve(self.moved(State.UNKNOWN), attempts=0, next_at=None)

    def claimed(self, now: datetime) -> Intent:
        """This intent about to be sent, its claim counted from *now* (R2)."""
        return evolve(self.moved(State.SENT), claimed_at=now)

    def record(self) -> Record:
        """The record that keeps it."""
        kept = _Kept(
            self.operation.kind,
            self.operation.host_ref,
            self.operation.revision,
            dict(self.payload),
            self.target,
            self.generation,
            self.xero_id,
            self.messages,
            self.claimed_at,
            self.basis,
            dict(self.facts),
            self.attempts,
            self.next_at,
            [
                _KeptMember(
                    each.operation.kind,
                    each.operation.host_ref,
                    each.operation.revision,
                    dict(each.payload),
                    each.basis,
                    dict(each.facts),
                    each.xero_id,
                    each.target,
                )
                for each in self.members
            ],
            self.stamp,
        )
        found_by = [(name, value) for name, value in self.facts.items() if name not in _NAMES | _NOT_ASKED_FOR]
        lookups = [("tag", self.tag), ("kind", self.operation.kind), *found_by]
        if self.xero_id:
            lookups.append(("xero_id", self.xero_id))
        body = _encoder.encode(kept).decode()
        due = self.next_at or self.claimed_at
        return Record("intent", self.tenant, self.key, body, self.state, due, tuple(lookups), self.version)


class _KeptMember(msgspec.Struct):
    """A payment of a batch, within its record."""

    kind: str
    host_ref: str
    revision: int
    payload: dict[str, object]
    basis: str
    facts: dict[str, str]
    xero_id: str | None
    target: str = ""

    def read(self) -> Member:
        """The payment it keeps."""
        return Member(
            operation=Pending(self.kind, self.host_ref, self.revision),
            payload=self.payload,
            basis=self.basis,
            facts=self.facts,
            xero_id=self.xero_id,
            target=self.target,
        )


class _Kept(msgspec.Struct, omit_defaults=True):
    """An intent's record as it is stored, amounts as exact numbers."""

    kind: str
    host_ref: str
    revision: int
    payload: dict[str, object]
    target: str
    generation: int
    xero_id: str | None
    messages: tuple[str, ...]
    claimed_at: datetime | None
    basis: str
    facts: dict[str, str]
    attempts: int = 0
    next_at: datetime | None = None
    members: list[_KeptMember] = []
    stamp: str = ""


_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(_Kept, float_hook=Decimal)


def read_intent(record: Record) -> Intent:
    """The intent that *record* keeps."""
    kept = _decoder.decode(record.body)
    return Intent(
        tenant=TenantId(record.tenant),
        operation=Pending(kept.kind, kept.host_ref, kept.revision),
        payload=kept.payload,
        target=kept.target,
        state=State(record.state),
        generation=kept.generation,
        xero_id=kept.xero_id,
        messages=kept.messages,
        claimed_at=kept.claimed_at,
        basis=kept.basis,
        facts=kept.facts,
        attempts=kept.attempts,
        next_at=kept.next_at,
        members=tuple(each.read() for each in kept.members),
        stamp=kept.stamp,
        version=record.version,
    )


def text_at(payload: Mapping[str, object], *path: str) -> str:
    """What stands under *path* of a *payload*, as text; blank where nothing does."""
    value: object = payload
    for name in path:
        value = _member(value, name)
    return "" if value is None else str(value)


def _member(value: object, name: str) -> object:
    return cast(Mapping[str, object], value).get(name) if isinstance(value, Mapping) else None


def wait_after(attempts: int) -> timedelta:
    """How long a write is left alone that ended in doubt *attempts* times: not at first, then up to 6 hours (R8)."""
    return timedelta() if attempts < 3 else min(_LONGEST, _PATIENCE * 2 ** (attempts - 3))


def record_key(tenant: TenantId, operation: Pending) -> RecordKey:
    """Where the intent of *operation* is kept."""
    return RecordKey("intent", tenant, intent_key(tenant, operation))


def idempotency_key(intents: Sequence[Intent]) -> str:
    """
    The key one call with *intents* is sent under: derived, with the organisation in it (F 3.07), new a generation.

    At most 128 characters (F 3.01).
    """
    named = json.dumps([(intent.key, intent.generation) for intent in intents])
    return f"{intents[0].tenant}-{hashlib.sha256(named.encode()).hexdigest()}"


def retries(refused: Intent, seen: Sequence[Seen], *, always: bool) -> bool:
    """Whether a write that Xero *refused* is planned again: when its documents have changed since, or when told to."""
    if refused.state is not State.REJECTED:
        return False
    is_free = refused.messages in {(DISMISSED,), (OVERTAKEN,)}
    return always or is_free or (bool(seen) and basis_of(seen) != refused.basis)


def is_denied(answer: Intent, xero_id: str) -> bool:
    """Whether *answer* is what a person said, and was of the document of this id: that it is not the same."""
    told = answer.facts.get(DENIED)
    return answer.messages == (DISMISSED,) and (told is None or xero_id in told.split())


def basis_of(seen: Sequence[Seen]) -> str:
    """What a write was decided on, as it is kept with it."""
    return json.dumps([[each.shelf, each.document_id, each.stamp] for each in seen])


def seen_in(basis: str) -> tuple[Seen, ...]:
    """What a write was decided on, as `basis_of` kept it."""
    return tuple(Seen(*each) for each in json.loads(basis or "[]"))


OPEN_STATES: Final = tuple(sorted(OPEN))
