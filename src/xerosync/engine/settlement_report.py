"""What has become of settlements, line by line: ticked, or crossed with its cause and the next step."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from attrs import define, evolve, field, frozen

from xerosync.engine.actions import Action
from xerosync.engine.addresses import deep_link
from xerosync.engine.declining import RETRIED
from xerosync.engine.entries import Entry, what_became_of
from xerosync.engine.given_again import SETTLE_ANEW, UNDONE, PostedLine
from xerosync.engine.intents import Intent
from xerosync.engine.pages import Cell, Section, by, page
from xerosync.engine.pairing import vendor_root
from xerosync.engine.paper_actions import AddNote
from xerosync.engine.payouts import FEES, PAYOUT, CostFinding
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.settlement_books import COUNTER, SURPLUS, line_of
from xerosync.engine.states import State
from xerosync.mapping.settlement import Settlement, SettlementLine, SettlementProof, is_more_than_lines
from xerosync.money import Money
from xerosync.tables import Tabular

_PREFIXES: Final = (SURPLUS, COUNTER)
_ADDRESSED: Final[Mapping[str, str]] = {
    "payment": "payment",
    "refund": "payment",
    "bank_transaction": "bank transaction",
    "sale": "sale",
    "sale_credit": "sale credit",
    "bill": "bill",
}
_NOT_YET: Final = "it is not in Xero yet"
_PUT_BACK: Final = "find out why; then put it back by a plan of reconcile(), or leave it"
_APPLY: Final = "apply the plan that settle() makes of it"


class LineMark(StrEnum):
    """How a line of a settlement stands."""

    TICKED = "✓"
    """Xero holds what it says."""
    CROSSED = "✗"
    """Something is left to do."""
    WAITING = "·"
    """Nothing is to be done yet."""


@frozen(kw_only=True, repr=False)
class ReportedLine:
    """
    One line of a settlement, its fees or its payout.

    *about* is the host's id, of the line or the settlement; *worth* what it says. A crossed one has a *code*, its
    *cause*, the *fix*, *who* can do it, and whether to *retry* may help by itself. *xero_ids* are the documents in Xero
    that stand for it, by kind of action, and *link* leads to one of them. *settled* is what a line in another currency
    made in the settlement's; *gain* what its payment gained over its invoice's own rate, or lost below zero, in the
    organisation's currency: Xero books that to its own account (F 6.116). *reason* is in plain words why it was
    declined or charged back. A ticked one that has a *cause* was an attempt beyond your retry policy: its money stands
    in Xero, and a person should know. *root* is the id of the line that a payout waits for.
    """

    what: str
    about: str
    worth: Money
    mark: LineMark = LineMark.TICKED
    code: str = ""
    cause: str = ""
    fix: str = ""
    who: str = ""
    xero_ids: Mapping[str, str] = field(factory=dict[str, str])
    link: str | None = None
    settled: Money | None = None
    gain: Money | None = None
    reason: str = ""
    retry: bool = False
    root: str = ""

    def __repr__(self) -> str:
        return f"<ReportedLine {self.what} {self.mark}>"


@frozen(kw_only=True, repr=False)
class ReportedSettlement:
    """A settlement with its *proof*, and how each of its *lines*, its fees and its payout stand."""

    id: str
    on: date
    proof: SettlementProof
    lines: tuple[ReportedLine, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing of it is crossed."""
        return all(line.mark is not LineMark.CROSSED for line in self.lines)

    def __str__(self) -> str:
        ticked = sum(line.mark is LineMark.TICKED for line in self.lines)
        rows = [f"{self.id} · {self.on} · {ticked:,} of {len(self.lines):,} ticked · net {self.proof.net}"]
        for line in self.lines:
            rows.append(f"  {line.mark} {line.what} {line.about} {_amounts(line)}")
            if line.cause:
                rows.append(f"      {line.code}: {line.cause} → {line.fix} ({line.who})")
        return "\n".join(rows)

    def __repr__(self) -> str:
        return f"<ReportedSettlement {self.id} of {len(self.lines)} lines>"


