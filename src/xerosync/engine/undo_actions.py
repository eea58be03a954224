"""What a plan may hold to take back what moved as one: transfers, and batches of payments."""

from __future__ import annotations

from typing import ClassVar, Final

from attrs import frozen

from xerosync.engine.actions import Action, CreateContact, EnablePayments, OpenAccount, RemovePayment
from xerosync.engine.paper_actions import AddNote, Attach, MarkBillable
from xerosync.money import Money

STAYS: Final = frozenset(
    {CreateContact.kind, OpenAccount.kind, EnablePayments.kind, Attach.kind, MarkBillable.kind, AddNote.kind}
)
"""The kinds of write that move no money, and that others may rest on by now: what is undone leaves them."""


@frozen(kw_only=True, repr=False)
class RemoveTransfer(Action):
    """Delete a transfer, by its id *removed*, on both accounts (F 6.157)."""

    kind: ClassVar[str] = "transfer_removal"
    removed: str
    amount: Money

    @property
    def worth(self) -> Money:
        """The amount that moves back, as a negative amount."""
        return -self.amount


@frozen(kw_only=True, repr=False)
class RemoveBatch(Action):
    """
    Remove a batch of payments as one, since its *payments* cannot be removed one by one (F 6.123, 6.142).

    *removed* is the batch's id; each payment is known as removed by itself once the batch is gone.
    """

    kind: ClassVar[str] = "batch_payment_removal"
    removed: str
    payments: tuple[RemovePayment, ...]

    @property
    def worth(self) -> Money:
        """What is open again, as a negative amount."""
        return Money.total((each.worth or -each.amount for each in self.payments), self.payments[0].amount.currency)
