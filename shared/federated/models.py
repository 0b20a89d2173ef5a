"""The two models that shops train together, small enough that a node needs NumPy alone.

Intents: a softmax head over vectors of texts (multinomial logistic regression). Ranking: a linear
scorer over the ranker's features, by the listwise softmax loss (Cao et al., "Learning to rank: from
pairwise approach to listwise approach", ICML 2007) with gains in place of one right answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.federated.errors import FederatedError
from shared.federated.rows import Rows

Weights = list[NDArray[np.float64]]
"""Arrays of a model, always in the same order."""


class Model(Protocol):
    """What a shop can train and a server can average."""

    def initial(self) -> Weights:
        """Returns the weights that training begins with."""
        ...

    def loss(self, weights: Weights, rows: Rows) -> float:
        """Returns the mean over the examples, in nats."""
        ...

    def gradient(self, weights: Weights, rows: Rows) -> Weights:
        """Returns the gradient of `loss`."""
        ...

    def scores(self, weights: Weights, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Returns what the model says of each row."""
        ...


@dataclass(frozen=True, slots=True)
class IntentHead:
    """Vectors of texts to labels: scores are (rows, labels)."""

    width: int
    labels: int

    def initial(self) -> Weights:
        """See `Model`."""
        return [np.zeros((self.labels, self.width)), np.zeros(self.labels)]

    def scores(self, weights: Weights, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """See `Model`."""
        return features @ weights[0].T + weights[1]

    def loss(self, weights: Weights, rows: Rows) -> float:
        """See `Model`."""
        likely = self._likely(weights, rows)
        chosen = likely[np.arange(len(likely)), rows.targets.astype(np.int64)]
        return float(-np.log(chosen).mean())

    def gradient(self, weights: Weights, rows: Rows) -> Weights:
        """See `Model`."""
        off = self._likely(weights, rows)
        off[np.arange(len(off)), rows.targets.astype(np.int64)] -= 1.0
        off /= len(off)
        return [off.T @ rows.features, off.sum(axis=0)]

    def _likely(self, weights: Weights, rows: Rows) -> NDArray[np.float64]:
        scores = self.scores(weights, rows.features)
        raised = np.exp(scores - scores.max(axis=1, keepdims=True))
        return raised / raised.sum(axis=1, keepdims=True)


@dataclass(frozen=True, slots=True)
class LinearRanker:
    """Features of products to scores, (rows,); what a page's products gained is the target."""

    width: int

    def initial(self) -> Weights:
        """See `Model`."""
        return [np.zeros(self.width)]

    def scores(self, weights: Weights, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """See `Model`."""
        return features @ weights[0]

    def loss(self, weights: Weights, rows: Rows) -> float:
        """See `Model`."""
        return float(-(rows.targets * np.log(self._likely(weights, rows))).sum() / len(rows))

    def gradient(self, weights: Weights, rows: Rows) -> Weights:
        """See `Model`."""
        whole = np.add.reduceat(rows.targets.astype(np.float64), rows.starts)
        off = self._likely(weights, rows) * whole[rows.example] - rows.targets
        return [rows.features.T @ off / len(rows)]

    def _likely(self, weights: Weights, rows: Rows) -> NDArray[np.float64]:
        scores = self.scores(weights, rows.features)
        raised = np.exp(scores - np.maximum.reduceat(scores, rows.starts)[rows.example])
        return raised / np.add.reduceat(raised, rows.starts)[rows.example]


class Task(BaseModel):
    """What is trained: the one thing that all shops agree on beforehand."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["intent", "rank"]
    width: int = Field(ge=1)
    """Numbers of a row."""
    names: tuple[str, ...] = Field(min_length=1)
    """Labels of intents in the order of their numbers, or names of the ranker's features."""
    encoder: str = ""
    """Of intents, name and version of the model that made the vectors, such as "query_en@1"."""

    def model(self) -> IntentHead | LinearRanker:
        """Returns the model to train."""
        if self.kind == "intent":
            return IntentHead(self.width, len(self.names))
        return LinearRanker(self.width)

    def check(self, rows: Rows, path: Path) -> None:
        """Checks that a shop's rows are of this task.

        Raises:
            FederatedError: They are not.
        """
        if rows.features.shape[1] != self.width:
            raise FederatedError(
                f"{path} has rows of {rows.features.shape[1]} numbers, the task of {self.width}: "
                "prepare it with the task's own encoder or features"
            )
        if not (np.isfinite(rows.features).all() and np.isfinite(rows.targets).all()):
            raise FederatedError(f"{path} holds what is no number; prepare it again")
        if (
            self.kind == "intent"
            and not ((rows.targets >= 0) & (rows.targets < len(self.names))).all()
        ):
            raise FederatedError(f"{path} has labels that the task does not know")

    def save(self, path: Path) -> None:
        """Writes it as JSON."""
        path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Task:
        """Reads what `save` wrote.

        Raises:
            FederatedError: It is no such file.
        """
        try:
            return cls.model_validate(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, ValidationError) as error:
            raise FederatedError(f"{path} is no task of federated training: {error}") from error
