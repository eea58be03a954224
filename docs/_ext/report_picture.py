"""
Takes the picture of the reconciliation report, docs/_static/reconciliation.png: ``python docs/_ext/report_picture.py``.

It runs the code of the page up to the report, and lets headless Chromium look at it.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from chromium import OPTIONS, browser

DOCS: Final = Path(__file__).parents[1]
PAGE: Final = DOCS / "howto" / "why-not-zero.md"
PICTURE: Final = DOCS / "_static" / "reconciliation.png"


def looked_at(chromium: str, page: Path, *wanted: str) -> str:
    """Let *chromium* open *page*, with what is *wanted* of it as its own options; what it prints."""
    with tempfile.TemporaryDirectory() as profile:
        command = [chromium, *OPTIONS, f"--user-data-dir={profile}", *wanted, page.as_uri()]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout  # noqa: S603


def report() -> str:
    """The report of the page, as HTML."""
    found: dict[str, object] = {}
    for block in re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), found)  # noqa: S102 - the project's own page
        if "page" in found:
            return str(found["page"])
    raise LookupError("the page makes no report")


def main() -> None:
    """Take the picture anew."""
    chromium = browser()
    if chromium is None:
        raise SystemExit("install Chromium first: tests/system-packages.sh does")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "report.html")
        page.write_text(report(), encoding="utf-8")
        looked_at(chromium, page, f"--screenshot={PICTURE}", "--window-size=1060,1180", "--hide-scrollbars")


if __name__ == "__main__":
    main()
