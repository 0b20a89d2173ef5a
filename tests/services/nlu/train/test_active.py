import numpy as np
import pytest

from services.nlu.labelling.sampling import Strategy
from services.nlu.train.active import Curve, Labelled, SimulationSettings, compare, simulate


def rare_classes(count, seed):
    """Six clusters, of which one holds most of the texts: chance hardly meets the others."""
    random = np.random.default_rng(seed)
    classes = random.choice(6, size=count, p=[0.9, 0.02, 0.02, 0.02, 0.02, 0.02])
    centers = np.eye(6, 8) * 3
    return Labelled(
        (centers[classes] + random.normal(0, 0.6, (count, 8))).astype(np.float32), classes
    )


def even(count, seed):
    made = rare_classes(count * 8, seed)
    keep = np.concatenate([np.flatnonzero(made.classes == c)[: count // 6] for c in range(6)])
    return Labelled(made.vectors[keep], made.classes[keep])


SETTINGS = SimulationSettings(initial=10, batch=10, steps=4, strength=1.0)


@pytest.fixture(scope="module")
def curves():
    pool, dev = rare_classes(1_500, 1), even(120, 2)
    return {
        strategy: [simulate(pool, dev, strategy, SETTINGS, seed) for seed in range(3)]
        for strategy in Strategy
    }


def test_strategies_begin_alike_and_label_without_repeating(curves):
    for seed in range(3):
        runs = [of[seed] for of in curves.values()]
        assert len({run.chosen[:10] for run in runs}) == 1
        assert len({run.accuracies[0] for run in runs}) == 1
    for run in (run for of in curves.values() for run in of):
        assert run.labels == (10, 20, 30, 40, 50)
        assert len(set(run.chosen)) == 50


def test_doubt_finds_the_rare(curves):
    found = {item.strategy: item for item in compare(curves)}
    assert found[Strategy.RANDOM].gain == 0
    for strategy in (Strategy.MARGIN, Strategy.ENTROPY):
        assert found[strategy].gain > 0.02
        assert found[strategy].wins == 3
        assert 0 < found[strategy].labels_to_match <= 50


def test_a_run_repeats(curves):
    pool, dev = rare_classes(1_500, 1), even(120, 2)
    again = simulate(pool, dev, Strategy.MARGIN_DIVERSITY, SETTINGS, 1)
    assert again == curves[Strategy.MARGIN_DIVERSITY][1]


def test_comparison_by_hand():
    def curve(*accuracies):
        return Curve((10, 20, 30), accuracies, ())

    base = [curve(0.5, 0.6, 0.7), curve(0.5, 0.6, 0.8)]
    better = [curve(0.5, 0.8, 0.8), curve(0.5, 0.5, 0.9)]
    worse = [curve(0.5, 0.5, 0.6), curve(0.5, 0.5, 0.6)]
    first, second, third = compare(
        {Strategy.RANDOM: base, Strategy.MARGIN: better, Strategy.ENTROPY: worse}
    )
    assert (first.strategy, second.strategy, third.strategy) == (
        Strategy.MARGIN,
        Strategy.RANDOM,
        Strategy.ENTROPY,
    )
    assert first.area == pytest.approx(0.75)
    assert first.gain == pytest.approx(0.075)
    # Seed by seed: +0.15 and 0.0.
    assert first.gain_spread == pytest.approx(0.15 / 2**0.5)
    assert first.wins == 1
    assert first.final == pytest.approx(0.85)
    assert (first.labels_to_match, second.labels_to_match, third.labels_to_match) == (30, 30, 0)
