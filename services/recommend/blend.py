"""The blend: what several models say of an item, weighed so that the validation items come first.

Each model gives two features of an item: its score, standardised over the user's items and
compressed, and how high it ranks the item. A weight may grow or shrink with the length of the
history, because collaborative models need more of it than others. The weights maximise the
probability of the validation items among what the models rank high (a listwise softmax); the
settings that are compared are judged on validation users whose items the weights did not see.

Sources: Cao et al., "Learning to rank: from pairwise approach to listwise approach", ICML 2007;
Cormack, Clarke and Büttcher, "Reciprocal rank fusion", SIGIR 2009, for the second feature.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.recommend.ranking import BATCH, ndcg_of_lists, top, without_seen
from services.recommend.recommender import Advance, Recommender, Scores, batches
from services.recommend.sequences import Items, Sequences
from services.recommend.split import Held

DEPTH = 50
"""Places of each model's list that are candidates when the weights are fitted."""
RANKED = 100
"""Places of each model's list that the second feature tells apart."""
RANK_OFFSET = 5.0
L2 = 1e-3
Features = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class BlendSettings:
    """Which features the weights are fitted for.

    Attributes:
        ranks: Also the ranks, beside the scores.
        lengths: Also the products of each feature and the history's length.
    """

    ranks: bool = True
    lengths: bool = True


CHOICES = tuple(
    BlendSettings(ranks=ranks, lengths=lengths)
    for ranks in (False, True)
    for lengths in (False, True)
)


@dataclass(frozen=True, slots=True)
class _Examples:
    """Candidates of users who have their item among them.

    Attributes:
        features: [users, candidates, features].
        real: Whether a candidate is one, or fills up, [users, candidates].
        targets: Place of the item among the candidates, [users].
        items: Numbers of the candidates, [users, candidates].
    """

    features: Features
    real: NDArray[np.bool_]
    targets: NDArray[np.int64]
    items: Items


