"""What a product only looks like gives no tag."""

import pytest

from services.reason.tags.likeness import is_likeness
from services.reason.tags.mentions import MentionFinder
from services.reason.tags.passages import passages_of
from services.reason.tags.vocabulary import Term, Vocabulary
from tests.services.reason.tags.conftest import product_of

AUDIENCE, MATERIAL, COLOUR = "audience", "material", "colour"


@pytest.mark.parametrize(
    ("text", "form", "key", "expected"),
    [
        ("cat-patterned mug", "cat", AUDIENCE, True),
        ("cat print mug", "cat", AUDIENCE, True),
        ("lace-up boots", "lace", MATERIAL, True),
        ("wood effect shelf", "wood", MATERIAL, True),
        ("faux leather bag", "leather", MATERIAL, True),
        ("仿皮手袋", "皮", MATERIAL, True),
        ("猫咪图案马克杯", "猫", AUDIENCE, True),
        ("black patterned dress", "black", COLOUR, False),
        ("cat litter", "cat", AUDIENCE, False),
        ("lace dress", "lace", MATERIAL, False),
        ("leather lookout", "leather", MATERIAL, False),
        ("猫砂", "猫", AUDIENCE, False),
    ],
)
def test_likenesses(text, form, key, expected):
    start = text.index(form)
    assert is_likeness(text, start, start + len(form), key) is expected


def test_a_mug_with_cats_is_not_for_cats():
    vocabulary = Vocabulary((Term("audience", "cats", ("cat", "cats")),))
    finder = MentionFinder(vocabulary)
    for text, count in (("Cat-patterned mug", 0), ("Litter for cats", 1)):
        passages = passages_of(product_of(titles={"en": text}))
        assert len(finder.find(passages, [0])) == count
