"""What a plan can do about each discrepancy on a clearing account. Pure decisions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from attrs import evolve, frozen

from xerosync.engine.accounting_for import Found
from xerosync.engine.actions import (
    WAS_ON,
    Action,
    Adopt,
    CreateSale,
    CreateSaleCredit,
    MoveMoney,
    Pay,
    Refund,
    RemoveMoney,
    RemovePayment,
    Transfer,
    VoidCredit,
)
from xerosync.engine.clearing import DOUBLE
from xerosync.engine.discrepancies import AcceptDiscrepancy, Discrepancy, Fix
from xerosync.engine.entries import LINE, Entry, Key, named
from xerosync.engine.mirror import GONE
from xerosync.engine.payouts import FEES, PAYOUT
from xerosync.engine.plans import Plan
from xerosync.engine.restoring import TAKING_BACK, VOIDED, again
from xerosync.engine.settlement_books import COUNTER
from xerosync.engine.settling_policies import OpenBooks
from xerosync.engine.undo_actions import RemoveTransfer
from xerosync.models import AccountId, BankTransaction, BankTransfer, Payment, PaymentId

_KINDS: Final = {"payment": Pay.kind, "bank transaction": MoveMoney.kind, "transfer": Transfer.kind}
"""What writes what somebody may have typed."""
_VOIDABLE: Final = frozenset({CreateSale.kind, CreateSaleCredit.kind})
"""What stands in a payment's place, or was parked as a credit: people change nothing of it but that it stands."""
CHANGES: Final = frozenset({"removed in Xero", "changed in Xero"})
"""The codes of what people did to what the library posted."""
_TAKES_BOTH: Final = "undo_settlement() takes back both"
BY_HAND: Final = "by hand/"
"""What the name of an operation begins with that removes what somebody entered, by Xero's id of it."""


@frozen(kw_only=True)
class Means:
    """
    What fixes are made of: the plan that settles what is left, which days of the books are open, and by which *days*
    the report is: their first and last as they were named, blank for all.
    """

    account: AccountId
    settling: Plan
    open_books: OpenBooks
    days: str = ""


def remedied(found: Iterable[Found], means: Means) -> Iterator[Discrepancy]:
    """Each discrepancy with the actions of each fix that a plan can make of it, and why not where one cannot."""
    posting = _by_part(means.settling)
    for each in found:
        discrepancy, entries = each.discrepancy, each.entries
        remedies: dict[Fix, tuple[Action, ...]] = {}
        post = _adopting(each, means.account) or _posting(discrepancy, posting)
        if post:
            remedies[Fix.POST] = post
        restored, why_lost = _restoring(discrepancy, entries, means)
        if restored:
            remedies[Fix.RESTORE] = restored
        removal, why_not = _removing(discrepancy, entries, means)
        if removal:
            remedies[Fix.REMOVE] = removal
        if not post and discrepancy.code != "still open":
            remedies[Fix.IGNORE] = (_accepting(each, means),)
        why_not = why_not or why_lost
        told = evolve(discrepancy, remedies=remedies)
        yield evolve(told, fix=f"{told.fix}; {why_not}") if why_not else told


def _by_part(settling: Plan) -> Mapping[Key, Sequence[Action]]:
    """What *settling* would do for each part of the settlements."""
    found: dict[Key, list[Action]] = {}
    for action in settling:
        for each in action.parts:
            by = each.facts.get("charged_back_by")
            key = (LINE, by) if by is not None else named(each.host_ref)
            found.setdefault(key, []).append(action)
    return found


def _posting(discrepancy: Discrepancy, posting: Mapping[Key, Sequence[Action]]) -> tuple[Action, ...]:
    """What posts that which is missing."""
    return tuple(posting.get(discrepancy.part, ())) if discrepancy.part is not None else ()


def _adopting(found: Found, account: AccountId) -> tuple[Action, ...]:
    """What takes that which somebody typed for what was expected in its place."""
    typed = [each for each in found.entries if each.intent is None and each.tag is None]
    if found.expected is None or not typed:
        return ()
    entry, expected = typed[0], found.expected
    what, about = expected.key
    settled = {"settlement": expected.settlement.id}
    if what == LINE:
        (line,) = [each for each in expected.settlement.lines if each.id == about]
        collected = {"transaction": line.transaction, "collected": str(line.amount.amount)}
        facts = settled | collected | {"settled_on": expected.on.isoformat()}
    else:
        moved = {"account": account, "effect": str(expected.amount.amount)}
        dated = (entry.actual_on or expected.on).isoformat()
        facts = settled | moved | {"on": expected.on.isoformat(), "dated": dated}
        if (what, entry.what) == ("payout", "bank transaction"):
            facts["net"] = str(expected.settlement.proof.net.amount)
    action = Adopt(
        host_ref={LINE: "", "fees": FEES, "payout": PAYOUT}[what] + about,
        reason="somebody typed it, and it is taken for the host's",
        adopted_kind=_KINDS[entry.what],
        xero_id=entry.xero_id,
        payload=_as_posted(entry),
        facts=facts,
    )
    return (action,)


def _as_posted(entry: Entry) -> dict[str, object]:
    """What is kept of a document that somebody typed, as if it had been sent."""
    if not isinstance(entry.document, Payment):
        return {}
    return {"Amount": str(entry.document.amount), "Date": str(entry.document.date)}


