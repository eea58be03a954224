"""Why a clearing account holds what it holds: what should be there, and every discrepancy. A pure decision."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Final

from attrs import define, evolve, field, frozen

from xerosync.engine.addresses import deep_link
from xerosync.engine.clearing import DOUBLE, DOUBLE_CAUSE, DOUBLE_FIX, still_open
from xerosync.engine.discrepancies import Discrepancy
from xerosync.engine.entries import LINE, Entry, Key, named, what_became_of
from xerosync.engine.expecting import Expected
from xerosync.engine.given_again import UNDONE
from xerosync.engine.intents import Intent
from xerosync.engine.settlement_report import LineMark, ReportedLine
from xerosync.engine.states import OPEN
from xerosync.models import AccountId
from xerosync.money import Money, exactly

_BOOKKEEPER: Final = "the bookkeeper"
_LINKED: Final[Mapping[str, str]] = {"payment": "payment", "bank transaction": "bank transaction", "sale": "sale"}
_FORGOTTEN: Final = "payment the store does not know"
_FORGOTTEN_CAUSE: Final = "it carries our mark, but the store has no record of it"
_FORGOTTEN_FIX: Final = "settle its line again: it is taken over"
_NOT_YET: Final = "not posted yet"
_NOT_YET_CAUSE: Final = "its settlement is not posted whole"
_NOT_YET_FIX: Final = "post what is missing, by this report's plan or by that of settle()"
_ORPHAN_CAUSE: Final = "it was posted here, and its settlement is not among those given, or is given without it"
_ORPHAN_FIX: Final = (
    "give the settlement; if you give those from some day on alone, name that day: first=…; "
    "take back what was posted only if it never was"
)
_TO_COME_CAUSE: Final = "it was posted here, for a settlement of a day after the last one of this report"
_TO_COME_FIX: Final = (
    "give that settlement too, or name a later last=…: a payment that it took out is missing from earlier balances, too"
)
_KEPT_CAUSE: Final = (
    "settlements were paid out less reserves, fees or adjustments that are on this very account, and so stayed there"
)
_KEPT_FIX: Final = "leave what is held back; what is not, give another account from now on, and move it there by hand"
_BY_HAND: Final = "perhaps typed by hand"
_BY_HAND_CAUSE: Final = "somebody entered it in Xero by hand, and nothing was posted for it"
_BY_HAND_FIX: Final = "take what was typed for it, or remove that and settle again"
_TYPED: Final[Mapping[str, str]] = {
    "payment": "move it to another account, or pay it out by hand",
    "bank transaction": "move it to another account, or leave it if it belongs there",
    "transfer": "if it is a payout, settle without paid_out_on, or delete it in Xero and settle again",
}


@frozen(kw_only=True)
class Standing:
    """
    What is known of a clearing account on its *last* day: Xero's *balance* of it, and the *entries* of all days.

    *expected* is what the host's settlements say, None where none were given; *told* how each of their parts stands,
    *marks* their parts by the mark that their documents bear, *invoices* what their lines pay. *first* is the day
    before which settlements that were not given are of no interest, *earlier* those of them that were paid out since.
    *open_intents* are the writes that an interrupted
    run left open.
    """

    account: AccountId
    balance: Money
    first: date | None
    last: date
    entries: Sequence[Entry]
    expected: Sequence[Expected] | None
    told: Mapping[Key, ReportedLine]
    marks: Mapping[str, Key]
    invoices: Mapping[Key, str]
    open_intents: Sequence[Intent]
    short_code: str | None
    earlier: AbstractSet[str] = frozenset()


@frozen(kw_only=True)
class Found:
    """A *discrepancy*, the *entries* on the account that it is about, and what was *expected* in their place."""

    discrepancy: Discrepancy
    entries: tuple[Entry, ...] = ()
    expected: Expected | None = None


@frozen(kw_only=True)
class Explained:
    """What should be *in_flight* on the account, in how many *payments*, and the discrepancies *found*."""

    in_flight: Money
    payments: int
    found: tuple[Found, ...]


@exactly
def account_for(standing: Standing) -> Explained:
    """
    Split the balance into what should be in flight and the discrepancies, to the cent.

    With settlements, what should be in flight is what they say was collected and not paid out; without, what the
    library's record says. Every entry is in exactly one part, and what nothing explains is the last discrepancy.
    """
    work = _Explaining(standing)
    for entry in standing.entries:
        work.sort(entry)
    found = [*work.settled(), *work.changed(), *work.unknown(), *work.kept(), *work.typed(), *work.open()]
    listed = Money.total((each.discrepancy.amount for each in found), standing.balance.currency)
    rest = standing.balance - work.in_flight - listed
    if rest:
        found.append(Found(discrepancy=_other_movements(rest)))
    return Explained(in_flight=work.in_flight, payments=work.payments, found=tuple(found))


@define
class _Explaining:
    standing: Standing
    in_flight: Money = field(init=False)
    payments: int = 0
    _expected: dict[Key, Expected] = field(factory=dict[Key, Expected])
    _parts: dict[Key, list[Entry]] = field(factory=lambda: defaultdict[Key, "list[Entry]"](list))
    _others: list[Entry] = field(factory=list[Entry])
    _orphans: dict[Key, list[Entry]] = field(factory=lambda: defaultdict[Key, "list[Entry]"](list))
    _typed: list[Entry] = field(factory=list[Entry])
    _by_tag: dict[str, Intent] = field(factory=dict[str, Intent])
    _marked: frozenset[str] = frozenset()

    def __attrs_post_init__(self) -> None:
        self.in_flight = Money.zero(self.standing.balance.currency)
        self._expected = {each.key: each for each in self.standing.expected or ()}
        self._by_tag = {each.tag: each for each in self.standing.open_intents}
        ours = (each for each in self.standing.entries if each.intent is not None and each.actual)
        self._marked = frozenset(tag for each in ours if (tag := each.tag) is not None)

    def sort(self, entry: Entry) -> None:
        """Put *entry* to what it stands for."""
        key = entry.key
        if self._is_double(entry):
            self._typed.append(entry)
            return
        if entry.intent is None:
            tag = entry.tag or ""
            key = self.standing.marks.get(tag)
            if key is None and tag in self._by_tag:
                key = named(self._by_tag[tag].operation.host_ref)
        elif entry.what == "payment" and entry.actual and entry.document is not None:
            self.payments += self._has_come(entry.actual_on)
        if key is not None and key in self._expected:
            self._parts[key].append(entry)
        elif entry.intent is None:
            self._typed.append(entry)
        elif key is None or self.standing.expected is None or self._is_earlier(entry):
            self._others.append(entry)
        else:
            self._orphans[key].append(entry)

    def settled(self) -> Iterator[Found]:
        """What of the settlements is not in the account as they say."""
        for key, expected in self._expected.items():
            entries, told = self._parts[key], self.standing.told.get(key)
            crossed = told is not None and told.mark is LineMark.CROSSED
            if crossed and not entries and (typed := self._typed_for(expected)) is not None:
                self._typed.remove(typed)
                entries.append(typed)
            day = min((each.recorded_on for each in entries if each.recorded_on is not None), default=expected.on)
            due = expected.amount if self._has_come(day) else self._zero
            self.in_flight += due
            amount = self._actual(entries) - due
            if amount or (crossed and self._has_come(expected.on)):
                part = self._of_part(expected, entries, told if crossed else None, amount)
                yield Found(discrepancy=part, entries=tuple(entries), expected=expected)

    def _typed_for(self, expected: Expected) -> Entry | None:
        """What somebody entered that may be what was *expected*, where there is just one such entry."""
        what, _ = expected.key
        invoice = self.standing.invoices.get(expected.key, "")
        alike = [
            each
            for each in self._typed
            if expected.amount
            and each.actual == expected.amount
            and each.tag is None
            and (each.what == "payment") == (what == LINE)
            and (what != LINE or (invoice and each.invoice == invoice))
        ]
        return alike[0] if len(alike) == 1 else None

    def changed(self) -> Iterator[Found]:
        """What of the library's other writes is not as it was written."""
        for entry in self._others:
            recorded = entry.recorded if self._has_come(entry.recorded_on) else self._zero
            self.in_flight += recorded
            amount = self._actual([entry]) - recorded
            if amount:
                yield Found(discrepancy=self._of_change(entry, amount), entries=(entry,))

    def unknown(self) -> Iterator[Found]:
        """What the library posted, and no settlement of the host's has."""
        for (what, about), entries in self._orphans.items():
            amount = self._actual(entries) + self._kept(entries)
            if amount:
                first = entries[0]
                is_to_come = any(settled_on(each) > self.standing.last for each in entries)
                found = Discrepancy(
                    code="not in your settlements",
                    about=about,
                    cause=_TO_COME_CAUSE if is_to_come else _ORPHAN_CAUSE,
                    fix=_TO_COME_FIX if is_to_come else _ORPHAN_FIX,
                    worth=abs(amount),
                    amount=amount,
                    xero_id=first.xero_id,
                    part=(what, about),
                    settlement=first.settlement,
                    link=self._link(first),
                )
                yield Found(discrepancy=found, entries=tuple(entries))

    def kept(self) -> Iterator[Found]:
        """What payouts left on the account itself, by their settlements; what comes out of it again is less by that."""
        lost = {each.xero_id for entries in self._orphans.values() for each in entries}
        keeping = [each for each in self.standing.entries if each.kept and each.xero_id not in lost]
        amount = self._kept(keeping)
        if amount:
            names = {each.settlement for each in keeping if self._has_come(each.actual_on)}
            told = Discrepancy(
                code="kept on the account",
                about="",
                cause=_KEPT_CAUSE,
                fix=_KEPT_FIX,
                worth=abs(amount),
                amount=amount,
                settlement=names.pop() if len(names) == 1 else "",
            )
            yield Found(discrepancy=told)

    def typed(self) -> Iterator[Found]:
        """What somebody entered on the account."""
        twins = _Twins.of(self.standing.entries)
        for entry in self._typed:
            if not self._has_come(entry.actual_on):
                continue
            told = _typed(entry, self._link(entry), twice=entry in twins, double=self._is_double(entry))
            yield Found(discrepancy=told, entries=(entry,))

    def open(self) -> Iterator[Found]:
        """The writes that an interrupted run left open, where no part of a settlement says so already."""
        for intent in self.standing.open_intents:
            if intent.state in OPEN and named(intent.operation.host_ref) not in self._expected:
                finding = still_open(intent)
                told = Discrepancy(
                    code=finding.code,
                    about=finding.about,
                    cause=finding.cause,
                    fix=finding.fix,
                    retry=finding.retry,
                    amount=self._zero,
                    settlement=intent.facts.get("settlement", ""),
                )
                yield Found(discrepancy=told)

    @property
    def _zero(self) -> Money:
        return Money.zero(self.standing.balance.currency)

    def _is_double(self, entry: Entry) -> bool:
        """Whether *entry* is a second one of what was written once, and stands."""
        return entry.intent is None and entry.tag in self._marked

    def _has_come(self, day: date | None) -> bool:
        return day is None or day <= self.standing.last

    def _is_earlier(self, entry: Entry) -> bool:
        first = self.standing.first
        return first is not None and (is_before(entry, first) or entry.settlement in self.standing.earlier)

    def _actual(self, entries: Iterable[Entry]) -> Money:
        amounts = (each.actual for each in entries if self._has_come(each.actual_on))
        return Money.total(amounts, self.standing.balance.currency)

    def _kept(self, entries: Iterable[Entry]) -> Money:
        kept = (each.kept for each in entries if each.kept is not None and self._has_come(each.actual_on))
        return Money.total(kept, self.standing.balance.currency)

    def _link(self, entry: Entry) -> str | None:
        return deep_link(_LINKED.get(entry.what, ""), entry.xero_id, self.standing.short_code)

    def _of_part(
        self, expected: Expected, entries: Sequence[Entry], told: ReportedLine | None, amount: Money
    ) -> Discrepancy:
        what, about = expected.key
        stake = amount or expected.amount  # in the account's currency; what cannot be posted there has its own
        changed = next((each for each in entries if each.actual != each.recorded), None)
        moved = next((each for each in entries if each.is_changed), None)
        shown = changed or moved or next(iter(entries), None)
        link = self._link(shown) if shown is not None else None
        finding = Discrepancy(
            code="changed in Xero",
            about=about,
            cause=f"its {what} is in Xero, and not as the settlement says",
            fix=_CHANGED_FIX,
            worth=abs(stake) if stake or told is None else told.worth,
            amount=amount,
            xero_id=shown.xero_id if shown is not None else "",
            part=expected.key,
            settlement=expected.settlement.id,
            link=link or (told.link if told is not None else None),
        )
        typed = any(each.intent is None and each.tag is None for each in entries)
        if typed:
            return evolve(finding, code=_BY_HAND, cause=_BY_HAND_CAUSE, fix=_BY_HAND_FIX)
        forgotten = any(each.intent is None for each in entries)
        if told is not None and forgotten and told.code == _NOT_YET:
            cause = "it carries our mark, but the store has no record of it"
            return evolve(
                finding,
                code="payment the store does not know",
                cause=cause,
                fix="settle its line again: it is taken over",
            )
        if told is not None and told.code == _NOT_YET:
            return evolve(finding, code=_NOT_YET, cause=_NOT_YET_CAUSE, fix=_NOT_YET_FIX)
        if told is not None:
            fix = _CHANGED_FIX if changed is not None and told.code not in {UNDONE, _BY_HAND} else told.fix
            said = evolve(finding, code=told.code, cause=told.cause, fix=fix, who=told.who)
            return evolve(said, retry=told.retry, root=told.root)
        return finding if moved is None else _changed(finding, changed or moved)

    def _of_change(self, entry: Entry, amount: Money) -> Discrepancy:
        name = entry.intent.operation.host_ref if entry.intent is not None else ""
        key = entry.key
        finding = Discrepancy(
            code="changed in Xero",
            about=key[1] if key is not None else name,
            cause="",
            fix=_CHANGED_FIX,
            worth=abs(amount),
            amount=amount,
            xero_id=entry.xero_id,
            # As a report that has its settlement names it, so that what is accepted in the one is in the other.
            part=key,
            settlement=entry.settlement,
            link=self._link(entry),
        )
        return _changed(finding, entry)


