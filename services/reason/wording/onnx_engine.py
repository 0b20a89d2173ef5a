"""The engine of serving in process: ONNX Runtime, with the cache that the graph hands out."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class OnnxEngine:
    """Implements `decode.Engine`.

    Args:
        path: Of a graph that `export` wrote.
        threads: Of ONNX Runtime; 0 for as many as there are cores.
    """

    def __init__(self, path: Path, threads: int = 0) -> None:
        import onnxruntime

        ort: Any = onnxruntime
        options: Any = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self._session: Any = ort.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        past = next(given for given in self._session.get_inputs() if given.name == "past")
        layers, _, _, heads, _, width = past.shape
        self._empty = (int(layers), 2, int(heads), int(width))
        self._past: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
        self._mask: NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def start(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Reads the prefixes; see `decode.Engine`."""
        layers, two, heads, width = self._empty
        self._mask = (ids != 0).astype(np.int64)
        self._past = np.zeros((layers, two, len(ids), heads, 0, width), dtype=np.float32)
        return self._run(ids.astype(np.int64))

    def step(self, ids: NDArray[np.int64], keep: NDArray[np.int64]) -> NDArray[np.float32]:
        """Reads one token a row; see `decode.Engine`."""
        if len(keep) < len(self._mask):
            self._past = np.ascontiguousarray(self._past[:, :, keep])
            self._mask = self._mask[keep]
        self._mask = np.pad(self._mask, ((0, 0), (0, 1)), constant_values=1)
        return self._run(ids.astype(np.int64)[:, None])

    def _run(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        given = {"input_ids": ids, "mask": self._mask, "past": self._past}
        logits, self._past = self._session.run(["logits", "present"], given)
        return logits
