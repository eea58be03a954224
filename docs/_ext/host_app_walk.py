"""
Walks through the host product as its user would, in headless Chromium: ``python docs/_ext/host_app_walk.py``.

Run so, it takes the pictures of docs/howto/host-app.md anew; a test takes the same steps, and looks at the books.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from chromium import Tab, browser, opened

DOCS: Final = Path(__file__).parents[1]
PICTURES: Final = DOCS / "_static" / "host-app"
WIDTH: Final = 1180
HEIGHT_MAX: Final = 900
BILL: Final = b"%PDF-1.4\n% Kauri Timber Ltd, bill 7781: bolsters and blocks\n%%EOF\n"

Look: TypeAlias = Callable[[str], None]
"""Called with the name of what is to be seen now."""


def connect(tab: Tab, address: str, look: Look) -> None:
    """Connect: the list of what is asked for, Xero's consent page, and back."""
    tab.open(address)
    tab.follow("Connect Xero")
    look("connect")
    tab.press("Connect to Xero")
    look("consent")
    tab.press("Allow access")


def choose_accounts(tab: Tab, look: Look) -> None:
    """Choose the clearing account, which gets its payments enabled, and the other accounts."""
    tab.follow("Xero")
    tab.tick("650 · Collections Clearing")
    look("clearing-account")
    tab.press("Use this account")
    tab.choose("Payouts arrive in", "090 · Business Bank Account")
    tab.choose("Fees are booked on", "404 · Bank Fees")
    tab.choose("Bills are paid from", "090 · Business Bank Account")
    tab.press("Save")


def connect_customers(tab: Tab, look: Look) -> None:
    """Connect all that match, choose a contact for one that is only alike, and set one to automatic import."""
    tab.follow("Customers")
    look("customers")
    tab.press("Connect 5 matches")
    tab.follow("Review Café José")
    tab.tick("Café José & Sons Ltd")
    look("customer")
    tab.press("Connect")
    tab.follow("Customers")
    tab.follow("Review Ana Costa")
    tab.choose("New invoices are imported", "automatic")
    tab.press("Save")


def import_invoices(tab: Tab, look: Look) -> None:
    """Import all but one of the invoices that can be."""
    tab.follow("Invoices")
    look("invoices")
    tab.tick("INV-306")
    tab.press("Import what is ticked")
    look("collections")


def settle(tab: Tab, look: Look) -> None:
    """Three collections came in, one was declined; the first settlement is reported."""
    for number in ("INV-301", "INV-302", "INV-304"):
        tab.tick(f"Invoice {number}")
    tab.press("The money came in")
    tab.press("Report to Xero")
    look("settlement")
    tab.follow("Collections")
    tab.tick("Invoice INV-303")
    tab.press("It was declined")


def main() -> None:
    """Take the pictures anew."""
    sys.path.insert(0, str(DOCS / "examples"))
    from run_host_app import served  # noqa: PLC0415 - the examples are not on the path of the docs' extensions

    chromium = browser()
    if chromium is None:
        raise SystemExit("install Chromium first: tests/system-packages.sh does")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as (address, _), opened(chromium) as tab:
        tab.resize(WIDTH, HEIGHT_MAX)

        def look(name: str) -> None:
            (PICTURES / f"{name}.png").write_bytes(tab.picture(width=WIDTH, height_max=HEIGHT_MAX))

        connect(tab, address, look)
        choose_accounts(tab, look)
        connect_customers(tab, look)
        import_invoices(tab, look)
        settle(tab, look)


if __name__ == "__main__":
    main()