class Blend:
    """A weighted sum of what fitted models say.

    Args:
        models: By name, fitted on the same sequences.
    """

    def __init__(self, models: Mapping[str, Recommender]) -> None:
        self._models = dict(models)
        self._weights = np.zeros(len(self._models) * 4)
        self.settings = BlendSettings()

    @property
    def weights(self) -> dict[str, list[float]]:
        """By model: of scores, of ranks, and of their products with the history's length."""
        by_feature = self._weights.reshape(4, len(self._models)).T
        return dict(zip(self._models, np.round(by_feature, 4).tolist(), strict=True))

    def fit_weights(
        self, held: Held, *, seed: int = 5, advance: Advance = lambda _done, _total: None
    ) -> dict[BlendSettings, float]:
        """Choose features and weights.

        Args:
            held: Validation items, which the models were not fitted on.
            seed: Of the parts that the users are drawn into.
            advance: Told of users.

        Returns:
            nDCG@10 of each choice of features on the users that its weights did not see.
        """
        drawn = np.random.default_rng(seed).permutation(len(held.users))
        half = max(1, len(drawn) // 2)
        fitted = self._examples(held.part(drawn[:half]), advance)
        judged = held.part(drawn[half:]) if len(drawn) > 1 else held
        weights = {choice: self._solve(fitted, choice) for choice in CHOICES}
        figures = {
            choice: float(ndcg.mean()) for choice, ndcg in self._judge(weights, judged).items()
        }
        self.settings = max(figures, key=lambda choice: figures[choice])
        self._weights = weights[self.settings]
        return figures

    def scores(self, histories: Sequences) -> Scores:
        """The weighted sum, -inf for items of the history, [histories, items]."""
        scores = {name: model.scores(histories) for name, model in self._models.items()}
        return self.combine(scores, histories)

    def combine(self, scores: Mapping[str, Scores], histories: Sequences) -> Scores:
        """The weighted sum of scores that models with these names have given already.

        Args:
            scores: By model, [histories, items]; those of other models are left out.
            histories: Whose items become -inf.
        """
        parts = self._parts([without_seen(scores[name], histories) for name in self._models])
        return self._weighted(parts, histories, self._weights)

    def _judge(
        self, weights: Mapping[BlendSettings, NDArray[np.float64]], held: Held
    ) -> dict[BlendSettings, NDArray[np.float64]]:
        lists: dict[BlendSettings, list[Items]] = {choice: [] for choice in weights}
        for rows in batches(len(held.targets), BATCH):
            histories = held.histories[rows]
            parts = self._parts(self._scored(histories))
            for choice, chosen in weights.items():
                lists[choice].append(top(self._weighted(parts, histories, chosen)))
        return {
            choice: ndcg_of_lists(np.concatenate(found), held.targets)
            for choice, found in lists.items()
        }

    def _scored(self, histories: Sequences) -> list[Scores]:
        return [without_seen(model.scores(histories), histories) for model in self._models.values()]

    def _parts(self, scores: Sequence[Scores]) -> list[Scores]:
        """Compressed scores of every model, then ranks of every model, each [histories, items]."""
        scored = [standardised(each) for each in scores]
        return [*scored, *(reciprocal_ranks(each) for each in scored)]

    def _weighted(
        self, parts: list[Scores], histories: Sequences, weights: NDArray[np.float64]
    ) -> Scores:
        lengths = _lengths(histories)
        count = len(parts)
        total = np.zeros_like(parts[0])
        for at, part in enumerate(parts):
            factor = weights[at] + weights[count + at] * lengths
            total += part * factor[:, None].astype(np.float32)
        return without_seen(total, histories)

    def _examples(self, held: Held, advance: Advance) -> _Examples:
        kept = list(self._candidates(held, advance))
        widest = max((len(items) for items, _, _ in kept), default=1)
        features = np.zeros((len(kept), widest, len(self._models) * 4), dtype=np.float32)
        items = np.full((len(kept), widest), -1, dtype=np.int32)
        targets = np.zeros(len(kept), dtype=np.int64)
        for row, (candidates, values, target) in enumerate(kept):
            features[row, : len(candidates)] = values
            items[row, : len(candidates)] = candidates
            targets[row] = np.flatnonzero(candidates == target)[0]
        return _Examples(features, items >= 0, targets, items)

    def _candidates(self, held: Held, advance: Advance) -> Iterator[tuple[Items, Features, int]]:
        """Of each user whose item any model ranks high: candidates, features, the item."""
        for rows in batches(len(held.targets), BATCH):
            histories = held.histories[rows]
            parts = self._parts(self._scored(histories))
            lists = np.concatenate(
                [top(part, DEPTH) for part in parts[: len(self._models)]], axis=1
            )
            lengths = _lengths(histories)
            for row, target in enumerate(held.targets[rows].tolist()):
                candidates = np.unique(lists[row][lists[row] >= 0])
                if target not in candidates:
                    continue
                plain = np.stack([part[row, candidates] for part in parts], axis=1)
                yield candidates, np.concatenate([plain, plain * lengths[row]], axis=1), target
            advance(rows.stop, len(held.targets))

    def _solve(self, examples: _Examples, choice: BlendSettings) -> NDArray[np.float64]:
        """Weights of most probability of the targets, 0 for features that are not chosen."""
        models = len(self._models)
        used = np.repeat(
            [True, choice.ranks, choice.lengths, choice.ranks and choice.lengths], models
        )
        weights = np.zeros(len(used))
        if not len(examples.targets):
            weights[:models] = 1.0
            return weights
        weights[used] = _most_likely(
            np.ascontiguousarray(examples.features[:, :, used]), examples.real, examples.targets
        )
        return weights


def _most_likely(
    features: Features, real: NDArray[np.bool_], targets: NDArray[np.int64]
) -> NDArray[np.float64]:
    optimize: Any = import_module("scipy.optimize")
    rows = np.arange(len(targets))
    wanted = features[rows, targets]
    flat = features.reshape(-1, features.shape[2])

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = (flat @ weights.astype(np.float32)).reshape(real.shape)
        logits[~real] = -np.inf
        logits -= logits.max(axis=1, keepdims=True)
        shares = np.exp(logits)
        sums = shares.sum(axis=1)
        shares /= sums[:, None]
        wanted_logits: Scores = logits[rows, targets]
        value = float((np.log(sums) - wanted_logits).mean()) + L2 * float(weights @ weights)
        expected = shares.reshape(-1) @ flat
        gradient = (expected - wanted.sum(axis=0)) / len(rows) + 2 * L2 * weights
        return value, gradient.astype(np.float64)

    start = np.full(features.shape[2], 0.1)
    found: Any = optimize.minimize(
        loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200}
    )
    return np.asarray(found.x, dtype=np.float64)


def standardised(scores: Scores) -> Scores:
    """Scores less their mean over their deviation in each row, compressed by asinh.

    Compressed because scores of neighbours are 0 for nearly all items and then far off; -inf
    becomes the least value of the row, and a row without any difference 0.
    """
    barred = np.isneginf(scores)
    counts = np.maximum((~barred).sum(axis=1, keepdims=True), 1).astype(np.float32)
    values: Scores = np.where(barred, np.float32(0), scores)
    values -= values.sum(axis=1, keepdims=True) / counts
    values[barred] = 0
    deviation = np.sqrt(np.square(values).sum(axis=1, keepdims=True) / counts)
    values /= np.where(deviation > 0, deviation, np.float32(1))
    np.arcsinh(values, out=values)
    least = values.min(axis=1, keepdims=True)
    values[barred] = np.broadcast_to(least, scores.shape)[barred]
    return values


def reciprocal_ranks(scores: Scores) -> Scores:
    """RANK_OFFSET / (RANK_OFFSET + place from 0) of the first RANKED of each row, 0 behind.

    An item whose score is the least of its row has no place: the model knows nothing for it.
    """
    first = top(scores, RANKED)
    values = np.take_along_axis(scores, first, axis=1)
    places = np.arange(first.shape[1], dtype=np.float32)
    shares = np.broadcast_to(RANK_OFFSET / (RANK_OFFSET + places), first.shape)
    ranks = np.zeros_like(scores)
    known = values > scores.min(axis=1, keepdims=True)
    np.put_along_axis(ranks, first, np.where(known, shares, 0).astype(np.float32), axis=1)
    return ranks


def _lengths(histories: Sequences) -> Scores:
    """How far the logarithm of each history's length is from that of 6 items, [histories]."""
    return np.log(np.array([len(history) for history in histories], dtype=np.float32) / 6.0)
