"""Triton's Python backend round ONNX Runtime: pads the requests of a batch, runs them at once."""

import json
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort
import triton_python_backend_utils as pb_utils

PAD_ID = 0
MOST_PADDING = 1.3
"""Largest ratio of tokens, padding included, to tokens that a pass may have."""
FREE_TOKENS = 256
"""A pass of fewer tokens takes about as long as a shorter one, so padding costs nothing."""


class TritonPythonModel:
    """One instance of the model; Triton calls it from one thread."""

    def initialize(self, args):
        """Loads `model.onnx` of this version; `args` is what Triton knows of the model."""
        config = json.loads(args["model_config"])
        options = ort.SessionOptions()
        options.intra_op_num_threads = int(config["parameters"]["threads"]["string_value"])
        options.log_severity_level = 3
        # Idle threads sleep: the cores they would spin on are where the services run.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = Path(args["model_repository"]) / args["model_version"] / "model.onnx"
        self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def execute(self, requests):
        """Answers a batch of requests, each (rows, tokens) int32, in their order."""
        parts = [
            pb_utils.get_input_tensor_by_name(request, "input_ids").as_numpy()
            for request in requests
        ]
        responses = [None] * len(parts)
        for group in groups_of_like_length([part.shape for part in parts]):
            for position, tensors in zip(group, self._run([parts[i] for i in group]), strict=True):
                responses[position] = pb_utils.InferenceResponse(output_tensors=tensors)
        return responses

    def _run(self, parts):
        """Runs some requests in one forward pass; returns the output tensors of each."""
        rows = sum(len(part) for part in parts)
        ids = np.full((rows, max(part.shape[1] for part in parts)), PAD_ID, dtype=np.int32)
        at = 0
        for part in parts:
            ids[at : at + len(part), : part.shape[1]] = part
            at += len(part)

        started = time.perf_counter_ns()
        (vectors,) = self._session.run(["sentence_embedding"], {"input_ids": ids})
        took = time.perf_counter_ns() - started

        outputs, at = [], 0
        for part in parts:
            mine = np.ascontiguousarray(vectors[at : at + len(part)])
            nanos = np.full((len(part), 1), took, dtype=np.int64)
            outputs.append(
                [
                    pb_utils.Tensor("sentence_embedding", mine),
                    pb_utils.Tensor("inference_nanos", nanos),
                ]
            )
            at += len(part)
        return outputs


def groups_of_like_length(shapes):
    """Splits requests, given by (rows, tokens), into passes that are little padding.

    A pass over one long text and many short ones pads all to the long one's length; on a CPU, where
    the time grows with the tokens, two passes are faster. Returns lists of positions.
    """
    groups, rows, tokens = [], 0, 0
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
