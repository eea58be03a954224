"""What Xero would refuse of a document, found before it is sent: pure, from what the mirror holds (row 88)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from attrs import frozen

from xerosync.engine.plans import Finding
from xerosync.engine.reference import NO_TAX, Coding, Reference, key
from xerosync.models import (
    Account,
    AccountClass,
    AccountStatus,
    AccountType,
    DocumentStatus,
    Invoice,
    InvoiceType,
    LineItem,
    LineTracking,
    OrganisationPlan,
    TaxRate,
    TaxRateStatus,
    TrackingStatus,
)
from xerosync.money import Money

BOOKKEEPER: Final = "the bookkeeper"

_CONTROL: Final = frozenset({"DEBTORS", "CREDITORS"})
_NO_INVOICES: Final = frozenset(
    {OrganisationPlan.LEDGER, OrganisationPlan.GST_CASHBOOK, OrganisationPlan.NON_GST_CASHBOOK}
)


def faults(about: str, document: Coding, reference: Reference, worth: Money | None) -> list[Finding]:
    """
    All that Xero would refuse of *document*: each a finding that names the field and says what to do.

    What was not read is not checked: Xero checks it.
    """
    check = _Check(about, document, reference, worth)
    return [*check.document_itself(), *check.lines()]


def lock_fault(about: str, dated: date | None, reference: Reference, worth: Money | None) -> Finding | None:
    """The finding on a document that is *dated* on no day, as its own lies in closed books."""
    return reference.open_books.finding(about, worth) if dated is None else None


@frozen
class _Check:
    """One document under the eye of what it may refer to."""

    about: str
    document: Coding
    reference: Reference
    worth: Money | None

    def document_itself(self) -> Iterator[Finding]:
        """Its currency, and whether the plan has such documents."""
        currency = self.document.currency_code
        if self.reference.currencies is not None and currency is not None and currency not in self.reference.currencies:
            yield self._finding(
                "currency not open",
                f"currency: the organisation keeps no books in {currency} (F 6.69)",
                "add the currency in Xero",
                who=BOOKKEEPER,
            )
        if isinstance(self.document, Invoice) and self.reference.plan in _NO_INVOICES:
            is_sale = self.document.type == InvoiceType.ACCREC
            instead = "" if is_sale else "submit it as card spend, or "
            yield self._finding(
                "not in the plan",
                f"the organisation's plan, {self.reference.plan}, has no {'invoices' if is_sale else 'bills'} (F 6.04)",
                f"{instead}have the plan changed at Xero",
                who=BOOKKEEPER,
            )

    def lines(self) -> Iterator[Finding]:
        """Each line's account, tax, item and tracking."""
        for number, line in enumerate(self.document.line_items):
            place = f"lines[{number}]"
            yield from self._account(place, line)
            yield from self._tax(place, line)
            yield from self._item(place, line)
            for each in line.tracking:
                yield from self._tracking(place, each)

    def _finding(self, code: str, cause: str, fix: str, who: str = "you") -> Finding:
        return Finding(code=code, about=self.about, cause=cause, fix=fix, who=who, retry=True, worth=self.worth)

    def _account(self, place: str, line: LineItem) -> Iterator[Finding]:
        if line.account_code is None and line.account_id is None and line.item_code is None:
            if self.document.status == DocumentStatus.DRAFT:
                return
            yield self._finding(
                "no account",
                f"{place}.account: the line says none, no rule is about it, and there is no default (F 6.62)",
                "choose an account for the line, a rule for it, or a default: Rules(…, default=…)",
            )
        elif line.account_code is not None and self.reference.accounts is not None:
            cause = _misfit(line.account_code, self.reference.account(line.account_code))
            if cause:
                yield self._finding(
                    "account does not fit",
                    f"{place}.account: {cause}",
                    "choose another account, or restore this one in Xero, then submit again",
                )

    def _tax(self, place: str, line: LineItem) -> Iterator[Finding]:
        if line.tax_type is None or key(line.tax_type) == key(NO_TAX) or self.reference.tax_rates is None:
            return
        rate, account = self.reference.tax_rate(line.tax_type), self.reference.account(line.account_code)
        cause = ""
        if rate is None:
            cause = f"the organisation has no tax {line.tax_type} (F 6.167)"
        elif rate.status not in {None, TaxRateStatus.ACTIVE}:
            cause = f"the tax {line.tax_type} is {rate.status} (F 6.167)"
        elif account is not None and not applies(rate, account.account_class):
            cause = (
                f"{line.tax_type} cannot be used with account {line.account_code}, a {account.account_class} account"
            )
            cause += " (F 6.169)"
        if cause:
            yield self._finding(
                "tax does not fit",
                f"{place}.tax_type: {cause}",
                "choose a tax type that fits the account, or none: then the account's own is taken",
            )

    def _item(self, place: str, line: LineItem) -> Iterator[Finding]:
        if (
            line.item_code is not None
            and self.reference.items is not None
            and key(line.item_code) not in self.reference.items
        ):
            yield self._finding(
                "item unknown",
                f"{place}.item: the organisation has no item {line.item_code}",
                "add the item in Xero, or leave it out",
            )

    def _tracking(self, place: str, wanted: LineTracking) -> Iterator[Finding]:
        if self.reference.tracking is None or wanted.name is None:
            return
        category = self.reference.tracking.get(key(wanted.name))
        options = {key(each.name): each for each in category.options} if category is not None else {}
        option = options.get(key(wanted.option))
        cause = ""
        if category is None or category.status != TrackingStatus.ACTIVE:
            cause = f"the organisation has no active tracking category {wanted.name}"
        elif option is None or option.status not in {None, TrackingStatus.ACTIVE}:
            cause = f"{wanted.name} has no active option {wanted.option}"
        if cause:
            yield self._finding(
                "tracking does not fit",
                f"{place}.tracking: {cause} (F 6.171)",
                "choose an active option, or add it in Xero",
            )


def _misfit(code: str, account: Account | None) -> str:
    """Why lines cannot be coded to *account*; blank where they can."""
    if account is None:
        return f"the chart of accounts has no account {code} (F 6.18)"
    if account.status != AccountStatus.ACTIVE:
        return f"account {code} is {account.status} (F 6.18)"
    if account.type == AccountType.BANK:
        return f"account {code} is a bank account, which no line may name (F 6.20)"
    if account.system_account in _CONTROL:
        return f"account {code} is a control account, which no line may name (F 6.20)"
    return ""


def applies(rate: TaxRate, account_class: AccountClass | None) -> bool:
    """Whether *rate* may be used on accounts of this class; where Xero does not say, it may."""
    may = {
        AccountClass.ASSET: rate.can_apply_to_assets,
        AccountClass.EQUITY: rate.can_apply_to_equity,
        AccountClass.EXPENSE: rate.can_apply_to_expenses,
        AccountClass.LIABILITY: rate.can_apply_to_liabilities,
        AccountClass.REVENUE: rate.can_apply_to_revenue,
    }
    return account_class is None or may.get(account_class) is not False
