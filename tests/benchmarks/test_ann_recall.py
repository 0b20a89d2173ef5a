import numpy as np

from benchmarks import ann_recall


def unit(rows, seed=1, components=64):
    made = np.random.default_rng(seed).normal(size=(rows, components)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def test_more_vectors_are_unit_ones_near_those_there_are():
    few = unit(60)
    many = ann_recall.larger(few, 200)
    assert many.shape == (200, 64)
    assert np.array_equal(many[:60], few)
    assert np.allclose(np.linalg.norm(many, axis=1), 1, atol=1e-5)
    # Between two vectors at a right angle, the nearer one is at least half a right angle away.
    assert (many[60:] @ few.T).max(axis=1).min() > 0.6


def test_every_quantisation_of_a_small_set_is_measured():
    vectors, queries = unit(400), unit(20, seed=2)
    measured = ann_recall.measure(vectors, queries)
    tried = [(name, factor) for name, factors in ann_recall.TRIED for factor in factors]
    assert [(one.quantisation, one.oversampling) for one in measured] == tried
    # Below the engine's threshold there is no graph, and exact search finds everything.
    assert measured[0].recall == 1.0
    assert all(len(one.milliseconds) == 20 for one in measured)


def test_what_is_missed_lowers_the_recall_and_is_marked():
    one = ann_recall.Measured(1_000, "binary", 4, 1.0, 0.9, [1.0, 2.0])
    row = one.row(components=384)
    assert row[3] == "0.9000 (below)"
    assert row[6] == "0.0"
    assert ann_recall.Measured(1_000, "none", 1, 1.0, 0.99, [1.0]).row(384)[3] == "0.9900"
