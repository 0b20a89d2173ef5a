"""What comes next for a user, by the transformer that `wherefore train recommend` makes.

The model is asked with what the user dealt with, not with the user, so that an event counts in the
very next answer and nobody needs to be known from training.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from services.recommend.serving.co_occurrence import CoOccurrence
from services.recommend.serving.found import Found
from services.recommend.serving.newcomers import Newcomers
from shared.errors import UnavailableError, WhereforeError
from shared.inference import InferenceSettings, TensorModel, open_model
from shared.inference.onnx_files import STAMP

_ITEMS: Final = "items.json"


@dataclass(frozen=True, slots=True)
class NextFound:
    """What the model answered, and where its time went."""

    found: list[Found]
    """Best first; scores are logits."""
    queue_nanos: int = 0
    inference_nanos: int = 0


class NextItems:
    """A served model of sequences.

    Args:
        model: Takes "items", gives "next_items" and "scores"; see services/recommend/export.py.
        names: Ids of the products that it knows, by number from 0.
        length: Longest history that it reads.
    """

    def __init__(self, model: TensorModel, names: Sequence[str], length: int) -> None:
        self._model = model
        self._names = names
        self._numbers = {name: number for number, name in enumerate(names, start=1)}
        self._length = length

    @classmethod
    def open(cls, settings: InferenceSettings) -> NextItems:
        """Opens the model that `settings` name; it is connected to at its first use.

        Raises:
            UnavailableError: Its files are not in the model repository, or cannot be read.
        """
        folder = settings.version_dir
        names, length = _read_names(folder)
        return cls(open_model(settings), names, length)

    async def after(
        self, latest_first: Sequence[str], visits: CoOccurrence | None = None
    ) -> NextFound:
        """Returns what comes next after some products; nothing when the model knows none of them.

        Args:
            latest_first: Ids of products, the latest first.
            visits: What was looked at together, by which products that came after the training
                are read as those that they go with; None to leave them out.

        Raises:
            UnavailableError: The model cannot be reached, or has too long a queue.
            DeadlineExceededError: It did not answer in time.
        """
        newcomers = Newcomers(visits, self._numbers) if visits is not None else None
        read = [
            each if each in self._numbers or newcomers is None else newcomers.stand_in(each)
            for each in latest_first
        ]
        known = [self._numbers[each] for each in read if each in self._numbers]
        if not known:
            return NextFound([])
        row = np.array([known[: self._length][::-1]], dtype=np.int32)
        made = await self._model.run({"items": row}, ("next_items", "scores"), urgent=True)
        numbers, scores = made.outputs["next_items"][0], made.outputs["scores"][0]
        found = [
            Found(self._names[int(number) - 1], float(score))
            for number, score in zip(numbers, scores, strict=True)
        ]
        if newcomers is not None:
            asked = set(latest_first)
            found = [each for each in newcomers.join(found) if each.product_id not in asked]
        return NextFound(found, made.queue_nanos, made.inference_nanos)

    async def warm_up(self) -> None:
        """Asks once: the first pass of a model is many times as slow as those after it."""
        with suppress(WhereforeError):
            await self.after(self._names[:1])

    async def close(self) -> None:
        """Lets go of the connection."""
        await self._model.close()


def _read_names(folder: Path) -> tuple[list[str], int]:
    try:
        names = json.loads((folder / _ITEMS).read_text("utf-8"))
        length = json.loads((folder / STAMP).read_text("utf-8"))["length"]
    except (OSError, ValueError, KeyError) as error:
        message = f"no model of sequences in {folder}: {error}; see `wherefore train recommend`"
        raise UnavailableError(message) from error
    return names, length
