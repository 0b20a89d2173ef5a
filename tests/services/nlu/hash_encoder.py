"""An encoder that needs no model, and settings of a service round it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from services.nlu.config import NluSettings
from shared.errors import UnavailableError
from shared.inference import Encoded


@dataclass
class HashEncoder:
    """A bag of letters as a vector: alike texts are near, and no model is needed."""

    model: str = "letters@1"
    dimension: int = 26
    calls: list[list[str]] = field(default_factory=lambda: [])
    fails: bool = False
    dawdles: bool = False

    async def encode(self, texts: Sequence[str]) -> Encoded:
        if self.fails:
            raise UnavailableError("down")
        if self.dawdles:
            await asyncio.sleep(30)
        self.calls.append(list(texts))
        rows = np.full((len(texts), self.dimension), 0.01, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for letter in text.lower():
                if "a" <= letter <= "z":
                    row[ord(letter) - ord("a")] += 1
        return Encoded(rows / np.linalg.norm(rows, axis=1, keepdims=True), 11, 22)

    async def check_ready(self) -> None:
        if self.fails:
            raise UnavailableError("down")

    async def close(self) -> None:
        self.calls.clear()


def settings_of(**changes: Any) -> NluSettings:
    return NluSettings(
        **{
            "port": 0,
            "retrieval_target": "",
            "drain_seconds": 0,
            "lame_duck_seconds": 0,
            # Readers have a test file of their own.
            "query_models": {},
        }
        | changes
    )
