"""What the host says was handled outside: it is neither planned nor found, until the host takes it up again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import ClassVar, Final

from attrs import frozen

from xerosync.client._books import Books
from xerosync.engine.actions import Link
from xerosync.engine.observed import all_links
from xerosync.engine.once import sifted_ids
from xerosync.engine.plans import Plan
from xerosync.models import TenantId
from xerosync.storage.protocol import Record
from xerosync.tables import Listing
from xerosync.texts import check_text

BILL: Final = "bill"
PAYMENT: Final = "payment"
RECEIPT: Final = "receipt"


@frozen(kw_only=True, repr=False)
class HandleOutside(Link):
    """Remember that something was handled outside, or, when *again*, that the library is to see to it after all."""

    kind: ClassVar[str] = "handled"
    xero_id: str = ""
    again: bool = False

    def record(self, tenant: TenantId) -> Record:
        """The record that remembers it; there is nothing in Xero that it could be found by."""
        about = {"host_id": self.host_ref, "again": "yes" if self.again else "", **self.facts}
        return Record("link", tenant, self.key, json.dumps(about), self.kind, None)


@frozen(kw_only=True, repr=False)
class HandledOutside:
    """Something handled outside: *what* it is, ``bill``, ``receipt`` or ``payment``, the host's *id*, and a *note*."""

    what: str
    id: str
    note: str

    def __repr__(self) -> str:
        return f"<HandledOutside {self.what} {self.id}>"


async def handled(books: Books) -> Listing[HandledOutside]:
    """All that is handled outside now."""
    links = [link for link in await all_links(books, HandleOutside.kind) if not link["again"]]
    named = [(*link["host_id"].split("/", 1), link.get("note", "")) for link in links]
    return Listing(HandledOutside(what=what, id=host_id, note=note) for what, host_id, note in named)


async def handled_ids(books: Books, what: str) -> frozenset[str]:
    """The host's ids of what is handled outside."""
    return frozenset(each.id for each in await handled(books) if each.what == what)


async def handle(books: Books, about: Mapping[str, Iterable[str]], *, note: str, again: bool) -> Plan:
    """Plan to remember the ids in *about*, by what they are of, as handled outside, or no longer so when *again*."""
    check_text("note", note)
    sifted = {what: sifted_ids(ids) for what, ids in about.items()}
    wanted = [(what, each) for what, (ids, _) in sifted.items() for each in ids]
    now = {(each.what, each.id) for each in await handled(books)}
    reason = "to be seen to after all" if again else "handled outside"
    return Plan(
        tenant=books.tenant,
        actions=tuple(
            HandleOutside(
                host_ref=f"{what}/{host_id}", reason=reason, facts={"note": note} if note else {}, again=again
            )
            for what, host_id in wanted
            if ((what, host_id) in now) is again
        ),
        findings=tuple(each for _, unfit in sifted.values() for each in unfit),
    )
