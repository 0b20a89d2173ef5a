import numpy as np
import pytest

from services.reason.summarise.centrality import tf_idf
from services.reason.summarise.scorer import features, scorers
from services.reason.summarise.sentences import split
from services.reason.summarise.worth import prescreen

REVIEWS = (
    "These boots are very comfortable. I bought them for my sister's wedding in May.",
    "The boots are very comfortable and well made. I wanted to return the other pair.",
    "They are comfortable boots!",
)


@pytest.fixture
def sentences():
    return [each for at, body in enumerate(REVIEWS) for each in split(body, at)]


def similarity(sentences):
    words = tf_idf([sentence.text for sentence in sentences])
    return words @ words.T


def test_support_is_that_of_the_likest_sentence_of_each_other_review(sentences):
    similar = similarity(sentences)
    support = features(sentences, similar, None)["support_words"]
    for at, sentence in enumerate(sentences):
        nearest = [
            max(similar[at, i] for i, each in enumerate(sentences) if each.source == other)
            for other in range(len(REVIEWS))
            if other != sentence.source
        ]
        assert support[at] == pytest.approx(np.mean(nearest))


def test_words_are_shared_by_the_other_reviews_that_have_them(sentences):
    found = features(sentences, similarity(sentences), None)
    by_text = dict(zip((s.text for s in sentences), found["shared_words"], strict=True))
    assert by_text["They are comfortable boots!"] == pytest.approx(1.0)
    assert by_text["I wanted to return the other pair."] == pytest.approx(0.0)
    assert found["story"].tolist() == [0.0, 1.0, 0.0, 1.0, 0.0]
    assert found["of_product"].tolist() == [1.0, 0.0, 1.0, 0.0, 1.0]


@pytest.mark.parametrize("kind", ["words", "meaning"])
def test_what_all_say_of_the_product_beats_stories_of_the_reviewer(sentences, kind):
    similar = similarity(sentences)
    scorer = scorers()[kind]
    scores = scorer.score(features(sentences, similar, similar if kind == "meaning" else None))
    assert scores.max() == pytest.approx(1.0)
    assert np.all(scores > 0)
    assert scores[[0, 2, 4]].min() > scores[[1, 3]].max()
    assert scorer.name == "linear_en@1"


def test_one_sentence_is_scored_too():
    (alone,) = [split("Very good.")]
    found = features(alone, np.ones((1, 1)), None)
    assert scorers()["words"].score(found) == pytest.approx([1.0])


@pytest.mark.parametrize("kind", ["words", None])
def test_of_many_sentences_those_of_use_are_left_in_their_order(sentences, kind):
    words = tf_idf([sentence.text for sentence in sentences])
    scorer = scorers()[kind] if kind else None
    kept = prescreen(sentences, words, 3, scorer)
    assert [each.text for each in kept] == [sentences[at].text for at in (0, 2, 4)]
    assert prescreen(sentences, words, 5, scorer) == sentences
