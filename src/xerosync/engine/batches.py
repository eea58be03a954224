"""
Payments that move as one sum: which go together, and what is known of those in a batch that does not stand yet.

A batch that stands, or stood until somebody removed it, keeps each of its payments as a write of its own, so that
whoever asks for one need not know of batches. Until then they are known through the batch alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence

from attrs import evolve, field, frozen

from xerosync.client._books import Books
from xerosync.engine.actions import Action, Pay, PayBatch, Pending
from xerosync.engine.intents import NOT_SENT, Intent, intent_key, sign_of, tag_of
from xerosync.engine.mirror import BATCH_PAYMENTS, PAYMENTS, refresh, tag_of_record, walk
from xerosync.engine.observed import intents_with
from xerosync.engine.states import NEVER_LEFT, State
from xerosync.models import BatchPayment, Payment, PaymentStatus, TenantId

_NOT_STANDING = tuple(sorted(state for state in State if state is not State.CONFIRMED))


@frozen(kw_only=True)
class Unsettled:
    """
    What batches that do not stand say of their payments: *intents* by key of those that may be in Xero, or are gone.

    *alone* are the payments of a batch that Xero refused: the next time each goes by itself, so that the one at fault
    is found, and holds up no other.
    """

    intents: Mapping[str, Intent] = field(factory=dict[str, Intent])
    alone: frozenset[Pending] = frozenset()


async def unsettled(books: Books) -> Unsettled:
    """What is known of payments through batches that do not stand."""
    batches = await intents_with(books, lookup=("kind", PayBatch.kind), states=_NOT_STANDING)
    refused = [each for each in batches if each.state is State.REJECTED]
    in_doubt = [one for each in batches if each.state is not State.REJECTED for one in each.as_single()]
    return Unsettled(
        intents={intent.key: intent for intent in in_doubt},
        alone=frozenset(
            member.operation for each in refused if each.messages not in NOT_SENT for member in each.members
        ),
    )


@frozen(kw_only=True)
class Forgotten:
    """
    Batches with our mark that the ledger does not know, as the store was restored from a backup.

    *payments* are those of theirs that stand and are not known either, by the bill each pays; *tags* are their marks.
    """

    payments: Mapping[str, list[Payment]] = field(factory=dict[str, "list[Payment]"])
    tags: frozenset[str] = frozenset()


def in_batches(
    actions: Sequence[Action],
    *,
    tenant: TenantId,
    currency: str,
    alone: Collection[Pending] = (),
    marked: Collection[str] = (),
) -> list[Action]:
    """
    *actions* with the payments of one account and day put together, two or more a batch, each bill once.

    A payment in another currency than the base *currency* (F 6.140), one that others of *actions* rest on, and one of
    those to go *alone* stays by itself. No batch bears a mark of those that are *marked* in Xero already: one that was
    forgotten may have paid other parts of the same bills than those that are known to be paid now.
    """
    needed = {need for action in actions for need in action.needs}
    groups: dict[tuple[str, str, int], list[Pay]] = {}
    met: dict[tuple[str, str, str], int] = {}
    for action in actions:
        if (
            isinstance(action, Pay)
            and isinstance(action.invoice, str)
            and action.amount.currency == currency
            and not action.needs
            and action.itself not in needed
            and action.itself not in alone
        ):
            on = action.on.isoformat()
            place = met[action.account, on, action.invoice] = met.get((action.account, on, action.invoice), 0) + 1
            groups.setdefault((action.account, on, place), []).append(action)
    batches = [_unmarked(_batch(group), tenant, marked) for group in groups.values() if len(group) > 1]
    inside = {each.itself for batch in batches for each in batch.payments}
    return [*(action for action in actions if action.itself not in inside), *batches]


def _batch(payments: Sequence[Pay]) -> PayBatch:
    first = payments[0]
    named = json.dumps(sorted([each.itself.host_ref, each.revision] for each in payments))
    return PayBatch(
        host_ref=f"{first.on.isoformat()} {hashlib.sha256(named.encode()).hexdigest()[:16]}",
        reason=f"{len(payments)} payments of one account and day",
        seen=tuple(dict.fromkeys(seen for each in payments for seen in each.seen)),
        account=first.account,
        on=first.on,
        payments=tuple(payments),
    )


def _unmarked(batch: PayBatch, tenant: TenantId, marked: Collection[str]) -> PayBatch:
    while tag_of(intent_key(tenant, batch.itself)) in marked:
        batch = evolve(batch, revision=batch.revision + 1)
    return batch


def without(batch: PayBatch, left_out: Iterable[Pay]) -> PayBatch:
    """*batch* without some of its payments, still the same operation."""
    out = {each.itself for each in left_out}
    kept = tuple(each for each in batch.payments if each.itself not in out)
    return evolve(batch, payments=kept, seen=tuple(dict.fromkeys(seen for each in kept for seen in each.seen)))


async def forgotten_batches(books: Books) -> Forgotten:
    """The batches with our mark that the ledger does not know; one in doubt it does, though not yet by its Xero id."""
    await refresh(books, BATCH_PAYMENTS)
    written = await intents_with(books, lookup=("kind", PayBatch.kind))
    known = {intent.xero_id for intent in written}
    in_doubt = {intent.tag for intent in written if not intent.xero_id and intent.state not in NEVER_LEFT}
    found: dict[str, list[Payment]] = {}
    tags: set[str] = set()
    async for record, _ in walk(books, BATCH_PAYMENTS, BatchPayment):
        if record.key in known or dict(record.lookups).get("sign") != sign_of(books.app.client_id):
            continue
        tag = tag_of_record(record) or ""
        if tag in in_doubt:
            continue
        tags.add(tag)
        async for _, payment in walk(books, PAYMENTS, Payment, lookup=("batch", record.key)):
            taken_over = await intents_with(books, lookup=("xero_id", payment.payment_id or ""))
            if payment.status != PaymentStatus.DELETED and payment.invoice is not None and not taken_over:
                found.setdefault(payment.invoice.invoice_id or "", []).append(payment)
    return Forgotten(payments=found, tags=frozenset(tags))
