import json

import lightgbm
import numpy as np
import pytest

from services.ranking.config import Settings
from services.ranking.explanation import explain_ranking
from services.ranking.features import FEATURES
from services.ranking.ranker import Ranker, RankInput
from services.ranking.server import RankingServer
from services.ranking.tree_model import ModelFileError, TreeModel
from services.ranking.variants import Variants
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).random((400, len(FEATURES)))


@pytest.fixture(scope="module")
def model(rows):
    target = rows[:, 0] * rows[:, 3] + rows[:, 8] ** 2
    data = lightgbm.Dataset(rows, target)
    trees = lightgbm.train({"objective": "regression", "verbose": -1}, data, 40)
    return TreeModel("lambdamart-search@7", FEATURES, {"fused_score": 2.0, "stock": 0.3}, trees)


def test_contributions_sum_to_the_score(model, rows):
    base, contributions = model.contributions(rows[:100])
    assert contributions.shape == (100, len(FEATURES))
    assert base + contributions.sum(axis=1) == pytest.approx(model.score(rows[:100]), abs=1e-6)
    assert model.base_value(rows[:100]) == pytest.approx(base, abs=1e-9)


def test_a_file_serves_as_the_model_that_was_saved(model, rows, tmp_path):
    model.save(tmp_path / "model.json")
    read = TreeModel.load(tmp_path / "model.json")
    assert read.version == "lambdamart-search@7"
    assert read.score(rows) == pytest.approx(model.score(rows), abs=1e-9)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"features": ["magic"]}, "magic"),
        ({"features": FEATURES[:-1]}, "features"),
        ({"trees": "not trees"}, "trees"),
        ({"format": 9}, "format 9"),
        ({"linear": {"magic": 1.0}}, "magic"),
        ({"version": None}, "version"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_by_name(model, tmp_path, change, said):
    path = tmp_path / "model.json"
    model.save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ModelFileError, match=said) as caught:
        TreeModel.load(path)
    assert str(path) in str(caught.value)


def test_a_learnt_model_ranks_searches_only_and_is_explained(weights, model, make_candidate):
    ranker = Ranker(weights, 100, variants=Variants(weights, learnt={"search": model}))
    candidates = [make_candidate(f"p{n}", f"Kettle {n}", sparse=n, fused=n + 1) for n in range(25)]
    ranking = ranker.rank(
        RankInput(candidates, query=QueryUnderstanding(query="kettle"), include_contributions=True)
    )
    assert ranking.model == "lambdamart-search@7"
    for explanation in explain_ranking(ranking, (), "en"):
        total = ranking.base_value + sum(group.contribution for group in explanation.groups)
        assert total == pytest.approx(explanation.placed.score, abs=1e-6)
        assert explanation.counter_factual is None
    plain = ranker.rank(RankInput(candidates, query=QueryUnderstanding(query="kettle")))
    assert [p.score for p in plain.results] == [p.score for p in ranking.results]
    assert plain.base_value == pytest.approx(ranking.base_value, abs=1e-9)
    recommended = ranker.rank(RankInput(candidates, serving_config="recommend"))
    assert recommended.model.startswith("linear-recommend@")


async def test_the_service_serves_a_model_by_configuration(model, tmp_path):
    model.save(tmp_path / "model.json")
    server = RankingServer(Settings(search_model_path=tmp_path / "model.json"))
    await server.start()
    await server.check_ready()
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(ModelFileError):
        await RankingServer(Settings(search_model_path=tmp_path / "model.json")).start()
