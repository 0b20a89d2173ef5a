"""How long the forward pass of a query model takes alone, in process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.inference.settings import QUERY_MODELS, REPOSITORY

BATCHES = (1, 8, 16)
PASSES = 60


def measure_passes(
    language: str, graph: str, queries: Sequence[str], threads: int = 0
) -> dict[int, float]:
    """Milliseconds a query of the forward pass alone, in process, by batch size: medians."""
    import onnxruntime

    from services.nlu.learnt.tokens import ModelTokenizer

    folder = REPOSITORY / QUERY_MODELS[language] / "1"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session: Any = onnxruntime.InferenceSession(
        str(folder / graph), options, providers=["CPUExecutionProvider"]
    )
    names = {item.name for item in session.get_inputs()}
    tokenizer = ModelTokenizer(folder / "tokenizer.json", 128, word_places="segments" in names)
    rows = tokenizer.encode(queries)
    found: dict[int, float] = {}
    for size in BATCHES:
        took: list[float] = []
        for turn in range(PASSES):
            batch = [rows[(turn * size + at) % len(rows)] for at in range(size)]
            longest = max(len(row.ids) for row in batch)
            feeds = {
                "input_ids": np.stack([_filled(row.ids, longest) for row in batch]),
                "segments": np.stack([_filled(row.segments, longest) for row in batch]),
            }
            begun = time.perf_counter()
            session.run(None, {name: feeds[name] for name in names})
            took.append((time.perf_counter() - begun) * 1e3 / size)
        found[size] = statistics.median(took[5:])
    return found


def _filled(values: Any, length: int) -> Any:
    filled = np.zeros(length, dtype=np.int32)
    filled[: len(values)] = values
    return filled
