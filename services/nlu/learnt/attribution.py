"""What each word of a pair did to the cross-encoder's logit: token attributions, grouped by word.

The model is the cross-encoder's gradient as a graph of its own (`services.nlu.train.export` makes
it): texts in, integrated gradients out, so nothing here differentiates.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from services.nlu.learnt.reader import SEGMENTS
from shared.errors import UnavailableError
from shared.inference import InferenceSettings, TensorModel

ATTRIBUTIONS: Final = "attributions"
MATCH: Final = "match"
BASELINES: Final = "baselines"
_CHARACTERS_A_TOKEN: Final = 32
_WITHIN: Final = frozenset("-.'’&+")
"""Signs that stand within words."""


@dataclass(frozen=True, slots=True)
class AttributedWord:
    """A word of a text, its half-open span in code points, and the log-odds that it added."""

    text: str
    start: int
    end: int
    attribution: float


@dataclass(frozen=True, slots=True)
class Attribution:
    """One pair. Words of a side sum to `logit` less that without the side, about."""

    logit: float
    without_left: float
    without_right: float
    left: Sequence[AttributedWord]
    right: Sequence[AttributedWord]


@dataclass(frozen=True, slots=True)
class Attributions:
    """Pairs in their order, and where the time went."""

    pairs: Sequence[Attribution]
    queue_nanos: int
    inference_nanos: int


class MatchAttributor:
    """Attributes pairs; it closes its model with itself.

    Args:
        model: With the outputs ATTRIBUTIONS (tokens, 1), MATCH (1) and BASELINES (2).
        settings: Where its tokenizer lies, and its limits.

    Raises:
        UnavailableError: The tokenizer is missing.
    """

    def __init__(self, model: TensorModel, settings: InferenceSettings) -> None:
        self._model = model
        path = settings.version_dir / "tokenizer.json"
        if not path.is_file():
            raise UnavailableError(f"{path} is missing; `make models` makes it")
        # The library is written in Rust and its stubs leave most arguments unknown.
        self._tokenizer: Any = Tokenizer.from_file(str(path))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=settings.max_tokens)
        self._longest = settings.max_tokens * _CHARACTERS_A_TOKEN
        self.model = model.model

    async def attribute(self, pairs: Sequence[tuple[str, str]]) -> Attributions:
        """Attributes pairs, one after another: each is a batch of passes already.

        Args:
            pairs: Texts of any length; what is beyond the window is cut from the longer one.

        Raises:
            UnavailableError: The model cannot be reached.
            DeadlineExceededError: It did not answer within the caller's deadline.
        """
        found: list[Attribution] = []
        queue = inference = 0
        for left, right in pairs:
            cut = left[: self._longest], right[: self._longest]
            encoding: Any = await asyncio.to_thread(self._tokenizer.encode, *cut)
            inputs = {
                "input_ids": np.array([encoding.ids], dtype=np.int32),
                SEGMENTS: np.array([encoding.type_ids], dtype=np.int32),
            }
            forwarded = await self._model.run(
                inputs, (ATTRIBUTIONS, MATCH, BASELINES), urgent=False
            )
            queue += forwarded.queue_nanos
            inference += forwarded.inference_nanos
            values = forwarded.outputs[ATTRIBUTIONS][0, :, 0].astype(np.float64)
            baselines = forwarded.outputs[BASELINES][0]
            found.append(
                Attribution(
                    float(forwarded.outputs[MATCH][0, 0]),
                    float(baselines[0]),
                    float(baselines[1]),
                    *(_words(text, encoding, side, values) for side, text in enumerate(cut)),
                )
            )
        return Attributions(found, queue, inference)

    async def close(self) -> None:
        """Lets go of the model."""
        await self._model.close()


def _words(
    text: str, encoding: Any, side: int, values: NDArray[np.float64]
) -> list[AttributedWord]:
    """The words of one side; a sign belongs to the word that it stands at."""
    spans: list[tuple[int, int]] = []
    sums: list[float] = []
    for at, (start, end) in enumerate(encoding.offsets):
        if encoding.sequence_ids[at] != side or end <= start:
            continue
        if spans and spans[-1][1] == start and _joined(text[spans[-1][0] : start], text[start:end]):
            spans[-1] = spans[-1][0], end
            sums[-1] += float(values[at])
        else:
            spans.append((start, end))
            sums.append(float(values[at]))
    trimmed = [_trimmed(text, start, end) for start, end in spans]
    return [
        AttributedWord(text[start:end], start, end, value)
        for (start, end), value in zip(trimmed, sums, strict=True)
    ]


def _joined(word: str, piece: str) -> bool:
    """Whether a piece that follows without a blank is part of the word: "DVD/Blu-Ray" are two."""
    bare = not any(map(str.isalnum, word)) or not any(map(str.isalnum, piece))
    return bare or word[-1].isalnum() or word[-1] in _WITHIN


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without signs at its ends; a word of signs alone keeps them."""
    inner = [at for at in range(start, end) if text[at].isalnum()]
    return (inner[0], inner[-1] + 1) if inner else (start, end)
