"""What was posted of settlements before, by the record: line by line, and what each of them was begun with."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final, cast

from attrs import evolve

from xerosync.client._books import Books
from xerosync.engine.actions import (
    CreateBill,
    CreateSale,
    CreateSaleCredit,
    MoveMoney,
    Pay,
    Refund,
    RemoveMoney,
    RemovePayment,
    VoidCredit,
)
from xerosync.engine.given_again import UNDONE, PostedBefore, PostedLine, undone_whole
from xerosync.engine.intents import Intent, read_intent, text_at
from xerosync.engine.mirror import GONE, PAYMENTS, records
from xerosync.engine.observed import intents_with, stamped
from xerosync.engine.payouts import COSTS, FEES, PAYOUT, PAYS_PORTIONS, operations, portions_in
from xerosync.engine.remembering import standing_for
from xerosync.engine.restoring import current_of
from xerosync.engine.settlement_books import SURPLUS
from xerosync.engine.settling_policies import FeesAs
from xerosync.engine.states import State
from xerosync.engine.ticking import Condensed
from xerosync.mapping.settlement import LineKind, Settlement, is_more_than_lines
from xerosync.models import AccountId, Payment

_TAKING_BACK: Final = (RemovePayment.kind, RemoveMoney.kind, VoidCredit.kind, CreateSale.kind)


async def posted_before(
    books: Books, settlements: Sequence[Settlement], in_doubt: Mapping[str, Intent]
) -> PostedBefore:
    """What was posted of *settlements*; *in_doubt* are payments in batches that do not stand yet."""
    lines = {line.id: line for settlement in settlements for line in settlement.lines}
    ids = list(dict.fromkeys(each.id for each in settlements if each.id.strip()))
    wanted = [*standing_for(lines.values()), *(one for each in settlements for one in operations(each.id))]
    found = {**await current_of(books, wanted), **in_doubt}
    condensed = {each.id: each for each in settlements if isinstance(each, Condensed)}
    for each in ids:
        found |= {one.key: one for one in await _of_settlement(books, each, condensed.get(each))}
    for kind in _TAKING_BACK:
        taken = await intents_with(books, lookup=("kind", kind))
        found |= {one.key: one for one in taken if one.facts.get("charged_back_by") in lines}
    written = [each for each in found.values() if _stands(each)]
    by_line = await _paid_out_with(books, settlements, posted_lines(written))
    moved_on = {each.settlement for group in by_line.values() for each in group} - {*ids, ""}
    former = [one for each in moved_on for one in operations(each)]
    ended = [*written, *(each for each in (await current_of(books, former)).values() if _stands(each))]
    undone = [each for one in ids for each in await intents_with(books, lookup=(UNDONE, one))]
    removed = await _removed(books, written, undone)
    return PostedBefore(
        lines=by_line,
        left_out=_missing(settlements, by_line, removed, written),
        ended=frozenset(_settlement_of(each) for each in ended if _is_cost(each)) - {""},
        accounts=await _accounts(books, written, condensed.values()),
        fees_as=_fees_as(written),
        undone=undone,
        undone_whole=undone_whole(undone),
    )


async def _paid_out_with(
    books: Books, settlements: Sequence[Settlement], by_line: dict[str, list[PostedLine]]
) -> dict[str, list[PostedLine]]:
    """*by_line*, where what was posted alone, and paid out with another settlement, is of that one."""
    given = {line.id: each.id for each in settlements if is_more_than_lines(each) for line in each.lines}
    own = {line: {"", settlement} for line, settlement in given.items()}
    portions = {
        line
        for line, group in by_line.items()
        if line in own and any(each.settlement not in own[line] for each in group)
    }
    if not portions:
        return by_line
    moved: dict[str, str] = {}
    for each in await intents_with(books, lookup=PAYS_PORTIONS):
        if _stands(each):
            moved |= dict.fromkeys(portions & portions_in([each]), _settlement_of(each))
    return by_line | {
        line: [evolve(each, settlement=settlement) for each in by_line[line]]
        for line, settlement in moved.items()
        if settlement != given[line]
    }


def posted_lines(written: Iterable[Intent]) -> dict[str, list[PostedLine]]:
    """What of *written* was posted for lines, by the line; of a line that was posted in parts, the parts as one."""
    found: dict[str, dict[LineKind, PostedLine]] = defaultdict(dict)
    for intent in written:
        each = _posted_line(intent)
        if each is None:
            continue
        before = found[each.id].get(each.kind)
        found[each.id][each.kind] = each if before is None else _as_one(before, each)
    return {line: list(kinds.values()) for line, kinds in found.items()}


def _posted_line(intent: Intent) -> PostedLine | None:
    """What of a line *intent* posted; None where it is of none."""
    facts, kind, name = intent.facts, intent.operation.kind, intent.operation.host_ref
    back = facts.get("charged_back_by")
    if "transaction" not in facts or name.startswith((FEES, PAYOUT)):
        return None
    if back is not None:
        did = LineKind.CHARGED_BACK
    elif kind == Pay.kind or (name.startswith(SURPLUS) and kind in {MoveMoney.kind, CreateSaleCredit.kind}):
        did = LineKind.COLLECTED
    elif kind in {CreateSaleCredit.kind, Refund.kind}:
        did = LineKind.REFUNDED
    else:
        return None
    paid = None if back is not None or kind not in {Pay.kind, Refund.kind} else text_at(intent.payload, "Amount")
    amount = facts.get("collected") or (None if name.startswith(SURPLUS) else paid)
    settled_on = facts.get("settled_on") or ("" if back is not None else text_at(intent.payload, "Date")[:10])
    return PostedLine(
        id=back or name.removeprefix(SURPLUS),
        kind=did,
        said=facts.get("line", ""),
        settlement=facts.get("settlement", ""),
        transaction=facts["transaction"],
        amount=Decimal(amount) if amount else None,
        currency=facts.get("currency", ""),
        settled=facts.get("settled", ""),
        on=settled_on,
        xero_ids=(intent.target or intent.xero_id or "",),
    )


def _as_one(before: PostedLine, part: PostedLine) -> PostedLine:
    """Two parts of what was posted for a line, as one."""
    return PostedLine(
        id=before.id,
        kind=before.kind,
        said=before.said or part.said,
        settlement=before.settlement or part.settlement,
        transaction=before.transaction,
        amount=part.amount if before.amount is None else before.amount,
        currency=before.currency or part.currency,
        settled=before.settled or part.settled,
        on=before.on or part.on,
        xero_ids=before.xero_ids + part.xero_ids,
    )


def _missing(
    settlements: Sequence[Settlement],
    by_line: Mapping[str, Sequence[PostedLine]],
    removed: frozenset[str],
    written: Sequence[Intent],
) -> dict[str, list[PostedLine]]:
    """What settlements that are more than lines, or of which more was posted, were posted with and have no longer."""
    given = {line.id for each in settlements for line in each.lines}
    whole = {each.id for each in settlements if is_more_than_lines(each)}
    whole |= {_settlement_of(each) for each in written if _is_cost(each)}
    found: dict[str, list[PostedLine]] = defaultdict(list)
    for line, group in by_line.items():
        for each in group:
            if line not in given and each.settlement in whole and not removed.issuperset(each.xero_ids):
                found[each.settlement].append(each)
    return found


async def _removed(books: Books, written: Sequence[Intent], undone: Sequence[Intent]) -> frozenset[str]:
    """The Xero ids of what was *written* for settlements and stands no more: *undone*, or removed by somebody."""
    paid = [each.xero_id for each in written if each.operation.kind in {Pay.kind, Refund.kind} and each.xero_id]
    gone = [key for key, (each, _) in (await stamped(books, PAYMENTS, Payment, paid)).items() if each.status in GONE]
    return frozenset([*gone, *(each.target for each in undone if each.state is State.CONFIRMED)])


async def _of_settlement(books: Books, settlement: str, condensed: Condensed | None) -> list[Intent]:
    """What was posted with a *settlement*, but for what of it was ticked off."""
    if condensed is not None and condensed.besides is not None:
        return list(condensed.besides)
    found = records(books, "intent", lookup=("settlement", settlement))
    return [
        books.made_of(each, read_intent) async for each in found if condensed is None or not condensed.is_ticked(each)
    ]


async def _accounts(books: Books, written: Sequence[Intent], condensed: Iterable[Condensed]) -> dict[str, AccountId]:
    """The clearing account that each settlement was begun in: that of most of its lines, else of what else it has."""
    lines: dict[str, Counter[str]] = defaultdict(Counter)
    others: dict[str, Counter[str]] = defaultdict(Counter)
    payments: dict[str, str] = {}
    for one in condensed:
        if one.count:
            lines[one.id][one.account] += one.count
    for each in written:
        settlement = _settlement_of(each)
        account = each.facts.get("account") or each.facts.get("through")
        account = account or text_at(each.payload, "Account", "AccountID")
        if settlement and account and each.state is not State.SUSPECT:
            (others if _is_cost(each) else lines)[settlement][account] += 1
        elif settlement and each.operation.kind in {Pay.kind, RemovePayment.kind}:
            # What was taken over, or removed, says nothing of an account itself.
            payments[each.target or each.xero_id or ""] = settlement
    for key, (payment, _) in (await stamped(books, PAYMENTS, Payment, payments)).items():
        if payment.account is not None and payment.account.account_id:
            lines[payments[key]][payment.account.account_id] += 1
    chosen = {**others, **lines}
    return {settlement: AccountId(counted.most_common(1)[0][0]) for settlement, counted in chosen.items()}


def _fees_as(written: Iterable[Intent]) -> dict[str, FeesAs]:
    """How the fees of each settlement were posted, where any were."""
    found: dict[str, FeesAs] = {}
    for each in written:
        kind, name = each.operation.kind, each.operation.host_ref
        if name.startswith(FEES) and kind in {MoveMoney.kind, CreateBill.kind}:
            found[_settlement_of(each)] = FeesAs.SPEND_MONEY if kind == MoveMoney.kind else FeesAs.BILL
    for each in written:
        if each.operation.host_ref.startswith(PAYOUT) and each.operation.kind == MoveMoney.kind and _is_netted(each):
            found.setdefault(_settlement_of(each), FeesAs.NETTED)
    return found


def _is_netted(payout: Intent) -> bool:
    """Whether fees are among the lines of *payout*; where nothing is known of its lines, they may be."""
    lines = cast(Sequence[object], payout.payload.get("LineItems") or ())
    effect, net = payout.facts.get("effect"), payout.facts.get("net")
    if effect is None or net is None:
        return len(lines) != 1
    return len(lines) > 1 or Decimal(effect) != -Decimal(net)


def _stands(intent: Intent) -> bool:
    return intent.state is not State.REJECTED and UNDONE not in intent.facts


def _is_cost(intent: Intent) -> bool:
    """Whether *intent* posted fees or a payout."""
    return intent.operation.host_ref.startswith((FEES, PAYOUT)) and (intent.operation.kind, _prefix(intent)) in COSTS


def _prefix(intent: Intent) -> str:
    return FEES if intent.operation.host_ref.startswith(FEES) else PAYOUT


def _settlement_of(intent: Intent) -> str:
    """The settlement that *intent* is of; blank where it is of none."""
    if _is_cost(intent):
        return intent.operation.host_ref.removeprefix(_prefix(intent))
    return intent.facts.get("settlement", "")
