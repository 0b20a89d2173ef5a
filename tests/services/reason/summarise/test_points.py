import pytest

from services.reason.summarise.overview import write_overview
from services.reason.summarise.points import aspects, count_points
from services.reason.summarise.sentences import Text


def texts(*bodies):
    return [Text(f"r{n}", body) for n, body in enumerate(bodies, start=1)]


def sides(*bodies, language="en"):
    pros, cons = count_points(texts(*bodies), language, 10)
    return {p.aspect.code: p.reviews for p in pros}, {c.aspect.code: c.reviews for c in cons}


@pytest.mark.parametrize(
    ("body", "praised", "faulted"),
    [
        ("Very comfortable.", {"comfort"}, set()),
        ("Not comfortable at all.", set(), {"comfort"}),
        ("It is uncomfortable.", set(), {"comfort"}),
        ("Neat seams, no loose threads.", {"quality"}, set()),
        ("走线工整，没有线头。", {"quality"}, set()),
        ("到处是线头。", set(), {"quality"}),
        ("不会太甜，刚刚好。", {"taste"}, set()),
        ("有点太甜了。", set(), {"taste"}),
        ("质量不好。", set(), {"quality"}),
        ("质量很好，性价比高。", {"quality", "value_for_money"}, set()),
        ("一点都不便宜。", set(), {"value_for_money"}),
        ("I hope it is durable.", set(), set()),
        ("Not only comfortable, but cute.", {"comfort", "looks"}, set()),
        ("It is pretty noisy.", set(), {"sound"}),
        ("It is pretty.", {"looks"}, set()),
        ("Stiff until broken in.", set(), set()),
        ("I thought it was going to look cheap.", set(), set()),
        ("Is it comfortable?", set(), set()),
        ("如果质量好就买。", set(), set()),
        ("Material: linen.", set(), set()),
    ],
)
def test_reads_sides_and_denials(body, praised, faulted):
    pros, cons = sides(body, body)
    assert (set(pros), set(cons)) == (praised, faulted)


def test_a_point_needs_two_reviews_and_counts_each_once():
    pros, cons = sides("Comfortable. So comfy!", "It is overpriced.", "很舒服。")
    assert pros == {"comfort": 2}
    assert cons == {}
    assert sides("Comfortable. So comfy!") == ({}, {})


def test_examples_are_spans_of_distinct_reviews_in_the_language_first():
    reviews = texts("很舒服。", "Oh! Really comfortable.", "So comfy", "It is comfy.", "Not comfy.")
    pros, _ = count_points(reviews, "en", 5)
    (comfort,) = pros
    assert (comfort.reviews, comfort.opposing) == (4, 1)
    assert [m.review_id for m in comfort.mentions] == ["r2", "r3", "r4"]
    bodies = {review.id: review.body for review in reviews}
    for mention in comfort.mentions:
        assert bodies[mention.review_id][mention.start : mention.end] == mention.text


def test_overview_says_the_counts():
    reviews = texts("Comfy, good quality.", "很舒服，质量很好。", "Comfy, overpriced.", "太贵了。")
    pros, cons = count_points(reviews, "en", 5)
    assert write_overview(pros, cons, 4, "en") == (
        "3 of 4 reviews praise the comfort and 2 the quality."
        " 2 of 4 reviews fault the value for money."
    )
    assert write_overview(pros, cons, 4, "zh") == (
        "4条评价中，3条称赞舒适度，2条称赞质量；2条批评性价比。"
    )
    assert write_overview([], [], 4, "en") == ""


def test_every_aspect_has_both_sides_in_both_languages():
    assert len(aspects()) >= 10
    for aspect in aspects():
        assert set(aspect.labels) == {"en", "zh"}
        assert [side for side, _ in aspect.sides] == [False, False, True, True]
