"""Which category goes with which, by the surest source that says anything."""

import pytest

from services.recommend.graph.complementarity import learn_complements
from services.recommend.graph.schema import Source


def guessed(*categories: str) -> set[tuple[str, str]]:
    """Complements of sibling categories of one product each, whose values are all the same."""
    named = {f"p{n}": category for n, category in enumerate(categories)}
    found = learn_complements(
        named,
        values={key: ["colour=black"] for key in named},
        parents=dict.fromkeys(categories, "above"),
    )
    assert all(each.source is Source.ATTRIBUTES for each in found)
    return {(each.category, each.complement) for each in found}


def test_siblings_that_are_alike_go_together():
    assert guessed("above > rugs", "above > curtains") == {
        ("above > rugs", "above > curtains"),
        ("above > curtains", "above > rugs"),
    }


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("above > wireless headphones", "above > wired headphones"),
        ("above > Fountain pens", "above > Gel Pens"),
        ("above > 无线耳机", "above > 有线耳机"),
        ("pen", "fountain pens"),
    ],
)
def test_one_kind_is_bought_in_place_of_itself(first: str, second: str):
    assert guessed(first, second) == set()


def test_what_shoppers_bought_together_goes_together_whatever_its_name():
    named = {"a": "wired headphones", "b": "wireless headphones"}
    found = learn_complements(named, links=[("a", "b"), ("a", "b"), ("b", "a"), ("b", "a")])
    assert {(each.source, each.weight) for each in found} == {(Source.LINKS, 1.0)}
