"""The faces of the simulator: httpx in process, HTTP on a loopback port, and the command line."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from subprocess import PIPE

import httpx
import pytest
from tests.simulator.conftest import Product, Row, make, rows_of

from xerosync.simulator import Fault, Loopback
from xerosync.simulator.serve import main
from xerosync.testing.httpx_transport import SimulatorTransport

API = "https://api.xero.com/api.xro/2.0"


def headers(product: Product) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {product.access_token}",
        "Xero-Tenant-Id": product.tenant_id,
        "Accept": "application/json",
    }


@pytest.fixture
def client(product: Product) -> Iterator[httpx.Client]:
    with httpx.Client(transport=SimulatorTransport(product.simulator), headers=headers(product)) as made:
        yield made


@pytest.fixture
def served(product: Product) -> Iterator[Loopback]:
    with product.simulator.serve() as server:
        yield server


def test_an_httpx_client_meets_the_simulator_in_process(product: Product, client: httpx.Client) -> None:
    made = client.put(f"{API}/Contacts", json={"Name": "Añá"})
    read = client.get(f"{API}/Contacts", params={"where": 'Name=="añá"', "page": 1})

    assert (made.status_code, read.status_code) == (200, 200)
    assert read.json()["Contacts"][0]["ContactID"] == product.books.contacts[0].id
    assert read.headers["X-MinLimit-Remaining"] == "59"


def test_an_asynchronous_httpx_client_meets_the_same_books(product: Product) -> None:
    async def scenario() -> list[int]:
        transport = SimulatorTransport(product.simulator)
        async with httpx.AsyncClient(transport=transport, headers=headers(product)) as client:
            bodies = [{"Name": "Ana"}, {"Name": "ana"}]
            answers = [await client.put(f"{API}/Contacts", json=body) for body in bodies]
            return [answer.status_code for answer in answers]

    assert asyncio.run(scenario()) == [200, 400]
    assert len(product.books.contacts) == 1


@pytest.mark.rank(9)
def test_asynchronous_calls_with_latency_meet_five_at_a_time() -> None:
    """F 2.01."""
    product = make(limits=True)

    async def scenario() -> list[int]:
        transport = SimulatorTransport(product.simulator, latency_s=0.2)
        async with httpx.AsyncClient(transport=transport, headers=headers(product)) as client:
            answers = await asyncio.gather(*(client.get(f"{API}/Organisation") for _ in range(6)))
            return sorted(answer.status_code for answer in answers)

    assert asyncio.run(scenario()) == [200, 200, 200, 200, 200, 429]


def test_a_large_answer_comes_squeezed_when_asked_for(client: httpx.Client) -> None:
    """F 2.26."""
    plain = client.get(f"{API}/Accounts", headers={"Accept-Encoding": "identity"})
    squeezed = client.get(f"{API}/Accounts", headers={"Accept-Encoding": "gzip"})

    assert (plain.headers.get("Content-Encoding"), squeezed.headers["Content-Encoding"]) == (None, "gzip")
    assert int(squeezed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) == len(plain.content)
    assert squeezed.json()["Accounts"] == plain.json()["Accounts"]


@pytest.mark.rank(58)
def test_a_lost_answer_is_a_network_error_of_httpx(product: Product, client: httpx.Client) -> None:
    """What was lost on its way back is in the books."""
    product.simulator.faults.plan(Fault.LOST_AFTER, method="PUT")

    with pytest.raises(httpx.NetworkError):
        client.put(f"{API}/Contacts", json={"Name": "Ana"})

    assert [one.name for one in product.books.contacts] == ["Ana"]


@pytest.mark.rank(58)
def test_half_an_answer_is_a_protocol_error_in_process_and_on_the_wire(
    product: Product, client: httpx.Client, served: Loopback
) -> None:
    product.simulator.faults.plan(Fault.TRUNCATED, method="PUT", times=2)

    with pytest.raises(httpx.RemoteProtocolError):
        client.put(f"{API}/Contacts", json={"Name": "Ridgeway"})
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.put(f"{served.url}/api.xro/2.0/Contacts", json={"Name": "Boom"}, headers=headers(product))

    assert [contact.name for contact in product.books.contacts] == ["Ridgeway", "Boom"]


@pytest.mark.rank(58)
def test_a_call_that_never_arrives_leaves_nothing(product: Product, client: httpx.Client) -> None:
    product.simulator.faults.plan(Fault.LOST_BEFORE, method="PUT")

    with pytest.raises(httpx.NetworkError):
        client.put(f"{API}/Contacts", json={"Name": "Ana"})

    assert product.books.contacts == ()


def spoken(served: Loopback, *sent: bytes) -> bytes:
    """What a client that says exactly this hears, until the server hangs up."""
    port = int(served.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        for part in sent:
            line.sendall(part)
        line.shutdown(socket.SHUT_WR)
        heard = b""
        while more := line.recv(65_536):
            heard += more
    return heard


def asked(product: Product, first: str, *more: str) -> bytes:
    lines = [first, "Host: x", *(f"{name}: {value}" for name, value in headers(product).items()), *more]
    return "\r\n".join([*lines, "", ""]).encode()


def test_headers_are_spelt_as_xero_spells_them(product: Product, served: Loopback) -> None:
    """F 2.03, 1.53: some clients look at the letter case."""
    heard = spoken(served, asked(product, "GET /api.xro/2.0/Organisation HTTP/1.1", "Connection: close"))
    refused = spoken(served, b"GET /connections HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    names = {line.partition(b":")[0] for line in (heard + refused).split(b"\r\n")}
    assert {
        b"X-AppMinLimit-Remaining", b"X-DayLimit-Remaining", b"X-MinLimit-Remaining", b"Xero-Correlation-Id",
        b"Content-Type", b"WWW-Authenticate",
    } <= names  # fmt: skip


PUT = "PUT /api.xro/2.0/Contacts HTTP/1.1"
CHUNKED = "Transfer-Encoding: chunked"


def test_a_body_in_chunks_is_read(product: Product, served: Loopback) -> None:
    parts = b'8;x=y\r\n{"Name":\r\n6\r\n "Ana"\r\n1\r\n}\r\n0\r\nTrailer: x\r\n\r\n'

    heard = spoken(served, asked(product, PUT, CHUNKED), parts)

    assert heard.startswith(b"HTTP/1.1 200")
    assert [one.name for one in product.books.contacts] == ["Ana"]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ((["Content-Length: x"], b""), 400),
        ((["Content-Length: -1"], b""), 400),
        ((["Content-Length: 99999999999"], b""), 413),
        (([CHUNKED], b"x\r\n"), 400),
        (([CHUNKED], b"-1\r\n"), 400),
        (([CHUNKED], b"5\r\n{}"), None),
        (([CHUNKED], b"2\r\n{}xx"), 400),
        (([CHUNKED], b"FFFFFFFFFF\r\n"), 413),
        (([CHUNKED], b""), 400),
        ((["Content-Length: 500"], b"{}"), None),
        (([], b""), 400),
        ((["X-Long: " + "x" * 70_000], b""), 431),
        (([f"X-{count}: x" for count in range(200)], b""), 431),
    ],
)
def test_bad_http_is_refused_and_the_server_goes_on(
    product: Product,
    served: Loopback,
    capfd: pytest.CaptureFixture[str],
    said: tuple[list[str], bytes],
    status: int | None,
) -> None:
    heard = spoken(served, asked(product, PUT, *said[0]), said[1])

    assert heard.startswith(f"HTTP/1.1 {status} ".encode()) if status else not heard
    assert product.books.contacts == ()
    assert httpx.get(f"{served.url}/connections", headers=headers(product), trust_env=False).status_code == 200
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("first", "status"),
    [
        ("HEAD /api.xro/2.0/Contacts HTTP/1.1", 405),
        ("OPTIONS /api.xro/2.0/Contacts HTTP/1.1", 405),
        ("FOO /api.xro/2.0/Contacts HTTP/1.1", 501),
        ("GET https://api.xero.com/api.xro/2.0/Contacts HTTP/1.1", 200),
        ("GET /api.xro/2.0/Contacts?where=Name==%22Ana%22#x HTTP/1.1", 200),
        ("GET * HTTP/1.1", 404),
        ("GET //evil/../x HTTP/1.1", 404),
        ("nonsense", 400),
    ],
)
def test_any_first_line_is_answered(product: Product, served: Loopback, first: str, status: int) -> None:
    heard = spoken(served, asked(product, first, "Connection: close"))

    answer, _, body = heard.partition(b"\r\n\r\n")
    assert f" {status} ".encode() in answer.splitlines()[0] or (status == 400 and b"400" in heard)
    assert not (first.startswith("HEAD") and body)


def test_nothing_of_a_redirect_becomes_a_header(product: Product, served: Loopback) -> None:
    redirect = "https%3A%2F%2Fa.nz%2F%0D%0AX-Evil:%201"
    path = f"/identity/connect/authorize?response_type=code&client_id={product.client_id}&redirect_uri={redirect}"

    heard = spoken(served, asked(product, f"GET {path} HTTP/1.1", "Connection: close"))

    assert b"\r\nX-Evil" not in heard


def test_both_ways_in_meet_the_same_books(product: Product, served: Loopback) -> None:
    made = product.books.add_invoice(product.books.add_contact("Ana").id, amount=Decimal("115.00"))
    with httpx.Client(base_url=f"{served.url}/api.xro/2.0", headers=headers(product), trust_env=False) as client:
        body = {"Invoice": {"InvoiceID": made.id}, "Account": {"Code": "090"}, "Amount": "15.00"}
        assert client.put("/Payments", json=body).status_code == 200

    assert product.books.invoice(made.id).amount_due == Decimal("100.00")


def command(*options: str) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "xerosync", "simulator", "--port", "0", *options]


def first_line(process: subprocess.Popen[str]) -> Row:
    assert process.stdout is not None
    said: Row = json.loads(process.stdout.readline())
    return said


def test_a_served_xero_says_where_it_is_keeps_its_books_and_ends_with_0(tmp_path: Path) -> None:
    options = ["--demo", "au", "--state", str(tmp_path / "books.xero"), "--open", "--no-limits", "--seed", "7"]
    names = []
    for signed in (signal.SIGTERM, signal.SIGINT):
        with subprocess.Popen(command(*options), stdout=PIPE, stderr=PIPE, text=True) as process:
            said = first_line(process)
            (organisation,) = rows_of(said, "organisations")
            assert list(said) == [
                "url", "organisations", "client_id", "client_secret", "access_token", "refresh_token"
            ]  # fmt: skip
            anybody = {"Authorization": "Bearer anybody", "Accept": "application/json"}
            with httpx.Client(base_url=f"{said['url']}/api.xro/2.0", headers=anybody, trust_env=False) as client:
                client.put("/Contacts", json={"Name": f"Contact {signed}"})
                names = [one["Name"] for one in client.get("/Contacts").json()["Contacts"]]
            process.send_signal(signed)
            told, complained = process.communicate(timeout=20)
        assert (process.returncode, told, complained) == (0, "", "")
        assert organisation["name"] == "Demo Company (AU)"

    assert names == [f"Contact {signal.SIGTERM}", f"Contact {signal.SIGINT}"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--demo", "XX"], "'XX' is not served: give one of AU,"),
        (["--demo", ""], "is not served"),
        (["--port", "70000"], "'70000' is no port"),
        (["--port", "-1"], "is no port"),
        (["--seed", "x"], "invalid int value: 'x'"),
        (["--nothing"], "unrecognized arguments"),
    ],
)
def test_wrong_use_of_the_simulator_command_exits_2(
    options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(options)

    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_books_that_cannot_be_opened_are_one_line_and_exit_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    strange = tmp_path / "books.xero"
    strange.write_text("Dear diary")

    assert [main(["--port", "0", "--state", str(file)]) for file in (strange, tmp_path / "no" / "books")] == [1, 1]

    assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()] == ["xerosync", "xerosync"]
    assert strange.read_text() == "Dear diary"


def test_a_taken_port_is_one_line_and_exits_1(
    served: Loopback, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    assert main(["--port", served.url.rpartition(":")[2]]) == 1
    assert "is taken" in capsys.readouterr().err
