import numpy as np
import pytest

from services.nlu.learnt.tokens import BEGIN, END, MIDDLE, SINGLE, ModelTokenizer, word_places
from services.nlu.train.batching import token_batches
from services.nlu.train.character_vectors import character_vectors
from services.nlu.train.masking import IGNORED, Masking
from services.nlu.train.vocabulary import MASK, SPECIAL, build_character_tokenizer, save_tokenizer

TEXTS = ["无线蓝牙耳机 TN-2110", "无线鼠标很好用", "蓝牙耳机质量很好", "ＴＮ系列耳机"]


@pytest.fixture
def tokenizer(tmp_path) -> ModelTokenizer:
    path = save_tokenizer(build_character_tokenizer(TEXTS, min_count=1), tmp_path)
    return ModelTokenizer(path, 16, word_places=True)


def test_every_character_is_a_token_that_knows_its_place(tokenizer):
    (row,) = tokenizer.encode(["无线 ＴＮ耳机"])
    assert row.offsets == ((0, 0), (0, 1), (1, 2), (3, 4), (4, 5), (5, 6), (6, 7), (0, 0))
    (plain,) = tokenizer.encode(["无线tn耳机"])
    assert row.ids.tolist() == plain.ids.tolist()
    assert row.ids.min() >= 2  # no padding, nothing unknown
    assert row.segments[[0, -1]].tolist() == [0, 0]


def test_unknown_characters_are_told_apart_from_known_ones(tokenizer):
    (row,) = tokenizer.encode(["龘耳"])
    assert row.ids[1] == SPECIAL.index("[UNK]")
    assert row.ids[2] >= len(SPECIAL)


def test_long_texts_are_cut(tokenizer):
    (row,) = tokenizer.encode(["耳" * 200_000])
    assert len(row.ids) == 16


def test_places_in_words():
    places = word_places("质量很好")
    assert len(places) == 4
    assert places[:2] == [BEGIN, END]
    assert set(places) <= {BEGIN, MIDDLE, END, SINGLE}


def test_batches_hold_every_text_once_within_the_budget():
    lengths = [3, 50, 7, 7, 9, 120, 4, 30] * 20
    batches = token_batches(lengths, 128, seed=5, epoch=1)
    assert sorted(at for batch in batches for at in batch) == list(range(len(lengths)))
    assert all(max(lengths[at] for at in batch) * len(batch) <= 128 for batch in batches)
    assert batches == token_batches(lengths, 128, seed=5, epoch=1)
    assert batches != token_batches(lengths, 128, seed=5, epoch=2)


def test_whole_words_are_hidden(tokenizer):
    masking = Masking(SPECIAL.index(MASK), len(SPECIAL), tokenizer.vocabulary_size, share=0.4)
    (row,) = tokenizer.encode(["无线蓝牙耳机"])
    random = np.random.default_rng(0)
    words = {(1, 2), (3, 4), (5, 6)}
    for _ in range(50):
        hidden, labels = masking.apply(row.ids, row.segments, random)
        chosen = set(np.flatnonzero(labels != IGNORED).tolist())
        assert chosen
        assert all(chosen.isdisjoint(word) or chosen.issuperset(word) for word in words)
        untouched = [at for at in range(len(row.ids)) if at not in chosen]
        assert (hidden[untouched] == row.ids[untouched]).all()
        assert all(labels[at] == row.ids[at] for at in chosen)


def test_characters_that_keep_company_are_near():
    rows = [
        np.array([2, 5, 6, 7, 3]),
        np.array([2, 8, 6, 7, 3]),
        np.array([2, 9, 10, 11, 3]),
        np.array([2, 12, 10, 11, 3]),
    ] * 30

    class Row:
        def __init__(self, ids):
            self.ids = ids

    vectors = character_vectors([Row(ids) for ids in rows], 13, 4)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-9)
    assert unit[5] @ unit[8] > unit[5] @ unit[9]
