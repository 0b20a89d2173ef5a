"""The cross-encoder: how well a text answers another, both read in one forward pass a pair."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.nlu.learnt.reader import SEGMENTS
from shared.inference import InferenceSettings, TensorModel
from shared.inference.tokens import INLINE_CHARACTERS, TextTokenizer, batches, pad

MATCH: Final = "match"


@dataclass(frozen=True, slots=True)
class Scores:
    """A probability a pair, in their order, and where the time went."""

    probabilities: NDArray[np.float64]
    queue_nanos: int
    inference_nanos: int


class CrossEncoder:
    """Scores pairs; it closes its model with itself.

    Args:
        model: The model, with one logit `match` a pair.
        settings: Where its tokenizer lies, and its limits.

    Raises:
        UnavailableError: The tokenizer is missing.
    """

    def __init__(self, model: TensorModel, settings: InferenceSettings) -> None:
        self._model = model
        self._settings = settings
        self._tokenizer = TextTokenizer(
            settings.version_dir / "tokenizer.json", settings.max_tokens
        )
        self.model = model.model

    async def score(self, pairs: Sequence[tuple[str, str]]) -> Scores:
        """Returns how likely the right text of each pair answers the left one.

        Args:
            pairs: Texts of any length; what is beyond the window is cut from the longer one.

        Raises:
            UnavailableError: The model cannot be reached.
            DeadlineExceededError: It did not answer within the caller's deadline.
        """
        logits = np.empty(len(pairs), dtype=np.float64)
        queue = inference = 0
        if pairs:
            characters = sum(len(left) + len(right) for left, right in pairs)
            encode = self._tokenizer.encode_pairs
            rows = (
                encode(pairs)
                if characters < INLINE_CHARACTERS
                else await asyncio.to_thread(encode, pairs)
            )
            multiple = self._settings.pad_to
            for positions in batches([len(ids) for ids, _ in rows], self._settings.batch_size):
                inputs = {"input_ids": pad([rows[at][0] for at in positions], multiple)}
                if SEGMENTS in self._model.inputs:
                    inputs[SEGMENTS] = pad([rows[at][1] for at in positions], multiple)
                forwarded = await self._model.run(inputs, (MATCH,), urgent=len(pairs) == 1)
                logits[positions] = forwarded.outputs[MATCH][:, 0]
                queue += forwarded.queue_nanos
                inference += forwarded.inference_nanos
        # Past 60 the probability is 1 in double precision, and the exponential could overflow.
        return Scores(1.0 / (1.0 + np.exp(-np.clip(logits, -60.0, 60.0))), queue, inference)

    async def check_ready(self) -> None:
        """Returns when the model answers.

        Raises:
            UnavailableError: It does not.
        """
        await self._model.check_ready()

    async def close(self) -> None:
        """Lets go of the model."""
        await self._model.close()
