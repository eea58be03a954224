"""What a listener hears: every call, page and wait, in ids and counts alone; and that it can break nothing."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

import pytest
from attrs import evolve
from tests.conftest import BANK, CLEARING, DAY, Product, Through, found_product, nzd
from tests.engine.scenarios import collected, paper

from xerosync import App, BillPayment, Customer, LineKind, Payables, Receivables, Settlement, SettlementLine, Xero
from xerosync.client.resources import Outcome
from xerosync.events import Event, every, log_event, path_template
from xerosync.models import Contact
from xerosync.ports import NotSent, Request
from xerosync.simulator import Fault
from xerosync.simulator.given import Fields

Heard = list[tuple[str, dict[str, object]]]

NAME: Final = "Zebedee Quillfeather"
AMOUNT: Final = "8675.31"

# What each event tells, and nothing else; a name in brackets may be missing.
FIELDS: Final = {
    Event.CALL_FINISHED: "method path (status) (correlation) outcome attempt seconds bytes_up bytes_down",
    Event.PAGE_READ: "path page (pages) rows",
    Event.WAITING: "reason (limit) (seconds)",
    Event.TOKEN_REFRESHED: "",
    Event.TOKENS_UNSAVED: "attempts",
    Event.CONSENT_ENDED: "",
    Event.MIRRORED: "shelf documents",
    Event.POSTED: "kind elements done of",
    Event.APPLIED: "kinds done findings calls bytes_up bytes_down calls_needed",
    Event.RECOVERED: "found sent open",
    Event.RUN_FINISHED: "why ended seconds lag calls bytes_down news posted (error)",
    Event.FLEET_SEEN: ("organisations runs calls bytes_down open parked refused findings lag overdue reconnect dying"),
    Event.DISCONNECTED: "told_xero",
    Event.CONSENT_REVOKED: "",
}
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PLAIN: Final = {
    "method": re.compile(r"GET|PUT|POST|DELETE"),
    "path": re.compile(r"([A-Za-z]+|\{id\}|\{name\})(/([A-Za-z]+|\{id\}|\{name\}))*"),
    "outcome": re.compile(r"answered|not sent|answer lost"),
    "limit": re.compile(r"minute|day|concurrent|appminute"),
    "reason": re.compile(r"[a-zA-Z' ]+"),
    "kind": re.compile(r"[a-z_ ]+"),
    "kinds": re.compile(r"[a-z_]+ \d+(, [a-z_]+ \d+)*"),
    "shelf": re.compile(r"[a-z_ ]+"),
    "organisation": _UUID,
    "correlation": _UUID,
}


def client(product: Product, listener: Callable[[str, Mapping[str, object]], None], **more: object) -> Xero:
    xero = Xero(
        App(product.app.client_id, product.app.client_secret),
        product.books.tenant_id,
        store=product.store,
        transport=more.get("transport", product.simulator.transport),  # type: ignore[arg-type]
        clock=product.clock,
        quarantine_s=60.0,
        on_event=listener,
    )
    xero.connect(product.tokens)
    return xero


def listening(heard: Heard) -> Callable[[str, Mapping[str, object]], None]:
    return lambda event, fields: heard.append((event, dict(fields)))


def of(heard: Heard, event: Event) -> list[dict[str, object]]:
    return [fields for name, fields in heard if name == event]


def both_stories(product: Product, xero: Xero) -> None:
    """All that tells anything, over books whose names, amounts and files are known."""
    sale = product.collectable(AMOUNT, contact=NAME)
    sales = Receivables(xero, clearing_account=CLEARING)
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Payments")
    line = SettlementLine(id="L1", transaction=sale.id, amount=nzd(AMOUNT))
    sales.apply(sales.settle(Settlement(id="S1", on=DAY, lines=[line])))
    sales.recover()
    back = evolve(line, id="B1", kind=LineKind.CHARGED_BACK)
    sales.apply(sales.settle(Settlement(id="S2", on=DAY, lines=[back])))
    purchases = Payables(xero, payment_account=BANK)
    purchases.apply(purchases.submit([evolve(paper("b", AMOUNT), vendor=NAME)]))
    purchases.apply(purchases.pay([BillPayment(id="p", bill_id="b", on=DAY)]))
    xero.invoices.attach(sale.id, f"{NAME}.pdf", b"%PDF-1.4")
    xero.invoices.add_note(sale.id, NAME)
    list(xero.contacts.list())
    product.clock.advance(29 * 60)
    for _ in range(70):
        xero.organisation()


def test_no_event_carries_a_name_an_amount_a_token_or_a_query() -> None:
    product = found_product(limits=True)
    heard: Heard = []
    xero = client(product, listening(heard))
    both_stories(product, xero)
    tokens = xero.tokens()
    product.simulator.faults.plan(Fault.DAY_LIMIT, path="/Contacts")
    with pytest.raises(Exception, match="day limit"):
        list(xero.contacts.list())
    product.clock.advance(66_975)
    xero.disconnect()

    elsewhere = {Event.CONSENT_REVOKED, Event.CONSENT_ENDED, Event.TOKENS_UNSAVED, Event.RUN_FINISHED, Event.FLEET_SEEN}
    assert {name for name, _ in heard} == {*Event} - elsewhere
    for name, fields in heard:
        known = FIELDS[Event(name)].split()
        needed = {each for each in known if not each.startswith("(")} | {"organisation"}
        assert needed <= fields.keys() <= {each.strip("()") for each in known} | needed, name
        for field, value in fields.items():
            assert isinstance(value, bool | int | float) or _PLAIN[field].fullmatch(str(value)), (name, field, value)
    text = repr(heard)
    secrets = [
        NAME,
        "Quillfeather",
        AMOUNT,
        "8675",
        *(each.reveal() for each in (tokens.access_token, tokens.refresh_token) if each),
    ]
    assert [each for each in secrets if each in text] == []
    assert "?" not in text
    assert "pageSize" not in text
    product.simulator.close()


def test_every_event_is_described_and_every_field_named_on_its_page() -> None:
    assert FIELDS.keys() == set(Event)
    source = inspect.getsource(Event)
    for event, fields in FIELDS.items():
        said = source.partition(f'"{event}"')[2].split('"""')[1]
        for field in fields.split():
            assert f"``{field.strip('()')}``" in said, (event, field)


