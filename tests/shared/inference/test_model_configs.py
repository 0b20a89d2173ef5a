"""The configurations of the repository, by Triton's own schema."""

import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from services.reason.wording.served import SERVED_GRAPH
from services.reason.wording.tensors import (
    BANNED,
    EVIDENCE,
    LANGUAGE,
    ROW,
    SECONDS,
    SEED,
    TOKEN,
    VOCABULARY,
)
from shared.inference.settings import REPOSITORY

ROOT = REPOSITORY.parent
DECOUPLED = [REPOSITORY / "reason_small" / "config.pbtxt"]
"""Models that answer a request step by step."""
PLAIN = sorted(set(REPOSITORY.glob("*/config.pbtxt")) - set(DECOUPLED))
VARIANTS = sorted(REPOSITORY.glob("*/configs/*.pbtxt"))
CONFIG: Any = model_config_pb2.ModelConfig
GPU: int = model_config_pb2.ModelInstanceGroup.KIND_GPU
NANOS = "inference_nanos"


def read(path: Path) -> Any:
    return text_format.Parse(path.read_text("utf-8"), CONFIG())


def name_of(path: Path) -> str:
    return path.relative_to(REPOSITORY).parts[0]


def shapes(tensors: Any) -> dict[str, tuple[int, list[int]]]:
    return {item.name: (item.data_type, list(item.dims)) for item in tensors if item.name != NANOS}


def test_there_is_something_to_check() -> None:
    assert {"query_en", "query_zh", "cross_en", "minilm_l6"} <= set(map(name_of, PLAIN))
    for name in ("query_en", "query_zh", "cross_en", "minilm_l6"):
        found = {path.stem for path in VARIANTS if name_of(path) == name}
        assert found == {"cuda", "tensorrt"}


@pytest.mark.parametrize("path", [*PLAIN, *VARIANTS], ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_every_configuration_holds_together(path: Path) -> None:
    config = read(path)
    assert config.name == name_of(path)
    batching = config.dynamic_batching
    assert batching.priority_levels == 2
    assert batching.default_priority_level == 1
    assert batching.default_queue_policy.allow_timeout_override
    assert config.version_policy.latest.num_versions >= 2
    names = {item.name for item in config.input}
    assert config.model_warmup
    for warm in config.model_warmup:
        assert set(warm.inputs) == names
        assert warm.batch_size <= config.max_batch_size


@pytest.mark.parametrize("path", PLAIN, ids=name_of)
def test_on_processors_our_wrapper_serves(path: Path) -> None:
    config = read(path)
    assert config.backend == "python"
    assert all(item.allow_ragged_batch for item in config.input)
    assert NANOS in {item.name for item in config.output}
    for version in (item for item in path.parent.iterdir() if item.name.isdecimal()):
        wrapper = ROOT / "shared" / "inference" / "triton_model.py"
        assert (version / "model.py").resolve() == wrapper


@pytest.mark.parametrize("path", DECOUPLED, ids=name_of)
def test_a_model_that_answers_step_by_step_holds_together(path: Path) -> None:
    config = read(path)
    assert config.name == name_of(path)
    assert config.backend == "python"
    assert config.model_transaction_policy.decoupled
    assert config.max_batch_size == 0
    assert [group.count for group in config.instance_group] == [1]
    assert config.version_policy.latest.num_versions >= 2
    assert config.parameters["graph"].string_value == SERVED_GRAPH
    types = {item.name: item.data_type for item in config.input}
    assert types.keys() == {EVIDENCE, LANGUAGE, SEED, VOCABULARY, SECONDS, BANNED}
    assert {item.name for item in config.output} == {ROW, TOKEN}
    for version in (item for item in path.parent.iterdir() if item.name.isdecimal()):
        wrapper = ROOT / "services" / "reason" / "wording" / "triton_model.py"
        assert (version / "model.py").resolve() == wrapper


@pytest.mark.parametrize("path", VARIANTS, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_on_a_gpu_the_same_tensors_are_served(path: Path) -> None:
    config, plain = read(path), read(path.parents[1] / "config.pbtxt")
    assert shapes(config.input) == shapes(plain.input)
    assert shapes(config.output) == shapes(plain.output)
    assert NANOS not in {item.name for item in config.output}  # only the wrapper makes it
    assert config.backend == "onnxruntime"
    assert config.default_model_filename.endswith(".onnx")
    assert {group.kind for group in config.instance_group} == {GPU}
    accelerators = config.optimization.execution_accelerators.gpu_execution_accelerator
    if path.stem == "cuda":
        assert not accelerators
        return
    [accelerator] = accelerators
    assert accelerator.name == "tensorrt"
    for which in ("min", "opt", "max"):
        profile = accelerator.parameters[f"trt_profile_{which}_shapes"]
        named = [part.split(":")[0] for part in profile.split(",")]
        assert named == [item.name for item in config.input]


@pytest.mark.parametrize("path", sorted(REPOSITORY.glob("*/[0-9]*/labels.json")), ids=str)
def test_labels_fit_the_tensors(path: Path) -> None:
    outputs = {
        item.name: list(item.dims)[-1] for item in read(path.parents[1] / "config.pbtxt").output
    }
    heads = json.loads(path.read_text("utf-8"))
    for name in outputs.keys() - {NANOS}:
        head = heads[name]
        assert outputs[name] == head.get("dimension", len(head.get("labels", ())))
