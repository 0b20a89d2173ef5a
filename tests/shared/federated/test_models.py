"""The two models, against torch."""

import numpy as np
import pytest

from shared.federated.errors import FederatedError
from shared.federated.models import IntentHead, LinearRanker, Task
from tests.shared.federated.made_up import LABELS, TASK, WIDTH, intent_shop, rank_shop

torch = pytest.importorskip("torch", reason="the extra `models` is not installed")


def test_the_intent_head_is_a_softmax_regression() -> None:
    rows, model = intent_shop(20, seed=3), IntentHead(WIDTH, LABELS)
    random = np.random.default_rng(4)
    weights = [random.normal(size=array.shape) for array in model.initial()]
    tensors = [torch.tensor(array, requires_grad=True) for array in weights]
    scores = torch.tensor(rows.features.astype(np.float64)) @ tensors[0].T + tensors[1]
    loss = torch.nn.functional.cross_entropy(scores, torch.tensor(rows.targets.astype(np.int64)))
    loss.backward()
    assert model.loss(weights, rows) == pytest.approx(loss.item())
    for slope, tensor in zip(model.gradient(weights, rows), tensors, strict=True):
        np.testing.assert_allclose(slope, tensor.grad.numpy(), rtol=1e-6, atol=1e-9)


def test_the_ranker_has_the_listwise_softmax_loss() -> None:
    rows, model = rank_shop(9, seed=5), LinearRanker(WIDTH)
    weights = [np.random.default_rng(6).normal(size=WIDTH)]
    tensor = torch.tensor(weights[0], requires_grad=True)
    scores = torch.tensor(rows.features.astype(np.float64)) @ tensor
    loss = sum(
        -(
            torch.tensor(rows.targets[rows.example == page].astype(np.float64))
            * torch.log_softmax(scores[rows.example == page], 0)
        ).sum()
        for page in range(len(rows))
    ) / len(rows)
    loss.backward()
    assert model.loss(weights, rows) == pytest.approx(loss.item())
    np.testing.assert_allclose(model.gradient(weights, rows)[0], tensor.grad.numpy(), rtol=1e-6)


def test_a_task_tells_rows_of_another_one(tmp_path) -> None:
    path = tmp_path / "shop.npz"
    with pytest.raises(FederatedError, match="rows of 6 numbers, the task of 7"):
        Task(kind="rank", width=7, names=("f",)).check(intent_shop(2, seed=1), path)
    with pytest.raises(FederatedError, match="labels that the task does not know"):
        Task(kind="intent", width=WIDTH, names=("a",)).check(intent_shop(20, seed=1), path)
    TASK.check(intent_shop(20, seed=1), path)


def test_a_task_outlives_its_file(tmp_path) -> None:
    TASK.save(tmp_path / "task.json")
    assert Task.load(tmp_path / "task.json") == Task(kind="intent", width=6, names=("a", "b", "c"))
    (tmp_path / "task.json").write_text('{"kind": "mood"}')
    with pytest.raises(FederatedError, match="no task of federated training"):
        Task.load(tmp_path / "task.json")
