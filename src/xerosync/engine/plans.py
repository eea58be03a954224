"""A plan and what came of it, as values that print well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final, TypeVar

from attrs import evolve, field, frozen

from xerosync.engine.actions import Action, Link, Pay, PayBatch
from xerosync.engine.causes import RootCause, root_causes
from xerosync.engine.pair_actions import Disconnect
from xerosync.engine.states import State
from xerosync.errors import InvalidInput
from xerosync.models import TenantId
from xerosync.money import Money
from xerosync.storage.protocol import Record
from xerosync.tables import Listing, Tabular
from xerosync.texts import legible

A = TypeVar("A", bound=Action)

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "customer": ("customer to connect", "customers to connect"),
    "apart": ("customer to disconnect", "customers to disconnect"),
    "details": ("customer to update", "customers to update"),
    "vendor": ("vendor to connect", "vendors to connect"),
    "vendor_apart": ("vendor to disconnect", "vendors to disconnect"),
    "drift": ("change in Xero to accept", "changes in Xero to accept"),
    "accepted": ("discrepancy to accept", "discrepancies to accept"),
    "import_policy": ("import policy to set", "import policies to set"),
    "transaction": ("invoice to import", "invoices to import"),
    "transaction_change": ("transaction to change", "transactions to change"),
    "transaction_cancel": ("transaction to cancel", "transactions to cancel"),
    "transaction_note": ("transaction to note", "transactions to note"),
    "bill_link": ("bill to link", "bills to link"),
    "spend_link": ("receipt to link", "receipts to link"),
    "handled": ("outcome to remember", "outcomes to remember"),
    "bill_change": ("bill to change", "bills to change"),
    "reference": ("reference value to take over", "reference values to take over"),
    "doubt": ("write to hold back", "writes to hold back"),
    "dismissal": ("write to let go again", "writes to let go again"),
    "adopt": ("document to take over", "documents to take over"),
    "new_account": ("account to open", "accounts to open"),
    "account": ("account to enable payments on", "accounts to enable payments on"),
    "contact": ("contact to create", "contacts to create"),
    "bill": ("bill to post", "bills to post"),
    "credit_note": ("credit note to post", "credit notes to post"),
    "allocation": ("credit to allocate", "credits to allocate"),
    "overpayment_allocation": ("overpayment to allocate", "overpayments to allocate"),
    "sale": ("sales invoice to create", "sales invoices to create"),
    "sale_credit": ("credit to a customer to post", "credits to customers to post"),
    "bank_transaction": ("bank transaction to post", "bank transactions to post"),
    "transfer": ("transfer to post", "transfers to post"),
    "payment": ("payment to post", "payments to post"),
    "batch_payment": ("batch of payments to post", "batches of payments to post"),
    "refund": ("refund to post", "refunds to post"),
    "bank_transaction_removal": ("bank transaction to remove", "bank transactions to remove"),
    "bill_edit": ("bill to edit", "bills to edit"),
    "credit_note_edit": ("credit note to edit", "credit notes to edit"),
    "bank_transaction_edit": ("receipt to edit", "receipts to edit"),
    "sale_edit": ("sales invoice to edit", "sales invoices to edit"),
    "sale_voiding": ("sales invoice to void", "sales invoices to void"),
    "bill_voiding": ("bill to void", "bills to void"),
    "credit_note_voiding": ("credit note to void", "credit notes to void"),
    "attachment": ("file to attach", "files to attach"),
    "billable_expense": ("line to mark as billable", "lines to mark as billable"),
    "billable_expense_removal": ("line to mark as billable no longer", "lines to mark as billable no longer"),
    "note": ("note to add to a history", "notes to add to histories"),
    "transfer_removal": ("transfer to delete", "transfers to delete"),
    "batch_payment_removal": ("batch of payments to remove", "batches of payments to remove"),
    "removal": ("payment to remove", "payments to remove"),
}


@frozen(kw_only=True, repr=False)
class Finding:
    """
    Something that needs a person: *code* names the kind of trouble, *about* the host's or Xero's id it concerns.

    *cause* says what is so, *fix* what to do, *who* can do it, *retry* whether running again may help by itself. *root*
    names what is behind it, where another finding is about that: one of the same *root*, or the one about the *root*.
    """

    code: str
    about: str = field(converter=legible)
    cause: str = field(converter=legible)
    fix: str
    who: str = "you"
    retry: bool = False
    worth: Money | None = None
    root: str = ""

    def is_behind(self, root: str) -> bool:
        """Whether this is the finding that others of the *root* wait for, which is its id."""
        return self.about == root and not self.root

    def __repr__(self) -> str:
        return f"<Finding {self.code}>"  # what it is about may be a vendor's name


@frozen(kw_only=True, repr=False)
class Difference(Finding):
    """A finding on one amount that is two: what the payer is *asked* for, and what is *due* in Xero."""

    asked: Money
    due: Money


@frozen(kw_only=True, repr=False)
class Plan(Tabular):
    """
    What is desired less what is observed: ordered *actions*, and *findings* that need a person.

    *tallies* counts what was looked at, by status. Nothing happens until the plan is applied. One that is *whole* is
    not begun where one of its documents has changed in Xero since, books are closed beyond *closed_up_to*, or more was
    written of what it undoes than the writes *known* by their keys. Of one that settles these are what had
    taken something of its settlements back by then.
    """

    tenant: TenantId
    actions: tuple[Action, ...] = ()
    findings: Listing[Finding] = field(factory=Listing[Finding], converter=Listing[Finding])
    tallies: Mapping[str, int] = field(factory=dict[str, int])
    whole: bool = False
    closed_up_to: date | None = None
    known: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.actions)

    def __iter__(self) -> Iterator[Action]:
        return iter(self.actions)

    def __bool__(self) -> bool:
        return bool(self.actions)

    def only(self, keep: Callable[[Action], bool]) -> Plan:
        """This plan with the actions for which *keep* holds, and those that others kept rest on, in the same order."""
        kept = {action.itself for action in self.actions if keep(action)}
        for action in reversed(self.actions):
            if any(each.itself in kept for each in action.parts):
                kept.add(action.itself)
            if action.itself in kept:
                kept.update(action.needs)
        return evolve(self, actions=tuple(action for action in self.actions if action.itself in kept))

    def records(self) -> tuple[Record, ...]:
        """
        What applying this plan would keep in the store: for you to commit within your own transaction instead.

        Raises `InvalidInput` where something in it is written to Xero, or ends a link: that is applied, outside any
        transaction.
        """
        links = [action for action in self.actions if isinstance(action, Link)]
        if len(links) < len(self.actions):
            raise InvalidInput("plan", "it writes to Xero: apply it, and take only() what is kept in the store alone")
        if self.of(Disconnect):
            raise InvalidInput("plan", "it ends a link, which is more than to keep a record: apply it")
        return tuple(record for link in links for record in (link.record(self.tenant), *link.besides))

    def of(self, kind: type[A]) -> list[A]:
        """The actions of one *kind*, such as `UpdateCustomer`, in the plan's order."""
        return [action for action in self.actions if isinstance(action, kind)]

    @property
    def causes(self) -> Listing[RootCause]:
        """The findings by what is behind them: each cause once, with all that waits for it."""
        return root_causes(self.findings)

    def counts(self) -> dict[str, int]:
        """How many actions there are of each kind, in the plan's order."""
        return dict(Counter(action.kind for action in self.actions))

    def rows(self) -> list[dict[str, str]]:
        """One row an action, for a table or a dataframe. Rows hold amounts: mind where they are shown."""
        return [
            {
                "kind": action.kind,
                "host_ref": action.host_ref,
                "amount": str(action.worth or ""),
                "reason": action.reason,
            }
            for action in self.actions
        ]

    def __str__(self) -> str:
        planned = (_counted(kind, count) for kind, count in self.counts().items())
        looked_at = (f"{count:,} {status}" for status, count in self.tallies.items() if count)
        lines = [" · ".join([*looked_at]), ", ".join(planned) or "nothing to do"]
        return "\n".join([*filter(None, lines), *_finding_lines(self.findings)])

    def __repr__(self) -> str:
        return f"<Plan of {len(self.actions)} actions, {len(self.findings)} findings>"


