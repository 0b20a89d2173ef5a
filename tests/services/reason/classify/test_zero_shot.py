"""Categories by their names alone, without an encoder and with one."""

import numpy as np
import pytest

from services.reason.classify.result import Abstention, Outcome
from services.reason.classify.zero_shot import Taxonomy, classify
from wherefore.common.v1.product_pb2 import Product

PATHS = [
    ("Kitchen", "Kettles"),
    ("Kitchen", "Coffee Mugs"),
    ("Bags", "Backpacks"),
    ("厨具", "水壶"),
]
TAXONOMY = Taxonomy(PATHS)


def titled(**titles):
    return Product(id="x", titles=titles)


@pytest.mark.parametrize(
    ("product", "path"),
    [
        (titled(en="Steel kettle, 1.7 l"), PATHS[0]),
        (titled(en="Mug for coffee"), PATHS[1]),
        (titled(zh="不锈钢水壶"), PATHS[3]),
    ],
)
def test_words_of_the_name_find_the_category(product, path):
    (said,) = classify(TAXONOMY, [product], None)
    assert said.answer.outcome is Outcome.CATEGORY
    assert said.answer.path == path
    (*_, strongest) = sorted(said.evidence, key=lambda each: each.contribution)
    assert strongest.contribution > 0
    whole = said.bias + said.other + sum(each.contribution for each in said.evidence)
    assert whole == pytest.approx(said.score)


def test_without_a_shared_word_nothing_is_said():
    (said,) = classify(TAXONOMY, [titled(en="Garden hose")], None)
    assert said.answer.outcome is Outcome.ABSTAINED
    assert said.answer.why is Abstention.NOT_OF_TAXONOMY


def test_meaning_finds_what_words_do_not():
    cosines = np.array([[0.1, 0.1, 0.9, 0.0]])
    (said,) = classify(TAXONOMY, [titled(en="Rucksack")], cosines)
    assert said.answer.path == PATHS[2]
    assert said.evidence == []
    assert said.bias == pytest.approx(said.score)


def test_a_vector_is_made_of_the_name_and_its_parents():
    assert TAXONOMY.texts[1] == "Coffee Mugs. Kitchen"
