"""The conformance kit's tests of what databases get wrong by their own rules of text, size and time."""

# ruff: noqa: S101
from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import evolve

from xerosync.storage import Event, Fence, Record, RecordKey, Storage
from xerosync.testing.storage_face import OWNERS, START

_LONG: Final = "x" * 400
_ALIKE: Final = ("INV-1", "inv-1", "INV-1 ", " INV-1", "É", "E\u0301", "ss", "ß", f"{_LONG}1", f"{_LONG}2")
_MANY: Final = 2500


class ExactTests:
    """What a store neither changes, confuses nor cuts off; part of `StorageTests`."""

    def test_texts_that_look_alike_are_told_apart(self, store: Storage) -> None:
        """Letter case, blanks at an end, another composition, or the last of 401 letters: each is another text."""
        store.commit([Record("link", "books", text, text, lookups=(("number", text),)) for text in _ALIKE])

        kept = store.get_many([RecordKey("link", "books", text) for text in _ALIKE])
        assert [record and record.body for record in kept] == list(_ALIKE), "two keys were taken for one"
        for text in _ALIKE:
            found = [record.key for record in store.query("link", "books", lookup=("number", text))]
            assert found == [text], f"looked for by {text!r}, {found} were found"

    def test_names_that_look_alike_are_told_apart(self, store: Storage) -> None:
        """Those of kinds, organisations, states, streams and leases too."""
        names = ("Books", "books", "books ")
        store.commit([Record(name, "books", "1", name) for name in names])
        store.commit([Record("link", name, "1", name) for name in names])
        store.commit([Record("state", "books", name, "{}", state=name) for name in names])
        for name in names:
            store.append(name, [Event(START, name, "{}")])
            assert store.lease(name, OWNERS[0], ttl_s=60, now=START) == Fence(name, 1)
            assert store.lease(name, OWNERS[1], ttl_s=60, now=START + timedelta(seconds=60)) == Fence(name, 2)

        for name in names:
            assert [record.body for record in store.query(name, "books")] == [name]
            assert [record.body for record in store.query("link", name)] == [name]
            assert [record.key for record in store.query("state", "books", states=[name])] == [name]
            assert [event.name for _, event in store.events(name)] == [name]

    def test_a_body_is_kept_whole_however_large(self, store: Storage) -> None:
        """None is cut at 64 KB, nor at a million letters."""
        body = '{"t":"' + "é😀 " * 350_000 + '"}'

        store.commit([Record("invoice", "books", "INV-1", body)])

        [kept] = store.get_many([RecordKey("invoice", "books", "INV-1")])
        assert kept is not None
        assert len(kept.body) == len(body), f"{len(kept.body)} of {len(body)} letters were kept"
        assert kept.body == body

    def test_a_page_is_as_long_as_was_asked_for(self, store: Storage) -> None:
        """A page that is shorter is the last one, so a store must not set a limit of its own."""
        store.commit([Record("invoice", "books", f"{n:04}", "{}", state="open", due=START) for n in range(_MANY)])
        store.append("runs", [Event(START, "sent", str(n)) for n in range(_MANY)])

        assert len(store.query("invoice", "books", limit=_MANY)) == _MANY
        assert len(store.query("invoice", "books", states=["open"], order="due", limit=_MANY - 1)) == _MANY - 1
        assert len(store.events("runs", limit=_MANY)) == _MANY

    def test_thousands_may_be_expected_and_dropped_at_once(self, store: Storage) -> None:
        """As many as may be put: no limit of the database's to a statement comes through."""
        records = [Record("invoice", "books", f"{n:04}", "{}") for n in range(_MANY)]
        store.commit(records)

        store.commit(
            [], expect={record.identity: 1 for record in records}, deletes=[record.identity for record in records]
        )

        assert store.query("invoice", "books") == []

    def test_times_far_from_now_are_kept(self, store: Storage) -> None:
        """Beyond 2038, and before 1970."""
        far = [datetime(year, 12, 31, 23, 59, 59, 999_999, UTC) for year in (1969, 2099)]
        store.commit([Record("intent", "books", str(at.year), "{}", due=at) for at in far])
        store.append("runs", [Event(at, "sent", "{}") for at in far])

        assert [record.due for record in store.query("intent", "books", order="due")] == far
        assert [event.at for _, event in store.events("runs")] == far

    def test_an_epoch_is_never_used_again(self, store: Storage) -> None:
        """However long ago the lease ran out or was given back: whoever slept that long must still be refused."""
        after_years = START + timedelta(days=3000)
        first = store.lease("books", OWNERS[0], ttl_s=60, now=START)
        assert first == Fence("books", 1)
        second = store.lease("books", OWNERS[1], ttl_s=60, now=after_years)
        assert second == Fence("books", 2), "the epoch of a lease that ran out long ago was forgotten"
        store.release(Fence("books", 2))

        assert store.lease("books", OWNERS[0], ttl_s=60, now=after_years + timedelta(days=3000)) == Fence("books", 3)

    def test_an_owner_alike_on_another_machine_is_another(self, store: Storage) -> None:
        """In two containers processes get the same number, and a machine that was started anew gives it out again."""
        here = OWNERS[0]
        assert store.lease("books", here, ttl_s=60, now=START) == Fence("books", 1)

        for other in (evolve(here, host="another"), evolve(here, boot="another")):
            assert store.lease("books", other, ttl_s=60, now=START) is None, "another machine's process got the lease"
        assert store.lease_owner("books") == here
