"""Wording without a grammar, and what of it counts as a claim."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.free_wording import write_freely
from benchmarks.reason_ablation import MODEL, claims_of, told_to_model
from benchmarks.reason_ablation_report import Row, section
from services.reason.facts import Claim, Fact
from services.reason.wording.batch import Wanted
from services.reason.wording.filled import Filled
from services.reason.wording.sampling import SamplingSettings
from services.reason.wording.served import read_grammar

GRAMMAR = read_grammar(MODEL, ())
COLOUR = Filled("attribute_match.colour", {"shown": "black"}, ("shown",))
PRICE = Filled("price_fit", {"price": "€20", "limit": "€30"}, ("limit",))
COLD = SamplingSettings(temperature=0.0, repetition_penalty=1.0, no_repeat=0)
FACT = Fact("attribute_match", "attributes.colour", "black", "black", 0.9)


class Scripted:
    """An engine that wants to say one row of tokens."""

    def __init__(self, *tokens: str) -> None:
        table = GRAMMAR.tokens
        self._script = [
            table.id(text) if text in table.marks else table.texts.index(text) for text in tokens
        ]
        self._at = -1

    def start(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        return self._next(len(ids))

    def step(self, ids: NDArray[np.int64], keep: NDArray[np.int64]) -> NDArray[np.float32]:
        return self._next(len(ids))

    def _next(self, rows: int) -> NDArray[np.float32]:
        self._at += 1
        logits = np.zeros((rows, len(GRAMMAR.texts)), dtype=np.float32)
        logits[:, self._script[self._at % len(self._script)]] = 9.0
        return logits


def written(*tokens: str, evidence: Sequence[Filled] = (COLOUR, PRICE)):
    (found,) = write_freely([Wanted(evidence, "en")], GRAMMAR, Scripted(*tokens), COLD)
    return found


def test_what_keeps_to_the_grammar_by_itself_is_sound() -> None:
    found = written("<1>", "<shown>", "<2>", "<limit>", "<end>")
    assert found is not None
    assert found.sound
    assert [clause.position for clause in found.said.clauses] == [0, 1]
    assert "black" in found.said.text.lower()
    assert "€30" in found.said.text


def test_a_slot_of_other_evidence_is_lent_and_told() -> None:
    found = written("<1>", "<limit>", "<end>")
    assert found is not None
    assert not found.sound
    assert "€30" in found.said.text  # what a shopper would read


def test_evidence_that_was_not_given_is_no_claim() -> None:
    found = written("<1>", "<shown>", "<3>", "<price>", "<end>")
    assert found is not None
    assert not found.sound
    assert claims_of(found.said, [FACT, FACT]) is None


def test_words_before_a_clause_and_marks_within_are_not_sound() -> None:
    for tokens in (("<shown>", "<end>"), ("<1>", "<shown>", "<say>", "<end>")):
        found = written(*tokens)
        assert found is not None
        assert not found.sound
        assert found.said.text.strip() in ("Black", "black")


def test_a_reason_without_an_end_is_none() -> None:
    assert written("<1>", "<shown>") is None


def test_the_model_words_what_the_service_has_it_word() -> None:
    match = Claim("black", "attribute_match", (FACT,))
    stock = Claim("in stock", "in_stock", (FACT,))
    price = Claim("at €20", "stated_price", (FACT,))
    assert told_to_model([match, price]) == [match]
    assert told_to_model([price, stock]) == [price, stock]


def test_the_section_tells_every_way_of_wording() -> None:
    row = Row("neither", 10, 20, 2, 0.1, {"en": 100.0, "zh": 120.0}, 0.1, 0.2, 15.0, 80.0, ())
    text = section([row], 3, "4 products")
    assert "| neither | 18 / 20 | 10.00% | 10.0% | 100 | 120 | 0.100 / 0.200 | 15.0 | 80 |" in text
    assert text.startswith("## What the constraint")
