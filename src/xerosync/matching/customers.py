"""Pairing customers with contacts by custom identifier: statuses, never guesses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum

from attrs import evolve, frozen

from xerosync.matching.names import plain_name
from xerosync.models import Contact, ContactId, ContactStatus


@frozen(kw_only=True, repr=False)
class Customer:
    """A customer: the host's *id*, and the *custom_identifier* that must equal a contact's name in Xero (R9)."""

    id: str
    custom_identifier: str

    def __repr__(self) -> str:
        return f"<Customer {self.id}>"


class MatchStatus(StrEnum):
    """How a customer stands towards the contacts in Xero (R11)."""

    CONNECTED = "connected"
    MATCH_FOUND = "match found"
    NOT_IN_XERO = "not in Xero"
    AMBIGUOUS = "ambiguous"
    ARCHIVED = "archived"


@frozen(kw_only=True, repr=False)
class Match:
    """
    One customer's *status*, and the contacts it concerns: one when found or connected, several when ambiguous, or one
    that is another customer's too.
    """

    customer: Customer
    status: MatchStatus
    contacts: tuple[ContactId, ...] = ()

    def __repr__(self) -> str:
        return f"<Match {self.customer.id} {self.status}>"


def match_customer(
    customer: Customer,
    *,
    linked: ContactId | None,
    by_name: Mapping[str, Sequence[Contact]],
    by_id: Mapping[str, Contact],
) -> Match:
    """
    How *customer* stands: by its link when it has one, else by the contacts named like its custom identifier.

    A name written in the very same letters wins over one that differs in case or width. Two active ones are ambiguous,
    never the first hit; an archived one cannot be used (F 6.31).
    """
    if linked is not None:
        contact = by_id.get(linked)
        usable = contact is not None and contact.contact_status == ContactStatus.ACTIVE
        status = MatchStatus.CONNECTED if usable else MatchStatus.ARCHIVED
        return Match(customer=customer, status=status, contacts=(linked,))
    named = by_name.get(plain_name(customer.custom_identifier), ()) if customer.custom_identifier.strip() else ()
    active = [contact for contact in named if contact.contact_status == ContactStatus.ACTIVE]
    exact = [contact for contact in active if contact.name == customer.custom_identifier]
    ids = tuple(each.contact_id for each in (exact or active or named) if each.contact_id is not None)
    if not ids:
        return Match(customer=customer, status=MatchStatus.NOT_IN_XERO)
    if not active:
        return Match(customer=customer, status=MatchStatus.ARCHIVED, contacts=ids)
    status = MatchStatus.MATCH_FOUND if len(ids) == 1 else MatchStatus.AMBIGUOUS
    return Match(customer=customer, status=status, contacts=ids)


def one_customer_each(matches: Sequence[Match], taken: Mapping[str, str]) -> tuple[Match, ...]:
    """
    *matches*, where a contact found for two customers, or *taken* by another one before, is nobody's: ambiguous.

    Its invoices would be asked of one of them, and nobody could say of which. *taken* are customers by contact.
    """
    found = Counter(match.contacts[0] for match in matches if match.status is MatchStatus.MATCH_FOUND)
    return tuple(
        evolve(match, status=MatchStatus.AMBIGUOUS)
        if match.status is MatchStatus.MATCH_FOUND and (match.contacts[0] in taken or found[match.contacts[0]] > 1)
        else match
        for match in matches
    )
