"""Calls made of HTTP/2 frames by hand: what gRPC's own clients would never send."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)

Headers = Sequence[tuple[str, str]]
_LONGEST = 1 << 16


def frame(message: bytes, flag: int = 0) -> bytes:
    """Returns a message as gRPC frames it; a flag of 1 says that it is compressed."""
    return bytes([flag]) + len(message).to_bytes(4, "big") + message


def headers(path: str, *more: tuple[str, str], **changed: str | None) -> Headers:
    """Returns the headers of a call.

    Args:
        path: "/package.Service/Method".
        more: Headers more.
        changed: Other values of method, scheme, te, content_type; None leaves one out.
    """
    usual = {"method": "POST", "scheme": "http", "te": "trailers"}
    values = {**usual, "content_type": "application/grpc", **changed}
    pseudo = [(f":{name}", values.pop(name)) for name in ("method", "scheme")]
    rest = [(name.replace("_", "-"), value) for name, value in values.items()]
    given = [*pseudo, (":path", path), (":authority", "fuzz"), *rest]
    return [*((name, value) for name, value in given if value is not None), *more]


@dataclass(slots=True)
class Answer:
    """What a server said to a call."""

    fields: dict[str, str] = field(default_factory=dict[str, str])
    """Headers and trailers."""
    size: int = 0
    """Bytes of messages."""
    was_cut: bool = False
    """Whether it reset the stream or hung up instead."""

    @property
    def code(self) -> int:
        """The gRPC code; -1 where there is none."""
        return int(self.fields.get("grpc-status", "-1"))


def call(port: int, head: Headers, body: bytes, timeout: float = 20.0) -> Answer:
    """Makes a call on a connection of its own.

    Args:
        port: Of a server without TLS on this machine.
        head: All headers, as they are.
        body: All bytes of the request; the stream ends after them.
        timeout: Seconds to wait for each piece of the answer.

    Raises:
        TimeoutError: Nothing came for so long.
    """
    answer = Answer()
    plain = H2Configuration(
        client_side=True,
        header_encoding="latin-1",
        validate_outbound_headers=False,
        normalize_outbound_headers=False,
    )
    connection = H2Connection(plain)
    with socket.create_connection(("127.0.0.1", port), timeout) as wire:
        connection.initiate_connection()
        stream = connection.get_next_available_stream_id()
        connection.send_headers(stream, list(head), end_stream=not body)
        waiting = memoryview(body)
        while True:
            while waiting:
                window = connection.local_flow_control_window(stream)
                size = min(window, connection.max_outbound_frame_size, len(waiting))
                if not size:
                    break
                part, waiting = bytes(waiting[:size]), waiting[size:]
                connection.send_data(stream, part, end_stream=not waiting)
            wire.sendall(connection.data_to_send())
            if _read(connection, wire, stream, answer):
                return answer


def _read(connection: H2Connection, wire: socket.socket, stream: int, answer: Answer) -> bool:
    """Takes in what has come; returns whether it is the end."""
    data = wire.recv(_LONGEST)
    if not data:
        answer.was_cut = True
        return True
    ended = False
    for event in connection.receive_data(data):
        match event:
            case ResponseReceived() | TrailersReceived():
                answer.fields.update((str(name), str(value)) for name, value in event.headers or ())
            case DataReceived():
                answer.size += len(event.data or b"")
                connection.acknowledge_received_data(event.flow_controlled_length or 0, stream)
            case StreamReset() | ConnectionTerminated():
                answer.was_cut = ended = True
            case StreamEnded():
                ended = True
            case _:
                pass
    return ended
