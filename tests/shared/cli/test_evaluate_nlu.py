import json
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from shared.evaluation.search_evaluation import SuiteTargets


@pytest.fixture
def reviews(tmp_path):
    def write(*texts):
        path = tmp_path / "reviews.jsonl"
        rows = [json.dumps({"review": text, "label": label}) + "\n" for text, label in texts]
        path.write_text("".join(rows))
        return str(path)

    return write


def test_json_is_the_one_figure_and_nothing_else(running, reviews):
    data = reviews(("good", 1), ("bad", 1), ("so so", 0), ("bad", 0), ("  ", 1))
    done = running.run("eval", "nlu", "--task", "sentiment_zh", "--data", data, "--json")
    assert done.code == 0, done.err
    assert done.json == {"task": "sentiment_zh", "metric": "accuracy", "value": 0.4, "n": 5}
    assert "4 texts were read by query_test@1" in done.err
    assert "1 texts are empty" in done.err
    assert running.suite.requests[0].language_code == "zh"


def test_entities_are_scored_by_span(running, tmp_path):
    path = tmp_path / "queries.jsonl"
    rows = [
        {"text": "red mug", "spans": [[0, 3, "COLOUR"], [4, 7, "PRODUCT_TYPE"]]},
        {"text": "mug", "spans": [[0, 3, "BRAND"]]},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = running.run("eval", "nlu", "--task", "entities_en", "--data", str(path), "--json")
    assert done.json == {
        "task": "entities_en",
        "metric": "f1",
        "value": pytest.approx(2 / 5),
        "n": 2,
    }
    shown = running.run("eval", "nlu", "--task", "entities_en", "--data", str(path))
    assert "micro F1 of exact spans and types 0.4000 over 2 texts" in shown.out
    for label in ("COLOUR", "PRODUCT_TYPE", "BRAND"):
        assert label in shown.out


def test_many_texts_go_in_batches_and_keep_their_places(running, reviews):
    texts = [("good" if place % 3 else "bad", int(place % 3 > 0)) for place in range(500)]
    data = reviews(*texts)
    done = running.run("eval", "nlu", "--task", "sentiment_zh", "--data", data, "--json")
    assert done.json["value"] == 1.0
    sizes = [len(request.texts) for request in running.suite.requests]
    assert sorted(sizes) == [500 % 64, *[64] * (500 // 64)]
    assert "500 of 500 texts read" in done.err


def test_a_bad_file_is_named_by_line_and_field(running, reviews):
    data = reviews(("good", 1), ("bad", 7))
    done = running.run("eval", "nlu", "--task", "sentiment_zh", "--data", data, "--json")
    assert done.code == 2
    assert done.out == ""
    assert "reviews.jsonl:2: label: '7' is none of" in done.err
    assert running.suite.requests == []


def test_an_unknown_task_is_a_usage_error(running, reviews):
    done = running.run("eval", "nlu", "--task", "poetry", "--data", reviews(("good", 1)))
    assert done.code == 2
    assert "entities_zh" in done.err


def test_a_model_that_does_not_answer_is_exit_code_3(running, reviews):
    done = running.run("eval", "nlu", "--task", "sentiment_zh", "--data", reviews(("down", 1)))
    assert done.code == 3
    assert "wherefore up" in done.err


def test_no_suite_is_exit_code_3(capsys, monkeypatch, reviews):
    from shared.cli.app import main

    monkeypatch.setenv("WHEREFORE_ORCHESTRATOR_NLU_TARGET", "127.0.0.1:1")
    assert main(["eval", "nlu", "--task", "sentiment_zh", "--data", reviews(("good", 1))]) == 3
    assert "is it up?" in capsys.readouterr().err


def test_a_private_suite_is_asked_when_one_is_wanted(running, reviews, monkeypatch, capsys):
    from shared.cli.app import main

    asked = []

    @asynccontextmanager
    async def fake_suite(home=None, *, triton=True, services=()):
        asked.append((triton, services))
        yield SimpleNamespace(targets=SuiteTargets("nowhere", running.target, "nowhere"))

    monkeypatch.setattr("shared.cli.private_suite.private_suite", fake_suite)
    data = reviews(("good", 1))
    command = ["eval", "nlu", "--task", "sentiment_zh", "--data", data, "--private-suite"]
    assert main([*command, "--no-triton", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["value"] == 1.0
    assert asked == [(False, ("nlu",))]
