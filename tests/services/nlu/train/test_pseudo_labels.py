import numpy as np
import pytest

from services.nlu.train.examples import Example, TaskData, TaskKind
from services.nlu.train.few_shot import few_shot_reviews
from services.nlu.train.linear import (
    LogisticHead,
    character_tfidf,
    latent_vectors,
    linear_fit,
    lookup,
    soft_rows,
    standardised,
)
from services.nlu.train.pseudo_labels import (
    SelfTrainingSettings,
    confident_examples,
    self_train,
)

LABELS = ("negative", "positive")
GOOD = ("love it", "works well", "great price", "very nice", "so happy")
BAD = ("broke at once", "awful smell", "never again", "too loud", "a waste")


def examples(texts, label, **fields):
    return [Example(text, label=label, **fields) for text in texts]


def confident(shares, **settings):
    texts = [f"t{at}" for at in range(len(shares))]
    given = SelfTrainingSettings(**{"threshold": 0.8, **settings})
    return confident_examples(texts, np.array(shares), LABELS, given)


SHARES = [(0.1, 0.9), (0.05, 0.95), (0.3, 0.7), (0.85, 0.15), (0.01, 0.99)]


def test_the_surest_of_each_class_above_the_threshold_as_many_of_each():
    found = confident(SHARES, weight=0.25)
    assert [(item.text, item.label, item.weight) for item in found] == [
        ("t3", "negative", 0.25),
        ("t4", "positive", 0.25),
    ]
    assert confident(SHARES, threshold=0.86) == []
    doubled = [*SHARES, (0.9, 0.1)]
    assert [item.text for item in confident(doubled)] == ["t5", "t3", "t4", "t1"]
    assert [item.text for item in confident(doubled, per_class=1)] == ["t5", "t4"]


def test_soft_labels_keep_the_probabilities():
    found = confident(SHARES, soft=True)
    assert [(item.label, item.soft) for item in found] == [("", (0.85, 0.15)), ("", (0.01, 0.99))]


def test_a_soft_example_weighs_as_its_shares():
    rows, classes, weights = soft_rows(
        [Example("a", label="positive", weight=2.0), Example("b", soft=(0.25, 0.75), weight=0.5)],
        LABELS,
    )
    assert rows.tolist() == [0, 1, 1]
    assert classes.tolist() == [1, 0, 1]
    assert weights.tolist() == [2.0, 0.125, 0.375]


def task(train, dev):
    return TaskData("sentiment", TaskKind.CLASSES, LABELS, train, dev)


def bridged():
    """A labelled example of each class, and unlabelled texts that lead from it to dev's words.

    Vectors: "near" lies by the labelled one, "far" only by "near".
    """
    vectors = {"bad": (-1.0, 0.0), "good": (1.0, 0.0)}
    for at in range(20):
        vectors |= {f"near bad {at}": (-1.2, -3.0), f"near good {at}": (1.2, 3.0)}
    dev = {f"far bad {at}": (0.4, -3.0) for at in range(5)}
    dev |= {f"far good {at}": (-0.4, 3.0) for at in range(5)}
    known = {**vectors, **dev}
    features = lookup(list(known), np.array(list(known.values()), dtype=np.float32))
    train = [Example("bad", label="negative"), Example("good", label="positive")]
    held = [Example(text, label="negative" if "bad" in text else "positive") for text in dev]
    return task(train, held), [text for text in vectors if "near" in text], features


def test_pseudo_labels_teach_what_the_labelled_texts_cannot():
    data, unlabelled, features = bridged()
    settings = SelfTrainingSettings(threshold=0.6, rounds=2, weight=1.0)
    done = self_train(data, unlabelled, linear_fit(features), settings, seed=1)
    assert done.rounds[0].accuracy == 0
    assert done.rounds[-1].accuracy == 1
    assert (done.rounds[1].added, done.rounds[1].confident) == (40, 40)
    assert done.rounds[1].threshold_share == 1
    assert len(done.pseudo) == 40
    assert done.predict(["far good 0"]).argmax() == 1


