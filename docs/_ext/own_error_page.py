"""
Writes docs/own-errors.md from the list of the library's own errors: ``python docs/_ext/own_error_page.py``.

The page is kept in the repository, so that it can be read and linked there, and a test holds it to the list.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

import xerosync.errors
from xerosync.own_errors import OwnError, own_errors

PAGE: Final = Path(__file__).parents[1] / "own-errors.md"

_HEAD: Final = """\
---
tocdepth: 2
---

# Errors and what to do

Every error that the library raises has an `id`, which never changes. It names a section of this page; a traceback shows
it below the error's own text, and a program reads it. What a message of Xero's means, which
[XS601](#xs601) carries, is told in [What Xero's errors mean](errors.md), and what a finding means in
[Recover](howto/recover.md#what-findings-mean).

```python
from xerosync import Money
from xerosync.errors import XerosyncError

try:
    Money(12.5, "NZD")  # a float
except XerosyncError as error:
    print(error.id)  # XS101
    print(error.__notes__)  # ['XS101: what it means and what to do, python -m xerosync explain XS101']
```

Away from this page, ask for the same by the id, or by a message of Xero's:

```console
$ python -m xerosync explain XS103
XS103 ReadOnly
The client was made with `read_only=True`, and this call would write: ...
In Xero: Nothing was sent, and nothing recorded.
To do: Make a client without `read_only` for what shall be written.
$ python -m xerosync explain "Users Organisation is not subscribed to currency EUR"
currency-not-subscribed
...
```
"""


def written() -> str:
    """The page as the list has it now."""
    areas = groupby(own_errors().values(), key=lambda entry: entry.area)
    return "\n".join([_HEAD, *(line for area, entries in areas for line in _area(area, list(entries)))])


def _area(area: str, entries: list[OwnError]) -> Iterator[str]:
    yield f"## {area}\n"
    for entry in entries:
        yield f"({entry.id.lower()})=\n\n### {entry.id} {entry.error}\n"
        module = "errors" if hasattr(xerosync.errors, entry.error) else "ports"
        yield _wrapped(f"{entry.cause} See {{py:class}}`~xerosync.{module}.{entry.error}`.") + "\n"
        yield _wrapped(f"*In Xero:* {entry.sent}") + "\n"
        yield _wrapped(f"*To do:* {entry.fix}") + "\n"


def _wrapped(sentence: str) -> str:
    return textwrap.fill(sentence, 120, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
