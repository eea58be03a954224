"""What the books of one organisation hold, as frozen values; a change is a new value under the same id."""

from __future__ import annotations

from xerosync.simulator.entities.accounts import ACCOUNT_TYPES, Account
from xerosync.simulator.entities.banking import BankTransaction, BankTransfer, BatchMember, BatchPayment
from xerosync.simulator.entities.base import EPOCH, NO_ID, ZERO, instant, milliseconds, total
from xerosync.simulator.entities.catalogue import Item, ItemSide, TrackingCategory, TrackingOption
from xerosync.simulator.entities.contacts import Address, Contact, Person, Phone
from xerosync.simulator.entities.documents import Document, Line
from xerosync.simulator.entities.files import Attachment, FileContent, History, HistoryEntry
from xerosync.simulator.entities.journals import JournalLine, ManualJournal
from xerosync.simulator.entities.linked import LinkedTransaction
from xerosync.simulator.entities.orders import Offer, PurchaseOrder, Quote, discount_of
from xerosync.simulator.entities.organisations import Organisation, TaxComponent, TaxRate
from xerosync.simulator.entities.payments import Allocation, Payment
from xerosync.simulator.entities.people import ContactGroup, User

__all__ = [
    "ACCOUNT_TYPES",
    "EPOCH",
    "NO_ID",
    "ZERO",
    "Account",
    "Address",
    "Allocation",
    "Attachment",
    "BankTransaction",
    "BankTransfer",
    "BatchMember",
    "BatchPayment",
    "Contact",
    "ContactGroup",
    "Document",
    "FileContent",
    "History",
    "HistoryEntry",
    "Item",
    "ItemSide",
    "JournalLine",
    "Line",
    "LinkedTransaction",
    "ManualJournal",
    "Offer",
    "Organisation",
    "Payment",
    "Person",
    "Phone",
    "PurchaseOrder",
    "Quote",
    "TaxComponent",
    "TaxRate",
    "TrackingCategory",
    "TrackingOption",
    "User",
    "discount_of",
    "instant",
    "milliseconds",
    "total",
]
