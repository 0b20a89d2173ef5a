"""Settings of the recommendation service; the only reader of its environment."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.inference import InferenceSettings
from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Read from WHEREFORE_RECOMMEND_*; nested fields by "__"."""

    model_config = SettingsConfigDict(env_prefix="WHEREFORE_RECOMMEND_", env_nested_delimiter="__")

    port: int = Field(default=7705, ge=0, le=65535)
    metrics_port: int = Field(default=7795, ge=0, le=65535)

    orchestrator_target: str = "127.0.0.1:7700"
    """HOST:PORT of the orchestrator, whose log of events is followed."""

    retrieval_target: str = "127.0.0.1:7702"
    """HOST:PORT of retrieval, whose catalogue the knowledge graph is built from."""

    history_days: float = Field(default=365, gt=0)
    """Older events teach nothing."""

    together_hours: float = Field(default=24, gt=0)
    """Longest time between two purchases, or two looks, of one user that count as together."""

    catalogue_poll_seconds: float = Field(default=5, gt=0)
    """Pause between looks at whether the catalogue changed."""

    catalogue_timeout_seconds: float = Field(default=30, gt=0)
    """Longest wait for one page of the catalogue."""

    event_wait_seconds: float = Field(default=0.2, ge=0)
    """Longest wait of an answer for events that were acknowledged before it was asked for."""

    next_item_model: str = ""
    """Model of the repository, such as "next_item", that tells what comes next; empty for none. See
    docs/recommend.md."""

    next_item_timeout_seconds: float = Field(default=0.1, gt=0)
    """Longest wait for it; without it the answer is degraded."""

    next_item_newcomers: bool = False
    """Whether that model reads products that came after its training as those that they are looked
    at together with, and foretells them beside these."""

    inference: InferenceSettings = InferenceSettings()
    """Where it is served; `inference.model` is not read."""
