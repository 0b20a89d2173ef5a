"""What each way to a smaller model costs and gives, and which form of the model is served.

Every step is measured alike: its file, the median latency over fixed real texts, and the figures of
its heads on the same dev texts. `choose` reads the served one off the table.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
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

BATCH_SIZES = (1, 8, 32)
MOST_LOST = 0.01
"""Largest loss on any figure that a served form may have against the model as it was trained."""
ALIKE = 1.05
"""Latencies that differ by less are the same: the smaller file decides between them."""

RULE = (
    f"of the forms that lose at most {MOST_LOST} on every figure the fastest at one text a pass, "
    f"and of those as fast within {ALIKE - 1:.0%} the smallest"
)

_ROUNDS = {1: 64, 8: 16, 32: 6}
_FIGURES = (".f1", ".accuracy", ".auc", ".mrr")
_SECONDARY = ".macro_f1"

Read = Callable[[Sequence[TokenRow]], Any]
"""Reads a batch of texts; what it returns is not looked at."""


@dataclass(frozen=True, slots=True)
class Step:
    """One form of the model, measured.

    Attributes:
        name: Such as "int8".
        megabytes: Of what is loaded to serve it, in 10^6 bytes.
        milliseconds: Size of a batch -> median latency of a pass.
        quality: Name of a figure -> its value on dev, from 0 to 1.
        servable: Whether `make models` can make it of what is committed.
    """

    name: str
    megabytes: float
    milliseconds: Mapping[int, float]
    quality: Mapping[str, float]
    servable: bool = True

    @property
    def mean_quality(self) -> float:
        """Mean of the figures."""
        return sum(self.quality.values()) / len(self.quality)


def choose(steps: Sequence[Step], trained: str, *, most_lost: float = MOST_LOST) -> Step:
    """Returns the form that is served.

    Of those that can be served and lose at most `most_lost` on each figure, it is the fastest at
    one text a pass; of those that are as fast within 5% the smallest.

    Args:
        steps: The table.
        trained: Name of the model as it was trained, which losses are counted from.
        most_lost: Largest loss of a figure.

    Raises:
        ValueError: No step meets the conditions.
    """
    whole = next(step for step in steps if step.name == trained)
    good = [step for step in steps if step.servable and lost(step, whole) <= most_lost]
    if not good:
        raise ValueError(f"no form loses at most {most_lost} on every figure")
    fastest = min(step.milliseconds[1] for step in good)
    alike = [step for step in good if step.milliseconds[1] <= ALIKE * fastest]
    return min(alike, key=lambda step: (step.megabytes, step.milliseconds[1]))


def lost(step: Step, whole: Step) -> float:
    """Returns the largest loss of any figure; below 0 when all became better."""
    # Figures are shares of examples: beyond six digits there is only the noise of subtraction.
    return max(round(value - step.quality[name], 6) for name, value in whole.quality.items())


def undominated(steps: Iterable[Step]) -> list[Step]:
    """Returns the steps than which no other is both faster and better, fastest first."""
    front: list[Step] = []
    for step in sorted(steps, key=lambda item: (item.milliseconds[1], -item.mean_quality)):
        if not front or step.mean_quality > front[-1].mean_quality:
            front.append(step)
    return front


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


def as_json(steps: Sequence[Step], trained: str, chosen: str, notes: Mapping[str, Any]) -> str:
    """Returns the table as JSON, with what was chosen and how it was measured."""
    return json.dumps(
        {
            "trained": trained,
            "chosen": chosen,
            "rule": RULE,
            "steps": [asdict(step) for step in steps],
            **notes,
        },
        ensure_ascii=False,
        indent=1,
    )


def steps_of(table: Mapping[str, Any]) -> list[Step]:
    """Returns the steps of a table that `as_json` wrote."""
    return [
        Step(
            name=item["name"],
            megabytes=item["megabytes"],
            milliseconds={int(size): ms for size, ms in item["milliseconds"].items()},
            quality=item["quality"],
            servable=item["servable"],
        )
        for item in table["steps"]
    ]


def as_table(steps: Sequence[Step], trained: str, chosen: str) -> str:
    """Returns the table in Markdown; what is chosen in bold."""
    whole = next(step for step in steps if step.name == trained)
    figures = list(whole.quality)
    heading = ["step", "MB", *(f"p50 ms at {size}" for size in BATCH_SIZES), "times faster"]
    lines = ["| " + " | ".join([*heading, *figures]) + " |"]
    lines.append("| --- |" + " ---: |" * (len(heading) - 1 + len(figures)))
    for step in steps:
        name = f"**{step.name}**" if step.name == chosen else step.name
        cells = [name, f"{step.megabytes:.1f}"]
        cells += [f"{step.milliseconds[size]:.2f}" for size in BATCH_SIZES]
        cells.append(f"{whole.milliseconds[1] / step.milliseconds[1]:.2f}")
        cells += [f"{step.quality[name]:.4f}" for name in figures]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plot(steps: Sequence[Step], chosen: str, path: Path) -> None:
    """Draws quality over latency, a point a step as large as its file, with the frontier.

    Args:
        steps: The table.
        chosen: Name of the served step.
        path: Of the SVG file.
    """
    import matplotlib as mpl

    mpl.use("svg")
    # Without chance and date the same figures give the same file.
    mpl.rcParams["svg.hashsalt"] = "wherefore"
    from matplotlib import pyplot

    drawing: Any = pyplot
    figure, axes = drawing.subplots(figsize=(7, 4.2))
    front = undominated(steps)
    axes.plot(
        [step.milliseconds[1] for step in front],
        [step.mean_quality for step in front],
        color="#bbbbbb",
        zorder=1,
    )
    for step in steps:
        axes.scatter(
            step.milliseconds[1],
            step.mean_quality,
            s=8 * step.megabytes,
            color="#e45756" if step.name == chosen else "#4c78a8",
            alpha=0.7,
            zorder=2,
        )
        axes.annotate(
            f"{step.name} ({step.megabytes:.0f} MB)",
            (step.milliseconds[1], step.mean_quality),
            xytext=(6, 4),
            textcoords="offset points",
            fontsize=8,
        )
    axes.set_xlabel("median latency of one text, ms")
    axes.set_ylabel("mean of the tasks' figures on dev")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    drawing.close(figure)
