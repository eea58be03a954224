"""Rules of spend and receive money, the over- and prepayments that come with them, and transfers (F 6.150–6.157)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final
from urllib.parse import urlsplit

from attrs import evolve

from xerosync.simulator.books import Books
from xerosync.simulator.entities import Account, BankTransaction, BankTransfer, Document, Line
from xerosync.simulator.given import Given
from xerosync.simulator.refusals import Invalid
from xerosync.simulator.rules import contacts
from xerosync.simulator.rules.dates import refuse_locked, refuse_locked_edit
from xerosync.simulator.rules.documents import LINE_AMOUNT_TYPES, Wish, day_rate
from xerosync.simulator.rules.lines import LineSetting, draft_all, sums

TYPES: Final = (
    "SPEND", "RECEIVE", "SPEND-OVERPAYMENT", "RECEIVE-OVERPAYMENT", "SPEND-PREPAYMENT", "RECEIVE-PREPAYMENT",
)  # fmt: skip
_CENT: Final = Decimal("0.01")
_SMALLEST_RATE: Final = Decimal("0.000001")
_RECONCILED: Final = "This Bank Transaction cannot be edited as it has been reconciled with a Bank Statement."
_APPLIED: Final = "This Bank Transaction cannot be edited as its {kind} has been allocated or refunded."


def save(wish: Wish) -> BankTransaction:
    """Create a bank transaction, or change the one whose id is given. Raises `Invalid`."""
    transaction_id = wish.given.id("BankTransactionID")
    if not transaction_id:
        return create(wish)
    old = wish.books.bank_transactions.get(transaction_id)
    if old is None:
        raise Invalid("An existing Bank Transaction with the specified BankTransactionID could not be found")
    return update(wish, old)


def create(wish: Wish) -> BankTransaction:
    """Create a bank transaction, which stands in the ledger at once (F 6.152). Raises `Invalid`."""
    given, books = wish.given, wish.books
    kind = given.text("Type").strip().upper()
    if kind not in TYPES:
        raise Invalid("BankTransaction not of valid type for creation")
    if given.text("Status").strip().upper() not in {"", "AUTHORISED"}:
        raise Invalid("BankTransaction not of valid status for creation")
    account = bank_account(books, given.one("BankAccount"), "BankAccount")
    contact = given.one("Contact")
    if contact is None or not contact.names:
        raise Invalid("A Contact must be specified for this type of transaction")
    on = given.day("Date") or books.today()
    refuse_locked(books, on)
    fresh = BankTransaction(
        id=books.draw(),
        type=kind,
        account_id=account.id,
        contact_id=contacts.for_document(books, contact).id,
        date=on,
        status="AUTHORISED",
        line_amount_types=_line_amount_types(given, kind, "Exclusive"),
        lines=(),
        currency=account.currency,
        rate=_rate(wish, account),
        sub_total=Decimal(0),
        total_tax=Decimal(0),
        total=Decimal(0),
        updated_ms=books.write_stamp(),
        is_reconciled=given.flag("IsReconciled") or False,
        made_by=wish.made_by,
    )
    fresh = _with_sums(_with_texts(given, evolve(fresh, lines=_lines(wish, fresh))))
    if kind.endswith("PAYMENT"):
        fresh = evolve(fresh, credit_id=_credit(books, fresh).id)
    return books.bank_transactions.put(fresh)


def update(wish: Wish, old: BankTransaction) -> BankTransaction:
    """Change *old*, or delete it by its Status (F 6.151, 6.153). Raises `Invalid`."""
    given, books = wish.given, wish.books
    _refuse_closed(books, old)
    status = given.text("Status").strip().upper() or old.status
    if status == "DELETED":
        return delete(books, old)
    if status != "AUTHORISED":
        raise Invalid("BankTransaction not of valid status for modification")
    if given.text("Type").strip().upper() not in {"", old.type}:
        raise Invalid("The Type of a bank transaction cannot be changed")
    on = given.day("Date") or old.date
    if on != old.date:
        refuse_locked(books, on)
    changed = evolve(old, date=on, line_amount_types=_line_amount_types(given, old.type, old.line_amount_types))
    if given.has("LineItems"):
        changed = evolve(changed, lines=_lines(wish, changed))
    elif changed.line_amount_types != old.line_amount_types:
        raise Invalid("The line items must be given when LineAmountTypes changes")
    if (contact := given.one("Contact")) is not None and contact.names:
        changed = evolve(changed, contact_id=contacts.for_document(books, contact).id)
    if (flag := given.flag("IsReconciled")) is not None:
        changed = evolve(changed, is_reconciled=flag)
    changed = _with_sums(_with_texts(given, evolve(changed, updated_ms=books.write_stamp())))
    if changed.credit_id:
        credit = _credit_values(changed)
        books.documents.put(evolve(credit, id=changed.credit_id))
    return books.bank_transactions.put(changed)


def delete(books: Books, old: BankTransaction) -> BankTransaction:
    """Delete *old*; its over- or prepayment is voided. Raises `Invalid`."""
    _refuse_closed(books, old)
    return undo(books, old)


def undo(books: Books, old: BankTransaction) -> BankTransaction:
    """Take *old* back, reconciled or not, as people may. Raises `Invalid` when its date or its credit is closed."""
    _refuse_applied(books, old)
    refuse_locked_edit(books, old.date)
    stamp = books.write_stamp()
    if old.credit_id:
        books.documents.put(evolve(books.documents[old.credit_id], status="VOIDED", updated_ms=stamp))
    return books.bank_transactions.put(evolve(old, status="DELETED", updated_ms=stamp))


def transfer(books: Books, given: Given) -> BankTransfer:
    """Move money from one bank account to another (F 6.157). Raises `Invalid`."""
    from_account = bank_account(books, given.one("FromBankAccount"), "FromBankAccount")
    to_account = bank_account(books, given.one("ToBankAccount"), "ToBankAccount")
    if from_account.id == to_account.id:
        raise Invalid("The from and to bank accounts of a transfer must differ")
    amount = given.amount("Amount")
    if amount is None or amount < _CENT:
        raise Invalid("The transfer amount must be greater than zero")
    on = given.day("Date") or books.today()
    refuse_locked(books, on)
    base_currency = books.organisation.currency
    stated = given.amount("CurrencyRate") if {from_account.currency, to_account.currency} != {base_currency} else None
    rate = day_rate(books, from_account.currency) if stated is None or stated < _SMALLEST_RATE else stated
    amount = amount.quantize(_CENT, books.switches.rounding)
    stamp = books.write_stamp()
    made = BankTransfer(
        id=books.draw(),
        from_account_id=from_account.id,
        to_account_id=to_account.id,
        from_transaction_id=books.draw(),
        to_transaction_id=books.draw(),
        amount=amount,
        date=on,
        rate=rate,
        created_ms=stamp,
        updated_ms=stamp,
        reference=given.text("Reference"),
    )
    received = (amount / rate * day_rate(books, to_account.currency)).quantize(_CENT, books.switches.rounding)
    sides = (
        ("SPEND-TRANSFER", made.from_transaction_id, from_account, amount, given.flag("FromIsReconciled")),
        ("RECEIVE-TRANSFER", made.to_transaction_id, to_account, received, given.flag("ToIsReconciled")),
    )
    for kind, transaction_id, account, moved, reconciled in sides:
        side = _side(books, made, account, moved)
        side = evolve(side, id=transaction_id, type=kind, is_reconciled=reconciled or False)
        books.bank_transactions.put(side)
    return books.bank_transfers.put(made)


def remove_transfer(books: Books, old: BankTransfer, given: Given) -> BankTransfer:
    """Delete a transfer and both of its sides; nothing else can be changed of it. Raises `Invalid`."""
    if given.text("Status").strip().upper() != "DELETED":
        raise Invalid("Only Status accepted for updates.")
    if old.status == "DELETED":
        raise Invalid("This Bank Transfer has already been deleted and cannot be modified")
    sides = [books.bank_transactions[side] for side in (old.from_transaction_id, old.to_transaction_id)]
    if any(side.is_reconciled for side in sides):
        raise Invalid("This Bank Transfer cannot be deleted as it has been reconciled")
    refuse_locked_edit(books, old.date)
    stamp = books.write_stamp()
    for side in sides:
        books.bank_transactions.put(evolve(side, status="DELETED", updated_ms=stamp))
    return books.bank_transfers.put(evolve(old, status="DELETED", updated_ms=stamp))


def reconcile_transfer(books: Books, transfer: BankTransfer) -> BankTransfer:
    """Match both sides of *transfer* with lines of the banks' statements."""
    stamp = books.write_stamp()
    for side in (transfer.from_transaction_id, transfer.to_transaction_id):
        books.bank_transactions.put(evolve(books.bank_transactions[side], is_reconciled=True, updated_ms=stamp))
    return books.bank_transfers.put(evolve(transfer, updated_ms=stamp))


