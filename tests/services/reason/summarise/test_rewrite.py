from dataclasses import replace

import pytest

from services.reason.summarise.points import aspects, count_points
from services.reason.summarise.rewrite import rewrite
from services.reason.summarise.sentences import Text, count_words
from services.reason.summarise.verify import verify
from services.reason.summarise.wordings import wording
from shared.evaluation.summary_claims import SummaryClaimText, unsupported

REVIEWS = [
    Text("r1", "Very comfortable boots. They run a size small."),
    Text("r2", "So comfortable from the first day! Good quality leather."),
    Text("r3", "The leather is good quality. But they run small."),
    Text("r4", "很舒服，就是偏小一码。质量很好。"),
    Text("r5", "Not comfortable at all. It fits me perfectly."),
]
TEXTS = {review.id: review.body for review in REVIEWS}


def rewritten(language="en", budget=80, quotes=(), banned=()):
    pros, cons = count_points(REVIEWS, language, 5)
    return rewrite(pros, cons, quotes, REVIEWS, language=language, budget=budget, banned=banned)


def check(found, language):
    claims = [SummaryClaimText(claim.text, claim.review_ids) for claim in found.claims]
    return unsupported(found.text, claims, TEXTS, language)


def test_says_counts_of_those_who_speak_of_an_aspect():
    found = rewritten(quotes=[("r1", "They run a size small.")])
    assert found.text == (
        "Reviewers find it of good quality (3 of 3) and comfortable (3 of 4), but 3 of 4 find"
        " the size off. In their words: “They run a size small.”"
    )
    assert [claim.review_ids for claim in found.claims] == [
        ("r2", "r3", "r4"), ("r1", "r2", "r4"), ("r1", "r3", "r4"), ("r1",),
    ]  # fmt: skip
    assert not found.rejected
    assert check(found, "en") == []


def test_says_the_same_in_chinese():
    found = rewritten("zh", quotes=[("r4", "质量很好。")])
    assert found.text == (
        "评价称质量好（3条中3条）、舒适（4条中3条），但4条中3条称尺码不合。原话：“质量很好。”"
    )
    assert check(found, "zh") == []


def test_keeps_to_the_budget_and_is_empty_without_points():
    found = rewritten(budget=14)
    assert 0 < count_words(found.text) <= 14
    assert len(found.claims) < 3
    assert rewrite([], [], [("r1", "x")], REVIEWS, language="en", budget=50).text == ""


def test_quotes_fill_what_is_left_of_the_budget():
    quotes = [
        ("r1", "Very comfortable boots."),
        ("r2", "So comfortable from the first day!"),
        ("r3", "But they run small."),
        ("r5", "It fits me perfectly."),
    ]
    found = rewritten(budget=200, quotes=quotes)
    assert [claim.text for claim in found.claims[-3:]] == [text for _, text in quotes[:3]]
    assert check(found, "en") == []
    found = rewritten(budget=36, quotes=quotes)
    assert 3 < len(found.claims) < 6
    assert not found.claims[-1].aspect
    assert count_words(found.text) <= 36


def test_banned_words_drop_their_claim():
    found = rewritten(banned=("comfortable",))
    assert "comfortable" not in found.text
    assert [each.cause for each in found.rejected] == ["banned"]
    assert "of good quality" in found.text


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"text": "comfortable (4 of 4)"}, "number"),
        ({"text": "comfortable (3 of 5)"}, "number"),
        ({"text": "very comfortable (3 of 4)"}, "value"),
        ({"text": "of good quality (3 of 4)"}, "value"),
        ({"text": "not comfortable (3 of 4)"}, "value"),
        ({"text": "舒适（4条中3条）"}, "language"),
        ({"review_ids": ("r1", "r2")}, "number"),
        ({"review_ids": ("r1", "r2", "r3")}, "evidence"),
        ({"review_ids": ("r1", "r2", "r9")}, "evidence"),
        ({"review_ids": ()}, "evidence"),
        ({"praises": False}, "evidence"),
        ({"aspect": "taste"}, "evidence"),
        ({"aspect": "", "text": "They are comfortable.", "review_ids": ("r1",)}, "evidence"),
    ],
)
def test_what_reviews_do_not_bear_out_is_rejected(change, cause):
    claim = next(claim for claim in rewritten().claims if claim.aspect == "comfort")
    judged = verify([claim, replace(claim, **change)], REVIEWS, "en")
    assert judged.kept == (claim,)
    assert [each.cause for each in judged.rejected] == [cause]


@pytest.mark.parametrize(
    "wrong",
    [
        ("comfortable (2 of 4)", ("r1", "r2", "r4")),
        ("comfortable (3 of 4)", ("r1", "r2", "r5")),
        ("comfortable (3 of 4)", ("r1", "r2", "r3")),
        ("easy to use (3 of 4)", ("r1", "r2", "r4")),
        ("3 of 4 find it uncomfortable", ("r1", "r2", "r4")),
        ("magnetic (3 of 4)", ("r1", "r2", "r4")),
        ("They run wild.", ("r1",)),
    ],
)
def test_the_checker_finds_what_is_false(wrong):
    text, ids = wrong
    assert unsupported(f"Reviewers find it {text}.", [SummaryClaimText(text, ids)], TEXTS, "en")


def test_every_aspect_has_its_wordings():
    for aspect in aspects():
        said = {wording(aspect.code, side, tag) for side in (True, False) for tag in ("en", "zh")}
        assert len(said) == 4
