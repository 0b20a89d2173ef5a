import dataclasses

import numpy as np
import pytest
import torch

from services.recommend.full_softmax import PIECE, full_softmax_loss
from services.recommend.ranking import mean_ndcg
from services.recommend.sequences import Attributes
from services.recommend.sequential import Sequential, batched, cut
from services.recommend.split import leave_one_out
from services.recommend.transformer import NetworkSettings, SequenceNetwork

RING = 24


def array(*values):
    return np.array(values, dtype=np.int32)


def test_the_loss_and_its_gradients_are_those_of_cross_entropy():
    torch.manual_seed(1)
    count = PIECE * 2 + 7
    states = torch.randn(count, 8, requires_grad=True)
    vectors = torch.randn(50, 8, requires_grad=True)
    targets = torch.randint(0, 50, (count,))
    ours = full_softmax_loss(states, vectors, targets)
    theirs = torch.nn.functional.cross_entropy(states @ vectors.T, targets)
    assert ours.item() == pytest.approx(theirs.item(), abs=1e-5)
    for one, other in zip(
        torch.autograd.grad(ours * 3, (states, vectors)),
        torch.autograd.grad(theirs * 3, (states, vectors)),
        strict=True,
    ):
        assert torch.allclose(one, other, atol=1e-6)


def test_windows_predict_every_item_but_the_first_once():
    windows = cut([np.arange(8, dtype=np.int32), array(9), array(1, 2)], 3)
    assert [window.tolist() for window in windows] == [[4, 5, 6, 7], [1, 2, 3, 4], [0, 1], [1, 2]]


def test_batches_hold_every_window_once_and_about_as_many_positions():
    windows = [np.full(size, at, dtype=np.int32) for at, size in enumerate([2, 9, 3, 3, 6] * 20)]
    got = list(batched(windows, 40, np.random.default_rng(2)))
    assert sorted(int(window[0]) for batch in got for window in batch) == list(range(100))
    assert all(20 <= sum(len(window) - 1 for window in batch) <= 60 for batch in got)


@pytest.fixture
def network():
    torch.manual_seed(2)
    return SequenceNetwork(10, NetworkSettings(width=8, length=6)).eval()


def test_a_state_depends_on_nothing_that_comes_later(network):
    vectors = network.vectors()
    first = network(torch.tensor([[1, 2, 3, 4]]), vectors)
    other = network(torch.tensor([[1, 2, 9, 0]]), vectors)
    assert torch.allclose(first[:, :2], other[:, :2], atol=1e-6)
    assert not torch.allclose(first[:, 2], other[:, 2], atol=1e-3)


def test_an_item_s_vector_holds_the_mean_of_its_attributes():
    attributes = Attributes(("a", "b"), array(0, 0, 2), array(0, 1, 1))
    vectors = SequenceNetwork(3, NetworkSettings(width=8), attributes).vectors
    own, table = vectors.own.weight, vectors.of_attributes.weight
    assert torch.allclose(vectors()[0], own[0] + table.mean(dim=0))
    assert torch.allclose(vectors()[1], own[1])
    assert torch.allclose(vectors()[2], own[2] + table[1])


def test_a_ring_is_learnt(ring, quick):
    split = leave_one_out(ring)
    model = Sequential(RING, split.validation, settings=quick)
    model.fit(split.training)
    assert mean_ndcg(model, split.test) > 0.95
    assert 0 <= model.best < len(model.epochs) <= quick.epochs
    assert model.epochs[model.best].ndcg == max(epoch.ndcg for epoch in model.epochs)


def test_the_order_of_histories_is_kept(ring, quick):
    split = leave_one_out(ring)
    model = Sequential(RING, split.validation, settings=dataclasses.replace(quick, epochs=2))
    model.fit(split.training)
    histories = [array(1, 2, 3), array(5), array(1, 2), array(7, 8, 9, 10)]
    together = model.scores(histories)
    for row, history in zip(together, histories, strict=True):
        assert np.allclose(row, model.scores([history])[0], atol=1e-5)


def test_training_is_repeatable_and_leaves_torch_s_state_alone(ring, quick):
    split = leave_one_out(ring)
    settings = dataclasses.replace(quick, epochs=2)
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    first, second = (Sequential(RING, split.validation, settings=settings) for _ in range(2))
    first.fit(split.training)
    second.fit(split.training)
    assert [epoch.loss for epoch in first.epochs] == [epoch.loss for epoch in second.epochs]
    assert torch.equal(state, torch.random.get_rng_state())


def test_it_stops_at_its_time_limit(ring, quick):
    split = leave_one_out(ring)
    settings = dataclasses.replace(quick, minutes=1e-9)
    model = Sequential(RING, split.validation, settings=settings)
    model.fit(split.training)
    assert len(model.epochs) == 1
    assert model.scores([array(1)]).shape == (1, RING)


def test_it_needs_something_to_predict(ring, quick):
    model = Sequential(RING, leave_one_out(ring).validation, settings=quick)
    with pytest.raises(ValueError, match="two items"):
        model.fit([array(1), array(2)])
    with pytest.raises(RuntimeError, match="not fitted"):
        model.scores([array(1)])
