"""How the model's wrapper in Triton splits requests into passes."""

import ast
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

MODEL = Path(__file__).resolve().parents[3] / "models" / "minilm_l6" / "1" / "model.py"


@pytest.fixture(scope="module")
def model() -> dict[str, Any]:
    """The wrapper's constants and functions; its imports exist within Triton only."""
    tree = ast.parse(MODEL.read_text("utf-8"))
    tree.body = [node for node in tree.body if isinstance(node, ast.Assign | ast.FunctionDef)]
    names: dict[str, Any] = {}
    exec(compile(tree, str(MODEL), "exec"), names)  # noqa: S102 - our own file
    return names


def test_short_queries_share_a_pass(model: dict[str, Any]) -> None:
    assert len(model["groups_of_like_length"]([(1, 5), (1, 12), (1, 7), (1, 6)])) == 1


def test_short_texts_are_not_padded_to_a_long_one(model: dict[str, Any]) -> None:
    assert model["groups_of_like_length"]([(1, 128), (8, 16)]) == [[1], [0]]


def test_like_lengths_share_a_pass(model: dict[str, Any]) -> None:
    assert model["groups_of_like_length"]([(8, 60), (8, 64)]) == [[0, 1]]


@given(st.lists(st.tuples(st.integers(1, 64), st.integers(1, 128)), min_size=1, max_size=30))
def test_every_request_is_in_one_pass(model: dict[str, Any], shapes: list[tuple[int, int]]) -> None:
    groups = model["groups_of_like_length"](shapes)
    assert sorted(position for group in groups for position in group) == list(range(len(shapes)))
