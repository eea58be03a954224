"""The bank accounts, by hand: spend and receive money, over- and prepayments, transfers, batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from attrs import evolve

from xerosync.errors import InvalidInput
from xerosync.simulator.bookkeeper.reading import Reading
from xerosync.simulator.entities import BankTransaction, BankTransfer, BatchPayment, Document
from xerosync.simulator.given import Given, Json
from xerosync.simulator.rules import banking, batches, documents


class BankWork(Reading):
    """Entering, reconciling and removing what moves through bank accounts."""

    @property
    def bank_transactions(self) -> tuple[BankTransaction, ...]:
        """All spend and receive money, sides of transfers and deleted ones too."""
        return tuple(self._books.bank_transactions)

    @property
    def bank_transfers(self) -> tuple[BankTransfer, ...]:
        """All transfers, deleted ones too."""
        return tuple(self._books.bank_transfers)

    @property
    def batch_payments(self) -> tuple[BatchPayment, ...]:
        """All batch payments, deleted ones too."""
        return tuple(self._books.batch_payments)

    @property
    def overpayments(self) -> tuple[Document, ...]:
        """All overpayments, voided ones too."""
        return tuple(one for one in self._books.documents if one.family == "Overpayments")

    @property
    def prepayments(self) -> tuple[Document, ...]:
        """All prepayments, voided ones too."""
        return tuple(one for one in self._books.documents if one.family == "Prepayments")

    def add_bank_transaction(
        self,
        contact_id: str,
        *,
        type: str = "SPEND",  # noqa: A002
        bank: str = "090",
        amount: Decimal | None = None,
        lines: Sequence[Mapping[str, Json]] | None = None,
        account: str = "",
        date: date | None = None,
        reference: str = "",
        is_reconciled: bool = False,
        **others: Json,
    ) -> BankTransaction:
        """
        Enter spend or receive money, an over- or a prepayment by *type*, on the account of code *bank*.

        Of *lines* by Xero's names, or of one line that makes *amount* in all, coded to *account*: 200 for what comes
        in, 429 for what goes out.
        """
        if lines is None and amount is None:
            raise InvalidInput("amount", "give an amount or lines")
        fields: dict[str, Json] = {
            "Type": type,
            "Contact": {"ContactID": contact_id},
            "BankAccount": {"Code": bank},
            "Date": (date or self.today).isoformat(),
            "Reference": reference,
            "IsReconciled": is_reconciled,
            "LineItems": [_one_line(type, amount, account)] if lines is None else [dict(line) for line in lines],
        }
        if lines is None:
            fields["LineAmountTypes"] = "Inclusive"
        wish = documents.Wish(self._books, Given(fields | others), documents.BANK_TRANSACTION, "")
        return self._do(lambda: banking.create(wish))

    def edit_bank_transaction(
        self,
        transaction_id: str,
        *,
        amount: Decimal | None = None,
        lines: Sequence[Mapping[str, Json]] | None = None,
        account: str = "",
        date: date | None = None,
        **others: Json,
    ) -> BankTransaction:
        """
        Change spend or receive money: its day, its *lines* by Xero's names, or one line that makes *amount* in all,
        coded to *account* as in `add_bank_transaction`; *others* by Xero's names.
        """
        old = self._bank_transaction(transaction_id)
        fields: dict[str, Json] = dict(others)
        if amount is not None:
            fields |= {"LineAmountTypes": "Inclusive", "LineItems": [_one_line(old.type, amount, account)]}
        if lines is not None:
            fields["LineItems"] = [dict(line) for line in lines]
        if date is not None:
            fields["Date"] = date.isoformat()
        wish = documents.Wish(self._books, Given(fields), documents.BANK_TRANSACTION, "")
        return self._do(lambda: banking.update(wish, old))

    def remove_bank_transaction(self, transaction_id: str) -> BankTransaction:
        """Remove and redo, as people may even what is reconciled; what it brought about must not be applied."""
        transaction = self._bank_transaction(transaction_id)
        return self._do(lambda: banking.undo(self._books, transaction))

    def reconcile_bank_transaction(self, transaction_id: str) -> BankTransaction:
        """Match spend or receive money with a line of the bank's statement."""
        transaction = self._bank_transaction(transaction_id)
        table = self._books.bank_transactions
        stamp = self._books.write_stamp
        return self._do(lambda: table.put(evolve(transaction, is_reconciled=True, updated_ms=stamp())))

    def add_transfer(
        self, *, from_bank: str, to_bank: str, amount: Decimal, date: date | None = None, reference: str = ""
    ) -> BankTransfer:
        """Move *amount* from one bank account to another, each by its code."""
        fields: dict[str, Json] = {
            "FromBankAccount": {"Code": from_bank},
            "ToBankAccount": {"Code": to_bank},
            "Amount": amount,
            "Date": (date or self.today).isoformat(),
            "Reference": reference,
        }
        return self._do(lambda: banking.transfer(self._books, Given(fields)))

    def reconcile_transfer(self, transfer_id: str) -> BankTransfer:
        """Match both sides of a transfer with lines of the banks' statements."""
        transfer = self._books.bank_transfers.get(transfer_id)
        if transfer is None or transfer.status == "DELETED":
            raise InvalidInput("transfer_id", "there is no such transfer")
        return self._do(lambda: banking.reconcile_transfer(self._books, transfer))

    def add_batch_payment(
        self,
        amounts: Mapping[str, Decimal],
        *,
        account: str = "090",
        date: date | None = None,
        reference: str = "",
        is_reconciled: bool = False,
    ) -> BatchPayment:
        """Pay several invoices, or several bills, at a stroke: *amounts* by their ids."""
        rows: list[Json] = [{"Invoice": {"InvoiceID": one}, "Amount": amount} for one, amount in amounts.items()]
        fields: dict[str, Json] = {
            "Account": {"Code": account},
            "Date": (date or self.today).isoformat(),
            "Reference": reference,
            "Payments": rows,
        }

        def made() -> BatchPayment:
            batch = batches.create(self._books, Given(fields), made_by="")
            return batches.reconcile(self._books, batch) if is_reconciled else batch

        return self._do(made)

    def remove_batch_payment(self, batch_id: str) -> BatchPayment:
        """Remove and redo a batch with every payment in it, as people may even when it is reconciled."""
        batch = self._batch_payment(batch_id)
        return self._do(lambda: batches.take_back(self._books, batch))

    def reconcile_batch_payment(self, batch_id: str) -> BatchPayment:
        """Match a batch, and with it every payment in it, with a line of the bank's statement."""
        batch = self._batch_payment(batch_id)
        return self._do(lambda: batches.reconcile(self._books, batch))

    def _batch_payment(self, batch_id: str) -> BatchPayment:
        batch = self._books.batch_payments.get(batch_id)
        if batch is None or batch.status == "DELETED":
            raise InvalidInput("batch_id", "there is no such batch payment")
        return batch

    def _bank_transaction(self, transaction_id: str) -> BankTransaction:
        found = self._books.bank_transactions.get(transaction_id)
        if found is None or found.status == "DELETED" or found.transfer_id:
            raise InvalidInput("transaction_id", "there is no such bank transaction")
        return found


def _one_line(type: str, amount: Decimal | None, account: str) -> dict[str, Json]:  # noqa: A002 (Xero's name of it)
    code = account or ("200" if type.startswith("RECEIVE") else "429")
    coded: dict[str, Json] = {} if type.endswith("OVERPAYMENT") else {"AccountCode": code}
    return {"Description": "Goods and services", "Quantity": 1, "UnitAmount": amount, **coded}
