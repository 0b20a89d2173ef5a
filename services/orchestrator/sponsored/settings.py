"""Settings of sponsored results."""

from pathlib import Path

from pydantic import BaseModel, Field


class SponsoredSettings(BaseModel):
    """Sponsored results. Off until a file of campaigns is named."""

    campaigns_file: Path | None = None
    """File of campaigns (YAML), read again whenever it changes."""

    poll_seconds: float = Field(default=1, gt=0)
    """Pause between looks at it."""

    def of_file(self, file: Path | None) -> "SponsoredSettings":
        """Returns the same with another file; off without one."""
        return self.model_copy(update={"campaigns_file": file})
