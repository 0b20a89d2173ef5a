"""How the model's wrapper in Triton splits requests into passes."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MODEL = Path(__file__).resolve().parents[3] / "shared" / "inference" / "triton_model.py"


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The wrapper; what it imports of Triton exists within Triton only."""
    monkeypatch.setitem(sys.modules, "triton_python_backend_utils", FakeUtils())
    spec = importlib.util.spec_from_file_location("wrapper_under_test", MODEL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class FakeUtils(ModuleType):
    """Triton's own module as far as the wrapper uses it: requests are dictionaries of arrays."""

    def __init__(self) -> None:
        super().__init__("triton_python_backend_utils")

    class Tensor:
        def __init__(self, name: str, array: np.ndarray) -> None:
            self.name, self.array = name, array

    class InferenceResponse:
        def __init__(self, output_tensors: list[Any]) -> None:
            self.arrays = {tensor.name: tensor.array for tensor in output_tensors}

    @staticmethod
    def get_input_tensor_by_name(request: Any, name: str) -> Any:
        return request.tensors[name]


class FakeTensor:
    def __init__(self, array: np.ndarray) -> None:
        self._array = array

    def as_numpy(self) -> np.ndarray:
        return self._array


class FakeRequest:
    def __init__(self, wanted: list[str], **arrays: np.ndarray) -> None:
        self._wanted = wanted
        self.tensors = {name: FakeTensor(array) for name, array in arrays.items()}

    def requested_output_names(self) -> list[str]:
        return self._wanted


class Adder:
    """A session whose outputs tell what it was given: ids + segments a token, their sum a row."""

    def __init__(self) -> None:
        self.passes: list[tuple[list[str], tuple[int, ...]]] = []

    def run(self, names: list[str], feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
        ids, segments = feeds["input_ids"], feeds["segments"]
        self.passes.append((names, ids.shape))
        both = (ids + segments).astype(np.float32)
        made = {"tags": np.stack([both, -both], axis=-1), "total": both.sum(1, keepdims=True)}
        return [made[name] for name in names]


def ids(*rows: list[int]) -> np.ndarray:
    return np.asarray(rows, dtype=np.int32)


@pytest.fixture
def instance(model: Any) -> Any:
    instance = model.TritonPythonModel()
    instance._inputs = ["input_ids", "segments"]
    instance._outputs = ["tags", "total"]
    instance._per_token = {"tags"}
    instance._session = Adder()
    return instance


def test_every_request_gets_its_own_rows_at_its_own_length(instance: Any) -> None:
    both = ["tags", "total", "inference_nanos"]
    first = FakeRequest(both, input_ids=ids([5, 6]), segments=ids([1, 0]))
    second = FakeRequest(
        both, input_ids=ids([1, 2, 3], [4, 5, 6]), segments=ids([0, 0, 0], [1, 1, 1])
    )
    one, two = (response.arrays for response in instance.execute([first, second]))
    assert instance._session.passes == [(["tags", "total"], (3, 3))]
    assert one["tags"].tolist() == [[[6, -6], [6, -6]]]
    assert one["total"].tolist() == [[12]]
    assert two["tags"][:, :, 0].tolist() == [[1, 2, 3], [5, 6, 7]]
    assert two["total"].tolist() == [[6], [18]]
    assert one["inference_nanos"].shape == (1, 1)
    assert two["inference_nanos"].shape == (2, 1)


def test_only_what_somebody_asked_for_is_computed(instance: Any) -> None:
    request = FakeRequest(["total"], input_ids=ids([5]), segments=ids([0]))
    (response,) = instance.execute([request])
    assert list(response.arrays) == ["total"]
    assert instance._session.passes[0][0] == ["total"]


def test_short_queries_share_a_pass(model: Any) -> None:
    assert len(model.groups_of_like_length([(1, 5), (1, 12), (1, 7), (1, 6)])) == 1


def test_short_texts_are_not_padded_to_a_long_one(model: Any) -> None:
    assert model.groups_of_like_length([(1, 128), (8, 16)]) == [[1], [0]]


def test_like_lengths_share_a_pass(model: Any) -> None:
    assert model.groups_of_like_length([(8, 60), (8, 64)]) == [[0, 1]]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 64), st.integers(1, 128)), min_size=1, max_size=30))
def test_every_request_is_in_one_pass(model: Any, shapes: list[tuple[int, int]]) -> None:
    groups = model.groups_of_like_length(shapes)
    assert sorted(position for group in groups for position in group) == list(range(len(shapes)))
