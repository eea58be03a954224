"""
Following what people edited of fees and payouts: they are on record as they stand in Xero, which all goes by from then.

What is said to be on an account, settlements given again, what is undone and what is put back all ask the record.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Final

from attrs import evolve, frozen

from xerosync.client._books import Books
from xerosync.client._wire.codec import dump
from xerosync.client._wire.outgoing import encode
from xerosync.engine.actions import MoveMoney
from xerosync.engine.drift_report import DriftField
from xerosync.engine.entries import KEPT, Entry, entries_on
from xerosync.engine.intents import Intent
from xerosync.engine.line_drift import money_in_xero
from xerosync.engine.mirror import GONE
from xerosync.engine.movements import Movements, amount_on, is_on
from xerosync.engine.payouts import FEES, FOLLOWED, PAYOUT
from xerosync.engine.written import AS_TYPED, as_typed
from xerosync.models import AccountId, BankTransaction, BankTransactionType, LineItem
from xerosync.money import Money
from xerosync.storage.protocol import Record

_LINES: Final = frozenset({DriftField.AMOUNT, DriftField.LINES})
_TAKEN: Final = _LINES | {DriftField.DATE}
"""What of fees and payouts is taken over; of one that was moved to another account nothing is."""


@frozen(kw_only=True)
class Edited:
    """
    What was *written*, and its *document* as people have edited it, in these *fields*, at this *stamp*.

    *knows_lines* is whether it would be among the fields that its lines are others alone.
    """

    written: Intent
    document: BankTransaction
    fields: Collection[DriftField]
    stamp: str
    knows_lines: bool

    @property
    def is_taken(self) -> bool:
        """Whether it is of fees or a payout, and what was edited of it can be taken over."""
        written, fields = self.written, set(self.fields)
        is_cost = written.operation.kind == MoveMoney.kind and written.operation.host_ref.startswith((FEES, PAYOUT))
        is_known = {"account", "effect", "dated"} <= written.facts.keys() and self.document.status not in GONE
        return is_cost and is_known and bool(fields & _TAKEN) and DriftField.ACCOUNT not in fields


async def restated(books: Books, edited: Mapping[str, Edited]) -> dict[str, Record]:
    """The records of those *edited*, by their ids, as they are once that is followed; a call or few for their lines."""
    taken = {key: each for key, each in edited.items() if each.is_taken}
    if not taken:
        return {}
    base = (await books.organisation()).base_currency or "XXX"
    whole = await money_in_xero(books, {key: each.stamp for key, each in taken.items()})
    return {
        key: _as_it_stands(taken[key], there, there.currency_code or base).record()
        for key, there in whole.items()
        if (there.total, there.date) == (taken[key].document.total, taken[key].document.date)
    }


def _as_it_stands(edited: Edited, there: BankTransaction, currency: str) -> Intent:
    written, has_lines = edited.written, bool(_LINES & set(edited.fields))
    payload, facts = dict(written.payload), {**written.facts, **dict([FOLLOWED])}
    if DriftField.DATE in edited.fields and there.date is not None:
        facts["dated"] = there.date.isoformat()
        payload |= {"Date": facts["dated"]} if "Date" in payload else {}
    if has_lines:
        facts |= {**_amounts(written, there, currency), **_typed(edited, there)}
        payload |= {"Amount": str(there.total or Decimal(0))} if "Amount" in payload else {}
        if "LineItems" in payload:
            shown = BankTransaction(
                line_items=tuple(map(_line, there.line_items)), line_amount_types=there.line_amount_types
            )
            payload |= encode(shown)
    # Otherwise nobody would ever see that its lines are others, too.
    stamp = edited.stamp if has_lines or edited.knows_lines else written.stamp
    return evolve(written, payload=payload, facts=facts, stamp=stamp)


def _amounts(written: Intent, there: BankTransaction, currency: str) -> Mapping[str, str]:
    """The facts of what *written* moves, as it stands *there*."""
    facts, account = written.facts, AccountId(written.facts["account"])
    moved = Movements(payments=(), paid={}, transactions=[there], moved={there.bank_transaction_id or "": written})
    (entry,) = entries_on(account, moved, currency)
    total = there.total or Decimal(0)
    received = there.type == BankTransactionType.RECEIVE
    found = {"effect": str(entry.actual.amount)}
    found |= {"total": str(total)} if "total" in facts else {}
    found |= {"net": str(total if received else -total)} if "net" in facts else {}
    if is_on(account, there):
        return found
    before = entry.kept or Money.zero(currency)
    kept = _kept(entry, there, account, before)
    return found | {"effect": str((entry.actual + before - kept).amount), KEPT: str(kept.amount)}


def _kept(entry: Entry, there: BankTransaction, account: AccountId, before: Money) -> Money:
    """
    What of a payout stays on *account*, where it kept so much *before*: all but its first line, as it is posted, if as
    much left the account as was posted, then. Else it keeps what it did, if then as much left it, or it kept nothing.
    """
    first, *others = there.line_items or (LineItem(),)
    rest = amount_on(account, evolve(there, line_items=tuple(others)), before.currency) if others else before - before
    if rest is None or first.account_id != account:
        return before
    is_rest = entry.actual + before - rest == entry.recorded
    return rest if is_rest or (before and entry.actual != entry.recorded) else before


def _typed(edited: Edited, there: BankTransaction) -> Mapping[str, str]:
    """What people had typed and was taken over, with the lines that it has *there*."""
    typed = as_typed(edited.written)
    lines = {"UpdatedDateUTC": edited.stamp, "LineItems": encode(there).get("LineItems", [])}
    return {AS_TYPED: dump({**typed, **lines}).decode()} if typed else {}


def _line(there: LineItem) -> LineItem:
    """A line as it would be sent: what Xero works out, and its ids, are left out."""
    return LineItem(
        description=there.description,
        quantity=there.quantity,
        unit_amount=there.unit_amount,
        item_code=there.item_code,
        account_code=there.account_code,
        tax_type=there.tax_type,
        tracking=there.tracking,
    )
