"""Fluency: sentences become words with slots, and natural ones measure better."""

import pytest

from shared.evaluation.fluency.perplexity import PEOPLE, Fluency, fluency_model, measure
from shared.evaluation.fluency.words import sentences, slotted

REVIEWS = [
    f"I love this {thing} and it is {mood}. The {thing} was {mood} from day one!"
    for thing in ("strap", "zip", "charger", "manual", "box", "seam", "pocket", "clip")
    for mood in ("great", "good", "lovely", "handy", "poor")
]


def test_a_text_is_cut_into_sentences() -> None:
    assert sentences("Good. Costs 4.50 now! 很好。也便宜") == [
        "Good.",
        "Costs 4.50 now!",
        "很好",
        "也便宜",
    ]


@pytest.mark.parametrize(
    ("sentence", "language", "values", "words"),
    [
        (
            "¥1,299.00, within your limit; from Sony, black.",
            "en",
            ["Sony"],
            ["<number>", ",", "within", "your", "limit", ",", "from", "<value>"],
        ),
        (
            "因为您看过“罗技 M330 鼠标”；售价59.9元。",
            "zh",
            [],
            [*"因为您看过", "<value>", ",", *"售价", "<number>"],
        ),
        ("bare is not a bar", "en", ["bar"], ["bare", "is", "not", "a", "<value>"]),
        ("Don’t; , stop", "en", [], ["don’t", ",", "stop"]),
    ],
)
def test_values_become_slots(
    sentence: str, language: str, values: list[str], words: list[str]
) -> None:
    assert slotted(sentence, language, values) == words


def test_natural_sentences_measure_better_than_others() -> None:
    found = measure(
        fluency_model(REVIEWS, "en"),
        {
            "natural": [slotted("I love this zip and it is handy", "en")],
            "stiff": [slotted("Handiness of zip: attested by review", "en")],
            "none": [],
        },
    )
    assert set(found) == {PEOPLE, "natural", "stiff"}
    assert found["natural"].perplexity < found["stiff"].perplexity
    assert found[PEOPLE].perplexity < found[PEOPLE].shuffled
    assert found["stiff"].unknown > found["natural"].unknown
    assert found["natural"].as_json()["words"] == 8


def test_groups_join_to_what_all_of_them_measure() -> None:
    texts = [slotted(text, "en") for text in ("I love this zip", "this box is not good", "handy")]
    held_out = fluency_model(REVIEWS, "en")
    parts = measure(held_out, {"a": texts[:2], "b": texts[2:]})
    whole = measure(held_out, {"all": texts})["all"]
    joined = Fluency.joined([parts["a"], parts["b"]])
    assert joined.perplexity == pytest.approx(whole.perplexity)
    assert joined.unknown == pytest.approx(whole.unknown)
    assert (joined.sentences, joined.words) == (whole.sentences, whole.words)


def test_too_little_text() -> None:
    with pytest.raises(ValueError, match="too few"):
        fluency_model(["Very good indeed, I say."], "en")
