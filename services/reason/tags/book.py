"""The vocabulary and the model in force: read at the start and again whenever their files change.

A file that is wrong is refused: what was there before stays in force, and every answer says so
until the file is mended.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, TypeVar

import structlog

from services.reason.tags.builder import default_vocabulary
from services.reason.tags.model import ModelError, TagModel, read_model
from services.reason.tags.tagger import Tagger
from services.reason.tags.vocabulary import Vocabulary
from services.reason.tags.vocabulary_file import VocabularyError, read_vocabulary
from shared.degradation import degradation
from wherefore.common.v1.diagnostics_pb2 import Degradation, DegradationCause

VOCABULARY_STAGE: Final = "tags.vocabulary"
MODEL_STAGE: Final = "tags.model"
LOOK_SECONDS: Final = 1.0
"""Least pause between two looks at a file."""
_log: structlog.stdlib.BoundLogger = structlog.get_logger()
_Stamp = tuple[int, int, int]
ValueT = TypeVar("ValueT")


class WatchedFile(Generic[ValueT]):
    """A file, what it held when it was last right, and what is wrong with it now.

    Args:
        path: The file; None for none.
        read: Raises VocabularyError or ModelError.
    """

    def __init__(self, path: Path | None, read: Callable[[Path], ValueT]) -> None:
        self.value: ValueT | None = None
        self.problem = ""
        self._path = path
        self._read = read
        self._stamp: _Stamp | None = None
        self._looked = False

    def look(self) -> bool:
        """Reads the file if it is not as it was; returns whether what it holds is new."""
        if self._path is None:
            return False
        stamp = _stamp(self._path)
        if self._looked and stamp == self._stamp:
            return False
        self._looked, self._stamp = True, stamp
        try:
            self.value, self.problem = self._read(self._path), ""
        except (VocabularyError, ModelError) as error:
            self.problem = str(error)[:500]
            _log.error("tags_file_refused", file=str(self._path), reason=self.problem)
            return False
        _log.info("tags_file_read", file=str(self._path))
        return True


class TagBook:
    """Gives the tagger of the files as they are now.

    Args:
        vocabulary: File of the shop's vocabulary; None for the lexicons'.
        model: File of its model; None for none.
    """

    def __init__(self, vocabulary: Path | None = None, model: Path | None = None) -> None:
        self._vocabulary = WatchedFile[Vocabulary](vocabulary, read_vocabulary)
        self._model = WatchedFile[TagModel](model, read_model)
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
        changed = [self._vocabulary.look(), self._model.look()]
        if self._tagger is not None and not any(changed):
            return self._tagger
        return Tagger(self._vocabulary.value or default_vocabulary(), self._model.value)


def _stamp(path: Path) -> _Stamp | None:
    """Returns what changes with the file: also when it is another by a link, as in Kubernetes."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
