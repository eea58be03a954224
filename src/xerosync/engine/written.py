"""How a document of ours was written last: as it was created, and as each change of it since then was wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import cast

from attrs import evolve, frozen

from xerosync.client._wire.codec import Json, parse
from xerosync.engine.intents import Intent
from xerosync.engine.states import State
from xerosync.models import LineAmountTypes


@frozen(kw_only=True)
class Written:
    """The *creation* of a document, and the *changes* of it in their order, whatever became of them."""

    creation: Intent
    changes: Sequence[Intent] = ()

    @property
    def last(self) -> Intent:
        """The write that stands: the last change that was made, or else the creation."""
        return next((each for each in reversed(self.changes) if each.state is State.CONFIRMED), self.creation)

    @property
    def edits(self) -> int:
        """How many changes were made."""
        return sum(each.state is State.CONFIRMED for each in self.changes)

    @property
    def wanted(self) -> Mapping[str, object]:
        """The whole document as it was wanted last: under money only a part of it was sent."""
        wanted = self.last.facts.get("wanted")
        return self.last.payload if wanted is None else cast(Json, parse(wanted.encode(), where="wanted"))

    def as_one(self) -> Intent:
        """The creation, as if it had written at once what stands now."""
        last = self.last
        if last is self.creation:
            return last
        payload = {**self.creation.payload, **last.payload, **self.wanted}
        known = {name: fact for name, fact in self.creation.facts.items() if name != "total"}
        return evolve(self.creation, payload=payload, facts={**known, **last.facts})


def written_total(intent: Intent) -> Decimal | None:
    """What the document of *intent* came to, as Xero said, or as it was sent; None where only Xero worked it out."""
    if "total" in intent.facts:
        return Decimal(intent.facts["total"])
    if "Amount" in intent.payload:
        return Decimal(str(intent.payload["Amount"]))
    amount = intent.facts.get("amount")
    if amount is None or intent.payload.get("LineAmountTypes") == LineAmountTypes.EXCLUSIVE:
        return None
    return abs(Decimal(amount))
