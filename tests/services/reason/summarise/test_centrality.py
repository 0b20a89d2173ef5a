from dataclasses import replace

import numpy as np
import pytest

from services.reason.summarise.centrality import choose, lexrank, tf_idf, unit_rows
from services.reason.summarise.scorer import scorers
from services.reason.summarise.sentences import split
from services.reason.summarise.worth import BY_WORDS, extract, similarities


def test_the_sentence_most_others_resemble_is_the_most_central():
    texts = [
        "The battery lasts all day.",
        "A battery that lasts all day and night.",
        "The battery lasts long.",
        "Arrived in a blue box.",
    ]
    vectors = tf_idf(texts)
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, 0.0)
    centrality = lexrank(similarity)
    assert centrality.max() == pytest.approx(1.0)
    assert centrality.argmin() == 3
    assert np.all(centrality > 0)


def test_lexrank_is_the_stationary_distribution():
    rng = np.random.default_rng(3)
    vectors = unit_rows(rng.random((6, 4)))
    similarity = vectors @ vectors.T
    step = 0.85 * similarity / similarity.sum(axis=1, keepdims=True) + 0.15 / 6
    values, left = np.linalg.eig(step.T)
    expected = np.abs(np.real(left[:, np.argmax(np.real(values))]))
    assert lexrank(similarity) == pytest.approx(expected / expected.max(), abs=1e-6)


def test_no_terms_is_no_error():
    vectors = tf_idf(["...", "!!"])
    assert not vectors.any()
    assert lexrank(vectors @ vectors.T) == pytest.approx([1.0, 1.0])
    assert lexrank(np.zeros((0, 0))).shape == (0,)


def test_novelty_leaves_out_what_was_said():
    worth = np.array([1.0, 0.95, 0.5])
    similarity = np.array([[1.0, 0.99, 0.0], [0.99, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert choose(worth, similarity, [5, 5, 5], 10, novelty=0.5) == [0, 2]
    assert choose(worth, similarity, [5, 5, 5], 10, novelty=0.0) == [0, 1]


def test_the_budget_holds_and_worthless_sentences_stay_out():
    worth = np.array([1.0, 0.9, 0.0])
    assert choose(worth, np.eye(3), [9, 4, 1], 8, novelty=0.2) == [1]


def test_contrasts_are_read_last_and_questions_never():
    text = "But it is heavy. The pan heats evenly. Is it heavy? The pan is easy to clean."
    sentences = split(text)
    words = tf_idf([sentence.text for sentence in sentences])
    for scorer in (None, scorers()["words"]):
        chosen, _ = extract(sentences, words, None, 50, scorer)
        assert chosen[-1] == 0
        assert set(chosen) == {0, 1, 3}


def test_a_mix_of_words_and_meanings_lies_between():
    words, meanings = np.eye(2), unit_rows(np.ones((2, 3)))
    mixed = similarities(words, meanings, replace(BY_WORDS, meaning=0.25))
    assert mixed[0, 1] == pytest.approx(0.25)