@frozen(kw_only=True, repr=False)
class Result:
    """What became of one action: its *state*, the id Xero gave, and Xero's words when it refused."""

    action: Action
    state: State | None
    xero_id: str | None = None
    messages: tuple[str, ...] = ()
    earlier: bool = False

    def row(self) -> dict[str, object]:
        """Its line of a table."""
        return {
            "kind": self.action.kind,
            "host_ref": self.action.host_ref,
            "amount": str(self.action.worth or ""),
            "state": self.state.value if self.state is not None else "held back",
            "xero_id": self.xero_id or "",
            "messages": " | ".join(self.messages),
        }

    def __repr__(self) -> str:
        return f"<Result {self.action!r} {self.state}>"


@frozen(kw_only=True, repr=False)
class Recovery(Tabular):
    """
    What a recovery closed: writes *found* in Xero, writes *posted* (again) by kind, and those left *open*, because Xero
    could still not say. *in_batches* counts the payments in the batches it posted. *findings* are for a person.
    """

    found: int = 0
    posted: Mapping[str, int] = field(factory=dict[str, int])
    in_batches: int = 0
    open: int = 0
    findings: Listing[Finding] = field(factory=Listing[Finding], converter=Listing[Finding])

    @property
    def sent(self) -> int:
        """How many writes it sent itself."""
        return sum(self.posted.values())

    def done(self, *kinds: str) -> int:
        """
        How many writes of *kinds* it sent itself; those it found done already do not count.

        Of the kind ``payment`` are those in batches, too.
        """
        return sum(self.posted.get(kind, 0) for kind in kinds) + self.in_batches * (Pay.kind in kinds)

    def rows(self) -> list[dict[str, object]]:
        """How many writes were found in Xero, sent of each kind, and left open, for a table or a dataframe."""
        counts = {"found in Xero": self.found}
        counts |= {f"sent: {kind}": count for kind, count in self.posted.items()}
        return [{"what": what, "writes": count} for what, count in (counts | {"still open": self.open}).items()]

    def __str__(self) -> str:
        return f"{self.found:,} found in Xero, {self.sent:,} sent, {self.open:,} still open"

    def __repr__(self) -> str:
        return f"<Recovery {self}>"


