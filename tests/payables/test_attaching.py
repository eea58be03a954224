"""Files on documents: each once by its content, under safe names, attachable later, never replacing another (90)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import cast

import pytest
from attrs import evolve
from tests.conftest import BANK, DAY, Product, Through, nzd
from tests.engine.test_strange_answers import Altered

from xerosync import Bill, BillFile, BillLine, CardSpend, Payables
from xerosync.errors import InvalidInput, UnreadableAnswer
from xerosync.models import AccountCode
from xerosync.ports import Request, Response
from xerosync.simulator import Fault

LINE = BillLine(description="x", amount=nzd("10.00"), account=AccountCode("429"))


def paper(bill_id: str, amount: str = "10.00") -> Bill:
    line = BillLine(description="x", amount=nzd(amount), account=AccountCode("429"))
    return Bill(id=bill_id, vendor="Paper Ltd", number=bill_id, on=DAY, lines=[line])


def scan(bill_id: str = "b1", content: bytes | Callable[[], bytes] = b"%PDF 1", name: str = "scan.pdf") -> BillFile:
    return BillFile(bill_id=bill_id, name=name, content=content)


@pytest.fixture
def posted(purchases: Payables) -> Payables:
    purchases.apply(purchases.submit([paper("b1"), paper("c1", "-4.00")]))
    purchases.apply(purchases.spend([CardSpend(id="s1", vendor="Taxi", on=DAY, account=BANK, lines=[LINE])]))
    return purchases


def files(product: Product) -> dict[str, bytes]:
    books = product.books
    named = [("bill", [each.id for each in books.invoices]), ("credit", [each.id for each in books.credit_notes])]
    named.append(("receipt", [each.id for each in books.bank_transactions]))
    return {
        f"{noun} {each.name}": books.attachment_content(each.id)
        for noun, owners in named
        for owner in owners
        for each in books.attachments_of(owner)
    }


def test_files_are_attached_to_bills_credit_notes_and_receipts_once(product: Product, posted: Payables) -> None:
    wanted = [scan(), scan("c1", b"%PDF 2", "credit.pdf"), scan("s1", lambda: b"%PDF 3", "taxi.jpg")]
    plan = posted.attach(wanted)
    posted.apply(plan)
    posted.apply(plan)

    assert files(product) == {
        "bill scan.pdf": b"%PDF 1",
        "credit credit.pdf": b"%PDF 2",
        "receipt taxi.jpg": b"%PDF 3",
    }
    assert not posted.attach(wanted)
    assert not posted.attach([scan(name="the same again.pdf")])


def test_a_name_that_is_taken_is_numbered_and_nothing_is_replaced(product: Product, posted: Payables) -> None:
    (bill,) = product.live_bills()
    product.books.attach("Invoices", bill.id, "scan.pdf", b"%PDF by hand")

    posted.apply(posted.attach([scan(), scan(content=b"%PDF 2", name="a/b: scan.pdf")]))

    assert files(product) == {
        "bill scan.pdf": b"%PDF by hand",
        "bill scan (2).pdf": b"%PDF 1",
        "bill b_ scan.pdf": b"%PDF 2",
    }


def test_a_file_that_somebody_attached_by_hand_is_not_attached_again(product: Product, posted: Payables) -> None:
    (bill,) = product.live_bills()
    product.books.attach("Invoices", bill.id, "from the vendor.pdf", b"%PDF 1")

    plan = posted.attach([scan()])
    posted.apply(plan)

    assert plan.counts() == {"adopt": 1}
    assert files(product) == {"bill from the vendor.pdf": b"%PDF 1"}
    assert not posted.attach([scan()])


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (scan(content=b""), "cannot be attached"),
        (scan(content=b"x" * (10 * 1024 * 1024 + 1)), "cannot be attached"),
        (scan(name="virus.exe"), "cannot be attached"),
        (scan("unknown"), "not created here"),
    ],
)
def test_what_xero_takes_not_is_found_before_it_is_sent(
    product: Product, posted: Payables, wrong: BillFile, code: str
) -> None:
    plan = posted.attach([wrong])

    assert (len(plan), [each.code for each in plan.findings], files(product)) == (0, [code], {})


def test_the_eleventh_file_is_a_finding(product: Product, posted: Payables) -> None:
    plan = posted.attach(scan(content=b"%d" % number, name=f"{number}.pdf") for number in range(11))
    posted.apply(plan)

    assert (len(files(product)), [each.code for each in plan.findings]) == (10, ["too many files"])


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER])
def test_a_file_whose_answer_was_lost_is_attached_once(product: Product, posted: Payables, fault: Fault) -> None:
    product.simulator.faults.plan(fault, path="/Attachments/", method="PUT")
    posted.apply(posted.attach([scan()]))

    recovered = posted.recover()
    posted.apply(posted.attach([scan()]))

    assert files(product) == {"bill scan.pdf": b"%PDF 1"}
    assert [each.code for each in recovered.findings] == (["file needed"] if fault is Fault.LOST_BEFORE else [])
    assert not posted.attach([scan()])


def cut_off(request: Request, response: Response) -> Response:
    """The content of a file, its last byte missing."""
    is_content = request.method == "GET" and "/Attachments/" in request.url
    return evolve(response, body=response.body[:-1]) if is_content else response


@pytest.mark.parametrize("lost", [True, False])
def test_a_file_whose_content_came_cut_off_is_not_taken_for_another(
    product: Product, posted: Payables, *, lost: bool
) -> None:
    through = Payables(product.xero(transport=Altered(product.simulator.transport, cut_off)))
    if lost:
        product.simulator.faults.plan(Fault.LOST_AFTER, path="/Attachments/", method="PUT")
        through.apply(through.attach([scan()]))
        through.recover()
    else:
        product.books.attach("Invoices", product.live_bills()[0].id, "from the vendor.pdf", b"%PDF 1")
        with pytest.raises(UnreadableAnswer, match="5 bytes of 6"):
            through.attach([scan()])

    posted.recover()
    posted.apply(posted.attach([scan()]))

    assert list(files(product).values()) == [b"%PDF 1"]


def test_the_store_keeps_no_file(product: Product, posted: Payables) -> None:
    posted.apply(posted.attach([scan(content=b"%PDF secret content")]))

    kept = [record.body for record in product.store.query("intent", product.books.tenant_id)]
    assert any("SHA256" in body for body in kept)
    assert not any("secret content" in body for body in kept)


def test_a_file_that_changed_since_it_was_planned_is_not_sent(product: Product, posted: Payables) -> None:
    contents = iter([b"%PDF 1", b"%PDF 2"])

    report = posted.apply(posted.attach([scan(content=lambda: next(contents))]))

    assert files(product) == {}
    assert [each.code for each in report.findings] == ["changed since planned"]
    assert posted.attach([scan()]).counts() == {"attachment": 1}


@pytest.mark.usefixtures("posted")
def test_each_file_costs_one_call(product: Product) -> None:
    calls: list[str] = []

    def note(request: Request) -> None:
        calls.append(request.url)

    other = Payables(product.xero(transport=Through(product.simulator.transport, before=note)))
    plan = other.attach([scan(), scan("c1", b"%PDF 2")])
    calls.clear()
    other.apply(plan)

    assert len(calls) == 2


def test_a_bill_and_a_receipt_of_one_id_are_told_apart(product: Product, posted: Payables) -> None:
    posted.apply(posted.spend([CardSpend(id="b1", vendor="Taxi", on=DAY, account=BANK, lines=[LINE])]))

    unclear = posted.attach([scan()])
    posted.apply(posted.attach([BillFile(bill_id="b1", name="scan.pdf", content=b"%PDF 1", of=Bill)]))
    posted.apply(posted.attach([BillFile(bill_id="b1", name="taxi.jpg", content=b"%PDF 1", of=CardSpend)]))

    assert (len(unclear), [each.code for each in unclear.findings]) == (0, ["id used twice"])
    assert files(product) == {"bill scan.pdf": b"%PDF 1", "receipt taxi.jpg": b"%PDF 1"}


def test_a_file_is_attached_to_a_bill_that_was_entered_in_xero(product: Product, purchases: Payables) -> None:
    contact = product.books.add_contact("Typed Ltd")
    product.books.add_invoice(contact.id, type="ACCPAY", number="T-1", amount=Decimal(100), date=DAY)
    purchases.apply(purchases.bring_back(bill_id=lambda bill: bill.number))

    purchases.apply(purchases.attach([scan("T-1")]))

    assert files(product) == {"bill scan.pdf": b"%PDF 1"}
    assert not purchases.attach([scan("T-1")])


def test_a_file_that_cannot_be_read_holds_up_no_other(product: Product, posted: Payables) -> None:
    def lost() -> bytes:
        raise FileNotFoundError("/scans/1.pdf")

    plan = posted.attach([scan("b1", lost), scan("c1")])
    posted.apply(plan)

    assert [(each.code, each.about, each.cause) for each in plan.findings] == [
        ("cannot be attached", "b1", "its content could not be read: FileNotFoundError")
    ]
    assert files(product) == {"credit scan.pdf": b"%PDF 1"}
    with pytest.raises(InvalidInput, match="content: give bytes"):
        scan("b1", cast(bytes, "text"))


@pytest.mark.parametrize("raises", [KeyError("1"), RuntimeError("gone"), UnicodeError("x")])
def test_whatever_the_function_of_a_file_raises_it_holds_up_no_other(
    product: Product, posted: Payables, raises: Exception
) -> None:
    """When the plan is made, and when it is applied; then the file is attached as soon as it can be read."""
    contents: list[bytes | Exception] = [raises, b"%PDF 1", raises, b"%PDF 1", b"%PDF 1"]

    def fickle() -> bytes:
        content = contents.pop(0)
        if isinstance(content, Exception):
            raise content
        return content

    planned = posted.attach([scan("b1", fickle), scan("c1")])
    report = posted.apply(posted.attach([scan("b1", fickle), scan("c1")]))

    assert [(each.code, each.about) for each in planned.findings] == [("cannot be attached", "b1")]
    assert [(each.code, each.about) for each in report.findings] == [("cannot be attached", "b1")]
    assert files(product) == {"credit scan.pdf": b"%PDF 1"}
    posted.apply(posted.attach([scan("b1", fickle), scan("c1")]))
    assert files(product) == {"bill scan.pdf": b"%PDF 1", "credit scan.pdf": b"%PDF 1"}


def test_a_function_that_gives_no_bytes_holds_up_no_other(product: Product, posted: Payables) -> None:
    plan = posted.attach([scan("b1", cast(Callable[[], bytes], lambda: "text")), scan("c1")])
    posted.apply(plan)

    assert [(each.code, each.about) for each in plan.findings] == [("cannot be attached", "b1")]
    assert "str" in plan.findings[0].cause
    assert files(product) == {"credit scan.pdf": b"%PDF 1"}
