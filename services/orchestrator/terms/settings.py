"""Settings of the terms of accounts."""

from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, Field, model_validator

DEMO_FILE: Final = Path(__file__).parent / "demo_terms.yaml"
"""Terms over the bundled catalogue."""


class TermsSettings(BaseModel):
    """Terms of accounts. Off until a file is named."""

    file: Path | None = None
    """File of terms (YAML), read again whenever it changes."""

    prices_file: Path | None = None
    """Prices of it that stand in a file of their own (JSONL), a price a line; none when not set."""

    poll_seconds: float = Field(default=1, gt=0)
    """Pause between looks at both."""

    demo: bool = False
    """Let visitors of the demo page look as one of the accounts; without a file, of made-up ones
    with terms over the bundled catalogue. Whoever reaches the page sees their names and prices."""

    @model_validator(mode="after")
    def _of_a_file(self) -> Self:
        if self.demo and self.file is None:
            self.file = DEMO_FILE
        if self.prices_file is not None and self.file is None:
            raise ValueError("prices_file needs a file, which names the accounts")
        return self

    def of_files(self, file: Path | None, prices_file: Path | None) -> "TermsSettings":
        """Returns the same with other files; off without the first."""
        prices = prices_file if file is not None else None
        return self.model_copy(update={"file": file, "prices_file": prices})
