"""One path that can be called: its verbs, and the scopes each needs (F 1.44, 1.45)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from attrs import frozen

from xerosync.simulator.refusals import WrongVerb
from xerosync.simulator.resources.call import Answer, Call

TRANSACTIONS: Final = "accounting.transactions"
SETTINGS: Final = "accounting.settings"
INVOICES: Final = "accounting.invoices"
CONTACTS: Final = "accounting.contacts"
PAYMENTS: Final = "accounting.payments"

Plain: TypeAlias = Callable[[Call], Answer]
ById: TypeAlias = Callable[[Call, str], Answer]
ByTwoIds: TypeAlias = Callable[[Call, str, str], Answer]


@frozen
class Route:
    """
    One path and its verbs. *scope* is granular; *broad* is the older scope that covers it too;
    *also_read* a further one that lets it be read.
    """

    path: tuple[str, ...]
    scope: str
    broad: str
    plain: Mapping[str, Plain] = {}
    by_id: Mapping[str, ById] = {}
    by_two_ids: Mapping[str, ByTwoIds] = {}
    also_read: str = ""

    def allows(self, scopes: str, method: str) -> bool:
        """Whether a token of *scopes* may call it with *method*; reading needs the read half only."""
        held = set(scopes.split())
        wanted = {self.scope, self.broad}
        if method == "GET":
            wanted |= {self.also_read} - {""}
            wanted |= {f"{scope}.read" for scope in wanted if not scope.endswith(".read")}
        return bool(held & wanted)

    def run(self, call: Call, ids: tuple[str, ...]) -> Answer:
        """Answer *call* for the *ids* of its path. Raises `WrongVerb`."""
        if len(ids) == 0 and call.method in self.plain:
            return self.plain[call.method](call)
        if len(ids) == 1 and call.method in self.by_id:
            return self.by_id[call.method](call, ids[0])
        if len(ids) == 2 and call.method in self.by_two_ids:
            return self.by_two_ids[call.method](call, ids[0], ids[1])
        raise WrongVerb
