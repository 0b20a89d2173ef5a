"""Models that answer by simple rules, with no weights behind them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from services.nlu.learnt.port import LabelledSpan, Reading, Readings
from shared.errors import UnavailableError
from shared.inference import Encoded


@dataclass
class WordReader:
    """Calls every "zorb…" a product type, and reads everything as a complaint that is positive."""

    model: str
    heads: tuple[str, ...] = ()
    calls: list[list[str]] = field(default_factory=lambda: [])
    fails: bool = False
    zh: bool = False

    async def read(self, texts: Sequence[str]) -> Readings:
        if self.fails:
            raise UnavailableError("down")
        self.calls.append(list(texts))
        return Readings(self.model, [self._read(text) for text in texts], 30, 40)

    def _read(self, text: str) -> Reading:
        start = text.lower().find("zorb")
        spans = (LabelledSpan(start, start + 4, "PRODUCT_TYPE", 0.9),) if start >= 0 else ()
        if self.zh:
            return Reading(
                spans,
                sentiment=(("positive", 0.9), ("negative", 0.1)),
                category=(("手机", 0.8), ("书籍", 0.2)),
                reason_tags=(LabelledSpan(0, 2, "质量好", 0.7),),
            )
        vector = np.asarray([1.0, float(len(text))], np.float32)
        intent = (("support/complaint", 0.9), ("product_search", 0.1))
        return Reading(spans, intent, vector=vector / np.linalg.norm(vector))

    async def encode(self, texts: Sequence[str]) -> Encoded:
        made = await self.read(texts)
        vectors = np.stack(
            [reading.vector for reading in made.readings if reading.vector is not None]
        )
        return Encoded(vectors, 30, 40)

    @property
    def dimension(self) -> int:
        return 2

    async def check_ready(self) -> None: ...

    async def close(self) -> None: ...


@dataclass
class LengthCross:
    """A pair is as likely a match as its right text is short."""

    model: str = "cross_en@1"

    async def score(self, pairs: Sequence[tuple[str, str]]) -> Any:
        from services.nlu.learnt.cross import Scores

        return Scores(np.asarray([1 / len(right) for _, right in pairs]), 1, 2)

    async def close(self) -> None: ...


class LengthAttributor:
    """Every word of the right text adds its length."""

    model = "cross_en_attribution@1"

    async def attribute(self, pairs: Sequence[tuple[str, str]]) -> Any:
        from services.nlu.learnt.attribution import AttributedWord, Attribution, Attributions

        words = [[AttributedWord(right, 0, len(right), len(right))] for _, right in pairs]
        return Attributions([Attribution(2.0, -1.0, -2.0, [], each) for each in words], 1, 2)

    async def close(self) -> None: ...
