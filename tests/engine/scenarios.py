"""One scenario for each kind of write in the engine's table: what is planned, and what the books must hold then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from attrs import frozen
from tests.conftest import BANK, CLEARING, DAY, Product, nzd

from xerosync import (
    Bill,
    BillFile,
    BillLine,
    BillPayment,
    BillSettings,
    CardSpend,
    Customer,
    Fee,
    HistoryNotes,
    Ledger,
    LineKind,
    Payables,
    Plan,
    Receivables,
    Sale,
    SaleLine,
    Settlement,
    SettlementLine,
    SettlementSettings,
    Surplus,
    WantedAccount,
    Xero,
)
from xerosync.models import AccountCode

Holding = Mapping[str, object]


@frozen
class Scenario:
    """
    A story that ends in one kind of write. *method* and *path* find its call.

    *arrange* does all that comes before; *plan* plans that write alone, and nothing once it was done; *expected* is
    what *held* reads from the books then.
    """

    kind: str
    method: str
    path: str
    arrange: Callable[[Product], None]
    plan: Callable[[Product, Xero], Plan]
    held: Callable[[Product], Holding]
    expected: Holding


def paper(bill_id: str, amount: str) -> Bill:
    line = BillLine(description="paper", amount=nzd(amount), account=AccountCode("429"))
    return Bill(id=bill_id, vendor="Paper Ltd", number=bill_id, on=DAY, lines=[line])


def receipt(amount: str) -> CardSpend:
    line = BillLine(description="taxi", amount=nzd(amount), account=AccountCode("429"))
    return CardSpend(id="s", vendor="Taxi", on=DAY, account=BANK, lines=[line])


def collected(transaction: str) -> Settlement:
    return Settlement(id="S1", on=DAY, lines=[SettlementLine(id="L1", transaction=transaction, amount=nzd("40.00"))])


def charged_back(transaction: str) -> Settlement:
    line = SettlementLine(id="B1", transaction=transaction, amount=nzd("40.00"), kind=LineKind.CHARGED_BACK)
    return Settlement(id="S2", on=DAY, lines=[line])


def paid_out(transaction: str) -> Settlement:
    line = SettlementLine(id="L1", transaction=transaction, amount=nzd("40.00"))
    return Settlement(id="S1", on=DAY, lines=[line], fees=[Fee(amount=nzd("1.00"))], paid_out_on=DAY)


def refunded(transaction: str) -> Settlement:
    line = SettlementLine(id="R1", transaction=transaction, amount=nzd("10.00"), kind=LineKind.REFUNDED)
    return Settlement(id="S3", on=DAY, lines=[line])


def too_much(transaction: str) -> Settlement:
    line = SettlementLine(id="L1", transaction=transaction, amount=nzd("130.00"))
    return Settlement(id="S1", on=DAY, lines=[line])


def _submit(product: Product, *bills: Bill) -> None:
    purchases = Payables(product.xero())
    purchases.apply(purchases.submit(bills))


def _spend(product: Product, *spends: CardSpend) -> None:
    purchases = Payables(product.xero())
    purchases.apply(purchases.spend(spends))


NOTED: Final = BillSettings(notes=HistoryNotes(by="Acme"))


def _submit_without_its_note(product: Product) -> None:
    purchases = Payables(product.xero(), bills=NOTED)
    purchases.apply(purchases.submit([paper("b", "10.00")]).only(lambda action: action.kind != "note"))


def _noted(product: Product) -> Holding:
    (bill,) = product.books.invoices
    told = [each.details.partition(" (")[0] for each in product.books.history_of(bill.id)]
    return {"notes": [each for each in told if each.startswith("Acme")]}


def sale(amount: str) -> Sale:
    line = SaleLine(description="dues", amount=nzd(amount), account=AccountCode("200"))
    return Sale(id="s", customer="ana", on=DAY, lines=[line])


def _sell(product: Product) -> None:
    product.books.add_contact("Ana")
    sales = Receivables(product.xero())
    sales.apply(sales.match([Customer(id="ana", custom_identifier="Ana")]))
    sales.apply(sales.submit([sale("10.00")]))


def billable(customer: str) -> Bill:
    line = BillLine(description="paper", amount=nzd("10.00"), account=AccountCode("429"), billable_to=customer)
    return Bill(id="b", vendor="Paper Ltd", number="b", on=DAY, lines=[line])


def _submit_billable(product: Product) -> None:
    product.books.add_contact("Ana")
    sales = Receivables(product.xero())
    sales.apply(sales.match([Customer(id="ana", custom_identifier="Ana")]))
    _submit(product, billable("ana"))


def _mark_billable(product: Product) -> None:
    _submit_billable(product)
    purchases = Payables(product.xero())
    purchases.apply(purchases.mark_billable([billable("ana")]))


def _charged(product: Product) -> Holding:
    names = {each.id: each.name for each in product.books.contacts}
    linked = product.books.linked_transactions
    return {"charged": [(names[each.contact_id], product.books.linked_status(each.id)) for each in linked]}


def _import_sale(product: Product) -> None:
    product.collectable("100.00")


def _collect(product: Product) -> None:
    invoice = product.collectable("100.00")
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    sales.apply(sales.settle(collected(invoice.id)))


def _sales(xero: Xero, clearing: str = CLEARING) -> Receivables:
    return Receivables(
        xero,
        clearing_account=clearing,
        settlements=SettlementSettings(
            bank_account=BANK,
            fee_account="404",
            charge_back_account="850",
            provider="Collections Ltd",
            surplus=Surplus.PARK,
        ),
    )


def _collect_reconciled(product: Product) -> None:
    _collect(product)
    product.books.reconcile_payment(product.live_payments()[0].id)


def _without_a_bank(product: Product) -> str:
    if all(each.code != "650" for each in product.books.accounts):
        product.books.add_account("650", "Clearing", type="CURRENT", enable_payments=True)
    return "650"


def _collect_too_much(product: Product, clearing: str = CLEARING) -> None:
    sales = _sales(product.xero(), clearing)
    sales.apply(sales.settle(too_much(product.collectable("100.00").id)))


def _pay_as_one_sum(product: Product) -> None:
    _submit(product, paper("b", "10.00"), paper("c", "20.00"))
    purchases = Payables(product.xero(), payment_account=BANK)
    parts = [BillPayment(id=f"p-{each}", bill_id=each, on=DAY, amount=nzd("3.00")) for each in ("b", "c")]
    purchases.apply(purchases.pay(parts, batch=True))


def _pay_out(product: Product) -> None:
    _import_sale(product)
    sales = _sales(product.xero())
    sales.apply(sales.settle(paid_out(_sale(product))))


def _collect_too_much_and_owe_again(product: Product) -> None:
    _collect_too_much(product)
    product.collectable("40.00")


def _all_back(transaction: str) -> Settlement:
    line = SettlementLine(id="B1", transaction=transaction, amount=nzd("130.00"), kind=LineKind.CHARGED_BACK)
    return Settlement(id="S2", on=DAY, lines=[line])


def _balances(product: Product) -> Holding:
    codes = [each.code for each in product.books.accounts if each.code in {BANK, CLEARING, "404", "610", "650", "850"}]
    held = {code: product.books.balance(product.books.account(code).id) for code in codes}
    return {code: amount for code, amount in held.items() if amount}


def _sale(product: Product) -> str:
    return next(each.id for each in product.books.invoices if each.type == "ACCREC")


def _paid(product: Product) -> Holding:
    return {
        "payments": [(each.amount, each.status) for each in product.books.payments],
        "due": [each.amount_due for each in product.books.invoices],
    }


def _documents(product: Product) -> Holding:
    return {
        "contacts": [each.name for each in product.books.contacts],
        "documents": [(each.type, each.total) for each in [*product.books.invoices, *product.books.credit_notes]],
    }


def _settled(product: Product) -> Holding:
    return {
        "allocations": [each.amount for each in product.books.allocations],
        "refunds": [each.amount for each in product.live_payments()],
        "statuses": {each.status for each in product.books.credit_notes},
    }


def _attached(product: Product) -> Holding:
    (bill,) = product.books.invoices
    files = product.books.attachments_of(bill.id)
    return {"files": [(each.name, product.books.attachment_content(each.id)) for each in files]}


def _ended(product: Product) -> Holding:
    documents = [*product.books.invoices, *product.books.credit_notes]
    return {"ended": [(each.number, each.status) for each in documents]}


def _nothing(product: Product) -> None:
    """The story begins with this write."""
    assert product.books.contacts == ()


def _opened(product: Product) -> Holding:
    return {
        "opened": [(each.code, each.type) for each in product.books.accounts if each.name == "Collections clearing"]
    }


SCENARIOS: Final = (
    Scenario(
        "new_account",
        "PUT",
        "/Accounts",
        _nothing,
        lambda _, xero: Receivables(xero).open_accounts([WantedAccount.clearing("690", "Collections clearing")]),
        _opened,
        {"opened": [("690", "CURRENT")]},
    ),
    Scenario(
        "account",
        "POST",
        "/Accounts/",
        _nothing,
        lambda _, xero: Receivables(xero, clearing_account="620").prepare(),
        lambda product: {"enabled": product.books.account("620").enable_payments},
        {"enabled": True},
    ),
    Scenario(
        "contact",
        "PUT",
        "/Contacts",
        _nothing,
        lambda _, xero: Payables(xero).submit([paper("b", "10.00")]),
        _documents,
        {"contacts": ["Paper Ltd"], "documents": [("ACCPAY", Decimal(10))]},
    ),
    Scenario(
        "bill",
        "PUT",
        "/Invoices",
        _nothing,
        lambda _, xero: Payables(xero).submit([paper("b", "10.00")]),
        _documents,
        {"contacts": ["Paper Ltd"], "documents": [("ACCPAY", Decimal(10))]},
    ),
    Scenario(
        "credit_note",
        "PUT",
        "/CreditNotes",
        _nothing,
        lambda _, xero: Payables(xero).submit([paper("c", "-10.00")]),
        _documents,
        {"contacts": ["Paper Ltd"], "documents": [("ACCPAYCREDIT", Decimal(10))]},
    ),
    Scenario(
        "allocation",
        "PUT",
        "/Allocations",
        lambda product: _submit(product, paper("b", "10.00"), paper("c", "-4.00")),
        lambda _, xero: Payables(xero, payment_account=BANK).settle_credits(),
        _settled,
        {"allocations": [Decimal(4)], "refunds": [], "statuses": {"PAID"}},
    ),
    Scenario(
        "refund",
        "PUT",
        "/Payments",
        lambda product: _submit(product, paper("c", "-4.00")),
        lambda _, xero: Payables(xero, payment_account=BANK).settle_credits(),
        _settled,
        {"allocations": [], "refunds": [Decimal(4)], "statuses": {"PAID"}},
    ),
    Scenario(
        "payment",
        "PUT",
        "/Payments",
        _import_sale,
        lambda product, xero: Receivables(xero, clearing_account=CLEARING).settle(collected(_sale(product))),
        _paid,
        {"payments": [(Decimal(40), "AUTHORISED")], "due": [Decimal(60)]},
    ),
    Scenario(
        "payment",
        "PUT",
        "/Payments",
        lambda product: _submit(product, paper("b", "10.00")),
        lambda _, xero: Payables(xero, payment_account=BANK).pay(
            [BillPayment(id="p", bill_id="b", on=DAY, amount=nzd("3.00"))]
        ),
        _paid,
        {"payments": [(Decimal(3), "AUTHORISED")], "due": [Decimal(7)]},
    ),
    Scenario(
        "batch_payment",
        "PUT",
        "/BatchPayments",
        lambda product: _submit(product, paper("b", "10.00"), paper("c", "20.00")),
        lambda _, xero: Payables(xero, payment_account=BANK).pay(
            [BillPayment(id=f"p-{each}", bill_id=each, on=DAY, amount=nzd("3.00")) for each in ("b", "c")], batch=True
        ),
        _paid,
        {"payments": [(Decimal(3), "AUTHORISED")] * 2, "due": [Decimal(7), Decimal(17)]},
    ),
    Scenario(
        "bank_transaction",
        "PUT",
        "/BankTransactions",
        _import_sale,
        lambda product, xero: _sales(xero).settle(paid_out(_sale(product))),
        _balances,
        {BANK: Decimal(39), "404": Decimal(1), "610": Decimal(60)},
    ),
    Scenario(
        "transfer",
        "PUT",
        "/BankTransfers",
        _import_sale,
        lambda product, xero: _sales(xero).settle(paid_out(_sale(product))),
        _balances,
        {BANK: Decimal(39), "404": Decimal(1), "610": Decimal(60)},
    ),
    Scenario(
        "sale",
        "PUT",
        "/Invoices",
        _collect_reconciled,
        lambda product, xero: _sales(xero).settle(charged_back(_sale(product))),
        _balances,
        {"610": Decimal(100)},
    ),
    Scenario(
        "sale_credit",
        "PUT",
        "/CreditNotes",
        _collect,
        lambda product, xero: _sales(xero).settle(refunded(_sale(product))),
        _balances,
        {CLEARING: Decimal(30), "610": Decimal(60)},
    ),
    Scenario(
        "bank_transaction_removal",
        "POST",
        "/BankTransactions/",
        _collect_too_much,
        lambda product, xero: _sales(xero).settle(_all_back(_sale(product))),
        _balances,
        {"610": Decimal(100)},
    ),
    Scenario(
        "credit_note_voiding",
        "POST",
        "/CreditNotes/",
        lambda product: _collect_too_much(product, _without_a_bank(product)),
        lambda product, xero: _sales(xero, "650").settle(_all_back(_sale(product))),
        _balances,
        {"610": Decimal(100)},
    ),
    Scenario(
        "removal",
        "POST",
        "/Payments/",
        _collect,
        lambda product, xero: Receivables(xero, clearing_account=CLEARING).settle(charged_back(_sale(product))),
        _paid,
        {"payments": [(Decimal(40), "DELETED")], "due": [Decimal(100)]},
    ),
    Scenario(
        "batch_payment_removal",
        "POST",
        "/BatchPayments/",
        _pay_as_one_sum,
        lambda _, xero: Ledger(xero).undo(Ledger(xero).why("p-b").lines[0].run),
        _paid,
        {"payments": [(Decimal(3), "DELETED")] * 2, "due": [Decimal(10), Decimal(20)]},
    ),
    Scenario(
        "transfer_removal",
        "POST",
        "/BankTransfers/",
        _pay_out,
        lambda product, xero: (
            _sales(xero)
            .undo_settlement(paid_out(_sale(product)))
            .only(lambda action: action.kind == "transfer_removal")
        ),
        _balances,
        {CLEARING: Decimal(39), "404": Decimal(1), "610": Decimal(60)},
    ),
    Scenario(
        "bill_edit",
        "POST",
        "/Invoices",
        lambda product: _submit(product, paper("b", "10.00")),
        lambda _, xero: Payables(xero).update([paper("b", "12.00")]),
        _documents,
        {"contacts": ["Paper Ltd"], "documents": [("ACCPAY", Decimal(12))]},
    ),
    Scenario(
        "credit_note_edit",
        "POST",
        "/CreditNotes",
        lambda product: _submit(product, paper("c", "-10.00")),
        lambda _, xero: Payables(xero).update([paper("c", "-12.00")]),
        _documents,
        {"contacts": ["Paper Ltd"], "documents": [("ACCPAYCREDIT", Decimal(12))]},
    ),
    Scenario(
        "bank_transaction_edit",
        "POST",
        "/BankTransactions",
        lambda product: _spend(product, receipt("8.00")),
        lambda _, xero: Payables(xero).update([receipt("9.00")]),
        _balances,
        {BANK: Decimal(-9)},
    ),
    Scenario(
        "bill_voiding",
        "POST",
        "/Invoices/",
        lambda product: _submit(product, paper("b", "10.00")),
        lambda _, xero: Payables(xero).void(["b"]),
        _ended,
        {"ended": [("b", "VOIDED")]},
    ),
    Scenario(
        "credit_note_voiding",
        "POST",
        "/CreditNotes/",
        lambda product: _submit(product, paper("c", "-10.00")),
        lambda _, xero: Payables(xero).void(["c"]),
        _ended,
        {"ended": [("c", "VOIDED")]},
    ),
    Scenario(
        "attachment",
        "PUT",
        "/Attachments/",
        lambda product: _submit(product, paper("b", "10.00")),
        lambda _, xero: Payables(xero).attach([BillFile(bill_id="b", name="scan.pdf", content=b"%PDF paper")]),
        _attached,
        {"files": [("scan.pdf", b"%PDF paper")]},
    ),
    Scenario(
        "billable_expense",
        "PUT",
        "/LinkedTransactions",
        _submit_billable,
        lambda _, xero: Payables(xero).mark_billable([billable("ana")]),
        _charged,
        {"charged": [("Ana", "APPROVED")]},
    ),
    Scenario(
        "billable_expense_removal",
        "DELETE",
        "/LinkedTransactions/",
        _mark_billable,
        lambda _, xero: Payables(xero).mark_billable([billable("")]),
        _charged,
        {"charged": []},
    ),
    Scenario(
        "sale_edit",
        "POST",
        "/Invoices",
        _sell,
        lambda _, xero: Receivables(xero).update([sale("12.00")]),
        _documents,
        {"contacts": ["Ana"], "documents": [("ACCREC", Decimal(12))]},
    ),
    Scenario(
        "sale_voiding",
        "POST",
        "/Invoices/",
        _sell,
        lambda _, xero: Receivables(xero).void(["s"]),
        lambda product: {"ended": [each.status for each in product.books.invoices]},
        {"ended": ["VOIDED"]},
    ),
    Scenario(
        "overpayment_allocation",
        "PUT",
        "/Overpayments/",
        _collect_too_much_and_owe_again,
        lambda _, xero: _sales(xero).allocate(),
        _paid,
        {"payments": [(Decimal(100), "AUTHORISED")], "due": [Decimal(0), Decimal(10)]},
    ),
    Scenario(
        "note",
        "PUT",
        "/History",
        _submit_without_its_note,
        lambda _, xero: Payables(xero, bills=NOTED).submit([paper("b", "10.00")]),
        _noted,
        {"notes": ["Acme posted it: bill b"]},
    ),
)
