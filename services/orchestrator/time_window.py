"""From when until when a part of a file of the shop is in force."""

from datetime import datetime
from typing import Self

from pydantic import AwareDatetime, model_validator

from shared.strict_model import StrictModel


class TimeWindow(StrictModel):
    """A part of a file that is in force for a time, or always."""

    since: AwareDatetime | None = None
    """The first moment at which it is in force."""
    until: AwareDatetime | None = None
    """The first moment at which it is no longer."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.since and self.until and self.since >= self.until:
            raise ValueError("since must be before until")
        return self

    def in_time(self, now: datetime) -> bool:
        """Whether the time window is open."""
        return (self.since is None or now >= self.since) and (
            self.until is None or now < self.until
        )
