"""
Draws docs/_static/pictures of the page that shows them: ``python docs/_ext/money_pictures.py``.

It runs the page's own code, so that what is shown is what a reader gets. Each file says in its description what it was
drawn of; a test holds that, and its texts, to the page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import chdir
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from matplotlib import rc_context

from xerosync.pictures import Picture
from xerosync.tables import Tabular

DOCS: Final = Path(__file__).parents[1]
PAGE: Final = DOCS / "howto" / "pictures.md"
FOLDER: Final = DOCS / "_static" / "pictures"

# The name of each picture on the page, and of the series it is drawn of.
DRAWN_OF: Final = {"clearing": "days", "open_invoices": "aged", "waiting": "flow"}


def run_page() -> dict[str, object]:
    """What the code of the page has made, by name."""
    made: dict[str, object] = {}
    with TemporaryDirectory() as folder, chdir(folder):
        for block in re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            exec(compile(block, str(PAGE), "exec"), made)  # noqa: S102 - the project's own page
    return made


def drawn(made: Mapping[str, object]) -> dict[str, str]:
    """The text of each picture's file, by its name."""
    found: dict[str, str] = {}
    for name, series in DRAWN_OF.items():
        picture, drawn_of = made[name], made[series]
        if not isinstance(picture, Picture) or not isinstance(drawn_of, Tabular):
            raise TypeError(f"the page makes no picture {name} of {series}")
        says = {"Description": json.dumps(list(drawn_of.rows()), ensure_ascii=False), "Date": None, "Creator": None}
        # Texts stay texts, to be read aloud and found; and nothing changes from one drawing to the next.
        fonts = ["DejaVu Sans", "Verdana", "sans-serif"]
        with rc_context({"svg.fonttype": "none", "svg.hashsalt": "xerosync", "font.sans-serif": fonts}):
            file = BytesIO()
            picture.savefig(file, format="svg", metadata=says)
        found[name] = "\n".join(line.rstrip() for line in file.getvalue().decode("utf-8").splitlines()) + "\n"
    return found


def main() -> None:
    """Draw all of them anew."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in drawn(run_page()).items():
        (FOLDER / f"{name}.svg").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
