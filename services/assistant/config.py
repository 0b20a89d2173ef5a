"""Settings of the assistant; the only reader of its environment (`WHEREFORE_ASSISTANT_*`)."""

from pathlib import Path
from typing import Self

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.assistant.help import BUNDLED as HELP
from services.assistant.matching import BUNDLED as WEIGHTS
from services.assistant.templates import BUNDLED as TEMPLATES
from shared.settings import ServiceSettings
from shared.tenant_folder import tenant_folder


class Settings(ServiceSettings):
    """Where the assistant listens, what it knows, and whom it asks."""

    model_config = SettingsConfigDict(env_prefix="WHEREFORE_ASSISTANT_")

    port: int = Field(default=7707, ge=0, le=65535)
    metrics_port: int = Field(default=7797, ge=0, le=65535)

    nlu_target: str = "127.0.0.1:7701"
    """HOST:PORT of the NLU, which reads messages."""
    retrieval_target: str = "127.0.0.1:7702"
    """HOST:PORT of retrieval, which finds products."""
    reason_target: str = "127.0.0.1:7704"
    """HOST:PORT of the reason service, which says what evidence supports."""
    nlu_seconds: float = Field(default=1.0, gt=0)
    """Longest wait for a message to be read; without it words decide."""
    product_seconds: float = Field(default=2.0, gt=0)
    """Longest wait for products, and for what is said of one; without it a person is asked."""

    data_dir: Path = Path(".wherefore/data/assistant")
    """Folder of what was learnt and of conversations. One process has it at a time."""
    key_file: Path | None = None
    """Keys that seal conversations, made on first use; `assistant.key` in `data_dir` by default."""
    templates_file: Path = TEMPLATES
    """The shop's answers; see docs/assistant.md."""
    help_file: Path = HELP
    """The shop's help articles."""
    weights_file: Path = WEIGHTS
    """Weights and thresholds of matching, by `python -m services.assistant.fitting`."""
    most_learnt: int = Field(default=20_000, ge=1)
    """Questions that are learnt, at most. A start reads the vectors of all of them."""

    conversation_seconds: float = Field(default=1_800, gt=0)
    """How long a conversation is remembered after its last message."""
    most_conversations: int = Field(default=10_000, ge=1)
    """Conversations remembered, of each tenant; the one longest untouched goes beyond."""

    @property
    def keys(self) -> Path:
        """The key file."""
        return self.key_file or self.data_dir / "assistant.key"

    def of_tenant(self, tenant: str) -> Self:
        """Returns the settings of a tenant, whose data has a folder of its own."""
        return self.model_copy(update={"data_dir": tenant_folder(self.data_dir, tenant)})
