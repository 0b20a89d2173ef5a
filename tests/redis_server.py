"""A real Redis for a test, where one is installed."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class RedisServer:
    """A Redis of its own, that can go and come back.

    Args:
        folder: What it keeps.
        durable: Whether it keeps all that it acknowledged.
    """

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._folder = folder
        self.durable = durable
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        kept = ("--appendonly", "yes", "--appendfsync", "always") if self.durable else ()
        self._process = subprocess.Popen(
            [
                *("redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""),
                # Compressed, what it holds could not be looked for.
                *("--dir", str(self._folder), "--rdbcompression", "no", *kept),
            ],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
        )
        for _ in range(1_000):
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", self.port)):
                    return
            assert self._process.poll() is None
            time.sleep(0.01)
        raise AssertionError("Redis does not listen")

    def pause(self, *, on: bool) -> None:
        """Stops it without a word, or has it go on."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP if on else signal.SIGCONT)

    def stop(self) -> None:
        """As kill -9 does."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def running_redis(folder: Path, *, durable: bool = False) -> Iterator[RedisServer]:
    """One of its own, or a skipped test."""
    pytest.importorskip("redis", reason="the extra redis is not installed")
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed (apt: redis-server)")
    server = RedisServer(folder, durable=durable)
    try:
        server.start()
        yield server
    finally:
        server.stop()
