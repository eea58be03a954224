"""What was spent by card, or came back, as a bank transaction: pure."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from attrs import field, frozen

from xerosync.arguments import fields_checked
from xerosync.errors import InvalidInput
from xerosync.mapping.documents import check_day, check_written_day
from xerosync.mapping.lines import LONGEST, BillLine, check_lines, line_items, lines_total
from xerosync.mapping.papers import check_vendor
from xerosync.matching.keys import Vendor, vendor_name
from xerosync.models import Account, AccountId, BankTransaction, BankTransactionType, LineAmountTypes
from xerosync.money import Money
from xerosync.texts import check_id, check_text


@frozen(kw_only=True, repr=False, field_transformer=fields_checked)
class CardSpend:
    """
    A receipt: what was paid by card, or from a bank account, on the spot. *id* is the host's own for it.

    It is spend money; with a negative total, a refund, it is receive money (F 6.159). *account* is the code or id of
    the card's account in Xero, which is of type BANK; *vendor*, *amounts*, *lines* and *currency_rate* are as a
    `Bill`'s. It has no draft: it is in the ledger at once (F 6.152).
    """

    id: str
    vendor: str | Vendor
    on: date
    account: str
    lines: tuple[BillLine, ...] = field(converter=tuple[BillLine, ...])
    reference: str = ""
    amounts: LineAmountTypes = LineAmountTypes.NO_TAX
    currency_rate: Decimal | None = None

    def __attrs_post_init__(self) -> None:
        check_day("on", self.on)

    @property
    def party(self) -> str:
        """The vendor's name."""
        return vendor_name(self.vendor)

    @property
    def total(self) -> Money:
        """The sum of the lines, with the taxes they state where amounts exclude them. Raises `InvalidInput`."""
        return lines_total(self.lines, self.amounts)

    def __repr__(self) -> str:
        return f"<CardSpend {self.id}>"


def checked_spend(spend: CardSpend) -> CardSpend:
    """*spend*, if Xero can keep it. Raises `InvalidInput` naming the field, before anything is sent."""
    check_spend_names(spend)
    check_text("reference", spend.reference, longest=LONGEST["reference"])
    check_text("account", spend.account, needed=True)
    check_written_day("on", spend.on)
    check_lines(spend.lines, spend.amounts, spend.currency_rate)
    if not spend.total:
        raise InvalidInput("lines", "a receipt of nothing moves no money")
    return spend


def check_spend_names(spend: CardSpend) -> None:
    """Refuse a *spend* that cannot even be looked for: its id or vendor cannot be. Raises `InvalidInput`."""
    check_id("id", spend.id)
    check_vendor(spend.vendor)


def spend_document(spend: CardSpend, bank_account: AccountId) -> BankTransaction:
    """*spend* as a bank transaction of *bank_account*, its contact and mark left open."""
    spent = spend.total.amount > 0
    return BankTransaction(
        type=BankTransactionType.SPEND if spent else BankTransactionType.RECEIVE,
        bank_account=Account(account_id=bank_account),
        date=spend.on,
        reference=spend.reference,
        line_amount_types=spend.amounts,
        line_items=line_items(spend.lines, spend.amounts, sign=1 if spent else -1),
        currency_code=spend.total.currency,
        currency_rate=spend.currency_rate,
    )
