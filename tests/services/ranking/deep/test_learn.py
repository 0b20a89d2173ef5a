"""The network learns what attracts, not where it stood; it stops, goes on and is calibrated."""

import numpy as np
import pytest
import torch

from services.ranking.clicks.page_log import PageLogError
from services.ranking.deep.calibrate import Calibrated, calibration_error, chances, fit_curves
from services.ranking.deep.impressions import Impressions, Split, part_of
from services.ranking.deep.learn import WEIGHTS, learn
from services.ranking.deep.network import DeepNetwork, Shape, log_chances, unbiased_loss
from services.ranking.deep.training import CHECKPOINT, TrainingSettings, fit
from services.ranking.features import FEATURES
from shared.distributed import Processes

ALONE = Processes(0, 1)
QUICK = TrainingSettings(epochs=12, batch=512, shape=Shape(experts=2, width=16, tower=8))


@pytest.fixture(scope="module")
def learnt(pages, linear):
    found = learn(Split.of(pages), linear, QUICK, processes=ALONE)
    assert found is not None
    return found


def test_the_loss_is_least_at_the_chance_of_a_click_once_looked_at():
    """However seldom a place is looked at."""
    random = np.random.default_rng(0)
    looked = np.repeat([1.0, 0.2], 200_000)
    clicked = random.random(len(looked)) < looked * 0.3
    outcomes = torch.zeros(len(looked), 3)
    outcomes[:, 0] = torch.as_tensor(clicked)
    at = torch.as_tensor(looked, dtype=torch.float32)

    def loss(chance: float) -> float:
        logits = torch.full((len(looked), 3), -20.0)
        logits[:, 0] = float(np.log(chance / (1 - chance)))
        return float(unbiased_loss(logits, outcomes, at))

    tried = np.arange(0.2, 0.41, 0.01)
    assert tried[np.argmin([loss(chance) for chance in tried])] == pytest.approx(0.3, abs=0.011)


def test_the_tasks_are_a_chain():
    network = DeepNetwork(len(FEATURES), Shape())
    found = log_chances(network(torch.rand(50, len(FEATURES)))).exp()
    assert found.shape == (50, 3)
    assert (found[:, 1] < found[:, 0]).all()
    assert (found[:, 2] < found[:, 1]).all()


def test_it_learns_what_attracts_in_spite_of_where_it_stood(learnt, pages, attraction, looked):
    held = Split.of(pages).test
    features = np.vstack([page.features for page in held[::30]])
    found = chances(learnt.model, features.astype(np.float32))[:, 0]
    truth = attraction(features)
    assert np.corrcoef(found, truth)[0, 1] > 0.95
    assert np.abs(found - truth).mean() < 0.06
    assert learnt.looked == pytest.approx(looked, abs=0.15)
    assert learnt.weight > 0
    assert learnt.weight in WEIGHTS


def test_clicks_taken_as_they_are_are_foretold_too_low(pages, linear, attraction):
    found = learn(Split.of(pages), linear, QUICK, processes=ALONE, looked=np.ones(6))
    assert found is not None
    features = np.vstack([page.features for page in Split.of(pages).test[::30]])
    naive = chances(found.model, features.astype(np.float32))[:, 0]
    assert naive.mean() < 0.75 * attraction(features).mean()


def test_curves_mend_what_is_foretold_wrongly(learnt, pages, looked):
    split = Split.of(pages)
    held, test = Impressions.of(split.validation), Impressions.of(split.test)
    network = DeepNetwork(len(FEATURES), QUICK.shape).eval()
    network.load_state_dict(learnt.model.network.state_dict())
    with torch.no_grad():  # too sure, and too often
        network.towers[0][2].weight.mul_(3)
        network.towers[0][2].bias.add_(1)

    def error(model: Calibrated) -> float:
        expected = chances(model, test.features)[:, 0] * looked[test.places]
        return calibration_error(expected, test.outcomes[:, 0].astype(np.float64))

    curves = fit_curves(network, held, looked)
    assert error(Calibrated(network, curves)) < 0.04 < error(Calibrated(network))


def test_calibration_error_by_hand():
    assert calibration_error(np.full(10, 0.5), np.arange(10) % 2.0, bins=5) == 0.0
    expected = np.array([0.2] * 5 + [0.8] * 5)
    happened = np.array([0.0] * 5 + [1.0] * 5)
    assert calibration_error(expected, happened, bins=2) == pytest.approx(0.2)
    assert np.isnan(calibration_error(np.zeros(0), np.zeros(0)))


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(pages, looked, tmp_path):
    split = Split.of(pages)
    training, held = Impressions.of(split.training), Impressions.of(split.validation)

    def stop_after(epochs: int):
        def told(epoch) -> None:
            if epoch.number == epochs:
                raise KeyboardInterrupt

        return told

    settings = QUICK.model_copy(update={"epochs": 6})
    whole = fit(training, held, looked, settings, processes=ALONE)
    with pytest.raises(KeyboardInterrupt):
        fit(training, held, looked, settings, processes=ALONE, folder=tmp_path,
            on_epoch=stop_after(3))  # fmt: skip
    assert (tmp_path / CHECKPOINT).is_file()
    seen: list[int] = []
    rest = fit(training, held, looked, settings, processes=ALONE, folder=tmp_path,
               on_epoch=lambda epoch: seen.append(epoch.number))  # fmt: skip
    assert seen == [4, 5, 6]
    assert rest.epochs == whole.epochs
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, rest.network.state_dict()[name]), name
    other = settings.model_copy(update={"learning_rate": 0.1})
    with pytest.raises(PageLogError, match="another run"):
        fit(training, held, looked, other, processes=ALONE, folder=tmp_path)


def test_it_stops_when_held_out_queries_gain_nothing_more(pages, looked):
    split = Split.of(pages)
    chosen = TrainingSettings(epochs=200, patience=2, batch=256, learning_rate=0.02)
    found = fit(Impressions.of(split.training[:200]), Impressions.of(split.validation), looked,
                chosen, processes=ALONE)  # fmt: skip
    assert len(found.epochs) < 200
    assert found.best == len(found.epochs) - 3
    losses = [epoch.validation for epoch in found.epochs]
    assert losses[found.best] == min(losses)


def test_a_query_falls_to_one_part_wherever_it_is_read(pages):
    split = Split.of(pages)
    names = [
        {page.query for page in part} for part in (split.training, split.validation, split.test)
    ]
    assert sum(map(len, names)) == 60
    assert all(names)
    assert {part_of("kettle", seed) for seed in range(40)} == {"training", "validation", "test"}
    assert part_of("query 1") == part_of("query 1")


def test_without_pages_to_learn_or_to_choose_by_nothing_is_trained(pages, linear, looked):
    split = Split.of(pages)
    with pytest.raises(PageLogError, match="no pages"):
        learn(Split([], split.validation, []), linear, QUICK, processes=ALONE, looked=looked)
    with pytest.raises(PageLogError, match="to choose by"):
        learn(Split(split.training, [], []), linear, QUICK, processes=ALONE, looked=looked)
    fixed = [page for page in split.training if page.query == split.training[0].query][:1]
    with pytest.raises(PageLogError, match="another order"):
        learn(Split(fixed, split.validation, []), linear, QUICK, processes=ALONE)
