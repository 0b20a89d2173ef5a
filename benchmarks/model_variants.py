"""The same model in a running Triton otherwise: other precision, or without dynamic batching.

Triton's load call takes a configuration and files in place of those of the repository, so that all
variants are measured in the same processes.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import report
from shared.inference.settings import REPOSITORY

INT8, FP32 = "model.onnx", "model_fp32.onnx"
"""Files of one model: what is served by default, and the graph that it was made of."""
WEIGHTS = "weights.safetensors"
"""File of a model that was trained here; one without it comes in a single precision."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to serve a model."""

    name: str
    graph: str
    """File of its folder."""
    batching: bool
    """Whether Triton joins requests; if not, each is a forward pass."""


SERVED = Variant("int8, dynamic batching", INT8, batching=True)
UNBATCHED = Variant("int8, batch size 1", INT8, batching=False)
FULL = Variant("fp32, dynamic batching", FP32, batching=True)
VARIANTS = (SERVED, UNBATCHED, FULL)


def alter(config: str, variant: Variant) -> str:
    """The configuration of a variant as Triton's JSON, from the text of `config.pbtxt`."""
    from google.protobuf import json_format, text_format
    from tritonclient.grpc import model_config_pb2

    altered: Any = text_format.Parse(config, model_config_pb2.ModelConfig())
    if not variant.batching:
        altered.ClearField("dynamic_batching")
        altered.max_batch_size = 1
    return json_format.MessageToJson(altered, preserving_proto_field_name=True)


def make_graphs(models: Sequence[str], repository: Path = REPOSITORY) -> None:
    """Export what is missing of the trained models; needs the extra `models` then."""
    for precision, graph in (("int8", INT8), ("fp32", FP32)):
        folders = [repository / model / "1" for model in models]
        if all((folder / graph).exists() for folder in folders if (folder / WEIGHTS).exists()):
            continue
        command = [sys.executable, "-m", "services.nlu.train.export", "--precision", precision]
        subprocess.run(command, check=True, cwd=report.ROOT)


async def load_variant(
    target: str, model: str, variant: Variant, *, version: int = 1, repository: Path = REPOSITORY
) -> None:
    """Have Triton serve a model as the variant says, and return once it does.

    Args:
        target: HOST:PORT of Triton's gRPC endpoint.
        model: Name in the repository.
        variant: How.
        version: Of the model; its only one afterwards.
        repository: Where the files are.

    Raises:
        FileNotFoundError: The graph is not there; `make models` makes it.
        tritonclient.utils.InferenceServerException: Triton could not load it.
    """
    from tritonclient.grpc import aio

    folder = repository / model / str(version)
    graph = variant.graph if (folder / WEIGHTS).exists() else INT8
    files = {
        f"file:{version}/model.py": (folder / "model.py").read_bytes(),
        f"file:{version}/model.onnx": (folder / graph).read_bytes(),
    }
    config = alter((folder.parent / "config.pbtxt").read_text(encoding="utf-8"), variant)
    client: Any = aio.InferenceServerClient(target)
    try:
        # A loaded model whose configuration stays as it is would keep its old files.
        await client.unload_model(model)
        await client.load_model(model, config=config, files=files)
    finally:
        await client.close()
