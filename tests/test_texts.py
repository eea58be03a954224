"""What no text may hold is found when a plan is made, of whatever a host gives, and holds up nothing beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TypeVar, cast

import pytest
from attrs import evolve
from tests.conftest import BANK, DAY, Product, nzd

from xerosync import (
    Bill,
    BillFile,
    BillLine,
    BillPayment,
    CardSpend,
    CreditRefund,
    Customer,
    Fee,
    Payables,
    Plan,
    Receivables,
    Sale,
    SaleLine,
    Settlement,
    SettlementLine,
    Vendor,
)
from xerosync.errors import InvalidInput
from xerosync.models import AccountCode
from xerosync.storage.sqlite import SQLiteStore

LINE = BillLine(description="x", amount=nzd("10.00"), account=AccountCode("429"))
BILL = Bill(id="b1", vendor="Paper Ltd", number="1", on=DAY, lines=[LINE])
SPEND = CardSpend(id="s1", vendor="Taxi", on=DAY, account=BANK, lines=[LINE])
SALE_LINE = SaleLine(description="x", amount=nzd("10.00"), account=AccountCode("200"))
SALE = Sale(id="i1", customer="Ana", number="N1", on=DAY, lines=[SALE_LINE])
PAYMENT = BillPayment(id="p1", bill_id="good", on=DAY)
WRONG = [pytest.param(each, id=ascii(each)) for each in ("a\x00b", "a\x0bb", "a\x7fb", "a\ud800b", "a\uffffb")]


@pytest.fixture
def database(product: Product, tmp_path: Path) -> Iterator[None]:
    """The store is a database, which takes less than memory does."""
    store = SQLiteStore(tmp_path / "xerosync.db")
    product.store = store
    yield
    store.close()


T = TypeVar("T")
changed = cast(Callable[..., object], evolve)


def having(thing: T, **fields: object) -> T:
    return cast(T, changed(thing, **fields))


def wrong_lines(line: BillLine | SaleLine, text: str) -> list[dict[str, object]]:
    lines: list[object] = [
        evolve(line, description=text),
        evolve(line, account=AccountCode(text)),
        evolve(line, tax_type=text),
        evolve(line, item=text),
        evolve(line, category=text),
        evolve(line, tracking={text: "North"}),
        evolve(line, tracking={"Region": text}),
    ]
    return [{"lines": [each]} for each in lines]


def wrong_bills(text: str) -> list[Bill]:
    fields: list[dict[str, object]] = [{"id": text}, {"vendor": text}, {"number": text}]
    fields += wrong_lines(LINE, text)
    return [having(BILL, **{"id": f"w{place}", **each}) for place, each in enumerate(fields)]


def wrong_spends(text: str) -> list[CardSpend]:
    fields: list[dict[str, object]] = [{"id": text}, {"vendor": text}, {"reference": text}, {"account": text}]
    fields += wrong_lines(LINE, text)
    return [having(SPEND, **{"id": f"w{place}", **each}) for place, each in enumerate(fields)]


def wrong_sales(text: str) -> list[Sale]:
    fields: list[dict[str, object]] = [
        {name: text} for name in ("id", "customer", "number", "reference", "transaction")
    ]
    fields += wrong_lines(SALE_LINE, text)
    return [having(SALE, **{"id": f"w{place}", **each}) for place, each in enumerate(fields)]


def refused(plan: Plan, code: str = "cannot be posted") -> list[str]:
    assert {each.code for each in plan.findings} <= {code}, [*plan.findings]
    for each in plan.findings:
        (each.about + each.cause).encode()
    return [each.about for each in plan.findings]


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("text", WRONG)
def test_one_wrong_text_of_a_bill_holds_up_no_other(product: Product, purchases: Payables, text: str) -> None:
    for sign, number in ((1, "bill"), (-1, "credit")):
        good = [evolve(LINE, amount=nzd(10 * sign))]
        wrong = [
            evolve(each, lines=[evolve(line, amount=nzd(10 * sign)) for line in each.lines])
            for each in wrong_bills(text)
        ]
        plan = purchases.submit([*wrong, evolve(BILL, id=f"good {sign}", number=number, lines=good)])

        assert len(refused(plan)) == len(wrong)
        purchases.apply(plan)
        assert len(refused(purchases.update(wrong))) == len(wrong)
    assert (len(product.books.invoices), len(product.books.credit_notes)) == (1, 1)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("text", WRONG)
def test_one_wrong_text_of_a_receipt_holds_up_no_other(product: Product, purchases: Payables, text: str) -> None:
    wrong = wrong_spends(text)

    plan = purchases.spend([*wrong, SPEND])

    assert len(refused(plan)) == len(wrong)
    purchases.apply(plan)
    assert len(product.books.bank_transactions) == 1
    assert len(refused(purchases.update(wrong))) == len(wrong)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("text", WRONG)
def test_one_wrong_text_of_a_payment_or_a_file_holds_up_no_other(
    product: Product, purchases: Payables, text: str
) -> None:
    purchases.apply(purchases.submit([evolve(BILL, id="good")]))
    wrong = [evolve(PAYMENT, id=text), evolve(PAYMENT, id="w1", bill_id=text), evolve(PAYMENT, id="w2", account=text)]

    files = purchases.attach([BillFile(bill_id=text, name="a.pdf", content=b"1")])
    paid = purchases.pay([*wrong, PAYMENT])
    taken_over = purchases.backfill(payments=wrong)

    assert (len(refused(files, "cannot be attached")), len(refused(paid)), len(refused(taken_over))) == (1, 3, 3)
    purchases.apply(paid)
    assert len(product.live_payments()) == 1


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_id_is_of_nothing(product: Product, purchases: Payables, sales: Receivables, text: str) -> None:
    """Neither kept nor found, nor the end of a call on others."""
    product.invoice("Ana", "10.00")
    assert len(refused(purchases.handle_outside([text], payments=[text], receipts=[text]))) == 3
    assert (purchases.posted([text]), sales.posted([text])) == ((), ())
    assert not purchases.void([text])
    assert not sales.void([text])
    assert not sales.unlink(text)
    assert not sales.contact_updates([text])
    assert [each.code for each in sales.set_import_policies({text: "automatic"}).findings] == ["customer not connected"]
    contact = product.books.add_contact("Typed Ltd")
    product.books.add_invoice(contact.id, type="ACCPAY", number="T-1", amount=Decimal(100), date=DAY)
    assert [each.code for each in purchases.bring_back(bill_id=lambda _: text).findings] == ["bill id taken"]


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("text", WRONG)
def test_one_wrong_text_of_a_customer_or_a_sale_holds_up_no_other(
    product: Product, sales: Receivables, text: str
) -> None:
    product.books.add_contact("Ana Costa")
    names = ("id", "custom_identifier", "name", "contact_number", "account_number", "email", "tax_number", "phone")
    plain = Customer(id="w", custom_identifier="x")
    wrong = [having(plain, **{"id": f"w{place}", name: text}) for place, name in enumerate(names)]

    matched = sales.match([*wrong, Customer(id="Ana", custom_identifier="Ana Costa")], create_missing=True)
    sales.apply(matched)
    submitted = sales.submit([*wrong_sales(text), SALE])
    sales.apply(submitted)

    assert len(refused(matched, "cannot be created")) == len(wrong)
    assert len(refused(submitted)) == len(wrong_sales(text))
    assert len(refused(sales.update(wrong_sales(text)))) == len(wrong_sales(text))
    assert [each.number for each in product.books.invoices] == ["N1"]
    refunds = sales.refund([CreditRefund(id=text, credit_id="c", on=DAY), CreditRefund(id="r", credit_id=text, on=DAY)])
    assert len(refused(refunds)) == 2


ALONE: list[Callable[[Payables, Receivables, str], object]] = [
    lambda bills, _, text: bills.link_vendor(text, "x"),
    lambda bills, _, text: bills.move_vendor(text, "x"),
    lambda bills, _, text: bills.unlink_vendor(text),
    lambda bills, _, text: bills.create_vendor(text),
    lambda bills, _, text: bills.create_vendor(Vendor(name="x", tax_number=text)),
    lambda bills, _, text: bills.handle_outside(["b1"], note=text),
    lambda _, sales, text: sales.link(text, "x"),
    lambda _, sales, text: sales.move(text, "x"),
    lambda _, sales, text: sales.create_contact(Customer(id=text, custom_identifier="x")),
    lambda _, sales, text: sales.link_transaction(text, invoice="x"),
    lambda _, sales, text: sales.settle(Settlement(id="S", on=DAY, lines=[line(id=text)])),
    lambda _, sales, text: sales.settle(Settlement(id="S", on=DAY, lines=[line(transaction=text)])),
    lambda _, sales, text: sales.settle(Settlement(id=text, on=DAY, lines=[line()], fees=[Fee(amount=nzd(1))])),
    lambda _, sales, text: sales.settle(
        Settlement(id="S", on=DAY, lines=[line()], fees=[Fee(amount=nzd(1), description=text)])
    ),
]


def line(**given: str) -> SettlementLine:
    return having(SettlementLine(id="l", transaction="t", amount=nzd(10)), **given)


@pytest.mark.parametrize("call", ALONE)
@pytest.mark.parametrize("text", WRONG)
def test_what_stands_alone_is_refused_by_its_field(
    purchases: Payables, sales: Receivables, call: Callable[[Payables, Receivables, str], object], text: str
) -> None:
    with pytest.raises(InvalidInput, match=r"control characters|lone surrogates"):
        call(purchases, sales, text)


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": " "},
        {"id": "x" * 2501},
        {"vendor": " \t"},
        {"vendor": "x" * 256},
        {"number": "x" * 256},
        {"lines": [evolve(LINE, description="x" * 4001)]},
        {"lines": [evolve(LINE, item="x" * 31)]},
        {"lines": [evolve(LINE, tracking={" ": "North"})]},
        {"lines": [evolve(LINE, tracking={"Region": "x" * 101})]},
    ],
)
def test_what_is_blank_or_too_long_is_found(product: Product, purchases: Payables, wrong: dict[str, object]) -> None:
    plan = purchases.submit([having(BILL, **wrong), evolve(BILL, id="good", number="2")])

    assert len(refused(plan)) == 1
    purchases.apply(plan)
    assert [each.number for each in product.books.invoices] == ["2"]


def test_what_is_no_text_is_refused_by_its_field_before_anything_is_sent(product: Product, purchases: Payables) -> None:
    with pytest.raises(InvalidInput, match="number: give a text, not None"):
        purchases.submit([having(BILL, number=None), evolve(BILL, id="good", number="2")])

    assert product.books.invoices == ()


def test_what_people_write_in_all_the_world_is_kept(product: Product, purchases: Payables) -> None:
    """Emoji of several characters, blanks that do not break, and marks of scripts from right to left are text."""
    written = "Café\u00a0crème 👨\u200d👩\u200d👧 \u200fשלום\ttab"

    purchases.apply(purchases.submit([evolve(BILL, lines=[evolve(LINE, description=written)])]))

    assert [each.lines[0].description for each in product.books.invoices] == [written]
