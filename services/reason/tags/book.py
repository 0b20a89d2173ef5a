"""The vocabulary and the model in force: read at the start and again whenever their files change.

A file that is wrong is refused: what was there before stays in force, and every answer says so
until the file is mended.
"""

import asyncio
import time
from pathlib import Path
from typing import Final

from services.reason.tags.builder import default_vocabulary
from services.reason.tags.model import ModelError, read_model
from services.reason.tags.tagger import Tagger
from services.reason.tags.vocabulary_file import VocabularyError, read_vocabulary
from shared.degradation import degradation
from shared.watched_file import Look, WatchedFile
from wherefore.common.v1.diagnostics_pb2 import Degradation, DegradationCause

VOCABULARY_STAGE: Final = "tags.vocabulary"
MODEL_STAGE: Final = "tags.model"
LOOK_SECONDS: Final = 1.0
"""Least pause between two looks at a file."""


class TagBook:
    """Gives the tagger of the files as they are now.

    Args:
        vocabulary: File of the shop's vocabulary; None for the lexicons'.
        model: File of its model; None for none.
    """

    def __init__(self, vocabulary: Path | None = None, model: Path | None = None) -> None:
        self._vocabulary = WatchedFile(vocabulary, read_vocabulary, VocabularyError)
        self._model = WatchedFile(model, read_model, ModelError)
        self._tagger: Tagger | None = None
        self._next_look = 0.0
        self._reading = asyncio.Lock()

    async def tagger(self) -> Tagger:
        """Returns the tagger, of files read at most LOOK_SECONDS ago."""
        if self._tagger is None or time.monotonic() >= self._next_look:
            async with self._reading:
                if self._tagger is None or time.monotonic() >= self._next_look:
                    self._tagger = await asyncio.to_thread(self._look)
                    self._next_look = time.monotonic() + LOOK_SECONDS
        return self._tagger

    def problems(self) -> list[Degradation]:
        """Returns what is wrong with the files, as answers tell it."""
        found: list[Degradation] = []
        for stage, file, without in (
            (VOCABULARY_STAGE, self._vocabulary, "the vocabulary of the lexicons"),
            (MODEL_STAGE, self._model, "words alone"),
        ):
            if file.problem:
                before = "the one before" if file.value is not None else without
                error = DegradationCause.DEGRADATION_CAUSE_ERROR
                found.append(degradation(stage, error, fallback=before, detail=file.problem))
        return found

    def _look(self) -> Tagger:
        found = {self._vocabulary.look(), self._model.look()}
        if self._tagger is not None and Look.READ not in found:
            return self._tagger
        return Tagger(self._vocabulary.value or default_vocabulary(), self._model.value)
