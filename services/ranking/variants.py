"""The models that can rank: the weights, the weights with what was learnt of late, a candidate.

Which of them ranks is told with a request, so that an experiment can compare them; a request that
names none is ranked as the service is set.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from services.ranking.model import LinearModel, ScoringModel
from services.ranking.weights import Weights
from shared.errors import FailedPreconditionError, InvalidArgumentError


class Variant(StrEnum):
    """Names of the models."""

    WEIGHTS = "weights"
    ONLINE = "online"
    CANDIDATE = "candidate"


class Head(Protocol):
    """What was learnt from events: deviations from the weights."""

    def deviation(self, serving_config: str) -> NDArray[np.float64] | None:
        """Returns (features,) what to add to the weights; None where that is to be nothing."""
        ...

    def deviation_root(self, serving_config: str) -> NDArray[np.float64] | None:
        """Returns (features, features) a root of its covariance, where there is one."""
        ...

    def updates(self, serving_config: str) -> int:
        """Returns the version of what was learnt."""
        ...


class Chosen(NamedTuple):
    """A model, and how far its weights are uncertain."""

    model: ScoringModel
    root: NDArray[np.float64] | None = None


class Variants:
    """Finds the model of a request.

    Args:
        weights: Those of the service.
        learnt: By serving config: what ranks in place of the weights, whatever the language.
        candidate: Weights that are tried beside.
        head: What was learnt from events.
        default: What ranks where a request names none.
    """

    def __init__(
        self,
        weights: Weights,
        *,
        learnt: Mapping[str, ScoringModel] | None = None,
        candidate: Weights | None = None,
        head: Head | None = None,
        default: Variant = Variant.WEIGHTS,
    ) -> None:
        self._learnt = learnt or {}
        self._linear = _linear(weights)
        self._candidate = _linear(candidate) if candidate else {}
        self._head = head
        self._default = default

    def find(
        self, name: str, serving_config: str, language: str, *, explore: bool = False
    ) -> Chosen:
        """Returns the model that ranks.

        Args:
            name: A `Variant`, or "" for the default.
            serving_config: A known one.
            language: Of the query, such as "zh"; "" for none.
            explore: Whether to tell how far the weights are uncertain.

        Raises:
            InvalidArgumentError: There is no such variant.
            FailedPreconditionError: This service does not have it.
        """
        if name and name not in tuple(Variant):
            known = ", ".join(Variant)
            raise InvalidArgumentError.of("model_variant", f"is unknown; known are {known}")
        variant = Variant(name) if name else self._default
        if variant is Variant.CANDIDATE:
            if serving_config not in self._candidate:
                raise FailedPreconditionError("no candidate ranks this serving config here")
            return Chosen(_in_language(self._candidate[serving_config], language))
        linear = _in_language(self._linear[serving_config], language)
        if variant is Variant.WEIGHTS:
            return Chosen(self._learnt.get(serving_config, linear))
        if self._head is None:
            raise FailedPreconditionError("nothing is learnt from events here")
        deviation = self._head.deviation(serving_config)
        if deviation is None:
            return Chosen(linear)
        version = f"{linear.version}+online@{self._head.updates(serving_config)}"
        root = self._head.deviation_root(serving_config) if explore else None
        return Chosen(LinearModel(version, linear.weights + deviation), root)


def _linear(weights: Weights) -> dict[str, dict[str, LinearModel]]:
    return {
        name: {
            language: LinearModel.of(config.version, config.weights_in(language))
            for language in ("", *config.languages)
        }
        for name, config in weights.serving.items()
    }


def _in_language(models: Mapping[str, LinearModel], language: str) -> LinearModel:
    return models.get(language, models[""])
