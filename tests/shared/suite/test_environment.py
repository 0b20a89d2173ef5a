"""What ties the processes of a suite together."""

import pytest

from shared.inference.settings import REASON_MODEL
from shared.suite.environment import chosen_models

NAMES = (
    "WHEREFORE_RECOMMEND_NEXT_ITEM_MODEL",
    "WHEREFORE_RANKING_DEEP_MODEL",
    "WHEREFORE_REASON_MODEL",
)


def test_triton_loads_the_models_that_settings_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    assert chosen_models({}) == ([REASON_MODEL] if REASON_MODEL else [])
    monkeypatch.setenv("WHEREFORE_RANKING_DEEP_MODEL", "deep_ranker")
    chosen = chosen_models({"WHEREFORE_REASON_MODEL": "reason_small"})
    assert chosen == ["deep_ranker", "reason_small"]
    assert chosen_models({"WHEREFORE_REASON_MODEL": ""}) == ["deep_ranker"]
