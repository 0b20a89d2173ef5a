"""What a stage may take, by configuration and as it is learnt."""

import pytest

from services.orchestrator import budget
from services.orchestrator.stage_budgets import Budgets
from shared.deadline import Deadline, set_current_deadline
from shared.metrics import STAGE_BUDGET


@pytest.fixture(autouse=True)
def nothing_learnt(monkeypatch) -> None:
    monkeypatch.setattr(budget, "_learnt", {})


def test_a_stage_knows_its_name() -> None:
    assert Budgets().nlu.stage == "nlu"
    assert Budgets.model_validate({"nlu": {"seconds": 1, "reserve": 0}}).nlu.stage == "nlu"


def test_nothing_is_learnt_unless_it_is_asked_for() -> None:
    nlu = Budgets().nlu
    for _ in range(100):
        budget.learn(nlu, 0.001)
    assert budget.stage_seconds(nlu) == nlu.seconds


def test_a_budget_follows_its_stage_within_bounds() -> None:
    nlu = Budgets(learn=True).nlu
    assert budget.stage_seconds(nlu) == nlu.seconds, "until enough is known"
    for taken, wanted in ((0.001, 0.25 * nlu.seconds), (0.1, 0.4), (3.0, nlu.seconds)):
        for _ in range(256):
            budget.learn(nlu, taken)
        assert budget.stage_seconds(nlu) == pytest.approx(wanted)
        told = STAGE_BUDGET.labels("nlu")._value.get()
        assert told == pytest.approx(wanted)
    assert budget.stage_seconds(Budgets(learn=True).ranking) == Budgets().ranking.seconds


async def test_the_deadline_goes_before() -> None:
    nlu = Budgets(learn=True).nlu
    set_current_deadline(Deadline.after(0.2))
    assert budget.stage_timeout(nlu) <= 0.1
