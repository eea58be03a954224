"""Rules of the chart of accounts (F 6.10–6.20)."""

from __future__ import annotations

from attrs import evolve

from xerosync.simulator.books import Books
from xerosync.simulator.entities import ACCOUNT_TYPES, Account
from xerosync.simulator.given import Given
from xerosync.simulator.refusals import Invalid


def create(books: Books, given: Given) -> Account:
    """Create an account. Raises `Invalid`."""
    kind = given.text("Type").strip().upper()
    if kind not in ACCOUNT_TYPES:
        raise Invalid("Account Type is not valid")
    fresh = Account(
        id=books.draw(),
        code="",
        name="",
        type=kind,
        tax_type="NONE",
        updated_ms=books.write_stamp(),
        bank_type=(given.text("BankAccountType") or "BANK") if kind == "BANK" else "",
        bank_number=given.text("BankAccountNumber") if kind == "BANK" else "",
        currency=(given.text("CurrencyCode").upper() or books.organisation.currency) if kind == "BANK" else "",
    )
    if fresh.currency and fresh.currency not in books.organisation.currencies:
        raise Invalid(f"Organisation is not subscribed to currency {fresh.currency}")
    if kind == "BANK" and not fresh.bank_number:
        raise Invalid("Bank account number is required")
    if kind != "BANK" and not given.text("Code").strip():
        raise Invalid("Please enter a unique Code.")
    if not given.text("Name").strip():
        raise Invalid("Please enter a unique Name.")
    return books.accounts.put(_with_fields(books, fresh, given))


def update(books: Books, account: Account, given: Given) -> Account:
    """Change *account*, or archive it; both at once is refused (F 6.17). Raises `Invalid`."""
    if account.system:
        raise Invalid("System accounts cannot be edited")
    status = given.choice("Status", ("ACTIVE", "ARCHIVED", "DELETED"))
    changed = _with_fields(books, account, given)
    if status and status != account.status:
        if changed != account:
            raise Invalid("The Status of an account cannot be changed together with other fields")
        if status == "DELETED":
            refuse_used(books, account)
        changed = evolve(account, status=status)
    return books.accounts.put(evolve(changed, updated_ms=books.write_stamp()))


def refuse_used(books: Books, account: Account) -> None:
    """Raise `Invalid` when *account* may not be deleted: Xero's own, or one that transactions name."""
    if account.system:
        raise Invalid("System accounts cannot be deleted")
    used = {payment.account_id for payment in books.payments}
    used |= {line.account_id for one in books.documents for line in one.lines}
    used |= {line.account_id for one in books.bank_transactions for line in one.lines}
    used |= {line.account_id for one in books.manual_journals for line in one.lines}
    if account.id in used or books.bank_transactions.has("account", account.id):
        raise Invalid("The account cannot be deleted as it has transactions")


def _with_fields(books: Books, account: Account, given: Given) -> Account:
    code = given.text("Code").strip() if given.has("Code") else account.code
    name = given.text("Name").strip() if given.has("Name") else account.name
    if len(code) > 10:
        raise Invalid("The Code field must be 10 characters or less.")
    if len(name) > 150:
        raise Invalid("The Name field must be 150 characters or less.")
    others = [other for other in books.accounts if other.id != account.id and other.status != "DELETED"]
    if code and any(other.code.lower() == code.lower() for other in others):
        raise Invalid("Please enter a unique Code.")
    if name and any(other.name.lower() == name.lower() for other in others):
        raise Invalid("Please enter a unique Name.")
    payable = given.flag("EnablePaymentsToAccount")
    claims = given.flag("ShowInExpenseClaims")
    tax_type = given.text("TaxType").strip().upper() or account.tax_type
    if books.tax_rates.get(tax_type) is None:
        raise Invalid(f"The TaxType code '{tax_type}' does not exist or cannot be used for this type of transaction.")
    description = given.text("Description") if given.has("Description") else account.description
    if len(description) > 4000:
        raise Invalid("The Description field must be 4000 characters or less.")
    if description and account.type == "BANK":
        raise Invalid("A description cannot be given to a bank account")
    return evolve(
        account,
        code=code,
        name=name,
        description=description,
        tax_type=tax_type,
        enable_payments=account.enable_payments if payable is None else payable,
        show_in_expense_claims=account.show_in_expense_claims if claims is None else claims,
    )
