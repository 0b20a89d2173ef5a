"""Matrix factorisation by the library `implicit`: the peers that any recommender is compared with.

Sources: Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM
2008, for ALS; Rendle et al., "BPR: Bayesian personalized ranking from implicit feedback", UAI 2009.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from services.recommend.recommender import Scores, recency_matrix
from services.recommend.sequences import Items, Sequences

SEED = 17


@dataclass(frozen=True, slots=True)
class AlsSettings:
    """What the validation part chooses.

    Attributes:
        factors: Length of the vectors.
        regularisation: Of the squared length of the vectors.
        alpha: Confidence of an item that the user had, against 1 of any other.
        iterations: Passes over users and items.
    """

    factors: int = 64
    regularisation: float = 0.1
    alpha: float = 10.0
    iterations: int = 15


class Als:
    """Alternating least squares of weighted implicit feedback.

    Args:
        items: How many there are.
        settings: See there.
        threads: Of the solver, 0 for all cores.
    """

    def __init__(
        self, items: int, settings: AlsSettings | None = None, *, threads: int = 1
    ) -> None:
        self._items = items
        self._settings = settings or AlsSettings()
        self._threads = threads
        self._model: Any = None

    def fit(self, sequences: Sequences) -> None:
        """Factorise the matrix of users and items."""
        als: Any = import_module("implicit.cpu.als")
        chosen = self._settings
        with _single_blas():
            self._model = als.AlternatingLeastSquares(
                factors=chosen.factors,
                regularization=chosen.regularisation,
                alpha=chosen.alpha,
                iterations=chosen.iterations,
                num_threads=self._threads,
                random_state=SEED,
            )
            self._model.fit(_binary(sequences, self._items), show_progress=False)

    def scores(self, histories: Sequences) -> Scores:
        """Products of the items' vectors and the users', solved anew for the histories."""
        with _single_blas():
            users = self._model.recalculate_user(
                np.arange(len(histories)), _binary(histories, self._items)
            )
        return np.asarray(users @ self._model.item_factors.T, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class BprSettings:
    """What the validation part chooses.

    Attributes:
        factors: Length of the vectors.
        regularisation: Of the vectors, a step.
        learning_rate: Of stochastic gradient descent.
        iterations: Passes over as many samples as there are interactions.
    """

    factors: int = 64
    regularisation: float = 0.01
    learning_rate: float = 0.05
    iterations: int = 100


class Bpr:
    """Bayesian personalised ranking.

    A history that was fitted has the vector of its user; any other the mean of its items' vectors,
    because BPR has no closed form for a new user.

    Args:
        items: How many there are.
        settings: See there.
        threads: Of the solver, 0 for all cores; with more than one a run is not repeatable.
    """

    def __init__(
        self, items: int, settings: BprSettings | None = None, *, threads: int = 1
    ) -> None:
        self._items = items
        self._settings = settings or BprSettings()
        self._threads = threads
        self._model: Any = None
        self._users: dict[bytes, int] = {}

    def fit(self, sequences: Sequences) -> None:
        """Learn vectors that rank what a user had above what the user had not."""
        bpr: Any = import_module("implicit.cpu.bpr")
        chosen = self._settings
        self._model = bpr.BayesianPersonalizedRanking(
            factors=chosen.factors,
            regularization=chosen.regularisation,
            learning_rate=chosen.learning_rate,
            iterations=chosen.iterations,
            num_threads=self._threads,
            random_state=SEED,
        )
        with _single_blas():
            self._model.fit(_binary(sequences, self._items), show_progress=False)
        self._users = {_key(sequence): user for user, sequence in enumerate(sequences)}

    def scores(self, histories: Sequences) -> Scores:
        """Products of the items' vectors and the users', [histories, items]."""
        vectors = np.stack([self._vector(history) for history in histories])
        return np.asarray(vectors @ self._model.item_factors.T, dtype=np.float32)

    def _vector(self, history: Items) -> Scores:
        user = self._users.get(_key(history))
        if user is not None:
            return self._model.user_factors[user]
        # The last factor is the item's bias: the users' is 1.
        vector = self._model.item_factors[history].mean(axis=0)
        vector[-1] = 1.0
        return vector


def _key(history: Items) -> bytes:
    return history.tobytes()


def _binary(sequences: Sequences, items: int) -> Any:
    matrix = recency_matrix(sequences, items, 1.0)
    matrix.data[:] = 1.0
    return matrix


@contextmanager
def _single_blas() -> Generator[None]:
    """The library has threads of its own, which BLAS's would fight with; it warns of them."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield
