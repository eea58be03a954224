"""The catalogue explains what Xero says: every message we know of, whatever names and amounts stand in it."""

from __future__ import annotations

import ast
import pickle
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from error_page import written
from xerosync.catalogue import Entry, Explanation, Retry, Who, entries, explain, explain_status, read
from xerosync.errors import NotFound, Rejected

PROJECT: Final = Path(__file__).parents[1]
FACTS: Final = PROJECT.parent / "shared" / "xero-facts.md"
SIMULATOR: Final = PROJECT / "src" / "xerosync" / "simulator"
NAME: Final = re.compile(r"\{(\w+)\}")

TEXTS: Final = [(entry, text) for entry in entries() for text in entry.says]
OPEN_TEXTS: Final = [(entry, text) for entry, text in TEXTS if NAME.search(text)]
FIXED_TEXTS: Final = {text.casefold() for _, text in TEXTS if not NAME.search(text)}

# Quoted in the facts, and no message: names of things, filters, headers, and what we say to ourselves.
NOT_MESSAGES: Final = {
    "Abby & Wells",
    "Cache-Control: max-age=0, no-cache, no-store",
    "Content-Type: application/json; charset=UTF-8",
    "Date >= DateTime(…)",
    "DateTime(2026, 9, 1)",
    'Field!=null AND Field.Contains("x")',
    "GET and compare",
    "GET to check",
    "Mobile or desktop app",
    "UpdatedDateUTC ASC, <ID> ASC",
    "WWW-Authenticate: Bearer error=invalid_token",
}
REFUSALS: Final = {"Invalid", "Refused", "UnreadableBody", "UnreadableQuery"}


def filled(text: str, value: str) -> str:
    return NAME.sub(lambda _: value, text)


def known(message: str) -> Explanation:
    found = explain(message)
    assert found is not None, f"nothing is known of {message!r}"
    return found


# --- What it covers -------------------------------------------------------------------------------------------------


def messages_of_the_facts(facts: str) -> Iterator[str]:
    """
    The messages that *facts* quotes.

    They are the texts in backticks, or in double quotation marks, of three words or more that begin with a capital
    letter, those of `NOT_MESSAGES` left out; then the short ones that stand behind the word Detail or after "Seen
    messages:", and the errors of the token endpoint, which begin the rows of its table.
    """
    for line in facts.splitlines():
        for quoted in re.findall(r'`([^`]+)`|"([^"]+)"', line):
            text = "".join(quoted)
            if len(text.split()) >= 3 and text[0].isupper() and text not in NOT_MESSAGES:
                yield text
        yield from re.findall(r"Detail `([^`]+)`", line)
        yield from re.findall(r"^\| 1\.\d+ \| `(\w+)` \|", line)
        yield from re.findall(r"`([^`]+)`", line.partition("Seen messages:")[2])


def test_every_message_that_the_facts_quote_is_explained() -> None:
    if not FACTS.exists():
        pytest.skip("the facts about Xero are not kept with the project, and are not beside it here")
    quoted = list(messages_of_the_facts(FACTS.read_text(encoding="utf-8")))

    assert [message for message in quoted if explain(message) is None] == []
    assert len(quoted) > 60


