"""The small business the demo plays: whom it collects from, what it is owed, and what it spends."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from xerosync.mapping.lines import BillLine
from xerosync.mapping.papers import Bill
from xerosync.mapping.settlement import LineKind, Settlement, SettlementLine
from xerosync.matching.keys import Customer
from xerosync.models import AccountCode
from xerosync.money import Money

CLEARING: Final = "1090"
BANK: Final = "090"
_FIRST_DAY: Final = date(2025, 10, 6)
_CUSTOMERS: Final = (
    "Ashgrove Dental",
    "Birch & Sons",
    "Cedar Lane Gym",
    "Dunmore Vets",
    "Elm Street Yoga",
    "Foxglove Nursery",
)
_NOT_IN_XERO: Final = "Gorse Hill Scouts"
_FEES: Final = ("120.00", "86.40", "59.95", "240.00", "33.33", "175.10")

ACCOUNTS: Final = (
    {"code": CLEARING, "name": "Collections Clearing", "type": "BANK"},
    {"code": "4000", "name": "Materials", "type": "EXPENSE"},
    {"code": "4001", "name": "Vehicle Costs", "type": "EXPENSE"},
)
CONTACTS: Final = tuple({"name": name} for name in _CUSTOMERS)


def invoices() -> list[dict[str, object]]:
    """Two invoices for each customer, as the bookkeeper had entered them."""
    return [
        {
            "contact": name,
            "number": f"DEMO-{2 * index + half + 1:03}",
            "date": (_FIRST_DAY + timedelta(days=7 * half)).isoformat(),
            "due": (_FIRST_DAY + timedelta(days=7 * half + 14)).isoformat(),
            "amount": fee,
        }
        for index, (name, fee) in enumerate(zip(_CUSTOMERS, _FEES, strict=True))
        for half in (0, 1)
    ]


def customers() -> list[Customer]:
    """The product's customers; one of them is not in Xero yet."""
    return [
        Customer(id=f"cust-{index}", custom_identifier=name) for index, name in enumerate([*_CUSTOMERS, _NOT_IN_XERO])
    ]


def settlements(transactions: dict[str, str], currency: str) -> list[Settlement]:
    """
    Three settlements of the invoices imported, by number, as *transactions*.

    The first collects; in the second one invoice comes in two instalments, and a hand-made transaction stands beside
    them; the third takes one collection back.
    """
    first = [_collected(number, paid, fee, currency) for number, paid, fee in _due(transactions)[:6]]
    second = [_collected(number, paid, fee, currency) for number, paid, fee in _due(transactions)[7:]]
    for number, paid, fee in _due(transactions)[6:7]:
        second += [
            SettlementLine(id=f"{number}/{part}", transaction=paid, amount=amount)
            for part, amount in enumerate(Money(fee, currency).instalments(2), start=1)
        ]
    second.append(SettlementLine(id="by-hand/1", transaction="made-by-hand", amount=Money("50.00", currency)))
    back = [
        SettlementLine(
            id=f"{number}/charged-back", transaction=paid, amount=Money(fee, currency), kind=LineKind.CHARGED_BACK
        )
        for number, paid, fee in _due(transactions)[2:3]
    ]
    days = (_FIRST_DAY + timedelta(days=days) for days in (15, 22, 45))
    return [
        Settlement(id=f"settlement {on:%Y-%m-%d}", on=on, lines=lines)
        for on, lines in zip(days, (first, second, back), strict=True)
    ]


def bills(currency: str) -> list[Bill]:
    """Bills and a supplier's credit note; two spellings of one vendor, and a credit larger than what is open."""
    rows = (
        ("B-1", "Kauri Timber Ltd", "7781", 0, (("4000", "Decking", "1840.00"), ("4000", "Delivery", "65.00"))),
        ("B-2", "KAURI TIMBER LTD", "7802", 3, (("4000", "Posts", "412.50"),)),
        ("B-3", "Kauri Timber Ltd", "C-118", 9, (("4000", "Decking returned", "-230.00"),)),
        ("B-4", "Rimu Motors", "R/2025/88", 4, (("4001", "Service of the van", "389.95"),)),
        ("B-5", "Totara Fuels", "55120", 6, (("4001", "Diesel", "143.20"),)),
        ("B-6", "Totara Fuels", "55121", 8, (("4001", "Billed twice in September", "-200.00"),)),
    )
    return [
        Bill(
            id=host_id,
            vendor=vendor,
            number=number,
            on=_FIRST_DAY + timedelta(days=days),
            lines=tuple(
                BillLine(description=text, amount=Money(amount, currency), account=AccountCode(code))
                for code, text, amount in lines
            ),
        )
        for host_id, vendor, number, days, lines in rows
    ]


def _collected(number: str, transaction: str, fee: str, currency: str) -> SettlementLine:
    return SettlementLine(id=f"{number}/1", transaction=transaction, amount=Money(fee, currency))


def _due(transactions: dict[str, str]) -> list[tuple[str, str, str]]:
    owed = {str(invoice["number"]): str(invoice["amount"]) for invoice in invoices()}
    return [(number, transactions[number], owed[number]) for number in sorted(transactions) if number in owed]
