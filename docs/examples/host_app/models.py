"""The product's own tables: what it knew before it ever heard of Xero, and the choices its user made since."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from sqlalchemy import Date, Dialect, Enum, ForeignKey, LargeBinary, String, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from xerosync import LineKind, Money, TransactionStatus


class MoneyText(TypeDecorator[Money]):
    """Money as text, such as ``100.00 NZD``: exact in every database, and never without its currency."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Money | None, dialect: Dialect) -> str | None:
        """What is kept."""
        del dialect
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Money | None:
        """What was kept."""
        del dialect
        if value is None:
            return None
        amount, _, currency = value.partition(" ")
        return Money(amount, currency)


def _words(kinds: type[StrEnum]) -> Enum:
    return Enum(kinds, native_enum=False, length=40, values_callable=lambda each: [kind.value for kind in each])


class Table(DeclarativeBase):
    """What all tables have in common: how Python's types are kept."""

    type_annotation_map = {  # noqa: RUF012 - as SQLAlchemy asks for it
        Money: MoneyText(60),
        date: Date(),
        TransactionStatus: _words(TransactionStatus),
        LineKind: _words(LineKind),
    }


class Company(Table):
    """A business that uses the product; its accounts are codes of its chart in Xero, blank until they are chosen."""

    __tablename__ = "companies"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    currency: Mapped[str]
    clearing_account: Mapped[str] = mapped_column(default="")
    bank_account: Mapped[str] = mapped_column(default="")
    fee_account: Mapped[str] = mapped_column(default="")
    payment_account: Mapped[str] = mapped_column(default="")


class Customer(Table):
    """Somebody the company collects money from."""

    __tablename__ = "customers"

    id: Mapped[str] = mapped_column(primary_key=True)
    company: Mapped[str] = mapped_column(ForeignKey("companies.id"))
    name: Mapped[str]
    custom_identifier: Mapped[str]
    email: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")
    follows_xero: Mapped[bool] = mapped_column(default=False)
    is_connected: Mapped[bool] = mapped_column(default=False)


class Collection(Table):
    """A request for payment, of an invoice or by hand: xerosync's *transaction*, under the same id."""

    __tablename__ = "collections"

    id: Mapped[str] = mapped_column(primary_key=True)
    company: Mapped[str] = mapped_column(ForeignKey("companies.id"))
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"))
    comment: Mapped[str]
    amount: Mapped[Money]
    due: Mapped[date | None]
    on: Mapped[date | None]
    status: Mapped[TransactionStatus] = mapped_column(default=TransactionStatus.FUTURE)
    customer: Mapped[Customer] = relationship(lazy="joined")


class Settlement(Table):
    """What one day's collections brought in, less the fee; paid out to the company's bank on a later day."""

    __tablename__ = "settlements"

    id: Mapped[str] = mapped_column(primary_key=True)
    company: Mapped[str] = mapped_column(ForeignKey("companies.id"))
    on: Mapped[date]
    fee: Mapped[Money | None]
    paid_out_on: Mapped[date | None]
    lines: Mapped[list[SettlementLine]] = relationship(lazy="selectin", order_by="SettlementLine.id")


class SettlementLine(Table):
    """What became of one collection."""

    __tablename__ = "settlement_lines"

    id: Mapped[str] = mapped_column(primary_key=True)
    settlement: Mapped[str] = mapped_column(ForeignKey("settlements.id"))
    collection_id: Mapped[str] = mapped_column(ForeignKey("collections.id"))
    kind: Mapped[LineKind]
    amount: Mapped[Money]
    collection: Mapped[Collection] = relationship(lazy="joined")


class Paper(Table):
    """A vendor's bill, or the receipt of what was paid by card at once; with the document, if it was uploaded."""

    __tablename__ = "papers"

    id: Mapped[str] = mapped_column(primary_key=True)
    company: Mapped[str] = mapped_column(ForeignKey("companies.id"))
    is_receipt: Mapped[bool]
    vendor: Mapped[str]
    number: Mapped[str]
    on: Mapped[date]
    due: Mapped[date | None]
    description: Mapped[str]
    account: Mapped[str]
    amount: Mapped[Money]
    file_name: Mapped[str] = mapped_column(default="")
    document: Mapped[bytes] = mapped_column(LargeBinary, default=b"", deferred=True)
    is_in_xero: Mapped[bool] = mapped_column(default=False)
    paid_on: Mapped[date | None]


class Errand(Table):
    """A user on the way to Xero's consent page: what must be there, and serve once, when the browser comes back."""

    __tablename__ = "errands"

    id: Mapped[str] = mapped_column(primary_key=True)
    company: Mapped[str]
    request: Mapped[str]
