"""Sends fuzzed calls and says what came of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from tests.fuzz.cases import Case

ENDLESS_TIMEOUT = 0.08
"""Seconds that a stream is listened to that goes on for ever, or for long."""
ENDLESS = frozenset(
    {
        "/wherefore.orchestrator.v1.EventLogService/Follow",
        "/wherefore.insight.v1.InsightService/SubscribeAlerts",
        # These end, but not while a fuzzer waits: they are given up again and again.
        "/wherefore.retrieval.v1.IndexAdminService/Reindex",
        "/wherefore.retrieval.v1.IndexAdminService/Snapshot",
    }
)
_OPTIONS = (("grpc.max_receive_message_length", -1), ("grpc.max_metadata_size", 64 * 1024))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one call came to."""

    code: grpc.StatusCode
    message: str
    status: Status | None
    """Of google.rpc, where there is one."""
    responses: tuple[Message, ...]
    seconds: float


class Client:
    """Calls any method of a suite.

    Args:
        targets: HOST:PORT by process.
        credentials: Shown to all of them; without, connections are plain.
    """

    def __init__(
        self, targets: dict[str, str], credentials: grpc.ChannelCredentials | None = None
    ) -> None:
        self._channels = {
            process: grpc.secure_channel(target, credentials, options=_OPTIONS)
            if credentials
            else grpc.insecure_channel(target, options=_OPTIONS)
            for process, target in targets.items()
        }

    def call(self, case: Case) -> Outcome:
        """Sends the call and waits for its end, or for a while where it has none."""
        started = time.perf_counter()
        responses: list[Message] = []
        code, message, status = grpc.StatusCode.OK, "", None
        try:
            responses.extend(self._answers(case))
        except grpc.RpcError as error:
            failed: Any = error
            code, message = failed.code(), failed.details() or ""
            try:
                status = rpc_status.from_call(failed)
            except ValueError as problem:
                message = f"{message} (details contradict the code: {problem})"
        seconds = time.perf_counter() - started
        if code is grpc.StatusCode.DEADLINE_EXCEEDED and case.method.path in ENDLESS:
            code, message, status = grpc.StatusCode.OK, "", None
        return Outcome(code, message, status, tuple(responses), seconds)

    def close(self) -> None:
        """Closes all channels."""
        for channel in self._channels.values():
            channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answers(self, case: Case) -> Iterator[Message]:
        method = case.method
        channel = self._channels[method.process]
        kind = (
            f"{'stream' if method.request_streaming else 'unary'}"
            f"_{'stream' if method.response_streaming else 'unary'}"
        )
        # Bytes go out as they are, so that what no stub would send can be sent too.
        call = getattr(channel, kind)(
            method.path, request_serializer=bytes, response_deserializer=method.response.FromString
        )
        request: Any = iter(case.requests) if method.request_streaming else case.requests[0]
        timeout = ENDLESS_TIMEOUT if method.path in ENDLESS else case.timeout
        answer = call(request, timeout=timeout, metadata=case.metadata)
        if method.response_streaming:
            yield from answer
        else:
            yield answer