def test_each_plan_that_was_applied_tells_what_it_took_as_its_report_does(product: Product) -> None:
    heard: Heard = []
    sales = Receivables(client(product, listening(heard)))
    plan = sales.match([Customer(id=name, custom_identifier=name) for name in ("Ana", "Bo")], create_missing=True)

    report = sales.apply(plan)
    again = sales.apply(plan)
    sales.apply(sales.match([]))

    assert of(heard, Event.APPLIED) == [
        {
            "organisation": product.books.tenant_id,
            "kinds": "contact 2, customer 2",
            "done": done,
            "findings": 0,
            "calls": each.calls,
            "bytes_up": each.bytes_up,
            "bytes_down": each.bytes_down,
            "calls_needed": needed,
        }
        for each, done, needed in ((report, 4, 1), (again, 2, 0))  # links are kept anew
    ]
    assert report.calls > 0


def test_a_finished_call_tells_what_it_was_and_what_it_cost(product: Product) -> None:
    heard: Heard = []
    xero = client(product, listening(heard))
    sale = product.invoice("Ana", "10.00")
    heard.clear()
    product.simulator.faults.plan(Fault.UNAVAILABLE, method="GET", path="/Invoices")

    xero.invoices.get(sale.id)

    first, second = of(heard, Event.CALL_FINISHED)
    assert {name: first[name] for name in ("method", "path", "status", "attempt", "outcome", "bytes_up")} == {
        "method": "GET",
        "path": "Invoices/{id}",
        "status": 503,
        "attempt": 1,
        "outcome": "answered",
        "bytes_up": 0,
    }
    assert (second["status"], second["attempt"]) == (200, 2)
    assert isinstance(second["bytes_down"], int)
    assert second["bytes_down"] > 500
    assert isinstance(second["seconds"], float)
    assert second["seconds"] >= 0
    assert of(heard, Event.WAITING) == [
        {"organisation": product.books.tenant_id, "reason": "asking Xero again", "seconds": 1.0}
    ]


def test_a_call_without_an_answer_has_no_status(product: Product) -> None:
    heard: Heard = []
    refusing = [False, False, True, False]

    def refuse(request: Request) -> None:
        if "/api.xro/" in request.url and refusing.pop(0):
            raise NotSent("no connection")

    xero = client(product, listening(heard), transport=Through(product.simulator.transport, before=refuse))
    heard.clear()
    refusing[:] = [True, False, False]
    product.simulator.faults.plan(Fault.LOST_BEFORE, method="GET", path="/Organisation")
    xero.organisation()

    assert [(each["outcome"], "status" in each) for each in of(heard, Event.CALL_FINISHED)] == [
        ("not sent", False),
        ("answer lost", False),
        ("answered", True),
    ]


