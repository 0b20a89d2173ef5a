"""The file of experiments (YAML): layers, and in each layer experiments that exclude one another.

    layers:
      - name: ranking
        salt: 2026-q4
        experiments:
          - id: online-head
            surfaces: [search]
            arms:
              - {name: control, share: 0.45}
              - {name: online, share: 0.05, ranking_model: online}
            guard: {alpha: 0.05, metrics: [click, purchase]}

Shares are of all users of the layer; what no arm takes is in no experiment of it. Layers are
independent of one another (Tang et al., "Overlapping experiment infrastructure", KDD 2010).
"""

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from shared.strict_model import StrictModel
from shared.yaml_file import read_yaml

MAX_BYTES: Final = 1_000_000
BUCKETS: Final = 10_000
"""Shares are multiples of 1 / BUCKETS."""
METRICS: Final = ("click", "cart", "purchase")

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
Metric = Literal["click", "cart", "purchase"]
Surface = Literal["search", "recommend"]


class Arm(StrictModel):
    """One treatment."""

    name: Name
    share: float = Field(gt=0.0, le=1.0)
    """Of all users of the layer."""
    ranking_model: Literal["", "weights", "online", "candidate"] = ""
    """Model that ranks for this arm; as ranking is set when empty."""

    @property
    def buckets(self) -> int:
        """How many buckets it takes."""
        return round(self.share * BUCKETS)


class Guard(StrictModel):
    """What takes an arm back by itself."""

    alpha: float = Field(default=0.05, gt=0.0, lt=0.5)
    """Most probability, whenever one looks, that an arm no worse than control is taken back."""
    metrics: tuple[Metric, ...] = ("click",)
    """Those that must not fall against control."""


class Experiment(StrictModel):
    """Arms that are compared; the first is control."""

    id: Name
    revision: int = Field(default=1, ge=1)
    """Raise it to begin anew: counts and decisions belong to a revision."""
    surfaces: tuple[Surface, ...] = ("search",)
    arms: tuple[Arm, ...] = Field(min_length=2, max_length=8)
    window_hours: float = Field(default=24.0, gt=0.0, le=24 * 90)
    """How long after the first page that a user saw in it what they do counts."""
    guard: Guard | None = None
    """None: nothing is taken back by itself."""

    @property
    def key(self) -> str:
        """Names this revision."""
        return f"{self.id}@{self.revision}"

    @model_validator(mode="after")
    def _different_arms(self) -> Self:
        names = [arm.name for arm in self.arms]
        if len(set(names)) < len(names):
            raise ValueError(f"{self.id}: two arms of one name")
        return self


class Layer(StrictModel):
    """Experiments of which a user is in one at most."""

    name: Name
    salt: str = Field(min_length=1, max_length=64)
    """Another one draws the users anew."""
    experiments: tuple[Experiment, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        taken = sum(arm.buckets for each in self.experiments for arm in each.arms)
        if taken > BUCKETS:
            raise ValueError(f"{self.name}: shares sum to {taken / BUCKETS:.4f}, more than 1")
        return self


class ExperimentFile(StrictModel):
    """The whole file."""

    layers: tuple[Layer, ...] = Field(default=(), max_length=4)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        names = [layer.name for layer in self.layers]
        ids = [each.id for layer in self.layers for each in layer.experiments]
        if len(set(names)) < len(names) or len(set(ids)) < len(ids):
            raise ValueError("a layer or an experiment is there twice")
        return self


def read_experiments(path: Path) -> ExperimentFile:
    """Reads a file.

    Raises:
        YamlFileError: It cannot be read, or is wrong.
    """
    return read_yaml(path, ExperimentFile, MAX_BYTES)
