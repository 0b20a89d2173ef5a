"""Forward passes by ONNX Runtime in this process, for where no Triton runs."""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from shared.deadline import current_deadline
from shared.errors import UnavailableError
from shared.inference.model_thread import run_model
from shared.inference.port import Forwarded, Tensor
from shared.inference.settings import InferenceSettings
from shared.metrics import MODELS


class OnnxModel:
    """Runs on a thread of its own, one forward pass at a time.

    A pass already uses every core it was given, so a second one beside it would slow both.

    Args:
        settings: The model and its limits.

    Raises:
        UnavailableError: The model's files were not made yet.
    """

    def __init__(self, settings: InferenceSettings) -> None:
        self._settings = settings
        self._session = _open_session(settings.version_dir / "model.onnx", settings.threads)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="inference")
        self.model = f"{settings.model}@{settings.version}"
        self._handle = MODELS.labels(settings.model, settings.version, "onnx")
        self._handle.inc()
        self.inputs: Collection[str] = [item.name for item in self._session.get_inputs()]
        self.outputs: Mapping[str, int] = {
            output.name: int(output.shape[-1]) for output in self._session.get_outputs()
        }

    async def run(
        self, inputs: Mapping[str, Tensor], outputs: Collection[str], *, urgent: bool
    ) -> Forwarded:
        """See `TensorModel.run`; `urgent` makes no difference, for there is no queue to jump."""
        timeout = current_deadline().stage_timeout(self._settings.timeout_seconds)
        names = list(outputs)
        asked = time.perf_counter_ns()
        arrays, took = await run_model(
            self._pool, self.model, timeout, self._forward, names, inputs
        )
        queue = max(0, time.perf_counter_ns() - asked - took)
        return Forwarded(dict(zip(names, arrays, strict=True)), queue, took)

    async def versions(self) -> list[int]:
        """See `TensorModel.versions`; those whose weights lie in the repository."""
        folder = self._settings.model_dir / self._settings.model
        found = await asyncio.to_thread(lambda: list(folder.glob("*/model.onnx")))
        return sorted(int(path.parent.name) for path in found if path.parent.name.isdecimal())

    async def check_ready(self) -> None:
        """See `TensorModel.check_ready`; what is loaded is ready."""

    async def close(self) -> None:
        """See `TensorModel.close`."""
        self._handle.dec()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _forward(
        self, names: Sequence[str], inputs: Mapping[str, Tensor]
    ) -> tuple[list[NDArray[np.float32]], int]:
        started = time.perf_counter_ns()
        arrays = self._session.run(names, dict(inputs))
        return arrays, time.perf_counter_ns() - started


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
