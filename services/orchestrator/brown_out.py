"""What answers go without while more is asked for than can be done: the dearest extras first.

Pressure rises, and reasons are dropped; it rises further, and products are no longer read together
with the query; further still, and nobody's history is looked at. What is found and in which order
stays. Each answer goes by the pressure of the moment at which the part would be asked for, so no
more is left out than there is too much of, and before calls have to wait or are refused (after the
dimmer of Klein et al., "Brownout: Building More Robust Cloud Applications", ICSE 2014).

Operators are told a level, which is that of the pressure averaged, with hysteresis.
"""

import math
import time
from collections.abc import Callable
from typing import Final, Literal

import structlog
from pydantic import BaseModel, Field

from shared.errors import ResourceExhaustedError
from shared.metrics import BROWN_OUT_LEVEL, PRESSURE
from shared.pressure import current_pressure

Step = Literal["reason", "cross", "profile"]
STEPS: Final[tuple[Step, ...]] = ("reason", "cross", "profile")

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class BrownOutSettings(BaseModel):
    """When answers go without extras, before calls are refused.

    Pressure is how full the queue is, up to 1 (calls are refused), and before that, where time is
    short, half of the share of places that others have.
    """

    reasons: float = Field(default=0.35, ge=0, le=1)
    """Pressure at which reasons are dropped; 0: never."""

    cross: float = Field(default=0.7, ge=0, le=1)
    """Pressure at which "precise" no longer reads products together with the query; 0: never."""

    personalisation: float = Field(default=0.85, ge=0, le=1)
    """Pressure at which nobody's history is looked at; 0: never."""

    release_share: float = Field(default=0.8, gt=0, le=1)
    """Share of these pressures below which the level that is told falls again."""

    hold_seconds: float = Field(default=2, ge=0)
    """How long it must be below."""

    smoothing_seconds: float = Field(default=1, gt=0)
    """Time over which pressure is averaged."""


class BrownOut:
    """Which steps are dropped. One for the process.

    Args:
        settings: Pressures at which steps are dropped.
        clock: Monotonic seconds.
    """

    def __init__(
        self, settings: BrownOutSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        limits = (settings.reasons, settings.cross, settings.personalisation)
        # A step of 0 is never dropped by itself, but those after it may be.
        self._limits = [limit or math.inf for limit in limits]
        self._clock = clock
        self._pressure = 0.0
        self._noted_at = clock()
        self._low_since = clock()
        self._level = 0
        BROWN_OUT_LEVEL.set(0)

    @property
    def level(self) -> int:
        """Steps that most answers go without: so many of STEPS, from the first."""
        return self._level

    def note(self, pressure: float) -> None:
        """Takes account of the pressure on a request, for what operators are told."""
        now = self._clock()
        weight = 1.0 - math.exp(-(now - self._noted_at) / self._settings.smoothing_seconds)
        self._pressure += weight * (pressure - self._pressure)
        self._noted_at = now
        PRESSURE.set(self._pressure)
        wanted = self._wanted(1.0)
        if wanted > self._level:
            self._change(wanted)
        if self._wanted(self._settings.release_share) >= self._level:
            self._low_since = now
        elif now - self._low_since >= self._settings.hold_seconds:
            self._change(self._level - 1)
            self._low_since = now

    def check(self, step: Step) -> None:
        """Raises ResourceExhaustedError where the current request goes without a step."""
        pressure = current_pressure()
        self.note(pressure)
        if pressure >= self._limits[STEPS.index(step)]:
            raise ResourceExhaustedError("dropped under pressure")

    def _wanted(self, share: float) -> int:
        """Returns the level that the pressure stands for, by limits of which a share is taken."""
        reached = [n for n, limit in enumerate(self._limits, 1) if self._pressure >= limit * share]
        return max(reached, default=0)

    def _change(self, level: int) -> None:
        self._level = level
        BROWN_OUT_LEVEL.set(level)
        _log.warning("brown-out", level=level, pressure=round(self._pressure, 2))
