"""How long a page takes: ten reasons of the bundled catalogue, decoded in process."""

import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from services.reason.config import DEFAULT_BANNED_WORDS
from services.reason.train.corpus import CorpusSettings
from services.reason.train.frames import LANGUAGES
from services.reason.train.measure import BATCH, held_scenes
from services.reason.wording.decode import stream
from services.reason.wording.onnx_engine import OnnxEngine
from services.reason.wording.sampling import SamplingSettings
from services.reason.wording.served import GRAPH, read_grammar

_WARM: Final = 3
_STEPS: Final = 20


def measure(folder: Path, data: Path, *, threads: int, pages: int) -> dict[str, Any]:
    """Returns milliseconds: of a page by language (p50, p95), to its first text, and of one step.

    Args:
        folder: That `export` wrote.
        data: Folder of the data sets; the bundled catalogue alone is read.
        threads: Of ONNX Runtime.
        pages: To write, by language.
    """
    grammar = read_grammar(folder, DEFAULT_BANNED_WORDS)
    engine = OnnxEngine(folder / GRAPH, threads)
    settings = CorpusSettings(catalogues={"bundled": 1.0})
    held = held_scenes(settings, data, "test", BATCH * (pages + _WARM) * len(LANGUAGES))
    figures: dict[str, Any] = {"threads": threads, "pages": pages}
    for language in LANGUAGES:
        wanted = [one.wanted for one in held if one.wanted.language == language]
        whole: list[float] = []
        first: list[float] = []
        tokens: list[int] = []
        for start in range(0, BATCH * (pages + _WARM), BATCH):
            page = wanted[start : start + BATCH]
            began = time.perf_counter()
            to_first, steps = 0.0, 0
            for progress in stream(page, grammar, engine, SamplingSettings()):
                to_first = to_first or time.perf_counter() - began
                steps += bool(progress.piece)
            whole.append((time.perf_counter() - began) * 1e3)
            first.append(to_first * 1e3)
            tokens.append(steps)
        figures[language] = {
            "page_p50_ms": round(float(np.median(whole[_WARM:])), 1),
            "page_p95_ms": round(float(np.percentile(whole[_WARM:], 95)), 1),
            "first_text_p50_ms": round(float(np.median(first[_WARM:])), 1),
            "pieces_a_reason": round(float(np.mean(tokens[_WARM:])) / BATCH, 1),
        }
    for batch in (1, BATCH):
        figures[f"step_ms_batch_{batch}"] = round(_step(engine, batch) * 1e3, 3)
    return figures


def _step(engine: OnnxEngine, batch: int) -> float:
    """Median seconds of a step of a batch, after prefixes of seven tokens."""
    times: list[float] = []
    every = np.arange(batch)
    for _ in range(_WARM):
        engine.start(np.full((batch, 7), 2, dtype=np.int64))
        for _ in range(_STEPS):
            began = time.perf_counter()
            engine.step(np.full(batch, 2, dtype=np.int64), every)
            times.append(time.perf_counter() - began)
    return float(np.median(times))
