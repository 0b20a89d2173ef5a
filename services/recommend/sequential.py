"""The sequential model: a causal transformer trained to tell the next item from all others.

Every position of every sequence is predicted, with the full softmax over the items instead of a few
sampled negatives. Training stops when the validation items are no longer found better, or at its
time limit, and keeps the best weights, averaged over the steps before.

Sources: Kang and McAuley, "Self-attentive sequential recommendation", ICDM 2018; Klenitskiy and
Vasilev, "Turning dross into gold loss: is BERT4Rec really better than SASRec?", RecSys 2023, for
the full softmax; Polyak and Juditsky, SIAM J. Control Optim. 30(4), 1992, for the average.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch.optim import swa_utils
from torch.optim.swa_utils import AveragedModel

from services.recommend.full_softmax import full_softmax_loss
from services.recommend.ranking import mean_ndcg
from services.recommend.recommender import Advance, Scores
from services.recommend.sequences import Attributes, Items, Sequences
from services.recommend.split import Held, TooShortError
from services.recommend.transformer import NetworkSettings, SequenceNetwork
from services.recommend.warm_start import item_vectors


@dataclass(frozen=True, slots=True)
class SequentialSettings:
    """How the network is trained.

    Attributes:
        network: Its shape.
        epochs: At most.
        patience: Epochs without a better nDCG@10 on validation before it stops.
        minutes: Of training at most; the epoch under way is cut short.
        batch: Positions of a step, about.
        learning_rate: Of AdamW, after as many steps of warm-up as an epoch has.
        weight_decay: Of AdamW.
        start_length: Of the items' first vectors (see `warm_start`).
        average_decay: Of the exponential average of the weights, a step.
        threads: Of torch.
        seed: Of weights, order and dropout.
    """

    network: NetworkSettings = field(default_factory=NetworkSettings)
    epochs: int = 100
    patience: int = 4
    minutes: float = 20.0
    batch: int = 512
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    start_length: float = 1.0
    average_decay: float = 0.995
    threads: int = 2
    seed: int = 17


@dataclass(frozen=True, slots=True)
class Epoch:
    """What an epoch came to: mean loss in nats, nDCG@10 on validation, seconds since the start."""

    loss: float
    ndcg: float
    seconds: float


class Sequential:
    """Self-attentive sequential recommendation.

    Args:
        items: How many there are.
        validation: Chooses the epoch; its targets are never trained on.
        attributes: Added to the items' vectors where given.
        settings: See there.
        advance: Told of epochs.

    Attributes:
        epochs: Of the last training.
        best: Place of the epoch in `epochs` whose weights are kept.
    """

    def __init__(
        self,
        items: int,
        validation: Held,
        attributes: Attributes | None = None,
        settings: SequentialSettings | None = None,
        *,
        advance: Advance = lambda _done, _total: None,
    ) -> None:
        self.epochs: list[Epoch] = []
        self.best = -1
        self._items = items
        self._validation = validation
        self._attributes = attributes
        self._settings = settings or SequentialSettings()
        self._advance = advance
        self._network: SequenceNetwork | None = None
        self._vectors = torch.empty(0)

    def fit(self, sequences: Sequences) -> None:
        """Train on sequences; those below two items have nothing to predict.

        Raises:
            TooShortError: No sequence has two items.
        """
        windows = cut(sequences, self._settings.network.length)
        if not windows:
            raise TooShortError("no sequence has two items to learn from before the last two")
        with _torch_settings(self._settings.threads, self._settings.seed):
            self._train(sequences, windows)

    def _train(self, sequences: Sequences, windows: list[Items]) -> None:
        chosen = self._settings
        begun = time.monotonic()
        rng = np.random.default_rng(chosen.seed)
        network = SequenceNetwork(self._items, chosen.network, self._attributes)
        start = item_vectors(
            sequences, self._items, chosen.network.width, length=chosen.start_length
        )
        network.vectors.begin_at(torch.as_tensor(start))
        averaging: Any = swa_utils
        averaged: Any = AveragedModel(
            network, multi_avg_fn=averaging.get_ema_multi_avg_fn(chosen.average_decay)
        )
        optimiser: Any = torch.optim.AdamW(
            network.parameters(), lr=chosen.learning_rate, weight_decay=chosen.weight_decay
        )
        steps = sum(1 for _ in batched(windows, chosen.batch, rng))
        warm_up = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: min(1.0, (step + 1) / steps)
        )
        self.epochs, self.best = [], -1
        best_state = {}
        for number in range(chosen.epochs):
            network.train()
            losses: list[float] = []
            for batch in batched(windows, chosen.batch, rng):
                loss = _loss(network, batch)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()  # pyright: ignore[reportUnknownMemberType]
                torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimiser.step()
                warm_up.step()
                averaged.update_parameters(network)
                losses.append(loss.item())
                if time.monotonic() - begun > chosen.minutes * 60:
                    break
            self._use(averaged.module)
            ndcg = mean_ndcg(self, self._validation)
            self.epochs.append(Epoch(float(np.mean(losses)), ndcg, time.monotonic() - begun))
            self._advance(number + 1, chosen.epochs)
            if self.best < 0 or ndcg > self.epochs[self.best].ndcg:
                self.best = number
                best_state = {
                    name: value.clone() for name, value in averaged.module.state_dict().items()
                }
            late = self.epochs[-1].seconds > chosen.minutes * 60
            if late or number - self.best >= chosen.patience:
                break
        averaged.module.load_state_dict(best_state)
        self._use(averaged.module)

    def _use(self, network: SequenceNetwork) -> None:
        self._network = network.eval()
        with torch.inference_mode():
            self._vectors = network.vectors()

    @property
    def network(self) -> SequenceNetwork:
        """The network, fitted.

        Raises:
            RuntimeError: Not fitted.
        """
        if self._network is None:
            raise RuntimeError("the sequential model is not fitted")
        return self._network

    def scores(self, histories: Sequences) -> Scores:
        """Log-probabilities of the next item but for a constant a row, [histories, items].

        Raises:
            RuntimeError: Not fitted.
        """
        network = self.network
        length = self._settings.network.length
        newest = [history[-length:] for history in histories]
        # Alike in length, so that a batch is filled up little.
        order: list[int] = np.argsort([len(each) for each in newest], kind="stable").tolist()
        found = np.empty((len(newest), self._items), dtype=np.float32)
        with torch.inference_mode():
            for begin in range(0, len(order), 256):
                rows = order[begin : begin + 256]
                items, lengths = filled([newest[row] for row in rows])
                states = network(items, self._vectors)
                last = states[torch.arange(len(rows)), lengths - 1]
                found[rows] = (last @ self._vectors.T).numpy()
        return found


def _loss(network: SequenceNetwork, batch: list[Items]) -> torch.Tensor:
    items, lengths = filled(batch)
    vectors = network.vectors()
    states = network(items[:, :-1], vectors)
    # Real positions alone: a product with all items is too dear to be spent on what fills up.
    real = torch.arange(states.shape[1]) < (lengths - 1)[:, None]
    return full_softmax_loss(states[real], vectors, items[:, 1:][real])


def cut(sequences: Sequences, length: int) -> list[Items]:
    """Windows of at most `length` + 1 items from the end backwards, each item predicted once.

    The last item of a window is the first of the next, where it only is what comes before.
    """
    windows: list[Items] = []
    for sequence in sequences:
        end = len(sequence)
        while end > 1:
            begin = max(0, end - length - 1)
            windows.append(sequence[begin:end])
            end = begin + 1
    return windows


def batched(
    windows: list[Items], positions: int, rng: np.random.Generator
) -> Iterator[list[Items]]:
    """Batches of windows alike in length, in a random order, of about so many positions."""
    lengths = np.array([len(window) - 1 for window in windows])
    # A little noise, so that the batches of two epochs differ.
    order: list[int] = np.argsort(lengths + rng.random(len(lengths)), kind="stable").tolist()
    ends = np.cumsum(lengths[order])
    parts = max(1, math.ceil(int(ends[-1]) / positions))
    share = int(ends[-1]) / parts
    cuts = [int(np.searchsorted(ends, part * share)) for part in range(1, parts)]
    groups = [order[begin:end] for begin, end in pairwise([0, *cuts, len(order)]) if end > begin]
    places: list[int] = rng.permutation(len(groups)).tolist()
    for at in places:
        yield [windows[place] for place in groups[at]]


def filled(histories: Sequences) -> tuple[torch.Tensor, torch.Tensor]:
    """Histories filled up behind with item 0, [batch, longest], and their lengths, [batch]."""
    lengths = np.array([len(history) for history in histories], dtype=np.int64)
    items = np.zeros((len(histories), int(lengths.max())), dtype=np.int64)
    items[np.arange(items.shape[1]) < lengths[:, None]] = np.concatenate(list(histories))
    return torch.as_tensor(items), torch.as_tensor(lengths)


@contextmanager
def _torch_settings(threads: int, seed: int) -> Generator[None]:
    """Threads and seed of torch, put back afterwards: the process may use it for more."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        random: Any = torch.random
        with random.fork_rng(devices=[]):
            torch.manual_seed(seed)  # pyright: ignore[reportUnknownMemberType]
            yield
    finally:
        torch.set_num_threads(before)
