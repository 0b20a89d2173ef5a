"""How much sentences differ."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportArgumentType=false
import pytest
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from shared.evaluation.reasons.variety import distinct, repeats, self_bleu
from shared.text.analysis import terms

PAGE = [
    "black kettle, bought by 12 customers",
    "black kettle, in stock",
    "steel pot with a long handle",
    "steel kettle with a lid",
]


def test_distinct_n() -> None:
    assert distinct(["red lamp", "red lamp"], 1) == 0.5
    assert distinct(["red lamp", "blue lamp"], 2) == 1.0
    assert distinct([], 1) == 0.0


def test_repeats_do_not_count_what_is_empty() -> None:
    assert repeats(["a", "b", "a", "", "", ""]) == 2
    assert repeats([]) == 0


def test_self_bleu_is_the_mean_of_nltk_s() -> None:
    words = [terms(text) for text in PAGE]
    smooth = SmoothingFunction().method2
    expected = [
        float(sentence_bleu(words[:at] + words[at + 1 :], own, smoothing_function=smooth))
        for at, own in enumerate(words)
    ]
    assert self_bleu(PAGE) == pytest.approx(sum(expected) / len(expected))


def test_self_bleu_tells_pages_apart() -> None:
    assert self_bleu(["steel kettle, long handle, red lid"] * 3) == pytest.approx(1.0)
    assert self_bleu(["red lamp", "steel pot"]) == 0.0
    assert self_bleu(["one alone"]) == self_bleu([]) == 0.0
