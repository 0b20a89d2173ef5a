"""Serves an ASGI application in the running event loop."""

import asyncio
import contextlib
import socket
from collections.abc import Generator
from pathlib import Path
from typing import Any

import uvicorn

_START_SECONDS = 10.0


class _Server(uvicorn.Server):
    """Uvicorn without signal handlers: those belong to the process's gRPC server."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class WebServer:
    """An HTTP server beside the gRPC one.

    Args:
        app: Answers.
        host: Address to bind.
        port: Port to bind; 0 for any free one.
        certificate: Files of a certificate and its key, to speak TLS; read once.
    """

    def __init__(
        self, app: Any, host: str, port: int, certificate: tuple[Path, Path] | None = None
    ) -> None:
        self._app = app
        self._host = host
        self._wanted = port
        self._certificate = certificate
        self._socket: socket.socket | None = None
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port in use."""
        return self._socket.getsockname()[1] if self._socket else 0

    async def start(self) -> None:
        """Binds and serves.

        Raises:
            OSError: The address cannot be bound.
        """
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((self._host.strip("[]"), self._wanted))
        except OSError as error:
            bound.close()
            raise OSError(f"cannot serve the page on port {self._wanted}: {error}") from error
        self._socket = bound
        config = uvicorn.Config(
            self._app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            ssl_certfile=self._certificate[0] if self._certificate else None,
            ssl_keyfile=self._certificate[1] if self._certificate else None,
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[bound]), name="web")
        async with asyncio.timeout(_START_SECONDS):
            while not self._server.started and not self._task.done():  # noqa: ASYNC110 - uvicorn has no event
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Stops; answers under way are finished."""
        if self._server and self._task:
            self._server.should_exit = True
            await self._task
        if self._socket:
            self._socket.close()
