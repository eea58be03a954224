"""What people do by hand in Xero's own screens, and how a test reads the books."""

from __future__ import annotations

from xerosync.simulator.bookkeeper.banking import BankWork
from xerosync.simulator.bookkeeper.catalogue import CatalogueWork
from xerosync.simulator.bookkeeper.files import FileWork
from xerosync.simulator.bookkeeper.journals import JournalWork
from xerosync.simulator.bookkeeper.linked import LinkedWork
from xerosync.simulator.bookkeeper.money import MoneyWork
from xerosync.simulator.bookkeeper.orders import OrderWork
from xerosync.simulator.bookkeeper.set_up import SetUpWork
from xerosync.simulator.bookkeeper.settings import SettingsWork


class Bookkeeper(
    SetUpWork, MoneyWork, BankWork, JournalWork, CatalogueWork, SettingsWork, OrderWork, FileWork, LinkedWork
):
    """
    One organisation's books, worked on by hand.

    What Xero's rules refuse raises `InvalidInput` with Xero's own words. Every change is durable when the call returns,
    or with the transaction around it. Amounts are in the document's currency, balances in the base currency.
    """
