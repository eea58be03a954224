"""The fixtures that a host app finds once xerosync is installed."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from xerosync.testing import plugin

pytest_plugins = ["pytester"]

HEAVY = {"attrs", "authlib", "cryptography", "defusedxml", "httpx", "msgspec", "xerosync.simulator", "xerosync.client"}


def test_loading_the_plugin_imports_nothing_heavy() -> None:
    code = "import sys, xerosync.testing.plugin; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()

    assert HEAVY & set(loaded) == set()


@pytest.fixture(autouse=True)
def loaded_once() -> None:
    """What is loaded within a run of pytester's is forgotten after it; joserfc is loaded in part, and would be two."""
    importlib.import_module("joserfc.jwt")


def run(pytester: pytest.Pytester, code: str) -> pytest.RunResult:
    pytester.makepyfile(code)
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:randomly", "--strict-markers")


def test_a_product_is_tested_from_the_bookkeeper_to_the_client(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        from decimal import Decimal
        import httpx, pytest

        BODY = {"Account": {"Code": "090"}, "Amount": "40.00"}

        def test_own_client(xerosync_xero, xerosync_books):
            assert xerosync_xero.organisation().name == xerosync_books.organisation.name == "Demo Company (NZ)"

        def test_own_http_code(xerosync_httpx, xerosync_books, xerosync_tokens):
            ana = xerosync_books.add_contact("Ana")
            sale = xerosync_books.add_invoice(ana.id, amount=Decimal("115.00"))
            headers = {"Authorization": f"Bearer {xerosync_tokens.access_token}", "Accept": "application/json",
                       "Xero-Tenant-Id": xerosync_books.tenant_id}
            with httpx.Client(transport=xerosync_httpx, base_url="https://api.xero.com", headers=headers) as client:
                body = BODY | {"Invoice": {"InvoiceID": sale.id}}
                assert client.put("/api.xro/2.0/Payments", json=body).status_code == 200
            assert xerosync_books.invoice(sale.id).amount_due == Decimal("75.00")

        def test_over_http(xerosync_server):
            headers = {"Authorization": f"Bearer {xerosync_server.access_token}"}
            with httpx.Client(headers=headers, trust_env=False) as client:
                (found,) = client.get(f"{xerosync_server.url}/connections").json()
            assert found["tenantId"] == xerosync_server.tenant_id
            assert xerosync_server.access_token not in repr(xerosync_server)

        def test_time(xerosync_clock, xerosync_xero):
            xerosync_clock.advance(3600)
            assert xerosync_xero.organisation().name

        def test_each_test_has_a_xero_of_its_own(xerosync_books):
            assert xerosync_books.contacts == ()
        """,
    )

    result.assert_outcomes(passed=5)


def test_the_marker_sets_it_up(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        from datetime import UTC, datetime
        import httpx, pytest

        pytestmark = pytest.mark.xerosync(country="AU", switches={"unchanged_is_304": True})
        START = datetime(2026, 7, 1, tzinfo=UTC)

        def test_for_the_module(xerosync_books):
            assert xerosync_books.organisation.currency == "AUD"

        @pytest.mark.xerosync(country="US", start=START, limits=False, seed=7)
        def test_its_own_comes_first(xerosync_books, xerosync_clock, xerosync_httpx, xerosync_tokens):
            assert (xerosync_books.organisation.currency, xerosync_clock.now().year) == ("USD", 2026)
            assert xerosync_clock.now() >= START
            headers = {"Authorization": f"Bearer {xerosync_tokens.access_token}", "If-Modified-Since": "2027-01-01",
                       "Xero-Tenant-Id": xerosync_books.tenant_id}
            with httpx.Client(transport=xerosync_httpx, headers=headers) as client:
                assert client.get("https://api.xero.com/api.xro/2.0/Contacts").status_code == 304

        @pytest.mark.xerosync(demo=True)
        def test_demo(xerosync_books):
            assert len(xerosync_books.invoices) > 10
        """,
    )

    result.assert_outcomes(passed=3)


