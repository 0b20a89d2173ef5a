"""Clauses about reviewers are read back whole, or not at all."""

import pytest

from services.reason.summarise.reading import Reading, read, read_opening
from services.reason.wording.opinions import FAULT, MIXED, PRAISE
from shared.evaluation.summary_wordings import opening, spoken

FALSE = [
    ("en", "it is praised for its comfort by many reviewers who mention it"),
    ("en", "it is not praised for its comfort by 3 of the 4 reviewers who mention it"),
    ("en", "it is very comfortable for 3 of the 4 reviewers who comment on comfort"),
    ("en", "all 4 reviewers who mention comfort praise it"),
    ("en", "3 of the 4 reviewers who mention comfort and durability praise it"),
    ("en", "3 of the 4 reviewers who mention comfort find it waterproof"),
    ("en", "3 of the 4 reviewers who mention comfort praise it for 299"),
    ("en", "most of the 4 reviews that mention comfort 3 are positive"),
    ("en", "it is praised for its comfort by 3 of the 4 reviewers find it"),
    ("en", "it is unlike its description for 2 of 2 reviewers who speak of its described"),
    ("zh", "提到舒适度的4条评价中，大多称赞"),
    ("zh", "提到舒适度的4条评价中，3条非常满意"),
    ("zh", "4条提到舒适度的评价中有3条说舒适耐用"),
    ("zh", "4条提到舒适度的评价中有3条说防水"),
    ("zh", "4条提到舒适度和外观的评价中有3条称赞"),
]


@pytest.mark.parametrize(("language", "text"), FALSE)
def test_what_says_more_or_less_is_not_read(language: str, text: str) -> None:
    assert read(text, language) is None
    # The independent checker judges what is true, not whether a sentence is whole.
    assert spoken(text, language) is None or text.endswith("find it")


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        (
            "en",
            "it is faulted for its comfort by 3 of the 4 reviewers who mention it",
            Reading(FAULT, "comfort", 0, 3, 4),
        ),
        (
            "en",
            "reviewers disagree on comfort: of 9 who mention it 5 praise it while 4 complain",
            Reading(MIXED, "comfort", 5, 4, 9),
        ),
        ("zh", "4条提到舒适度的评价中有3条说不舒服", Reading(FAULT, "comfort", 0, 3, 4)),
        ("zh", "说到外观，9条评价中5条称赞，4条批评", Reading(MIXED, "looks", 5, 4, 9)),
        ("zh", "提到舒适度的4条评价中，3条表示满意", Reading(PRAISE, "comfort", 3, 0, 4)),
    ],
)
def test_sides_are_told_apart(language: str, text: str, expected: Reading) -> None:
    assert read(text, language) == expected


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "across 8 happy reviews"),
        ("en", "rated 4.2 stars by all"),
        ("en", "across 8 of 9 reviews"),
        ("zh", "共有8条好评"),
        ("zh", "8条评价中平均4.2分以上"),
    ],
)
def test_openings_say_numbers_alone(language: str, text: str) -> None:
    assert read_opening(text, language) is None
    assert opening(text, language) is None
