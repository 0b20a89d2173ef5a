"""What the spelling checker has learnt: costs of errors, and what makes a correction sure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from math import exp
from typing import Final

from services.nlu.typing_errors import ErrorKind, ErrorModel

FEATURES: Final = (
    "cost",
    "errors",
    "first_letter",
    "length",
    "frequency",
    "gap",
    "context",
    "known_beside",
    "replaced",
    "compound",
)
"""What the confidence of a correction is judged by, see `SpellingChecker.judge`."""


@dataclass(frozen=True)
class SpellingModel:
    """The noisy channel and the logistic regression that calibrates its answers.

    Attributes:
        errors: How likely typing errors are.
        intercept: Of the regression, in log odds.
        weights: Of the regression, by feature.
    """

    errors: ErrorModel
    intercept: float
    weights: Mapping[str, float]

    def confidence(self, features: Sequence[float]) -> float:
        """Returns the probability that a correction is what was meant.

        Args:
            features: In the order of FEATURES.
        """
        odds = self.intercept + sum(
            self.weights[name] * value for name, value in zip(FEATURES, features, strict=True)
        )
        return 1.0 / (1.0 + exp(-odds))


def to_json(model: SpellingModel) -> str:
    """Returns a model as the text that `from_json` reads."""
    values = {
        "costs": {kind.value: round(cost, 4) for kind, cost in model.errors.costs.items()},
        "first_letter": round(model.errors.first_letter, 4),
        "intercept": round(model.intercept, 4),
        "weights": {name: round(model.weights[name], 4) for name in FEATURES},
    }
    return json.dumps(values, indent=1) + "\n"


def from_json(text: str) -> SpellingModel:
    """Reads a model.

    Raises:
        KeyError: A kind of error or a feature is missing.
        ValueError: No JSON.
    """
    values = json.loads(text)
    return SpellingModel(
        ErrorModel(
            {kind: float(values["costs"][kind.value]) for kind in ErrorKind},
            float(values["first_letter"]),
        ),
        float(values["intercept"]),
        {name: float(values["weights"][name]) for name in FEATURES},
    )


@lru_cache(maxsize=1)
def learnt_spelling() -> SpellingModel:
    """Returns the model that comes with the service."""
    return from_json(files("services.nlu").joinpath("data/spelling.json").read_text("utf-8"))
