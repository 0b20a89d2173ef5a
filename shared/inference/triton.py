"""Forward passes by a Triton server, which batches the requests of all its clients together."""

import time
from collections.abc import Collection, Coroutine, Mapping
from typing import Any

import numpy as np
import structlog
from google.protobuf import text_format
from tritonclient.grpc import InferInput, InferRequestedOutput, aio, model_config_pb2
from tritonclient.utils import InferenceServerException

from shared.deadline import current_deadline
from shared.errors import DeadlineExceededError, InternalError, UnavailableError, WhereforeError
from shared.inference.port import Forwarded, Tensor
from shared.inference.settings import InferenceSettings
from shared.inference.waker import BatcherWaker
from shared.metrics import MODELS
from shared.trace_context import TRACEPARENT_KEY, current_trace
from shared.tracing import span

NANOS = "inference_nanos"
"""Output of our own wrapper: the forward pass that a row was part of. Other backends lack it."""

URGENT, BULK = 1, 2
"""Priority levels of the model's dynamic batcher; the lower number goes first."""

CHECK_SECONDS = 2.0
"""Longest wait for what the server says of itself."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

MAX_ANSWER_BYTES = 16 * 1024 * 1024

# A server that died must be found again within a second of its return; gRPC's own backoff grows
# to two minutes.
CHANNEL_ARGUMENTS = [
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.max_receive_message_length", MAX_ANSWER_BYTES),
    # A target may name several servers: "dns:///triton:7711" of a headless service.
    ("grpc.lb_policy_name", "round_robin"),
    # A pool of its own: a channel must not share the backoff of another one to the same address.
    ("grpc.use_local_subchannel_pool", 1),
]


class TritonModel:
    """One version of a model on a server; fails at once while none is there, heals when it returns.

    Args:
        settings: The server, the model and its limits.

    Raises:
        UnavailableError: The repository holds no such model.
    """

    def __init__(self, settings: InferenceSettings) -> None:
        self._settings = settings
        config = _read_config(settings)
        declared = {output.name: int(output.dims[-1]) for output in config.output}
        self._timed = NANOS in declared
        # Made at first use: an asyncio channel belongs to the loop it was made on.
        self._client: Any = None
        self._waker = BatcherWaker()
        self.model = f"{settings.model}@{settings.version}"
        self._handle = MODELS.labels(settings.model, settings.version, "triton")
        self._handle.inc()
        self.inputs: Collection[str] = [item.name for item in config.input]
        self.outputs: Mapping[str, int] = {
            name: dimension for name, dimension in declared.items() if name != NANOS
        }

    async def run(
        self, inputs: Mapping[str, Tensor], outputs: Collection[str], *, urgent: bool
    ) -> Forwarded:
        """See `TensorModel.run`."""
        timeout = current_deadline().stage_timeout(self._settings.timeout_seconds)
        if timeout <= 0:
            raise DeadlineExceededError(f"no time left for {self.model}")
        asked = time.perf_counter_ns()
        wanted = [*outputs, NANOS] if self._timed else list(outputs)

        def infer(rows: int | None, priority: int) -> Coroutine[Any, Any, Any]:
            # `timeout` makes Triton drop the request from its queue once nobody waits for it.
            return self._connection().infer(
                self._settings.model,
                [_tensor(name, array[:rows]) for name, array in inputs.items()],
                model_version=str(self._settings.version),
                outputs=[InferRequestedOutput(name) for name in wanted],
                priority=priority,
                timeout=int(timeout * 1e6),
                client_timeout=timeout,
                headers=_trace_header(),
            )

        try:
            with span("triton.infer", "CLIENT", {"wherefore.model": self.model}):
                ask = infer(None, URGENT if urgent else BULK)
                result = await self._waker.watch(ask, lambda: infer(1, BULK))
        except InferenceServerException as error:
            raise self._explain(error) from error
        took = int(result.as_numpy(NANOS).max()) if self._timed else 0
        queue = max(0, time.perf_counter_ns() - asked - took)
        return Forwarded({name: result.as_numpy(name) for name in outputs}, queue, took)

    async def versions(self) -> list[int]:
        """See `TensorModel.versions`; those that the server has loaded."""
        try:
            metadata = await self._connection().get_model_metadata(
                self._settings.model, client_timeout=CHECK_SECONDS
            )
        except InferenceServerException as error:
            raise self._explain(error) from error
        return sorted(map(int, metadata.versions))

    async def check_ready(self) -> None:
        """See `TensorModel.check_ready`."""
        try:
            ready = await self._connection().is_model_ready(
                self._settings.model, str(self._settings.version), client_timeout=CHECK_SECONDS
            )
        except InferenceServerException as error:
            _log.warning("Triton does not answer", model=self.model, error=str(error.message()))
            raise UnavailableError(f"the model server does not answer for {self.model}") from error
        if not ready:
            raise UnavailableError(f"the model server has not loaded {self.model}")

    async def close(self) -> None:
        """See `TensorModel.close`."""
        self._handle.dec()
        self._waker.close()
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _connection(self) -> Any:
        if self._client is None:
            self._client = aio.InferenceServerClient(
                self._settings.triton_target, channel_args=CHANNEL_ARGUMENTS
            )
        return self._client

    def _explain(self, error: Any) -> WhereforeError:
        status, message = str(error.status()), str(error.message())
        # A request that waited out its time in the queue is refused as UNAVAILABLE.
        if "DEADLINE_EXCEEDED" in status or "timeout expired" in message.lower():
            return DeadlineExceededError(f"{self.model} did not answer in time")
        if "INVALID_ARGUMENT" in status and "unknown model" not in message:
            return InternalError(f"Triton refused a request for {self.model}: {message}")
        # Addresses and what a library says are for operators, not for who reads `degraded`.
        _log.warning("Triton failed", model=self.model, status=status, error=message)
        return UnavailableError(f"the model server cannot run {self.model}")


def _trace_header() -> dict[str, str] | None:
    """Returns what makes Triton's own spans (its option --trace-config) part of our trace."""
    trace = current_trace()
    return {TRACEPARENT_KEY: trace.header()} if trace else None


def _tensor(name: str, array: Tensor) -> Any:
    datatype = "FP32" if array.dtype == np.float32 else "INT32"
    tensor: Any = InferInput(name, list(array.shape), datatype)
    tensor.set_data_from_numpy(array)
    return tensor


def _read_config(settings: InferenceSettings) -> Any:
    """Returns the model's configuration as Triton reads it."""
    messages: Any = model_config_pb2
    folder, named = settings.model_dir / settings.model, settings.triton_config
    path = folder / "configs" / f"{named}.pbtxt"
    # So does Triton with a model that has no configuration of that name.
    path = path if named and path.is_file() else folder / "config.pbtxt"
    if not path.is_file():
        raise UnavailableError(f"{path} is missing: no model {settings.model!r}; `make models`")
    return text_format.Parse(path.read_text("utf-8"), messages.ModelConfig())
