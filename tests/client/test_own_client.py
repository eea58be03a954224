"""A client of the host's own: its certificates and proxies hold, and nothing of Xero's is logged by it."""

from __future__ import annotations

import logging
import os
import ssl
from datetime import UTC, datetime, timedelta
from inspect import get_annotations, isfunction
from ipaddress import ip_address
from pathlib import Path
from typing import Final, cast

import httpx
import pytest
from tests.client.line import answered, listening
from tests.client.ways import HEADERS, SECRET, Way, constant, each_way, put

import xerosync
from xerosync.client import _http
from xerosync.client._driver import run
from xerosync.ports import NotSent, Request, Response
from xerosync.transports import over


@each_way
def test_neither_tokens_nor_queries_are_logged(way: Way, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with listening(constant(answered())) as line:
        address = f"{line.url}/api.xro/2.0/Contacts?where=Name%3D%3D%22Ana%22"
        way.send(Request("GET", address, HEADERS))
        with httpx.Client() as hosts:
            hosts.get(f"{line.url}/theirs?page=1")

    assert "/api.xro/2.0/Contacts" in caplog.text
    assert "Ana" not in caplog.text
    assert SECRET not in caplog.text
    assert "/theirs?page=1" in caplog.text


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """A server's side of TLS for 127.0.0.1, and the file of the authority that vouches for it: itself."""
    from cryptography import x509  # noqa: PLC0415 - slow to import
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "A company's own authority")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("certificates")
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain, secret)
    return server, chain


@each_way
def test_a_server_that_nobody_vouches_for_gets_nothing(way: Way, certified: tuple[ssl.SSLContext, Path]) -> None:
    with listening(constant(answered()), tls=certified[0]) as line:
        (fault,) = way.send(put(line))

    assert type(fault) is NotSent
    assert str(fault) == "ConnectError on the way to Xero"
    assert line.requests == []


@each_way
def test_a_companys_own_authority_is_a_matter_of_the_client(way: Way, certified: tuple[ssl.SSLContext, Path]) -> None:
    trusted = ssl.create_default_context(cafile=str(certified[1]))
    with listening(constant(answered(b'{"a": 1}')), tls=certified[0]) as line:
        (outcome,) = way.send(put(line), transport=over(way.client(verify=trusted)))

    assert cast(Response, outcome).body == b'{"a": 1}'
    assert len(line.requests) == 1


REFUSES: Final = answered(b"", "Connection: close", status="407 Proxy Authentication Required")


@each_way
def test_a_proxy_is_a_matter_of_the_client_too(way: Way) -> None:
    with listening(constant(REFUSES)) as proxy:
        (fault,) = way.send(
            Request("PUT", "https://api.xero.com/", HEADERS), transport=over(way.client(proxy=proxy.url))
        )

    assert type(fault) is NotSent
    assert str(fault) == "ProxyError on the way to Xero"
    assert [request.partition(b"\r\n")[0] for request in proxy.requests] == [b"CONNECT api.xero.com:443 HTTP/1.1"]
    assert SECRET.encode() not in proxy.requests[0]


def test_the_environment_names_a_proxy_unless_a_client_is_handed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(constant(REFUSES)) as proxy:
        for name in ("NO_PROXY", "no_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("https_proxy", proxy.url)
        transport = _http.BlockingTransport(_http.BlockingClock())
        with pytest.raises(NotSent, match="ProxyError"):
            run(transport.send(Request("GET", "https://api.xero.com/", HEADERS)))
        run(transport.close())

    assert len(proxy.requests) == 1


def test_this_session_runs_over_the_library_that_it_says() -> None:
    assert httpx.__name__ == os.environ.get("XEROSYNC_HTTP_LIBRARY", "httpx")


def test_no_public_signature_names_an_http_library() -> None:
    """A host's own client is taken for what it does, so that a major of either library is no major of ours."""
    public: list[object] = [*(getattr(xerosync, name) for name in xerosync.__all__), over]
    parts = [part for each in public if isinstance(each, type) for part in vars(each).values()]

    said = [str(get_annotations(each)) for each in (*public, *parts) if isinstance(each, type) or isfunction(each)]

    assert any("HttpClient" in each for each in said)
    assert [each for each in said if "httpx" in each] == []
