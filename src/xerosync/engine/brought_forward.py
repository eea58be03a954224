"""What of a clearing account was proven is brought forward: sums, what is still open, and where changes began."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from attrs import evolve, frozen

from xerosync.engine.accounting_for import Found
from xerosync.engine.actions import MoveMoney, Transfer
from xerosync.engine.changes import Mark
from xerosync.engine.entries import Entry, named
from xerosync.engine.expecting import Expected
from xerosync.engine.intents import Intent, tag_of
from xerosync.engine.mirror import BANK_TRANSACTIONS, BANK_TRANSFERS, PAYMENTS
from xerosync.engine.movements import Movements
from xerosync.engine.settlement_books import SettlementAccounts
from xerosync.engine.settlement_report import LineMark, ReportedSettlement
from xerosync.engine.settling_policies import SettlementSettings
from xerosync.engine.ticked import CostSums, Noted, Ticked, number_of
from xerosync.engine.ticking import Condensed, Reader
from xerosync.errors import InvalidInput
from xerosync.mapping.settlement import Settlement
from xerosync.models import AccountId, BankTransfer, Payment, TenantId
from xerosync.money import exactly
from xerosync.storage.protocol import Record

KINDS: Final = ("intent", PAYMENTS.kind, BANK_TRANSACTIONS.kind, BANK_TRANSFERS.kind)
"""The kinds of records that an account is explained with, and whose changes are followed."""
_NOTHING: Final = (0, Decimal(0))
_NOTHING_TO_GO_ON_FROM: Final = (
    "give a brief report of all days, made from all your settlements in this process, each with an id, and of an "
    "account in the organisation's own currency"
)
_OTHERWISE: Final = (
    "the settings or accounts that settlements go by are others than it was made with: "
    "take a report of all settlements anew"
)
COSTS: Final = frozenset({MoveMoney.kind, Transfer.kind})
"""What the fees and the payout of a settlement are posted as that can be ticked off whole."""


@frozen(kw_only=True)
class Closed:
    """
    A *settlement* of which all stands as it says: its lines are ticked off, and so are its fees and its payout, by the
    keys of their *intents* and the ids of their *documents*; *moved* is what these came to on their days, *until* the
    last day that it gives any of them.
    """

    settlement: Condensed
    intents: tuple[str, ...]
    documents: tuple[str, ...]
    moved: tuple[tuple[date, str, Decimal], ...]
    until: date

    @property
    def tags(self) -> tuple[str, ...]:
        """The marks on its documents."""
        return tuple(map(tag_of, self.intents))


@frozen(kw_only=True, repr=False)
class BroughtForward:
    """
    What a brief report hands on to the next one of the same *account*, so that only changes are looked at.

    *marks* say where the store's changes ended, by kind; *noted* is what may have been ticked off, in the sums of
    *days*. What was not is looked at again: *intents* of payments and what else *moved* the account by their keys,
    *payments* and other *documents* by their ids, and the settlements that are *still_open*; *closed* are those of
    which nothing is left to look at, *elsewhere* those some of which was posted to another account.
    """

    tenant: TenantId
    account: AccountId
    clearing: str | None
    chosen: SettlementSettings
    accounts: SettlementAccounts
    marks: Mapping[str, Mark]
    noted: Noted
    days: Mapping[date, tuple[int, Decimal]]
    elsewhere: frozenset[int]
    intents: frozenset[str]
    payments: frozenset[str]
    moved: frozenset[str]
    documents: Mapping[str, frozenset[str]]
    still_open: tuple[Settlement, ...]
    closed: Mapping[str, Closed]
    costs: CostSums
    """What the closed settlements moved besides their lines."""

    def __reduce__(self) -> tuple[Callable[[], None], tuple[()]]:
        # Its numbers mean nothing in another process: what is pickled, or copied, is left without.
        return _none, ()

    def __repr__(self) -> str:
        return f"<BroughtForward with {len(self.still_open)} settlements open>"


@frozen(kw_only=True)
class Left:
    """
    What is left to look at when all the rest of an account is *ticked* off.

    The *payments* on it by id, the intents of payments that were *written* by Xero's id, and the *settlements* without
    the lines that are ticked off; None where none were given. *intents* are the keys of those of payments that were not
    ticked off; *noted* is what was, with what was not, and *elsewhere* what was posted to another account.
    """

    payments: dict[str, Payment]
    written: dict[str, Intent]
    settlements: Sequence[Settlement] | None
    ticked: Ticked
    intents: frozenset[str]
    noted: Noted
    elsewhere: frozenset[int]
    moved: frozenset[str] = frozenset()
    """The keys of the intents of what else moved the account."""


def _none() -> None:
    return None


@frozen(kw_only=True, repr=False)
class Rolled:
    """
    What is to be looked at of an account that is rolled forward, and what is not: the settlements that stay *closed*,
    and the payments still ticked off, in the sums of *days*.

    *pays* are the intents of payments, in whose lines, *names*, nothing is ticked off yet, and *payments* those on the
    account; *moved* what else moved it, *documents* what of that is on it, by kind. *read* has read them.
    """

    forward: BroughtForward
    marks: Mapping[str, Mark]
    days: dict[date, tuple[int, Decimal]]
    closed: Mapping[str, Closed]
    costs: CostSums
    names: frozenset[str]
    pays: Sequence[Record]
    payments: Sequence[Record]
    settlements: Sequence[Settlement]
    moved: Sequence[Intent]
    documents: Mapping[str, Sequence[Record]]
    read: Reader

    def __repr__(self) -> str:
        return f"<Rolled with {len(self.pays)} payments>"


@exactly
def costs_with(costs: CostSums, *, more: Iterable[Closed] = (), fewer: Iterable[Closed] = ()) -> CostSums:
    """*costs* with what *more* closed settlements moved besides their lines, and without what *fewer* did."""
    found = dict(costs)
    for settlements, sign in ((more, 1), (fewer, -1)):
        for day, what, amount in (moved for each in settlements for moved in each.moved):
            count, total = found.get((day, what), _NOTHING)
            found[day, what] = count + sign, total + sign * amount
    return {moved: each for moved, each in found.items() if each[0]}


def ticked_with(rolled: Rolled, ticked: Ticked) -> Ticked:
    """What was *ticked* off, with what the settlements that stay closed moved besides their lines."""
    until = max((each.until for each in rolled.closed.values()), default=None)
    return evolve(ticked, costs=rolled.costs, until=until)


@frozen(kw_only=True)
class Outcome:
    """How the *settlements* that were looked at came out: what was *reported*, *found*, *expected*, and stands."""

    settlements: Sequence[Settlement]
    reported: Iterable[ReportedSettlement]
    found: Sequence[Found]
    expected: Sequence[Expected]
    entries: Sequence[Entry]

    @property
    def typed_on(self) -> set[date | None]:
        """The days on which somebody entered what may be a twin of something that was posted."""
        return {each.actual_on for each in self.entries if each.intent is None and each.what != "payment"}


def closable(outcome: Outcome) -> Iterator[Closed]:
    """Those of the settlements of which nothing is left to look at, unless it changes."""
    disputed, typed_on = _disputed(outcome.found), outcome.typed_on
    entries: dict[str, list[Entry]] = defaultdict(list)
    for entry in outcome.entries:
        if entry.settlement or (entry.key is not None and entry.key[0] != "line"):
            entries[entry.settlement or (entry.key or ("", ""))[1]].append(entry)
    until: dict[str, date] = {}
    for each in outcome.expected:
        until[each.settlement.id] = max(each.on, until.get(each.settlement.id, each.on))
    reported: dict[str, list[ReportedSettlement]] = defaultdict(list)
    for one in outcome.reported:
        reported[one.id].append(one)
    for settlement in outcome.settlements:
        told, stands = reported[settlement.id], entries[settlement.id]
        if not isinstance(settlement, Condensed) or settlement.lines or len(told) != 1:
            continue
        if settlement.id in disputed or not all(map(_is_ticked, told)):
            continue
        if all(_is_as_posted(entry, settlement.id, typed_on) for entry in stands):
            yield _closed(settlement, stands, until.get(settlement.id, settlement.on))


def _disputed(found: Iterable[Found]) -> set[str]:
    """The settlements that something was *found* about."""
    disputed = {each.expected.settlement.id for each in found if each.expected is not None}
    disputed |= {entry.settlement for each in found for entry in each.entries}
    return disputed | {each.discrepancy.about for each in found}


def _is_ticked(reported: ReportedSettlement) -> bool:
    return all(line.mark is LineMark.TICKED and not line.cause for line in reported.lines)


def _is_as_posted(entry: Entry, settlement: str, typed_on: Collection[date | None]) -> bool:
    """Whether *entry* is a cost of *settlement* alone, and stands just as it was posted."""
    intent, document = entry.intent, entry.document
    if intent is None or document is None or intent.operation.kind not in COSTS:
        return False
    is_own = entry.settlement in {settlement, ""} and entry.key in {("fees", settlement), ("payout", settlement)}
    is_first = intent.operation.revision == 1 and named(intent.operation.host_ref) == entry.key
    stands = not entry.is_changed and entry.kept is None  # what it kept on the account is told of all together
    return is_own and stands and is_first and entry.actual_on not in typed_on


def _closed(settlement: Condensed, entries: Sequence[Entry], until: date) -> Closed:
    transfers = (entry.document for entry in entries if isinstance(entry.document, BankTransfer))
    halves = (each.to_bank_transaction_id for each in transfers)
    documents = [*(entry.xero_id for entry in entries), *(each for each in halves if each)]
    return Closed(
        settlement=settlement.laid_by(),
        intents=tuple(entry.intent.key for entry in entries if entry.intent is not None),
        documents=tuple(documents),
        moved=tuple(
            (entry.recorded_on, entry.what, entry.recorded.amount) for entry in entries if entry.recorded_on is not None
        ),
        until=until,
    )


def bring_forward(
    rolled: Rolled | None,
    outcome: Outcome,
    *,
    tenant: TenantId,
    account: AccountId,
    clearing: str | None,
    chosen: SettlementSettings,
    accounts: SettlementAccounts,
    marks: Mapping[str, Mark],
    left: Left,
    movements: Movements,
) -> BroughtForward | None:
    """What a report of *account* hands on; None where settlements have no ids, by which they could be given again."""
    if any(not each.id.strip() for each in outcome.settlements) or number_of("") in left.noted.settlements:
        return None
    newly = {each.settlement.id: each for each in closable(outcome)}
    closed = {**(rolled.closed if rolled is not None else {}), **newly}
    closed_documents = {document for each in newly.values() for document in each.documents}
    closed_intents = {key for each in newly.values() for key in each.intents}
    documents = {
        # What came of a transfer is looked up on its half, what it took is its own amount.
        BANK_TRANSACTIONS.kind: [
            each.bank_transaction_id or "" for each in movements.transactions if each.type != "SPEND-TRANSFER"
        ],
        BANK_TRANSFERS.kind: [each.bank_transfer_id or "" for each in movements.transfers],
    }
    return BroughtForward(
        tenant=tenant,
        account=account,
        clearing=clearing,
        chosen=chosen,
        accounts=accounts,
        marks=marks,
        noted=left.noted if rolled is None else rolled.forward.noted.adding(left.noted),
        days=left.ticked.days,
        elsewhere=left.elsewhere,
        intents=left.intents,
        payments=frozenset(left.payments),
        moved=left.moved - closed_intents,
        documents={kind: frozenset(ids) - closed_documents for kind, ids in documents.items()},
        still_open=tuple(
            each.laid_by() if isinstance(each, Condensed) else each
            for each in outcome.settlements
            if each.id not in newly
        ),
        closed=closed,
        costs=costs_with(rolled.costs if rolled is not None else {}, more=newly.values()),
    )


def forward_of(
    forward: BroughtForward | None,
    tenant: TenantId,
    account: AccountId,
    clearing: str | None,
    chosen: SettlementSettings,
) -> BroughtForward:
    """*forward*, which is of this *account* and as was *chosen*. Raises `InvalidInput` where it is not."""
    if forward is None:
        raise InvalidInput("since", _NOTHING_TO_GO_ON_FROM)
    if (forward.tenant, forward.account, forward.clearing) != (tenant, account, clearing):
        raise InvalidInput("since", "give a report of the same account in the same organisation")
    if forward.chosen != chosen:
        raise InvalidInput("since", _OTHERWISE)
    return forward


def check_accounts(forward: BroughtForward, accounts: SettlementAccounts) -> None:
    """Raise `InvalidInput` where other *accounts* are used now, or they have changed."""
    if forward.accounts != accounts:
        raise InvalidInput("since", _OTHERWISE)
