"""A `Secret` gives its text to whoever asks for it by name, and to nobody else."""

from __future__ import annotations

import copy
import inspect
import io
import json
import logging
import pickle
import pprint
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, cast

import attrs
import cattrs
import cattrs.preconf.json
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.pretty import pretty_repr

from xerosync import App, Secret, Tokens
from xerosync.errors import InvalidInput, SecretKept

TEXT: Final = "zweckverband-4711"
NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)


def held() -> Tokens:
    """A public value that holds two."""
    return Tokens(TEXT, TEXT[::-1], NOW)


def logged(value: object) -> str:
    """A log line that was given *value* as its argument and as a field of its own."""
    out = io.StringIO()
    log, listener = logging.getLogger("out"), logging.StreamHandler(out)
    listener.setFormatter(logging.Formatter("%(message)s %(given)s"))
    log.addHandler(listener)
    log.warning("it is %s, or %r", value, value, extra={"given": value})
    log.removeHandler(listener)
    return out.getvalue()


def traced(value: object) -> str:
    """A traceback that shows what every name stood for."""
    try:
        raise ValueError(value)
    except ValueError as error:
        return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def traced_by_rich(value: object) -> str:
    out = io.StringIO()
    console = Console(file=out, width=200)
    try:
        raise ValueError(value)
    except ValueError:
        console.print_exception(show_locals=True)
    return out.getvalue()


WAYS: Final[dict[str, Callable[[Secret], object]]] = {
    "repr": repr,
    "str": str,
    "format": lambda secret: f"{secret} {secret!s:>40} {secret!r}",
    "percent": lambda secret: "%s" % secret,  # noqa: UP031 (it is one of the ways)
    "in a list": lambda secret: str([secret]),
    "pprint": lambda secret: pprint.pformat({"token": secret}),
    "rich": lambda secret: pretty_repr({"token": secret}),
    "members": lambda secret: str(inspect.getmembers(secret)),
    "asdict": lambda _: str(attrs.asdict(held())),
    "astuple": lambda _: str(attrs.astuple(held())),
    "cattrs": lambda _: str(cattrs.unstructure(held())),
    "json with a way out": lambda secret: json.dumps([secret, attrs.asdict(held())], default=str),
    "logging": logged,
    "a traceback": traced,
    "a traceback of rich": traced_by_rich,
    "an app": lambda secret: repr(App("client", secret)),
}


@pytest.mark.parametrize("way", WAYS)
def test_whatever_looks_at_a_secret_sees_that_it_is_hidden(way: str) -> None:
    shown = str(WAYS[way](Secret(TEXT)))

    assert TEXT not in shown
    assert TEXT[::-1] not in shown


FAILING: Final[dict[str, Callable[[object], object]]] = {
    "vars": vars,
    "json": json.dumps,
    "msgspec": msgspec.json.encode,
    "cattrs": cattrs.preconf.json.make_converter().dumps,
    "bytes": lambda secret: bytes(cast(bytes, secret)),
    "list": lambda secret: list(cast(str, secret)),
    "len": lambda secret: len(cast(str, secret)),
    "adding": lambda secret: "Bearer " + cast(str, secret),
    "joining": lambda secret: b"".join([cast(bytes, secret)]),
}


@pytest.mark.parametrize("way", FAILING)
def test_what_would_need_the_text_fails_and_says_nothing(way: str) -> None:
    with pytest.raises(TypeError) as refused:
        FAILING[way](Secret(TEXT))

    assert TEXT not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_is_never_pickled_and_its_copy_is_itself(protocol: int) -> None:
    tokens, secret = held(), Secret(TEXT)

    for each in (secret, tokens, {"tokens": tokens}):
        with pytest.raises(SecretKept, match="never pickled"):
            pickle.dumps(each, protocol)
    assert copy.copy(secret) is secret
    assert copy.deepcopy({"kept": [secret]})["kept"][0] is secret
    assert copy.deepcopy(tokens) == tokens


@given(st.text(), st.text())
def test_secrets_compare_and_are_told_apart_as_their_texts_are(one: str, other: str) -> None:
    assert (Secret(one) == Secret(other)) is (one == other)
    assert len({Secret(one), Secret(other)}) == len({one, other})
    assert Secret(Secret(one)).reveal() == one
    assert bool(Secret(one)) is bool(one)


def test_a_secret_equals_no_plain_text_and_is_made_of_text_alone() -> None:
    plain: object = TEXT

    assert Secret(TEXT) != plain
    for wrong in (None, 7, b"bytes"):
        with pytest.raises(InvalidInput, match="give it as text"):
            Secret(wrong)  # type: ignore[arg-type]


def test_where_the_library_takes_a_secret_plain_text_will_do() -> None:
    assert Tokens(TEXT, None, NOW) == Tokens(Secret(TEXT), None, NOW)
    assert App("client", TEXT) == App("client", Secret(TEXT))
    assert attrs.evolve(held(), refresh_token="other").refresh_token == Secret("other")
