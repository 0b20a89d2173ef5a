"""Pairs of counts: each must be one aspect's, the one that is named beside it."""

import pytest

from shared.evaluation.claims import Record, check_text
from wherefore.common.v1.product_pb2 import Product


def record() -> Record:
    product = Product(id="p1")
    product.titles["en"] = "Kettle"
    summary = product.review_summary
    summary.rating_count = 30
    for aspect, praise, blame in (("quality", 18, 3), ("value_for_money", 7, 1), ("gift", 2, 5)):
        summary.opinions.add(aspect=aspect, positive_count=praise, negative_count=blame)
    return Record(product)


@pytest.mark.parametrize(
    "text",
    [
        "18 of 21 reviews praise the quality.",
        "7 of the 8 reviews that mention value for money praise it.",
        "Praised for value in 7 of 8 reviews, praised for quality in 18 of 21 reviews.",
        "Reviewers like the quality: 18 of 21 say so, and 7 of 8 reviews praise the value.",
        "18 of 21 reviews that mention quality praise it and 7 of the 8 reviews that mention"
        " value for money praise it.",
        "Of 21 reviews on its quality 18 are positive.",
        "21条相关评价中18条称赞质量好；8条相关评价中有7条称赞性价比高。",
        "18条评价称赞质量好，相关评价共21条。",
        "21条相关评价中有18条认可质量好，8条相关评价中有7条称赞性价比高。",
        "性价比受到好评，8条相关评价中有7条称赞。",
    ],
)
def test_pairs_that_are_on_record(text: str) -> None:
    causes = {cause for claim in check_text(text, record()).claims for cause in claim.causes}
    assert "praise" not in causes


@pytest.mark.parametrize(
    "text",
    [
        "18 of 30 reviews praise the quality.",
        "18 of 21 reviews praise the value.",
        "Praised for value in 18 of 21 reviews, praised for quality in 7 of 8 reviews.",
        "Praised for quality in 21 of 18 reviews.",
        "18 of 21 reviews that mention quality praise it and 18 of the 21 reviews that mention"
        " value for money praise it.",
        "Of 30 reviews on its quality 18 are positive.",
        "2 of 7 reviews call it a good gift.",
        "30条相关评价中18条称赞质量好。",
        "18条评价称赞性价比高，相关评价共21条。",
    ],
)
def test_pairs_that_are_not(text: str) -> None:
    causes = {cause for claim in check_text(text, record()).claims for cause in claim.causes}
    assert "praise" in causes
