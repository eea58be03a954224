"""
What Xero's messages mean: for each the cause, the fix, who can do it, and whether sending again helps.

The entries stand in ``error_catalogue.toml``, which is read when the first message is looked up. A message that no
entry knows has no explanation, and its own words say all there is.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cache, cached_property
from importlib.resources import files
from typing import Final, cast

from attrs import field, frozen

# Longer than any message: what is longer is a page of HTML, or somebody's attempt to keep a search busy.
_LONGEST: Final = 20_000

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_WORD: Final = re.compile(r"\w+")
_QUOTES: Final = "'’‘ʼ´`"
_DOUBLE_QUOTES: Final = '"“”'
_PIECE: Final = re.compile(rf"\s+|[{_QUOTES}{_DOUBLE_QUOTES}]|[^\s{_QUOTES}{_DOUBLE_QUOTES}]+")


class Who(StrEnum):
    """Who can put right what Xero refused."""

    USER = "user"
    """A user of the organisation, in Xero."""
    ADVISER = "adviser"
    """The accountant or bookkeeper: it touches locked periods, tax, or what has been reconciled."""
    DEVELOPER = "developer"
    """Whoever writes or configures the product that calls Xero."""
    XERO = "xero"
    """Xero itself, by way of its support."""
    NOBODY = "nobody"
    """Nobody has to: it passes, or there is nothing wrong."""


class Retry(StrEnum):
    """Whether sending the same again can succeed."""

    NEVER = "never"
    """The same request is refused for good: send another one, or none."""
    AFTER_FIXING = "after fixing"
    """Once somebody has done what the fix says."""
    LATER = "later"
    """In a while, with nothing changed."""


@frozen(kw_only=True, repr=False)
class Explanation:
    """
    What one message of Xero's, or one status of an answer, means.

    *code* names it for good; its section on the page of errors is called so too. *cause* and *fix* are sentences for
    a person, with the names, codes and dates of the message filled in; those stand in *parts* as well, by name and
    exactly as Xero wrote them. They may be personal, so the repr shows the code alone.
    """

    code: str
    cause: str
    fix: str
    who: Who
    retry: Retry
    parts: Mapping[str, str] = field(factory=dict[str, str], hash=False)

    def __repr__(self) -> str:
        return f"<Explanation {self.code}>"


@frozen(kw_only=True)
class Entry:
    """
    One entry of the catalogue: the messages in *says*, with ``{names}`` where they vary, mean one thing.

    So do the *answers* without a message: each a status, or a status and something its answer shows (``429 day``).
    *area* is the heading it stands under, *facts* where its text is from.
    """

    code: str
    area: str
    says: tuple[str, ...]
    answers: tuple[str, ...]
    cause: str
    fix: str
    who: Who
    retry: Retry
    facts: str

    def explained(self, parts: Mapping[str, str]) -> Explanation:
        """This entry with *parts* in the places that bear their names."""
        return Explanation(
            code=self.code,
            cause=_filled(self.cause, parts),
            fix=_filled(self.fix, parts),
            who=self.who,
            retry=self.retry,
            parts=parts,
        )


def explain(message: str) -> Explanation | None:
    """
    What *message* of Xero's means; None when the catalogue does not know it.

    Letter case, runs of blanks, the shape of quotation marks and a full stop at the end make no difference. Of two
    entries that know it the one with more words of its own wins.
    """
    return _catalogue().explain(message)


def explain_status(status: int, *, marker: str = "") -> Explanation | None:
    """
    What an answer with *status* means when it holds no message; None when the catalogue does not know it.

    *marker* is whatever else the answer shows: the Detail of a 401 or 403, the X-Rate-Limit-Problem of a 429, the text
    of a 503. The same Detail means one thing under 401 and another under 403 (F 1.55).
    """
    return _catalogue().explain_status(status, marker)


def entries() -> tuple[Entry, ...]:
    """All entries of the catalogue, in the order of the page of errors."""
    return _catalogue().entries


@frozen(eq=False)
class _Pattern:
    """One text of an *entry*, with what it takes to recognise it."""

    text: str
    entry: Entry

    @property
    def is_fixed(self) -> bool:
        return _PLACEHOLDER.search(self.text) is None

    @property
    def weight(self) -> int:
        """How much of the text is its own: the pattern that leaves less open says more."""
        return len("".join(self._literals))

    @property
    def words(self) -> Iterator[str]:
        """The words that every such message holds as words: one that touches a placeholder may have grown."""
        literals = self._literals
        for place, literal in enumerate(literals):
            for word in _WORD.finditer(literal):
                touches_left = place > 0 and word.start() == 0
                touches_right = place < len(literals) - 1 and word.end() == len(literal)
                if not (touches_left or touches_right):
                    yield word[0].casefold()

    @property
    def _literals(self) -> list[str]:
        return _PLACEHOLDER.split(self.text)[::2]

    # Built when a message first looks like it, and kept: most are never needed. What comes before the last placeholder
    # is never tried a second way (the atomic groups), so that a message made for it cannot keep the search busy.
    @cached_property
    def _regex(self) -> re.Pattern[str]:
        first, *others = self._literals
        names = _PLACEHOLDER.findall(self.text)
        written = _lenient(first, is_first=True, is_last=not names)
        for place, (name, literal) in enumerate(zip(names, others, strict=True), start=1):
            is_last = place == len(names)
            after = _lenient(literal, is_first=False, is_last=is_last)
            written += f"(?P<{name}>.*){after}" if is_last else f"(?>(?P<{name}>.*?){after})"
        return re.compile(written, re.DOTALL | re.IGNORECASE)

    def parts(self, message: str) -> dict[str, str] | None:
        """What stands in *message* where the text has names; None when it is another message."""
        found = self._regex.fullmatch(message)
        return found.groupdict() if found else None


def _lenient(literal: str, *, is_first: bool, is_last: bool) -> str:
    """
    A regular expression for *literal*, one stretch of a text between two placeholders.

    A blank next to a placeholder stands for exactly one, since the blanks after it are the placeholder's own.
    """
    if is_last and len(literal) > 1:
        literal = literal.removesuffix(".")
    pieces = _PIECE.findall(literal)
    written = [_lenient_piece(piece) for piece in pieces]
    if pieces and pieces[0].isspace() and not is_first:
        written[0] = r"\s"
    if pieces and pieces[-1].isspace() and not is_last:
        written[-1] = r"\s"
    before = r"\s*" if is_first and literal else ""
    after = r"\.?\s*" if is_last and literal not in {"", "."} else ""
    return before + "".join(written) + after


def _lenient_piece(piece: str) -> str:
    if piece.isspace():
        return r"\s+"
    same = next((shapes for shapes in (_QUOTES, _DOUBLE_QUOTES) if piece in shapes), None)
    return f"[{same}]" if same else re.escape(piece)


@frozen(eq=False)
class Catalogue:
    """The *entries*, and an index by which one is found without trying them all."""

    entries: tuple[Entry, ...]

    def explain(self, message: str) -> Explanation | None:
        """`explain`."""
        if len(message) > _LONGEST:
            return None
        fixed = self._fixed.get(_plain(message))
        if fixed is not None:
            return fixed.explained({})
        words = set(_WORD.findall(message.casefold()))
        likely = [pattern for word in words for pattern in self._by_word.get(word, ())]
        for pattern in sorted(likely, key=lambda each: -each.weight):
            parts = pattern.parts(message)
            if parts is not None:
                return pattern.entry.explained(parts)
        return None

    def explain_status(self, status: int, marker: str) -> Explanation | None:
        """`explain_status`."""
        shown = marker.casefold()
        known = [(mark, entry) for mark, entry in self._by_status.get(status, ()) if mark in shown]
        return max(known, key=lambda each: len(each[0]))[1].explained({}) if known else None

    @cached_property
    def patterns(self) -> tuple[_Pattern, ...]:
        """Every text of every entry."""
        return tuple(_Pattern(text, entry) for entry in self.entries for text in entry.says)

    @cached_property
    def _fixed(self) -> Mapping[str, Entry]:
        return {_plain(pattern.text): pattern.entry for pattern in self.patterns if pattern.is_fixed}

    @cached_property
    def _by_word(self) -> Mapping[str, list[_Pattern]]:
        """The patterns with placeholders, each under the rarest of its words."""
        open_ones = [pattern for pattern in self.patterns if not pattern.is_fixed]
        how_often = Counter(word for pattern in open_ones for word in set(pattern.words))
        index: dict[str, list[_Pattern]] = {}
        for pattern in open_ones:
            rarest = min(pattern.words, key=lambda word: (how_often[word], -len(word)))
            index.setdefault(rarest, []).append(pattern)
        return index

    @cached_property
    def _by_status(self) -> Mapping[int, list[tuple[str, Entry]]]:
        index: dict[int, list[tuple[str, Entry]]] = {}
        for entry in self.entries:
            for answer in entry.answers:
                status, _, mark = answer.partition(" ")
                index.setdefault(int(status), []).append((mark.casefold(), entry))
        return index


def _plain(message: str) -> str:
    """*message* without what makes no difference."""
    text = "".join("'" if each in _QUOTES else '"' if each in _DOUBLE_QUOTES else each for each in message)
    return " ".join(text.split()).removesuffix(".").casefold()


def _filled(sentence: str, parts: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: parts.get(found[1], found[0]), sentence)


def read(text: str) -> Catalogue:
    """The catalogue written in *text*, in TOML. Raises `ValueError` or `KeyError` when it is not well made."""
    return Catalogue(tuple(_read_entries(tomllib.loads(text).items())))


def _read_entries(tables: Iterable[tuple[str, Mapping[str, object]]]) -> Iterator[Entry]:
    for code, table in tables:
        yield Entry(
            code=code,
            area=str(table["area"]),
            says=_texts(table, "says"),
            answers=_texts(table, "answers"),
            cause=str(table["cause"]),
            fix=str(table["fix"]),
            who=Who(str(table["who"])),
            retry=Retry(str(table["retry"])),
            facts=str(table.get("facts", "")),
        )


def _texts(table: Mapping[str, object], name: str) -> tuple[str, ...]:
    return tuple(map(str, cast(list[object], table.get(name, []))))


@cache
def _catalogue() -> Catalogue:
    return read(files("xerosync").joinpath("error_catalogue.toml").read_text(encoding="utf-8"))
