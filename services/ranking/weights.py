"""The data file of weights and calibration, checked when it is read."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from services.ranking.features import FEATURES
from shared.strict_model import StrictModel

Finite = Annotated[float, Field(allow_inf_nan=False)]
Kind = Literal["variant_group", "brand", "category"]


class DiversityConfig(StrictModel):
    """Maximal marginal relevance where the request does not set it."""

    strength: float = Field(ge=0.0, le=1.0)
    """0 keeps the order of the scores, 1 looks at variety only."""
    similar_by: tuple[Kind, ...]
    """What makes two products alike."""


class ServingConfig(StrictModel):
    """One named way to rank."""

    version: str = Field(min_length=1)
    weights: dict[str, Finite]
    """Score per unit of a feature; features not named weigh 0."""
    languages: dict[str, dict[str, Finite]] = Field(default_factory=dict[str, dict[str, Finite]])
    """By language of the query ("zh"), the weights that differ in it."""
    diversity: DiversityConfig

    def weights_in(self, language: str) -> Mapping[str, float]:
        """Returns the weights for queries in a language, such as "zh"; "" is any other."""
        return self.weights | self.languages.get(language, {})

    @model_validator(mode="after")
    def _known_features(self) -> Self:
        named = set(self.weights).union(*self.languages.values())
        unknown = sorted(named - set(FEATURES))
        if unknown:
            message = f"weights of unknown features: {', '.join(unknown)}"
            raise ValueError(message)
        return self


class LogisticConfig(StrictModel):
    """A logistic curve over absolute features (Platt scaling)."""

    intercept: Finite
    coefficients: dict[str, Finite]
    """Per unit of a feature of `calibration.ABSOLUTE`."""


class CalibrationConfig(StrictModel):
    """Curves from features to the probability of relevance."""

    version: str
    full: LogisticConfig
    """For candidates with a cosine."""
    lexical: LogisticConfig
    """For candidates without one."""


class Weights(StrictModel):
    """The whole file."""

    serving: dict[str, ServingConfig]
    similarity: dict[Kind, Annotated[float, Field(ge=0.0, le=1.0)]]
    """Similarity, 0 to 1, of two products that share only this."""
    calibration: CalibrationConfig


def load_weights(path: Path) -> Weights:
    """Reads and checks the file: TOML, or JSON where its name ends in .json.

    Raises:
        OSError: The file cannot be read.
        tomllib.TOMLDecodeError: It is not TOML.
        pydantic.ValidationError: A key or a value is wrong, which the message names, or it is not
            JSON.
    """
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return Weights.model_validate_json(text)
    return Weights.model_validate(tomllib.loads(text))
