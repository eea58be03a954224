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
HEIGHTS: Final = (600, 900)
BILL: Final = b"%PDF-1.4\n% Kauri Timber Ltd, bill 7781: bolsters and blocks\n%%EOF\n"

Look: TypeAlias = Callable[[str], None]
"""Called with the name of what is to be seen now."""


def connect(tab: Tab, address: str, look: Look) -> None:
    """Connect: the list of what is asked for, Xero's consent page, and back."""
    tab.open(address)
    tab.follow("Connect Xero")
    look("connect")
    tab.press("Connect to Xero")
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


def follow_details(tab: Tab, look: Look) -> None:
    """Let the details of the customer that is open follow the contact, and later take over what has changed."""
    tab.choose("Details and contact in Xero", "stay the same: name, e-mail, telephone, address")
    tab.press("Save details")
    look("details")
    tab.follow("Customers")
    tab.press("Take over changes in Xero")


def import_invoices(tab: Tab, look: Look) -> None:
    """Import all but one of the invoices that can be."""
    tab.follow("Invoices")
    look("invoices")
    tab.tick("INV-306")
    tab.press("Import what is ticked")


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


def pay_out_and_take_back(tab: Tab, look: Look) -> None:
    """The bank pays the first settlement out, and takes one collection of it back on the next day."""
    tab.follow("Settlements")
    tab.follow("Open 2026-01-05 no. 1")
    tab.press("The bank paid it out")
    tab.press("Let a day pass")
    tab.follow("Collections")
    tab.unfold("Money back for Invoice INV-302")
    look("money-back")
    tab.press("Charged back by the bank")
    tab.press("Report to Xero")


def explain(tab: Tab, look: Look) -> None:
    """The bookkeeper removes a payment by mistake; the report finds it, and puts it back."""
    tab.press("Bookkeeper removes a payment")
    tab.follow("Clearing account")
    look("explained")
    tab.press("Restore")


def ask_by_hand(tab: Tab, look: Look) -> None:
    """Ask for money without an invoice; its settlement cannot be reported until somebody says which one it pays."""
    tab.follow("Collections")
    tab.choose("Who is asked", "Ana Costa")
    tab.write("What for", "Invoice 306, by phone")
    tab.write("Amount to ask for", "35.00")
    tab.press("Ask today")
    tab.tick("Invoice 306, by phone")
    tab.press("The money came in")
    tab.press("Report to Xero")
    tab.write("It pays invoice number", "INV-306")
    look("by-hand")
    tab.press("Link it")
    tab.press("Report to Xero")


def enter_papers(tab: Tab, document: Path, look: Look) -> None:
    """A bill with its document is entered, sent to Xero and paid; a receipt is entered."""
    tab.follow("Bills & receipts")
    _enter(
        tab, vendor="Kauri Timber Ltd", number="7781", amount="402.50", what="Bolsters and blocks", document=document
    )
    tab.press("Pay")
    tab.choose("It is", "a receipt, paid at once")
    _enter(tab, vendor="Cafe Kowhai", number="R-12", amount="18.40", what="Tea for the workshop")
    look("bills")


def _enter(tab: Tab, *, vendor: str, number: str, amount: str, what: str, document: Path | None = None) -> None:
    tab.write("Vendor", vendor)
    tab.write("Number", number)
    tab.write("Amount with tax, NZD", amount)
    tab.choose("Category", "429 · General Expenses")
    tab.write("What for", what)
    if document is not None:
        tab.upload("Document", document)
    tab.press("Save and send to Xero")


def look_after(tab: Tab, look: Look) -> None:
    """The overview, and the check-up."""
    tab.follow("Overview")
    look("overview")
    tab.follow("Xero")
    tab.follow("Check-up")
    look("check-up")


def disconnect(tab: Tab) -> None:
    """Disconnect, and confirm it."""
    tab.follow("Xero")
    tab.follow("Disconnect …")
    tab.press("Disconnect")


def main() -> None:
    """Take the pictures anew."""
    sys.path.insert(0, str(DOCS / "examples"))
    from run_host_app import served  # noqa: PLC0415 - the examples are not on the path of the docs' extensions

    chromium = browser()
    if chromium is None:
        raise SystemExit("install Chromium first: tests/system-packages.sh does")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as (address, _), opened(chromium) as tab:
        tab.resize(WIDTH, HEIGHTS[1])

        def look(name: str) -> None:
            (PICTURES / f"{name}.png").write_bytes(tab.picture(width=WIDTH, heights=HEIGHTS))

        connect(tab, address, look)
        choose_accounts(tab, look)
        connect_customers(tab, look)
        follow_details(tab, look)
        import_invoices(tab, look)
        settle(tab, look)
        pay_out_and_take_back(tab, look)
        explain(tab, look)
        ask_by_hand(tab, look)
        document = Path(folder, "7781.pdf")
        document.write_bytes(BILL)
        enter_papers(tab, document, look)
        look_after(tab, look)
        disconnect(tab)


if __name__ == "__main__":
    main()
