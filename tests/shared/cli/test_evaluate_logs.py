import json
import random

import pytest

from services.ranking.config import DEFAULT_WEIGHTS
from shared.cli import failures
from shared.cli.app import main


@pytest.fixture
def log(tmp_path):
    """Two products in either order, half and half; only the well-rated one is ever clicked."""
    drawn = random.Random(4)  # noqa: S311 - chance, not secrets
    path = tmp_path / "pages.jsonl"
    with path.open("w") as stream:
        for number in range(600):
            first = drawn.random() < 0.5
            results = [
                {"id": "a", "place": 1 if first else 2, "features": {"rating": 1.0}},
                {"id": "b", "place": 2 if first else 1, "features": {"rating": 0.0}},
            ]
            results[0]["clicked"] = drawn.random() < (0.8 if first else 0.4)
            for result in results:
                result["propensity"] = 0.5
            stream.write(json.dumps({"query": f"q{number % 40}", "results": results}) + "\n")
    return path


@pytest.fixture
def weights(tmp_path):
    """A ranker that goes by the rating alone."""
    path = tmp_path / "weights.toml"
    text = DEFAULT_WEIGHTS.read_text()
    start, end = text.index("[serving.search.weights]"), text.index("[serving.search.diversity]")
    path.write_text(text[:start] + "[serving.search.weights]\nrating = 1.0\n" + text[end:])
    return path


def test_a_better_ranker_is_estimated_from_the_log_of_another(capsys, log, weights):
    command = ["eval", "ranking-logs", "--logs", str(log), "--weights", str(weights)]
    assert main([*command, "--json"]) == failures.OK
    found = json.loads(capsys.readouterr().out)
    assert found["pages"] == 600
    for name in ("ips", "snips", "dr"):
        value, low, high = found["estimates"][name]["clicks"]
        assert low < 0.8 < high
        assert found["estimates"][name]["gain"][1] > 0
        assert low < value < high
    assert main(command) == failures.OK
    shown = capsys.readouterr().out
    assert "doubly robust" in shown
    assert "600 pages of 40 queries" in shown


def test_impossible_propensities_are_warned_of(capsys, log, weights):
    log.write_text(log.read_text().replace('"propensity": 0.5', '"propensity": 0.05'))
    assert main(["eval", "ranking-logs", "--logs", str(log), "--weights", str(weights)]) == 0
    assert "the propensities are wrong" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name one ranker"),
        (["--weights", "none.toml"], "none.toml"),
        (["--model", "none.json"], "none.json"),
    ],
)
def test_wrong_arguments_are_usage_errors(capsys, log, arguments, said):
    assert main(["eval", "ranking-logs", "--logs", str(log), *arguments]) == failures.USAGE
    assert said in capsys.readouterr().err


def test_a_damaged_log_is_named_with_its_line(capsys, log, weights):
    log.write_text(log.read_text() + "{}\n")
    command = ["eval", "ranking-logs", "--logs", str(log), "--weights", str(weights)]
    assert main(command) == failures.USAGE
    assert f"{log.name}:601" in "".join(capsys.readouterr().err.split())