def bank_account(books: Books, given: Given | None, name: str) -> Account:
    """The active bank account that *given* means, by AccountID or Code. Raises `Invalid`."""
    named = given or Given({})
    account_id, code = named.id("AccountID"), named.text("Code").strip()
    if not account_id and not code:
        raise Invalid(f"A {name} must be specified by its AccountID or Code")
    account = books.accounts.get(account_id) if account_id else books.account(code)
    if account is None:
        raise Invalid("Account could not be found")
    if account.type != "BANK":
        raise Invalid(f"The {name} must be an account of type BANK")
    if account.status != "ACTIVE":
        raise Invalid(f"The {account.name} bank account is archived and cannot be used")
    return account


def _side(books: Books, made: BankTransfer, account: Account, amount: Decimal) -> BankTransaction:
    return BankTransaction(
        id="", type="", account_id=account.id, contact_id="", date=made.date, status="AUTHORISED",
        line_amount_types="NoTax", lines=(), currency=account.currency, rate=day_rate(books, account.currency),
        sub_total=amount, total_tax=Decimal(0), total=amount, updated_ms=made.updated_ms, reference=made.reference,
        transfer_id=made.id,
    )  # fmt: skip


def _refuse_closed(books: Books, old: BankTransaction) -> None:
    if old.status == "DELETED":
        raise Invalid("BankTransaction not of valid status for modification")
    if old.transfer_id:
        raise Invalid("A bank transaction that belongs to a transfer cannot be edited; edit the transfer")
    if old.is_reconciled:
        raise Invalid(_RECONCILED)
    _refuse_applied(books, old)
    refuse_locked_edit(books, old.date)