def test_pages_are_told_as_they_come_n_of_m(product: Product) -> None:
    heard: Heard = []
    xero = client(product, listening(heard))
    product.books.add_contact("Ana")
    rows: list[Fields] = [{"contact": "Ana", "number": f"N{place}", "amount": Decimal(1)} for place in range(2001)]
    product.books.set_up("many", invoices=rows)

    assert len(list(xero.invoices.list())) == 2001

    pages = [(each["path"], each["page"], each["pages"], each["rows"]) for each in of(heard, Event.PAGE_READ)]
    # A list that only grows, of the same count on each page, shares no rows between them.
    assert pages == [("Invoices", 1, 3, 1000), ("Invoices", 2, 3, 1000), ("Invoices", 3, 3, 1)]


def test_a_wait_for_a_limit_says_which_and_how_long() -> None:
    product = found_product(limits=True)
    heard: Heard = []
    xero = client(product, listening(heard))
    for _ in range(61):
        xero.organisation()

    (wait,) = of(heard, Event.WAITING)
    assert (wait["limit"], wait["reason"]) == ("minute", "Xero's minute limit")
    assert isinstance(wait["seconds"], float)
    assert 50 < wait["seconds"] <= 60
    product.simulator.close()


def test_a_plan_s_progress_is_told_n_of_m(product: Product) -> None:
    heard: Heard = []
    xero = client(product, listening(heard))
    purchases = Payables(xero, payment_account=BANK)
    purchases.apply(purchases.submit([paper(f"b{place}", "1.00") for place in range(120)]))

    bills = [each for each in of(heard, Event.POSTED) if each["of"] == 120]
    assert [each["done"] for each in bills] == [50, 100, 120]


def test_a_token_that_is_refreshed_is_told(product: Product) -> None:
    heard: Heard = []
    xero = client(product, listening(heard))
    product.clock.advance(28 * 60)
    xero.organisation()

    assert of(heard, Event.TOKEN_REFRESHED) == [{"organisation": product.books.tenant_id}]


def test_a_consent_that_is_revoked_is_told(product: Product) -> None:
    heard: Heard = []
    xero = client(product, listening(heard))
    xero.revoke()

    assert of(heard, Event.CONSENT_REVOKED) == [{"organisation": product.books.tenant_id}]


def test_a_listener_that_raises_breaks_nothing_and_is_logged(
    product: Product, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(event: str, fields: Mapping[str, object]) -> None:
        raise ValueError(f"{event} {fields}")

    invoice = product.collectable("100.00")
    xero = client(product, broken)
    sales = Receivables(xero, clearing_account=CLEARING)
    with caplog.at_level(logging.ERROR, logger="xerosync"):
        sales.apply(sales.settle(collected(invoice.id)))

    assert product.standing(invoice.id) == [(Decimal(40), DAY)]
    failures = [vars(record) for record in caplog.records if record.message == "xerosync.listener_failed"]
    assert failures
    assert {each["xerosync.error"] for each in failures} == {"ValueError"}


def test_every_listener_hears_whatever_another_one_does(product: Product) -> None:
    heard: Heard = []

    def broken(_event: str, _fields: Mapping[str, object]) -> None:
        raise RuntimeError

    (written,) = client(product, every(broken, listening(heard))).contacts.create([Contact(name="Ana")])

    assert written.outcome is Outcome.CREATED
    assert of(heard, Event.CALL_FINISHED)


def test_python_s_logging_is_a_ready_listener(product: Product, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="xerosync"):
        client(product, log_event).organisation()

    called = [vars(record) for record in caplog.records if record.message == "xerosync.call_finished"]
    assert called[-1]["xerosync.path"] == "Organisation"
    assert called[-1]["xerosync.status"] == 200
    assert called[-1]["levelno"] == logging.DEBUG


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("Invoices?where=Contact.Name%3D%22Ana%22", "Invoices"),
        ("Invoices/00b45e2b-8d8e-4b79-9e7d-0d5a3a5a1f6b", "Invoices/{id}"),
        ("Invoices/00b45e2b8d8e4b799e7d0d5a3a5a1f6b/History", "Invoices/{id}/History"),
        ("Invoices/INV-1", "Invoices/{name}"),
        (
            "Invoices/00b45e2b-8d8e-4b79-9e7d-0d5a3a5a1f6b/Attachments/Ana%20Costa.pdf",
            "Invoices/{id}/Attachments/{name}",
        ),
        ("Reports/TrialBalance?date=2026-01-05", "Reports/TrialBalance"),
        ("Reports/Ana%20Costa", "Reports/{name}"),
        ("Contacts/Ana", "Contacts/{name}"),
    ],
)
def test_a_path_is_told_without_what_it_names(path: str, template: str) -> None:
    assert path_template(path) == template