def _restoring(discrepancy: Discrepancy, entries: Sequence[Entry], means: Means) -> tuple[tuple[Action, ...], str]:
    """What puts back all that somebody removed or edited, or nothing and why that cannot be."""
    changed = [entry for entry in entries if entry.is_changed]
    if not changed or discrepancy.code not in CHANGES:
        return (), ""
    actions: list[Action] = []
    for entry in changed:
        reason = _why_it_stays(entry, means.open_books)
        if not reason and entry.recorded_on is not None and means.open_books.is_closed(entry.recorded_on):
            reason = "it lies in closed books"  # it would be removed where it stands, and refused where it was
        written = entry.intent
        if not reason and written is not None and written.operation.kind in _VOIDABLE:
            reason = VOIDED
        more = () if reason or written is None else again(written, entry.document, discrepancy.amount.currency)
        if not more:
            return (), f"a plan cannot put it back: {reason or 'what was posted is not known in full'}"
        actions += more
    return tuple(actions), ""


def _removing(discrepancy: Discrepancy, entries: Sequence[Entry], means: Means) -> tuple[tuple[Action, ...], str]:
    """What removes that which does not belong there, all of it or nothing, and why that cannot be."""
    if not entries or not discrepancy.amount or not _is_foreign(discrepancy, entries):
        return (), ""
    actions: list[Action] = []
    for entry in entries:
        if not entry.actual or entry.document is None:
            continue
        reason = _why_it_stays(entry, means.open_books)
        if entry.intent is None and entry.tag is None and entry.is_in_part(means.account):
            reason = reason or "it has lines on other accounts"
        action = None if reason else _removal(entry)
        if action is None:
            return (), f"a plan cannot remove it: {reason or 'delete it in Xero'}"
        actions.append(action)
    return tuple(actions), _what_stays(entries) if actions else _why_none_is_left(entries)


def _what_stays(entries: Sequence[Entry]) -> str:
    """What a plan leaves that removes *entries*, the money alone: the document it was on has no line on the account."""
    standing = [each.intent for each in entries if each.intent is not None and each.actual]
    if any(each.operation.kind == Refund.kind for each in standing):
        return f"removed, its credit note stays: {_TAKES_BOTH}"
    if any(each.operation.host_ref.startswith(COUNTER) for each in standing):
        return f"removed, the invoice in its payment's place stays: {_TAKES_BOTH}"
    return ""


def _why_none_is_left(entries: Sequence[Entry]) -> str:
    """Why nothing removes *entries*, which are no documents that a plan removes one by one."""
    standing = [each.intent for each in entries if each.intent is not None and each.actual]
    if any(each.operation.kind in TAKING_BACK for each in standing):
        return "what it took out cannot be brought back: if it never went back, settle it under new ids"
    return "a plan cannot remove it alone: undo_settlement() takes its settlement back" if standing else ""


def _is_foreign(discrepancy: Discrepancy, entries: Sequence[Entry]) -> bool:
    """Whether no settlement of the host's has it."""
    return discrepancy.code in {"not in your settlements", DOUBLE} or all(
        # What carries our mark is ours, whatever the store has lost.
        entry.intent is None and entry.tag is None and discrepancy.part is None
        for entry in entries
    )


def _why_it_stays(entry: Entry, open_books: OpenBooks) -> str:
    document = entry.document
    stands = document is not None and document.status not in GONE
    if stands and isinstance(document, Payment | BankTransaction | BankTransfer) and document.is_reconciled:
        return "it is reconciled"
    if stands and isinstance(document, Payment) and document.batch_payment_id is not None:
        return "it is part of a batch"
    if document is not None and document.date is not None and open_books.is_closed(document.date):
        return "it lies in closed books"
    return ""


def _removal(entry: Entry) -> Action | None:
    intent, amount = entry.intent, abs(entry.actual)
    name = intent.operation.host_ref if intent is not None else f"{BY_HAND}{entry.xero_id}"
    facts = {"undone": intent.facts.get("settlement", "")} if intent is not None else {}
    if entry.invoice:
        facts |= {WAS_ON: f"Invoices/{entry.invoice}"}
    reason = "not in the host's settlements" if intent is not None else "it is in Xero besides, and not wanted"
    if intent is not None and intent.operation.kind == CreateSaleCredit.kind:
        return VoidCredit(host_ref=name, reason=reason, facts=facts, credit_note=entry.xero_id, amount=amount)
    if isinstance(entry.document, Payment):
        payment = PaymentId(entry.xero_id)
        return RemovePayment(host_ref=name, reason=reason, facts=facts, payment=payment, amount=amount)
    if isinstance(entry.document, BankTransfer) and entry.document.status not in GONE:
        return RemoveTransfer(host_ref=name, reason=reason, facts=facts, removed=entry.xero_id, amount=amount)
    if isinstance(entry.document, BankTransaction) and entry.document.status not in GONE:
        return RemoveMoney(host_ref=name, reason=reason, facts=facts, transaction=entry.xero_id, amount=amount)
    return None


def _accepting(found: Found, means: Means) -> AcceptDiscrepancy:
    discrepancy = found.discrepancy
    called = f"{means.account}/{discrepancy.remembered}"
    facts = {"now": str(discrepancy.amount.amount)}
    if means.days:
        facts["called"] = called
    in_all = next((each.in_all for each in found.entries if each.in_all is not None), None)
    if in_all is not None:
        facts["in all"] = str(in_all)
    return AcceptDiscrepancy(
        host_ref=f"{means.account}/{means.days}/{discrepancy.remembered}" if means.days else called,
        reason="as it should be",
        xero_id=discrepancy.xero_id,
        facts=facts,
    )
