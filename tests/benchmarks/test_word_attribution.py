"""The deletion test, on a model of which it is known which words count."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from benchmarks import word_attribution as bench
from services.nlu.learnt.attribution import AttributedWord, Attribution, Attributions
from services.nlu.learnt.cross import Scores

TEXT = "a steel kettle for tea, on a stove at home"


def words_of(text: str, worth: dict[str, float]) -> list[AttributedWord]:
    found, at = [], 0
    for word in text.split():
        at = text.index(word, at)
        bare = word.strip(",")
        found.append(AttributedWord(bare, at, at + len(bare), worth.get(bare, 0.0)))
        at += len(word)
    return found


class Counting:
    """Two log-odds for "kettle", one for "steel"; the rest is nothing to it."""

    worth = {"kettle": 2.0, "steel": 1.0}  # noqa: RUF012

    async def score(self, pairs: Sequence[tuple[str, str]]) -> Scores:
        logits = np.array(
            [sum(by for word, by in self.worth.items() if word in right) for _, right in pairs]
        )
        return Scores(1 / (1 + np.exp(-logits)), 0, 0)

    async def attribute(self, pairs: Sequence[tuple[str, str]]) -> Attributions:
        made = [Attribution(3.0, 3.0, 0.0, [], words_of(right, self.worth)) for _, right in pairs]
        return Attributions(made, 0, 0)


async def test_what_counts_falls_and_chance_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "relevant_pairs", lambda: [("kettle", TEXT)] * 3)
    model: Any = Counting()
    measured = await bench.measure(model, model, 2)
    assert len(measured.seconds) == 2
    for name in (bench.GRADIENTS, bench.OCCLUSION):
        assert measured.falls[name, 1] == pytest.approx([2.0, 2.0])
        assert measured.falls[name, 2] == pytest.approx([3.0, 3.0])
    assert np.mean(measured.falls[bench.CHANCE, 1]) < 1.5
    assert max(measured.gaps) == pytest.approx(0.0)
    assert "| by chance |" in bench.section(measured)


def test_words_are_taken_out_by_their_spans() -> None:
    steel, kettle = (word for word in words_of(TEXT, {}) if word.text in {"steel", "kettle"})
    assert bench.without(TEXT, [steel, kettle]) == "a for tea, on a stove at home"
    assert bench.without(TEXT, []) == TEXT
