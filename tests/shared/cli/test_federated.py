"""`wherefore train federated` and `wherefore eval federated`."""

import json

import numpy as np
import pytest

pytest.importorskip("opacus", reason="the extra `federated` is not installed")

from services.ranking.config import DEFAULT_WEIGHTS
from services.ranking.weights import load_weights
from shared.cli.app import main
from shared.federated import environment
from shared.federated.models import Task
from shared.federated.rows import Rows
from tests.shared.federated.made_up import TASK, intent_shop
from tests.shared.federated.runs import run_of


@pytest.fixture
def shops(tmp_path):
    TASK.save(tmp_path / "task.json")
    paths = [tmp_path / f"shop{at}.npz" for at in range(4)]
    for at, path in enumerate(paths):
        intent_shop(30, seed=at).save(path)
    return [str(path) for path in paths]


def run(capfd, *arguments):
    code = main([*arguments])
    return code, *capfd.readouterr()


def needs_flower() -> None:
    if (told := environment.problem()) is not None:
        pytest.skip(told)


def test_shops_train_one_model_and_its_card_says_what_it_spent(capfd, tmp_path, shops) -> None:
    needs_flower()
    given = ["train", "federated", "run", *shops, "--task", str(tmp_path / "task.json")]
    given += ["--out", str(tmp_path / "model"), "--rounds", "2", "--epsilon", "40", "--clip", "1"]
    code, printed, told = run(capfd, *given, "--json")
    assert code == 0, told
    card = json.loads(printed)
    assert card["shops"] == 4
    assert card["settings"]["secure"] is True
    assert 30 < card["privacy"]["epsilon"] <= 40
    assert card["privacy"]["delta"] == pytest.approx(0.025)
    assert "2 of 2 rounds" in told
    assert (tmp_path / "model" / "model.npz").is_file()
    code, _, told = run(capfd, *given, "--seed", "9")
    assert code == 2
    assert "another run" in told


def test_a_file_that_is_none_is_told_by_name(capfd, tmp_path, shops) -> None:
    needs_flower()
    (tmp_path / "bad.npz").write_text("x")
    given = ["train", "federated", "run", *shops, str(tmp_path / "bad.npz")]
    given += ["--task", str(tmp_path / "task.json"), "--out", str(tmp_path / "model")]
    code, _, told = run(capfd, *given)
    assert code == 2
    assert "bad.npz is no file of `wherefore train federated prepare`" in told


def test_two_shops_are_too_few_for_a_secure_sum(capfd, tmp_path, shops) -> None:
    needs_flower()
    given = ["train", "federated", "run", *shops[:2], "--task", str(tmp_path / "task.json")]
    code, _, told = run(capfd, *given, "--out", str(tmp_path / "model"))
    assert code == 2
    assert "wait for more shops" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["prepare", "--out", "s.npz"], "give --intents or --pages"),
        (["prepare", "--intents", "a.csv", "--out", "s.npz"], "--intents needs --labels"),
    ],
)
def test_what_is_missing_is_told(capfd, tmp_path, monkeypatch, arguments, told) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, errors = run(capfd, "train", "federated", *arguments)
    assert code == 2
    assert told in errors


def test_epsilon_needs_a_clip(capfd, tmp_path, shops) -> None:
    needs_flower()
    given = ["train", "federated", "run", *shops, "--task", str(tmp_path / "task.json")]
    code, _, told = run(capfd, *given, "--out", str(tmp_path / "m"), "--epsilon", "8")
    assert code == 2
    assert "--epsilon needs --clip" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("text,intent\nhi,a\n", "has no column utterance"),
        ("utterance,intent\n,\n", "holds no utterance"),
        ("utterance,intent\nhi,zoo\n", "intents that the labels do not name: zoo"),
    ],
)
def test_utterances_that_do_not_fit_are_told(capfd, tmp_path, text, told) -> None:
    (tmp_path / "a.csv").write_text(text)
    (tmp_path / "labels.txt").write_text("a\nb\n")
    given = ["--intents", str(tmp_path / "a.csv"), "--labels", str(tmp_path / "labels.txt")]
    code, _, errors = run(
        capfd, "train", "federated", "prepare", *given, "--out", str(tmp_path / "s.npz")
    )
    assert code == 2
    assert told in errors


def test_a_page_log_becomes_rows(capfd, tmp_path) -> None:
    page = {
        "query": "kettle",
        "results": [
            {"id": "A", "place": 1, "propensity": 0.7, "features": {"rating": 0.8}},
            {"id": "B", "place": 2, "propensity": 0.5, "clicked": True},
            {"id": "C", "features": {"rating": 0.4}},
        ],
    }
    (tmp_path / "pages.jsonl").write_text(json.dumps(page) + "\n")
    given = ["--pages", str(tmp_path / "pages.jsonl"), "--out", str(tmp_path / "shop.npz")]
    code, _, told = run(capfd, "train", "federated", "prepare", *given)
    assert code == 0, told
    rows, task = Rows.load(tmp_path / "shop.npz"), Task.load(tmp_path / "task.json")
    assert rows.targets.tolist() == [0.0, 2.0]
    assert rows.features[0, task.names.index("rating")] == pytest.approx(0.8)
    task.check(rows, tmp_path / "shop.npz")


