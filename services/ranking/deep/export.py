"""Writes a trained deep ranker for Triton, and holds the graph against the network.

The graph takes `features` (rows, features) float32 and gives `chances` (rows, 3): how likely each
is clicked, put into the cart and bought once it is looked at. The curves of calibration are inside.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from services.ranking.deep.calibrate import Calibrated, chances
from services.ranking.deep.model_file import FILE, INPUT, MAX_BATCH, OUTPUT, DeepFile
from services.ranking.deep.network import TASKS
from shared.inference.onnx_files import OPSET, install, write_graph
from shared.inference.settings import REPOSITORY

TOLERANCE: Final = 1e-4
"""Largest difference of a probability to the network's own, above which an export is refused."""
_CONFIG = """\
# How likely a candidate is clicked, carted and bought. Made by `wherefore train ranking`.
name: "{name}"
backend: "python"
max_batch_size: {batch}
version_policy {{ latest {{ num_versions: 2 }} }}
input [
  {{
    # Features of a candidate, 0 to 1, in the order of {file}.
    name: "{input}"
    data_type: TYPE_FP32
    dims: [ {features} ]
  }}
]
output [
  {{
    # Probabilities for what is looked at: clicked, put into the cart, bought.
    name: "{output}"
    data_type: TYPE_FP32
    dims: [ {tasks} ]
  }},
  {{
    # Nanoseconds of the forward pass that the row was part of.
    name: "inference_nanos"
    data_type: TYPE_INT64
    dims: [ 1 ]
  }}
]
instance_group [ {{ kind: KIND_CPU count: 1 }} ]
dynamic_batching {{
  max_queue_delay_microseconds: 0
  priority_levels: 2
  default_priority_level: 1
  default_queue_policy {{
    timeout_action: REJECT
    default_timeout_microseconds: 1000000
    allow_timeout_override: true
    max_queue_size: 256
  }}
}}
# The network is so small that a second thread costs more than it saves.
parameters: [ {{ key: "threads" value: {{ string_value: "1" }} }} ]
model_warmup [
  {{
    name: "warm"
    batch_size: 100
    inputs {{
      key: "{input}"
      value: {{ data_type: TYPE_FP32 dims: [ {features} ] zero_data: true }}
    }}
  }}
]
"""


class ExportError(ValueError):
    """The file does not say what the network says."""


def export(
    model: Calibrated,
    file: DeepFile,
    probes: NDArray[np.float32],
    folder: Path,
    *,
    version: int = 1,
) -> float:
    """Writes a folder of Triton's repository: the graph, its description and the configuration.

    Args:
        model: Trained and calibrated.
        file: What stands beside the graph.
        probes: (rows, features) that the graph is held against the network with; at least one.
        folder: Of the model, called as Triton is to call it; made when absent.
        version: Folder of the version in it.

    Returns:
        The largest difference of a probability.

    Raises:
        ExportError: It is above TOLERANCE.
    """
    model = model.eval()
    example = torch.rand(3, len(file.features))
    target = folder / str(version)
    with tempfile.TemporaryDirectory() as scratch:
        graph, description = Path(scratch) / "model.onnx", Path(scratch) / FILE
        write_graph(model, [example], graph, inputs=[INPUT], outputs=[OUTPUT], longest=None)
        difference = compare(model, graph, probes)
        if not difference <= TOLERANCE:
            raise ExportError(f"a probability differs by {difference:.2g}")
        description.write_text(file.model_dump_json(indent=2) + "\n", encoding="utf-8")
        stamp = json.dumps({"opset": OPSET, "version": file.version})
        install({"model.onnx": graph, FILE: description}, target, stamp)
    # The same program runs every model of the repository.
    shutil.copyfile(REPOSITORY / "minilm_l6" / "1" / "model.py", target / "model.py")
    (folder / "config.pbtxt").write_text(
        _CONFIG.format(
            name=folder.name,
            batch=MAX_BATCH,
            file=FILE,
            input=INPUT,
            output=OUTPUT,
            features=len(file.features),
            tasks=len(TASKS),
        ),
        encoding="utf-8",
    )
    return difference


def compare(model: Calibrated, graph: Path, probes: NDArray[np.float32]) -> float:
    """Puts rows to the network and to the graph; returns the largest difference."""
    import onnxruntime

    runtime: Any = onnxruntime
    session = runtime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    largest = 0.0
    for begin in range(0, len(probes), MAX_BATCH):
        some = probes[begin : begin + MAX_BATCH]
        (found,) = session.run([OUTPUT], {INPUT: some})
        largest = max(largest, float(np.abs(chances(model, some) - found).max()))
    return largest