def messages_of_the_simulator() -> Iterator[str]:
    """
    What the simulator refuses with or warns of, X where a value goes.

    They are the texts in calls of `REFUSALS` and of ``warnings.append``, and those assigned to names used there.
    """
    nodes = [
        node
        for file in sorted(SIMULATOR.rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    ]
    named: dict[str, list[ast.expr]] = {}
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                named.setdefault(name, []).append(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                named.setdefault(name, []).append(value)
            case _:
                continue
    for node in nodes:
        if isinstance(node, ast.Call) and says_something(node.func):
            yield from (text for argument in node.args for text in texts(argument, named))


def says_something(function: ast.expr) -> bool:
    match function:
        case ast.Name(id=name):
            return name in REFUSALS
        case ast.Attribute(value=ast.Name(id="warnings") | ast.Attribute(attr="warnings"), attr="append"):
            return True
        case _:
            return False


def texts(node: ast.expr, named: dict[str, list[ast.expr]]) -> Iterator[str]:
    """The texts that *node* may stand for; *named* has what is assigned to each name."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=pieces):
            choices = [list(texts(piece, named)) or ["X"] for piece in pieces]
            yield from map("".join, product(*choices))
        case ast.FormattedValue(value=ast.Name(id=name)):
            written = [value for value in named.get(name, ()) if isinstance(value, ast.JoinedStr)]
            yield from (text for value in written for text in texts(value, named))
        case ast.IfExp(body=one, orelse=other):
            yield from (*texts(one, named), *texts(other, named))
        case ast.Call(func=ast.Attribute(value=template, attr="format")):
            yield from (NAME.sub("X", text) for text in texts(template, named))
        case ast.Name(id=name) | ast.Attribute(attr=name):
            literal = ast.Constant | ast.JoinedStr
            yield from (
                text for value in named.get(name, ()) if isinstance(value, literal) for text in texts(value, named)
            )
        case _:
            return


def test_every_message_of_the_simulator_is_explained() -> None:
    said = set(messages_of_the_simulator())

    assert sorted(message for message in said if explain(message) is None) == []
    assert len(said) > 180


@pytest.mark.parametrize("message", ["A text Xero has never said", "", " ", "{noun} could not", "x" * 100_000])
def test_a_message_that_is_not_known_has_no_explanation(message: str) -> None:
    assert explain(message) is None


# --- How a message is recognised ------------------------------------------------------------------------------------


@given(st.sampled_from(OPEN_TEXTS), st.text())
def test_whatever_stands_in_a_message_is_given_back_exactly(known_text: tuple[Entry, str], value: str) -> None:
    entry, text = known_text
    message = filled(text, value)
    assume(" ".join(message.split()).casefold() not in FIXED_TEXTS)  # "The bank account…" of no name is one of those
    # Between two names stands what tells them apart, so neither may hold it.
    assume(all(literal not in value for literal in NAME.split(text)[2:-1:2]))

    found = known(message)

    assert found.code == entry.code
    assert found.parts == dict.fromkeys(NAME.findall(text), value)


@given(st.sampled_from(TEXTS), st.data())
def test_blanks_quotation_marks_and_letter_case_make_no_difference(
    known_text: tuple[Entry, str], data: st.DataObject
) -> None:
    entry, text = known_text
    message = filled(text, "X")
    pieces = re.split(r"(\s|['’\"])", message)
    other = {" ": st.sampled_from([" ", "\u00a0", "\t"]), "'": st.sampled_from("'’‘´`"), '"': st.sampled_from('"“”')}
    written_otherwise = "".join(
        data.draw(other["'" if piece == "’" else piece]) if piece in other else piece for piece in pieces
    )

    assert known(data.draw(st.sampled_from([written_otherwise, message.upper()]))).code == entry.code


def test_a_message_made_to_look_like_many_is_answered_at_once() -> None:
    """Tried in every way, it would take years."""
    again = " to type ' '. Path ' ', line , position ." * 400

    assert explain(f"Error converting value {again}!") is None


def test_the_text_with_more_words_of_its_own_wins() -> None:
    assert known("Invoice could not be found").code == "invoice-not-found"
    assert known("Prepayment could not be found").code == "record-not-found"
    assert known("DueDate cannot be empty").code == "due-date-required"
    assert known("Reference must not be longer than 255 characters").code == "reference-too-long"
    assert known("Title must not be longer than 100 characters").code == "field-too-long"


def test_names_codes_and_dates_stand_in_the_cause_and_the_fix() -> None:
    found = known("Account code '{code}$' has been archived, or has been deleted.")

    assert found.parts == {"code": "{code}$"}
    assert found.cause == "Account {code}$ is archived or deleted."
    assert "account {code}$" in found.fix


def test_an_explanation_says_no_name_in_its_repr_and_can_be_kept() -> None:
    found = known("The contact name Straße & Söhne is already assigned to another contact.")

    assert repr(found) == "<Explanation contact-name-taken>"
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301  # our own bytes
    assert len({found, found}) == 1


# --- Answers without a message --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "marker", "code"),
    [
        (401, "TokenExpired: token expired at 01/02/2026 10:00:00", "token-expired"),
        (401, "AuthenticationUnsuccessful", "token-not-accepted"),
        (401, "AuthorizationUnsuccessful", "scope-missing"),
        (401, 'Bearer error="insufficent_scope"', "scope-missing"),
        (403, "AuthenticationUnsuccessful", "organisation-not-accessible"),
        (403, "<h1>Access Denied</h1>", "tls-too-old"),
        (404, "", "not-found"),
        (412, "", "precondition-failed"),
        (413, "", "request-too-large"),
        (429, "minute", "minute-limit"),
        (429, "Day", "day-limit"),
        (429, "concurrent", "concurrent-limit"),
        (429, "appminute", "app-minute-limit"),
        (429, "", "concurrent-limit"),
        (500, "", "xero-failed"),
        (501, "", "verb-not-implemented"),
        (502, "", "edge-failed"),
        (503, "The Organisation is offline", "organisation-offline"),
        (503, "", "maintenance"),
        (504, "", "edge-failed"),
    ],
)
def test_an_answer_without_a_message_is_told_by_its_status_and_what_it_shows(
    status: int, marker: str, code: str
) -> None:
    found = explain_status(status, marker=marker)

    assert found is not None
    assert found.code == code


def test_a_status_that_is_not_known_has_no_explanation() -> None:
    assert explain_status(418) is None


# --- Refusals -------------------------------------------------------------------------------------------------------


def test_a_refusal_explains_each_of_its_messages() -> None:
    refused = Rejected(["Account could not be found", "What Xero says tomorrow"])

    account, unknown = refused.explanations

    assert account is not None
    assert (account.code, account.who, account.retry) == ("account-not-found", Who.USER, Retry.AFTER_FIXING)
    assert unknown is None
    assert "What Xero says tomorrow" in str(refused)


def test_a_refusal_without_a_message_is_explained_by_its_status() -> None:
    (found,) = NotFound(["an answer that cannot be read: HTML"], 404).explanations

    assert found is not None
    assert found.code == "not-found"


# --- How the catalogue is made --------------------------------------------------------------------------------------


def test_every_entry_is_recognised_by_all_of_its_texts() -> None:
    assert {(entry.code, text): known(text).code for entry, text in TEXTS} == {
        (entry.code, text): entry.code for entry, text in TEXTS
    }


def test_every_entry_is_complete() -> None:
    for entry in entries():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", entry.code)
        assert entry.says or entry.answers, entry.code
        assert entry.cause.endswith("."), entry.code
        assert entry.fix.endswith("."), entry.code
        assert entry.facts, entry.code


def test_a_cause_uses_only_names_that_every_text_of_its_entry_has() -> None:
    for entry in entries():
        used = set(NAME.findall(entry.cause + entry.fix))
        assert all(used <= set(NAME.findall(text)) for text in entry.says), entry.code


def test_no_two_entries_claim_the_same_text_or_answer() -> None:
    claims = [claim.casefold() for entry in entries() for claim in (*entry.says, *entry.answers)]

    assert sorted(claim for claim in set(claims) if claims.count(claim) > 1) == []


def test_names_in_a_text_stand_apart() -> None:
    assert [text for _, text in OPEN_TEXTS if "}{" in text] == []
    assert [text for _, text in OPEN_TEXTS if len(set(NAME.findall(text))) < len(NAME.findall(text))] == []


def test_an_entry_that_nobody_can_act_on_is_refused_when_it_is_read() -> None:
    with pytest.raises(ValueError, match="somebody"):
        read('[x]\narea = "A"\nsays = ["B"]\ncause = "C."\nfix = "D."\nwho = "somebody"\nretry = "never"\n')


def test_the_page_of_errors_is_written_from_the_catalogue() -> None:
    """Run ``python docs/_ext/error_page.py`` after a change of the catalogue."""
    assert (PROJECT / "docs" / "errors.md").read_text(encoding="utf-8") == written()