def test_a_fault_that_never_struck_fails_the_test_itself(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import pytest
        from xerosync.simulator import Fault

        def test_met(xerosync_simulator, xerosync_xero):
            xerosync_simulator.faults.plan(Fault.UNAVAILABLE, path="/Organisation")
            xerosync_xero.organisation()

        def test_unmet(xerosync_simulator):
            xerosync_simulator.faults.plan(Fault.LOST_AFTER, method="PUT", path="/Payments", times=2)

        def test_fails_by_itself(xerosync_simulator):
            xerosync_simulator.faults.plan(Fault.LOST_AFTER)
            assert False, "for a reason of its own"

        def test_cleared(xerosync_simulator):
            xerosync_simulator.faults.plan(Fault.LOST_AFTER)
            xerosync_simulator.faults.clear()
        """,
    )

    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["*planned and never met: LOST_AFTER*PUT*Payments*"])
    result.stdout.fnmatch_lines(["*for a reason of its own*"])


@pytest.mark.parametrize(
    ("marker", "told"),
    [
        ("'AU'", "keyword arguments only"),
        ("land='AU'", "knows no land"),
        ("switches={'nothing': 1}", "no switch nothing"),
        ("country='Atlantis'", "Atlantis|country"),
    ],
)
def test_a_marker_that_cannot_be_meant_says_so(pytester: pytest.Pytester, marker: str, told: str) -> None:
    result = run(
        pytester,
        f"""
        import pytest

        @pytest.mark.xerosync({marker})
        def test_it(xerosync_books):
            pass
        """,
    )

    result.assert_outcomes(errors=1)
    result.stdout.re_match_lines([f".*({told})"])


PAGE = Path(__file__).parents[2] / "docs" / "simulator.md"


def test_the_example_of_the_docs_passes(pytester: pytest.Pytester) -> None:
    (block,) = [each for each in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL) if "def test_" in each]

    run(pytester, f"from decimal import Decimal\n{block}").assert_outcomes(passed=1)


def test_the_client_has_the_store_and_the_listener_that_a_product_gives_it(pytester: pytest.Pytester) -> None:
    """The fixtures are those of the page that tells of them."""
    page = PAGE.read_text(encoding="utf-8")
    (conftest,) = re.findall(r"```python\n(# conftest\.py\n.*?)```", page, re.DOTALL)
    pytester.makeconftest(conftest)

    result = run(
        pytester,
        """
        import pytest
        from xerosync import App, SQLiteStore, Xero
        from xerosync.errors import ReadOnly
        from xerosync.models import Contact

        def test_another_client_of_the_file_is_connected(
            xerosync_xero, tmp_path, xerosync_books, xerosync_app, xerosync_simulator
        ):
            app = App(xerosync_app.client_id, xerosync_app.client_secret)
            way = {"transport": xerosync_simulator.transport, "clock": xerosync_simulator.clock}
            store = SQLiteStore(tmp_path / "books.db")
            with Xero(app, xerosync_books.tenant_id, store=store, **way) as other:
                assert other.organisation().name == xerosync_books.organisation.name
            store.close()

        def test_its_events_are_heard(xerosync_xero, heard):
            list(xerosync_xero.invoices.list())
            assert "xerosync.page_read" in heard

        @pytest.mark.xerosync(read_only=True)
        def test_it_writes_nothing(xerosync_xero, xerosync_books):
            with pytest.raises(ReadOnly):
                xerosync_xero.contacts.create_one(Contact(name="Ana Costa"))
            assert xerosync_books.contacts == ()
        """,
    )

    result.assert_outcomes(passed=3)


def test_the_docs_show_every_fixture_and_every_word_of_the_marker() -> None:
    page = PAGE.read_text()
    fixtures = [name for name in vars(plugin) if name.startswith("xerosync_")]

    assert re.findall(r"^\| `(xerosync_\w+)` \|", page, re.MULTILINE) == fixtures
    said = page.partition("The marker `xerosync` sets them up:")[2].partition("Without pytest")[0]
    assert set(re.findall(r"`(\w+)`", said)) == plugin._Wanted.__optional_keys__
