"""Settings of the ranking service; the only reader of its environment (`WHEREFORE_RANKING_*`)."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_settings import SettingsConfigDict

from services.ranking.online.choice_model import ChoiceSettings
from shared.inference import InferenceSettings
from shared.settings import ServiceSettings

DEFAULT_WEIGHTS = Path(__file__).with_name("weights.toml")


class OnlineSettings(BaseModel):
    """Learning from events while serving; see docs/online_learning.md."""

    mode: Literal["off", "learn", "serve"] = "off"
    """"learn" learns and serves what was learnt to those alone who ask for it, such as an
    experiment; "serve" serves it to all."""
    memory: float = Field(default=2_000.0, ge=10.0)
    """Choices after which what was learnt and never confirmed has faded to 1/e."""
    deviation: float = Field(default=0.5, gt=0.0, le=10.0)
    """Standard deviation of what a weight is expected to differ from the file's by."""
    bound: float = Field(default=1.5, gt=0.0, le=10.0)
    """Most that a weight may differ from the file's."""
    step: float = Field(default=0.1, gt=0.0, le=10.0)
    """Most that one choice may change a weight by."""
    least_updates: int = Field(default=50, ge=1)
    """Choices before what was learnt is served."""
    checkpoint_seconds: float = Field(default=30.0, gt=0.0)
    """Pause between writes of what was learnt to `data_dir`."""
    drift: bool = False
    """Whether to look for changes of shoppers and candidates; needs the extra `online`."""
    retrain_command: str = ""
    """Program and arguments that are run when shoppers have changed; empty for none."""
    retrain_pause_hours: float = Field(default=24.0, ge=0.0)
    """Least time between two such runs."""

    def choice(self) -> ChoiceSettings:
        """Returns how fast to learn, and how far."""
        return ChoiceSettings(
            memory=self.memory, deviation=self.deviation, bound=self.bound, step=self.step
        )


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
    sampling); 0 explores nothing. Where weights are learnt online, how many standard deviations of
    what was learnt: 1 is Thompson sampling of the belief itself. See docs/ranking.md."""
    data_dir: Path = Path(".wherefore/data/ranking")
    """Folder of what is learnt online; each process needs one of its own."""
    orchestrator_target: str = "127.0.0.1:7700"
    """HOST:PORT of the orchestrator, whose log of events is followed to learn online."""
    online: OnlineSettings = OnlineSettings()
    candidate_weights_path: Path | None = None
    """Weights that are tried beside those of `weights_path`, as the model "candidate"."""
    shadow: Literal["", "weights", "online", "candidate"] = ""
    """Model that ranks beside the one that serves, for comparison alone; none when empty."""
    shadow_share: float = Field(default=1.0, gt=0.0, le=1.0)
    """Share of the requests that it ranks."""

    @model_validator(mode="after")
    def _one_learns(self) -> Self:
        if self.online.mode == "serve" and self.search_model_path is not None:
            raise ValueError("online.mode=serve learns weights: it cannot serve search_model_path")
        if self.online.mode == "off" and (self.online.drift or self.shadow == "online"):
            raise ValueError("drift and the shadow of what is learnt need online.mode=learn")
        if self.shadow == "candidate" and self.candidate_weights_path is None:
            raise ValueError("shadow=candidate needs candidate_weights_path")
        return self
