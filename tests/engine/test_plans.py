"""Plans, reports and errors as values: they count, print, filter, keep secrets and survive pickling."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime

import pytest
from tests.conftest import CLEARING, DAY, Product, nzd
from tests.engine.scenarios import collected, paper

from xerosync import Payables, Plan, Receivables, Settlement, errors
from xerosync.engine.actions import Pending
from xerosync.engine.intents import intent_key, mark_of, sign_in, sign_of, tag_in, tag_of
from xerosync.models import TenantId
from xerosync.ports import AnswerLost, NotSent

SECRETS = ("Ana Costa", "Paper Ltd", "100.00", "40.00", "12.34")


def bills_plan(product: Product) -> Plan:
    return Payables(product.xero()).submit([paper("b1", "12.34"), paper("c1", "-2.00")])


def test_a_plan_counts_what_it_holds(product: Product) -> None:
    plan = bills_plan(product)

    assert plan.counts() == {"contact": 1, "bill": 1, "credit_note": 1}
    assert (len(plan), bool(plan), [action.kind for action in plan]) == (3, True, list(plan.counts()))


def test_a_plan_is_a_table_of_rows(product: Product) -> None:
    day = DAY.isoformat()

    assert bills_plan(product).rows() == [
        {
            "kind": "contact",
            "host_ref": "paper ltd",
            "amount": "",
            "reason": "no contact in Xero can be used for this vendor",
        },
        {"kind": "bill", "host_ref": "b1", "amount": "12.34 NZD", "reason": f"submitted, on {day}"},
        {"kind": "credit_note", "host_ref": "c1", "amount": "-2.00 NZD", "reason": f"submitted, on {day}"},
    ]


def test_a_plan_prints_what_is_to_be_done_and_groups_its_findings(product: Product) -> None:
    assert str(bills_plan(product)) == "1 contact to create, 1 bill to post, 1 credit note to post"
    invoices = [product.invoice("Nobody", "5.00") for _ in range(2)]

    plan = Receivables(product.xero()).import_invoices()

    assert len(invoices) == len(plan.findings)
    assert str(plan).splitlines() == [
        "2 customer not connected",
        "nothing to do",
        "2 × customer not connected → set the customer's custom identifier to the contact's name, then match again",
    ]


def test_only_keeps_what_the_kept_actions_rest_on(product: Product) -> None:
    plan = bills_plan(product)

    kept = plan.only(lambda action: action.host_ref == "c1")

    assert kept.counts() == {"contact": 1, "credit_note": 1}
    assert plan.only(lambda action: action.kind == "contact").counts() == {"contact": 1}
    assert not plan.only(lambda _: False)
    assert len(plan) == 3


def test_reprs_hold_neither_names_nor_amounts(product: Product) -> None:
    invoice = product.collectable("100.00")
    xero = product.xero()
    sales = Receivables(xero, clearing_account=CLEARING)
    settlement = collected(invoice.id)
    plan = sales.settle(settlement)
    report = sales.apply(plan)
    explained = sales.reconcile()
    purchases = Payables(xero)
    bills = bills_plan(product)
    billed = purchases.apply(bills)
    product.books.archive_contact(product.live_bills()[0].contact_id)
    values: list[object] = [
        settlement,
        *settlement.lines,
        plan,
        *plan.actions,
        report,
        *report.results,
        explained,
        *sales.transactions(),
        *bills.actions,
        *(need for action in bills for need in action.needs),
        *billed.results,
        *purchases.submit([paper("b2", "12.34")]).findings,
        *paper("b1", "12.34").lines,
        *xero.invoices.list(),
        *xero.contacts.list(),
        *xero.payments.list(),
        product.tokens,
        xero.books.app,
        nzd("12.34"),
    ]

    shown = "\n".join(map(repr, values))

    secrets = (*SECRETS, product.tokens.access_token.reveal(), product.app.client_secret)
    assert [secret for secret in secrets if secret.casefold() in shown.casefold()] == []


def test_a_report_prints_what_became_of_each_kind(product: Product) -> None:
    invoice = product.collectable("100.00")
    sales = Receivables(product.xero(), clearing_account=CLEARING)

    report = sales.apply(sales.settle(collected(invoice.id)))

    assert str(report) == "1 × payment confirmed"
    assert repr(report) == "<Report on 1 actions, 0 findings>"


def test_the_same_facts_make_the_same_plan(product: Product) -> None:
    invoice = product.collectable("100.00")
    sales = Receivables(product.xero(), clearing_account=CLEARING)
    settlement: Settlement = collected(invoice.id)

    assert sales.settle(settlement) == sales.settle([settlement])


ERRORS: list[errors.XerosyncError] = [
    errors.InvalidInput("amount", "give a Decimal"),
    errors.Misconfigured("choose another account"),
    errors.ReadOnly(),
    errors.NotAuthorised("no scope"),
    errors.ReconnectNeeded("connect again"),
    errors.RateLimited("minute", 12.5),
    errors.BudgetSpent("calls", 200, 200),
    errors.RunStopped("stopped"),
    errors.WebhookRefused("not signed"),
    errors.Rejected(["one", "two"], 400, "correlation-1"),
    errors.NotFound(["no such document"], 404),
    errors.Unavailable("503"),
    errors.Suspended(5, datetime(2026, 1, 5, tzinfo=UTC)),
    errors.LedgerBehind(3),
    errors.OutcomeUnknown("it may have been recorded", "intent-1"),
    errors.UnreadableAnswer("Invoices[0]", "no list"),
    errors.StoreFailed("disk full"),
    errors.KeyMissing("put the key on the ring"),
    errors.SealBroken("restore it"),
    errors.NotEncrypted("it lies there in plain text"),
    errors.SecretKept("pickle what you need beside it"),
    errors.VersionConflict(["intent/t/k"]),
    errors.LeaseLost("stop"),
    errors.ScopeMissing("ask for it"),
    errors.OrganisationRefused("it was reset"),
    errors.OtherOrganisation("other books", ["t-1"]),
    errors.ConsentFailed("the user cancelled", "cancelled"),
    NotSent("no connection"),
    AnswerLost("read timed out"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_every_error_survives_pickling(error: errors.XerosyncError) -> None:
    copy: object = pickle.loads(pickle.dumps(error))  # noqa: S301 (our own bytes)

    assert type(copy) is type(error)
    assert (str(copy), vars(copy)) == (str(error), vars(error))


def test_no_error_was_forgotten_above() -> None:
    named: list[object] = list(vars(errors).values())
    there = {each for each in named if isinstance(each, type) and issubclass(each, errors.XerosyncError)}

    assert there - {type(error) for error in ERRORS} <= {errors.XerosyncError}


@pytest.mark.parametrize("key", ["my2za6f2leuxs" + "a" * 39, "xsxsxsxsxsxsx" + "b" * 39])
def test_a_tag_is_read_again_whatever_letters_it_has(key: str) -> None:
    """One that ended in XS, and what stands behind it, were once taken for the beginning of another."""
    mark = mark_of(key, "an app")

    for text in (mark, f"INV-1 {mark}", f"https://xerosync.invalid/{mark}"):
        assert (tag_in(text), sign_in(text)) == (tag_of(key), sign_of("an app"))


@pytest.mark.parametrize(
    ("operation", "key"),
    [
        (Pending("payment", "c-1", 1), "oprartsxmcqubhppemcgn6bavcmkwqhg5pb7blpprhqcpfxv5k5q"),
        (Pending("bill", 'Café "2"\n💶', 2), "qwzsgsfggsmxpfilrgics6fbwpu3hgbkjpw5o7dlcfz6xzjtpk3q"),
    ],
)
def test_the_key_of_an_operation_is_the_same_in_every_version(operation: Pending, key: str) -> None:
    """By another one nothing that was posted before would be known again, in any store or in Xero."""
    tenant = TenantId("0f0c3a52-8f0b-4a2b-9f53-000000000001")

    assert intent_key(tenant, operation) == key
    assert mark_of(key, "an app") == f"XS-{key[:13].upper()}.M3UT"
