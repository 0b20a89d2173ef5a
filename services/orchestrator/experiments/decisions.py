"""Arms that were taken back: on disk before anything is served by it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import structlog
from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.durable_file import write_durably

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class RollBack(BaseModel):
    """Why an arm was taken back."""

    metric: str
    lift: float
    high: float
    """Upper end of the confidence sequence of the lift, below 1."""
    treated: int
    controls: int
    at: float
    """Seconds since 1970."""


_FORMAT: Final = TypeAdapter(dict[str, dict[str, RollBack]])


class Decisions:
    """Roll-backs by the experiment's key and the arm.

    Args:
        path: File that keeps them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._taken: dict[str, dict[str, RollBack]] = {}

    def load(self) -> None:
        """Reads the file, where there is one.

        Raises:
            ValueError: It is damaged: to serve an arm that was taken back would be worse than
                not to start.
            OSError: It cannot be read.
        """
        try:
            self._taken = _FORMAT.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return
        except ValidationError as error:
            raise ValueError(f"{self._path}: no decisions on experiments: {error}") from error

    def of(self, key: str) -> Mapping[str, RollBack]:
        """Returns the arms of an experiment that were taken back."""
        return self._taken.get(key, {})

    def take_back(self, key: str, arm: str, why: RollBack) -> None:
        """Takes an arm back; in force at once, and durable where the disk allows."""
        self._taken.setdefault(key, {})[arm] = why
        told = {k: {a: w.model_dump() for a, w in arms.items()} for k, arms in self._taken.items()}
        try:
            write_durably(self._path, json.dumps(told, indent=1).encode())
        except OSError as error:
            _log.error("a roll-back is not kept", experiment=key, arm=arm, reason=str(error))
