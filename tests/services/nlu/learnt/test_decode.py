"""Decoding against the same sums done the slow way."""

import itertools

import numpy as np
import pytest

from services.nlu.learnt.decode import best_paths, read_classes, read_spans, tag_probabilities
from services.nlu.learnt.labels import ClassHead, TokenHead
from services.nlu.learnt.tokens import TokenRow

TAGS = ("O", "B-BRAND", "I-BRAND", "B-MODEL", "I-MODEL")


def chain(seed: int) -> TokenHead:
    random = np.random.default_rng(seed)
    transitions = random.normal(size=(5, 5)).astype(np.float32)
    start = random.normal(size=5).astype(np.float32)
    for row, before in enumerate(TAGS):
        for column, after in enumerate(TAGS):
            if after.startswith("I-") and before[2:] != after[2:]:
                transitions[row, column] = -10_000.0
    start[[2, 4]] = -10_000.0
    return TokenHead(TAGS, transitions, start, random.normal(size=5).astype(np.float32))


def score(path: tuple[int, ...], logits: np.ndarray, head: TokenHead) -> float:
    total = float(head.start[path[0]] + head.end[path[-1]])
    total += sum(float(logits[at, tag]) for at, tag in enumerate(path))
    return total + sum(float(head.transitions[a, b]) for a, b in itertools.pairwise(path))


@pytest.mark.parametrize("seed", range(3))
def test_paths_and_probabilities_are_those_of_all_paths_tried(seed: int) -> None:
    head = chain(seed)
    lengths = np.asarray([4, 1, 3])
    logits = np.random.default_rng(seed + 99).normal(size=(3, 4, 5)).astype(np.float32) * 3
    paths = best_paths(logits, lengths, head)
    sure = tag_probabilities(logits, lengths, head)
    for row, length in enumerate(lengths):
        tried = list(itertools.product(range(5), repeat=int(length)))
        scores = np.asarray([score(path, logits[row], head) for path in tried])
        assert tuple(paths[row, :length]) == tried[int(scores.argmax())]
        assert not paths[row, length:].any()
        shares = np.exp(scores - scores.max())
        shares /= shares.sum()
        for at in range(int(length)):
            for tag in range(5):
                expected = sum(
                    share for path, share in zip(tried, shares, strict=True) if path[at] == tag
                )
                assert sure[row, at, tag] == pytest.approx(expected, abs=1e-4)


def test_neither_padding_nor_neighbours_matter() -> None:
    head = chain(3)
    logits = np.random.default_rng(5).normal(size=(1, 3, 5)).astype(np.float32)
    padded = np.full((2, 9, 5), 50.0, np.float32)
    padded[1, :3] = logits[0]
    alone = best_paths(logits, np.asarray([3]), head)
    together = best_paths(padded, np.asarray([9, 3]), head)
    assert alone[0].tolist() == together[1, :3].tolist()
    np.testing.assert_allclose(
        tag_probabilities(logits, np.asarray([3]), head)[0],
        tag_probabilities(padded, np.asarray([9, 3]), head)[1, :3],
        atol=1e-5,
    )


def test_long_and_lopsided_rows_stay_finite() -> None:
    logits = np.random.default_rng(1).normal(size=(2, 128, 5)).astype(np.float32) * 40
    sure = tag_probabilities(logits, np.asarray([128, 2]), chain(0))
    assert np.isfinite(sure).all()
    np.testing.assert_allclose(sure[0].sum(axis=1), 1.0, atol=1e-3)


def row(*offsets: tuple[int, int]) -> TokenRow:
    ids = np.ones(len(offsets) + 2, np.int32)
    return TokenRow(ids, np.zeros_like(ids), ((0, 0), *offsets, (0, 0)))


def logits_of(*tags: str) -> np.ndarray:
    made = np.zeros((1, len(tags) + 2, 5), np.float32)
    made[0, 0, 0] = made[0, -1, 0] = 9.0
    for at, tag in enumerate(tags, start=1):
        made[0, at, TAGS.index(tag)] = 9.0
    return made


NOTHING = np.zeros(5, np.float32)
FREE = TokenHead(
    TAGS, np.where(chain(0).transitions < -1_000, -10_000, 0).astype(np.float32), NOTHING, NOTHING
)


def test_spans_run_from_their_first_token_to_their_last() -> None:
    # "sony  xperia X9": pieces of words and white space between them.
    offsets = row((0, 2), (2, 4), (6, 12), (13, 15))
    tags = "B-BRAND", "I-BRAND", "I-BRAND", "B-MODEL"
    [spans] = read_spans(logits_of(*tags), [offsets], FREE)
    assert [(span.start, span.end, span.label) for span in spans] == [
        (0, 12, "BRAND"),
        (13, 15, "MODEL"),
    ]
    assert all(0.9 < span.confidence <= 1.0 for span in spans)


def test_a_span_is_as_sure_as_its_least_sure_token() -> None:
    logits = logits_of("B-BRAND", "I-BRAND")
    sure = read_spans(logits, [row((0, 2), (2, 4))], FREE)[0][0].confidence
    logits[0, 2, 0] = 8.5  # the second piece might stand outside
    doubtful = read_spans(logits, [row((0, 2), (2, 4))], FREE)[0][0]
    assert doubtful.end == 4
    assert doubtful.confidence < 0.7 < sure


def test_two_of_a_kind_side_by_side_are_two() -> None:
    [spans] = read_spans(logits_of("B-BRAND", "B-BRAND"), [row((0, 4), (5, 9))], FREE)
    assert [(span.start, span.end) for span in spans] == [(0, 4), (5, 9)]


def test_nothing_named_is_no_span() -> None:
    assert read_spans(logits_of("O", "O"), [row((0, 1), (1, 2))], FREE) == [()]


def test_classes_come_best_first_and_sum_to_one() -> None:
    [scored] = read_classes(np.asarray([[0.0, 2.0, 1.0]]), ClassHead(("a", "b", "c"), 1.0))
    assert [label for label, _ in scored] == ["b", "c", "a"]
    assert sum(share for _, share in scored) == pytest.approx(1.0)
    assert scored[0][1] == pytest.approx(np.exp(2) / (1 + np.exp(1) + np.exp(2)))


def test_a_higher_temperature_is_less_sure() -> None:
    logits = np.asarray([[3.0, 0.0]])
    [[(_, hot)], [(_, cold)]] = (
        [read_classes(logits, ClassHead(("a", "b"), temperature))[0][0]]
        for temperature in (4.0, 1.0)
    )
    assert 0.5 < hot < cold
