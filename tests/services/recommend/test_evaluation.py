import dataclasses
import json

import numpy as np
import pytest

from services.recommend import evaluation as module
from services.recommend import tuning
from services.recommend.evaluation import EvaluationSettings, evaluate
from services.recommend.item_knn import ItemKnn, ItemKnnSettings
from services.recommend.sequences import Attributes, SequenceData
from services.recommend.split import leave_one_out

RING = 24


@pytest.fixture
def settings(quick):
    return EvaluationSettings(
        sequential=dataclasses.replace(quick, epochs=8), tune=False, threads=1
    )


def test_every_model_is_measured_on_the_ring(ring_data, settings):
    stages = {}
    found = evaluate(
        ring_data,
        settings=settings,
        progress=lambda stage, done, total: stages.update({stage: (done, total)}),
    )
    assert list(found.models) == ["blend", "sequential", "als", "bpr", "item_knn", "popularity"]
    document = json.loads(json.dumps(found.as_json()))
    assert set(document["models"]["blend"]) == {"ndcg@10", "hr@10", "coverage@10", "novelty@10"}
    ndcg = {name: figures["ndcg@10"] for name, figures in document["models"].items()}
    assert ndcg["blend"] > 0.95
    assert ndcg["sequential"] > 0.9
    assert ndcg["popularity"] < 0.6
    assert (document["users"], document["items"], document["interactions"]) == (72, RING, 504)
    assert document["evaluated_users"] == 72
    assert all(len(values) == 72 for values in found.by_user().values())
    assert stages["measuring"] == (72, 72)
    assert "training sequential" in stages


def test_attributes_add_a_model_and_reach_the_others(ring_data, settings):
    numbers = np.arange(RING, dtype=np.int32)
    attributes = Attributes(("even", "odd"), numbers, numbers % 2)
    found = evaluate(ring_data, attributes, settings)
    assert list(found.models)[:3] == ["blend", "sequential", "content"]
    assert "content" in found.chosen["blend"]["weights"]


class Watched:
    """Stands in front of a model and keeps all that it is fitted on."""

    def __init__(self, model, kept):
        self.model, self.kept = model, kept

    def __getattr__(self, name):
        return getattr(self.model, name)

    def fit(self, sequences):
        self.kept.append([list(map(int, sequence)) for sequence in sequences])
        self.model.fit(sequences)


def test_no_test_item_reaches_anything_that_is_fitted_or_chosen(monkeypatch, settings):
    # The last item of each user is that user's alone, so that a leak cannot hide.
    rng = np.random.default_rng(8)
    users = 40
    sequences = [
        np.append(rng.permutation(20)[:6], 20 + user).astype(np.int32) for user in range(users)
    ]
    secret = set(range(20, 20 + users))
    names = tuple(str(item) for item in range(20 + users))
    data = SequenceData(tuple(map(str, range(users))), names, tuple(sequences))
    fitted, held = [], []
    for name in ("ItemKnn", "Als", "Bpr", "Popularity", "Sequential"):
        real = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, real=real, **k: Watched(real(*a, **k), fitted))
    weigh = module.Blend.fit_weights
    monkeypatch.setattr(
        module.Blend,
        "fit_weights",
        lambda self, seen, **k: held.append(seen) or weigh(self, seen, **k),
    )
    choose = tuning.choose
    monkeypatch.setattr(tuning, "choose", lambda *a, **k: held.append(a[4]) or choose(*a, **k))
    grid = {"recency": (0.8, 0.4)}
    for name in ("ITEM_KNN", "ALS", "BPR"):
        monkeypatch.setattr(tuning, name, grid if name == "ITEM_KNN" else {"factors": (4, 8)})
    quick = dataclasses.replace(settings.sequential, epochs=2)
    found = evaluate(data, settings=dataclasses.replace(settings, sequential=quick, tune=True))
    assert len(fitted) > 10
    assert len(held) == 4
    for sequences in fitted:
        assert not secret & {item for sequence in sequences for item in sequence}
    for seen in held:
        assert not secret & set(seen.targets.tolist())
        assert not secret & {int(item) for history in seen.histories for item in history}
    # Nobody had the items before, so neighbours and counts cannot know them.
    assert found.models["item_knn"].hits.sum() == 0


def test_other_test_items_change_no_list_of_the_chosen_settings(ring_data, settings):
    other = SequenceData(
        ring_data.users,
        ring_data.items,
        tuple(
            np.append(walk[:-1], (walk[-1] + 5) % RING).astype(np.int32)
            for walk in ring_data.sequences
        ),
    )
    settings = dataclasses.replace(settings, tune=True)
    first, second = (evaluate(data, settings=settings) for data in (ring_data, other))
    assert first.chosen == second.chosen
    assert first.models["sequential"].coverage == second.models["sequential"].coverage


def test_settings_are_chosen_by_what_validation_items_say():
    # The item after the newest one comes next, whatever else stood in the sequence.
    rng = np.random.default_rng(3)
    walks = [
        np.array([(start + step) % 40 for step in range(8)], dtype=np.int32)
        for start in rng.integers(0, 40, size=200)
    ]
    split = leave_one_out(walks)
    start = ItemKnnSettings(recency=1.0, backward=1.0)
    best = tuning.choose(
        start,
        {"recency": (1.0, 0.3), "backward": (1.0, 0.1)},
        lambda settings: ItemKnn(40, settings),
        split.training,
        split.validation,
    )
    assert best.recency == 0.3
    assert best.nearness == start.nearness


def test_users_are_drawn_by_chance_and_again_the_same(ring):
    held = leave_one_out(ring).validation
    some = tuning.some_users(held, 10)
    assert len(some.users) == 10
    assert some.users.tolist() == tuning.some_users(held, 10).users.tolist()
    assert tuning.some_users(held, 1_000).users.tolist() == held.users.tolist()
