"""The typed client: `Xero`, `AsyncXero`, their resources, the connection and its limits."""

from __future__ import annotations

from xerosync.client._limits import Limits
from xerosync.client._session import OnEvent
from xerosync.client.oauth import App, Endpoints, Tokens
from xerosync.client.resources import Written
from xerosync.client.xero import AsyncXero, Xero

__all__ = ["App", "AsyncXero", "Endpoints", "Limits", "OnEvent", "Tokens", "Written", "Xero"]
