"""Writes a trained sequential model for Triton, and holds the file against the network.

The graph takes `items` (batch, sequence) int32, numbers of items from 1, the oldest first, filled
up behind with 0, and gives the `next_items` (batch, count) int32, best first, with their `scores`:
logits by whose differences items compare. What the user had is not left out: whoever asks knows
better whether it may come again.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from services.recommend.sequences import Sequences
from services.recommend.transformer import SequenceNetwork
from shared.inference.onnx_files import OPSET, install, write_graph
from shared.inference.settings import REPOSITORY

MODEL = "next_item"
COUNT = 100
"""Items that the graph returns, or all where there are fewer."""
MAX_BATCH = 64
TOLERANCE = 1e-3
"""Largest difference of a logit to the network's own, above which an export is refused."""
_CONFIG = """\
# The next items of a history, by a causal transformer. Made by `wherefore train recommend`.
name: "{name}"
backend: "python"
max_batch_size: {batch}
input [
  {{
    # Numbers of items from 1, the oldest first, at most {length}; items.json names them.
    name: "items"
    data_type: TYPE_INT32
    dims: [ -1 ]
    allow_ragged_batch: true
  }}
]
output [
  {{
    # Numbers of items from 1, best first.
    name: "next_items"
    data_type: TYPE_INT32
    dims: [ {count} ]
  }},
  {{
    # Their logits.
    name: "scores"
    data_type: TYPE_FP32
    dims: [ {count} ]
  }},
  {{
    # Nanoseconds of the forward pass that the row was part of.
    name: "inference_nanos"
    data_type: TYPE_INT64
    dims: [ 1 ]
  }}
]
dynamic_batching {{ }}
instance_group [ {{ kind: KIND_CPU, count: 1 }} ]
parameters {{ key: "threads" value: {{ string_value: "2" }} }}
"""


class ExportError(ValueError):
    """The file does not say what the network says."""


@dataclass(frozen=True, slots=True)
class Parity:
    """How far the file is from the network, over histories that were put to both."""

    histories: int
    largest_difference: float
    """Of a logit."""
    same_first: float
    """Share of histories with the same first item."""


class NextItems(torch.nn.Module):
    """The network with the choice of the best items, as Triton runs it."""

    vectors: torch.Tensor

    def __init__(self, network: SequenceNetwork, count: int) -> None:
        super().__init__()
        self.network = network
        self.count = count
        with torch.inference_mode():
            found = network.vectors()
        self.register_buffer("vectors", found.clone())

    def forward(self, items: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Best items, [batch, count] from 1, and their logits, the same shape."""
        lengths = (items != 0).to(torch.int64).sum(dim=1)
        numbers = (items.to(torch.int64) - 1).clamp(min=0)
        states = self.network(numbers, self.vectors)
        at = (lengths - 1).clamp(min=0)[:, None, None].expand(-1, 1, states.shape[2])
        last = states.gather(1, at)[:, 0]
        best = torch.topk(last @ self.vectors.T, self.count)
        return (best.indices + 1).to(torch.int32), best.values


def export(
    network: SequenceNetwork,
    names: Sequence[str],
    histories: Sequences,
    folder: Path,
    *,
    version: int = 1,
) -> Parity:
    """Write a folder of Triton's repository: the graph, the items' names and the configuration.

    Args:
        network: Trained.
        names: Of the items, by number from 0.
        histories: Some that the file is held against the network with; at least one.
        folder: Of the model, called as Triton is to call it; made when absent.
        version: Folder of the version in it.

    Raises:
        ExportError: A logit differs by more than TOLERANCE, or histories begin otherwise.
    """
    count = min(COUNT, len(names))
    length = network.settings.length
    module = NextItems(network.eval(), count).eval()
    example = torch.tensor([[1, 2, 1], [2, 1, 0]], dtype=torch.int32)
    with tempfile.TemporaryDirectory() as scratch:
        graph, listed = Path(scratch) / "model.onnx", Path(scratch) / "items.json"
        write_graph(
            module, [example], graph, inputs=["items"], outputs=["next_items", "scores"],
            longest=length,
        )  # fmt: skip
        parity = compare(module, graph, histories)
        if parity.largest_difference > TOLERANCE:
            raise ExportError(f"a logit differs by {parity.largest_difference:.2g}")
        listed.write_text(json.dumps(list(names), ensure_ascii=False), encoding="utf-8")
        stamp = json.dumps({"opset": OPSET, "items": len(names), "length": length})
        target = folder / str(version)
        install({"model.onnx": graph, "items.json": listed}, target, stamp)
    # The same program runs every model of the repository.
    shutil.copyfile(REPOSITORY / "minilm_l6" / "1" / "model.py", target / "model.py")
    (folder / "config.pbtxt").write_text(
        _CONFIG.format(name=folder.name, batch=MAX_BATCH, length=length, count=count),
        encoding="utf-8",
    )
    return parity


def rows_of(histories: Sequences, length: int) -> NDArray[np.int32]:
    """Return histories as the graph takes them, (histories, longest): numbers from 1, then 0."""
    newest = [history[-length:] for history in histories]
    rows = np.zeros((len(newest), max(len(history) for history in newest)), dtype=np.int32)
    for row, history in zip(rows, newest, strict=True):
        row[: len(history)] = history + 1
    return rows


def compare(module: NextItems, graph: Path, histories: Sequences) -> Parity:
    """Put histories to the network and to the file."""
    import onnxruntime

    runtime: Any = onnxruntime
    session = runtime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    rows = rows_of(histories, module.network.settings.length)
    largest, same = 0.0, 0
    for begin in range(0, len(rows), MAX_BATCH):
        some = rows[begin : begin + MAX_BATCH]
        with torch.inference_mode():
            items, scores = (each.numpy() for each in module(torch.as_tensor(some)))
        ours_items, ours_scores = session.run(["next_items", "scores"], {"items": some})
        # By rank: near ties may change places, which changes no logit.
        largest = max(largest, float(np.abs(scores - ours_scores).max()))
        same += int((items[:, 0] == ours_items[:, 0]).sum())
    return Parity(len(rows), largest, same / len(rows))
