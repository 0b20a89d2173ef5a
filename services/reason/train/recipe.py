"""Recipes: what a training run is made of, in a TOML file."""

import tomllib
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.reason.train.corpus import CorpusSettings
from services.reason.train.model import NetworkSettings

RECIPES: Final = Path(__file__).parent / "recipes"


class RecipeError(ValueError):
    """A recipe that is not there or says what cannot be."""


class Stage(BaseModel):
    """One stage of training."""

    model_config = ConfigDict(extra="forbid")

    parts: dict[str, float]
    """Parts of the corpus ("reasons", "copy", "reviews") and the share of each in an epoch."""
    epochs: int = Field(default=1, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    """Peak; it grows over the first steps and falls to a tenth along a cosine."""


class LoraSettings(BaseModel):
    """Low-rank adaptation (Hu et al., 2022) of a causal model of Hugging Face."""

    model_config = ConfigDict(extra="forbid")

    model: str
    """A folder, or a name that transformers resolves, such as "gpt2" or "Qwen/Qwen2.5-0.5B"."""
    rank: int = Field(default=16, ge=1)
    alpha: int = Field(default=32, ge=1)
    dropout: float = Field(default=0.05, ge=0, lt=1)
    target_modules: tuple[str, ...] | str = "all-linear"
    """Layers that are adapted, by the end of their names; "all-linear": all but the head."""


class Recipe(BaseModel):
    """A training run."""

    model_config = ConfigDict(extra="forbid")

    corpus: CorpusSettings = Field(default_factory=CorpusSettings)
    vocabulary: int = Field(default=6_144, ge=600)
    """Tokens; not read with `lora`, whose model brings its own."""
    network: NetworkSettings = Field(default_factory=NetworkSettings)
    lora: LoraSettings | None = None
    """Adapts a larger model in place of training `network`."""
    stages: list[Stage] = Field(min_length=1)
    batch_tokens: int = Field(default=3_072, ge=32)
    weight_decay: float = Field(default=0.01, ge=0)
    clip_norm: float = Field(default=1.0, gt=0)
    warmup_share: float = Field(default=0.05, ge=0, lt=1)
    checkpoint_seconds: float = Field(default=120.0, gt=0)
    judged_scenes: int = Field(default=200, ge=2)
    """Held-out scenes that are written on and verified after an epoch."""
    seed: int = 17
    max_steps: int = Field(default=0, ge=0)
    """Ends a stage after so many steps, for trials; 0 goes through all epochs."""


def read_recipe(name: str) -> Recipe:
    """Reads a recipe.

    Args:
        name: Of one that comes along, or the path of a TOML file.

    Raises:
        RecipeError: It is not there, is no TOML, or a field is wrong.
    """
    path = Path(name) if name.endswith(".toml") else RECIPES / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(recipe.stem for recipe in RECIPES.glob("*.toml")))
        raise RecipeError(f"no recipe {name!r}; there are {known}, or name a TOML file")
    try:
        return Recipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise RecipeError(f"{path}: {error}") from error
