"""The accounts that settlements are posted to: those that were chosen, and those that each settlement was begun in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import evolve

from xerosync.client._books import Books
from xerosync.engine.clearing import Eligibility, clearing_choice
from xerosync.engine.exchange import currency_of
from xerosync.engine.given_again import PostedBefore
from xerosync.engine.mirror import ACCOUNTS, walk
from xerosync.engine.observed import account_choice, stamped
from xerosync.engine.settlement_books import SettlementAccounts
from xerosync.engine.settling_policies import FeesAs, SettlementSettings
from xerosync.errors import Misconfigured
from xerosync.models import Account, AccountStatus, AccountType
from xerosync.texts import plain_id

CHECK_CLEARING: Final = (
    "invoices cannot be marked paid through this clearing account ({reason}): choose another one, or correct it in Xero"
)
_FEES_AS: Final[Mapping[bool, FeesAs]] = {True: FeesAs.SPEND_MONEY, False: FeesAs.NETTED}
"""How fees are posted unless chosen, by whether the clearing account is a bank account; the other way cannot be."""
_MISFITS: Final[Mapping[bool, FeesAs]] = {True: FeesAs.NETTED, False: FeesAs.SPEND_MONEY}


async def settlement_accounts(
    books: Books, clearing_account: str | None, chosen: SettlementSettings, base: str
) -> SettlementAccounts:
    """
    The accounts that were *chosen*, each fit for what it is to do, in books kept in *base*.

    Raises `Misconfigured`, naming the setting, for one that is not there, not active, of the wrong type, or a bank
    account in another currency than the clearing account.
    """
    choice = await account_choice(books, clearing_account, setting="clearing_account")
    if choice.answer is not Eligibility.ELIGIBLE:
        raise Misconfigured(CHECK_CLEARING.format(reason=choice.reason))
    chart = [account async for _, account in walk(books, ACCOUNTS, Account)]
    through_a_bank = choice.account.type == AccountType.BANK
    fees_as = chosen.fees_as or _FEES_AS[through_a_bank]
    if fees_as is FeesAs.SPEND_MONEY and not through_a_bank:
        raise Misconfigured("fees_as: money is spent from bank accounts only (F 6.150): choose BILL or NETTED")
    if fees_as is FeesAs.NETTED and through_a_bank:
        raise Misconfigured("fees_as: a transfer has no lines (F 6.157): choose SPEND_MONEY or BILL")
    fees = _chosen(chart, chosen.fee_account, "fee_account")
    reserve = _chosen(chart, chosen.reserve_account, "reserve_account")
    exchange = _chosen(chart, chosen.exchange_account, "exchange_account")
    bank = _chosen(chart, chosen.bank_account, "bank_account", bank=True)
    kept_in = currency_of(choice.account, base)
    if bank is not None and currency_of(bank, base) != kept_in:
        raise Misconfigured(
            f"bank_account: it is kept in {currency_of(bank, base)}, and the clearing account in {kept_in}: "
            "choose one in the same currency, or pay out by hand"
        )
    return SettlementAccounts(
        clearing=choice.account,
        base=base,
        bank=bank,
        charge_backs=_chosen(chart, chosen.charge_back_account, "charge_back_account"),
        fees=(fees.code or "") if fees is not None else "",
        reserve=reserve.code if reserve is not None else None,
        exchange=exchange.code if exchange is not None else None,
        fees_as=fees_as,
    )


async def kept_accounts(
    books: Books, before: PostedBefore, accounts: SettlementAccounts
) -> dict[str, SettlementAccounts]:
    """
    The accounts of the settlements that were begun otherwise than by *accounts*, those that are chosen now, by their
    ids: a settlement stays in one clearing account, and has its fees in one place, or neither would end at nothing.
    """
    chart = {
        key: each for key, (each, _) in (await stamped(books, ACCOUNTS, Account, before.accounts.values())).items()
    }
    found: dict[str, SettlementAccounts] = {}
    for settlement, account_id in before.accounts.items():
        clearing = chart.get(account_id, accounts.clearing)
        through_a_bank = clearing.type == AccountType.BANK
        fees_as = before.fees_as.get(settlement, accounts.fees_as)
        if fees_as is _MISFITS[through_a_bank]:
            fees_as = _FEES_AS[through_a_bank]
        if (clearing.account_id, fees_as) != (accounts.clearing_id, accounts.fees_as):
            found[settlement] = _begun_in(clearing, accounts, fees_as)
    return found


def _begun_in(clearing: Account, accounts: SettlementAccounts, fees_as: FeesAs) -> SettlementAccounts:
    """*accounts* with another *clearing* account, that need not take payments any more."""
    choice = clearing_choice(clearing)
    unfit = f"its settlement was begun in account {clearing.code}, which takes nothing any more: {choice.reason}"
    bank = accounts.bank
    if bank is not None and currency_of(bank, accounts.base) != currency_of(clearing, accounts.base):
        bank = None
    return evolve(
        accounts,
        clearing=clearing,
        bank=bank,
        fees_as=fees_as,
        unfit="" if choice.answer is Eligibility.ELIGIBLE else unfit,
    )


def _chosen(chart: Sequence[Account], wanted: str | None, setting: str, *, bank: bool = False) -> Account | None:
    if wanted is None:
        return None
    account = next((each for each in chart if each.code == wanted or each.account_id == plain_id(wanted)), None)
    if account is None:
        raise Misconfigured(f"{setting}: the organisation has no such account: choose one that it has")
    if account.status != AccountStatus.ACTIVE:
        raise Misconfigured(f"{setting}: the account is {account.status}, not ACTIVE: choose another one")
    if bank != (account.type == AccountType.BANK):
        raise Misconfigured(f"{setting}: choose {'a bank account' if bank else 'an account that is no bank account'}")
    if account.system_account:
        raise Misconfigured(f"{setting}: nothing can be posted to a system account ({account.system_account})")
    return account
