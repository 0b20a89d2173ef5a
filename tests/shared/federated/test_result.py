"""What a run leaves is read again, and told when it is no such thing."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("opacus", reason="the extra `federated` is not installed")

from shared.federated.errors import FederatedError
from shared.federated.result import CARD_FILE, MODEL_FILE, read_result
from tests.shared.federated.made_up import TASK
from tests.shared.federated.runs import run_of, sure_of


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    weights = [np.arange(18.0).reshape(3, 6), np.array([1.0, 2.0, 3.0])]
    result = run_of(tmp_path, TASK, weights)
    assert result.task == TASK
    for read, written in zip(result.weights, weights, strict=True):
        np.testing.assert_array_equal(read, written)
    told = result.told()
    assert "over 12 shops, 3 rounds with secure aggregation" in told
    assert f"epsilon {result.card.privacy.epsilon:.2f} at delta 8.3e-03" in told  # type: ignore[union-attr]


def test_a_run_that_is_damaged_is_told(tmp_path: Path) -> None:
    with pytest.raises(FederatedError, match="holds no model of federated training"):
        read_result(tmp_path / "nowhere")
    run_of(tmp_path, TASK, sure_of(0, 3, 6))
    whole = (tmp_path / MODEL_FILE).read_bytes()
    (tmp_path / MODEL_FILE).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FederatedError, match="holds no model of federated training"):
        read_result(tmp_path)
    (tmp_path / MODEL_FILE).write_bytes(whole)
    card = json.loads((tmp_path / CARD_FILE).read_text())
    (tmp_path / CARD_FILE).write_text(json.dumps({**card, "shops": 0}))
    with pytest.raises(FederatedError, match="shops: "):
        read_result(tmp_path)
    card["task"]["width"] = 7
    (tmp_path / CARD_FILE).write_text(json.dumps(card))
    with pytest.raises(FederatedError, match="is not of the task"):
        read_result(tmp_path)


def test_weights_without_end_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FederatedError, match="no number"):
        run_of(tmp_path, TASK, [np.full((3, 6), np.nan), np.zeros(3)])
