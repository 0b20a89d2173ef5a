import json
import subprocess
import sys

import numpy as np
import pytest

from services.ranking.features import FEATURES
from services.ranking.model import LinearModel
from services.ranking.train.__main__ import worth_serving
from services.ranking.train.compare import cross_validate, measure
from services.ranking.train.dataset import DatasetError, RankingData, build_dataset
from services.ranking.train.importance import main as importance_main
from services.ranking.train.importance import page_importance
from services.ranking.train.lambdamart import LOWERING, Settings, fit, importance
from services.ranking.tree_model import TreeModel
from shared.evaluation.metrics import ndcg
from shared.evaluation.significance import Difference, Interval, paired_bootstrap
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding


def test_the_measure_is_ndcg_of_the_whole_query(data, weights):
    model = LinearModel.of("l", weights)
    measured = measure(model, data)
    scores = model.score(data.features)
    for number in (0, 7):
        rows = data.rows(number)
        order = np.argsort(-scores[rows], kind="stable")
        ratings = {str(i): int(r) for i, r in enumerate(data.ratings[rows])}
        ranking = [str(i) for i in order]
        assert measured.full[number] == pytest.approx(ndcg(ranking, ratings))
        judged = [i for i in ranking if data.judged[rows][int(i)]]
        assert measured.judged_only[number] == pytest.approx(ndcg(judged, ratings))


def test_trees_learn_what_weights_cannot_say(data, weights):
    linear, trees = cross_validate(
        data,
        [lambda _: LinearModel.of("l", weights), lambda part: fit(part, weights, "t")],
    )
    difference = paired_bootstrap(trees.full.tolist(), linear.full.tolist())
    assert difference.better
    away = difference.interval
    assert 0 < away.low < away.mean < away.high


def test_trees_are_not_called_better_where_nothing_can_be_learnt(make_data, weights):
    linear, trees = cross_validate(
        make_data(learnable=False),
        [lambda _: LinearModel.of("l", weights), lambda part: fit(part, {}, "t", Settings(20))],
    )
    difference = paired_bootstrap(trees.full.tolist(), linear.full.tolist())
    assert not difference.better
    assert not worth_serving(difference, difference)


def test_no_fold_sees_a_query_that_it_is_measured_on(data, weights):
    seen: list[set[str]] = []

    def spy(part: RankingData) -> LinearModel:
        seen.append(set(part.texts))
        return LinearModel.of("l", weights)

    (measured,) = cross_validate(data, [spy])
    assert [len(texts) for texts in seen] == [48] * 5
    held = [set(data.texts) - texts for texts in seen]
    assert set().union(*held) == set(data.texts)
    assert sum(map(len, held)) == len(data.texts)
    # Whatever the folds, each query's figure is its own.
    assert measured.full == pytest.approx(measure(LinearModel.of("l", weights), data).full)


def test_a_gain_by_one_measure_does_not_outweigh_a_loss_by_the_other():
    gain = Difference(Interval(0.02, 0.01, 0.03), 0.001)
    loss = Difference(Interval(-0.02, -0.03, -0.01), 0.001)
    nothing = Difference(Interval(-0.001, -0.01, 0.01), 0.8)
    assert worth_serving(gain, nothing)
    assert not worth_serving(gain, loss)
    assert not worth_serving(nothing, nothing)


def test_more_of_a_feature_never_lowers_a_score_unless_it_means_worse(data, weights):
    model = fit(data, {}, "t")
    rows = np.random.default_rng(0).random((50, len(FEATURES)))
    for column, name in enumerate(FEATURES):
        low, high = rows.copy(), rows.copy()
        low[:, column], high[:, column] = 0.0, 1.0
        change = model.score(high) - model.score(low)
        assert ((change <= 1e-12) if name in LOWERING else (change >= -1e-12)).all(), name


def test_importance_names_what_decides(data):
    assert set(list(importance(fit(data, {}, "t"), data))[:2]) == {"sparse_score", "dense_cosine"}


def test_training_is_repeatable(data, weights):
    first, second = fit(data, weights, "t"), fit(data, weights, "t")
    assert (first.score(data.features) == second.score(data.features)).all()


def test_data_come_back_as_they_were_written(data, tmp_path):
    path = tmp_path / "data.npz"
    data.save(path)
    read = RankingData.load(path)
    assert (read.features == data.features).all()
    assert (read.judged == data.judged).all()
    assert (list(read.ideals), list(read.texts)) == (list(data.ideals), list(data.texts))
    (tmp_path / "bad.npz").write_bytes(b"PK nothing")
    with pytest.raises(DatasetError, match=r"bad\.npz"):
        RankingData.load(tmp_path / "bad.npz")


def test_queries_that_teach_nothing_are_left_out(make_candidate):
    understood = QueryUnderstanding(query="kettle")
    found = [make_candidate("a", "Kettle", sparse=2.0), make_candidate("b", "Lamp", sparse=1.0)]
    pages = {"kettle": (understood, found), "none": (understood, []), "bad": (understood, found)}
    judgments = {"kettle": {"a": 3, "gone": 2}, "none": {"a": 1}, "bad": {"a": 0}}
    data = build_dataset(pages, judgments, 0.0)
    assert data.texts == ["kettle"]
    assert data.ratings.tolist() == [3, 0]
    assert data.judged.tolist() == [True, False]
    assert data.ideals == [[3, 2]]
    with pytest.raises(DatasetError):
        build_dataset({"bad": pages["bad"]}, judgments, 0.0)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "services.ranking.train", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_a_model_its_card_and_its_plot_are_written(data, tmp_path):
    data.save(tmp_path / "data.npz")
    done = run("--data", str(tmp_path / "data.npz"), "--out", str(tmp_path / "out"), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["queries"] == 60
    model = TreeModel.load(tmp_path / "out" / "model.json")
    assert model.version == told["version"] == "lambdamart-search@1"
    card = (tmp_path / "out" / "README.md").read_text()
    assert f"{told['ndcg@10']['trees']:.3f}" in card
    assert "<svg" in (tmp_path / "out" / "importance.svg").read_text()


def test_bad_files_are_usage_errors(tmp_path):
    (tmp_path / "data.npz").write_text("nothing")
    done = run("--data", str(tmp_path / "data.npz"), "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_importance_of_the_served_weights_is_told_and_drawn(data, tmp_path, capsys):
    model = LinearModel.of("linear@9", {"sparse_score": 2.0, "rating": 0.5})
    found = page_importance(model, data)
    pages = [data.features[data.rows(query)] for query in range(len(data.texts))]
    for name, weight in (("sparse_score", 2.0), ("rating", 0.5)):
        column = FEATURES.index(name)
        spread = [np.abs(page[:, column] - page[:, column].mean()).mean() for page in pages]
        assert found[name] == pytest.approx(weight * np.mean(spread))
    assert next(iter(found)) == "sparse_score"
    data.save(tmp_path / "judged.npz")
    picture = tmp_path / "importance.svg"
    command = ["--data", str(tmp_path / "judged.npz"), "--plot", str(picture)]
    assert importance_main(command) == 0
    assert "sparse_score" in capsys.readouterr().out
    assert "<svg" in picture.read_text()
    assert importance_main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["importance"].keys() == set(FEATURES)
    assert importance_main([*command, "--serving-config", "nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err
