"""The comparison, small."""

import json

import numpy as np
import pytest

from shared.federated import compare as command
from shared.federated.comparison import (
    BOTH,
    FEDERATED,
    LOCAL,
    POOLED,
    SECURE,
    Plan,
    compare,
    rounds_of,
)
from shared.federated.errors import FederatedError
from shared.federated.trial import Trial
from tests.shared.federated.made_up import TASK, intent_shop

PLAN = Plan(
    shops=4, many_shops=30, rounds=4, private_rounds=3, epsilons=(2.0, 30.0), secure_epsilon=30.0,
    learning_rate=0.5, sample_rate=0.5,
)  # fmt: skip


def made_up_trial() -> Trial:
    rows = intent_shop(240, seed=1)
    strata = rows.targets.astype(np.int64)
    return Trial(TASK, rows, strata, intent_shop(100, seed=2), np.zeros(0))


def test_all_ways_are_measured_and_rounds_are_as_many_as_said() -> None:
    rounds = 0

    def count() -> None:
        nonlocal rounds
        rounds += 1

    found = {each.name: each for each in compare(made_up_trial(), PLAN, on_round=count)}
    assert rounds == rounds_of(PLAN)
    assert list(found)[:4] == [POOLED, LOCAL, FEDERATED, SECURE]
    assert found[POOLED].value > 0.8
    assert found[FEDERATED].value > found[LOCAL].value
    assert found[SECURE].value == pytest.approx(found[FEDERATED].value, abs=0.02)
    assert found[LOCAL].worst <= found[LOCAL].value <= found[LOCAL].best
    strict, loose = found["private, epsilon 2"], found["private, epsilon 30"]
    assert strict.noise > loose.noise
    for outcome, most in ((strict, 2.0), (loose, 30.0), (found[f"{BOTH}, epsilon 30"], 30.0)):
        assert 0.8 * most < outcome.epsilon <= most
        assert outcome.delta == pytest.approx(0.1 / 30)
        assert outcome.shops == 30
    both = found[f"{BOTH}, epsilon 30"]
    assert both.value == pytest.approx(loose.value, abs=0.03)


def test_the_command_writes_what_was_found_and_goes_on(tmp_path, monkeypatch, capsys) -> None:
    made_up_trial().save(tmp_path / "intent")
    plan = PLAN.model_copy(update={"epsilons": (), "secure_epsilon": 0.0}).model_dump_json()
    given = ["compare", str(tmp_path / "intent"), "--plan", plan, "--out", str(tmp_path / "o.json")]
    given += ["--keep", str(tmp_path / "kept")]
    monkeypatch.setattr("sys.argv", given)
    assert command.main() == 0
    (first,) = json.loads((tmp_path / "o.json").read_text())
    assert first["figure"] == "accuracy"
    assert first["training_examples"] == 240
    assert len(list((tmp_path / "kept" / "intent").iterdir())) == 3
    assert "11 of 11 rounds" in capsys.readouterr().err
    assert command.main() == 0
    (again,) = json.loads((tmp_path / "o.json").read_text())
    values = [[each["value"] for each in part["outcomes"]] for part in (first, again)]
    assert values[0] == values[1]
    # What was kept counts as done.
    assert "11 of 11 rounds" in capsys.readouterr().err


def test_more_shops_than_examples_are_told() -> None:
    with pytest.raises(FederatedError, match="240 examples for 1000 shops"):
        list(compare(made_up_trial(), PLAN.model_copy(update={"many_shops": 1000})))
