"""Whatever happens, every journal balances, and the accounts hold what the documents say."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Protocol, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.simulator.conftest import Product, Reply, Row, invoice, make, payment, rows_of

from xerosync.simulator import Document, Simulator
from xerosync.simulator.entities import BankTransaction

AMOUNTS = st.decimals("0.01", "99.99", places=2)
UNITS = st.decimals("-5.55", "99.99", places=4)
RATES = st.sampled_from(["0.5", "0.554217", "0.61", "3"])
PLACES = st.integers(0, 99)
TYPES = st.sampled_from(["Exclusive", "Inclusive", "NoTax"])
ZERO = Decimal("0.00")
CENT = Decimal("0.01")


class WithStatus(Protocol):
    @property
    def status(self) -> str: ...


T = TypeVar("T")
S = TypeVar("S", bound=WithStatus)


class Books(RuleBasedStateMachine):
    """Calls at random, most of them allowed and some of them not; nothing but 200 and 400 may come back."""

    def __init__(self) -> None:
        super().__init__()
        self.product: Product = make()
        self.books = self.product.books
        self.books.add_currency("EUR")
        self.contacts = [self.books.add_contact(name).id for name in ("Ridgeway", "Boom FM")]
        bank = {"Code": "095", "Name": "Euros", "Type": "BANK", "BankAccountNumber": "1-2-3", "CurrencyCode": "EUR"}
        assert self.product.call("PUT", "Accounts", bank).status == 200
        self.foreign = True

    @initialize(foreign=st.booleans())
    def begin(self, foreign: bool) -> None:
        """Sometimes all of it is in base currency, where cents have no excuse."""
        self.foreign = foreign
        for currency in ("NZD", "EUR") if foreign else ("NZD",):
            for receipt in (True, False):
                self.set_up(currency, receipt=receipt)

    def set_up(self, currency: str, *, receipt: bool) -> None:
        """One of each kind to begin with, so that every rule has something to work on."""
        kind, way = ("ACCREC", "RECEIVE") if receipt else ("ACCPAY", "SPEND")
        ana, amount = self.contacts[0], Decimal("70.07")
        bank, rate = ("095" if currency == "EUR" else "090"), "0.554217"
        self.books.add_invoice(ana, amount=amount, type=kind, CurrencyCode=currency, CurrencyRate=rate)
        self.books.add_credit_note(ana, amount=amount, type=f"{kind}CREDIT", CurrencyCode=currency, CurrencyRate=rate)
        for credit in ("OVERPAYMENT", "PREPAYMENT"):
            self.books.add_bank_transaction(ana, type=f"{way}-{credit}", bank=bank, amount=amount, CurrencyRate=rate)

    def call(self, method: str, path: str, body: object = None) -> Reply:
        reply = self.product.call(method, path, body)
        assert reply.status in {200, 400}, reply.text
        return reply

    # What asks for money, and what gives credit.

    @rule(
        kind=st.sampled_from(["ACCREC", "ACCPAY", "ACCRECCREDIT", "ACCPAYCREDIT"]),
        contact=st.integers(0, 1),
        units=st.lists(st.tuples(UNITS, st.integers(1, 3)), min_size=1, max_size=3),
        types=TYPES,
        status=st.sampled_from(["DRAFT", "AUTHORISED", "AUTHORISED", "AUTHORISED"]),
        currency=st.sampled_from(["NZD", "NZD", "EUR"]),
        rate=RATES,
    )
    def write_document(
        self, *, kind: str, contact: int, units: list[tuple[Decimal, int]], types: str, status: str, currency: str,
        rate: str,
    ) -> None:  # fmt: skip
        code = "200" if kind.startswith("ACCREC") else "429"
        lines = [
            {"Description": "x", "Quantity": count, "UnitAmount": str(unit), "AccountCode": code}
            for unit, count in units
        ]
        body = invoice(self.contacts[contact], Type=kind, LineAmountTypes=types, Status=status, CurrencyCode=currency)
        path = "CreditNotes" if kind.endswith("CREDIT") else "Invoices"
        if self.foreign or currency == "NZD":
            self.call("PUT", path, body | {"LineItems": lines, "CurrencyRate": rate})

    @rule(notes=st.booleans(), place=PLACES, status=st.sampled_from(["AUTHORISED", "VOIDED", "DELETED"]))
    def change_status(self, notes: bool, place: int, status: str) -> None:
        if one := pick(self.books.credit_notes if notes else self.books.invoices, place):
            self.call("POST", f"{one.family}/{one.id}", {"Status": status})

    @rule(place=PLACES, unit=UNITS, types=TYPES, rate=RATES)
    def edit(self, place: int, unit: Decimal, types: str, rate: str) -> None:
        if one := pick(self.books.invoices, place):
            line = {"Description": "y", "Quantity": 1, "UnitAmount": str(unit), "AccountCode": "260"}
            body = {"LineItems": [line], "LineAmountTypes": types, "CurrencyRate": rate}
            self.call("POST", f"Invoices/{one.id}", body)

    # What settles them.

    @rule(place=PLACES, amount=AMOUNTS, all_of_it=st.booleans(), rate=RATES, bank=st.sampled_from(["090", "095"]))
    def pay(self, place: int, amount: Decimal, all_of_it: bool, rate: str, bank: str) -> None:
        if one := pick(unsettled(self.books.invoices), place):
            body = payment(one.id, str(one.amount_due if all_of_it else amount), Account={"Code": bank})
            self.call("PUT", "Payments", body | {"CurrencyRate": rate})

    @rule(place=PLACES, amount=AMOUNTS, all_of_it=st.booleans(), rate=RATES)
    def refund(self, place: int, amount: Decimal, all_of_it: bool, rate: str) -> None:
        if credit := pick(unsettled(self.credits()), place):
            name = credit.family.removesuffix("s")
            due = credit.amount_due if all_of_it else amount
            body = {name: {f"{name}ID": credit.id}, "Account": {"Code": "090"}, "Amount": str(due)}
            self.call("PUT", "Payments", body | {"CurrencyRate": rate})

    @rule(place=PLACES)
    def take_payment_back(self, place: int) -> None:
        if made := pick(alive(self.books.payments), place):
            self.call("POST", f"Payments/{made.id}", {"Status": "DELETED"})

    @rule(place=PLACES, count=st.integers(1, 3), all_of_it=st.booleans())
    def pay_a_batch(self, place: int, count: int, all_of_it: bool) -> None:
        due = [one for one in unsettled(self.books.invoices) if one.currency == "NZD"]
        kind = [one for one in due if one.type == due[place % len(due)].type][:count]
        rows = [
            {"Invoice": {"InvoiceID": one.id}, "Amount": str(one.amount_due if all_of_it else CENT)} for one in kind
        ]
        self.call("PUT", "BatchPayments", {"Account": {"Code": "090"}, "Payments": rows})

    @rule(place=PLACES)
    def take_a_batch_back(self, place: int) -> None:
        if batch := pick(alive(self.books.batch_payments), place):
            self.call("POST", "BatchPayments", {"BatchPaymentID": batch.id, "Status": "DELETED"})

    @rule(place=PLACES, other=PLACES, amount=AMOUNTS, all_of_it=st.booleans())
    def allocate(self, place: int, other: int, amount: Decimal, all_of_it: bool) -> None:
        credit = pick(unsettled(self.credits()), place)
        if credit is None:
            return
        fitting = [
            one for one in unsettled(self.books.invoices)
            if (one.contact_id, one.currency, one.is_sale) == (credit.contact_id, credit.currency, credit.is_sale)
        ]  # fmt: skip
        if one := pick(fitting, other):
            most = min(credit.amount_due, one.amount_due)
            body = {"Amount": str(most if all_of_it else min(amount, most)), "Invoice": {"InvoiceID": one.id}}
            self.call("PUT", f"{credit.family}/{credit.id}/Allocations", body)

    @rule(place=PLACES)
    def take_credit_back(self, place: int) -> None:
        if part := pick(self.books.allocations, place):
            family = self.books.invoice(part.credit_id).family
            self.call("DELETE", f"{family}/{part.credit_id}/Allocations/{part.id}")

    # What moves through the bank, and what an accountant posts.

    @rule(
        kind=st.sampled_from(["", "", "-OVERPAYMENT", "-PREPAYMENT"]),
        receipt=st.booleans(),
        contact=st.integers(0, 1),
        units=st.lists(st.tuples(UNITS, st.integers(1, 3)), min_size=1, max_size=2),
        types=TYPES,
        bank=st.sampled_from(["090", "091", "095"]),
        rate=RATES,
    )
    def spend_or_receive(
        self, *, kind: str, receipt: bool, contact: int, units: list[tuple[Decimal, int]], types: str, bank: str,
        rate: str,
    ) -> None:  # fmt: skip
        code = {} if kind == "-OVERPAYMENT" else {"AccountCode": "200" if receipt else "429"}
        lines = [
            {"Description": "x", "Quantity": count, "UnitAmount": str(unit), **code}
            for unit, count in (units[:1] if kind == "-OVERPAYMENT" else units)
        ]
        fields = {
            "Type": f"{'RECEIVE' if receipt else 'SPEND'}{kind}",
            "Contact": {"ContactID": self.contacts[contact]},
            "BankAccount": {"Code": bank},
            "LineAmountTypes": types,
            "LineItems": lines,
            "CurrencyRate": rate,
        }
        if self.foreign or bank != "095":
            self.call("PUT", "BankTransactions", fields)

    @rule(place=PLACES)
    def take_money_back(self, place: int) -> None:
        if one := pick(alive(self.books.bank_transactions), place):
            self.call("POST", f"BankTransactions/{one.id}", {"Status": "DELETED"})

    @rule(banks=st.permutations(["090", "091", "095"]), amount=AMOUNTS)
    def transfer(self, banks: list[str], amount: Decimal) -> None:
        fields = {"FromBankAccount": {"Code": banks[0]}, "ToBankAccount": {"Code": banks[1]}, "Amount": str(amount)}
        self.call("PUT", "BankTransfers", fields)

    @rule(place=PLACES)
    def take_a_transfer_back(self, place: int) -> None:
        if one := pick(alive(self.books.bank_transfers), place):
            self.call("POST", "BankTransfers", {"BankTransferID": one.id, "Status": "DELETED"})

    @rule(
        amount=AMOUNTS, types=TYPES, status=st.sampled_from(["DRAFT", "POSTED"]), shown=st.booleans(),
        tax=st.sampled_from(["NONE", "INPUT2"]),
    )  # fmt: skip
    def post_by_hand(self, amount: Decimal, types: str, status: str, shown: bool, tax: str) -> None:
        lines = [
            {"AccountCode": code, "LineAmount": str(part), "TaxType": rate}
            for code, part, rate in (("400", amount, tax), ("404", -amount, "NONE"))
        ]
        fields = {"Narration": "Accrual", "Status": status, "LineAmountTypes": types, "ShowOnCashBasisReports": shown}
        self.call("PUT", "ManualJournals", fields | {"JournalLines": lines})

    @rule(place=PLACES, status=st.sampled_from(["POSTED", "VOIDED", "DELETED"]))
    def change_a_journal(self, place: int, status: str) -> None:
        if one := pick(self.books.manual_journals, place):
            self.call("POST", f"ManualJournals/{one.id}", {"Status": status})

    # What must hold after each of these.

    @invariant()
    def every_journal_sums_to_zero(self) -> None:
        assert [one for one in self.books.ledger if sum(amount for _, amount in one.entries)] == []

    @invariant()
    def the_trial_balance_balances(self) -> None:
        for path in ("TrialBalance", "TrialBalance?paymentsOnly=true"):
            lines, foot = totals(self.product.call("GET", f"Reports/{path}"))

            assert [sum(column, ZERO) for column in zip(*lines, strict=True)] == (foot if lines else [])
            assert (foot[0], foot[2]) == (foot[1], foot[3])

    @invariant()
    def every_document_adds_up(self) -> None:
        for one in (*self.books.invoices, *self.credits()):
            payments = sum((made.amount for made in self.books.payments_of(one.id)), ZERO)
            parts = [part.amount for part in self.books.allocations if one.id in {part.invoice_id, part.credit_id}]
            assert (one.paid, one.credited) == (payments, sum(parts, ZERO))
            assert one.amount_due == one.total - payments - sum(parts, ZERO) >= 0
            assert one.sub_total + one.total_tax == one.total
            if one.is_posted:
                assert (one.status == "PAID") == (one.amount_due == 0) == (one.fully_paid_on is not None)

    @invariant()
    def a_batch_is_what_it_is_made_of(self) -> None:
        for batch in self.books.batch_payments:
            members = [made for made in self.books.payments if made.batch_id == batch.id]
            assert batch.total == sum(made.amount for made in members)
            assert {made.status for made in members} == {batch.status}

    @invariant()
    def control_accounts_hold_what_is_open(self) -> None:
        """Of foreign documents too, each at its own rate; one that is settled leaves nothing."""
        posted = [one for one in (*self.books.invoices, *self.credits()) if one.is_posted]
        standing = [one for one in posted if one.family != "Prepayments"]

        assert self.balance("610") == sum((sign(one) * still_open(one) for one in standing if one.is_sale), ZERO)
        assert self.balance("800") == sum((sign(one) * still_open(one) for one in standing if not one.is_sale), ZERO)

    @invariant()
    def banks_hold_what_went_through_them(self) -> None:
        for code in ("090", "091", "095"):
            bank = self.books.account(code).id
            payments = [one for one in alive(self.books.payments) if one.account_id == bank]
            moved = [into(one.type) * base(one.amount, one.rate) for one in payments]
            lines = [one for one in self.spent_or_received() if one.account_id == bank]
            moved += [(1 if one.is_receipt else -1) * base(one.total, one.rate) for one in lines]
            for one in alive(self.books.bank_transfers):
                sides = {one.to_account_id: 1, one.from_account_id: -1}
                moved.append(sides.get(bank, 0) * base(one.amount, one.rate))
            assert self.balance(code) == sum(moved, ZERO)

    @invariant()
    def the_tax_account_holds_the_tax(self) -> None:
        """Of prepayments, what has not been applied or refunded yet."""
        taxes = [-sign(one) * base(one.total_tax, one.rate) for one in self.documents() if not one.source_id]
        lines = self.spent_or_received()
        taxes += [(-1 if one.is_receipt else 1) * base(one.total_tax, one.rate) for one in lines]
        taxes += [-sign(one) * applied_tax(one) for one in self.books.prepayments if one.is_posted]
        by_hand = [one for one in self.books.manual_journals if one.status == "POSTED"]
        taxes += [line.tax for one in by_hand for line in one.lines]

        assert self.balance("820") == sum(taxes, ZERO)

    @invariant()
    def only_posted_journals_stand_in_the_ledger(self) -> None:
        """Nothing else here is coded to these two accounts."""
        for code, place in (("400", 0), ("404", 1)):
            lines = [(one, one.lines[place]) for one in self.books.manual_journals if one.status == "POSTED"]
            net = [line.amount - (line.tax if one.line_amount_types == "Inclusive" else 0) for one, line in lines]
            assert self.balance(code) == sum(net, ZERO)

    @invariant()
    def in_base_currency_nothing_is_gained_or_rounded(self) -> None:
        if not self.foreign:
            assert [self.balance(code) for code in ("499", "860")] == [ZERO, ZERO]

    def teardown(self) -> None:
        """The reports that list documents or bank accounts end where the ledger does."""
        closing: dict[str, Decimal] = {"Receivables": ZERO, "Payables": ZERO}
        for side in closing:
            for contact in self.contacts:
                reply = self.product.call("GET", f"Reports/Aged{side}ByContact?contactId={contact}")
                closing[side] += Decimal(last_cells(reply)[-1])
        assert (closing["Receivables"], closing["Payables"]) == (self.balance("610"), -self.balance("800"))
        banks = last_cells(self.product.call("GET", "Reports/BankSummary"))
        assert Decimal(banks[-1]) == sum(self.balance(code) for code in ("090", "091", "095"))
        self.product.simulator.close()

    def credits(self) -> tuple[Document, ...]:
        return (*self.books.credit_notes, *self.books.overpayments, *self.books.prepayments)

    def documents(self) -> list[Document]:
        return [one for one in (*self.books.invoices, *self.credits()) if one.is_posted]

    def spent_or_received(self) -> list[BankTransaction]:
        return [one for one in alive(self.books.bank_transactions) if not one.transfer_id]

    def balance(self, code: str) -> Decimal:
        return self.books.balance(self.books.account(code).id)


def pick(rows: Iterable[T], place: int) -> T | None:
    found = list(rows)
    return found[place % len(found)] if found else None


def alive(rows: Iterable[S]) -> list[S]:
    return [row for row in rows if row.status != "DELETED"]


def unsettled(documents: Iterable[Document]) -> list[Document]:
    return [one for one in documents if one.status == "AUTHORISED"]


def sign(one: Document) -> int:
    """Whether a document is a debit in its control account."""
    return 1 if one.is_sale != one.is_credit else -1


def into(payment_type: str) -> int:
    """Whether a payment brings money in: of a sale, or back from a supplier."""
    return 1 if payment_type == "ACCRECPAYMENT" or payment_type.startswith("AP") else -1


def base(amount: Decimal, rate: Decimal) -> Decimal:
    return (amount / rate).quantize(CENT, ROUND_HALF_UP)


def still_open(one: Document) -> Decimal:
    return base(one.total, one.rate) - base(one.paid + one.credited, one.rate)


def applied_tax(one: Document) -> Decimal:
    """The tax, in base currency, of what was applied or refunded of a prepayment."""
    if one.amount_due == 0:
        return base(one.total_tax, one.rate)
    applied = base(one.paid + one.credited, one.rate)
    return (applied * one.total_tax / one.total).quantize(CENT, ROUND_HALF_UP)


def report_rows(reply: Reply) -> list[Row]:
    sections = [row for row in rows_of(reply.one("Reports"), "Rows") if row["RowType"] == "Section"]
    return [row for section in sections for row in rows_of(section, "Rows")]


def cells(row: Row) -> list[str]:
    return [str(cell["Value"]) for cell in rows_of(row, "Cells")]


def last_cells(reply: Reply) -> list[str]:
    return cells(report_rows(reply)[-1])


def totals(reply: Reply) -> tuple[list[list[Decimal]], list[Decimal]]:
    """The figures of each account of a trial balance, and those of its foot."""
    *lines, foot = [[Decimal(value or 0) for value in cells(row)[1:]] for row in report_rows(reply)]
    return lines, foot


TestBooks = pytest.mark.rank(21, 59)(Books.TestCase)
TestBooks.settings = settings(max_examples=30, stateful_step_count=50)


def test_a_foreign_sale_that_is_paid_in_parts_leaves_nothing_behind(tmp_path: Path) -> None:
    """At 3.00 to one, two halves of 10.00 make a cent more than the whole (F 6.70)."""
    with Simulator(tmp_path / "books.xero") as simulator:
        books = simulator.add_organisation()
        books.add_currency("EUR")
        ana = books.add_contact("Ana")
        sale = books.add_invoice(ana.id, amount=Decimal("10.00"), CurrencyCode="EUR", CurrencyRate="3")
        for _ in range(2):
            books.add_payment(sale.id, account="090", amount=Decimal("5.00"))
        posted = {one.id: one for one in books.ledger}

        assert books.balance(books.account("610").id) == 0
        assert books.balance(books.account("090").id) == Decimal("3.34")

    with Simulator(tmp_path / "books.xero") as again:
        (organisation,) = again.organisations
        assert {one.id: one for one in again.bookkeeper(organisation.id).ledger} == posted
