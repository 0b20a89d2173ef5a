"""The bundled catalogue: reviews, sales, and that what is searched for is there."""

import math
import statistics
from collections import defaultdict
from datetime import UTC

import pytest

from shared.catalogue.generate.dates import REFERENCE_DATE


def of_type(products, name):
    return [p for p in products if name in p.attributes["product_type"].texts]


def test_reviews_agree_with_the_rating(products):
    pairs = [
        (p.review_summary.average_rating, statistics.fmean(r.rating for r in p.reviews))
        for p in products
    ]
    assert statistics.correlation(*zip(*pairs, strict=True)) > 0.7
    liked = [p for p in products if p.review_summary.average_rating >= 4.5]
    disliked = [p for p in products if p.review_summary.average_rating <= 3.3]
    assert len(liked) > 200
    assert len(disliked) > 50
    assert _praise(liked, "quality") > 0.8
    assert _praise(disliked, "quality") < 0.4
    assert _praise(liked, "value_for_money") > _praise(disliked, "value_for_money") + 0.2


def _praise(products, aspect):
    opinions = [o for p in products for o in p.review_summary.opinions if o.aspect == aspect]
    positive = sum(o.positive_count for o in opinions)
    return positive / (positive + sum(o.negative_count for o in opinions))


def test_what_a_review_says_agrees_with_its_stars(products, vocabulary):
    says = {key: defaultdict(set) for key in ("praise", "faults")}
    # Kinds of one name and path share their sentences here.
    for category in vocabulary.categories:
        for kind in category.types:
            for key, remarks in (("praise", kind.praise), ("faults", kind.faults)):
                says[key][kind.name, *kind.path].update(
                    text.lower() for remark in remarks for text in remark.text.values()
                )
    for p in products:
        kind = (p.attributes["product_type"].texts[0], *p.category_path)
        for review in p.reviews:
            text = review.text.lower()
            praises = any(sentence in text for sentence in says["praise"][kind])
            faults = any(sentence in text for sentence in says["faults"][kind])
            if review.rating <= 2:
                assert (praises, faults) == (False, True)
            elif review.rating == 3:
                assert (praises, faults) == (True, True)
            else:
                assert praises
                assert not (faults and review.rating == 5)


def test_reviews_come_after_the_release_and_newest_first(products):
    for p in products:
        assert 2 <= len(p.reviews) <= 6
        assert p.review_summary.rating_count >= len(p.reviews)
        times = [review.create_time.ToDatetime(UTC) for review in p.reviews]
        assert times == sorted(times, reverse=True)
        assert p.release_time.ToDatetime(UTC) < times[-1]
        assert times[0] < REFERENCE_DATE


def test_sales_have_a_long_tail(products):
    for p in products:
        counts = p.statistics
        assert counts.view_count >= counts.cart_count >= counts.purchase_count >= 0
    views = sorted((p.statistics.view_count for p in products), reverse=True)
    tenth = sum(views[: len(views) // 10])
    assert 0.35 < tenth / sum(views) < 0.8
    logs = [math.log(view) for view in views if view]
    assert abs(statistics.fmean(logs) - statistics.median(logs)) < 0.3


def test_opinions_on_gifts_are_only_those_of_gifts(products):
    for p in products:
        aspects = {opinion.aspect for opinion in p.review_summary.opinions}
        assert aspects <= {"value_for_money", "quality", "reputation", "gift"}
        assert "gift" not in aspects or "gift" in p.tags


@pytest.mark.parametrize(
    ("name", "wanted", "count"),
    [
        ("headphones", lambda p: p.price.amount <= 200, 10),
        ("backpack", lambda p: "black" not in p.attributes["colour"].texts, 20),
        ("cake", lambda p: 4 <= p.attributes["size"].numbers[0] <= 6, 15),
        ("dress", lambda p: "red" in p.attributes["colour"].texts, 8),
        ("yoga mat", lambda p: p.category_path[-1] == "Yoga mats", 20),
        ("teapot", lambda p: p.price.amount > 0, 20),
        ("vacuum flask", lambda p: "保温杯" in p.titles["zh"], 30),
        ("sneakers", lambda p: p.category_path[-1] == "Running shoes", 40),
        ("sneakers", lambda p: p.price.amount < 300, 20),
        ("kettle", lambda p: p.attributes["capacity"].unit == "ml", 20),
    ],
)
def test_what_the_examples_search_for_is_there(products, name, wanted, count):
    assert sum(wanted(p) for p in of_type(products, name)) >= count


def test_there_are_cups_for_several_pages(products):
    assert len(of_type(products, "cup")) + len(of_type(products, "mug")) >= 60


def test_cakes_are_sized_in_chinese_inches(products):
    cakes = of_type(products, "cake")
    assert {p.attributes["size"].unit for p in cakes} == {"寸"}
    assert {size for p in cakes for size in p.attributes["size"].numbers} == {4, 6, 8, 10}


def test_a_dear_material_makes_a_dear_product(products):
    flasks = defaultdict(list)
    for p in of_type(products, "vacuum flask"):
        flasks[p.attributes["material"].texts[0]].append(p.price.amount)
    assert statistics.median(flasks["titanium"]) > statistics.median(flasks["stainless steel"])
