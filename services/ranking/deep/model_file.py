"""What is written beside a deep ranker's graph: what it reads, and how its answers become a score.

The score of a candidate is the logarithm of what it is expected to be worth once it is looked at:
a click counts 1, a cart 3, a purchase 10, as in the feature `popularity`. A logarithm, so that it
can be added to the linear score: twice the worth is the same step everywhere.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.ranking.clicks.page_log import OUTCOMES
from services.ranking.features import FEATURES
from services.ranking.tree_model import ModelFileError
from services.ranking.weights import Finite

FILE: Final = "ranker.json"
MODEL: Final = "deep_ranker"
"""Of the model in Triton's repository, by default."""
INPUT, OUTPUT = "features", "chances"
WORTH: Final[Mapping[str, float]] = {"clicked": 1.0, "carted": 3.0, "purchased": 10.0}
MAX_BATCH: Final = 4096
"""Rows that the graph takes at once."""
LEAST: Final = 1e-9
"""Worth below counts as this much: a logarithm must not be without end."""


class DeepFile(BaseModel):
    """What the file holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = Field(default=1, ge=1, le=1)
    version: str = Field(min_length=1)
    """Name and version, as responses say it."""
    features: tuple[str, ...] = Field(min_length=1)
    """Columns that the graph reads, in their order."""
    worth: Mapping[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = dict(WORTH)
    """Of each outcome."""
    weight: Annotated[Finite, Field(ge=0)]
    """Of its score beside the linear one, as chosen on queries that were not learnt from."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        if unknown := sorted(set(self.features) - set(FEATURES)):
            raise ValueError(f"features that are not computed: {', '.join(unknown)}")
        if tuple(self.worth) != OUTCOMES:
            raise ValueError(f"the worth must be of {', '.join(OUTCOMES)}")
        return self

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads the file.

        Raises:
            ModelFileError: It cannot be read, is no such file, or is of other features.
        """
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, ValidationError) as error:
            raise ModelFileError(f"{path}: no deep ranker that can be used: {error}") from error

    def columns(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        """Returns what the graph reads of (candidates, len(FEATURES))."""
        at = [FEATURES.index(name) for name in self.features]
        return np.ascontiguousarray(values[:, at], dtype=np.float32)

    def score(self, chances: NDArray[np.float64] | NDArray[np.float32]) -> NDArray[np.float64]:
        """Returns (rows,) log of the expected worth, of (rows, OUTCOMES) probabilities."""
        return log_worth(chances, self.worth)


def log_worth(
    chances: NDArray[np.float64] | NDArray[np.float32], worth: Mapping[str, float] = WORTH
) -> NDArray[np.float64]:
    """Returns (rows,) log of the expected worth, of (rows, OUTCOMES) probabilities."""
    each = np.array([worth[name] for name in OUTCOMES])
    return np.log(np.maximum(chances.astype(np.float64) @ each, LEAST))
