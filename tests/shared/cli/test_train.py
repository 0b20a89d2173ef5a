import sys

import pytest

from shared.cli import failures, training
from shared.cli.app import main


@pytest.fixture
def ran(monkeypatch):
    """Remembers what would have been run, and ends it with the given code."""
    calls = []

    def run(module, arguments):
        calls.append((module, list(arguments)))
        return 0

    monkeypatch.setattr(training, "run_training", run)
    return calls


def test_a_recipe_by_name_goes_to_the_training_code(ran):
    assert main(["train", "nlu", "--config", "query_zh"]) == 0
    assert ran == [("services.nlu.train", ["query_zh"])]


def test_files_are_handed_over_as_whole_paths(ran, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").touch()
    assert main(["train", "nlu", "--config", "mine.toml", "--data", "sets", "--out", "runs"]) == 0
    ((_, arguments),) = ran
    assert arguments == [
        str(tmp_path / "mine.toml"),
        *("--data", str(tmp_path / "sets")),
        *("--out", str(tmp_path / "runs")),
    ]


def test_a_recipe_that_is_not_there_is_a_usage_error(ran, capsys):
    assert main(["train", "nlu", "--config", "nowhere/none.toml"]) == failures.USAGE
    assert "no recipe nowhere/none.toml" in capsys.readouterr().err
    assert ran == []


def test_a_folder_without_weights_is_a_usage_error(ran, capsys, tmp_path):
    command = ["evaluate", "nlu", "--model", str(tmp_path), "--task", "entities_zh"]
    assert main([*command, "--data", "x.jsonl"]) == failures.USAGE
    assert "no model's folder" in capsys.readouterr().err
    assert ran == []


def test_the_model_of_reasons_is_trained_by_its_own_code(ran, tmp_path):
    assert main(["train", "reason"]) == 0
    assert main(["train", "reason", "--config", "reason_lora", "--out", str(tmp_path)]) == 0
    assert ran == [
        ("services.reason.train", ["train", "reason_small"]),
        ("services.reason.train", ["train", "reason_lora", "--out", str(tmp_path)]),
    ]
    assert main(["train", "reason", "--config", "nowhere.toml"]) == failures.USAGE


def test_a_model_is_evaluated_by_the_training_code(ran, tmp_path):
    (tmp_path / "weights.safetensors").touch()
    command = ["evaluate", "nlu", "--model", str(tmp_path), "--task", "entities_zh"]
    assert main([*command, "--data", "x.jsonl", "--json"]) == 0
    assert ran == [
        (
            "services.nlu.train.evaluate_folder",
            ["--model", str(tmp_path), "--task", "entities_zh", "--data", "x.jsonl", "--json"],
        )
    ]


def test_missing_libraries_are_named_with_their_extra(monkeypatch, capsys):
    monkeypatch.setattr(training, "LIBRARIES", ("json", "no_such_library"))
    assert main(["train", "nlu", "--config", "query_zh"]) == failures.FAILED
    err = capsys.readouterr().err
    assert "not installed: no_such_library" in err
    assert "[train]" in err


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (2, 2), (7, 1)])
def test_exit_codes_of_the_training_code(monkeypatch, tmp_path, code, expected):
    monkeypatch.setattr(training, "LIBRARIES", ())
    (tmp_path / "ends.py").write_text(f"import sys; sys.exit({code} if sys.argv[1] == 'x' else 9)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert training.run_training("ends", ["x"]) == expected


def test_the_training_code_is_run_by_the_same_interpreter(monkeypatch, tmp_path):
    monkeypatch.setattr(training, "LIBRARIES", ())
    out = tmp_path / "python"
    (tmp_path / "says.py").write_text(
        f"import pathlib, sys; pathlib.Path({str(out)!r}).write_text(sys.executable)"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert training.run_training("says", []) == 0
    assert out.read_text() == sys.executable


def test_ranking_needs_something_to_learn_from(tmp_path, capsys):
    assert main(["train", "ranking", "--out", str(tmp_path)]) == failures.USAGE
    assert "--judgments" in capsys.readouterr().err


def test_ranking_says_what_is_wrong_with_its_data(tmp_path, capfd):
    (tmp_path / "judged.npz").write_text("nothing")
    given = ["--data", str(tmp_path / "judged.npz"), "--out", str(tmp_path / "ranker")]
    assert main(["train", "ranking", *given]) == failures.USAGE
    assert "holds no data for learning to rank" in capfd.readouterr().err
    assert not (tmp_path / "ranker").exists()


def test_a_ranker_that_learns_from_logs_gets_its_files(monkeypatch, tmp_path, capsys):
    calls = []

    def run(module, arguments, **more):
        calls.append((module, list(arguments), more["extra"]))
        return 0

    monkeypatch.setattr(training, "run_training", run)
    monkeypatch.chdir(tmp_path)
    command = ["train", "ranking", "--out", "models", "--served", "a.jsonl", "--events", "e.jsonl"]
    assert main([*command, "--model", "deep"]) == 0
    ((module, arguments, extra),) = calls
    assert (module, extra) == ("services.ranking.train.logs", "train")
    given = dict(zip(arguments[::2], arguments[1::2], strict=True))
    assert given["--served"] == str(tmp_path / "a.jsonl")
    assert given["--events"] == str(tmp_path / "e.jsonl")
    assert given["--model"] == "deep"
    assert "--rounds" not in given
    assert main([*command, "--logs", "pages.jsonl"]) == failures.USAGE
    assert main(["train", "ranking", "--out", "models"]) == failures.USAGE
