"""
Writes docs/errors.md from the catalogue of errors: ``python docs/_ext/error_page.py``.

The page is kept in the repository, so that it can be read and linked there, and a test holds it to the catalogue.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from xerosync.catalogue import Entry, Retry, Who, entries

PAGE: Final = Path(__file__).parents[1] / "errors.md"

_WHO: Final = {
    Who.USER: "a user of the organisation, in Xero",
    Who.ADVISER: "the accountant or bookkeeper",
    Who.DEVELOPER: "the developer of the product",
    Who.XERO: "Xero's support",
    Who.NOBODY: "nobody has to",
}
_RETRY: Final = {
    Retry.NEVER: "never as it is",
    Retry.AFTER_FIXING: "after fixing",
    Retry.LATER: "later",
}

_HEAD: Final = """\
---
tocdepth: 2
---

# What Xero's errors mean

When Xero refuses something, {py:class}`~xerosync.errors.Rejected` carries Xero's messages as they are, and explains
those that the catalogue knows: what is so, what to do, who can do it, and whether sending the same again can succeed.

```python
from xerosync.errors import Rejected

refused = Rejected(["Account code '404' has been archived, or has been deleted."])

for message, found in zip(refused.messages, refused.explanations):
    if found is None:
        print(message)
        continue
    print(found.code)  # account-archived
    print(found.cause)  # Account 404 is archived or deleted.
    print(found.fix)  # Restore account 404 in Xero's chart of accounts, or choose another account for the line.
    print(found.who)  # user
    print(found.retry)  # after fixing
    print(found.parts)  # {'code': '404'}
```

A message that is not here has no explanation: show it as it is. For a text from elsewhere, such as a log, there is
`explain`, and for an answer without a text `explain_status`:

```python
from xerosync.catalogue import explain, explain_status

print(explain("Users Organisation is not subscribed to currency EUR").code)  # currency-not-subscribed
print(explain_status(429, marker="day").code)  # day-limit
```

Each code is the name of a section below. What varies in a message stands in braces. Where it says that Xero's wording
may differ, some text is that of the simulator, as Xero publishes none.
"""


def written() -> str:
    """The page as the catalogue has it now."""
    areas = groupby(entries(), key=lambda entry: entry.area)
    return "\n".join([_HEAD, *(line for area, rows in areas for line in _area(area, list(rows)))])


def _area(area: str, rows: list[Entry]) -> Iterator[str]:
    yield f"## {area}\n"
    for entry in rows:
        yield f"### {entry.code}\n"
        yield "\n".join(f"- `{said}`" for said in (*entry.says, *map(_answer, entry.answers))) + "\n"
        yield _wrapped(f"{entry.cause} *Fix:* {entry.fix}") + "\n"
        ends = [f"*Who:* {_WHO[entry.who]}", f"*Send again:* {_RETRY[entry.retry]}"]
        if "simulator" in entry.facts and entry.says:
            ends.append("Xero's wording may differ")
        yield _wrapped(" · ".join(ends)) + "\n"


def _answer(answer: str) -> str:
    status, _, marker = answer.partition(" ")
    return f"{status} … {marker}" if marker else status


def _wrapped(sentence: str) -> str:
    named = re.sub(r"\{(\w+)\}", r"*\1*", sentence)
    return textwrap.fill(named, 120, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
