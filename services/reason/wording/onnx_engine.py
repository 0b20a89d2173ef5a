"""The engine of serving in process: ONNX Runtime, with the cache that the graph hands out."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class OnnxEngine:
    """Implements `batch.OpenEngine`.

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
        """Reads the prefixes; see `batch.Engine`."""
        layers, two, heads, width = self._empty
        self._mask = (ids != 0).astype(np.int64)
        self._past = np.zeros((layers, two, len(ids), heads, 0, width), dtype=np.float32)
        return self._run(ids.astype(np.int64))

    def step(self, ids: NDArray[np.int64], keep: NDArray[np.int64]) -> NDArray[np.float32]:
        """Reads one token a row; see `batch.Engine`."""
        if len(keep) < len(self._mask):
            mask = self._mask[keep]
            # Columns that only held the beginnings of rows now finished.
            unused = int(mask.any(axis=0).argmax())
            self._past = np.ascontiguousarray(self._past[:, :, keep, :, unused:])
            self._mask = mask[:, unused:]
        self._mask = np.pad(self._mask, ((0, 0), (0, 1)), constant_values=1)
        return self._run(ids.astype(np.int64)[:, None])

    def join(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Reads the prefixes of rows that join; see `batch.OpenEngine`."""
        past, mask = self._past, self._mask
        logits = self.start(ids)
        longest = max(mask.shape[1], self._mask.shape[1])
        self._past = np.concatenate([_widened(past, longest), _widened(self._past, longest)], 2)
        before, new = longest - mask.shape[1], longest - self._mask.shape[1]
        self._mask = np.concatenate(
            [np.pad(mask, ((0, 0), (before, 0))), np.pad(self._mask, ((0, 0), (new, 0)))]
        )
        return logits

    def _run(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        given = {"input_ids": ids, "mask": self._mask, "past": self._past}
        logits, self._past = self._session.run(["logits", "present"], given)
        return logits


def _widened(past: NDArray[np.float32], longest: int) -> NDArray[np.float32]:
    """Returns the cache with as many columns of padding before it as it lacks."""
    return np.pad(past, ((0, 0), (0, 0), (0, 0), (0, 0), (longest - past.shape[4], 0), (0, 0)))
