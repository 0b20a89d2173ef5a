"""Whether an exported graph says what the torch model says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray

from services.nlu.learnt.tokens import TokenRow
from services.nlu.train.encoded import inputs
from services.nlu.train.graph import output_names
from services.nlu.train.model import QueryModel

Arrays = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Parity:
    """How near two models are, per output.

    Attributes:
        difference: Largest absolute difference of a number.
        agreement: Share of texts, or of tokens, whose likeliest label is the same; 1 for vectors.
        cosine: Mean cosine between the numbers of a text, or of a token; of an output of single
            numbers, between those of all texts.
    """

    difference: Mapping[str, float]
    agreement: Mapping[str, float]
    cosine: Mapping[str, float]


class GraphRunner:
    """Runs an ONNX file in this process.

    Args:
        path: The file.
        threads: Of a pass; 0 is one a core.

    Attributes:
        inputs: Names of the inputs that it takes.
        outputs: Names of the outputs that it gives.
    """

    def __init__(self, path: Path, threads: int = 0) -> None:
        runtime: Any = ort
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # As the services run it: idle threads sleep.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: Any = runtime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self.inputs: list[str] = [item.name for item in self._session.get_inputs()]
        self.outputs: list[str] = [item.name for item in self._session.get_outputs()]

    def feed(self, rows: Sequence[TokenRow]) -> Mapping[str, NDArray[np.int32]]:
        """Returns the inputs of a batch, (rows, longest) int32 with 0 as padding."""
        batch = inputs(rows)
        return {name: batch[name].numpy().astype(np.int32) for name in self.inputs}

    def run(self, feed: Mapping[str, NDArray[np.int32]]) -> Arrays:
        """Returns the outputs of one pass by name."""
        made: list[NDArray[np.float32]] = self._session.run(self.outputs, dict(feed))
        return dict(zip(self.outputs, made, strict=True))


def compare(model: QueryModel, path: Path, rows: Sequence[TokenRow], *, batch: int = 1) -> Parity:
    """Returns how near an exported graph is to its model.

    Args:
        model: In evaluation mode.
        path: The graph.
        rows: Texts to read.
        batch: Rows of a pass; more than one pads the shorter ones.
    """
    runner = GraphRunner(path)
    names = output_names(model)
    pairs: dict[str, list[tuple[NDArray[np.float32], NDArray[np.float32]]]] = {
        name: [] for name in names
    }
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        ours, theirs = runner.run(runner.feed(part)), torch_outputs(model, part)
        for name in names:
            for at, row in enumerate(part):
                mine, other = ours[name][at], theirs[name][at]
                if mine.ndim > 1:  # what stands at padding is nobody's
                    mine, other = mine[: len(row.ids)], other[: len(row.ids)]
                pairs[name].append((np.atleast_2d(mine), np.atleast_2d(other)))
    joined = {
        name: (np.concatenate([a for a, _ in both]), np.concatenate([b for _, b in both]))
        for name, both in pairs.items()
    }
    classes = {head.name for head in model.spec.heads}
    return Parity(
        {name: float(np.abs(a - b).max()) for name, (a, b) in joined.items()},
        {
            name: float((a.argmax(1) == b.argmax(1)).mean()) if name in classes else 1.0
            for name, (a, b) in joined.items()
        },
        {name: _cosine(a, b) for name, (a, b) in joined.items()},
    )


def torch_outputs(model: QueryModel, rows: Sequence[TokenRow]) -> Arrays:
    """Returns the outputs of the torch model for one batch."""
    batch = inputs(rows)
    with torch.no_grad():
        outputs = model(batch["input_ids"], batch["segments"])
    return {name: value.float().numpy() for name, value in outputs.items()}


def _cosine(left: NDArray[np.float32], right: NDArray[np.float32]) -> float:
    if left.shape[1] == 1:
        left, right = left.T, right.T
    lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    return float(((left * right).sum(1) / np.maximum(lengths, 1e-12)).mean())
