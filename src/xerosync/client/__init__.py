"""The typed client: `Xero`, `AsyncXero`, their resources, the connection and its limits."""

from __future__ import annotations

from xerosync.client._limits import Limits
from xerosync.client._usage import Run, Usage
from xerosync.client.gate import RateGate
from xerosync.client.oauth import App, Endpoints, Tokens
from xerosync.client.resources import Outcome, Written
from xerosync.client.xero import AsyncXero, Xero
from xerosync.events import OnEvent

__all__ = [
    "App",
    "AsyncXero",
    "Endpoints",
    "Limits",
    "OnEvent",
    "Outcome",
    "RateGate",
    "Run",
    "Tokens",
    "Usage",
    "Written",
    "Xero",
]
