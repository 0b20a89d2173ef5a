"""The model in this process: ONNX Runtime, one page at a time."""

import time
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Final

from services.reason.wording.decode import Wanted, stream
from services.reason.wording.onnx_engine import OnnxEngine
from services.reason.wording.rendering import SaidReason
from services.reason.wording.sampling import SamplingSettings
from services.reason.wording.served import GRAPH, read_grammar

VERSION_FOLDER: Final = "1"
_OVERSTATED: Final = frozenset({"brand_affinity", "category_affinity"})
"""Kinds that the model was taught to say with "often", though one look can give rise to them:
templates say them until it is taught anew."""


class OnnxWriter:
    """Implements `worded.Writer`.

    Args:
        folder: Of the model in the repository.
        banned: Words that the shop never says.
        threads: Of ONNX Runtime; 0 for as many as there are cores.

    Raises:
        FileNotFoundError: It has no graph; `make models` makes it.
    """

    def __init__(self, folder: Path, banned: Sequence[str], threads: int = 0) -> None:
        home = folder / VERSION_FOLDER
        if not (home / GRAPH).is_file():
            raise FileNotFoundError(f"{home} has no {GRAPH}; `make models` makes it")
        self._grammar = read_grammar(home, banned)
        self._engine = OnnxEngine(home / GRAPH, threads)
        self._settings = SamplingSettings()
        self._version = f"{folder.name}@{VERSION_FOLDER}"
        # The engine holds the batch under way, and the grammar what it has worked out.
        self._lock = Lock()

    @property
    def version(self) -> str:
        """Names the model."""
        return self._version

    def knows(self, wanted: Wanted) -> bool:
        """Whether it has learnt to say the evidence, and says it truly."""
        overstated = any(one.kind in _OVERSTATED for one in wanted.evidence)
        return not overstated and self._grammar.knows_all(wanted.evidence, wanted.language)

    def write(self, wanted: Sequence[Wanted], seconds: float) -> list[SaidReason | None]:
        """Writes a page; see `worded.Writer`."""
        found: list[SaidReason | None] = [None] * len(wanted)
        ends = time.monotonic() + seconds
        if seconds <= 0 or not self._lock.acquire(timeout=seconds):
            return found
        try:
            for progress in stream(wanted, self._grammar, self._engine, self._settings):
                if progress.reason is not None:
                    found[progress.row] = progress.reason
                if time.monotonic() > ends:
                    break
        finally:
            self._lock.release()
        return found
