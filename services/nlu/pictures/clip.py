"""Any CLIP-type model of Hugging Face from a folder, run by torch in this process."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shared.deadline import current_deadline
from shared.errors import UnavailableError
from shared.inference import Encoded
from shared.inference.model_thread import run_model
from shared.pictures.decoding import Pixels

_BATCH: Final = 8


class ClipDualEncoder:
    """A `DualEncoder` over a folder that `save_pretrained` wrote: model and processor.

    CLIP, Chinese-CLIP, SigLIP and what else transformers opens as a model with the methods
    `get_image_features` and `get_text_features`. Needs the extra `models`.

    Args:
        folder: With config.json, weights, tokenizer and the settings of pictures.
        threads: Of a forward pass; 0 is one a core.
        timeout_seconds: Longest wait for one batch.

    Raises:
        UnavailableError: The folder holds no such model, or the libraries are not installed.
    """

    def __init__(self, folder: Path, *, threads: int = 0, timeout_seconds: float = 30.0) -> None:
        try:
            # By name: images hold neither, who names such a folder installs them.
            torch: Any = importlib.import_module("torch")
            transformers: Any = importlib.import_module("transformers")
        except ImportError as error:
            raise UnavailableError(f"{folder} needs the extra `models`: {error}") from error
        loaders: tuple[Any, Any] = (transformers.AutoModel, transformers.AutoProcessor)
        try:
            self._network, self._processor = (
                loader.from_pretrained(str(folder), local_files_only=True) for loader in loaders
            )
        except (OSError, ValueError) as error:
            raise UnavailableError(f"{folder} holds no model with a processor: {error}") from error
        needed = ("get_image_features", "get_text_features")
        if missing := [name for name in needed if not hasattr(self._network, name)]:
            raise UnavailableError(f"{folder}: {type(self._network).__name__} has no {missing[0]}")
        if threads:
            torch.set_num_threads(threads)
        self._torch = torch
        self._network.eval()
        self._timeout = timeout_seconds
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="clip")
        self.model = folder.name
        self.dimension = int(self._network.config.projection_dim)

    async def encode_pictures(self, pictures: Sequence[Pixels]) -> Encoded:
        """See `DualEncoder.encode_pictures`."""

        def run(part: Sequence[Pixels]) -> Any:
            inputs = self._processor(images=list(part), return_tensors="pt")
            return self._network.get_image_features(pixel_values=inputs["pixel_values"])

        return await self._encode(pictures, run)

    async def encode_texts(self, texts: Sequence[str]) -> Encoded:
        """See `DualEncoder.encode_texts`."""

        def run(part: Sequence[str]) -> Any:
            inputs = self._processor(
                text=list(part), return_tensors="pt", padding=True, truncation=True
            )
            names = ("input_ids", "attention_mask")
            return self._network.get_text_features(**{n: inputs[n] for n in names if n in inputs})

        return await self._encode(texts, run)

    async def check_ready(self) -> None:
        """See `DualEncoder.check_ready`; what is loaded is ready."""

    async def close(self) -> None:
        """See `DualEncoder.close`."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _encode(self, items: Sequence[Any], run: Callable[[Any], Any]) -> Encoded:
        asked = time.perf_counter_ns()
        vectors = np.empty((len(items), self.dimension), dtype=np.float32)
        took = 0
        for start in range(0, len(items), _BATCH):
            part = items[start : start + _BATCH]
            timeout = current_deadline().stage_timeout(self._timeout)
            made, nanos = await run_model(self._pool, self.model, timeout, self._forward, run, part)
            vectors[start : start + len(part)] = made
            took += nanos
        return Encoded(vectors, max(0, time.perf_counter_ns() - asked - took), took)

    def _forward(self, run: Callable[[Any], Any], part: Any) -> tuple[NDArray[np.float32], int]:
        started = time.perf_counter_ns()
        with self._torch.inference_mode():
            features = run(part)
            # Newer releases give the features among what else the tower made.
            features = getattr(features, "pooler_output", features)
            vectors: NDArray[np.float32] = features.float().numpy()
        unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return unit, time.perf_counter_ns() - started
