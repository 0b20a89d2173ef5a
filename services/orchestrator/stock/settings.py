"""Settings of stock pressure."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, Field, model_validator


class StockSettings(BaseModel):
    """How stock and expected demand move products. Off until serving configs are named."""

    forecast_file: Path | None = None
    """What `wherefore demand forecast` wrote, read again whenever it changes."""

    serving_configs: tuple[str, ...] = ()
    """Those whose rankings it has a part in, such as "search" or "for-you"."""

    overstock_days: float = Field(default=90, gt=0, allow_inf_nan=False)
    """Days of cover, stock over expected sales, from which on a product is ranked higher."""

    low_days: float = Field(default=7, ge=0, allow_inf_nan=False)
    """Days of cover below which it is ranked lower."""

    hold_back_days: float = Field(default=0, ge=0, allow_inf_nan=False)
    """Days of cover below which it is left out; 0: none is."""

    strength: float = Field(default=0.1, gt=0, le=1)
    """Most that it adds or takes off; 1 is the distance from the worst to the best score."""

    tell_running_low: bool = False
    """Whether reasons may say that a product runs low, where it does."""

    poll_seconds: float = Field(default=10, gt=0)
    """Pause between looks at the file."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.hold_back_days <= self.low_days < self.overstock_days:
            raise ValueError("hold_back_days <= low_days < overstock_days must hold")
        if self.serving_configs and self.forecast_file is None:
            raise ValueError("serving_configs need a forecast_file")
        return self

    def of_file(self, file: Path | None) -> "StockSettings":
        """Returns the same with another file; off without one."""
        configs = self.serving_configs if file is not None else ()
        return self.model_copy(update={"forecast_file": file, "serving_configs": configs})
