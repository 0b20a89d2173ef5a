"""How a federated run goes."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

LEAST_SHOPS: int = 3
"""Shops of a secure sum: of two, each would know the other's update from the sum."""


class RunSettings(BaseModel):
    """Of a run. Flower hands them over by these names, in dashes, as its run configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rounds: int = Field(default=40, ge=1, le=100_000)
    sample_rate: float = Field(default=1.0, gt=0.0, le=1.0)
    """Chance of each shop to take part in a round."""
    epochs: int = Field(default=1, ge=1, le=1_000)
    """Passes of a shop over its own rows in a round."""
    batch: int = Field(default=32, ge=1)
    """Examples of a step."""
    learning_rate: float = Field(default=1.0, gt=0.0)
    secure: bool = True
    """Whether shops answer with masked updates, of which the server learns the sum alone."""
    clip: float = Field(default=0.0, ge=0.0)
    """Longest update of a shop (L2); 0 leaves updates as they are."""
    noise: float = Field(default=0.0, ge=0.0)
    """Standard deviation of the noise on the sum of updates, in clipping norms; 0 adds none."""
    shops: int = Field(default=0, ge=0)
    """How many there are, where noise needs to know; 0 counts those that are connected."""
    seed: int = 0
    """Of samples and the order of examples."""
    noise_seed: int | None = None
    """Of the noise, for experiments that are to be repeated; None takes the system's entropy, as
    whoever knows the seed can take the noise off again."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.noise and not self.clip:
            raise ValueError("noise needs a clip: without one nothing bounds what a shop adds")
        return self

    @property
    def private(self) -> bool:
        """Whether all shops count alike and the sum is noisy."""
        return self.noise > 0.0
