"""
The figures behind pictures: a clearing account day by day, how old is what is open, and where money waits.

Each is a pure function of what the library tells anyway, to the cent; `xerosync.pictures` draws it, and so may whatever
you draw with.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from attrs import frozen

from xerosync.engine.clearing_statement import ClearingStatement
from xerosync.engine.settlement_report import LineMark, SettlementReport
from xerosync.engine.transaction_report import ReportedTransaction, Standing, TransactionReport
from xerosync.errors import InvalidInput
from xerosync.models import DocumentStatus, Invoice
from xerosync.money import Money
from xerosync.tables import Listing, Tabular

_ONE_DAY: Final = timedelta(days=1)
_BANDS: Final = ((0, "not due yet"), (30, "1–30 days"), (60, "31–60 days"), (90, "61–90 days"), (None, "over 90 days"))
_ENDED: Final = frozenset({Standing.DECLINED, Standing.CHARGED_BACK, Standing.DELETED})


@frozen(kw_only=True, repr=False)
class BalanceOn:
    """The *balance* of an account at the end of the day *on*, debit positive, and what of it was *in_flight*."""

    on: date
    balance: Money
    in_flight: Money

    @property
    def exceptions(self) -> Money:
        """What of it was not: the sum of what a `ClearingReport` of that day lists as exceptions."""
        return self.balance - self.in_flight

    def __repr__(self) -> str:
        return f"<BalanceOn {self.on}>"


def balance_by_day(statement: ClearingStatement) -> Listing[BalanceOn]:
    """
    The clearing account of *statement* on the day before it, on each day on which something moved, and on its last.

    Both ends are the statement's own balances. What nothing explains, journals and the like, moved on the last day as
    far as anybody knows.
    """
    moved: dict[date, Money] = defaultdict(lambda: Money.zero(statement.closing.balance.currency))
    posted = moved.copy()
    for each in statement.movements:
        moved[each.on] += each.amount
        posted[each.on] += each.amount if each.ours else Money.zero(each.amount.currency)
    for each in statement.removed:
        posted[each.on] += each.amount
    balance, in_flight = statement.opening.balance, statement.opening.in_flight
    days = [BalanceOn(on=statement.first - _ONE_DAY, balance=balance, in_flight=in_flight)]
    for on in sorted({*moved, *posted} - {statement.last}):
        balance, in_flight = balance + moved[on], in_flight + posted[on]
        days.append(BalanceOn(on=on, balance=balance, in_flight=in_flight))
    closing = statement.closing
    return Listing([*days, BalanceOn(on=statement.last, balance=closing.balance, in_flight=closing.in_flight)])


@frozen(kw_only=True, repr=False)
class AgeBand:
    """What is open of *count* documents that are past due for so long as *age* says."""

    age: str
    amount: Money
    count: int

    def __repr__(self) -> str:
        return f"<AgeBand {self.age}>"


@frozen(kw_only=True, repr=False)
class Ageing(Tabular):
    """What is open on the day *on*, by how long it is past due: *bands*, the newest first, some of them empty."""

    on: date
    bands: tuple[AgeBand, ...]

    @property
    def total(self) -> Money:
        """All that is open."""
        return Money.total((each.amount for each in self.bands), self.bands[0].amount.currency)

    def rows(self) -> list[dict[str, object]]:
        """One row a band, for a table or a dataframe. Rows hold amounts: mind where they are shown."""
        return Listing(self.bands).rows()

    def __str__(self) -> str:
        return f"{self.total} open on {self.on}"

    def __repr__(self) -> str:
        return f"<Ageing on {self.on}>"


def ageing(documents: Iterable[Invoice], *, on: date, currency: str) -> Ageing:
    """
    How old what is open of *documents* is on the day *on*: invoices, or bills, as they stand now.

    Only approved ones in *currency* are open; one without a day on which it is due is due on its own. Raises
    `InvalidInput` where invoices and bills are mixed, as the one is owed to the organisation and the other by it.
    """
    given = [each for each in documents if each.status == DocumentStatus.AUTHORISED and each.currency_code == currency]
    if len({each.type for each in given}) > 1:
        raise InvalidInput("documents", "give invoices or bills, not both: these are owed, those are due to you")
    bands: dict[str, list[Money]] = {age: [] for _, age in _BANDS}
    for each in given:
        if each.amount_due:
            bands[_age(each, on)].append(Money(each.amount_due, currency))
    return Ageing(
        on=on,
        bands=tuple(
            AgeBand(age=age, amount=Money.total(amounts, currency), count=len(amounts))
            for age, amounts in bands.items()
        ),
    )


def _age(document: Invoice, on: date) -> str:
    due = document.due_date or document.date or on
    return next(age for up_to, age in _BANDS if up_to is None or (on - due).days <= up_to)


@frozen(kw_only=True, repr=False)
class MoneyFlow(Tabular):
    """
    Where the money of transactions is, from invoices to the bank; all of one currency.

    *asked_for* = *to_collect* + *ended* + *collected*: what customers are still to pay, what will not come or went
    back, and what came in. *collected* = *in_clearing* + *fees* + *in_bank* + *other*: what waits in the clearing
    account, what the provider kept, what was paid out, and the rest, which the reconciliation explains.
    """

    to_collect: Money
    ended: Money
    collected: Money
    in_clearing: Money
    fees: Money
    in_bank: Money

    @property
    def asked_for(self) -> Money:
        """What was asked for in all."""
        return self.to_collect + self.ended + self.collected

    @property
    def other(self) -> Money:
        """What was collected and is nowhere here; negative where more is there than was collected."""
        return self.collected - self.in_clearing - self.fees - self.in_bank

    def rows(self) -> list[dict[str, str]]:
        """One row a place, for a table or a dataframe. Rows hold amounts: mind where they are shown."""
        places = {
            "asked for": self.asked_for,
            "to collect": self.to_collect,
            "declined, taken back or called off": self.ended,
            "collected": self.collected,
            "in the clearing account": self.in_clearing,
            "fees": self.fees,
            "in the bank": self.in_bank,
            "other": self.other,
        }
        return [{"place": place, "amount": str(amount)} for place, amount in places.items()]

    def __str__(self) -> str:
        return f"{self.asked_for} asked for, {self.collected} collected, {self.in_bank} in the bank"

    def __repr__(self) -> str:
        return "<MoneyFlow>"


def money_flow(
    transactions: Iterable[ReportedTransaction], settlements: SettlementReport, *, in_clearing: Money
) -> MoneyFlow:
    """
    Where the money of *transactions* is, of every page of `Receivables.transaction_report`.

    *settlements* report all that they were settled in; *in_clearing* is what a `Reconciliation` says is in flight. Of a
    transaction for which more came in than it asked for, what came in was asked for.
    Raises `InvalidInput` for one page of several, and for another currency than that of *in_clearing*.
    """
    if isinstance(transactions, TransactionReport) and transactions.pages > 1:
        raise InvalidInput("transactions", f"give the lines of all {transactions.pages:,} pages")
    currency = in_clearing.currency
    nothing = Money.zero(currency)
    to_collect = ended = collected = nothing
    for each in transactions:
        if each.collected.currency != currency:
            raise InvalidInput("transactions", f"give those in {currency}, as the clearing account is kept in it")
        collected += each.collected
        left = each.transaction.amount - each.collected
        open_still = left if left.amount > 0 else nothing
        if each.standing in _ENDED:
            ended += open_still
        else:
            to_collect += open_still
    lines = [line for settlement in settlements for line in settlement.lines]
    posted = [line for line in lines if line.mark is LineMark.TICKED]
    return MoneyFlow(
        to_collect=to_collect,
        ended=ended,
        collected=collected,
        in_clearing=in_clearing,
        fees=Money.total((line.worth for line in posted if line.what == "fees"), currency),
        in_bank=Money.total((line.worth for line in posted if line.what == "payout"), currency),
    )
