"""Accounts that a product needs in the chart of accounts: clearing, fees, refunds. Opened when they are missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Self

from attrs import field, frozen

from xerosync.arguments import fields_checked
from xerosync.client._books import Books
from xerosync.engine.actions import Action, EnablePayments, OpenAccount
from xerosync.engine.clearing import Eligibility, clearing_choice
from xerosync.engine.intents import Intent
from xerosync.engine.mirror import ACCOUNTS, refresh, walk
from xerosync.engine.observed import intents_with
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.states import POSTED
from xerosync.errors import InvalidInput
from xerosync.models import Account, AccountCode, AccountId, AccountStatus, AccountType, BankAccountType

_LONGEST: Final = {"code": 10, "name": 150}
_PLACES: Final = frozenset({AccountType.BANK, AccountType.CURRENT, AccountType.CURRLIAB})


def _fits(wanted: WantedAccount, attribute: object, value: str) -> None:
    del wanted
    name = getattr(attribute, "name", "")
    if not 0 < len(value.strip()) <= _LONGEST[name]:
        raise InvalidInput(name, f"give 1 to {_LONGEST[name]} characters (F 6.11)")


@frozen(kw_only=True, field_transformer=fields_checked)
class WantedAccount:
    """
    An account that should be in the chart of accounts, under this *code* and *name*, both unique there (F 6.11).

    `clearing`, `fees` and `refunds` make the usual ones. With *takes_payments* payments may be made to it; a bank
    account takes them anyhow, and needs *bank_account_number*. *tax_type* is that of its lines; Xero chooses one unless
    given. Raises `InvalidInput` for a code or name Xero could not take.
    """

    code: str = field(validator=_fits)
    name: str = field(validator=_fits)
    type: AccountType
    takes_payments: bool = False
    tax_type: str | None = None
    bank_account_number: str | None = field(default=None, repr=False)

    def __attrs_post_init__(self) -> None:
        if (self.type is AccountType.BANK) != bool(self.bank_account_number):
            raise InvalidInput("bank_account_number", "a bank account needs one, and no other account has one (F 6.12)")

    @classmethod
    def clearing(cls, code: str, name: str, *, bank_account_number: str | None = None) -> Self:
        """An account that settlements go into: a current asset that takes payments, or a bank account with a number."""
        kind = AccountType.BANK if bank_account_number else AccountType.CURRENT
        return cls(
            code=code,
            name=name,
            type=kind,
            takes_payments=kind is not AccountType.BANK,
            bank_account_number=bank_account_number,
        )

    @classmethod
    def fees(cls, code: str, name: str, *, tax_type: str | None = None) -> Self:
        """An expense account for what collecting costs."""
        return cls(code=code, name=name, type=AccountType.EXPENSE, tax_type=tax_type)

    @classmethod
    def refunds(cls, code: str, name: str) -> Self:
        """An account that refunds are paid from until the bank has paid them: a current liability, takes payments."""
        return cls(code=code, name=name, type=AccountType.CURRLIAB, takes_payments=True)

    def document(self) -> Account:
        """The account as it is opened in Xero."""
        return Account(
            code=AccountCode(self.code.strip()),
            name=self.name.strip(),
            type=self.type,
            tax_type=self.tax_type,
            enable_payments_to_account=self.takes_payments or None,
            bank_account_type=BankAccountType.BANK if self.bank_account_number else None,
            bank_account_number=self.bank_account_number,
        )


async def open_accounts(books: Books, wanted: Iterable[WantedAccount]) -> Plan:
    """
    Open those of *wanted* that the chart of accounts lacks, and enable payments where that is all an account lacks.

    An account that has the code already, and may serve, is left as it is. One that may not, or has the name under
    another code, is a finding: nothing is renamed, restored or changed in kind. Raises `InvalidInput` for a code or a
    name that is wanted twice.
    """
    listed = list(wanted)
    for name in _LONGEST:
        if len({_plain(getattr(each, name)) for each in listed}) != len(listed):
            raise InvalidInput(name, "give each account once, under a code and a name of its own")
    await refresh(books, ACCOUNTS)
    chart = [account async for _, account in walk(books, ACCOUNTS, Account)]
    opened = await intents_with(books, lookup=("kind", OpenAccount.kind))
    decided = [_decide(each, chart, opened) for each in listed]
    return Plan(
        tenant=books.tenant,
        actions=tuple(each for each in decided if isinstance(each, Action)),
        findings=tuple(each for each in decided if isinstance(each, Finding)),
    )


def _decide(wanted: WantedAccount, chart: Sequence[Account], opened: Sequence[Intent]) -> Action | Finding | None:
    standing = [account for account in chart if account.status != AccountStatus.DELETED]
    coded = next((each for each in standing if _plain(each.code) == _plain(wanted.code)), None)
    if coded is not None:
        return _serves(wanted, coded)
    if any(_plain(each.name) == _plain(wanted.name) for each in standing):
        return _taken(wanted, "another account has this name, and names are unique", "use that account's code")
    before = [each.operation.revision for each in opened if each.operation.host_ref == wanted.code]
    gone = any(each.state in POSTED for each in opened if each.operation.host_ref == wanted.code)
    return OpenAccount(
        host_ref=wanted.code,
        reason="the chart of accounts has no such account",
        revision=max(before, default=1) + gone,
        account=wanted.document(),
    )


def _serves(wanted: WantedAccount, found: Account) -> Action | Finding | None:
    """What is still to do so that *found*, which has the code already, may serve as the account *wanted*."""
    if found.status != AccountStatus.ACTIVE:
        return _taken(wanted, f"the account of this code is {found.status}, not ACTIVE", "restore it in Xero")
    if not wanted.takes_payments and wanted.type is not AccountType.BANK:
        if found.type == wanted.type:
            return None
        return _taken(wanted, f"the account of this code is of type {found.type}, not {wanted.type}")
    choice = clearing_choice(found)
    if found.type not in _PLACES or choice.answer is Eligibility.REFUSED:
        return _taken(wanted, f"the account of this code cannot serve: {choice.reason}")
    if choice.answer is Eligibility.ELIGIBLE:
        return None
    account_id = found.account_id or AccountId("")
    return EnablePayments(host_ref=account_id, reason=choice.reason, account_id=account_id)


def _taken(wanted: WantedAccount, cause: str, instead: str | None = None) -> Finding:
    other = "choose another code and name"
    return Finding(
        code="account not opened",
        about=wanted.code,
        cause=cause,
        fix=f"{instead}, or {other}" if instead else other,
        who="the bookkeeper" if instead else "you",
        retry=True,
    )


def _plain(text: str | None) -> str:
    return (text or "").strip().lower()
