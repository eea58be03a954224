"""Names compared: one name however it is written, and no two names made one."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.matching.names import NAUGHTY, OTHERS, SAME

from xerosync.matching.lookalikes import latin_looks, look_alike, looks, shapes, turns_writing
from xerosync.matching.loosely import bare_words, bare_words_of, loose_name
from xerosync.matching.names import Names, plain_name

ANY = st.text(max_size=30) | st.sampled_from(NAUGHTY)


@pytest.mark.parametrize("written", SAME, ids=lambda row: ascii(row[0]))
def test_one_name_is_one_however_it_is_written(written: tuple[str, ...]) -> None:
    assert len({plain_name(each) for each in written}) == 1


@pytest.mark.parametrize(("one", "other"), OTHERS, ids=ascii)
def test_names_that_are_not_the_same_stay_apart(one: str, other: str) -> None:
    assert plain_name(one) != plain_name(other)


@given(ANY)
def test_no_letter_digit_or_sign_is_lost(name: str) -> None:
    """Whatever stands in a name stands in its plain form too, in its small, composed, narrow form."""
    kept = plain_name(name).replace(" ", "")

    for letter in name:
        plain = plain_name(letter).replace(" ", "")
        visible = unicodedata.category(letter)[0] in "LNPS"
        assert not visible or set(unicodedata.normalize("NFD", plain)) <= set(unicodedata.normalize("NFD", kept))


@given(ANY)
def test_every_form_of_a_name_is_stable(name: str) -> None:
    plain = plain_name(name)

    assert plain_name(plain) == plain
    assert loose_name(plain) == loose_name(name)


@given(st.lists(ANY | st.text(" aBm1IO0.&+’", max_size=6) | st.sampled_from(["A & Co", "Co", "O+Y"]), max_size=8))
def test_many_names_are_compared_at_once_as_each_would_be(written: list[str]) -> None:
    names = Names(written)
    latin = [place for place, name in enumerate(written) if name.isascii() and name.isprintable()]

    assert [*names.plain] == [plain_name(each) for each in written]
    assert bare_words_of(written) == [bare_words(each) for each in written]
    assert sorted([*names.odd, *latin]) == [*range(len(written))]
    assert [(latin_looks(names)[place],) for place in latin] == [looks(written[place]) for place in latin]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme", "Аcme"),
        ("ACME INC", "АСМЕ ІNC"),
        ("Acme Inc", "АСМЕ ІNC"),
        ("Paypal", "PaypaI"),
        ("C-10", "C-1O"),
        ("Barnes", "Bames"),
        ("scope", "ѕсоре"),
    ],
)
def test_letters_that_look_alike_are_noticed_both_ways(one: str, other: str) -> None:
    assert look_alike(one, other)
    assert look_alike(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Acme", "acme"), ("Acme", "ＡＣＭＥ"), ("José", "Jose"), ("Ana", "Bo"), ("Жук", "Паук"), ("", "")],
)
def test_the_same_name_and_quite_another_do_not_look_alike(one: str, other: str) -> None:
    assert not look_alike(one, other)


@given(ANY, ANY)
def test_looking_alike_is_mutual_and_never_said_of_one_name(one: str, other: str) -> None:
    assert look_alike(one, other) == look_alike(other, one)
    assert not (look_alike(one, other) and plain_name(one) == plain_name(other))
    assert shapes(one) == shapes(one)


def test_marks_that_turn_the_direction_of_writing_are_noticed() -> None:
    assert turns_writing("Acme\u202e")
    assert turns_writing("\u2066Acme\u2069")
    assert not any(map(turns_writing, ["Acme", "שלום", "مرحبا", "Ac\u200bme", "👩‍👩‍👧‍👦"]))


@pytest.mark.parametrize(
    ("one", "other", "form"),
    [
        ("Crème Café", "Creme Cafe", "accentless"),
        ("Smith & Sons", "Smith and Sons", "worded"),
        ("O’Brien", "O'Brien", "worded"),
        ("Acme Pty. Ltd.", "ACME", "bare"),
        ("Muster GmbH & Co. KG", "Muster", "bare"),
        ("Costa, Ana", "Ana Costa", "sorted"),
        ("Blue Berry", "Blueberry Ltd", "joined"),
    ],
)
def test_looser_forms_make_one_of_what_a_person_would(one: str, other: str, form: str) -> None:
    assert getattr(loose_name(one), form) == getattr(loose_name(other), form)


@pytest.mark.parametrize("name", ["Limited", "Ltd", "& Co", "Company"])
def test_a_name_that_is_only_a_legal_form_keeps_it(name: str) -> None:
    assert loose_name(name).sorted


@given(ANY)
def test_blanks_around_and_between_words_do_not_count(name: str) -> None:
    spread = "  ".join(["", *name.split(), ""])

    assert plain_name(spread) == plain_name(" ".join(name.split()))


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789 &.-'", max_size=30))
def test_capitals_and_full_width_letters_do_not_count(name: str) -> None:
    wide = "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in name)

    assert plain_name(name.upper()) == plain_name(wide) == plain_name(name)


@given(ANY, st.sampled_from(["e é", "n ñ", "u ü", "o ø", "l ł"]))
def test_accents_are_kept(name: str, letters: str) -> None:
    plain, accented = letters.split()

    assert plain_name(f"{plain}{name}") != plain_name(f"{accented}{name}")
