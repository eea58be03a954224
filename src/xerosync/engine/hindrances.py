"""What keeps Xero from taking what puts something back: found before anything is sent, since what stands goes first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

from attrs import evolve, frozen

from xerosync.client._books import Books
from xerosync.engine.actions import Action, MoneyBack, MoveMoney, Pay, Pending, Refund, RefundOverpayment, Transfer
from xerosync.engine.mirror import ACCOUNTS, CONTACTS, CREDIT_NOTES, GONE, INVOICES, OVERPAYMENTS, Shelf, refresh
from xerosync.engine.observed import stamped
from xerosync.engine.paper_actions import ChangeBill, ChangeSale
from xerosync.engine.preflight import faults
from xerosync.engine.reference import Coding, Reference, read_reference
from xerosync.engine.settling_policies import WhenLocked
from xerosync.errors import ScopeMissing
from xerosync.models import (
    Account,
    AccountStatus,
    BankTransactionType,
    Contact,
    ContactStatus,
    CreditNote,
    DocumentStatus,
    Invoice,
    InvoiceType,
    Overpayment,
)

ENDED: Final = "its contact was archived, or merged into another one"
_RESTS_ON: Final[Mapping[type[Action], tuple[Shelf, type[Invoice | CreditNote | Overpayment], str]]] = {
    Pay: (INVOICES, Invoice, "its invoice was voided"),
    Refund: (CREDIT_NOTES, CreditNote, "its credit note was voided"),
    RefundOverpayment: (OVERPAYMENTS, Overpayment, "its overpayment was removed"),
}


async def archived_contacts(books: Books, ids: Iterable[str]) -> frozenset[str]:
    """Those of the contacts with these *ids* that nothing can be posted for any more (F 6.31)."""
    wanted = dict.fromkeys(each for each in ids if each)
    if not wanted:
        return frozenset()
    await refresh(books, CONTACTS)
    found = await stamped(books, CONTACTS, Contact, wanted)
    return frozenset(key for key, (each, _) in found.items() if each.contact_status == ContactStatus.ARCHIVED)


async def hindrances(books: Books, actions: Sequence[Action]) -> dict[Pending, str]:
    """Why Xero would refuse those of *actions* that it would, as far as the mirror, brought up to date, can tell."""
    moved = [each for each in actions if isinstance(each, MoveMoney)]
    coded = [document for each in actions if (document := _coded(each)) is not None]
    contacts = frozenset[str]()
    with suppress(ScopeMissing):
        contacts = await archived_contacts(books, (str(each.contact) for each in moved))
    known = _Known(
        gone=await _gone(books, actions),
        contacts=contacts,
        accounts=await _archived_accounts(books, actions),
        reference=await read_reference(books, coded, WhenLocked.REFUSE),
    )
    told = ((each.itself, next(known.why_not(each), "")) for each in actions)
    return {itself: why for itself, why in told if why}


@frozen(kw_only=True)
class _Known:
    """What documents are *gone*, which *contacts* and *accounts*, with its code, were archived, by Xero's ids."""

    gone: Mapping[str, str]
    contacts: frozenset[str]
    accounts: Mapping[str, str]
    reference: Reference

    def why_not(self, action: Action) -> Iterator[str]:
        """Each reason why Xero would not take *action*."""
        on = _rests_on(action)
        if on is not None and on in self.gone:
            yield self.gone[on]
        if isinstance(action, MoveMoney) and action.contact in self.contacts:
            yield ENDED
        for each in _accounts(action):
            if each in self.accounts:
                yield f"its account {self.accounts[each]}was archived: restore that in Xero first"
        document = _coded(action)
        for fault in faults(action.host_ref, document, self.reference, None) if document is not None else ():
            yield f"{fault.cause}: Xero would refuse it until that is put right there"


def _coded(action: Action) -> Coding | None:
    """
    The document of *action* whose lines it sends, if they name accounts; that of an overpayment is on the account of
    all debtors (F 6.155).
    """
    match action:
        case MoveMoney() if action.transaction.type in {BankTransactionType.SPEND, BankTransactionType.RECEIVE}:
            return action.transaction
        case ChangeBill() if action.invoice.line_items:
            kind = InvoiceType.ACCREC if isinstance(action, ChangeSale) else InvoiceType.ACCPAY
            # Lines without an account, as a draft may have, were taken so before.
            return evolve(action.invoice, type=kind, status=DocumentStatus.DRAFT)
        case _:
            return None


def _rests_on(action: Action) -> str | None:
    """The id of what *action* pays, or gives back a part of."""
    match action:
        case Pay():
            return str(action.invoice)
        case Refund():
            return str(action.credit_note)
        case RefundOverpayment():
            return str(action.overpayment)
        case _:
            return None


def _accounts(action: Action) -> Iterator[str]:
    """The ids of the accounts that *action* takes money from, or puts it on, besides those of lines."""
    match action:
        case Pay() | MoneyBack():
            yield action.account
        case Transfer():
            yield from (action.source, action.target)
        case MoveMoney():
            bank = action.transaction.bank_account
            yield (bank.account_id if bank is not None else None) or ""
        case _:
            return


async def _gone(books: Books, actions: Sequence[Action]) -> dict[str, str]:
    """What *actions* pay, or give back a part of, that was voided or deleted, by id, each with words on it."""
    found: dict[str, str] = {}
    for kind, (shelf, model, why) in _RESTS_ON.items():
        ids = dict.fromkeys(on for each in actions if isinstance(each, kind) and (on := _rests_on(each)))
        if ids:
            await refresh(books, shelf)
            documents = await stamped(books, shelf, model, ids)
            found |= {key: why for key, (each, _) in documents.items() if each.status in GONE}
    return found


async def _archived_accounts(books: Books, actions: Iterable[Action]) -> dict[str, str]:
    """The accounts of *actions* that were archived, by id, each with its code, where it has one."""
    ids = dict.fromkeys(account for each in actions for account in _accounts(each) if account)
    if not ids:
        return {}
    with suppress(ScopeMissing):
        await refresh(books, ACCOUNTS)
        found = await stamped(books, ACCOUNTS, Account, ids)
        archived = {key: each for key, (each, _) in found.items() if each.status == AccountStatus.ARCHIVED}
        return {key: f"{each.code} " if each.code else "" for key, each in archived.items()}
    return {}
