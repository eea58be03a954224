"""A product that invoices: sales are edited, withdrawn and settled, credit is set against one, its rest given back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from xerosync.client.xero import AsyncXero
from xerosync.engine.paying import CreditRefund
from xerosync.engine.plans import Plan, Recovery
from xerosync.engine.settling_policies import SettlementSettings, Surplus
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
    _sale("owed", "8.00"),
    _sale("credit", "-5.00"),
    _sale("given back", "-1.00"),
)
_SETTLED: Final = Settlement(
    id="S1",
    on=_DAY,
    lines=[
        SettlementLine(id="L1", transaction="settled", amount=Money("110.63", "NZD")),
        SettlementLine(id="L2", transaction="edited", amount=Money("70.00", "NZD")),
    ],
)


async def sell(xero: AsyncXero, world: World) -> bool:
    """Submit, edit and withdraw sales, and settle one."""
    settings = SettlementSettings(surplus=Surplus.PARK)
    sales = AsyncReceivables(xero, clearing_account=_CLEARING, settlements=settings)
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
    known = {each.id: each for each in await sales.posted(each.id for each in _SOLD)}
    if known.keys() != {each.id for each in _SOLD} - {"withdrawn"} or known["edited"].total != Money("69.00", "NZD"):
        return False
    done.append(plan := await sales.settle(_SETTLED, retry_refused=True))
    await sales.apply(plan)
    if plan or plan.findings:
        return False  # what was parked is known only once all is settled
    await sales.transaction_report()
    done += await _use_credit(sales)
    return nothing_left(*done)


async def _use_credit(sales: AsyncReceivables) -> list[Plan | Recovery]:
    """Give back what was parked of one, then set credit against what is owed; what is left then has been given back."""
    parked = CreditRefund(id="R0", credit_id="L2", on=_DAY)
    done: list[Plan | Recovery] = [plan := await sales.refund([parked], retry_refused=True)]
    await sales.apply(plan)
    if plan or plan.findings:
        return done  # what is left of it until then would be set against what is owed
    done.append(plan := await sales.allocate(retry_refused=True))
    await sales.apply(plan)
    (owed,) = await sales.posted(["owed"])
    if not owed.due:
        refund = CreditRefund(id="R1", credit_id="given back", on=_DAY)
        done.append(plan := await sales.refund([refund], retry_refused=True))
        await sales.apply(plan)
    return done


def each_sale_once(world: World) -> Iterator[str]:
    """Name each document that is not what the host's sales say."""
    books = world.books
    sold = sorted((each.lines[0].description, each.total, each.status) for each in books.invoices if each.is_posted)
    expected = [("edited", Decimal("69.00")), ("owed", Decimal("27.60")), ("settled", Decimal("100.63"))]
    if sold != [(*each, "PAID") for each in expected]:
        yield f"invoices: {sold} where {expected} are to be paid"
    withdrawn = {each.status for each in books.invoices if each.lines[0].description == "withdrawn"}
    if withdrawn - {"VOIDED"}:
        yield f"the withdrawn sale is {withdrawn}"
    credited = sorted((each.total, each.status) for each in books.credit_notes)
    if credited != [(Decimal("3.45"), "PAID"), (Decimal("17.25"), "PAID")]:
        yield f"credit notes: {credited} where two are to be used up"
    back = [
        each.amount for each in books.payments if (each.type, each.status) == ("AROVERPAYMENTPAYMENT", "AUTHORISED")
    ]
    if back != [Decimal(1)]:
        yield f"given back of what was parked: {back} where 1.00 is due"
    # Where credit was given back before its allocation came about, others cover in a part more what it was to.
    used: dict[str, Decimal] = {}
    for each in books.allocations:
        used[each.credit_id] = used.get(each.credit_id, Decimal(0)) + each.amount
    if sorted(used.values()) != [Decimal("0.35"), Decimal(10), Decimal("17.25")]:
        yield f"allocated: {sorted(used.values())} where 27.60 of three credits is due"
    balance = books.balance(books.account(_CLEARING).id)
    if balance != Decimal("176.53"):
        yield f"clearing: {balance} where 176.53 is due"
