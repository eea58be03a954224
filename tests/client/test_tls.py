"""Tokens travel over TLS to a host whose certificate is right, and no option of ours turns that off."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from xerosync import App, AsyncOAuth, AsyncXero, Endpoints, OAuth, Xero, login
from xerosync.errors import Unavailable


class Greedy(BaseHTTPRequestHandler):
    """Takes whatever it is given."""

    taken: list[str] = []  # noqa: RUF012 (one server, one test)

    def do_POST(self) -> None:
        self.taken.append(self.headers["Authorization"])
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (named by http.server)
        """Silence."""


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[str]:
    """A host on this machine that signs its own certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    (tmp_path / "impostor.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "impostor.pem")
    with HTTPServer(("127.0.0.1", 0), Greedy) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"https://localhost:{server.server_address[1]}"
        server.shutdown()
        thread.join()


class Hasty:
    """A clock on which no wait takes long."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        del seconds


def test_a_host_whose_certificate_nobody_vouches_for_gets_no_secret(impostor: str) -> None:
    app, place = App("client", "hush-hush"), Endpoints.at(impostor)

    with OAuth(app, endpoints=place, clock=Hasty()) as oauth, pytest.raises(Unavailable):
        oauth.client_credentials(["accounting.contacts"])

    async def awaited() -> None:
        async with AsyncOAuth(app, endpoints=place, clock=Hasty()) as oauth:
            await oauth.client_credentials(["accounting.contacts"])

    with pytest.raises(Unavailable):
        asyncio.run(awaited())
    assert Greedy.taken == []


def test_no_option_of_ours_turns_verification_off() -> None:
    options = {
        name for each in (OAuth, AsyncOAuth, Xero, AsyncXero, login) for name in inspect.signature(each).parameters
    }

    assert not [name for name in options if {"verify", "ssl", "tls", "insecure", "cert"} & set(name.split("_"))]
