"""
A stateful Xero to test against: ``Simulator.handle(Request) -> Response``, in process or over loopback HTTP.

It shares no code with the client, follows published and recorded facts about Xero one by one, and breaks on order.
"""

from __future__ import annotations

from xerosync.simulator.bookkeeper import Bookkeeper
from xerosync.simulator.clock import SystemClock, VirtualClock
from xerosync.simulator.demo import DemoCompany
from xerosync.simulator.entities import Account, Allocation, Contact, Document, Line, Organisation, Payment
from xerosync.simulator.faults import Fault, Faults, PlannedFault
from xerosync.simulator.identity import DEFAULT_SCOPES, SimulatedApp, Tokens
from xerosync.simulator.loopback import Loopback
from xerosync.simulator.resources.reports import TrialLine
from xerosync.simulator.simulator import SimulatedTransport, Simulator
from xerosync.simulator.switches import Switches

__all__ = [
    "DEFAULT_SCOPES",
    "Account",
    "Allocation",
    "Bookkeeper",
    "Contact",
    "DemoCompany",
    "Document",
    "Fault",
    "Faults",
    "Line",
    "Loopback",
    "Organisation",
    "Payment",
    "PlannedFault",
    "SimulatedApp",
    "SimulatedTransport",
    "Simulator",
    "Switches",
    "SystemClock",
    "Tokens",
    "TrialLine",
    "VirtualClock",
]
