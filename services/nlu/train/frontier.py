"""What each way to a smaller model costs and gives, and which form of the model is served.

`measure` fills the table; `choose` reads the served form off it.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

BATCH_SIZES = (1, 8, 32)
MOST_LOST = 0.01
"""Largest loss on any figure that a served form may have against the model as it was trained."""
ALIKE = 1.05
"""Latencies that differ by less are the same: the smaller file decides between them."""

RULE = (
    f"of the forms that lose at most {MOST_LOST} on every figure, or its standard error where few "
    "examples make that larger, the fastest at one text a pass, "
    f"and of those as fast within {ALIKE - 1:.0%} the smallest"
)


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


def choose(
    steps: Sequence[Step],
    trained: str,
    examples: Mapping[str, int] = MappingProxyType({}),
    *,
    most_lost: float = MOST_LOST,
) -> Step:
    """Returns the form that is served.

    Of those that can be served and lose at most `most_lost` on each figure, it is the fastest at
    one text a pass; of those that are as fast within 5% the smallest. Where a figure is over so few
    examples that chance moves it by more than `most_lost`, its standard error is allowed.

    Args:
        steps: The table.
        trained: Name of the model as it was trained, which losses are counted from.
        examples: Head -> dev examples that its figures are over; many, where it is left out.
        most_lost: Largest loss of a figure.

    Raises:
        ValueError: No step meets the conditions.
    """
    whole = next(step for step in steps if step.name == trained)
    allowed = {
        name: max(most_lost, _standard_error(value, examples.get(name.split(".")[0], 0)))
        for name, value in whole.quality.items()
    }
    good = [step for step in steps if step.servable and _keeps(step, whole, allowed)]
    if not good:
        raise ValueError(f"no form loses at most {most_lost} on every figure")
    fastest = min(step.milliseconds[1] for step in good)
    alike = [step for step in good if step.milliseconds[1] <= ALIKE * fastest]
    return min(alike, key=lambda step: (step.megabytes, step.milliseconds[1]))


def _keeps(step: Step, whole: Step, allowed: Mapping[str, float]) -> bool:
    # Figures are shares of examples: beyond six digits there is only the noise of subtraction.
    return all(
        round(value - step.quality[name], 6) <= allowed[name]
        for name, value in whole.quality.items()
    )


def _standard_error(share: float, examples: int) -> float:
    """Returns the standard error of a share of so many examples (binomial); 0 without a number."""
    return math.sqrt(share * (1.0 - share) / examples) if examples else 0.0


def undominated(steps: Iterable[Step]) -> list[Step]:
    """Returns the steps than which no other is both faster and better, fastest first."""
    front: list[Step] = []
    for step in sorted(steps, key=lambda item: (item.milliseconds[1], -item.mean_quality)):
        if not front or step.mean_quality > front[-1].mean_quality:
            front.append(step)
    return front


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
