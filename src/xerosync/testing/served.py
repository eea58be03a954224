"""What a program that runs elsewhere needs to know of a Xero that is served for a test."""

from __future__ import annotations

from attrs import frozen


@frozen(repr=False)
class ServedXero:
    """Where a simulated Xero listens (*url*, without a slash at the end), and the credentials of an app it lets in."""

    url: str
    tenant_id: str
    client_id: str
    client_secret: str
    access_token: str
    refresh_token: str

    @property
    def api(self) -> str:
        """The address of the accounting API."""
        return f"{self.url}/api.xro/2.0"

    def __repr__(self) -> str:
        return f"<ServedXero at {self.url}>"
