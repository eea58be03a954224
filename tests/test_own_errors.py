"""Every error of the library has an id for good, and whoever meets it learns what to do."""

from __future__ import annotations

import pickle
import re
import traceback
from pathlib import Path
from typing import Final

import pytest

import xerosync.client.xero
import xerosync.fleet
import xerosync.worker  # noqa: F401  # so that every error that there is was defined
from own_error_page import written
from xerosync._cli.commands import main
from xerosync.errors import InvalidInput, NotFound, OutcomeUnknown, Rejected, VersionConflict, XerosyncError
from xerosync.own_errors import own_errors
from xerosync.ports import AnswerLost

PROJECT: Final = Path(__file__).parents[1]

# What was ever given. Add to it and change nothing else: an error that is gone keeps its id here, and in the list.
GIVEN: Final = """
XS100 XerosyncError
XS101 InvalidInput
XS102 Misconfigured
XS103 ReadOnly
XS104 SecretKept
XS201 NotAuthorised
XS202 ReconnectNeeded
XS203 ScopeMissing
XS204 OrganisationRefused
XS205 OtherOrganisation
XS206 ConsentFailed
XS301 RateLimited
XS302 BudgetSpent
XS303 RunStopped
XS304 Unavailable
XS305 Suspended
XS601 Rejected
XS602 NotFound
XS603 OutcomeUnknown
XS604 UnreadableAnswer
XS605 TransportFault
XS606 NotSent
XS607 AnswerLost
XS608 AnswerRefused
XS701 StoreFailed
XS702 VersionConflict
XS703 LeaseLost
XS704 KeyMissing
XS705 SealBroken
XS706 NotEncrypted
XS707 LedgerBehind
XS801 WebhookRefused
"""


def public_errors(kind: type[XerosyncError] = XerosyncError) -> set[type[XerosyncError]]:
    """*kind* and every public error below it that the package defines."""
    below = {each for subclass in kind.__subclasses__() for each in public_errors(subclass)}
    is_public = kind.__module__ in {"xerosync.errors", "xerosync.ports"}
    return below | ({kind} if is_public else set())


def test_every_error_has_an_id_of_its_own_that_the_list_explains() -> None:
    ids = {kind.__name__: kind.id for kind in public_errors()}

    assert len(set(ids.values())) == len(ids) > 30
    assert {name: own_errors()[number].error for name, number in ids.items()} == {name: name for name in ids}


def test_no_id_was_ever_changed_or_given_twice() -> None:
    given = dict(line.split() for line in GIVEN.strip().splitlines())

    assert len(given) == len(GIVEN.strip().splitlines())
    assert {number: entry.error for number, entry in own_errors().items()} == given


def test_an_id_looks_like_no_status_of_http() -> None:
    assert [number for number in own_errors() if not re.fullmatch(r"XS[1236789]\d\d", number)] == []


def test_every_entry_says_what_is_so_whether_anything_was_written_and_what_to_do() -> None:
    texts = [text for entry in own_errors().values() for text in (entry.cause, entry.sent, entry.fix)]

    assert [text for text in texts if not re.fullmatch(r"[A-Z`].*\.", text) or text.count("`") % 2] == []


def test_the_page_of_our_errors_is_written_from_the_list() -> None:
    """Run ``python docs/_ext/own_error_page.py`` after a change of the list."""
    assert (PROJECT / "docs" / "own-errors.md").read_text(encoding="utf-8") == written()


@pytest.mark.parametrize(
    "error",
    [InvalidInput("amount", "give a Decimal"), Rejected(["No."]), OutcomeUnknown("it may have arrived", "k")],
    ids=lambda error: type(error).__name__,
)
def test_a_traceback_leads_on_and_the_text_stays_as_it_was(error: XerosyncError) -> None:
    text, *below = "".join(traceback.format_exception_only(error)).splitlines()

    assert text.endswith(str(error))
    assert below == [f"{error.id}: what it means and what to do, python -m xerosync explain {error.id}"]
    assert error.id not in str(error)


def test_an_error_that_was_pickled_leads_on_once() -> None:
    copy = pickle.loads(pickle.dumps(NotFound(["no such document"], 404)))  # noqa: S301 (our own bytes)

    assert (copy.id, len(copy.__notes__)) == ("XS602", 1)


def test_an_error_of_the_host_s_own_keeps_the_id_of_what_it_is() -> None:
    class Away(AnswerLost):
        pass

    assert Away("the proxy hung up").id == AnswerLost.id


def test_the_command_line_explains_an_error_by_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "xs603"]) == 0

    heading, cause, sent, fix = capsys.readouterr().out.splitlines()
    assert heading == "XS603 OutcomeUnknown"
    assert cause.startswith("A write was sent")
    assert sent == "In Xero: Perhaps: it may stand in Xero."
    assert "recover()" in fix


def test_the_command_line_explains_what_xero_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "Account code '404' has been archived, or has been deleted."]) == 0

    assert capsys.readouterr().out.splitlines()[:2] == ["account-archived", "Account 404 is archived or deleted."]


def test_what_nobody_knows_is_wrong_use_and_says_so_with_its_own_id(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "XS999"]) == 2

    said = capsys.readouterr().err
    assert said.startswith("xerosync: explain: give an error's id")
    assert said.endswith("(XS101)\n")


def test_a_store_of_ones_own_may_name_the_one_key_that_changed_as_a_text() -> None:
    assert VersionConflict("intent/t/k").keys == VersionConflict(["intent/t/k"]).keys == ("intent/t/k",)
