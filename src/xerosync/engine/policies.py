"""How each customer's invoices are imported, kept beside the customer's link: chosen by a plan like everything else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from attrs import frozen

from xerosync.client._books import Books
from xerosync.engine.actions import SetImportPolicy
from xerosync.engine.observed import all_links, links_of
from xerosync.engine.pair_actions import ConnectCustomer
from xerosync.engine.plans import Finding, Plan
from xerosync.errors import InvalidInput


class ImportPolicy(StrEnum):
    """How the invoices of a customer are imported, and whether edits of them in Xero are followed (R14, R31)."""

    BY_HAND = "by hand"
    """Chosen one by one; an edit in Xero is a finding, and changes no transaction."""
    FOLLOWED = "by hand, edits followed"
    """Chosen one by one; from then on, edits and voids in Xero are followed."""
    AUTOMATIC = "automatic"
    """Imported by themselves from the day this was set, and followed."""


@frozen
class KeptPolicy:
    """A customer's *policy*, and the day *since* when it holds."""

    policy: ImportPolicy
    since: date


async def kept_policies(books: Books) -> dict[str, KeptPolicy]:
    """The policies that were ever set, by customer; for all others, invoices are imported by hand."""
    links = await all_links(books, SetImportPolicy.kind)
    return {
        link["host_id"]: KeptPolicy(ImportPolicy(link["policy"]), date.fromisoformat(link["since"])) for link in links
    }


async def set_policies(books: Books, wanted: Mapping[str, ImportPolicy | str], *, today: date) -> Plan:
    """Give each customer the policy *wanted*, *today*; one that has it keeps it since when it had it."""
    policies = {customer: _policy(policy) for customer, policy in wanted.items()}
    connected = await links_of(books, ConnectCustomer.kind, policies)
    kept = await kept_policies(books)
    default = KeptPolicy(ImportPolicy.BY_HAND, today)
    return Plan(
        tenant=books.tenant,
        actions=tuple(
            SetImportPolicy(
                host_ref=customer,
                reason=f"was {kept.get(customer, default).policy}",
                facts={"policy": policy.value, "since": today.isoformat()},
                xero_id=connected[customer]["xero_id"],
            )
            for customer, policy in policies.items()
            if customer in connected and policy is not kept.get(customer, default).policy
        ),
        findings=tuple(_not_connected(customer) for customer in policies if customer not in connected),
    )


def _policy(value: ImportPolicy | str) -> ImportPolicy:
    try:
        return ImportPolicy(value)
    except ValueError:
        raise InvalidInput("policy", f"give one of {', '.join(ImportPolicy)}") from None


def _not_connected(customer: str) -> Finding:
    return Finding(
        code="customer not connected",
        about=customer,
        cause="the customer is not connected to a contact, so none of its invoices can be imported",
        fix="match the customer first",
        retry=True,
    )
