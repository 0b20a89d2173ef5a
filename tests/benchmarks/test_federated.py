"""The section on federated training."""

import pytest

pytest.importorskip("matplotlib")

from benchmarks.federated import section
from shared.cli.commands.evaluate_federated import plans, summary


def trial(pooled: float, federated: float) -> dict[str, object]:
    def row(name: str, value: float, **more: float) -> dict[str, object]:
        return {"name": name, "shops": 9, "rounds": 3, "value": value, "seconds": 1.0, **more}

    outcomes = [
        row("pooled", pooled),
        row("each shop alone", 0.5, worst=0.4, best=0.6),
        row("federated", federated),
        row("private, epsilon 8", 0.7, epsilon=7.99, delta=1e-4, noise=0.9),
    ]
    return {"figure": "accuracy", "training_examples": 90, "test_examples": 10,
            "outcomes": outcomes}  # fmt: skip


@pytest.mark.parametrize(("federated", "told"), [(0.89, "-1.0 points, kept"), (0.87, "missed")])
def test_it_says_whether_federated_training_keeps_up_and_what_epsilon_costs(federated, told):
    found = summary("intent", [trial(0.88, federated), trial(0.92, federated)], plans()["intent"])
    assert found["outcomes"][0]["value"] == pytest.approx(0.90)
    text = section([found], "python -m benchmarks.federated", "made-up data")
    assert told in text
    assert "| private, epsilon 8 | 9 | 3 | 0.7000 | -20.0 | 7.99 | 1.0e-04 | 0.90 |" in text
