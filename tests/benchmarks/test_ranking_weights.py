import numpy as np
import pytest

from benchmarks import judged_pages as pages
from benchmarks import ranking_weights as rw
from services.ranking.features import FEATURES


def page(scores, cross=()):
    table = np.zeros((len(scores), len(FEATURES)))
    table[:, FEATURES.index("fused_score")] = scores
    return pages.Page([f"p{n}" for n in range(len(scores))], table, list(cross))


def weights(**named):
    return np.array([named.get(name, 0.0) for name in FEATURES])


def test_the_cross_encoder_has_a_say_among_the_first_alone(monkeypatch):
    monkeypatch.setattr(pages, "CROSS_READ", 2)
    shown = page([0.9, 0.8, 0.7], [0.1, 0.9, 0.99])
    given = weights(fused_score=1.0, cross_score=1.0)
    assert pages.ranked(shown, given, precise=False) == ["p0", "p1", "p2"]
    assert pages.ranked(shown, given, precise=True) == ["p1", "p0", "p2"]


def test_both_figures_of_a_query():
    shown = page([0.9, 0.8])
    query = pages.Query({"p1": 3}, shown, shown)
    figures = pages.measure([query], weights(fused_score=1.0))
    assert figures == pytest.approx(np.array([[1 / np.log2(3)], [1.0]]))


def test_a_query_with_too_many_judged_products_has_no_second_figure():
    query = pages.Query({"p0": 3}, page([0.9, 0.8]), None)
    full, judged = pages.measure([query], weights(fused_score=1.0))
    assert full == [1.0]
    assert np.isnan(judged).all()


def test_left_out_queries_are_ranked_by_what_was_best_on_the_others():
    # The first setting is best on every query but by little; the second shines on one alone.
    figures = np.full((2, 2, 10), 0.8)
    figures[0] += 0.01
    figures[1, :, 3] = 0.83
    means, spread = rw.out_of_fold([figures], rw.worth_in_english)
    assert means == pytest.approx(np.array([[0.81, 0.81]]))
    assert spread == pytest.approx(np.zeros((1, 2)), abs=1e-12)


def test_two_sets_choose_together_and_are_split_each_for_itself():
    # The first setting gains 0.2 in the one set and loses 0.1 in the other.
    one, other = np.full((2, 2, 10), 0.5), np.full((2, 2, 7), 0.5)
    one[0], other[0] = 0.7, 0.4
    one[:, 1, :5] = np.nan
    means, _ = rw.out_of_fold([one, other], rw.worth_in_chinese)
    assert means == pytest.approx(np.array([[0.7, 0.7], [0.4, 0.4]]))


def test_a_setting_changes_its_own_weights_alone():
    settings = rw.settings_of({"rating": (0.1, 0.2), "stock": (0.3,)})
    assert settings == [{"rating": 0.1, "stock": 0.3}, {"rating": 0.2, "stock": 0.3}]
    given = rw.weighed({"rating": 9.0, "freshness": 0.5}, settings[1])
    assert given == pytest.approx(weights(rating=0.2, stock=0.3, freshness=0.5))


def test_the_tables_name_what_was_chosen():
    shown = page([0.9, 0.8], [0.5, 0.5])
    query = pages.Query({"p1": 3}, shown, shown)
    english = rw.english_section([query] * 5)
    assert "288 settings" in english
    chinese = rw.chinese_section([pages.Query({"p1": 3}, shown, None)] * 5, [query] * 6)
    (left_out,) = [line for line in chinese.splitlines() if line.startswith("| left out")]
    assert left_out.count("0.631 ± 0.000") == 2
    assert "1.000 ± 0.000" in left_out
