"""How a form of a query model is measured, every form alike.

The median latency over fixed real texts, and the figures of its heads on the same dev texts.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import numpy as np
import torch

from services.nlu.learnt.tokens import ModelTokenizer, TokenRow
from services.nlu.train.evaluate import evaluate_heads
from services.nlu.train.examples import TaskData
from services.nlu.train.model import QueryModel
from services.nlu.train.parity import GraphRunner

_ROUNDS = {1: 64, 8: 16, 32: 6}
_FIGURES = (".f1", ".accuracy", ".auc", ".mrr")
_SECONDARY = ".macro_f1"

Read = Callable[[Sequence[TokenRow]], Any]
"""Reads a batch of texts; what it returns is not looked at."""


def measure_quality(
    model: Any, tokenizer: ModelTokenizer, tasks: Iterable[TaskData]
) -> dict[str, float]:
    """Returns the main figure of every task.

    Args:
        model: A `QueryModel`, or a `GraphModelReader` in its place.
        tokenizer: The model's.
        tasks: Those whose dev halves are measured.
    """
    figures = evaluate_heads(model, tokenizer, tasks)
    return {
        name: value
        for name, value in figures.items()
        if name.endswith(_FIGURES) and not name.endswith(_SECONDARY)
    }


def sample_dev(task: TaskData, count: int, seed: int = 17) -> TaskData:
    """Returns a task with `count` of its dev examples, drawn by chance; all of them if 0."""
    if not count or len(task.dev) <= count:
        return task
    # Data sets are sorted by their labels; the same seed draws the same examples for every step.
    drawn = Random(seed).sample(range(len(task.dev)), count)  # noqa: S311
    return replace(task, dev=[task.dev[at] for at in sorted(drawn)])


def measure_latency(
    readers: Mapping[str, Read],
    rows: Sequence[TokenRow],
    rounds: Mapping[int, int] | None = None,
) -> dict[str, dict[int, float]]:
    """Returns the median milliseconds of a pass, by name and size of the batch.

    The readers take turns text by text, so that a machine that is slow for a while is slow for all.

    Args:
        readers: By name.
        rows: The texts, taken in turn.
        rounds: Size of a batch -> passes.
    """
    taken: dict[str, dict[int, float]] = {name: {} for name in readers}
    for size, count in (rounds or _ROUNDS).items():
        times: dict[str, list[float]] = {name: [] for name in readers}
        for turn in range(-1, count):
            batch = [rows[(turn * size + at) % len(rows)] for at in range(size)]
            for name, read in readers.items():
                started = time.perf_counter()
                read(batch)
                if turn >= 0:  # the first pass makes room for the others
                    times[name].append(1e3 * (time.perf_counter() - started))
        for name, values in times.items():
            taken[name][size] = median(values)
    return taken


class GraphModelReader:
    """An exported graph in the place of the model it was made of, for `evaluate_heads`.

    Args:
        path: The graph.
        model: What it was made of; its heads tell how tags follow one another.
        threads: Of a pass.
    """

    def __init__(self, path: Path, model: QueryModel, *, threads: int) -> None:
        self.runner = GraphRunner(path, threads)
        self.heads = model.heads
        self._seen: dict[bytes, Mapping[str, torch.Tensor]] = {}

    def __call__(
        self, input_ids: torch.Tensor, segments: torch.Tensor, only: Sequence[str] = ()
    ) -> Mapping[str, torch.Tensor]:
        """Returns every output of a batch, (batch, tokens) int64 twice; `only` changes nothing."""
        key = input_ids.numpy().tobytes()
        # Heads over the same texts are measured one after the other.
        if key not in self._seen:
            batch = {"input_ids": input_ids, "segments": segments}
            feed = {name: batch[name].numpy().astype(np.int32) for name in self.runner.inputs}
            self._seen[key] = {
                name: torch.as_tensor(value) for name, value in self.runner.run(feed).items()
            }
        return self._seen[key]

    def read(self, rows: Sequence[TokenRow]) -> Any:
        """Reads a batch as serving does, to be timed."""
        return self.runner.run(self.runner.feed(rows))