_CHANGED_FIX: Final = "find out why; then put it back, or leave it"


def _changed(finding: Discrepancy, entry: Entry) -> Discrepancy:
    """*finding* with what became of *entry*: nobody can edit a payment, but what it made may be Xero's own sum."""
    if entry.what == "payment" and entry.actual and entry.actual != entry.recorded:
        cause = "Xero worked out from its rate what it made on this account, and it is not what was settled (F 6.115)"
        fix = "enter the difference by hand, on your account for exchange differences"
        return evolve(finding, code="at another rate", cause=cause, fix=fix, who=_BOOKKEEPER)
    code = "removed in Xero" if entry.is_removed else finding.code
    return evolve(finding, code=code, cause=what_became_of(entry), who=_BOOKKEEPER)


@frozen
class _Twins:
    """What was posted and stands: payments by invoice, all else by kind, with day and amount."""

    posted: frozenset[tuple[str, date | None, Money]]

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> _Twins:
        posted = (each for each in entries if each.intent is not None and each.document is not None and each.actual)
        return cls(frozenset(map(_alike, posted)))

    def __contains__(self, entry: Entry) -> bool:
        return _alike(entry) in self.posted


def _alike(entry: Entry) -> tuple[str, date | None, Money]:
    # What was posted as a transfer may have been typed as money spent, and the other way round.
    return (entry.invoice if entry.what == "payment" else ""), entry.actual_on, entry.actual


