"""
A stateful Xero to test against: ``Simulator.handle(Request) -> Response``, in process or over loopback HTTP.

It shares no code with the client, follows published and recorded facts about Xero one by one, and breaks on order.
"""

from __future__ import annotations

from xerosync.simulator.bookkeeper import Bookkeeper
from xerosync.simulator.clock import SystemClock, VirtualClock
from xerosync.simulator.demo import DemoCompany
from xerosync.simulator.entities import Account, Allocation, Contact, Document, Line, Organisation, Payment
from xerosync.simulator.faults import Fault, Faults, PlannedFault, PlannedWork, Storm
from xerosync.simulator.hooks import Event, Subscription
from xerosync.simulator.identity import SimulatedApp, Tokens
from xerosync.simulator.loopback import Loopback
from xerosync.simulator.resources.reports import TrialLine
from xerosync.simulator.scopes import DEFAULT_SCOPES
from xerosync.simulator.simulator import FaultNotMet, SimulatedTransport, Simulator
from xerosync.simulator.switches import Switches
from xerosync.simulator.webhooks import Webhooks

__all__ = [
    "DEFAULT_SCOPES",
    "Account",
    "Allocation",
    "Bookkeeper",
    "Contact",
    "DemoCompany",
    "Document",
    "Event",
    "Fault",
    "FaultNotMet",
    "Faults",
    "Line",
    "Loopback",
    "Organisation",
    "Payment",
    "PlannedFault",
    "PlannedWork",
    "SimulatedApp",
    "SimulatedTransport",
    "Simulator",
    "Storm",
    "Subscription",
    "Switches",
    "SystemClock",
    "Tokens",
    "TrialLine",
    "VirtualClock",
    "Webhooks",
]
