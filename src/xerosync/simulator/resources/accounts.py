"""/Accounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import evolve

from xerosync.simulator.books import Books
from xerosync.simulator.entities import Account
from xerosync.simulator.given import Given
from xerosync.simulator.query import Id, Names, Value
from xerosync.simulator.refusals import Invalid, NotThere
from xerosync.simulator.resources.call import Answer, Call, echo, invalid, no_id, only, refused, write_each
from xerosync.simulator.resources.listing import Listing, listed
from xerosync.simulator.resources.route import SETTINGS, Route
from xerosync.simulator.rules import accounts as rules
from xerosync.simulator.wire import Row, stamp

_getters: Final[dict[str, Callable[[Account], Value]]] = {
    "accountid": lambda one: Id(one.id),
    "code": lambda one: one.code or None,
    "name": lambda one: one.name,
    "type": lambda one: one.type,
    "class": lambda one: one.account_class,
    "status": lambda one: one.status,
    "taxtype": lambda one: one.tax_type,
    "systemaccount": lambda one: one.system or None,
    "enablepaymentstoaccount": lambda one: one.enable_payments,
    "description": lambda one: one.description or None,
    "bankaccounttype": lambda one: one.bank_type or None,
    "currencycode": lambda one: one.currency or None,
}
_LISTING: Final = Listing(
    "Accounts", Names("Account", _getters), paged=False, sort=lambda account: (account.code, account.id)
)


def get_many(call: Call) -> Answer:
    """GET /Accounts: never paged, archived ones included (F 4.05, 6.16)."""
    books = call.books

    def shown(account: Account) -> Row:
        return account_row(books, account)

    return listed(call, _LISTING, lambda: books.accounts, shown=shown, light=shown)


def get_one(call: Call, key: str) -> Answer:
    """GET /Accounts/{AccountID}."""
    return Answer({"Accounts": [account_row(call.books, _found(call.books, key))]})


def create(call: Call) -> Answer:
    """PUT /Accounts: one."""
    return _write(call, lambda given: rules.create(call.books, given))


def update(call: Call, key: str) -> Answer:
    """POST /Accounts/{AccountID}; a change of Status comes alone (F 6.17)."""
    account = _found(call.books, key)
    return _write(call, lambda given: rules.update(call.books, account, given))


def delete(call: Call, key: str) -> Answer:
    """DELETE /Accounts/{AccountID}."""
    account = _found(call.books, key)
    try:
        rules.refuse_used(call.books, account)
    except Invalid as fault:
        return invalid([refused(account_row(call.books, account), fault)])
    call.books.accounts.put(evolve(account, status="DELETED", updated_ms=call.books.write_stamp()))
    return Answer({"Accounts": [account_row(call.books, call.books.accounts[account.id])]})


def _write(call: Call, write: Callable[[Given], Account]) -> Answer:
    elements = [only(call.given("Accounts"))]
    return write_each(
        call,
        "Accounts",
        elements,
        write=write,
        shown=lambda account: account_row(call.books, account),
        failed=lambda given: no_id("AccountID") | echo(given) | {"HasValidationErrors": True},
    )


def _found(books: Books, key: str) -> Account:
    account = books.accounts.get(key.lower())
    if account is None:
        raise NotThere
    return account


_REPORTING: Final = {
    "ASSET": ("ASS", "Assets"),
    "LIABILITY": ("LIA", "Liabilities"),
    "EQUITY": ("EQU", "Equity"),
    "EXPENSE": ("EXP", "Expense"),
    "REVENUE": ("REV", "Revenue"),
}


def account_row(books: Books, account: Account) -> Row:
    """An account; SystemAccount and the bank fields only where there are any (F 6.12, 6.13)."""
    row: Row = {"AccountID": account.id}
    if account.code:
        row["Code"] = account.code
    row |= {"Name": account.name, "Status": account.status, "Type": account.type, "TaxType": account.tax_type}
    if account.description:
        row["Description"] = account.description
    row["Class"] = account.account_class
    if account.system:
        row["SystemAccount"] = account.system
    row["EnablePaymentsToAccount"] = account.enable_payments
    row["ShowInExpenseClaims"] = account.show_in_expense_claims
    if account.type == "BANK":
        row["BankAccountNumber"] = account.bank_number
        row["BankAccountType"] = account.bank_type
        row["CurrencyCode"] = account.currency
    code, name = _REPORTING[account.account_class]
    return row | {
        "ReportingCode": code,
        "ReportingCodeName": name,
        "HasAttachments": books.has_attachments(account.id),
        "UpdatedDateUTC": stamp(account.updated_ms),
        "AddToWatchlist": False,
    }


ROUTES: Final = (
    Route(("accounts",), SETTINGS, SETTINGS, plain={"GET": get_many, "PUT": create}),
    Route(
        ("accounts", "{}"),
        SETTINGS,
        SETTINGS,
        by_id={"GET": get_one, "POST": update, "DELETE": delete},
    ),
)