@pytest.mark.parametrize("arguments", [[], ["--train", "a.csv"], ["--dev", "a.csv"]])
def test_an_evaluation_needs_something_to_measure(capfd, arguments) -> None:
    code, _, told = run(capfd, "eval", "federated", *arguments)
    assert code == 2
    assert "--train with --dev, or --judged" in told


def test_an_evaluation_tells_a_file_that_is_not_there(capfd, tmp_path) -> None:
    needs_flower()
    given = ["--train", str(tmp_path / "no.csv"), "--dev", str(tmp_path / "no.csv")]
    code, _, told = run(capfd, "eval", "federated", *given)
    assert code == 2
    assert "no.csv" in told
    code, _, told = run(capfd, "eval", "federated", "--judged", str(tmp_path / "no.npz"))
    assert code == 2
    assert "holds no data for learning to rank" in told


@pytest.mark.parametrize("encoder", ["query_en", "@1", "query_en@0", "query_en@new"])
def test_an_encoder_has_a_version(capfd, tmp_path, encoder) -> None:
    given = ["--intents", "a.csv", "--labels", "l.txt", "--out", str(tmp_path / "s.npz")]
    code, _, told = run(capfd, "train", "federated", "prepare", *given, "--encoder", encoder)
    assert code == 2
    assert "such as query_en@1" in told


def ranker_run(folder, names, weights) -> None:
    task = Task(kind="rank", width=len(names), names=tuple(names))
    run_of(folder, task, [np.asarray(weights)])


def test_a_ranker_becomes_weights_that_ranking_reads(capfd, tmp_path) -> None:
    ranker_run(tmp_path / "run", ("rating", "sparse_score"), [3.0, 4.0])
    given = ["publish", str(tmp_path / "run"), "--name", "shop_ranker"]
    given += ["--models", str(tmp_path / "models"), "--json"]
    code, printed, told = run(capfd, "train", "federated", *given)
    assert code == 0, told
    path = tmp_path / "models" / "shop_ranker" / "1" / "weights.json"
    assert json.loads(printed) == {
        "model": "shop_ranker@1",
        "folder": str(path.parent),
        "setting": f"WHEREFORE_RANKING_CANDIDATE_WEIGHTS_PATH={path}",
    }
    made, base = load_weights(path), load_weights(DEFAULT_WEIGHTS)
    search = made.serving["search"]
    assert search.version == "shop_ranker@1"
    assert search.weights["sparse_score"] / search.weights["rating"] == pytest.approx(4 / 3)
    lengths = [
        np.linalg.norm(list(each.serving["search"].weights.values())) for each in (made, base)
    ]
    assert lengths[0] == pytest.approx(lengths[1])
    assert not search.languages
    assert search.diversity == base.serving["search"].diversity
    assert made.serving["recommend"] == base.serving["recommend"]
    assert made.calibration == base.calibration
    assert "`shop_ranker@1`" in (path.parent.parent / "README.md").read_text()
    code, _, told = run(capfd, "train", "federated", *given[:-1])
    assert code == 0
    assert "shop_ranker@2 written to" in told


@pytest.mark.parametrize(
    ("feature", "weight", "told"),
    [
        ("no_such", 1.0, "weights of unknown features: no_such"),
        ("rating", 0.0, "every weight is 0"),
    ],
)
def test_a_ranker_that_cannot_serve_is_told(capfd, tmp_path, feature, weight, told) -> None:
    ranker_run(tmp_path / "run", (feature,), [weight])
    arguments = [str(tmp_path / "run"), "--name", "ranker", "--models", str(tmp_path / "models")]
    code, _, errors = run(capfd, "train", "federated", "publish", *arguments)
    assert code == 2
    assert told in errors
    assert not (tmp_path / "models").exists()


def test_what_is_no_name_of_a_model_is_told(capfd, tmp_path) -> None:
    ranker_run(tmp_path / "run", ("rating",), [1.0])
    given = ["publish", str(tmp_path / "run"), "--name", "1st", "--models", str(tmp_path)]
    code, _, told = run(capfd, "train", "federated", *given)
    assert code == 2
    assert "no name of a model" in told


def test_a_folder_without_a_run_is_told(capfd, tmp_path) -> None:
    given = ["publish", str(tmp_path), "--name", "shop_intents"]
    code, _, told = run(capfd, "train", "federated", *given)
    assert code == 2
    assert "holds no model of federated training" in told
