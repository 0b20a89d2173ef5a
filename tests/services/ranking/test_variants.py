import numpy as np
import pytest
from pydantic import ValidationError

from services.ranking.config import DEFAULT_WEIGHTS, Settings
from services.ranking.features import FEATURES
from services.ranking.ranker import Ranker, RankInput
from services.ranking.shadow import Shadow
from services.ranking.variants import Variant, Variants
from services.ranking.weights import Weights
from shared.errors import FailedPreconditionError, InvalidArgumentError
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding


class Learnt:
    """A head that wants what is new."""

    def __init__(self, by: float | None) -> None:
        self._by = by

    def deviation(self, serving_config: str):
        if self._by is None or serving_config != "search":
            return None
        found = np.zeros(len(FEATURES))
        found[FEATURES.index("rating")] = self._by
        return found

    def deviation_root(self, serving_config: str):
        return None if self.deviation(serving_config) is None else np.eye(len(FEATURES))

    def updates(self, serving_config: str) -> int:
        return 7


def test_every_variant_ranks_by_its_own_weights(weights):
    changed = weights.model_dump()
    changed["serving"]["search"]["weights"]["rating"] = 9.0
    changed["serving"]["search"]["version"] = "tried@1"
    del changed["serving"]["recommend"]
    candidate = Weights.model_validate(changed)
    variants = Variants(weights, candidate=candidate, head=Learnt(0.5))
    rating = FEATURES.index("rating")
    own = weights.serving["search"].weights["rating"]
    plain = variants.find("", "search", "en").model
    assert (plain.version, plain.weights[rating]) == (weights.serving["search"].version, own)
    online = variants.find("online", "search", "en")
    assert online.model.version == f"{plain.version}+online@7"
    assert online.model.weights[rating] == pytest.approx(own + 0.5)
    assert online.root is None
    assert variants.find("online", "search", "en", explore=True).root is not None
    tried = variants.find("candidate", "search", "zh").model
    assert (tried.version, tried.weights[rating]) == ("tried@1", 9.0)
    with pytest.raises(FailedPreconditionError):
        variants.find("candidate", "recommend", "")
    with pytest.raises(InvalidArgumentError, match="unknown"):
        variants.find("best", "search", "")
    # Where nothing was learnt that may serve, the weights do, under their own name.
    assert variants.find("online", "recommend", "").model.version.startswith("linear-recommend@")


def test_a_variant_that_is_not_there_is_told(weights):
    with pytest.raises(FailedPreconditionError, match="learnt"):
        Variants(weights).find("online", "search", "")


def test_the_default_may_be_what_was_learnt(weights):
    variants = Variants(weights, head=Learnt(0.5), default=Variant.ONLINE)
    assert "online@7" in variants.find("", "search", "").model.version
    assert "online" not in variants.find("weights", "search", "").model.version


@pytest.mark.parametrize(("by", "overlap"), [(0.0, 1.0), (9.0, 0.0)])
def test_the_shadow_tells_how_much_the_first_places_have_in_common(
    weights, make_candidate, by, overlap
):
    candidates = [make_candidate(f"p{n:02}", "Kettle", fused=0.02 - n / 1_000) for n in range(20)]
    for n, candidate in enumerate(candidates):
        candidate.product.review_summary.rating_count = 900
        candidate.product.review_summary.average_rating = 5.0 if n >= 10 else 1.0
    ranker = Ranker(weights, 100, variants=Variants(weights, head=Learnt(by)))
    flat = RankInput(candidates, QueryUnderstanding(query="kettle"), diversity=0.0)
    shadow = Shadow(ranker, Variant.ONLINE, 1.0)
    prepared = ranker.prepare(flat)
    served = ranker.place(prepared)
    assert shadow.compare(prepared, served) == pytest.approx(overlap, abs=0.1)
    assert served == ranker.place(prepared)  # it changes nothing


def test_a_shadow_that_cannot_rank_harms_nobody(weights, make_candidate):
    ranker = Ranker(weights, 100)
    prepared = ranker.prepare(RankInput([make_candidate("a")]))
    shadow = Shadow(ranker, Variant.CANDIDATE, 1.0)
    assert shadow.compare(prepared, ranker.place(prepared)) is None
    rarely = Shadow(ranker, Variant.WEIGHTS, 1e-9)
    assert rarely.compare(prepared, ranker.place(prepared)) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"online": {"mode": "serve"}, "search_model_path": "model.json"},
        {"online": {"drift": True}},
        {"shadow": "online"},
        {"shadow": "candidate"},
        {"online": {"mode": "sometimes"}},
        {"online": {"bound": -1.0}},
    ],
)
def test_settings_that_cannot_be_meant_stop_the_start(fields):
    with pytest.raises(ValidationError):
        Settings(**fields)
    assert Settings(shadow="candidate", candidate_weights_path=DEFAULT_WEIGHTS)
