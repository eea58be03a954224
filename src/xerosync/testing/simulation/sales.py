"""A product that invoices: one sale is edited, one withdrawn, one settled, one a credit note."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from xerosync.client.xero import AsyncXero
from xerosync.engine.plans import Plan, Recovery
from xerosync.mapping.lines import SaleLine
from xerosync.mapping.papers import Sale
from xerosync.mapping.settlement import Settlement, SettlementLine
from xerosync.matching.keys import Customer
from xerosync.models import AccountCode, LineAmountTypes
from xerosync.money import Money
from xerosync.receivables import AsyncReceivables
from xerosync.testing.simulation.flow import nothing_left

if TYPE_CHECKING:
    from xerosync.testing.simulation.world import World

_DAY: Final = date(2026, 1, 5)
_CLEARING: Final = "091"


def customer(world: World) -> None:
    """Let there be a contact to invoice."""
    world.books.add_contact("Ana")


def _sale(name: str, price: str, *, rate: str | None = None, number: str = "") -> Sale:
    line = SaleLine.priced(
        description=name,
        quantity=Decimal(3),
        unit_price=Money(price, "NZD"),
        account=AccountCode("200"),
        tax_type="OUTPUT2",
        discount_rate=None if rate is None else Decimal(rate),
    )
    return Sale(id=name, customer="7", on=_DAY, lines=[line], amounts=LineAmountTypes.EXCLUSIVE, number=number)


_SOLD: Final = (
    _sale("settled", "33.3333", rate="12.5"),
    _sale("edited", "10.00", number="S-2"),
    _sale("withdrawn", "10.00"),
    _sale("credit", "-5.00"),
)


async def sell(xero: AsyncXero, world: World) -> bool:
    """Submit, edit and withdraw sales, and settle one."""
    sales = AsyncReceivables(xero, clearing_account=_CLEARING)
    done: list[Plan | Recovery] = [await sales.recover()]
    done.append(plan := await sales.match([Customer(id="7", custom_identifier="Ana")]))
    await sales.apply(plan)
    done.append(plan := await sales.submit(_SOLD, retry_refused=True))
    await sales.apply(plan)
    if world.has_come(0.3):
        done.append(plan := await sales.update([_sale("edited", "20.00", number="S-2")], retry_refused=True))
        await sales.apply(plan)
    if world.has_come(0.5):
        done.append(plan := await sales.void(["withdrawn"], retry_refused=True))
        await sales.apply(plan)
    done.append(plan := await sales.import_invoices())
    await sales.apply(plan)
    if not {"settled", "edited", "credit"} <= {each.id for each in await sales.posted(each.id for each in _SOLD)}:
        return False
    line = SettlementLine(id="L1", transaction="settled", amount=Money("100.63", "NZD"))
    done.append(plan := await sales.settle(Settlement(id="S1", on=_DAY, lines=[line]), retry_refused=True))
    await sales.apply(plan)
    return nothing_left(*done)


def each_sale_once(world: World) -> Iterator[str]:
    """Name each document that is not what the host's sales say."""
    books = world.books
    sold = sorted((each.lines[0].description, each.total, each.status) for each in books.invoices if each.is_posted)
    expected = [("edited", Decimal("69.00"), "AUTHORISED"), ("settled", Decimal("100.63"), "PAID")]
    if sold != expected:
        yield f"invoices: {sold} where {expected} are due"
    withdrawn = {each.status for each in books.invoices if each.lines[0].description == "withdrawn"}
    if withdrawn - {"VOIDED"}:
        yield f"the withdrawn sale is {withdrawn}"
    credited = [(each.total, each.status) for each in books.credit_notes]
    if credited != [(Decimal("17.25"), "AUTHORISED")]:
        yield f"credit notes: {credited} where one of 17.25 is due"
    balance = books.balance(books.account(_CLEARING).id)
    if balance != Decimal("100.63"):
        yield f"clearing: {balance} where 100.63 is due"