@frozen(kw_only=True, repr=False)
class SettlementReport(Tabular):
    """
    What has become of some *settlements*; it is derived from the books as they are now, and from nothing else.

    Rows, HTML and JSON hold amounts and ids: mind where they are shown.
    """

    settlements: tuple[ReportedSettlement, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing is crossed."""
        return all(each.complete for each in self.settlements)

    def __iter__(self) -> Iterator[ReportedSettlement]:
        return iter(self.settlements)

    def crossed(self) -> tuple[ReportedLine, ...]:
        """Every line that is crossed."""
        return tuple(line for each in self.settlements for line in each.lines if line.mark is LineMark.CROSSED)

    def rows(self) -> list[dict[str, str]]:
        """One row a line, for a table or a dataframe."""
        return [
            {
                "settlement": each.id,
                "on": each.on.isoformat(),
                "mark": line.mark.value,
                "what": line.what,
                "about": line.about,
                "amount": str(line.worth),
                "settled": "" if line.settled is None else str(line.settled),
                "gain": "" if line.gain is None else str(line.gain),
                "reason": line.reason,
                "code": line.code,
                "cause": line.cause,
                "fix": line.fix,
                "who": line.who,
                "xero_ids": " ".join(line.xero_ids.values()),
                "link": line.link or "",
            }
            for each in self.settlements
            for line in each.lines
        ]

    def json(self) -> str:
        """The whole report as JSON; amounts are strings."""
        return json.dumps([_as_json(each) for each in self.settlements], ensure_ascii=False)

    def html(self) -> str:
        """One self-contained page, to be kept, sent or printed."""
        crossed = len(self.crossed())
        count = sum(len(each.lines) for each in self.settlements)
        says = f"{count:,} lines in {len(self.settlements):,} settlements; {crossed:,} need something done."
        return page("Settlements, line by line", self.sections(), says=says)

    def sections(self) -> Iterator[Section]:
        """The parts of its page, one a settlement."""
        return map(_section, self.settlements)

    def __str__(self) -> str:
        return "\n".join(map(str, self.settlements))

    def __repr__(self) -> str:
        return f"<SettlementReport of {len(self.settlements)} settlements>"


def _amounts(line: ReportedLine) -> str:
    """What a line says, what it made in another currency, what that gained, and why it failed."""
    made = f" = {line.settled}" if line.settled is not None else ""
    gained = f" (gain {line.gain})" if line.gain else ""
    return f"{line.worth}{made}{gained}" + (f" ({line.reason})" if line.reason else "")


def _as_json(each: ReportedSettlement) -> dict[str, object]:
    return {
        "settlement": each.id,
        "on": each.on.isoformat(),
        "complete": each.complete,
        "proof": {row["what"]: row["amount"] for row in each.proof.rows()},
        "lines": [
            {
                "mark": line.mark.name.lower(),
                "what": line.what,
                "about": line.about,
                "amount": str(line.worth.amount),
                "currency": line.worth.currency,
                "settled": None if line.settled is None else str(line.settled),
                "gain": None if line.gain is None else str(line.gain),
                "reason": line.reason,
                "code": line.code,
                "cause": line.cause,
                "fix": line.fix,
                "who": line.who,
                "retry": line.retry,
                "xero_ids": dict(line.xero_ids),
                "link": line.link,
            }
            for line in each.lines
        ],
    }


def _section(each: ReportedSettlement) -> Section:
    proof = " · ".join(f"{row['what']} {row['amount']}" for row in each.proof.rows())
    rows = [
        [
            Cell(line.mark.value),
            Cell(f"{line.what} {line.about}", line.link),
            Cell(_amounts(line)),
            Cell(line.cause),
            Cell(f"{line.fix} ({by(line.who)})" if line.fix else ""),
        ]
        for line in each.lines
    ]
    columns = ("", "line", "amount", "what is wrong", "what to do")
    return Section(heading=f"Settlement {each.id}, {each.on}", says=proof, columns=columns, rows=rows)


def report_settlements(
    settlements: Iterable[Settlement],
    plan: Plan,
    *,
    written: Iterable[Intent],
    undone: Iterable[Intent] = (),
    edited: Iterable[Entry] = (),
    missing: Mapping[str, Sequence[PostedLine]],
    netted: Collection[str],
    gains: Mapping[str, Money],
    invoices: Mapping[str, str],
    short_code: str | None,
) -> SettlementReport:
    """
    How *settlements* stand, from the *plan* that settles what is left of them.

    What the plan would do or finds about a line is the line's cross, so the two can never disagree; then what of it
    people *edited*. *written* are the intents of what was posted for them, *missing* the lines that they were posted
    with and are given without; of those settlements whose fees are *netted*, the payout stands for them. *gains* are by
    line, *invoices* the transactions' own.
    """
    written = list(written)
    troubles = _Troubles.of(plan, undone, written, edited)
    reporting = _Reporting(troubles, _by_line(written), missing, netted, gains, invoices, short_code)
    return SettlementReport(settlements=tuple(map(reporting.settlement, settlements)))


@frozen
class _Trouble:
    """Why something is crossed; *worth* tells a settlement's fees from its payout."""

    code: str
    cause: str
    fix: str
    who: str
    worth: Money | None
    retry: bool = False
    root: str = ""


_HELD_BACK: Final = _Trouble("held back", "what it rests on did not come to be", "settle() says why", "you", None)


_UNDONE: Final = _Trouble(UNDONE, "it was taken back when its settlement was undone", SETTLE_ANEW, "you", None)


@frozen
class _Troubles:
    """What a plan has to say, by the name of what it is about; *remarks* are on what stands in Xero none the less."""

    about: Mapping[str, Sequence[_Trouble]]
    remarks: Mapping[str, _Trouble]
    held_back: _Trouble
    """Why fees or a payout are not posted that nothing is said of."""

    @classmethod
    def of(cls, plan: Plan, undone: Iterable[Intent], written: Iterable[Intent], edited: Iterable[Entry]) -> _Troubles:
        """What *plan* finds and would do, then what was *undone* of what was *written*, and what people *edited*."""
        about: dict[str, list[_Trouble]] = {}
        remarks: dict[str, _Trouble] = {}
        for finding in plan.findings:
            code, cause, fix, who, root = finding.code, finding.cause, finding.fix, finding.who, finding.root
            trouble = _Trouble(code, cause, fix, who, finding.worth, finding.retry, root)
            if finding.code == RETRIED:
                remarks[finding.about] = trouble
            else:
                about.setdefault(_subject(finding), []).append(trouble)
        for action in plan:
            if action.kind == AddNote.kind:
                continue
            for each in action.parts:
                trouble = _Trouble("not posted yet", f"{_NOT_YET}: {each.reason}", _APPLY, "you", None)
                about.setdefault(_line_of_action(each), []).append(trouble)
        lines = {each.xero_id: line_of(each) for each in written if not each.target}
        for intent in undone:
            if intent.state is State.CONFIRMED:
                about.setdefault(lines.get(intent.target, line_of(intent)), []).append(_UNDONE)
        for entry in edited:
            if entry.intent is not None:
                code = "removed in Xero" if entry.is_removed else "changed in Xero"
                trouble = _Trouble(code, what_became_of(entry), _PUT_BACK, "the bookkeeper", None)
                about.setdefault(line_of(entry.intent), []).append(trouble)
        return cls(about, remarks, _held_back(plan))

    def first(self, *names: str) -> _Trouble | None:
        """The first trouble with any of *names*."""
        return next((each for name in names for each in self.about.get(name, ())), None)


def _held_back(plan: Plan) -> _Trouble:
    """Why *plan* posts nothing with the provider's contact, the one vendor that settlements have."""
    for each in plan.findings:
        if each.root == vendor_root(each.about):
            cause = f"the provider's contact cannot be used, {each.code}: {each.cause}"
            return evolve(_HELD_BACK, cause=cause, fix=each.fix, who=each.who, retry=each.retry)
    return _HELD_BACK


def _subject(finding: Finding) -> str:
    about = finding.part + finding.about if isinstance(finding, CostFinding) else finding.about
    for prefix in _PREFIXES:
        about = about.removeprefix(prefix)
    return about


def _line_of_action(action: Action) -> str:
    """The line that an action is for; a removal is for the line that takes back, not for the one that had paid."""
    if "charged_back_by" in action.facts:
        return action.facts["charged_back_by"]
    return action.host_ref.removeprefix(SURPLUS)


def _by_line(written: Iterable[Intent]) -> dict[str, dict[str, str]]:
    """What *written* wrote, by kind, for each line, and for each settlement's fees and payout."""
    found: dict[str, dict[str, str]] = {}
    for intent in written:
        if intent.state is State.CONFIRMED and intent.xero_id:
            found.setdefault(line_of(intent), {})[intent.operation.kind] = intent.xero_id
    return found


@define
class _Reporting:
    troubles: _Troubles
    written: Mapping[str, Mapping[str, str]]
    missing: Mapping[str, Sequence[PostedLine]]
    netted: Collection[str]
    gains: Mapping[str, Money]
    invoices: Mapping[str, str]
    short_code: str | None

    def settlement(self, settlement: Settlement) -> ReportedSettlement:
        lines = [self._line(line) for line in settlement.lines]
        lines += [self._missing(each, settlement.proof.net.currency) for each in self.missing.get(settlement.id, ())]
        costs = self._costs(settlement) if is_more_than_lines(settlement) else ()
        return ReportedSettlement(id=settlement.id, on=settlement.on, proof=settlement.proof, lines=(*lines, *costs))

    def _line(self, line: SettlementLine) -> ReportedLine:
        ids = self.written.get(line.id, {})
        link = self._link(ids) or deep_link("sale", self.invoices.get(line.transaction, ""), self.short_code)
        told = ReportedLine(
            what=line.kind.value,
            about=line.id,
            worth=line.amount,
            xero_ids=ids,
            link=link,
            settled=line.settled,
            gain=self.gains.get(line.id),
            reason=line.reason.words if line.reason is not None else "",
        )
        return _crossed(told, self.troubles.first(line.id) or self.troubles.remarks.get(line.id))

    def _missing(self, posted: PostedLine, currency: str) -> ReportedLine:
        """A line that the settlement was posted with, and is given without."""
        ids = dict(self.written.get(posted.id, {}))
        worth = Money(posted.amount or Decimal(0), posted.currency or currency)
        told = ReportedLine(what=posted.said or posted.kind.value, about=posted.id, worth=worth, xero_ids=ids)
        return _crossed(evolve(told, link=self._link(ids)), self.troubles.first(posted.id))

    def _costs(self, settlement: Settlement) -> Iterator[ReportedLine]:
        """Its fees and what else changed the net, and its payout."""
        proof = settlement.proof
        cost = proof.fees + proof.reserve - proof.adjustments
        paid_out = self.written.get(PAYOUT + settlement.id, {})
        if settlement.all_fees or settlement.adjustments or settlement.reserve:
            netted = settlement.id in self.netted
            ids = paid_out if netted else self.written.get(FEES + settlement.id, {})
            names = [FEES + settlement.id, *([PAYOUT + settlement.id] if netted else [])]
            yield self._cost("fees", settlement, cost, ids, self.troubles.first(*names))
        yield self._cost("payout", settlement, proof.net, paid_out, self.troubles.first(PAYOUT + settlement.id))

    def _cost(
        self, what: str, settlement: Settlement, worth: Money, ids: Mapping[str, str], trouble: _Trouble | None
    ) -> ReportedLine:
        line = ReportedLine(what=what, about=settlement.id, worth=worth, xero_ids=ids, link=self._link(ids))
        if trouble is None and worth and not ids:
            is_with_payout = what == "payout" or settlement.id in self.netted
            if is_with_payout and settlement.paid_out_on is None:
                return evolve(line, mark=LineMark.WAITING)
            trouble = self.troubles.held_back
        return _crossed(line, trouble)

    def _link(self, ids: Mapping[str, str]) -> str | None:
        links = (deep_link(_ADDRESSED.get(kind, ""), xero_id, self.short_code) for kind, xero_id in ids.items())
        return next(filter(None, links), None)


def _crossed(line: ReportedLine, trouble: _Trouble | None) -> ReportedLine:
    if trouble is None:
        return line
    mark = LineMark.TICKED if trouble.code == RETRIED else LineMark.CROSSED
    code, cause, fix, who = trouble.code, trouble.cause, trouble.fix, trouble.who
    return evolve(line, mark=mark, code=code, cause=cause, fix=fix, who=who, retry=trouble.retry, root=trouble.root)