def _refuse_applied(books: Books, old: BankTransaction) -> None:
    credit = books.documents.get(old.credit_id)
    if credit is not None and (credit.paid or credit.credited):
        raise Invalid(_APPLIED.format(kind=credit.family.removesuffix("s").lower()))


def _line_amount_types(given: Given, kind: str, default: str) -> str:
    stated = given.choice("LineAmountTypes", LINE_AMOUNT_TYPES)
    return "NoTax" if kind.endswith("OVERPAYMENT") else stated or default


def _rate(wish: Wish, account: Account) -> Decimal:
    given, books = wish.given, wish.books
    currency = given.text("CurrencyCode").strip().upper()
    if currency not in {"", account.currency}:
        raise Invalid("The CurrencyCode does not match the currency of the bank account")
    stated = given.amount("CurrencyRate")
    if account.currency == books.organisation.currency or stated is None or stated < _SMALLEST_RATE:
        return day_rate(books, account.currency)
    return stated.quantize(_SMALLEST_RATE)


def _lines(wish: Wish, transaction: BankTransaction) -> tuple[Line, ...]:
    rows = wish.given.many("LineItems")
    if not rows:
        raise Invalid("One or more line items must be specified")
    control = None
    if transaction.type.endswith("OVERPAYMENT"):
        if len(rows) != 1:
            raise Invalid("An overpayment must have exactly one line item")
        accounts = wish.books.control()
        control = wish.books.accounts[accounts.debtors if transaction.is_receipt else accounts.creditors]
    setting = LineSetting(
        books=wish.books,
        line_amount_types=transaction.line_amount_types,
        strict=True,
        discounts=False,
        sale=transaction.is_receipt,
        unit_places=wish.unit_places,
        warnings=wish.warnings,
        control=control,
    )
    return draft_all(setting, rows, transaction.lines)


def _with_sums(transaction: BankTransaction) -> BankTransaction:
    found = sums(transaction.lines, transaction.line_amount_types)
    if found.total <= 0:
        raise Invalid("The total of the bank transaction must be greater than zero")
    return evolve(transaction, sub_total=found.sub_total, total_tax=found.total_tax, total=found.total)


def _with_texts(given: Given, transaction: BankTransaction) -> BankTransaction:
    url = given.text("Url") if given.has("Url") else transaction.url
    if url and not (urlsplit(url).scheme and urlsplit(url).netloc):
        raise Invalid("Url must be a valid absolute url")
    reference = given.text("Reference") if given.has("Reference") else transaction.reference
    if len(reference) > 255:
        raise Invalid("Reference must not be longer than 255 characters")
    return evolve(transaction, url=url, reference=reference)


def _credit(books: Books, transaction: BankTransaction) -> Document:
    return books.documents.put(evolve(_credit_values(transaction), id=books.draw()))


def _credit_values(transaction: BankTransaction) -> Document:
    """The over- or prepayment that *transaction* brings about."""
    return Document(
        id=transaction.credit_id,
        type=transaction.type,
        number="",
        contact_id=transaction.contact_id,
        date=transaction.date,
        status="AUTHORISED",
        line_amount_types=transaction.line_amount_types,
        lines=transaction.lines,
        currency=transaction.currency,
        rate=transaction.rate,
        sub_total=transaction.sub_total,
        total_tax=transaction.total_tax,
        total=transaction.total,
        updated_ms=transaction.updated_ms,
        reference=transaction.reference,
        made_by=transaction.made_by,
        source_id=transaction.id,
    )
