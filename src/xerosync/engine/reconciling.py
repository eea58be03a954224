"""Explaining the clearing account: what moved on it, what of that is ours, and what is left to say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import islice

from attrs import evolve, field, frozen

from xerosync.client._books import Books
from xerosync.client.resources import AsyncReports
from xerosync.engine.accounting_for import Found, Standing, account_for, is_before, parts_told
from xerosync.engine.actions import AcceptDrift, Action, Adopt, Pending
from xerosync.engine.brought_forward import (
    KINDS,
    BroughtForward,
    Left,
    Outcome,
    Rolled,
    bring_forward,
    check_accounts,
    forward_of,
    ticked_with,
)
from xerosync.engine.chain_books import settled_on
from xerosync.engine.changes import Mark, latest
from xerosync.engine.clearing_statement import ClearingStatement, state_clearing
from xerosync.engine.discrepancies import AcceptDiscrepancy, Discrepancy, Fix, said_by
from xerosync.engine.entries import Entry, Key, entries_on, named
from xerosync.engine.exchange import currency_of
from xerosync.engine.expecting import Expected, expected_of
from xerosync.engine.given_again import OF_UNDONE, REMOVED_FIRST, SETTLE_ANEW, UNDONE
from xerosync.engine.intents import OPEN_STATES, intent_key, tag_of
from xerosync.engine.mirror import (
    PAYMENTS,
    refresh,
)
from xerosync.engine.movements import Movements
from xerosync.engine.movements_flow import movements_on
from xerosync.engine.observed import account_choice, all_links, intents_with
from xerosync.engine.payouts import operations
from xerosync.engine.plans import Plan
from xerosync.engine.putting_back import as_seen, put_back
from xerosync.engine.reconciliation import Reconciliation
from xerosync.engine.remedies import CHANGES, Means, remedied
from xerosync.engine.remembering import standing_for
from xerosync.engine.rolling import roll
from xerosync.engine.settlement_flow import Examined, examined
from xerosync.engine.settling_policies import SettlementSettings, open_books
from xerosync.engine.ticked import Ticked
from xerosync.engine.ticking_flow import Briefly
from xerosync.errors import InvalidInput
from xerosync.mapping.documents import check_day, check_written_day
from xerosync.mapping.settlement import Settlement
from xerosync.models import (
    Account,
    AccountId,
)
from xerosync.money import Money


@frozen(kw_only=True)
class Wanted:
    """
    What is to be explained: the account *of* this code or id, else the *clearing* account, through which settlements go
    in any case by what was *chosen*, from *first* to *last*.

    *settlements* are the host's. A *brief* report keeps of what stands as it should nothing but its sum by day. *since*
    a brief one, *settlements* are those that are new or changed, and *withdrawn* the ids of those that are no more.
    """

    clearing: str | None
    chosen: SettlementSettings
    settlements: Iterable[Settlement] | None
    of: str | None = None
    first: date | None = None
    last: date | None = None
    brief: bool = False
    since: Reconciliation | None = None
    withdrawn: Sequence[str] = ()

    @property
    def through(self) -> str | None:
        """The account that settlements go through."""
        return self.of if self.clearing is None else self.clearing

    @property
    def days(self) -> str:
        """The first and the last day as they are named; blank where neither is."""
        return "" if self.first is self.last is None else f"{self.first or ''}..{self.last or ''}"

    @property
    def is_of_all(self) -> bool:
        """Whether it is of all settlements, and all days."""
        return self.settlements is not None and self.first is None and self.last is None


async def reconcile(books: Books, wanted: Wanted) -> Reconciliation:
    """Explain the balance that Xero gives for the account that is *wanted*, discrepancy by discrepancy, to the cent."""
    books = books.reading_once()
    _check_days(wanted.first, wanted.last)
    _check_since(wanted)
    named_so = wanted.clearing if wanted.of is None else wanted.of
    kept = (await account_choice(books, named_so, setting="clearing_account")).account
    account = kept.account_id or AccountId("")
    organisation = await books.organisation()
    base = organisation.base_currency or "XXX"
    currency = currency_of(kept, base)
    looked = await _looked_at(books, kept, wanted, currency, base)
    settled, movements, ticked, first = looked.settled, looked.movements, looked.ticked, wanted.first
    expected, report = _expected(settled, account, currency), settled.report if settled is not None else None
    days = [*movements.days(), *ticked.all_days, *(each.on for each in expected or ())]
    days += [each for each in (first, ticked.until) if each is not None]
    last = wanted.last or _end(books, days)
    statement = await _stated(books, kept, movements, ticked, base=base, first=first, last=last)
    balance, short_code = statement.closing.balance - ticked.amount, organisation.short_code
    standing = await _standing(books, account, movements, settled, balance, short_code=short_code)
    earlier = await _paid_out_since(books, standing.entries, expected, first)
    explained = account_for(evolve(standing, first=first, last=last, expected=expected, earlier=earlier))
    settling = settled.plan if settled is not None else Plan(tenant=books.tenant)
    means = Means(
        account=account,
        settling=settling,
        open_books=open_books(organisation, wanted.chosen.when_locked),
        days=wanted.days,
    )
    discrepancies, accepted = await _sorted_out(books, remedied(explained.found, means))
    return Reconciliation(
        tenant=books.tenant,
        organisation=organisation.name or "",
        account=account,
        code=kept.code or account,
        statement=statement,
        in_flight=explained.in_flight + ticked.amount,
        payments=explained.payments + ticked.count,
        discrepancies=discrepancies,
        accepted=accepted,
        settlements=report,
        settling=settling,
        forward=_forward(looked, wanted, explained.found, evolve(standing, expected=expected)),
    )


@frozen(kw_only=True)
class _Looked:
    """
    What moved on an account, how the settlements stand, and what of both was *ticked* off; what is *left* of it in a
    brief report, and how that was *rolled* forward; *marks* say where the store's changes ended, if they are wanted.
    """

    movements: Movements
    settled: Examined | None
    ticked: Ticked
    left: Left | None = None
    rolled: Rolled | None = None
    marks: Mapping[str, Mark] = field(factory=dict[str, Mark])


async def _looked_at(books: Books, kept: Account, wanted: Wanted, currency: str, base: str) -> _Looked:
    account = kept.account_id or AccountId("")
    forward = None
    if wanted.since is not None:
        forward = forward_of(wanted.since.forward, books.tenant, account, wanted.through, wanted.chosen)
    # What is in another currency than the books is looked at payment by payment.
    if not (wanted.brief or forward is not None) or currency != base:
        settled = await _examined(books, wanted, wanted.settlements)
        await refresh(books, PAYMENTS)
        movements, _ = await movements_on(books, kept)
        return _Looked(movements=movements, settled=settled, ticked=Ticked(currency=currency))
    await refresh(books, PAYMENTS)
    rolled, marks = None, dict[str, Mark]()
    if forward is not None:
        rolled = await roll(books, forward, wanted.settlements or (), wanted.withdrawn, currency)
        marks = dict(rolled.marks)
    elif wanted.is_of_all:
        marks = {kind: await latest(books, kind) for kind in KINDS}
    briefly = Briefly(currency=currency, settlements=wanted.settlements, first=wanted.first, last=wanted.last)
    movements, left = await movements_on(books, kept, briefly, rolled)
    settled = await _examined(books, wanted, left.settlements if left is not None else None)
    if forward is not None and settled is not None:
        check_accounts(forward, settled.accounts)
    ticked = left.ticked if left is not None else Ticked(currency=currency)
    if rolled is not None:
        ticked = ticked_with(rolled, ticked)
    return _Looked(movements=movements, settled=settled, ticked=ticked, left=left, rolled=rolled, marks=marks)


def _forward(looked: _Looked, wanted: Wanted, found: Sequence[Found], standing: Standing) -> BroughtForward | None:
    """What the next report goes on from; None where that would have to look at all again."""
    left, settled = looked.left, looked.settled
    if left is None or settled is None or not looked.marks:
        return None
    outcome = Outcome(
        settlements=settled.settlements,
        reported=settled.report,
        found=found,
        expected=standing.expected or (),
        entries=standing.entries,
    )
    return bring_forward(
        looked.rolled,
        outcome,
        tenant=settled.plan.tenant,
        account=standing.account,
        clearing=wanted.through,
        chosen=wanted.chosen,
        accounts=settled.accounts,
        marks=looked.marks,
        left=left,
        movements=looked.movements,
    )


async def _standing(
    books: Books,
    account: AccountId,
    movements: Movements,
    settled: Examined | None,
    balance: Money,
    *,
    short_code: str | None,
) -> Standing:
    """What is known of the account, of which *balance* is to be explained, whatever the days."""
    entries = tuple(entries_on(account, movements, balance.currency))
    return Standing(
        account=account,
        balance=balance,
        first=None,
        last=date.max,
        entries=entries,
        expected=None,
        told=parts_told(line for each in (settled.report if settled is not None else ()) for line in each.lines),
        marks=_marks(books, settled.settlements if settled is not None else (), entries),
        invoices=settled.invoices_paid if settled is not None else {},
        open_intents=await intents_with(books, states=OPEN_STATES),
        short_code=short_code,
    )


async def _paid_out_since(
    books: Books, entries: Iterable[Entry], expected: Sequence[Expected] | None, first: date | None
) -> frozenset[str]:
    """The settlements of before *first*, none of those *expected*, that were paid out on that day or later."""
    if first is None or expected is None:
        return frozenset()
    given = {each.settlement.id for each in expected}
    later = {
        each.settlement
        for each in entries
        if (key := each.key) is not None and key[0] == "payout" and not is_before(each, first)
    }
    found: set[str] = set()
    for settlement in later - given:
        posted = await intents_with(books, lookup=("settlement", settlement))
        # What of a payout is known is the day it was paid on, and not that of its settlement.
        if any((each.facts.get("on") or settled_on(each)) < first.isoformat() for each in posted):
            found.add(settlement)
    return frozenset(found)


async def _examined(books: Books, wanted: Wanted, settlements: Iterable[Settlement] | None) -> Examined | None:
    return None if settlements is None else await examined(books, wanted.through, wanted.chosen, settlements)


def _expected(settled: Examined | None, account: AccountId, currency: str) -> tuple[Expected, ...] | None:
    """What the settlements say moved on *account*, in its *currency*; None where none were given."""
    if settled is None:
        return None
    accounts, kept = settled.accounts, settled.kept
    found = expected_of(settled.settlements, accounts, kept, settled.differences, account=account, currency=currency)
    return tuple(found)


def _end(books: Books, days: Iterable[date]) -> date:
    """The last of *days*, or today."""
    return max([books.clock.now().date(), *days])


async def _stated(
    books: Books, kept: Account, movements: Movements, ticked: Ticked, *, base: str, first: date | None, last: date
) -> ClearingStatement:
    """The statement of the account *kept* up to *last*, from the first movement on unless *first* is given."""
    account = kept.account_id or AccountId("")
    opening = Money.zero(base)
    if first is not None:
        opening = await _balance(books, account, base, first - timedelta(days=1))
    # Unless told a day, Xero gives the balance as at its own today.
    on = None if last == books.clock.now().date() else last
    return state_clearing(
        account=account,
        first=first or min([last, *movements.days(), *ticked.all_days]),
        last=last,
        opening=opening,
        closing=await _balance(books, account, base, on),
        movements=movements,
        currency=kept.currency_code,
        ticked=ticked,
    )


def _marks(books: Books, settlements: Iterable[Settlement], entries: Iterable[Entry]) -> dict[str, Key]:
    """What a document stands for that bears our mark although the store does not know it: first, or put back since."""
    wanted: list[Pending] = []
    for settlement in settlements:
        wanted += standing_for(settlement.lines)
        wanted += operations(settlement.id)
    found = {tag_of(intent_key(books.tenant, each)): named(each.host_ref) for each in wanted}
    for entry in entries:
        if entry.intent is not None and entry.actual != entry.recorded and (key := entry.key) is not None:
            each = entry.intent.operation
            found[tag_of(intent_key(books.tenant, Pending(each.kind, each.host_ref, each.revision + 1)))] = key
    return found


async def _known_again(books: Books, told: Iterable[Discrepancy]) -> list[Discrepancy]:
    """
    Those *told*; what puts something back that is in Xero already, by its mark, takes that over instead. What removes
    something, or takes it over, knows how it looked. What was removed of a settlement that was undone since is undone.
    """
    listed = list(told)
    restored = await put_back(books, [each.remedies.get(Fix.RESTORE, ()) for each in listed])
    removing = iter(await as_seen(books, [one for each in listed for one in each.remedies.get(Fix.REMOVE, ())]))
    posting = [one for each in listed for one in each.remedies.get(Fix.POST, ()) if isinstance(one, Adopt)]
    taken_over: dict[Pending, Action] = {each.itself: each for each in await as_seen(books, posting)}
    known: list[Discrepancy] = []
    for each, again in zip(listed, restored, strict=True):
        remedies, fix = dict(each.remedies), each.fix
        is_undone = again.stays == OF_UNDONE and each.code == "removed in Xero"
        if Fix.REMOVE in remedies:
            remedies[Fix.REMOVE] = tuple(islice(removing, len(remedies[Fix.REMOVE])))
        if Fix.POST in remedies:
            remedies[Fix.POST] = tuple(taken_over.get(one.itself, one) for one in remedies[Fix.POST])
        if is_undone:
            del remedies[Fix.RESTORE]
            fix = SETTLE_ANEW
        elif again.stays:
            del remedies[Fix.RESTORE]
            fix = f"{fix}; a plan cannot put it back: {again.stays}"
        elif again.actions:
            remedies[Fix.RESTORE] = again.actions
            fix = f"{fix}; Xero refused to have it put back: {' | '.join(again.refused)}" if again.refused else fix
            fix = f"{fix}; put back, it lacks {again.leaves}: give those again" if again.leaves else fix
        now = evolve(each, remedies=remedies, fix=fix, refused=again.refused)
        known.append(evolve(now, code=UNDONE, cause=REMOVED_FIRST, who="you") if is_undone else now)
    return known


async def _sorted_out(
    books: Books, told: Iterable[Discrepancy]
) -> tuple[tuple[Discrepancy, ...], tuple[Discrepancy, ...]]:
    """Those that are left, and those that a person said are as they should be, unless they have changed since."""
    links = set(map(said_by, await all_links(books, AcceptDiscrepancy.kind)))
    drifts = await all_links(books, AcceptDrift.kind)
    # What is gone cannot change any more.
    followed = {link["xero_id"] for link in drifts if link["host_id"].endswith("/existence")}
    left: list[Discrepancy] = []
    accepted: list[Discrepancy] = []
    for each in await _known_again(books, told):
        accepting = (one for one in each.remedies.get(Fix.IGNORE, ()) if isinstance(one, AcceptDiscrepancy))
        known = any(one.says in links for one in accepting)
        gone = each.code in {*CHANGES, UNDONE} and each.xero_id in followed
        (accepted if known or gone else left).append(each)
    return tuple(left), tuple(accepted)


def _check_since(wanted: Wanted) -> None:
    if wanted.since is None and wanted.withdrawn:
        raise InvalidInput("withdrawn", "give the report that is rolled forward: since=…")
    if wanted.since is not None and not (wanted.first is wanted.last is None):
        raise InvalidInput("since", "leave out first and last: it is of all days")


def _check_days(first: date | None, last: date | None) -> None:
    for name, day in (("first", first), ("last", last)):
        if day is not None:
            check_day(name, day)
            check_written_day(name, day)
    if first is not None and last is not None and last < first:
        raise InvalidInput("last", "give a day that is not before the first")


async def clearing_statement(books: Books, clearing_account: str | None, first: date, last: date) -> ClearingStatement:
    """What moved on the clearing account from *first* to *last*, proven against Xero's balance at both ends."""
    _check_days(first, last)
    choice = await account_choice(books, clearing_account, setting="clearing_account")
    account = choice.account.account_id or AccountId("")
    await refresh(books, PAYMENTS)
    movements, _ = await movements_on(books, choice.account)
    currency = (await books.organisation()).base_currency or "XXX"
    return state_clearing(
        account=account,
        first=first,
        last=last,
        opening=await _balance(books, account, currency, first - timedelta(days=1)),
        closing=await _balance(books, account, currency, last),
        movements=movements,
        currency=choice.account.currency_code,
    )


async def _balance(books: Books, account: AccountId, currency: str, on: date | None) -> Money:
    rows = await AsyncReports(books).trial_balance(on=on)
    return Money.total((Money(row.balance, currency) for row in rows if row.account_id == account), currency)
