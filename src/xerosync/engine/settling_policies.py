"""What a host decides once: how fees are posted, what becomes of money that does not fit, and of closed books."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from attrs import field, frozen

from xerosync.arguments import fields_checked
from xerosync.engine.plans import Finding
from xerosync.errors import InvalidInput
from xerosync.mapping.declines import RetryPolicy
from xerosync.models import Organisation
from xerosync.money import Money


class FeesAs(StrEnum):
    """How the fees and adjustments of a settlement are posted."""

    SPEND_MONEY = "spend money"
    """As money spent from the clearing account, which must be a bank account (F 6.150)."""
    BILL = "bill"
    """As a bill of the provider, paid from the clearing account."""
    NETTED = "netted"
    """As lines of the payout's own bank transaction, for a clearing account that is no bank account (F 6.133)."""


class Surplus(StrEnum):
    """What becomes of money that was collected and is not due any more: too much, or paid elsewhere meanwhile."""

    ASK = "ask"
    """It is a finding, and nothing is posted for its line."""
    PARK = "park"
    """What is due is paid; the rest is the customer's credit: an overpayment, or a credit note (F 6.130)."""


class WhenLocked(StrEnum):
    """What becomes of a document whose day lies in closed books (F 6.03)."""

    REFUSE = "refuse"
    """It is a finding: the bookkeeper must move the lock date, or the host the document."""
    MOVE = "move"
    """It is dated on the first open day; the plan says so."""
    DRAFT = "draft"
    """
    A bill, an invoice or a credit note becomes a draft, dated on the first open day, for the bookkeeper to date and
    approve. What cannot be a draft, such as a payment, is a finding.
    """
    QUEUE = "queue"
    """It waits: every plan lists it until the day is open."""


@frozen(kw_only=True)
class OpenBooks:
    """Which days of the organisation's books are open: those after *closed_up_to*, all where it is None."""

    closed_up_to: date | None
    when_locked: WhenLocked

    def is_closed(self, on: date) -> bool:
        """Whether nothing may be written, changed or removed *on* that day."""
        return self.closed_up_to is not None and on <= self.closed_up_to

    def day_for(self, on: date) -> date | None:
        """The day a document of *on* is dated; None where it may not be written now."""
        if self.closed_up_to is None or not self.is_closed(on):
            return on
        return self._first_open(self.closed_up_to) if self.when_locked is WhenLocked.MOVE else None

    def paper_day_for(self, on: date) -> date | None:
        """As `day_for`, of a document that may be a draft."""
        if self.closed_up_to is None or not self.drafts(on):
            return self.day_for(on)
        return self._first_open(self.closed_up_to)

    def drafts(self, on: date) -> bool:
        """Whether a document of *on* that may be a draft becomes one."""
        return self.when_locked is WhenLocked.DRAFT and self.is_closed(on)

    def reason(self, on: date) -> str:
        """What a plan says of a document that was moved; blank for one that stays where it is."""
        moved = self.paper_day_for(on)
        as_draft = " as a draft" if self.drafts(on) else ""
        return "" if moved in {None, on} else f", moved{as_draft} from {on.isoformat()}: the books are closed"

    @staticmethod
    def _first_open(closed_up_to: date) -> date | None:
        return closed_up_to + timedelta(days=1) if closed_up_to < date.max else None

    def finding(self, about: str, worth: Money | None) -> Finding:
        """What a person must know of a document that may not be written on its day."""
        if self.when_locked is WhenLocked.QUEUE:
            code, fix = "waits for open books", "nothing, it is planned again by itself once the day is open"
        else:
            code, fix = "books closed", "move the lock date in Xero, or choose another when_locked=WhenLocked.…"
        return Finding(code=code, about=about, cause=_CLOSED, fix=fix, who="the bookkeeper", retry=True, worth=worth)


_LONGEST_NAME: Final = 100
_CLOSED: Final = "its day lies in a period that is closed in Xero (F 6.03)"


def closed_up_to(organisation: Organisation) -> date | None:
    """The last day of *organisation*'s books on which nothing may be written (F 6.03); None where all are open."""
    locks = [organisation.period_lock_date, organisation.end_of_year_lock_date]
    return max((lock for lock in locks if lock is not None), default=None)


def open_books(organisation: Organisation, when_locked: WhenLocked) -> OpenBooks:
    """Which days of *organisation*'s books are open."""
    return OpenBooks(closed_up_to=closed_up_to(organisation), when_locked=when_locked)


@frozen(kw_only=True, field_transformer=fields_checked)
class HistoryNotes:
    """
    That each document written to Xero gets a note in its history: what was done, and *by* which product (F 6.191).

    *by* is the name your users know, such as ``"Acme Pay"``. A note costs a call for each document, though several
    on one go together; payments in one batch share that of the batch. It names your ids of settlements, lines and
    bills, which should hold no personal data. What was written while this was off gets none. Raises `InvalidInput`.
    """

    by: str

    def __attrs_post_init__(self) -> None:
        if not self.by.strip() or len(self.by) > _LONGEST_NAME:
            raise InvalidInput("by", f"give the product's name, of 1 to {_LONGEST_NAME} characters")


@frozen(kw_only=True, field_transformer=fields_checked)
class SettlementSettings:
    """
    What a host chose for its settlements. Accounts are given by code or id.

    *bank_account* is the one payouts reach, *fee_account* what collecting costs, *reserve_account* what a provider
    holds back (without one it stays in the clearing account), *charge_back_account* what stands between a bank account
    and the invoice that takes a payment's place, *exchange_account* what is gained or lost where money went back at
    another rate than it had come in. *provider* is the name of who pays out; its contact is created when
    missing. *fees_as* follows from the clearing account unless given: spent where it is a bank account, else netted.
    With *batches*, what is collected on one day moves as one sum (F 6.144). Its payments cannot be removed one by one
    then (F 6.123), so that charge-backs need the *charge_back_account*. *notes* puts a note into the history of
    whatever is written. *retries* says what may be collected again after a decline.
    """

    bank_account: str | None = None
    fee_account: str | None = None
    charge_back_account: str | None = None
    reserve_account: str | None = None
    exchange_account: str | None = None
    provider: str = ""
    fees_as: FeesAs | None = None
    surplus: Surplus = Surplus.ASK
    when_locked: WhenLocked = WhenLocked.REFUSE
    batches: bool = False
    notes: HistoryNotes | None = None
    retries: RetryPolicy = field(factory=RetryPolicy)
