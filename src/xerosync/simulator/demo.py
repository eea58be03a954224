"""Demo companies: an organisation with customers, suppliers and a history of sales, purchases and money behind it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from attrs import field, frozen

from xerosync.errors import InvalidInput
from xerosync.simulator.bookkeeper import Bookkeeper
from xerosync.simulator.books import Books
from xerosync.simulator.chart import country, iso_code
from xerosync.simulator.entities import Contact, milliseconds
from xerosync.simulator.given import Json

_CUSTOMERS: Final = (
    "Abby & Wells", "Basket Case", "Bayside Club", "Boom FM", "City Agency", "City Limousines",
    "DIISR - Small Business Services", "Hamilton Smith Ltd", "Marine Systems", "Petrie McLoud Watson & Associates",
    "Port & Philip Freight", "Rex Media Group", "Ridgeway University", "Young Bros Transport",
)  # fmt: skip
_SUPPLIERS: Final = (
    "24 Locks", "ABC Furniture", "Capital Cab Co", "Gateway Motors", "MCO Cleaning Services", "Net Connect",
    "PowerDirect", "SMART Agency", "Swanston Security", "Truxton Property Management", "Xero", "Bank of Marineville",
)  # fmt: skip
# What is sold: (text, quantity, unit price before tax).
_SOLD: Final = (
    ("Desktop/network support via email & phone, per month fixed fee", "1", "500.00"),
    ("Development work - developer onsite per day", "4", "650.00"),
    ("Training - half day workshop on Microsoft Office", "1", "480.00"),
    ("Consulting on the new booking system", "12.5", "95.00"),
    ("Printed handbook, spiral bound", "40", "19.95"),
    ("Hosting of the web site, per quarter", "3", "29.90"),
)
# What every month costs: (supplier, text, amount before tax, code of the account, day of the month).
_BOUGHT: Final = (
    ("Truxton Property Management", "Rent for the month", "1181.25", "469", 1),
    ("PowerDirect", "Electricity", "118.42", "445", 9),
    ("Net Connect", "Internet and telephone", "54.13", "489", 14),
    ("MCO Cleaning Services", "Office cleaning", "225.00", "408", 20),
    ("SMART Agency", "Advertising", "1200.00", "400", 24),
)
_SALES_A_MONTH: Final = 5
_PAYMENT_TERM: Final = timedelta(days=14)


@frozen
class DemoCompany:
    """
    One of Xero's demo companies: *country* NZ, AU, GB (or UK), US or CA, with *months* of history up to today.

    The history carries the stamps of its own days, as real demo companies do, so that a read of what changed since
    yesterday finds next to nothing (F 4.28). Raises `InvalidInput` for a country or a length that cannot be.
    """

    country: str = "NZ"
    name: str = field(kw_only=True, default="")
    months: int = field(kw_only=True, default=12)

    def __attrs_post_init__(self) -> None:
        country(self.country)
        if not 0 <= self.months <= 120:
            raise InvalidInput("months", "give a number from 0 to 120")

    @property
    def title(self) -> str:
        """The name the organisation bears."""
        code = iso_code(self.country)
        return self.name or f"Demo Company ({'UK' if code == 'GB' else code})"


def write_history(books: Books, keeper: Bookkeeper, months: int) -> None:
    """Enter contacts and *months* of documents and payments, each under the stamp of its own day."""
    story = _Story(books, keeper)
    first = _months_before(books.today(), months)
    with story.on(first):
        story.enter_contacts()
    for month in range(months):
        story.write_month(month, _months_before(books.today(), months - month), last=month >= months - 2)
    if months:
        story.write_oddities(_months_before(books.today(), 1))


class _Story:
    """The history of one demo company as it is written down."""

    def __init__(self, books: Books, keeper: Bookkeeper) -> None:
        self._books = books
        self._keeper = keeper
        self._contacts: dict[str, Contact] = {}
        self._written = 0

    @contextmanager
    def on(self, day: date) -> Generator[None]:
        """Let every write inside bear a stamp of *day*, in the order in which they come."""
        real = self._books.write_stamp
        noon = milliseconds(datetime.combine(day, time(12), UTC))
        earliest = min(noon, milliseconds(self._books.now()))

        def stamp() -> int:
            self._written += 1
            return earliest + self._written

        self._books.write_stamp = stamp
        try:
            yield
        finally:
            self._books.write_stamp = real

    def enter_contacts(self) -> None:
        """Customers with an e-mail address and suppliers with an account number."""
        for place, name in enumerate(_CUSTOMERS):
            self._contacts[name] = self._keeper.add_contact(name, email=f"accounts{place + 1}@example.com")
        for place, name in enumerate(_SUPPLIERS):
            self._contacts[name] = self._keeper.add_contact(name, AccountNumber=f"S-{place + 101}")

    def write_month(self, month: int, start: date, *, last: bool) -> None:
        """One month of sales and purchases; of the *last* ones some are still open."""
        for name, description, amount, code, day in _BOUGHT:
            self._buy(name, description, amount, code, start.replace(day=day), paid=not last or day < 10)
        for sale in range(_SALES_A_MONTH):
            place = month * _SALES_A_MONTH + sale
            on = start.replace(day=3 + sale * 5)
            self._sell(place, on, paid=not last or sale == 0, in_part=last and sale == 1)

    def write_oddities(self, start: date) -> None:
        """What makes books real: a void, a draft, an approval outstanding, credit allocated and refunded."""
        keeper, customer = self._keeper, self._contacts["City Limousines"].id
        with self.on(start):
            voided = keeper.add_invoice(customer, amount=Decimal("250.00"), date=start)
            keeper.void_invoice(voided.id)
            keeper.add_invoice(customer, amount=Decimal("900.00"), date=start, status="DRAFT")
            keeper.add_invoice(
                self._contacts["Gateway Motors"].id, amount=Decimal("411.35"), date=start, number="GM-8812",
                type="ACCPAY", status="SUBMITTED",
            )  # fmt: skip
            credited = keeper.add_invoice(customer, amount=Decimal("541.25"), date=start, reference="Monthly Support")
            note = keeper.add_credit_note(customer, amount=Decimal("541.25"), date=start, Reference="Monthly Support")
            keeper.allocate(note.id, invoice_id=credited.id, amount=Decimal("541.25"))
            refunded = keeper.add_credit_note(
                self._contacts["ABC Furniture"].id, amount=Decimal("62.50"), date=start, type="ACCPAYCREDIT"
            )
            keeper.add_payment(refunded.id, account="090", date=start, reference="Refund")

    def _buy(self, name: str, description: str, amount: str, code: str, on: date, *, paid: bool) -> None:
        if on > self._books.today():
            return
        line: dict[str, Json] = {
            "Description": description, "Quantity": 1, "UnitAmount": Decimal(amount), "AccountCode": code,
        }  # fmt: skip
        with self.on(on):
            bill = self._keeper.add_invoice(
                self._contacts[name].id, date=on, due=on + _PAYMENT_TERM, lines=[line], type="ACCPAY"
            )
        if paid:
            self._pay(bill.id, on + timedelta(days=10), bill.total)

    def _sell(self, place: int, on: date, *, paid: bool, in_part: bool) -> None:
        if on > self._books.today():
            return
        description, quantity, price = _SOLD[place % len(_SOLD)]
        line: dict[str, Json] = {
            "Description": description, "Quantity": Decimal(quantity), "UnitAmount": Decimal(price),
            "AccountCode": "200",
        }  # fmt: skip
        customer = self._contacts[_CUSTOMERS[place % len(_CUSTOMERS)]]
        with self.on(on):
            invoice = self._keeper.add_invoice(
                customer.id, date=on, due=on + _PAYMENT_TERM, lines=[line], reference=f"P/O {9000 + place}"
            )
        if paid or in_part:
            self._pay(
                invoice.id, on + timedelta(days=12), invoice.total if paid else Decimal("100.00"), reconciled=paid
            )

    def _pay(self, document_id: str, on: date, amount: Decimal, *, reconciled: bool = False) -> None:
        if on > self._books.today():
            return
        with self.on(on):
            self._keeper.add_payment(document_id, account="090", amount=amount, date=on, is_reconciled=reconciled)


def _months_before(day: date, months: int) -> date:
    """The first day of the month that lies *months* before that of *day*."""
    place = day.year * 12 + day.month - 1 - months
    return date(place // 12, place % 12 + 1, 1)
