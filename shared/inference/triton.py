"""Texts to vectors by a Triton server, which batches the requests of all its clients together."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from google.protobuf import text_format
from numpy.typing import NDArray
from tritonclient.grpc import InferInput, InferRequestedOutput, aio, model_config_pb2
from tritonclient.utils import InferenceServerException

from shared.deadline import current_deadline
from shared.errors import DeadlineExceededError, InternalError, UnavailableError, WhereforeError
from shared.inference.port import Encoded
from shared.inference.settings import InferenceSettings
from shared.inference.tokens import Ids, TextTokenizer, batches

VECTORS = "sentence_embedding"
NANOS = "inference_nanos"
"""Output of our own wrapper: the forward pass that a row was part of. Other backends lack it."""

QUERY_ROWS = 4
"""Up to so many texts somebody is waiting; more of them is bulk work that lets others pass."""

URGENT, BULK = 1, 2
"""Priority levels of the model's dynamic batcher; the lower number goes first."""

MAX_VECTOR_BYTES = 16 * 1024 * 1024

# A server that died must be found again within a second of its return; gRPC's own backoff grows
# to two minutes.
CHANNEL_ARGUMENTS = [
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.max_receive_message_length", MAX_VECTOR_BYTES),
    # A pool of its own: a channel must not share the backoff of another one to the same address.
    ("grpc.use_local_subchannel_pool", 1),
]


class TritonTextEncoder:
    """Encodes on a Triton server; fails at once while none is there, heals when it returns.

    Args:
        settings: The server, the model and its limits.

    Raises:
        UnavailableError: The model's tokenizer was not made yet.
    """

    def __init__(self, settings: InferenceSettings) -> None:
        self._settings = settings
        self._tokenizer = TextTokenizer(
            settings.version_dir / "tokenizer.json", settings.max_tokens
        )
        outputs = _declared_outputs(settings)
        self._outputs = [InferRequestedOutput(name) for name in (VECTORS, NANOS) if name in outputs]
        self._timed = NANOS in outputs
        # Made at first use: an asyncio channel belongs to the loop it was made on.
        self._client: Any = None
        self.model = f"{settings.model}@{settings.version}"
        self.dimension = outputs[VECTORS]

    async def encode(self, texts: Sequence[str]) -> Encoded:
        """See `TextEncoder.encode`."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        queue = inference = 0
        if not texts:
            return Encoded(vectors, queue, inference)
        rows = await self._tokenizer.encode(texts)
        priority = URGENT if len(texts) <= QUERY_ROWS else BULK
        # One batch after the other: a queue full of ours would hold up everybody else's queries.
        for positions, ids in batches(rows, self._settings.batch_size):
            asked = time.perf_counter_ns()
            vectors[positions], took = await self._infer(ids, priority)
            inference += took
            queue += max(0, time.perf_counter_ns() - asked - took)
        return Encoded(vectors, queue, inference)

    async def check_ready(self) -> None:
        """See `TextEncoder.check_ready`."""
        try:
            ready = await self._connection().is_model_ready(
                self._settings.model, str(self._settings.version), client_timeout=2.0
            )
        except InferenceServerException as error:
            raise UnavailableError(f"Triton does not answer: {error.message()}") from error
        if not ready:
            raise UnavailableError(f"Triton has not loaded {self.model}")

    async def close(self) -> None:
        """See `TextEncoder.close`."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _infer(self, ids: Ids, priority: int) -> tuple[NDArray[np.float32], int]:
        timeout = current_deadline().stage_timeout(self._settings.timeout_seconds)
        if timeout <= 0:
            raise DeadlineExceededError(f"no time left for {self.model}")
        tensor: Any = InferInput("input_ids", list(ids.shape), "INT32")
        tensor.set_data_from_numpy(ids)
        try:
            # `timeout` makes Triton drop the request from its queue once nobody waits for it.
            result = await self._connection().infer(
                self._settings.model,
                [tensor],
                model_version=str(self._settings.version),
                outputs=self._outputs,
                priority=priority,
                timeout=int(timeout * 1e6),
                client_timeout=timeout,
            )
        except InferenceServerException as error:
            raise self._explain(error) from error
        took = int(result.as_numpy(NANOS).max()) if self._timed else 0
        return result.as_numpy(VECTORS), took

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
        return UnavailableError(f"Triton cannot run {self.model}: {message}")


def _declared_outputs(settings: InferenceSettings) -> dict[str, int]:
    """Returns the outputs that the model's configuration declares, and their last dimension."""
    messages: Any = model_config_pb2
    path = settings.model_dir / settings.model / "config.pbtxt"
    if not path.is_file():
        raise UnavailableError(f"no model {settings.model!r}: {path} is missing")
    config = text_format.Parse(path.read_text(), messages.ModelConfig())
    return {output.name: int(output.dims[-1]) for output in config.output}
