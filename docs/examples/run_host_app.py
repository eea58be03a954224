"""
Run the host product on a simulated Xero: ``python docs/examples/run_host_app.py``, then open what it prints.

Without --folder it begins anew each time.
"""

from __future__ import annotations

import argparse
import logging
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

from werkzeug.serving import make_server

from host_app.demo import Demo, demo


@contextmanager
def served(folder: Path, port: int = 0, *, is_kept: bool = False) -> Iterator[tuple[str, Demo]]:
    """The demo, and the address it is served at while the context lasts; *port* 0 takes a free one."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    # Xero sends browsers back to localhost alone, which is not 127.0.0.1 to it.
    with socket.create_server(("127.0.0.1", port)) as listening:
        address = f"http://localhost:{listening.getsockname()[1]}"
        with demo(folder, address=address, is_kept=is_kept) as running:
            server = make_server("127.0.0.1", 0, running.app, threaded=True, fd=listening.fileno())
            thread = Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                yield address, running
            finally:
                server.shutdown()
                thread.join()
                server.server_close()


def main(argv: Sequence[str] | None = None) -> None:
    """Serve the product until Ctrl-C."""
    parser = argparse.ArgumentParser(description="A host product on a simulated Xero.")
    parser.add_argument("--port", type=int, default=5000, help="0 picks a free one")
    parser.add_argument("--folder", type=Path, help="keep the product's database and the simulator's books here")
    given = parser.parse_args(argv)
    stop = Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stop.set())
    with TemporaryDirectory() as fresh:
        folder: Path = given.folder or Path(fresh)
        folder.mkdir(parents=True, exist_ok=True)
        with served(folder, given.port, is_kept=given.folder is not None) as (address, _):
            print(f"Paua is at {address} and ends with Ctrl-C", flush=True)
            stop.wait()


if __name__ == "__main__":
    main()
