"""Parts of files that people or programs write."""

from pydantic import BaseModel, ConfigDict


class StrictModel(BaseModel):
    """A part of a file. What it does not know is refused: a mistyped key is no silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True)
