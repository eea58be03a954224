"""Whatever a function of the host's own raises or gives is about the one bill it was asked about; the others go on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from attrs import evolve
from tests.conftest import BANK, DAY, Product, Through, is_write, nzd

from xerosync import Bill, BillInXero, BillLine, BillSettings, CardSpend, LinkBill, Payables, Rule, Rules, map_bill
from xerosync.errors import InvalidInput
from xerosync.mapping.lines import PaperLine
from xerosync.matching.keys import Party, by_name
from xerosync.models import AccountCode, Contact, CreditNote, Invoice, InvoiceId, InvoiceType
from xerosync.ports import Request

GOOD, BAD = "Paper Ltd", "Secret Vendor Ltd"
Mapper = Callable[[Bill], Invoice | CreditNote]


def line() -> BillLine:
    return BillLine(description="x", amount=nzd("10.00"), account=AccountCode("429"))


def bill(bill_id: str, vendor: str) -> Bill:
    return Bill(id=bill_id, vendor=vendor, number=bill_id, on=DAY, lines=[line()])


BILLS = [bill("a", GOOD), bill("b", BAD), bill("c", GOOD)]


def raises(paper: Bill) -> Invoice | CreditNote:
    raise KeyError(paper.vendor)


def refuses(_: Bill) -> Invoice | CreditNote:
    raise InvalidInput("project", "give one")


def nothing(_: Bill) -> Invoice | CreditNote:
    return None  # type: ignore[return-value]


def another_kind(paper: Bill) -> Invoice | CreditNote:
    return CreditNote(type=InvoiceType.ACCPAYCREDIT, date=paper.on)


def a_sale(paper: Bill) -> Invoice | CreditNote:
    return evolve(map_bill(paper), type=InvoiceType.ACCREC)


def of_another_document(paper: Bill) -> Invoice | CreditNote:
    document = map_bill(paper)
    assert isinstance(document, Invoice)
    return evolve(document, invoice_id=InvoiceId("220ddca8-3144-4085-9a88-2d72c5133734"))


def no_amounts(paper: Bill) -> Invoice | CreditNote:
    document = map_bill(paper)
    lines = [evolve(each, unit_amount=object()) for each in document.line_items]  # type: ignore[arg-type]
    return evolve(document, line_items=tuple(lines))


MAPPERS = [
    (raises, "mapper: correct it: it raised KeyError"),
    (refuses, "project: give one"),
    (nothing, "mapper: give an Invoice or a CreditNote, not None"),
    (another_kind, "mapper: leave the type of the document and its id in Xero as they are"),
    (a_sale, "mapper: leave the type of the document and its id in Xero as they are"),
    (of_another_document, "mapper: leave the type of the document and its id in Xero as they are"),
    (no_amounts, None),
]


def for_one_vendor(own: Mapper) -> BillSettings:
    return BillSettings(mapper=lambda paper: own(paper) if paper.vendor == BAD else map_bill(paper))


@pytest.mark.parametrize(("own", "cause"), MAPPERS)
def test_a_bill_that_the_mapper_makes_nothing_of_is_a_finding_and_the_others_are_posted(
    product: Product, own: Mapper, cause: str | None
) -> None:
    purchases = Payables(product.xero(), payment_account=BANK, bills=for_one_vendor(own))

    plan = purchases.submit(BILLS)
    purchases.apply(plan)

    (finding,) = plan.findings
    assert (finding.code, finding.about) == ("cannot be posted", "b")
    assert cause is None or finding.cause == cause
    assert BAD not in finding.cause
    assert sorted(each.number for each in product.live_bills()) == ["a", "c"]


@pytest.mark.parametrize(("own", "cause"), MAPPERS)
def test_a_bill_that_the_mapper_makes_nothing_of_any_more_is_a_finding_when_it_changes(
    product: Product, purchases: Payables, own: Mapper, cause: str | None
) -> None:
    purchases.apply(purchases.submit(BILLS))
    changing = Payables(product.xero(), payment_account=BANK, bills=for_one_vendor(own))

    plan = changing.update([evolve(each, number=f"{each.id}-2") for each in BILLS])
    changing.apply(plan)

    assert [(each.code, each.about) for each in plan.findings] == [("cannot be posted", "b")]
    assert cause in {None, plan.findings[0].cause}
    assert sorted(each.number for each in product.live_bills()) == ["a-2", "b", "c-2"]


def test_a_key_that_refuses_a_contact_holds_up_the_new_bills(product: Product, purchases: Payables) -> None:
    purchases.apply(purchases.submit(BILLS[:1]))
    product.books.add_contact("Odd Ltd")

    def own_key(party: Party) -> str:
        if isinstance(party, Contact) and party.name == "Odd Ltd":
            raise InvalidInput("contact", "give it a number")
        return party.name or "" if isinstance(party, Contact) else ""

    plan = Payables(product.xero(), payment_account=BANK, match_by=(by_name, own_key)).submit(BILLS)

    assert plan.actions == ()
    assert [(each.code, each.about) for each in plan.findings] == [("cannot be posted", "b"), ("cannot be posted", "c")]


def test_a_rule_that_raises_holds_up_the_bills_and_receipts_it_is_asked_about(product: Product) -> None:
    def when(vendor: str, _: PaperLine) -> bool:
        return {GOOD: True}[vendor]

    rules = Rules([Rule(name="ours", when=when, account=AccountCode("453"))])
    purchases = Payables(product.xero(), payment_account=BANK, bills=BillSettings(rules=rules))
    receipts = [CardSpend(id=each.id, vendor=each.vendor, on=DAY, account=BANK, lines=each.lines) for each in BILLS]

    submitted, spent = purchases.submit(BILLS), purchases.spend(receipts)
    purchases.apply(submitted)
    purchases.apply(spent)

    for plan in (submitted, spent):
        assert [(each.code, each.about, each.cause) for each in plan.findings] == [
            ("cannot be posted", "b", "rule ours: correct it: it raised KeyError")
        ]
    assert sorted(each.number for each in product.live_bills()) == ["a", "c"]
    assert len(product.books.bank_transactions) == 2
    changed = [evolve(each, lines=[evolve(line(), amount=nzd("11.00"))]) for each in receipts]
    (left,) = purchases.update(changed).findings
    assert (left.code, left.about) == ("not created here", "b")


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        (lambda found: {"1": "x"}[found.number], "bill_id: correct it: it raised KeyError"),
        (lambda found: "x" if found.number == "1" else None, "bill_id: "),
        (lambda found: "x" if found.number == "1" else "", "bill_id: "),
    ],
)
def test_a_bill_that_gets_no_id_is_a_finding_and_the_others_are_brought_back(
    product: Product, purchases: Payables, given: Callable[[BillInXero], str], cause: str
) -> None:
    contact = product.books.add_contact(BAD)
    for number in ("1", "2"):
        product.books.add_invoice(contact.id, type="ACCPAY", number=number, amount=Decimal(5), date=DAY)

    plan = purchases.bring_back(bill_id=given)

    assert [each.host_ref for each in plan.of(LinkBill)] == ["x"]
    (finding,) = plan.findings
    assert finding.code == "bill id taken"
    assert finding.cause.startswith(cause)


ODD = {"7", "31"}
FIFTY = [bill(str(place), GOOD) for place in range(50)]


def undated(paper: Bill) -> Invoice | CreditNote:
    return evolve(map_bill(paper), date=date.min) if paper.id in ODD else map_bill(paper)


def posting(product: Product, transport: Through) -> Payables:
    return Payables(product.xero(transport=transport), payment_account=BANK, bills=BillSettings(mapper=undated))


def test_a_document_that_xero_cannot_even_read_is_refused_alone(product: Product) -> None:
    """Xero turns the whole call away for it, and says not for which: halves are sent until it stands alone."""
    sent: list[Request] = []
    purchases = posting(product, Through(product.simulator.transport, before=sent.append))

    report = purchases.apply(purchases.submit(FIFTY))

    assert {(each.about, each.code) for each in report.findings} == {(each, "refused by Xero") for each in ODD}
    assert sorted(each.number for each in product.live_bills()) == sorted({each.id for each in FIFTY} - ODD)
    assert len([each for each in sent if is_write(each, "/Invoices")]) <= 21
    again = purchases.submit(FIFTY)
    assert (len(again), {each.about for each in again.findings}) == (0, ODD)


class Died(BaseException):
    """The worker is no more."""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(1, 8))
def test_a_worker_that_dies_among_the_halves_leaves_each_document_once(product: Product, nth: int, when: str) -> None:
    written: list[Request] = []

    def die(request: Request) -> None:
        if is_write(request, "/Invoices"):
            written.append(request)
            if len(written) == nth:
                raise Died

    dying = posting(product, Through(product.simulator.transport, **{when: die}))
    with pytest.raises(Died):
        dying.apply(dying.submit(FIFTY))
    product.clock.advance(3600)
    after = posting(product, Through(product.simulator.transport))

    after.recover()
    after.apply(after.submit(FIFTY))

    assert sorted(each.number for each in product.live_bills()) == sorted({each.id for each in FIFTY} - ODD)
    again = after.submit(FIFTY)
    assert (len(again), {each.about for each in again.findings}) == (0, ODD)
