"""Triton's Python backend round ONNX Runtime: pads the requests of a batch, runs them at once.

Every model.py of the repository is a link to this file, which Triton runs in its own environment:
it imports nothing of the project. What a model takes and gives is read from its configuration:
every input is (tokens,) per row and padded with 0, or a fixed number of features; outputs
(tokens, n) are cut back to the length that each request had, others are (n,); `inference_nanos` is
made here.
"""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import triton_python_backend_utils as pb_utils  # pyright: ignore[reportMissingImports] - Triton's

PAD_ID = 0
NANOS = "inference_nanos"
MOST_PADDING = 1.3
"""Largest ratio of tokens, padding included, to tokens that a pass may have."""
FREE_TOKENS = 256
"""A pass of fewer tokens takes about as long as a shorter one, so padding costs nothing."""


class TritonPythonModel:
    """One instance of the model; Triton calls it from one thread."""

    def initialize(self, args: Mapping[str, str]) -> None:
        """Loads `model.onnx` of this version; `args` is what Triton knows of the model."""
        config: Any = json.loads(args["model_config"])
        self._inputs: list[str] = [item["name"] for item in config["input"]]
        self._outputs: list[str] = [
            item["name"] for item in config["output"] if item["name"] != NANOS
        ]
        # Those with an axis of tokens, which is padded with the inputs.
        self._per_token = {item["name"] for item in config["output"] if len(item["dims"]) > 1}
        runtime: Any = ort
        options = runtime.SessionOptions()
        options.intra_op_num_threads = int(config["parameters"]["threads"]["string_value"])
        options.log_severity_level = 3
        # Idle threads sleep: the cores they would spin on are where the services run.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = Path(args["model_repository"]) / args["model_version"] / "model.onnx"
        self._session: Any = runtime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answers a batch of requests, each (rows, tokens) an input, in their order."""
        utils: Any = pb_utils
        parts = [
            {
                name: utils.get_input_tensor_by_name(request, name).as_numpy()
                for name in self._inputs
            }
            for request in requests
        ]
        wanted = [set(request.requested_output_names()) for request in requests]
        responses: list[Any] = [None] * len(parts)
        for group in groups_of_like_length([part[self._inputs[0]].shape for part in parts]):
            names = [name for name in self._outputs if any(name in wanted[i] for i in group)]
            arrays = self._run([parts[i] for i in group], names)
            for position, mine in zip(group, arrays, strict=True):
                tensors = [
                    utils.Tensor(name, array)
                    for name, array in mine.items()
                    if name in wanted[position]
                ]
                responses[position] = utils.InferenceResponse(output_tensors=tensors)
        return responses

    def _run(self, parts: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[Any]:
        """Runs some requests in one forward pass; returns the outputs of each, by name."""
        shapes = [part[self._inputs[0]].shape for part in parts]
        feeds = {name: pad([part[name] for part in parts]) for name in self._inputs}
        started = time.perf_counter_ns()
        arrays = self._session.run(list(names), feeds)
        took = time.perf_counter_ns() - started

        answers: list[Any] = []
        at = 0
        for rows, tokens in shapes:
            mine: dict[str, Any] = {}
            for name, array in zip(names, arrays, strict=True):
                own = array[at : at + rows]
                own = own[:, :tokens] if name in self._per_token else own
                mine[name] = np.ascontiguousarray(own)
            mine[NANOS] = np.full((rows, 1), took, dtype=np.int64)
            answers.append(mine)
            at += rows
        return answers


def pad(arrays: Sequence[Any]) -> Any:
    """Returns arrays (rows, tokens) as one below the other, filled up to the longest."""
    rows, longest = sum(len(array) for array in arrays), max(array.shape[1] for array in arrays)
    padded = np.full((rows, longest), PAD_ID, dtype=arrays[0].dtype)
    at = 0
    for array in arrays:
        padded[at : at + len(array), : array.shape[1]] = array
        at += len(array)
    return padded


def groups_of_like_length(shapes: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Splits requests, given by (rows, tokens), into passes that are little padding.

    A pass over one long text and many short ones pads all to the long one's length; on a CPU, where
    the time grows with the tokens, two passes are faster. Returns lists of positions.
    """
    groups: list[list[int]] = []
    rows, tokens = 0, 0
    for position in sorted(range(len(shapes)), key=lambda i: shapes[i][1]):
        count, length = shapes[position]
        padded = (rows + count) * length
        allowed = max(FREE_TOKENS, MOST_PADDING * (tokens + count * length))
        if groups and padded <= allowed:
            groups[-1].append(position)
        else:
            groups.append([position])
            rows, tokens = 0, 0
        rows += count
        tokens += count * length
    return groups
