"""Texts to vectors by ONNX Runtime in this process, for where no Triton runs."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from shared.deadline import current_deadline
from shared.errors import DeadlineExceededError, UnavailableError
from shared.inference.port import Encoded
from shared.inference.settings import InferenceSettings
from shared.inference.tokens import Ids, TextTokenizer, batches


class OnnxTextEncoder:
    """Encodes on a thread of its own, one forward pass at a time.

    A pass already uses every core it was given, so a second one beside it would slow both.

    Args:
        settings: The model and its limits.

    Raises:
        UnavailableError: The model's files were not made yet.
    """

    def __init__(self, settings: InferenceSettings) -> None:
        self._settings = settings
        self._tokenizer = TextTokenizer(
            settings.version_dir / "tokenizer.json", settings.max_tokens
        )
        self._session = _open_session(settings.version_dir / "model.onnx", settings.threads)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="inference")
        self.model = f"{settings.model}@{settings.version}"
        self.dimension = int(self._session.get_outputs()[0].shape[-1])

    async def encode(self, texts: Sequence[str]) -> Encoded:
        """See `TextEncoder.encode`."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        queue = inference = 0
        if not texts:
            return Encoded(vectors, queue, inference)
        rows = await self._tokenizer.encode(texts)
        for positions, ids in batches(rows, self._settings.batch_size):
            timeout = current_deadline().stage_timeout(self._settings.timeout_seconds)
            asked = time.perf_counter_ns()
            try:
                async with asyncio.timeout(timeout):
                    # A pass still waiting for the thread is cancelled with the request.
                    output, took = await asyncio.get_running_loop().run_in_executor(
                        self._pool, self._forward, ids
                    )
            except TimeoutError:
                raise DeadlineExceededError(f"{self.model} did not answer in time") from None
            except RuntimeError as error:  # the pool is shut down
                raise UnavailableError(f"{self.model} is closed") from error
            vectors[positions] = output
            inference += took
            queue += max(0, time.perf_counter_ns() - asked - took)
        return Encoded(vectors, queue, inference)

    async def check_ready(self) -> None:
        """See `TextEncoder.check_ready`; encodes one text, which also warms the model."""
        try:
            await self.encode(["ready"])
        except DeadlineExceededError as error:
            raise UnavailableError(f"{self.model} does not answer") from error

    async def close(self) -> None:
        """See `TextEncoder.close`."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _forward(self, ids: Ids) -> tuple[NDArray[np.float32], int]:
        started = time.perf_counter_ns()
        (vectors,) = self._session.run(["sentence_embedding"], {"input_ids": ids})
        return vectors, time.perf_counter_ns() - started


def _open_session(path: Path, threads: int) -> Any:
    """Returns an InferenceSession; the library carries no types."""
    if not path.is_file():
        raise UnavailableError(f"{path} is missing; `make models` makes it")
    runtime: Any = ort
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    # Warnings about graph details help nobody who runs a service.
    options.log_severity_level = 3
    # Idle threads sleep: the cores they would spin on are where the services run.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
