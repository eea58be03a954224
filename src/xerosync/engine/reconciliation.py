"""The reconciliation report: a clearing account explained to the cent, with what to do about the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias, cast

from attrs import evolve, field, frozen

from xerosync.arguments import listed
from xerosync.engine.actions import WAS_ON, Action, Adopt, Pay, PayBatch, Pending, RemovePayment
from xerosync.engine.batches import without
from xerosync.engine.brought_forward import BroughtForward
from xerosync.engine.causes import RootCause, by_root, root_causes, with_causes
from xerosync.engine.clearing import InBase, balance_rows
from xerosync.engine.clearing_statement import ClearingStatement
from xerosync.engine.discrepancies import Discrepancy, Fix, meant
from xerosync.engine.entries import LINE
from xerosync.engine.pages import Cell, Section, by, page
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.restoring import RESTORED
from xerosync.engine.settlement_report import SettlementReport
from xerosync.errors import InvalidInput
from xerosync.models import AccountId, TenantId
from xerosync.money import Money
from xerosync.tables import Listing, Tabular

Choice: TypeAlias = Fix | Mapping[str, Fix] | Callable[[Discrepancy], Fix | None]
"""How discrepancies are to be fixed: all alike, by their code, or one by one."""


@frozen(kw_only=True, repr=False)
class Reconciliation(Tabular):
    """
    A clearing account explained: *balance* (Xero's own, debit positive) = *in_flight* + *exceptions*, and how it came
    from the *opening* balance.

    An account in another currency than the organisation's is explained in its own: its balance is the sum of all that
    moved there, since Xero reports none, and *in_base* sets what that was worth against Xero's.

    *in_flight* is what should be there: collected, posted, and not yet paid out, by the host's settlements where it
    gave them, else by the library's record, in so many *payments*. The *statement* has every movement, *settlements*
    every line ticked or crossed. What a person said is as it should be is *accepted*, and still in the sum. *forward*
    is what a brief one of all settlements hands on to ``reconcile(since=…)``, in this process alone.
    """

    tenant: TenantId
    organisation: str
    account: AccountId
    code: str
    statement: ClearingStatement
    in_flight: Money
    payments: int
    discrepancies: Listing[Discrepancy] = field(factory=Listing[Discrepancy], converter=Listing[Discrepancy])
    accepted: Listing[Discrepancy] = field(factory=Listing[Discrepancy], converter=Listing[Discrepancy])
    settlements: SettlementReport | None = None
    settling: Plan = field(repr=False)
    forward: BroughtForward | None = field(default=None, repr=False, eq=False)

    @property
    def balance(self) -> Money:
        """The balance that Xero gives for the last day."""
        return self.statement.closing.balance

    @property
    def opening(self) -> Money:
        """The balance before the first day."""
        return self.statement.opening.balance

    @property
    def in_base(self) -> InBase | None:
        """An account in another currency, in the organisation's own; None for one that is kept in that."""
        return self.statement.closing.in_base

    @property
    def exceptions(self) -> Listing[Discrepancy]:
        """The discrepancies that explain a part of the balance."""
        return Listing(each for each in self.discrepancies if each.amount)

    @property
    def findings(self) -> Listing[Discrepancy]:
        """The discrepancies that move no money on this account, but need a person."""
        return Listing(each for each in self.discrepancies if not each.amount)

    @property
    def causes(self) -> Listing[RootCause]:
        """The discrepancies by what is behind them: each cause once, with all that waits for it."""
        return root_causes(self.discrepancies)

    @property
    def explained(self) -> bool:
        """Whether both sums hold; they always do, since what nothing explains is listed as such."""
        parts = (each.amount for each in (*self.discrepancies, *self.accepted))
        return self.statement.proven and self.balance == self.in_flight + Money.total(parts, self.balance.currency)

    @property
    def clean(self) -> bool:
        """Whether nothing is left to do: all of the balance is in flight, or accepted."""
        return not self.discrepancies

    def plan(
        self, fix: Choice, *, only: Callable[[Discrepancy], bool] | None = None, retry_refused: bool = False
    ) -> Plan:
        """
        The plan that puts the discrepancies right by *fix*, applied like any other; what it cannot fix is its findings.

        *fix* is one for all, a mapping from codes, or a function. *only* chooses among the discrepancies. What Xero
        refused to have put back before is among the findings, too, unless *retry_refused*. Raises `InvalidInput` for a
        fix there is not, and for a code that is mistyped.
        """
        _check(fix)
        _check_codes(fix, {each.code for each in self.discrepancies})
        if only is not None and not callable(only):
            raise InvalidInput("only", "give a function that says of a discrepancy whether it is to be fixed")
        chosen = [each for each in self.discrepancies if only is None or only(each)]
        actions: dict[Pending, Action] = {}
        left: list[Finding] = []
        for each in chosen:
            wanted = _wanted(fix, each)
            remedy = each.remedies.get(wanted, ()) if wanted is not None else ()
            if wanted is Fix.RESTORE and each.refused and not retry_refused:
                remedy = ()
            actions |= {action.itself: action for action in remedy}
            if not remedy:
                left.append(each)
        planned = self._settling(actions.keys())
        known = {action.itself for action in planned}
        others = [action for itself, action in actions.items() if itself not in known]
        ordered = tuple(_in_turn(_one_of_both([*planned, *others])))
        return Plan(tenant=self.tenant, actions=ordered, findings=tuple(left), known=self.settling.known)

    def _settling(self, wanted: Collection[Pending]) -> list[Action]:
        """Those *wanted* of what settles, and what they rest on; nothing that somebody typed, which is taken over."""
        posts = (each.remedies.get(Fix.POST, ()) for each in self.discrepancies)
        typed = {action.itself: action for some in posts for action in some if isinstance(action, Adopt)}
        chosen = self.settling.only(lambda action: action.itself in wanted and action.itself not in typed)
        needed = {need for action in chosen for need in action.needs}
        planned: list[Action] = []
        for action in chosen:
            planned += [typed[each.itself] for each in action.parts if each.itself in typed and each.itself in needed]
            left = action
            if isinstance(action, PayBatch):
                left = without(action, [each for each in action.payments if each.itself in typed])
            if left.itself not in typed and left.parts:
                planned.append(left)
        return planned

    def rows(self) -> list[dict[str, str]]:
        """The sum line by line, for a table. Rows hold amounts: mind where they are shown."""
        why = f"collected and not yet paid out, of {self.payments:,} payment{'s' * (self.payments != 1)} posted in all"
        flight = {"what": "in flight", "amount": str(self.in_flight), "why": why}
        parts = [_row(each) for each in self.discrepancies]
        parts += [_row(each) | {"fix": "", "why": f"accepted: {each.cause}"} for each in self.accepted]
        return [_EMPTY | flight, *parts, *map(_EMPTY.__or__, balance_rows(self.balance, self.in_base))]

    def json(self) -> str:
        """The whole report as JSON; amounts are strings."""
        told = {
            "tenant": self.tenant,
            "organisation": self.organisation,
            "account": self.code,
            "balance": str(self.balance.amount),
            "currency": self.balance.currency,
            "in_base": None if self.in_base is None else self.in_base.told(),
            "in_flight": str(self.in_flight.amount),
            "payments": self.payments,
            "explained": self.explained,
            "clean": self.clean,
            "causes": [_cause_row(cause, group) for cause, group in with_causes(self.discrepancies)],
            "discrepancies": [_as_json(each) for each in self.discrepancies],
            "accepted": [_as_json(each) for each in self.accepted],
            "statement": json.loads(self.statement.json()),
            "settlements": json.loads(self.settlements.json()) if self.settlements is not None else None,
        }
        return json.dumps(told, ensure_ascii=False)

    def html(self) -> str:
        """One self-contained page, to be kept, sent or printed."""
        return Reconciliations([self]).html()

    def sections(self) -> Iterator[Section]:
        """The parts of its page."""
        name = f"{self.organisation}, account {self.code}"
        first, last = self.statement.first, self.statement.last
        yield _section_of_sum(self, f"{name}: {first} to {last}")
        if self.causes:
            yield _section_of_causes(self)
        if self.causes or self.accepted:
            yield _section_of_discrepancies(self)
        if self.settlements is not None:
            yield from self.settlements.sections()
        yield self.statement.section()

    def __str__(self) -> str:
        count = len(self.exceptions)
        head = f"clearing {self.balance} = {self.in_flight} in flight + {count:,} exception{'s' * (count != 1)}"
        if self.accepted:
            head += f" + {len(self.accepted):,} accepted"
        worth = [f"  in Xero: {self.in_base}"] if self.in_base is not None else []
        return "\n".join([head, *worth, *_grouped(self.exceptions), *_grouped(self.findings)])

    def __repr__(self) -> str:
        return f"<Reconciliation with {len(self.discrepancies)} discrepancies>"


def _reports(given: Iterable[Reconciliation]) -> tuple[Reconciliation, ...]:
    return listed(given, Reconciliation, "reports")


@frozen(repr=False)
class Reconciliations(Tabular):
    """Several *reports* as one: of several clearing accounts, or of several organisations."""

    reports: tuple[Reconciliation, ...] = field(converter=_reports)

    @property
    def clean(self) -> bool:
        """Whether nothing is left to do in any of them."""
        return all(each.clean for each in self.reports)

    @property
    def explained(self) -> bool:
        """Whether all sums hold."""
        return all(each.explained for each in self.reports)

    def __iter__(self) -> Iterator[Reconciliation]:
        return iter(self.reports)

    def rows(self) -> list[dict[str, str]]:
        """The rows of all, each with its organisation and account. Rows hold amounts: mind where they are shown."""
        return [
            {"organisation": each.organisation, "account": each.code, **row}
            for each in self.reports
            for row in each.rows()
        ]

    def json(self) -> str:
        """All of them as JSON; amounts are strings."""
        return json.dumps([json.loads(each.json()) for each in self.reports], ensure_ascii=False)

    def html(self) -> str:
        """One self-contained page of them all, to be kept, sent or printed."""
        left = sum(len(each.discrepancies) for each in self.reports)
        says = (
            f"{left:,} discrepanc{'y needs' if left == 1 else 'ies need'} something done." if left else "All is well."
        )
        sections = (section for each in self.reports for section in each.sections())
        return page("Why the clearing account is what it is", sections, says=says)

    def __str__(self) -> str:
        return "\n".join(f"{each.organisation}, {each.code}: {each}" for each in self.reports)

    def __repr__(self) -> str:
        return f"<Reconciliations of {len(self.reports)} accounts>"


_EMPTY: Final = dict.fromkeys(("what", "amount", "worth", "why", "about", "settlement", "fix", "who", "link"), "")


def _check(fix: Choice) -> None:
    if not callable(fix):
        for each in fix.values() if isinstance(fix, Mapping) else [fix]:
            _checked(each)


def _check_codes(fix: object, found: Collection[str]) -> None:
    for code in cast(Mapping[object, object], fix) if isinstance(fix, Mapping) else ():
        if not isinstance(code, str):
            raise InvalidInput("fix", "give codes, as report.discrepancies have them, and a fix for each")
        if (other := meant(code, found)) is not None:
            raise InvalidInput("fix", f"give {other!r} for {code!r}: no discrepancy has that code")


def _checked(fix: Fix | str) -> Fix:
    try:
        return Fix(fix)
    except ValueError:
        remedy = f"give one of {', '.join(Fix)}, a mapping from codes to them, or a function"
        raise InvalidInput("fix", remedy) from None


def _wanted(fix: Choice, discrepancy: Discrepancy) -> Fix | None:
    if isinstance(fix, str):
        return _checked(fix)
    wanted = fix(discrepancy) if callable(fix) else fix.get(discrepancy.code)
    return None if wanted is None else _checked(wanted)


def _one_of_both(actions: Sequence[Action]) -> list[Action]:
    """
    *actions*, of which none puts back a payment that another says is to be gone: money that went back came in no more.

    One that was put back already stands, and is to be removed by the next plan.
    """
    stands = {each.host_ref for each in actions if _takes_over(each, Pay.kind) and RESTORED[0] in each.facts}
    gone = {each.host_ref for each in actions if _takes_over(each, RemovePayment.kind)} - stands
    return [
        each
        for each in actions
        if not (_takes_over(each, RemovePayment.kind) and each.host_ref in stands)
        and not (isinstance(each, Pay) and RESTORED[0] in each.facts and each.host_ref in gone)
    ]


def _takes_over(action: Action, kind: str) -> bool:
    return isinstance(action, Adopt) and action.adopted_kind == kind


def _in_turn(actions: Sequence[Action]) -> Iterator[Action]:
    """*actions*, payments after the removals of what stands on their invoices in their place."""
    opened: dict[str, list[Pending]] = {}
    for each in actions:
        if isinstance(each, RemovePayment) and WAS_ON in each.facts:
            opened.setdefault(each.facts[WAS_ON], []).append(each.itself)
    for each in actions:
        removals = opened.get(f"Invoices/{each.invoice}", ()) if isinstance(each, Pay) else ()
        yield evolve(each, after=(*each.after, *removals)) if isinstance(each, Pay) and removals else each


def _row(each: Discrepancy) -> dict[str, str]:
    return {
        "what": each.code,
        "amount": str(each.amount),
        "worth": "" if each.worth is None else str(each.worth),
        "why": each.cause,
        "about": each.about,
        "settlement": each.settlement,
        "fix": each.fix,
        "who": each.who,
        "link": each.link or "",
    }


def _as_json(each: Discrepancy) -> dict[str, object]:
    return {
        "code": each.code,
        "about": each.about,
        "settlement": each.settlement,
        "amount": str(each.amount.amount),
        "worth": str(each.worth.amount) if each.worth is not None else None,
        "cause": each.cause,
        "fix": each.fix,
        "who": each.who,
        "retry": each.retry,
        "fixes": [fix.value for fix in each.fixes],
        "xero_id": each.xero_id,
        "link": each.link,
    }


def _cause_row(cause: RootCause, group: Sequence[Discrepancy]) -> dict[str, object]:
    return {
        "code": cause.code,
        "cause": cause.cause,
        "fix": cause.fix,
        "who": cause.who,
        "waits": list(cause.waits),
        "count": len(group),
        "amount": str(_sum(group)),
        "worth": [str(each) for each in cause.worth],
    }


def _grouped(found: Iterable[Discrepancy]) -> Iterator[str]:
    """*found* by what is behind them, a line each."""
    for group in by_root(found):
        total, first = _sum(group), group[0]
        count = f"{len(group):,} × " if len(group) > 1 else ""
        yield f"  {f'{total} ' if total else ''}{count}{first.code}: {first.cause} → {first.fix} ({first.who})"


def _sum(group: Sequence[Discrepancy]) -> Money:
    return Money.total((each.amount for each in group), group[0].amount.currency)


def _section_of_sum(report: Reconciliation, heading: str) -> Section:
    statement = report.statement
    listed = Money.total((each.amount for each in report.discrepancies), report.balance.currency)
    accepted = Money.total((each.amount for each in report.accepted), report.balance.currency)
    ours = "the host's settlements" if report.settlements is not None else "what was posted and not yet paid out"
    lines = [
        ("", "opening balance", report.opening, f"Xero's, before {statement.first}"),
        ("", "in", statement.money_in, ""),
        ("", "out", -statement.money_out, f"{sum(each.count for each in statement.movements):,} movements in all"),
        *_closing(report),
        ("", "in flight", report.in_flight, f"{ours}; payments posted in all: {report.payments:,}"),
        ("✓" if report.clean else "✗", "discrepancies", listed, f"{len(report.discrepancies):,}, below"),
        *([("", "accepted", accepted, f"{len(report.accepted):,}, as they should be")] if report.accepted else []),
        (
            "✓" if report.explained else "✗",
            "in flight + discrepancies" + (" + accepted" if report.accepted else ""),
            report.in_flight + listed + accepted,
            "to the cent",
        ),
    ]
    rows = [[Cell(mark), Cell(what), Cell(str(amount)), Cell(why)] for mark, what, amount, why in lines]
    return Section(heading=heading, columns=("", "what", "amount", "note"), rows=rows)


def _closing(report: Reconciliation) -> Iterator[tuple[str, str, Money, str]]:
    """The closing balance, and of an account in another currency what it is worth."""
    on = f"on {report.statement.last}: TrialBalance"
    if report.in_base is None:
        yield "", "closing balance", report.balance, f"Xero's, {on}"
        return
    yield "", "closing balance", report.balance, "all that moved"
    yield "", "worth as it moved", report.in_base.worth, "at the rates of each movement"
    yield "", "revalued", report.in_base.revalued, "Xero's rate of the day, and no money"
    yield "", "balance in Xero", report.in_base.balance, f"Xero's, {on}"


def _section_of_causes(report: Reconciliation) -> Section:
    rows = [
        [
            Cell(each.code),
            Cell(f"{len(group):,}"),
            Cell(str(_sum(group))),
            Cell(", ".join(map(str, each.worth))),
            Cell(each.cause),
            Cell(f"{each.fix} ({by(each.who)})"),
        ]
        for each, group in with_causes(report.discrepancies)
    ]
    columns = ("what", "how many", "amount", "at stake", "why", "what to do")
    return Section(heading="By what is behind them", columns=columns, rows=rows)


def _section_of_discrepancies(report: Reconciliation) -> Section:
    rows: list[Sequence[Cell]] = [
        [
            Cell("✗"),
            Cell(each.code),
            Cell(_named(each), each.link),
            Cell(str(each.amount)),
            Cell(" or ".join(each.fixes) or "by hand"),
        ]
        for each in report.discrepancies
    ]
    rows += [
        [Cell("✓"), Cell(each.code), Cell(_named(each), each.link), Cell(str(each.amount)), Cell("accepted")]
        for each in report.accepted
    ]
    return Section(heading="One by one", columns=("", "what", "about", "amount", "a plan can"), rows=rows)


def _named(each: Discrepancy) -> str:
    """What *each* is about: a settlement's fees and its payout bear its id, a line has one of its own."""
    if each.part is not None and each.part[0] != LINE:
        return f"{each.about}, {each.part[0]}"
    return ", of ".join(filter(None, (each.about, each.settlement)))