def _typed(entry: Entry, link: str | None, *, twice: bool, double: bool) -> Discrepancy:
    code, cause, fix = f"{entry.what} not posted here", "somebody entered it in Xero", _TYPED.get(entry.what, "")
    if double:
        code, cause, fix = DOUBLE, DOUBLE_CAUSE, DOUBLE_FIX
    elif twice:
        code = "perhaps entered twice"
        cause = "somebody entered in Xero what was posted here too: the same amount on the same day"
        fix = "if it is the same money, delete the one that was typed; if not, leave it"
    elif entry.tag is not None:
        code, cause, fix = _FORGOTTEN, _FORGOTTEN_CAUSE, _FORGOTTEN_FIX
    return Discrepancy(
        code=code,
        about=entry.xero_id,
        cause=cause,
        fix=fix,
        who="you" if code in {_FORGOTTEN, DOUBLE} else _BOOKKEEPER,
        worth=abs(entry.actual),
        amount=entry.actual,
        xero_id=entry.xero_id,
        link=link,
    )


def _other_movements(rest: Money) -> Discrepancy:
    return Discrepancy(
        code="other movements",
        about="",
        cause="money moved on this account in another way: journals, or lines of other documents",
        fix="look at the account's transactions in Xero",
        who=_BOOKKEEPER,
        worth=abs(rest),
        amount=rest,
    )


def is_before(entry: Entry, first: date) -> bool:
    """Whether *entry* is of before *first*: by its own day, or where it was dated ahead by its settlement's."""
    own = entry.recorded_on is not None and entry.recorded_on < first
    return own or settled_on(entry, unknown=first) < first


def settled_on(entry: Entry, *, unknown: date = date.min) -> date:
    """The day of the settlement that *entry* was posted for, of a payout its own; *unknown* where that is not known."""
    if entry.intent is None:
        return unknown
    said = entry.intent.facts.get("settled_on") or entry.intent.facts.get("on")
    return unknown if said is None else date.fromisoformat(said)


def parts_told(lines: Iterable[ReportedLine]) -> dict[Key, ReportedLine]:
    """How each part of the settlements stands, by what it stands for."""
    return {(each.what if each.what in {"fees", "payout"} else LINE, each.about): each for each in lines}
