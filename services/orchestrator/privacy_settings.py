"""How users' data is kept: settings, which `config` reads."""

from pathlib import Path

from pydantic import BaseModel, Field


class PrivacySettings(BaseModel):
    """How users' data is kept. See docs/privacy.md."""

    key_file: Path | None = None
    """Keys that seal events at rest, made on first use; `events.key` in `data_dir` by default."""

    retention_days: float = Field(default=0, ge=0)
    """Age at which events are deleted; 0 keeps them."""

    alias_days: float = Field(default=0, ge=0)
    """Age at which the pseudonyms of users get another key; 0 keeps them."""

    sweep_seconds: float = Field(default=86_400, gt=0)
    """Pause between looks at what is too old."""

    epsilon: float = Field(default=0, ge=0, allow_inf_nan=False)
    """Privacy loss that aggregates may add up to, in all; 0 allows none."""

    delta: float = Field(default=1e-5, gt=0, lt=1)
    """Chance that they may add up to, in all, of telling more."""

    answer_delta: float = Field(default=1e-7, gt=0, lt=1)
    """The part of `delta` that each aggregate costs."""

    contributions: int = Field(default=10, ge=1, le=1_000)
    """Most products, or queries, of one user that count in an aggregate."""
