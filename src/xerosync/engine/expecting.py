"""What settlements say a clearing account should hold: each line, the fees, the payouts, as amounts on their days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Final

from attrs import frozen

from xerosync.engine.entries import LINE, Key
from xerosync.engine.payouts import exchange_of
from xerosync.engine.settlement_books import SettlementAccounts
from xerosync.engine.settling_policies import FeesAs
from xerosync.mapping.banking import deductions
from xerosync.mapping.settlement import LineKind, Settlement
from xerosync.models import AccountId
from xerosync.money import Money

_SIGNS: Final = {
    LineKind.COLLECTED: 1,
    LineKind.REINSTATED: 1,
    LineKind.CHARGED_BACK: -1,
    LineKind.REFUNDED: -1,
}


@frozen(kw_only=True, repr=False)
class Expected:
    """
    One *amount* that the host says moved on the account, debit positive, *on* a day.

    *settlement* is the one it came with, *worth* what the host calls it.
    """

    key: Key
    amount: Money
    on: date
    settlement: Settlement

    def __repr__(self) -> str:
        return f"<Expected {self.key[0]}>"


def expected_of(
    settlements: Iterable[Settlement],
    accounts: SettlementAccounts,
    kept: Mapping[str, SettlementAccounts],
    differences: Mapping[str, Money],
    *,
    account: AccountId,
    currency: str,
) -> Iterator[Expected]:
    """
    What *settlements* say moved on *account*; amounts of another than its *currency* move nothing there, nor do
    settlements that go through another account: by *accounts*, or by those *kept* of what was begun in others.

    *differences* are what lines cost beyond what had come in, which is posted with the fees.
    """
    for settlement in settlements:
        through = kept.get(settlement.id, accounts)
        if through.clearing_id != account:
            continue
        for line in settlement.lines:
            amount = Money.zero(currency)
            if line.moved.currency == currency:
                moved = line.moved - differences.get(line.id, amount)
                amount = Money(_SIGNS.get(line.kind, 0) * moved.amount, currency)
            yield Expected(key=(LINE, line.id), amount=amount, on=settlement.on, settlement=settlement)
        yield from _costs(settlement, through, currency, exchange_of(settlement, differences))


def _costs(
    settlement: Settlement, accounts: SettlementAccounts, currency: str, exchange: Money | None
) -> Iterator[Expected]:
    net = settlement.proof.net
    if net.currency != currency:
        return
    moved = deductions(settlement, fee_account=accounts.fees, reserve_account=accounts.reserve)
    cost = Money.total([*(each.amount for each in moved), *([exchange] if exchange else [])], currency)
    netted = accounts.fees_as is FeesAs.NETTED and not accounts.through_a_bank
    if (moved or exchange) and not netted:
        yield Expected(key=("fees", settlement.id), amount=-cost, on=settlement.on, settlement=settlement)
    if settlement.paid_out_on is not None:
        out = net + cost if netted else net
        yield Expected(key=("payout", settlement.id), amount=-out, on=settlement.paid_out_on, settlement=settlement)