def test_soft_pseudo_labels_leave_a_linear_model_where_it_was():
    # Its own probabilities are what it says already; hard labels are what pulls it on.
    data, unlabelled, features = bridged()
    settings = SelfTrainingSettings(threshold=0.6, rounds=1, weight=1.0, soft=True)
    done = self_train(data, unlabelled, linear_fit(features), settings, seed=1)
    assert [round_.accuracy for round_ in done.rounds] == [0, 0]
    assert all(example.soft and not example.label for example in done.pseudo)
    assert done.rounds[1].added == 40


def test_texts_of_train_and_dev_are_not_learnt_as_unlabelled():
    data, unlabelled, features = bridged()
    texts = [*unlabelled, *(example.text for example in (*data.train, *data.dev))]
    settings = SelfTrainingSettings(threshold=0.5, rounds=1)
    done = self_train(data, texts, linear_fit(features), settings, seed=1)
    assert {example.text for example in done.pseudo} <= set(unlabelled)


def test_nothing_confident_leaves_the_model_as_it_was():
    data, unlabelled, features = bridged()
    settings = SelfTrainingSettings(threshold=1.0, rounds=2)
    done = self_train(data, unlabelled, linear_fit(features), settings, seed=1)
    assert [round_.accuracy for round_ in done.rounds] == [0, 0, 0]
    assert done.pseudo == ()
    assert len(self_train(data, [], linear_fit(features), settings, seed=1).rounds) == 1


def test_other_kinds_are_refused():
    spans = TaskData("entities", TaskKind.TOKENS, ("A",), [Example("a")], [Example("b")])
    with pytest.raises(ValueError, match="classes"):
        self_train(
            spans, ["c"], linear_fit(lookup([], np.zeros((0, 1)))), SelfTrainingSettings(), 1
        )


def test_tfidf_tells_words_apart():
    texts = [*GOOD, *BAD]
    matrix = character_tfidf(texts, texts * 3)
    data = task(examples(GOOD, "positive") + examples(BAD, "negative"), [])
    shares = linear_fit(lookup(texts, matrix), strength=10.0)(data.train, LABELS, 1)(texts)
    assert shares.argmax(axis=1).tolist() == [1] * 5 + [0] * 5
    assert shares.sum(axis=1) == pytest.approx(np.ones(10))


def test_latent_vectors_bring_texts_of_like_words_together():
    texts = [*GOOD, *BAD]
    vectors = latent_vectors(texts, texts * 3, width=4)
    assert vectors.shape == (10, 4)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(10))
    near = vectors @ vectors.T
    assert near[:5, :5].mean() > near[:5, 5:].mean()


def test_a_class_that_was_not_seen_gets_nothing():
    inputs = np.array([[0.0], [1.0], [2.0]])
    shares = LogisticHead(inputs, np.array([0, 2, 2]), 3, 1.0).shares(inputs)
    assert shares[:, 1].tolist() == [0, 0, 0]
    only = LogisticHead(inputs, np.array([1, 1, 1]), 3, 1.0).shares(inputs)
    assert only.tolist() == [[0, 1, 0]] * 3


def test_standardised_vectors():
    made = standardised(np.array([[1.0, 5.0], [3.0, 5.0]], dtype=np.float32))
    assert made == pytest.approx(np.array([[-1, 0], [1, 0]]), abs=1e-4)


def test_the_few_shot_files_are_read(tmp_path):
    folder = tmp_path / "fewclue_eprstmt"
    folder.mkdir()
    row = '{"id": 0, "sentence": "不错", "label": "Positive"}\n'
    (folder / "train_few_all.json").write_text(row)
    (folder / "dev_few_all.json").write_text(
        row.replace("不错", "很差").replace("Positive", "Negative")
    )
    (folder / "unlabeled.json").write_text('{"sentence": "一"}\n{"sentence": "一"}\n')
    data, unlabelled = few_shot_reviews(tmp_path)
    assert data.train == [Example("不错", label="positive")]
    assert data.dev == [Example("很差", label="negative")]
    assert unlabelled == ["一"]
    (folder / "dev_few_all.json").write_text(row.replace("Positive", "Mixed"))
    with pytest.raises(ValueError, match="Mixed"):
        few_shot_reviews(tmp_path)
