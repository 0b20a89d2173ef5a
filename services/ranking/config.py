"""Settings of the ranking service; the only reader of its environment (`WHEREFORE_RANKING_*`)."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.inference import InferenceSettings
from shared.settings import ServiceSettings

DEFAULT_WEIGHTS = Path(__file__).with_name("weights.toml")


class Settings(ServiceSettings):
    """Where the service listens and what it ranks with."""

    model_config = SettingsConfigDict(env_prefix="WHEREFORE_RANKING_", env_nested_delimiter="__")

    port: int = 7703
    metrics_port: int = 7793
    weights_path: Path = DEFAULT_WEIGHTS
    """TOML file of weights and calibration; see docs/ranking.md."""
    search_model_path: Path | None = None
    """File of a trained model that ranks "search" in place of the weights; needs the extra
    `ranking`. See docs/ranking.md."""
    deep_model: str = ""
    """Model of the repository, such as "deep_ranker", whose score is added to that of "search";
    empty for none. See docs/ranking.md."""
    deep_weight: float | None = Field(default=None, ge=0.0, allow_inf_nan=False)
    """Of its score beside the linear one; as chosen in training when absent."""
    deep_timeout_seconds: float = Field(default=0.05, gt=0)
    """Longest wait for it; without it the answer is degraded."""
    inference: InferenceSettings = InferenceSettings()
    """Where it is served; `inference.model` is not read."""
    text_cache_size: int = Field(default=50_000, ge=1)
    """Products whose analysed titles are kept, about 2 kB each."""
    exploration: float = Field(default=0.0, ge=0.0, le=2.0)
    """Standard deviation of each weight as a share of it, drawn anew for each ranking (Thompson
    sampling); 0 explores nothing. See docs/ranking.md."""
