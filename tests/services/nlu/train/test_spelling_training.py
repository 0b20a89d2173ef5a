"""What the spelling checker is taught with, and that fitting learns what it should."""

import json
from collections import Counter
from itertools import islice
from math import log
from pathlib import Path
from random import Random

import pytest

from services.nlu.catalogue_terms import CatalogueTerms
from services.nlu.spelling import SpellingChecker
from services.nlu.spelling_model import FEATURES, from_json, learnt_spelling, to_json
from services.nlu.train.spelling import Figures, fit_confidence, fit_errors, measure
from services.nlu.train.spelling_cases import (
    Case,
    catalogue_cases,
    foreign_cases,
    is_held,
    without_some,
)
from services.nlu.train.typing_pairs import (
    TypingPair,
    generate,
    generate_blindly,
    mine_pairs,
    outcomes,
)
from services.nlu.typing_errors import ErrorKind
from wherefore.common.v1.product_pb2 import Product

TERMS = CatalogueTerms(
    version=1,
    vocabulary={
        "keyboard": 90, "monitor": 200, "wireless": 300, "printer": 110, "headphones": 120,
        "scanner": 40, "speaker": 60, "adapter": 80, "projector": 30, "battery": 70, "lexmarc": 2,
    },
)  # fmt: skip


def draws(seed: int) -> Random:
    return Random(seed)  # noqa: S311 # a sample that can be drawn again


def test_rare_words_near_one_frequent_word_are_mined() -> None:
    texts = ["the product arrived"] * 200 + ["the prodct arived", "products arrived", "proud"]
    assert mine_pairs(texts, frozenset({"proud"})) == [
        TypingPair("arived", "arrived"),
        TypingPair("prodct", "product"),
    ]


def test_what_is_a_word_is_never_mined() -> None:
    texts = ["it is bright"] * 100 + ["it is brighter", "brigt"]
    assert mine_pairs(texts, frozenset({"brigt"})) == []


def test_outcomes_are_one_error_away_and_of_their_kind() -> None:
    found = {typed: kind for kind, typed in outcomes("coffee")}
    assert "coffee" not in found
    assert found["cofee"] is ErrorKind.UNDOUBLED
    assert found["ocffee"] is ErrorKind.SWAPPED
    assert found["coffeee"] is ErrorKind.DOUBLED
    assert all(abs(len(typed) - 6) <= 1 for typed in found)


def test_generated_errors_follow_the_shares() -> None:
    random = draws(1)
    shares = [(ErrorKind.SWAPPED, 3.0), (ErrorKind.UNDOUBLED, 1.0)]
    made = Counter(generate("coffee", shares, random) for _ in range(400))
    undoubled = made["cofee"] + made["coffe"]
    assert set(made) <= {"cofee", "coffe", "ocffee", "cfofee", "cofefe"}
    assert 60 < undoubled < 140
    assert all(len(generate_blindly("coffee", random)) in {5, 6, 7} for _ in range(50))


def test_frequent_kinds_cost_less() -> None:
    pairs = [TypingPair("keybaord", "keyboard")] * 9 + [TypingPair("keybord", "keyboard")]
    model, shares = fit_errors(pairs)
    assert shares[ErrorKind.SWAPPED] > shares[ErrorKind.MISSED_VOWEL] > shares[ErrorKind.EXTRA]
    assert model.costs[ErrorKind.SWAPPED] < model.costs[ErrorKind.MISSED_VOWEL]
    assert model.costs[ErrorKind.EXTRA] > log(len(outcomes("keyboard")))


def test_cases_of_a_catalogue_hold_one_error_that_the_catalogue_lacks() -> None:
    products = [Product(titles={"en": "wireless keyboard with printer and scanner"})]
    shares = dict.fromkeys(ErrorKind, 1.0)
    for held in (False, True):
        cases = catalogue_cases(products, TERMS, shares, held=held, random=draws(2))
        for case in islice(cases, 40):
            assert case.words[case.at] not in TERMS.vocabulary
            assert is_held(case.meant) is held
            assert case.meant in TERMS.vocabulary


def test_right_words_that_the_catalogue_lacks_must_stay() -> None:
    assert list(foreign_cases(["wireless verizon kit"], TERMS)) == [
        Case(("wireless", "verizon", "kit"), 1, "")
    ]


def test_a_catalogue_without_some_words_keeps_those_of_dictionaries() -> None:
    words = frozenset(TERMS.vocabulary) - {"lexmarc"}
    halves = [without_some(TERMS, words, held=held).vocabulary for held in (False, True)]
    assert sorted(len(half) for half in halves) == [10, 11]
    assert all(words <= set(half) for half in halves)


def test_fitting_tells_errors_from_other_words() -> None:
    pytest.importorskip("sklearn")
    errors = learnt_spelling().errors
    typed = [
        Case((generate_blindly(word, draws(seed)),), 0, word)
        for word in TERMS.vocabulary
        for seed in range(6)
    ]
    foreign = [Case((word,), 0, "") for word in ("minitor", "printex", "speakex", "adaptix")]
    model = fit_confidence([(typed, TERMS), (foreign * 5, TERMS)], errors)
    found = measure(SpellingChecker(TERMS, model), typed)
    assert found.applied >= found.cases / 2
    assert found.right >= 0.9 * found.applied
    assert from_json(to_json(model)).weights == pytest.approx(dict(model.weights), abs=1e-4)


def test_figures_say_precision_and_recall() -> None:
    assert "precision 0.500, recall 0.100" in str(Figures(cases=10, applied=2, right=1))


def test_the_served_model_is_complete() -> None:
    path = Path(__file__).parents[4] / "services/nlu/data/spelling.json"
    values = json.loads(path.read_text("utf-8"))
    assert set(values["costs"]) == {kind.value for kind in ErrorKind}
    assert list(values["weights"]) == list(FEATURES)
    assert all(cost > 0 for cost in values["costs"].values())
