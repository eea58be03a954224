"""What is planned and applied for one thing reads what has to do with it, however much else the store holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import BANK, CLEARING, DAY, Product
from tests.engine.scenarios import SCENARIOS, Scenario

from xerosync import MemoryStore, Payables
from xerosync.simulator import Bookkeeper
from xerosync.storage import Record, RecordKey

OTHERS = 400


class Counting(MemoryStore):
    """Counts the records of each kind that it gives."""

    def __init__(self) -> None:
        super().__init__()
        self.given: Counter[str] = Counter()

    def query(self, kind: str, tenant: str, **asked: object) -> list[Record]:
        query: Callable[..., list[Record]] = super().query
        found = query(kind, tenant, **asked)
        self.given[kind] += len(found)
        return found

    def get_many(self, keys: Sequence[RecordKey]) -> list[Record | None]:
        found = super().get_many(keys)
        self.given.update(each.kind for each in found if each is not None)
        return found


def enter_others(books: Bookkeeper, first: int, last: int) -> None:
    """Let people enter documents of all kinds, each for a contact of its own."""
    for place in range(first, last):
        contact = books.add_contact(f"Other {place}").id
        sale = books.add_invoice(contact, amount=Decimal(10), date=DAY)
        bill = books.add_invoice(contact, amount=Decimal(10), date=DAY, type="ACCPAY", number=f"B{place}")
        books.add_credit_note(contact, amount=Decimal(10), date=DAY)
        books.add_credit_note(contact, amount=Decimal(10), date=DAY, type="ACCPAYCREDIT", number=f"C{place}")
        books.add_payment(sale.id, account=CLEARING, date=DAY, amount=Decimal(1))
        books.add_payment(bill.id, account=BANK, date=DAY, amount=Decimal(1))
        books.add_bank_transaction(contact, bank=BANK, amount=Decimal(1), date=DAY)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.kind)
def test_what_else_there_is_is_not_read(product: Product, scenario: Scenario) -> None:
    """Contacts are: that names are alike is found by no look-up."""
    store = Counting()
    shared = evolve(product, store=store)
    scenario.arrange(shared)
    for first in range(0, OTHERS, 20):
        with shared.simulator.transaction():
            enter_others(shared.books, first, first + 20)
        shared.clock.advance(60)
    scenario.plan(shared, shared.xero())  # reads all that is new
    shared.clock.advance(60)
    store.given.clear()

    xero = shared.xero()
    plan = scenario.plan(shared, xero)
    report = Payables(xero).apply(plan)

    assert scenario.kind in {each.action.kind for each in report.results}
    del store.given["mirror.contact"]
    assert {kind: count for kind, count in store.given.items() if count >= OTHERS} == {}
