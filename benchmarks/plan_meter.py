"""Processor time of a suite and of its caller, between two moments."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.cli.private_suite import PrivateSuite

CLIENT: Final = "client"


@dataclass(slots=True)
class Meter:
    """Processor time of every process of a suite, and of this one."""

    suite: PrivateSuite
    idle: Mapping[str, float] = field(default_factory=dict[str, float])
    _begun: float = 0.0
    _before: dict[str, float] = field(default_factory=dict[str, float])

    def start(self) -> None:
        """Begins to count."""
        self._before = self._read()
        self._begun = time.perf_counter()

    def per_call(self, calls: int) -> dict[str, float]:
        """Returns milliseconds a call since the start, what is done idly taken off."""
        elapsed = time.perf_counter() - self._begun
        after = self._read()
        return {
            name: max(0.0, 1e3 * (after[name] - was - elapsed * self.idle.get(name, 0.0)) / calls)
            for name, was in self._before.items()
        }

    def _read(self) -> dict[str, float]:
        return self.suite.cpu_seconds() | {CLIENT: time.process_time()}
