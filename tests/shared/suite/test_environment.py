"""What ties the processes of a suite together."""

from pathlib import Path

import pytest

from shared.inference.settings import REASON_MODEL
from shared.suite.environment import chosen_models, service_environment
from shared.suite.ports import PortPlan

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


def test_a_suite_that_is_looked_at_draws_the_bundled_catalogue(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = "WHEREFORE_ORCHESTRATOR_PICTURES_DRAWN"
    monkeypatch.delenv(name, raising=False)

    def told(service: str = "orchestrator", *, private: bool = False) -> str | None:
        return service_environment(
            service,
            tmp_path,
            PortPlan.free(),
            triton=False,
            model="query_en",
            private=private,
            log_level="info",
        ).get(name)

    assert told() == "true"
    assert told(private=True) is None
    assert told("nlu") is None
    monkeypatch.setenv(name, "false")
    assert told() == "false"
