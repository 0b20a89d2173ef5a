"""The deep ranker as the ranking service asks it: a graph in Triton, or in this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.ranking.deep.model_file import FILE, INPUT, MAX_BATCH, OUTPUT, DeepFile
from services.ranking.deep.shapley import Walks
from services.ranking.features import FEATURES
from services.ranking.tree_model import ModelFileError
from shared.breaker import CircuitBreaker
from shared.deadline import current_deadline
from shared.errors import (
    CircuitOpenError,
    DeadlineExceededError,
    UnavailableError,
    WhereforeError,
)
from shared.inference import InferenceSettings, TensorModel, open_model

STAGE: Final = "ranking.deep"


@dataclass(frozen=True, slots=True)
class Added:
    """What the deep ranker adds to the scores of candidates."""

    version: str
    scores: NDArray[np.float64]
    """(candidates,) weight and all."""
    base: float = 0.0
    """Of the mean candidate, from which contributions count; 0 unless they were asked for."""
    contributions: NDArray[np.float64] | None = None
    """(candidates, len(FEATURES)), with the base summing to the scores; when asked for."""


class DeepRanker:
    """Asks the graph, and puts its answers on the scale of the linear score.

    Args:
        model: The graph.
        file: What was written beside it.
        weight: Of its score beside the linear one; the file's own when None.
        timeout: Seconds that the model is given for a batch.
    """

    def __init__(
        self,
        model: TensorModel,
        file: DeepFile,
        weight: float | None = None,
        *,
        timeout: float = 1.0,
    ) -> None:
        self._model = model
        self._timeout = timeout
        self._file = file
        self._weight = file.weight if weight is None else weight
        self._columns = [FEATURES.index(name) for name in file.features]
        self._breaker = CircuitBreaker(STAGE)

    @classmethod
    def open(cls, inference: InferenceSettings, weight: float | None = None) -> DeepRanker:
        """Opens the model that `inference` names. Nothing is connected before its use.

        Raises:
            ModelFileError: The repository holds no such model, or one of other features.
        """
        file = DeepFile.load(inference.version_dir / FILE)
        try:
            return cls(open_model(inference), file, weight, timeout=inference.timeout_seconds)
        except UnavailableError as error:
            raise ModelFileError(str(error)) from error

    async def add(self, values: NDArray[np.float64], *, contributions: bool) -> Added:
        """Scores candidates.

        Args:
            values: (candidates, len(FEATURES)).
            contributions: Whether what each feature added is wanted; it costs many more rows.

        Raises:
            WhereforeError: The model does not answer, or failed so often of late that it was not
                asked.
        """
        if not self._breaker.allow():
            raise CircuitOpenError("the deep ranker failed lately")
        # A caller in a hurry says nothing of the model.
        fair = current_deadline().stage_timeout(self._timeout) >= self._timeout
        try:
            added = await self._added(values, contributions)
        except WhereforeError as error:
            if fair or not isinstance(error, DeadlineExceededError):
                self._breaker.record_failure()
            raise
        self._breaker.record_success()
        return added

    async def close(self) -> None:
        """Lets go of the connection."""
        await self._model.close()

    async def _added(self, values: NDArray[np.float64], contributions: bool) -> Added:
        read = self._file.columns(values)
        if not contributions:
            return Added(self._file.version, self._weight * await self._scores(read))
        walks = Walks.over(read)
        base, shares = walks.share_out(self._weight * await self._scores(walks.flat()))
        spread = np.zeros((len(values), len(FEATURES)))
        spread[:, self._columns] = shares
        # The walks end at the candidates themselves: their answers are the scores.
        return Added(self._file.version, base + shares.sum(axis=1), base, spread)

    async def _scores(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        parts: list[NDArray[np.float64]] = []
        for begin in range(0, len(rows), MAX_BATCH):
            some = rows[begin : begin + MAX_BATCH]
            forwarded = await self._model.run({INPUT: some}, [OUTPUT], urgent=True)
            parts.append(self._file.score(forwarded.outputs[OUTPUT]))
        return np.concatenate(parts)
