import numpy as np
import pytest

from services.nlu.labelling.sampling import Pool, Strategy, select, uncertainty


def rows(*shares):
    return [np.array([share], dtype=float) for share in shares]


READINGS = rows((0.5, 0.49, 0.01), (0.45, 0.28, 0.27), (0.98, 0.01, 0.01), (0.4, 0.3, 0.3))


def random():
    return np.random.default_rng(3)


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        # By hand: 1 - best; 1 - (best - second); -sum p ln p.
        (Strategy.LEAST_CONFIDENCE, [0.5, 0.55, 0.02, 0.6]),
        (Strategy.MARGIN, [0.99, 0.83, 0.03, 0.9]),
        (Strategy.ENTROPY, [0.7422, 1.0692, 0.1119, 1.0889]),
    ],
)
def test_uncertainty_by_hand(strategy, expected):
    assert uncertainty(strategy, READINGS) == pytest.approx(expected, abs=2e-4)
    order = select(strategy, Pool(4, READINGS), 4, random())
    assert order == sorted(range(4), key=lambda at: -expected[at])


def test_spans_count_by_their_most_doubtful():
    readings = [
        np.array([[0.99, 0.01], [0.6, 0.4]]),
        np.array([[0.7, 0.3]] * 5),
        np.zeros((0, 2)),
    ]
    assert uncertainty(Strategy.MARGIN, readings) == pytest.approx([0.8, 0.6, 0.0])


def test_ties_are_broken_by_chance():
    readings = rows(*[(0.5, 0.5)] * 50)
    picks = {
        tuple(select(Strategy.MARGIN, Pool(50, readings), 5, np.random.default_rng(seed)))
        for seed in range(5)
    }
    assert len(picks) == 5


def clusters():
    """100 vectors in one direction, and one each in three others."""
    vectors = np.zeros((103, 4), dtype=np.float32)
    vectors[:100, 0] = 1.0
    vectors[:100, 1] = np.linspace(0, 0.05, 100)
    for at in range(3):
        vectors[100 + at, at + 1] = 1.0
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("strategy", [Strategy.DIVERSITY, Strategy.K_CENTER])
def test_diversity_goes_where_nothing_is_known(strategy):
    pool = Pool(103, vectors=clusters(), known=clusters()[:1])
    assert set(select(strategy, pool, 3, random())) == {100, 101, 102}


def test_k_center_without_anything_known_begins_by_chance():
    picks = select(Strategy.K_CENTER, Pool(103, vectors=clusters()), 4, random())
    assert {100, 101, 102} <= set(picks)


def test_margin_diversity_spreads_over_the_doubtful_alone():
    vectors = clusters()
    sure, unsure = (0.99, 0.01), (0.55, 0.45)
    # Direction 1 is doubtful throughout, direction 3 is sure.
    readings = rows(*[unsure] * 100, unsure, unsure, sure)
    counts = np.zeros(103)
    for seed in range(20):
        picks = select(
            Strategy.MARGIN_DIVERSITY,
            Pool(103, readings, vectors),
            20,
            np.random.default_rng(seed),
        )
        assert len(set(picks)) == 20
        counts[picks] += 1
    assert counts[102] == 0
    assert counts[100] + counts[101] >= 30
    assert counts[:100].mean() < 5


@pytest.mark.parametrize("strategy", list(Strategy))
def test_every_strategy_gives_a_full_batch_of_different_texts_and_repeats(strategy):
    vectors = np.ones((8, 2), dtype=np.float32) / np.sqrt(2).astype(np.float32)
    pool = Pool(8, rows(*[(0.5, 0.5)] * 8), vectors)
    first = select(strategy, pool, 5, random())
    assert len(set(first)) == 5
    assert first == select(strategy, pool, 5, random())
    assert sorted(select(strategy, pool, 99, random())) == list(range(8))


def test_what_a_strategy_needs_must_be_there():
    with pytest.raises(ValueError, match="reading"):
        select(Strategy.ENTROPY, Pool(2, rows((0.5, 0.5))), 1, random())
    with pytest.raises(ValueError, match="vector"):
        select(Strategy.DIVERSITY, Pool(2), 1, random())
