import numpy as np
import pytest

from services.ranking.ablation import TYPES, without_features
from services.ranking.explanation_words import GROUPS
from services.ranking.ranker import Ranker, RankInput
from services.ranking.weights import Weights, load_weights
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding


def test_each_config_lacks_one_group_and_nothing_else(weights):
    more, names = without_features(weights)
    served = weights.serving["search"].weights
    features = {group.key: group.features for group in GROUPS} | {"types": TYPES}
    for group, name in names.items():
        left_out = {f for f in features[group] if served.get(f)}
        kept = {f: w for f, w in more.serving[name].weights.items() if w}
        assert kept == {f: w for f, w in served.items() if f not in left_out}
        assert left_out or weights.serving["search"].languages
        assert group in more.serving[name].version
    assert more.serving["search"] == weights.serving["search"]


def test_a_group_that_weighs_nothing_has_no_config(weights):
    _, names = without_features(weights)
    assert "bought" not in names  # already_bought weighs in recommendations alone
    assert {"words", "meaning", "kind", "types", "stock"} <= set(names)


def test_a_language_has_no_weight_for_what_is_left_out(weights):
    document = weights.model_dump()
    document["serving"]["search"]["languages"] = {"zh": {"title_coverage": 9.0, "stock": 0.1}}
    more, names = without_features(Weights.model_validate(document))
    assert more.serving[names["words"]].weights_in("zh")["title_coverage"] == 0
    assert more.serving[names["words"]].weights_in("zh")["stock"] == 0.1


def test_the_weights_survive_their_file(weights, tmp_path):
    more, _ = without_features(weights)
    path = tmp_path / "weights.json"
    path.write_text(more.model_dump_json())
    assert load_weights(path) == more
    path.write_text(more.model_dump_json().replace("fused_score", "fuzed_score", 1))
    with pytest.raises(ValueError, match="fuzed_score"):
        load_weights(path)


def test_what_is_left_out_has_no_say(weights, make_candidate):
    more, names = without_features(weights)
    ranker = Ranker(more, 100)
    candidates = [make_candidate("a", "Red kettle"), make_candidate("b", "Kettle", brand="Brio")]
    query = QueryUnderstanding(query="brio kettle", search_text="brio kettle")
    given = ranker.rank(RankInput(candidates, query))
    without = ranker.rank(RankInput(candidates, query, serving_config=names["attributes"]))
    gained = {p.product_id: p.score for p in given.results}["b"]
    lost = {p.product_id: p.score for p in without.results}["b"]
    assert gained - lost == pytest.approx(weights.serving["search"].weights["brand_match"])
    assert np.isfinite(lost)
