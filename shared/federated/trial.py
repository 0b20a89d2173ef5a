"""One comparison's data: what shops are dealt, and what every model is measured on.

In a folder, so that who prepares it (the ranker's features, the encoder of texts) and who trains
(Flower's environment) need not be one process.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from shared.evaluation.metrics import dcg
from shared.federated.errors import FederatedError
from shared.federated.models import Task, Weights
from shared.federated.rows import Rows
from shared.numpy_file import UNREADABLE, open_arrays

PLACES: Final = 10
_TASK, _TRAIN, _TEST, _MORE = "task.json", "train.npz", "test.npz", "more.npz"


@dataclass(frozen=True, slots=True)
class Trial:
    """Training and test rows; of a ranker's test rows the targets are ratings."""

    task: Task
    train: Rows
    strata: NDArray[np.int64]
    """(training examples,) what each is of: shops differ in their mix of these."""
    test: Rows
    ideals: NDArray[np.float64]
    """(test examples,) DCG@10 of the best order of all judged products; empty for intents."""

    @property
    def figure(self) -> str:
        """Name of what `measure` returns."""
        return "accuracy" if self.task.kind == "intent" else f"nDCG@{PLACES}"

    def measure(self, weights: Weights) -> float:
        """Returns the share of right labels, or the mean nDCG@10, on the test rows."""
        scores = self.task.model().scores(weights, self.test.features)
        if self.task.kind == "intent":
            return float((scores.argmax(axis=1) == self.test.targets.astype(np.int64)).mean())
        ends = [*self.test.starts[1:], len(scores)]
        found: list[float] = []
        for start, end, ideal in zip(self.test.starts, ends, self.ideals, strict=True):
            best = np.argsort(-scores[start:end], kind="stable")[:PLACES]
            ratings: list[int] = self.test.targets[start:end][best].astype(np.int64).tolist()
            found.append(dcg(ratings) / float(ideal))
        return float(np.mean(found))

    def save(self, folder: Path) -> None:
        """Writes it; the folder is made when absent."""
        folder.mkdir(parents=True, exist_ok=True)
        self.task.save(folder / _TASK)
        self.train.save(folder / _TRAIN)
        self.test.save(folder / _TEST)
        np.savez(folder / _MORE, strata=self.strata, ideals=self.ideals)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            FederatedError: It is not there, or not whole.
        """
        task = Task.load(folder / _TASK)
        train, test = (Rows.load(folder / name) for name in (_TRAIN, _TEST))
        try:
            with open_arrays(folder / _MORE) as more:
                return cls(task, train, more["strata"], test, more["ideals"])
        except UNREADABLE as error:
            raise FederatedError(f"{folder} holds no trial: {error}") from error
