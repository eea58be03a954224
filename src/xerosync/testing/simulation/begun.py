"""A product that begins on books in which people had entered things by hand: some match, some must be asked about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from xerosync.client.xero import AsyncXero
from xerosync.engine.duplicates import Duplicates
from xerosync.engine.paper_settings import BillSettings
from xerosync.engine.paying import BillPayment
from xerosync.engine.plans import Plan, Recovery
from xerosync.engine.settling_policies import SettlementSettings
from xerosync.engine.typed import WhichOne
from xerosync.mapping.lines import BillLine
from xerosync.mapping.papers import Bill
from xerosync.mapping.settlement import Fee, Settlement, SettlementLine
from xerosync.matching.keys import Customer
from xerosync.models import AccountCode
from xerosync.money import Money
from xerosync.payables import AsyncPayables
from xerosync.receivables import AsyncReceivables
from xerosync.testing.simulation.flow import nothing_left

if TYPE_CHECKING:
    from xerosync.testing.simulation.world import World

_DAY: Final = date(2026, 1, 5)
_LATER: Final = date(2026, 1, 6)
_BANK: Final = "090"
_CLEARING: Final = "091"
_SETTINGS: Final = SettlementSettings(bank_account=_BANK, fee_account="404", provider="Collections Ltd")


def typed_before(world: World) -> None:
    """Let the bookkeeper enter an invoice with two of its three payments, the fees, and a bill with one of two."""
    books = world.books
    sale = books.add_invoice(books.add_contact("Ana").id, number="INV-1", amount=Decimal(100), date=_DAY).id
    books.add_payment(sale, account=_CLEARING, amount=Decimal(20), date=_DAY)
    books.add_payment(sale, account=_CLEARING, amount=Decimal(30), date=_LATER)
    provider = books.add_contact("Collections Ltd").id
    books.add_bank_transaction(provider, bank=_CLEARING, amount=Decimal(1), account="404", date=_DAY)
    vendor = books.add_contact("Paper Ltd").id
    bill = books.add_invoice(vendor, type="ACCPAY", number="b1", amount=Decimal(30), date=_DAY).id
    books.add_payment(bill, account=_BANK, amount=Decimal(10), date=_DAY)


async def begin(xero: AsyncXero, world: World) -> bool:
    """Take over what was typed, answer what is asked, and post the rest."""
    del world
    sales = AsyncReceivables(xero, clearing_account=_CLEARING, settlements=_SETTINGS)
    purchases = AsyncPayables(xero, payment_account=_BANK, bills=BillSettings(duplicates=Duplicates.LINK))
    done: list[Plan | Recovery] = [await sales.recover()]
    done.append(plan := await sales.match([Customer(id="7", custom_identifier="Ana")]))
    await sales.apply(plan)
    lines = [
        SettlementLine(id=f"of {amount}", transaction="t-1", amount=Money(amount, "NZD"))
        for amount in ("20.00", "30.00", "40.00")
    ]
    fees = [Fee(amount=Money("1.00", "NZD"))]
    settlement = Settlement(id="S1", on=_DAY, lines=lines, fees=fees, paid_out_on=_DAY)
    # Once something was posted here, what is asked about is known: nobody is asked again.
    done.append(plan := await sales.backfill(settlement, invoices={"t-1": "INV-1"}))
    await sales.apply(plan)
    answers = {each.about: each.candidates[0].xero_id for each in plan.findings if isinstance(each, WhichOne)}
    done.append(plan := await sales.backfill(settlement, chosen=answers))
    await sales.apply(plan)
    if any(isinstance(each, WhichOne) for each in plan.findings):
        return False
    done.append(plan := await sales.settle(settlement, retry_refused=True))
    await sales.apply(plan)
    bills = [_bill("b1", "30.00"), _bill("b2", "20.00")]
    payments = [
        BillPayment(id=f"p{amount}", bill_id="b1", on=_DAY, amount=Money(amount, "NZD"))
        for amount in ("10.00", "15.00")
    ]
    done.append(plan := await purchases.backfill(bills))
    await purchases.apply(plan)
    done.append(plan := await purchases.backfill(bills, payments=payments))
    await purchases.apply(plan)
    done.append(plan := await purchases.submit(bills, retry_refused=True))
    await purchases.apply(plan)
    done.append(plan := await purchases.pay(payments, retry_refused=True))
    await purchases.apply(plan)
    return nothing_left(*done)


def _bill(name: str, amount: str) -> Bill:
    line = BillLine(description=name, amount=Money(amount, "NZD"), account=AccountCode("429"))
    return Bill(id=name, vendor="Paper Ltd", number=name, on=_DAY, lines=[line])


def everything_once(world: World) -> Iterator[str]:
    """Name whatever is not in the books exactly once."""
    books = world.books
    paid = sorted(each.amount for each in books.payments if each.status == "AUTHORISED")
    if paid != [Decimal(10), Decimal(15), Decimal(20), Decimal(30), Decimal(40)]:
        yield f"payments: {paid} are not each once"
    bills = sorted((each.number, each.total) for each in books.invoices if each.type == "ACCPAY" and each.is_posted)
    if bills != [("b1", Decimal(30)), ("b2", Decimal(20))]:
        yield f"bills: {bills} are not each once"
    balances = {code: books.balance(books.account(code).id) for code in (_CLEARING, "404")}
    if balances != {_CLEARING: Decimal(0), "404": Decimal(1)}:
        yield f"balances: {balances} where the clearing account is empty and the fees are paid once"
