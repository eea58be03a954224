"""How a transaction is kept in the store: as plain texts, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date

from xerosync.mapping.declines import Decline, DeclineReason
from xerosync.mapping.transactions import Transaction, TransactionStatus
from xerosync.models import InvoiceId
from xerosync.money import Money


def facts_of(transaction: Transaction) -> dict[str, str]:
    """*transaction* as its link keeps it; what is not said is left out."""
    facts = {
        "host_id": transaction.id,
        "xero_id": transaction.invoice_id,
        "invoice_number": transaction.invoice_number,
        "customer": transaction.customer,
        "amount": str(transaction.amount.amount),
        "currency": transaction.amount.currency,
        "due": transaction.due.isoformat() if transaction.due else "",
        "on": transaction.on.isoformat() if transaction.on else "",
        "comment": transaction.comment,
        "attempt": str(transaction.attempt),
        "status": transaction.status.value,
        "cancelled": "yes" if transaction.cancelled else "",
        "declines": _kept(transaction.declines),
        "agreed_anew": "yes" if transaction.agreed_anew else "",
        "agreed_on": transaction.agreed_on.isoformat() if transaction.agreed_on else "",
    }
    return {name: text for name, text in facts.items() if text}


def transaction_of(facts: Mapping[str, str]) -> Transaction:
    """The transaction that a link keeps as *facts*."""
    return Transaction(
        id=facts["host_id"],
        invoice_id=InvoiceId(facts["xero_id"]),
        invoice_number=facts.get("invoice_number", ""),
        customer=facts["customer"],
        amount=Money(facts["amount"], facts["currency"]),
        due=_day(facts.get("due")),
        on=_day(facts.get("on")),
        comment=facts.get("comment", ""),
        attempt=attempt_of(facts),
        status=status_of(facts),
        cancelled="cancelled" in facts,
        declines=_declines(facts.get("declines")),
        agreed_anew="agreed_anew" in facts,
        agreed_on=_day(facts.get("agreed_on")),
    )


def says_why(facts: Mapping[str, str]) -> bool:
    """Whether the transaction of *facts* says something of what may be tried again after it."""
    return not facts.keys().isdisjoint({"declines", "agreed_anew", "agreed_on"})


def _kept(declines: tuple[Decline, ...]) -> str:
    told = [
        {
            "reason": each.reason.value,
            "on": each.on.isoformat(),
            "amount": str(each.amount.amount),
            "currency": each.amount.currency,
            "line": each.line,
        }
        for each in declines
    ]
    return json.dumps(told) if told else ""


def _declines(text: str | None) -> tuple[Decline, ...]:
    return tuple(
        Decline(
            reason=DeclineReason(each["reason"]),
            on=date.fromisoformat(each["on"]),
            amount=Money(each["amount"], each["currency"]),
            line=each["line"],
        )
        for each in json.loads(text or "[]")
    )


def attempt_of(facts: Mapping[str, str]) -> int:
    """Which attempt at its invoice the transaction of *facts* is."""
    return int(facts.get("attempt", "1"))


def status_of(facts: Mapping[str, str]) -> TransactionStatus:
    """How the transaction of *facts* stands with the host."""
    return TransactionStatus(facts.get("status", TransactionStatus.FUTURE))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
