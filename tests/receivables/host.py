"""A product's own table of transactions, kept as the how-to page tells it: from what the library reports."""

from __future__ import annotations

from attrs import define, evolve, field

from xerosync import CancelTransaction, ChangeTransaction, Receivables, Report, TransactionState, TransactionStatus


@define
class Host:
    """
    A product with rows of its own. It makes one for each transaction it does not know, and changes what it is told to,
    if it still can.
    """

    sales: Receivables
    rows: dict[str, TransactionState] = field(factory=dict[str, TransactionState])

    def look(self) -> None:
        """Make a row of every transaction that is live and has none."""
        for each in self.sales.transactions():
            if each.is_live and each.id not in self.rows:
                self.rows[each.id] = TransactionState(
                    id=each.id, status=TransactionStatus.FUTURE, amount=each.amount, on=each.on
                )

    def states(self) -> list[TransactionState]:
        """How its transactions stand."""
        return list(self.rows.values())

    def states_of(self, name: str) -> TransactionState:
        """How one of them stands."""
        return self.rows[name]

    def change(self, name: str, status: TransactionStatus) -> None:
        """Let a transaction come to stand otherwise."""
        self.rows[name] = evolve(self.rows[name], status=status)

    def follow(self) -> Report:
        """Import, follow, and do in its own rows what was told."""
        self.look()
        report = self.sales.apply(self.sales.follow(self.states()))
        for result in report.results:
            row = self.rows[result.action.host_ref]
            if row.status is not TransactionStatus.FUTURE:
                continue
            match result.action:
                case ChangeTransaction(transaction=told):
                    self.rows[told.id] = evolve(row, amount=told.amount, on=told.on)
                case CancelTransaction(transaction=told):
                    self.rows[told.id] = evolve(row, status=TransactionStatus.DELETED)
                case _:
                    pass
        return report
