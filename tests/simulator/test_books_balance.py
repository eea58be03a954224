"""Whatever happens, the ledger balances and every document adds up."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.simulator.conftest import Product, Reply, invoice, make, payment

from xerosync.simulator import Document

AMOUNTS = st.decimals("0.01", "99.99", places=2)
UNITS = st.decimals("-5.55", "99.99", places=4)


class Books(RuleBasedStateMachine):
    """Calls at random, most of them allowed and some of them not; nothing but 200 and 400 may come back."""

    def __init__(self) -> None:
        super().__init__()
        self.product: Product = make()
        self.product.books.add_currency("EUR")
        self.contacts = [self.product.books.add_contact(name).id for name in ("Ridgeway", "Boom FM")]

    def call(self, method: str, path: str, body: object) -> Reply:
        reply = self.product.call(method, path, body)
        assert reply.status in {200, 400}
        return reply

    def documents(self, *, notes: bool) -> tuple[Document, ...]:
        return self.product.books.credit_notes if notes else self.product.books.invoices

    @rule(
        kind=st.sampled_from(["ACCREC", "ACCPAY", "ACCRECCREDIT", "ACCPAYCREDIT"]),
        contact=st.integers(0, 1),
        units=st.lists(st.tuples(UNITS, st.integers(1, 3)), min_size=1, max_size=3),
        types=st.sampled_from(["Exclusive", "Inclusive", "NoTax"]),
        status=st.sampled_from(["DRAFT", "AUTHORISED", "AUTHORISED"]),
        currency=st.sampled_from(["NZD"] * 19 + ["EUR"]),
    )
    def write_document(
        self, *, kind: str, contact: int, units: list[tuple[Decimal, int]], types: str, status: str, currency: str
    ) -> None:
        code = "200" if kind.startswith("ACCREC") else "429"
        lines = [
            {"Description": "x", "Quantity": count, "UnitAmount": str(unit), "AccountCode": code}
            for unit, count in units
        ]
        body = invoice(self.contacts[contact], Type=kind, LineAmountTypes=types, Status=status, CurrencyCode=currency)
        path = "CreditNotes" if kind.endswith("CREDIT") else "Invoices"
        self.call("PUT", path, body | {"LineItems": lines})

    @precondition(lambda self: self.product.books.invoices)
    @rule(place=st.integers(0, 99), amount=AMOUNTS, all_of_it=st.booleans())
    def pay(self, place: int, amount: Decimal, all_of_it: bool) -> None:
        one = self.product.books.invoices[place % len(self.product.books.invoices)]
        self.call("PUT", "Payments", payment(one.id, str(one.amount_due if all_of_it else amount)))

    @precondition(lambda self: self.product.books.credit_notes)
    @rule(place=st.integers(0, 99), amount=AMOUNTS)
    def refund(self, place: int, amount: Decimal) -> None:
        note = self.product.books.credit_notes[place % len(self.product.books.credit_notes)]
        body = {"CreditNote": {"CreditNoteID": note.id}, "Account": {"Code": "091"}, "Amount": str(amount)}
        self.call("PUT", "Payments", body)

    @precondition(lambda self: self.product.books.payments)
    @rule(place=st.integers(0, 99))
    def take_payment_back(self, place: int) -> None:
        made = self.product.books.payments[place % len(self.product.books.payments)]
        self.call("POST", f"Payments/{made.id}", {"Status": "DELETED"})

    @precondition(lambda self: self.product.books.invoices and self.product.books.credit_notes)
    @rule(place=st.integers(0, 99), other=st.integers(0, 99), amount=AMOUNTS)
    def allocate(self, place: int, other: int, amount: Decimal) -> None:
        note = self.product.books.credit_notes[place % len(self.product.books.credit_notes)]
        one = self.product.books.invoices[other % len(self.product.books.invoices)]
        body = {"Amount": str(min(amount, note.amount_due, one.amount_due)), "Invoice": {"InvoiceID": one.id}}
        self.call("PUT", f"CreditNotes/{note.id}/Allocations", body)

    @precondition(lambda self: self.product.books.allocations)
    @rule(place=st.integers(0, 99))
    def take_credit_back(self, place: int) -> None:
        part = self.product.books.allocations[place % len(self.product.books.allocations)]
        self.product.call("DELETE", f"CreditNotes/{part.credit_id}/Allocations/{part.id}")

    @rule(notes=st.booleans(), place=st.integers(0, 99), status=st.sampled_from(["AUTHORISED", "VOIDED", "DELETED"]))
    def change_status(self, notes: bool, place: int, status: str) -> None:
        if documents := self.documents(notes=notes):
            one = documents[place % len(documents)]
            self.call("POST", f"{'CreditNotes' if notes else 'Invoices'}/{one.id}", {"Status": status})

    @precondition(lambda self: self.product.books.invoices)
    @rule(place=st.integers(0, 99), unit=UNITS)
    def edit(self, place: int, unit: Decimal) -> None:
        one = self.product.books.invoices[place % len(self.product.books.invoices)]
        line = {"Description": "y", "Quantity": 1, "UnitAmount": str(unit), "AccountCode": "260"}
        self.call("POST", f"Invoices/{one.id}", {"LineItems": [line]})

    @invariant()
    def the_trial_balance_balances(self) -> None:
        lines = self.product.books.trial_balance()

        assert sum(line.balance for line in lines) == 0
        assert sum(line.month for line in lines) == 0

    @invariant()
    def every_document_adds_up(self) -> None:
        books = self.product.books
        for one in (*books.invoices, *books.credit_notes):
            payments = sum((made.amount for made in books.payments_of(one.id)), Decimal(0))
            parts = [part.amount for part in books.allocations if one.id in {part.invoice_id, part.credit_id}]
            assert (one.paid, one.credited) == (payments, sum(parts, Decimal(0)))
            assert one.amount_due == one.total - payments - sum(parts, Decimal(0)) >= 0
            assert one.sub_total + one.total_tax == one.total
            if one.is_posted:
                assert (one.status == "PAID") == (one.amount_due == 0) == (one.fully_paid_on is not None)

    @invariant()
    def the_accounts_hold_what_the_documents_say(self) -> None:
        """In base currency only: foreign documents leave cents of rounding with each part payment."""
        books = self.product.books
        posted = [one for one in (*books.invoices, *books.credit_notes) if one.is_posted]
        if any(one.currency != "NZD" for one in (*books.invoices, *books.credit_notes)):
            return
        live = [made for made in books.payments if made.status == "AUTHORISED"]
        into = {made.id: 1 if made.type in {"ACCRECPAYMENT", "APCREDITPAYMENT"} else -1 for made in live}
        expected = {
            "610": sum(sign(one) * one.amount_due for one in posted if one.is_sale),
            "800": sum(sign(one) * one.amount_due for one in posted if not one.is_sale),
            "820": -sum(sign(one) * one.total_tax for one in posted),
            "090": sum(into[made.id] * made.amount for made in live if books.account("090").id == made.account_id),
            "091": sum(into[made.id] * made.amount for made in live if books.account("091").id == made.account_id),
            "860": 0,
            "499": 0,
        }

        assert {code: books.balance(books.account(code).id) for code in expected} == expected


def sign(one: Document) -> int:
    """Whether a document is a debit in its control account."""
    return 1 if one.is_sale != one.is_credit else -1


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
