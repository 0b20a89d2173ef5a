"""Triton's Python backend round ONNX Runtime: pads the requests of a batch, runs them at once."""

import json
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort
import triton_python_backend_utils as pb_utils

PAD_ID = 0


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
        rows = sum(len(part) for part in parts)
        ids = np.full((rows, max(part.shape[1] for part in parts)), PAD_ID, dtype=np.int32)
        at = 0
        for part in parts:
            ids[at : at + len(part), : part.shape[1]] = part
            at += len(part)

        started = time.perf_counter_ns()
        (vectors,) = self._session.run(["sentence_embedding"], {"input_ids": ids})
        took = time.perf_counter_ns() - started

        responses, at = [], 0
        for part in parts:
            mine = np.ascontiguousarray(vectors[at : at + len(part)])
            nanos = np.full((len(part), 1), took, dtype=np.int64)
            responses.append(
                pb_utils.InferenceResponse(
                    output_tensors=[
                        pb_utils.Tensor("sentence_embedding", mine),
                        pb_utils.Tensor("inference_nanos", nanos),
                    ]
                )
            )
            at += len(part)
        return responses
