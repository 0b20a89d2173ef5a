"""Every environment variable that some part of the suite reads."""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from pydantic import AliasChoices, BaseModel
from pydantic_settings import BaseSettings

from services.assistant.config import Settings as AssistantSettings
from services.insight.config import Settings as InsightSettings
from services.nlu.config import NluSettings
from services.orchestrator.config import OrchestratorSettings
from services.ranking.config import Settings as RankingSettings
from services.reason.config import Settings as ReasonSettings
from services.recommend.config import Settings as RecommendSettings
from services.retrieval.config import RetrievalSettings
from shared.cli.config import ApplicationSettings, CliSettings
from shared.security.settings import SecuritySettings
from shared.settings import SECRETS_DIR_VARIABLE
from shared.suite.ports import PortPlan

ROOT = Path(__file__).resolve().parents[2]
SETTINGS: dict[str, type[BaseSettings]] = {
    "nlu": NluSettings,
    "retrieval": RetrievalSettings,
    "ranking": RankingSettings,
    "reason": ReasonSettings,
    "recommend": RecommendSettings,
    "orchestrator": OrchestratorSettings,
    "assistant": AssistantSettings,
    "insight": InsightSettings,
}
"""The settings of each service."""

_READ = re.compile(r'environ(?:\.get)?[(\[]\s*"(WHEREFORE_[A-Z_]+)"')


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _keys(model: type[BaseModel], prefix: str, delimiter: str | None) -> Iterator[str]:
    for name, field in model.model_fields.items():
        alias = field.validation_alias or field.alias
        if isinstance(alias, AliasChoices):
            yield from (str(choice) for choice in alias.choices)
        elif alias is not None:
            yield str(alias)
        else:
            yield f"{prefix}{name}".upper()
        for nested in _models(field.annotation):
            if delimiter and not issubclass(nested, BaseSettings):
                yield from _keys(nested, f"{prefix}{name}{delimiter}", delimiter)


@lru_cache
def of_settings(settings: type[BaseSettings]) -> frozenset[str]:
    """The variables of one class of settings, nested ones included."""
    config = settings.model_config
    prefix = config.get("env_prefix", "")
    return frozenset(_keys(settings, prefix, config.get("env_nested_delimiter")))


@lru_cache
def of_service(service: str) -> frozenset[str]:
    """The variables that one service reads, those of security and of secrets included."""
    return of_settings(SETTINGS[service]) | of_settings(SecuritySettings) | {SECRETS_DIR_VARIABLE}


@lru_cache
def known() -> frozenset[str]:
    """All variables, also those that are read one by one."""
    found = {key for service in SETTINGS for key in of_service(service)}
    found |= of_settings(CliSettings) | of_settings(ApplicationSettings) | of_settings(PortPlan)
    for folder in ("services", "shared"):
        for path in (ROOT / folder).rglob("*.py"):
            found |= set(_READ.findall(path.read_text("utf-8")))
    return frozenset(found)
