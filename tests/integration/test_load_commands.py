"""The commands that load a suite, tried on the one that runs."""

import pytest
from cyclopts import CycloptsError

from benchmarks.load.__main__ import app
from shared.suite import Suite

pytestmark = pytest.mark.suite


@pytest.fixture
def tried(suite: Suite) -> list[str]:
    return ["--quick", "--target", suite.target("orchestrator")]


def run(*arguments: str) -> None:
    app(arguments, exit_on_error=False, print_error=False, result_action="return_value")


def test_acceptance_leaves_its_sections(
    tried: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    run("acceptance", *tried)
    text = capsys.readouterr().out
    assert text.count("## ") >= 3
    for heading in ("Search from 1 to 64 clients", "What orchestration costs", "Overload"):
        assert f"## {heading}" in text
    assert "Sustained at most" in text
    assert "in the orchestrator:" in text
    assert "p99 of admitted calls" in text


def test_a_mix_of_calls(tried: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    kinds = [f"--mix.{kind}=1" for kind in ("search", "recommend", "event", "completion")]
    run("mix", "--rate", "10", *kinds, *tried)
    assert "## A mix of calls" in capsys.readouterr().out


def test_a_mix_is_offered_in_one_way(tried: list[str]) -> None:
    with pytest.raises((SystemExit, CycloptsError)):
        run("mix", *tried)
