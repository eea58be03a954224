"""Which of the organisations that a consent reaches is the one meant: the linked one, the only one, or ask the user."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from xerosync.errors import InvalidInput, OtherOrganisation
from xerosync.models import Connection, TenantId


def tenant_id(text: str) -> TenantId:
    """*text* as the id of an organisation. Raises `InvalidInput` when it is no UUID."""
    try:
        return TenantId(str(UUID(text)))
    except (ValueError, AttributeError, TypeError):
        raise InvalidInput("organisation", "give the tenant id of the connection, a UUID") from None


def choose_organisation(
    connections: Iterable[Connection], *, linked: str | None = None, another: bool = False
) -> Connection:
    """
    The one of *connections* to use: the organisation *linked* before, or else the only one there is.

    Raises `OtherOrganisation` when *linked* is not among them, since links, cursors and settings belong to one
    organisation's books; a demo company that was reset is another one too (F 8.03). Only with *another* may it be
    replaced. Raises `InvalidInput` when there are several to choose from: let the user choose.
    """
    open_to = [each for each in connections if each.tenant_type == "ORGANISATION"]
    wanted = None if linked is None else tenant_id(linked)
    same = [each for each in open_to if each.tenant_id == wanted]
    if same:
        return same[0]
    if not open_to:
        raise OtherOrganisation("the user let the app into no organisation: ask them to choose one at Xero")
    if wanted is not None and not another:
        raise other_organisation(open_to)
    if len(open_to) > 1:
        raise InvalidInput("connections", "there are several organisations: let the user choose one")
    return open_to[0]


def other_organisation(covered: Iterable[Connection]) -> OtherOrganisation:
    """The refusal to go on in other books than those that are linked."""
    return OtherOrganisation(
        "the consent does not cover this organisation: let the user choose it at Xero. "
        "Another organisation has other books, and starts without links.",
        tuple(each.tenant_id for each in covered),
    )
