"""Taking back what the host withdrew: voided, or deleted where it was not approved yet; never under money (row 95)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from xerosync.client._books import Books
from xerosync.engine.actions import Action, RemoveMoney
from xerosync.engine.intents import Intent, intent_key, retries
from xerosync.engine.mirror import GONE
from xerosync.engine.observed import intents_of
from xerosync.engine.outcomes import finding_for
from xerosync.engine.paper_actions import CARD, VoidBill, VoidSale, VoidSupplierCredit, WithdrawSaleCredit
from xerosync.engine.plans import Finding, Plan
from xerosync.engine.posted import UNAPPROVED, USED_TWICE, Of, PostedDocument, creations, has_money, posted_documents
from xerosync.engine.restoring import current_of
from xerosync.engine.settling_policies import OpenBooks, WhenLocked, open_books
from xerosync.engine.sides import PURCHASES, Side
from xerosync.engine.states import OPEN, State
from xerosync.models import BankTransaction, CreditNote, DocumentStatus, Invoice, InvoiceId, InvoiceType
from xerosync.money import Money

_NOT_OURS = (
    "not created here",
    "it was entered in Xero, and is only known here by a link",
    "void it in Xero, where it was entered",
)


async def void(
    books: Books, host_ids: Iterable[str], *, side: Side = PURCHASES, of: Of | None = None, retry_refused: bool
) -> Plan:
    """Plan the voiding of the documents that *host_ids* stand for; what is gone already needs none."""
    ids = list(dict.fromkeys(host_ids))
    posted = await posted_documents(books, ids, side=side, of=of)
    standing = [each for each in posted.values() if each.document.status not in GONE]
    unknown = await _unknown(books, [each for each in ids if each not in posted], side, of)
    if not standing:
        return Plan(tenant=books.tenant, findings=tuple(unknown))
    days = open_books(await books.organisation(), WhenLocked.REFUSE)
    decided = [_decide(each, days) for each in standing]
    planned = [each for each in decided if isinstance(each, Action)]
    known = await intents_of(books, (each.itself for each in planned))
    findings = unknown + [each for each in decided if isinstance(each, Finding)]
    actions: list[Action] = []
    for action in planned:
        earlier: Intent | None = known.get(intent_key(books.tenant, action.itself))
        if earlier is None or retries(earlier, action.seen, always=retry_refused):
            actions.append(action)
        elif earlier.state is not State.CONFIRMED:
            findings += filter(None, [finding_for(earlier)])
    return Plan(tenant=books.tenant, actions=tuple(actions), findings=tuple(findings))


async def _unknown(books: Books, host_ids: Sequence[str], side: Side, of: Of | None) -> list[Finding]:
    """A finding on each of *host_ids* that never stood for anything in Xero, so that there is nothing to take back."""
    made = {operation: each for each in host_ids for _, operation in creations(side, each, of)}
    named = {intent_key(books.tenant, operation): each for operation, each in made.items()}
    written = await current_of(books, made)
    still_open = {named[key] for key, each in written.items() if each.state in OPEN}
    gone = {named[key] for key, each in written.items() if each.state is State.REMOVED}
    return [
        Finding(
            code="still open",
            about=each,
            cause="a run was interrupted while posting it",
            fix="call recover()",
            retry=True,
        )
        if each in still_open
        else Finding(
            code="not created here",
            about=each,
            cause="the library posted nothing under this id, so there is nothing to take back",
            fix="give the id that it was submitted under",
        )
        for each in host_ids
        if each not in gone
    ]


def _decide(posted: PostedDocument, days: OpenBooks) -> Action | Finding:
    document = posted.document
    worth = Money(document.total or Decimal(0), document.currency_code or "XXX").rounded()
    if posted.is_one_of_two or posted.by_hand:
        code, cause, fix = USED_TWICE if posted.is_one_of_two else _NOT_OURS
        return Finding(code=code, about=posted.host_id, cause=cause, fix=fix, worth=worth)
    if document.date is not None and days.is_closed(document.date):
        return days.finding(posted.host_id, worth)
    match document:
        case Invoice():
            if has_money(document):
                return _has_money(posted, worth)
            end = VoidSale if document.type == InvoiceType.ACCREC else VoidBill
            return end(
                host_ref=posted.host_id,
                reason="withdrawn by the host",
                seen=(posted.seen,),
                bill=InvoiceId(posted.xero_id),
                status=_ended(document.status),
                amount=worth,
            )
        case CreditNote():
            if has_money(document):
                return _has_money(posted, worth)
            end_credit = WithdrawSaleCredit if document.type == InvoiceType.ACCRECCREDIT else VoidSupplierCredit
            return end_credit(
                host_ref=posted.host_id,
                reason="withdrawn by the host",
                seen=(posted.seen,),
                credit_note=posted.xero_id,
                status=_ended(document.status),
                amount=worth,
            )
        case BankTransaction():
            return _removal(posted, document, worth)


def _removal(posted: PostedDocument, document: BankTransaction, worth: Money) -> RemoveMoney | Finding:
    if document.is_reconciled:
        return Finding(
            code="reconciled",
            about=posted.host_id,
            cause="it is reconciled with the bank statement, and cannot be taken back (F 6.151)",
            fix="unreconcile it in Xero, then void it again",
            who="the bookkeeper",
            retry=True,
            worth=worth,
        )
    return RemoveMoney(
        host_ref=f"{CARD}{posted.host_id}",
        reason="withdrawn by the host",
        seen=(posted.seen,),
        transaction=posted.xero_id,
        amount=worth,
    )


def _ended(status: DocumentStatus | None) -> DocumentStatus:
    return DocumentStatus.DELETED if status in UNAPPROVED else DocumentStatus.VOIDED


def _has_money(posted: PostedDocument, worth: Money) -> Finding:
    return Finding(
        code="money on it",
        about=posted.host_id,
        cause="payments or credits stand on it, and Xero voids nothing under money (F 6.53)",
        fix="take the payments and allocations back first, then void it again",
        who="the bookkeeper",
        retry=True,
        worth=worth,
    )
