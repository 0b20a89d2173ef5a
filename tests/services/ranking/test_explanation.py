from dataclasses import replace

import pytest

from services.ranking.explanation import MAX_EXPLAINED, explain_ranking
from services.ranking.explanation_words import CHANGEABLE, GROUPS, feature_label
from services.ranking.features import FEATURES
from services.ranking.ranker import RankInput
from shared.errors import InvalidArgumentError
from wherefore.common.v1.product_pb2 import AVAILABILITY_IN_STOCK, AVAILABILITY_OUT_OF_STOCK
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding


@pytest.fixture
def candidates(make_candidate):
    made = [
        make_candidate(
            f"p{n}",
            f"{'Red' if n % 3 else 'Blue'} kettle {'for camping ' * (n % 2)}{n}",
            dense=0.2 + 0.004 * n,
            sparse=float(n % 5),
            fused=0.1 + 0.001 * n,
            brand="Acme" if n % 2 else "Zeta",
        )
        for n in range(30)
    ]
    for n, candidate in enumerate(made):
        candidate.product.stock.availability = (
            AVAILABILITY_OUT_OF_STOCK if n == 29 else AVAILABILITY_IN_STOCK
        )
        candidate.product.review_summary.average_rating = 1 + n % 5
        candidate.product.review_summary.rating_count = 50
    return made


def ranked(ranker, candidates):
    return ranker.rank(
        RankInput(
            candidates, query=QueryUnderstanding(query="acme kettle"), include_contributions=True
        )
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_groups_and_parts_sum_to_the_score(ranker, candidates, language):
    ranking = ranked(ranker, candidates)
    explanations = explain_ranking(ranking, (), language)
    assert [e.placed for e in explanations] == list(ranking.results[:MAX_EXPLAINED])
    for explanation in explanations:
        total = ranking.base_value + sum(group.contribution for group in explanation.groups)
        assert total == pytest.approx(explanation.placed.score, abs=1e-6)
        for group in explanation.groups:
            assert group.contribution == pytest.approx(
                sum(part.contribution for part in group.parts), abs=1e-12
            )
        sizes = [abs(group.contribution) for group in explanation.groups]
        assert sizes == sorted(sizes, reverse=True)


def test_what_is_said_to_put_a_product_first_does_so(ranker, candidates):
    ranking = ranked(ranker, candidates)
    last = next(p for p in ranking.results if p.product_id == "p29")
    assert last.rank > 1
    (explanation,) = explain_ranking(ranking, ["p29"], "en")
    change = explanation.counter_factual
    assert change is not None
    assert change.feature == "stock"
    assert change.needed in (0.5, 1.0)  # stock takes no other value
    assert "in stock" in change.text or "ordered for later" in change.text
    candidates[29].product.stock.availability = AVAILABILITY_IN_STOCK
    assert ranked(ranker, candidates).results[0].product_id == "p29"


def test_no_change_is_claimed_without_a_linear_model_or_for_the_first(ranker, candidates):
    ranking = ranked(ranker, candidates)
    assert any(e.counter_factual for e in explain_ranking(ranking, (), "en"))
    unknown = replace(ranking, linear=False)
    assert not any(e.counter_factual for e in explain_ranking(unknown, (), "en"))
    assert explain_ranking(ranking, (), "en")[0].counter_factual is None


def test_words_follow_the_language(ranker, candidates):
    ranking = ranked(ranker, candidates)
    chinese = explain_ranking(ranking, ["p3"], "zh")[0]
    english = explain_ranking(ranking, ["p3"], "en")[0]
    assert [g.group for g in chinese.groups] == [g.group for g in english.groups]
    assert all("\u4e00" <= g.label[0] <= "\u9fff" for g in chinese.groups)
    assert all(g.label.isascii() for g in english.groups)


def test_every_group_names_features_that_exist_once():
    named = [feature for group in GROUPS for feature in group.features]
    assert len(set(named)) == len(named)
    assert set(named) <= set(FEATURES)
    assert set(CHANGEABLE) <= set(FEATURES)
    for language in ("en", "zh"):
        for feature in FEATURES:
            lifts, lowers = (feature_label(feature, by, language) for by in (0.1, -0.1))
            assert lifts != lowers
            assert (lifts[0].isascii(), lowers[0].isascii()) == (language == "en",) * 2
        assert len({group.label(-0.1, language) for group in GROUPS}) == len(GROUPS)


def test_what_lowers_a_score_is_told_as_a_lack(ranker, candidates):
    candidates[5].product.stock.availability = AVAILABILITY_OUT_OF_STOCK
    ranking = ranked(ranker, candidates)
    (gone,) = explain_ranking(ranking, ["p5"], "en")
    stock = next(group for group in gone.groups if group.group == "stock")
    assert stock.contribution < 0
    assert stock.label == stock.parts[0].label == "is not in stock"
    (there,) = explain_ranking(ranking, ["p3"], "en")
    assert {g.label for g in there.groups if g.group == "stock"} <= {"is in stock"}


@pytest.mark.parametrize(
    ("ids", "field"),
    [
        (["nobody"], "product_ids[0]"),
        (["p1", "p1"], "product_ids[1]"),
        ([f"p{n}" for n in range(21)], "product_ids"),
    ],
)
def test_bad_products_are_named(ranker, candidates, ids, field):
    with pytest.raises(InvalidArgumentError) as caught:
        explain_ranking(ranked(ranker, candidates), ids, "en")
    assert [violation.field for violation in caught.value.violations] == [field]
