"""
The README fits one screen, its ten lines do what they say, and its two commands are those that continuous integration
and the docs rely on.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Final

import pytest

import xerosync
from xerosync import (
    App,
    Customer,
    LineKind,
    Money,
    Settlement,
    SettlementLine,
    SQLiteStore,
    Tokens,
    Xero,
)
from xerosync.simulator import Simulator

PROJECT: Final = Path(__file__).parents[2]
README: Final = (PROJECT / "README.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    """The one-line shell commands of the README, in order."""
    return re.findall(r"^```sh\n(.+)\n```$", README, re.MULTILINE)


def test_the_readme_fits_one_screen() -> None:
    assert len(README.splitlines()) <= 60


def test_it_has_two_commands_a_demo_and_all_checks() -> None:
    demo, checks = commands()

    assert demo.endswith(" -m xerosync demo")
    assert checks.endswith(" -m nox")


def test_each_command_installs_what_it_runs_into_a_folder_that_git_ignores() -> None:
    ignored = (PROJECT / ".gitignore").read_text(encoding="utf-8").splitlines()
    for command in commands():
        folder = re.search(r"pip install .*--target (\S+) .* && PYTHONPATH=(\S+) python3 -m ", command)
        assert folder is not None, command
        assert folder[1] == folder[2]
        assert f"{folder[1]}/" in ignored


def test_continuous_integration_finds_the_command_that_runs_the_checks() -> None:
    asked_for = re.search(
        r"grep --max-count=1 -- '(.+)' README\.md", (PROJECT / ".ci" / "run").read_text(encoding="utf-8")
    )

    assert asked_for is not None
    assert [line for line in README.splitlines() if re.search(asked_for[1], line)] == [commands()[1]]


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!https:)([^)#]+)", README)

    assert links
    assert [link for link in links if not (PROJECT / link).is_file()] == []


@pytest.fixture
def simulator() -> Simulator:
    """A Xero whose first organisation has 97 contacts: one of them for each of 96 customers, and a pair of twins."""
    simulator = Simulator()
    books = simulator.add_organisation()
    # Xero tells the twins apart, a reader does not: one is written in letters of full width.
    names = [f"Customer {number}" for number in range(96)] + ["Ana", "\uff21na"]
    books.set_up("contacts", contacts=[{"name": name} for name in names])
    books.add_invoice(books.contacts[0].id, number="INV-1", amount=Decimal("115.00"), date=date(2026, 1, 5))
    return simulator


def test_its_ten_lines_do_what_their_comments_say(
    simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (organisation,) = simulator.organisations
    monkeypatch.chdir(tmp_path)
    # The reader's client meets the real Xero, the test's the simulator.
    client = partial(Xero, transport=simulator.transport, clock=simulator.clock, quarantine_s=0.0)
    monkeypatch.setattr(xerosync, "Xero", client)
    registered = simulator.register_app()
    tokens = simulator.consent(registered, tenants=[organisation.id])
    app = App(registered.client_id, registered.client_secret)
    unmatched = ["Nobody 1", "Nobody 2", "Nobody 3", "ana"]
    customers = [Customer(id=name, custom_identifier=name) for name in unmatched]
    customers += [Customer(id=str(number), custom_identifier=f"Customer {number}") for number in range(96)]
    with client(app, organisation.id, store=SQLiteStore("books.db")) as xero:
        expires_at = simulator.clock.now() + timedelta(seconds=tokens.expires_in)
        xero.connect(Tokens(tokens.access_token, tokens.refresh_token, expires_at))
        invoice = next(xero.invoices.list())
    owed = Money("115.00", "NZD")
    taken = partial(SettlementLine, transaction=str(invoice.invoice_id), amount=owed)
    lines = (taken(id="collected"), taken(id="charged back", kind=LineKind.CHARGED_BACK))
    names: dict[str, object] = {
        "app": app,
        "organisation": organisation.id,
        "customers": customers,
        "settlement": Settlement(id="1", on=date(2026, 1, 6), lines=lines),
    }

    (block,) = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    exec(compile(block, "README.md", "exec", dont_inherit=True), names)  # noqa: S102  # ours, and to run it is the test

    printed = capsys.readouterr().out.replace(" NZD", "").splitlines()
    said = re.findall(r"print\(.*\)  # (.+)", block)
    assert len(said) == 2
    assert [line for line in said if line not in printed] == []
