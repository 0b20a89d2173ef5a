"""What models are measured on."""

import numpy as np
import pytest

from shared.evaluation.metrics import ndcg
from shared.federated.errors import FederatedError
from shared.federated.models import Task
from shared.federated.trial import Trial
from tests.shared.federated.made_up import LABELS, TASK, WIDTH, intent_shop, rank_shop


def test_accuracy_is_the_share_of_right_labels(tmp_path) -> None:
    test = intent_shop(40, seed=2)
    trial = Trial(TASK, intent_shop(9, seed=1), np.zeros(9, dtype=np.int64), test, np.zeros(0))
    identity = [np.eye(LABELS, WIDTH), np.zeros(LABELS)]
    assert trial.measure(identity) == 1.0
    always_first = [np.zeros((LABELS, WIDTH)), np.array([1.0, 0.0, 0.0])]
    assert trial.measure(always_first) == np.mean(test.targets == 0)
    trial.save(tmp_path / "t")
    assert Trial.load(tmp_path / "t").measure(always_first) == trial.measure(always_first)


def test_ndcg_is_that_of_the_suite() -> None:
    test = rank_shop(6, seed=3)
    weights = [np.random.default_rng(4).normal(size=WIDTH)]
    task = Task(kind="rank", width=WIDTH, names=("f",))
    judged, expected = [], []
    for page in range(len(test)):
        own = test.example == page
        ratings = {str(at): int(rating) for at, rating in enumerate(test.targets[own])}
        order = [str(at) for at in np.argsort(-(test.features[own] @ weights[0]), kind="stable")]
        value = ndcg(order, ratings)
        judged.append(value is not None)
        expected.append(value)
    kept = test.of_examples(np.flatnonzero(judged))
    from shared.evaluation.metrics import dcg

    ideals = [
        dcg(sorted(kept.targets[kept.example == page].astype(int).tolist(), reverse=True)[:10])
        for page in range(len(kept))
    ]
    trial = Trial(task, kept, np.zeros(len(kept), dtype=np.int64), kept, np.array(ideals))
    known = [value for value in expected if value is not None]
    assert known
    assert trial.measure(weights) == pytest.approx(np.mean(known))


def test_a_folder_that_holds_none_is_told(tmp_path) -> None:
    with pytest.raises(FederatedError, match="no task"):
        Trial.load(tmp_path)
