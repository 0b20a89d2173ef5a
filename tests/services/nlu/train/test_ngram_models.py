"""Linear models over n-grams, what they teach, and the tables that start from them."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from services.nlu.learnt.tokens import ModelTokenizer, TokenRow
from services.nlu.train.evaluate import evaluate_heads
from services.nlu.train.examples import Example, TaskData, TaskKind
from services.nlu.train.ngram_models import (
    character_vectorizer,
    cross_fitted,
    fit_logistic,
    fit_nb_logistic,
    presence_vectorizer,
)
from services.nlu.train.ngram_start import add_tables, fit_table, measure, table_features
from services.nlu.train.ngrams import NgramTable
from services.nlu.train.soft_targets import (
    doubtful,
    near_duplicates,
    soft_targets,
    words_and_ngrams,
)
from services.nlu.train.storage import load_model

TEXTS = ["锅很好用", "锅真好用", "锅不好", "锅太差了", "水果很甜", "水果真甜"]
CLASSES = np.array([1, 1, 0, 0, 2, 2])


def test_logistic_regression_tells_classes_apart() -> None:
    vectorizer = character_vectorizer()
    matrix = vectorizer.fit_transform(TEXTS)
    shares = fit_logistic()(matrix, CLASSES, 3)(matrix)
    assert shares.shape == (6, 3)
    assert np.allclose(shares.sum(1), 1)
    assert shares.argmax(1).tolist() == CLASSES.tolist()


def test_two_classes_keep_their_order() -> None:
    matrix = presence_vectorizer(words_and_ngrams).fit_transform(TEXTS[:4])
    for fit in (fit_logistic(), fit_nb_logistic()):
        shares = fit(matrix, CLASSES[:4], 2)(matrix)
        assert shares.argmax(1).tolist() == [1, 1, 0, 0]


def test_nb_logistic_tells_three_classes_apart() -> None:
    matrix = presence_vectorizer(words_and_ngrams).fit_transform(TEXTS)
    shares = fit_nb_logistic()(matrix, CLASSES, 3)(matrix)
    assert shares.argmax(1).tolist() == CLASSES.tolist()


def test_cross_fitting_never_shows_a_row_to_its_teacher() -> None:
    seen: list[set[int]] = []

    def fit(matrix: np.ndarray, classes: np.ndarray, count: int):
        kept = {int(row[0]) for row in matrix}
        seen.append(kept)

        def predict(asked: np.ndarray) -> np.ndarray:
            assert not kept & {int(row[0]) for row in asked}
            return np.full((len(asked), count), 1 / count, dtype=np.float32)

        return predict

    matrix = np.arange(12).reshape(12, 1)
    shares = cross_fitted(fit, matrix, np.arange(12) % 2, 2, folds=3, seed=1)
    assert shares.shape == (12, 2)
    assert (shares == 0.5).all()
    assert len(seen) == 3


def test_terms_are_ngrams_and_words() -> None:
    terms = words_and_ngrams("好 用")
    assert terms[:3] == ["好", "用", "好用"]
    assert words_and_ngrams("") == []


def test_doubt_is_a_sure_teacher_against_the_label() -> None:
    shares = np.array([[0.99, 0.01], [0.99, 0.01], [0.6, 0.4]], dtype=np.float32)
    examples = [Example("a", label="x"), Example("b", label="y"), Example("c", label="y")]
    assert doubtful(shares, ("x", "y"), examples) == pytest.approx(1 / 3)


def test_twins_differ_in_blanks_case_and_punctuation_alone() -> None:
    train = [
        Example("很好,用！", label="1"),
        Example("很好用", label="0"),
        Example("差", label="0"),
    ]
    dev = [Example("很好用。。。", label="1"), Example("差 ", label="1"), Example("新", label="1")]
    assert near_duplicates(train, dev) == {
        "shared": 2,
        "contradicted": 1,
        "within_train": 2,
        "within_train_contradicted": 2,
    }


def test_soft_targets_are_written_for_every_text(tmp_path: Path) -> None:
    good = [f"锅真好用{at}" for at in range(10)]
    bad = [f"锅太差了{at}" for at in range(10)]
    rows = [{"cat": "水果", "label": 1, "review": text} for text in good]
    rows += [{"cat": "酒店", "label": 0, "review": text} for text in bad]
    (tmp_path / "reviews_zh").mkdir()
    for part in ("train", "dev"):
        with gzip.open(tmp_path / "reviews_zh" / f"{part}.jsonl.gz", "wt", encoding="utf-8") as out:
            out.writelines(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "fewclue_eprstmt").mkdir()
    path = tmp_path / "fewclue_eprstmt" / "unlabeled.json"
    path.write_text('{"sentence": "锅好用"}\n{"sentence": "太差"}\n', "utf-8")
    figures = soft_targets(tmp_path, tmp_path / "out", ["sentiment"])
    assert figures["sentiment.all.dev"] == 1.0
    assert figures["sentiment.nb.train"] == 1.0
    saved = np.load(tmp_path / "out" / "soft_sentiment.npz")
    assert saved["labels"].tolist() == ["negative", "positive"]
    assert saved["train"].shape == (20, 2)
    assert saved["unlabelled"].argmax(1).tolist() == [1, 0]


def rows_of(*texts: list[int]) -> list[TokenRow]:
    return [
        TokenRow(
            np.array(ids, dtype=np.int32),
            np.zeros(len(ids), dtype=np.int32),
            tuple((0, 0) for _ in ids),
        )
        for ids in texts
    ]


def test_features_are_those_of_the_table() -> None:
    texts = [[2, 9, 8, 9, 8, 3], [2, 3], [2, 40, 3]]
    buckets, classes = 64, 3
    table = NgramTable(buckets, classes).eval()
    torch.nn.init.normal_(table.weights.weight)
    longest = max(map(len, texts))
    ids = torch.tensor([ids + [0] * (longest - len(ids)) for ids in texts])
    with torch.no_grad():
        expected = table(ids, (ids != 0).unsqueeze(-1).float()).numpy()
    features = table_features(rows_of(*texts), buckets)
    assert np.allclose(features @ table.weights.weight.detach().numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("count", [2, 3])
def test_a_fitted_table_tells_classes_apart(count: int) -> None:
    rows = rows_of(
        [2, 9, 8, 3], [2, 9, 7, 3], [2, 20, 8, 3], [2, 20, 3], [2, 30, 3], [2, 31, 30, 3]
    )
    classes = np.array([1, 1, 0, 0, 2, 2])[: 2 * count]
    features = table_features(rows[: 2 * count], 4096)
    weights = fit_table(features, classes, count, strength=10.0)
    assert weights.shape == (4096, count)
    assert (features @ weights).argmax(1).tolist() == classes.tolist()


def test_the_amount_that_helps_is_seen() -> None:
    deep = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    wide = np.array([[0.0, 3.0], [0.0, 3.0]], dtype=np.float32)
    found = measure(deep, wide, np.array([1, 1]))
    assert found[0.0] == 0.5
    assert found[1.0] == 1.0


def test_a_model_gets_the_amount_that_serves_dev_best(
    tiny_folder: Callable[..., Path], tmp_path: Path
) -> None:
    folder = tiny_folder(tmp_path)
    model = load_model(folder)
    tokenizer = ModelTokenizer(folder / "tokenizer.json", 64, word_places=True)
    words = {"书籍": "这本书", "手机": "手机壳", "酒店": "酒店房间"}
    examples = [
        Example(f"{word}{end}", label=label)
        for label, word in words.items()
        for end in ("很好", "一般", "清楚", "很甜")
    ]
    task = TaskData("category", TaskKind.CLASSES, tuple(words), examples[::2], examples[1::2])
    found = add_tables(model, tokenizer, {"category_zh": task}, strength=100.0)["category_zh"]
    # Weights of chance know nothing, the fitted table tells the words apart.
    assert max(found.values()) > found[0.0]
    assert evaluate_heads(model, tokenizer, [task])["category.accuracy"] == max(found.values())
    with pytest.raises(ValueError, match="the heads of sentiment_zh have no table"):
        add_tables(
            model, tokenizer, {"sentiment_zh": replace(task, head="sentiment")}, strength=1.0
        )
    others = {"a": task, "b": replace(task, dev=examples)}
    with pytest.raises(ValueError, match="different texts"):
        add_tables(model, tokenizer, others, strength=1.0)