@frozen(kw_only=True, repr=False)
class Report(Tabular):
    """
    What an apply did: one result an action, and the findings that came up.

    *calls* counts calls to Xero, *bytes_up* and *bytes_down* those of their bodies as they went over the wire, and
    *calls_needed* the fewest calls that its writes take, each as full as Xero allows; `cost` says it in words.
    *recovered* is what it first closed of an interrupted run. *run* names it in the record, as `Ledger.trail` takes it;
    blank where there was nothing to do.
    """

    results: Listing[Result] = field(factory=Listing[Result], converter=Listing[Result])
    findings: Listing[Finding] = field(factory=Listing[Finding], converter=Listing[Finding])
    calls: int = 0
    recovered: Recovery = field(factory=Recovery)
    run: str = ""
    bytes_up: int = 0
    bytes_down: int = 0
    calls_needed: int = 0

    @property
    def cost(self) -> str:
        """What it took of Xero's limits, such as ``7 calls and 31 kB; the floor is 6``: *calls_needed*."""
        kilobytes = -(-(self.bytes_up + self.bytes_down) // 1000)
        calls = f"{self.calls:,} {'call' if self.calls == 1 else 'calls'}"
        return f"{calls} and {kilobytes:,} kB; the floor is {self.calls_needed:,}"

    def done(self, *kinds: str) -> int:
        """
        How many actions of *kinds* this apply itself carried out; those found done already do not count.

        Of the kind ``payment`` are those in batches, too.
        """
        own = [each.action for each in self.results if each.state is State.CONFIRMED and not each.earlier]
        in_batches = sum(len(action.payments) for action in own if isinstance(action, PayBatch))
        done = sum(action.kind in kinds for action in own) + in_batches * (Pay.kind in kinds)
        return self.recovered.done(*kinds) + done

    @property
    def causes(self) -> Listing[RootCause]:
        """The findings by what is behind them: each cause once, with all that waits for it."""
        return root_causes(self.findings)

    @property
    def unfinished(self) -> tuple[Result, ...]:
        """The actions that did not come to be, refused, in doubt or held back."""
        return tuple(result for result in self.results if result.state is not State.CONFIRMED)

    def rows(self) -> list[dict[str, object]]:
        """One row an action, for a table or a dataframe. Rows hold amounts: mind where they are shown."""
        return self.results.rows()

    def __str__(self) -> str:
        states = Counter((result.action.kind, result.state or "held back") for result in self.results)
        lines = [f"{count:,} × {kind} {state}" for (kind, state), count in states.items()]
        return "\n".join([*(lines or ["nothing to do"]), *_finding_lines(self.findings)])

    def __repr__(self) -> str:
        return f"<Report on {len(self.results)} actions, {len(self.findings)} findings>"


def _counted(kind: str, count: int) -> str:
    one, many = WORDS.get(kind, (kind, kind))
    return f"{count:,} {one if count == 1 else many}"


def _finding_lines(findings: Sequence[Finding]) -> list[str]:
    grouped: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        grouped.setdefault((finding.code, finding.fix), []).append(finding)
    return [
        f"{len(group):,} × {group[0].code}: {group[0].cause if len(group) == 1 else ''} → {fix}".replace(":  →", " →")
        for (_, fix), group in grouped.items()
    ]
