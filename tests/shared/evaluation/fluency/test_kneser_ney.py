"""The n-gram model: chances sum to one, are those of the paper, and order matters."""

import pytest

from shared.evaluation.fluency.kneser_ney import END, START, UNKNOWN, KneserNey

TEXTS = [
    str(line).split()
    for line in (
        "the bag is light and the strap is long",
        "the bag is heavy",
        "the strap is long",
        "a light bag",
        "the zip broke and the bag is torn",
    )
]


@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize(
    "before",
    [[], [START], ["the"], ["bag", "is"], ["never", "met"], ["the", "never"], [START, START, "a"]],
)
def test_chances_of_all_words_sum_to_one(order: int, before: list[str]) -> None:
    model = KneserNey(TEXTS, order=order, least=1)
    total = sum(model.probability(word, before[-(order - 1) :]) for word in model.words)
    assert total == pytest.approx(1.0)
    assert all(model.probability(word, before) > 0 for word in model.words)


def test_chances_by_hand() -> None:
    # Pairs: <s> a 3, a b 2, a c 1, b </s> 2, c </s> 1: a discount of 2 / (2 + 2 * 2).
    # Words by what stands before them: a, b and c 1, </s> 2: a discount of 3 / (3 + 2 * 1).
    model = KneserNey([["a", "b"], ["a", "b"], ["a", "c"]], order=2, least=1)
    alone = (1 - 3 / 5) / 5 + 3 / 5 * 4 / 5 * (1 / 5)
    assert model.probability("b", []) == pytest.approx(alone)
    assert model.probability("b", ["a"]) == pytest.approx((2 - 1 / 3) / 3 + 1 / 3 * 2 / 3 * alone)


def test_the_order_of_words_counts() -> None:
    model = KneserNey(TEXTS, least=1)
    assert model.perplexity([["the", "bag", "is", "long"]]) < model.perplexity(
        [["long", "is", "bag", "the"]]
    )


def test_single_words_count_by_what_stands_before_them() -> None:
    # "york" is the more frequent, but follows "new" alone; "bag" follows three words.
    texts = [["new", "york"]] * 9 + [[colour, "bag"] for colour in ("red", "old", "my")]
    model = KneserNey(texts, order=2, least=1)
    assert model.probability("bag", ["never"]) > model.probability("york", ["never"])


def test_rare_words_are_unknown() -> None:
    model = KneserNey(TEXTS, least=2)
    assert "torn" not in model.words
    assert model.probability("torn", ["is"]) == model.probability("quokka", ["is"])
    assert model.unknown_share([["the", "quokka"]]) == 0.5
    assert {END, UNKNOWN} <= model.words


@pytest.mark.parametrize(("texts", "order"), [(TEXTS[:0], 3), ([TEXTS[0][:0]], 3), (TEXTS, 1)])
def test_nothing_to_learn_from(texts: list[list[str]], order: int) -> None:
    with pytest.raises(ValueError, match=r"learn|order"):
        KneserNey(texts, order=order)
    with pytest.raises(ValueError, match="measure"):
        KneserNey(TEXTS).perplexity([])
