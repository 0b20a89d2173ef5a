"""Learning curves of the labelling queue's strategies against random sampling.

    python -m benchmarks.active_learning [--seeds 8] [--encoder FOLDER [--fine-tune SEEDS]]

The texts are Chinese reviews whose labels are known; a label is "given" when a strategy asks for
it. The learner is a logistic regression, because every curve is some fifteen trainings: on vectors
of latent semantic analysis, or on those of an encoder that has seen no labels (zh_pretrain makes
one). With --fine-tune the texts that random sampling and one strategy chose are also what the whole
encoder is fine-tuned on, once a seed.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from statistics import mean

import numpy as np

from benchmarks import plots, report
from benchmarks.data import data_folder
from services.nlu.labelling.sampling import Strategy
from services.nlu.train.active import (
    Comparison,
    Curve,
    Labelled,
    SimulationSettings,
    compare,
    simulate,
)
from services.nlu.train.chinese import category_zh, sentiment_zh
from services.nlu.train.examples import Example, TaskData
from services.nlu.train.frozen import frozen_vectors
from services.nlu.train.linear import latent_vectors

RUNS = report.ROOT / ".wherefore" / "train" / "active"
POOL, DEV = 4_000, 2_000
SAMPLE_SEED = 17
CONFIRMED = Strategy.MARGIN_DIVERSITY
"""The strategy that full fine-tuning confirms, named before the curves were looked at."""


def main() -> None:
    """Measures, and writes the section, the figures and the plots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path, help="frozen, in the place of latent vectors")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--steps", type=int, default=SimulationSettings().steps)
    parser.add_argument("--fine-tune", type=int, default=0, metavar="SEEDS")
    given = parser.parse_args()
    if given.fine_tune and not given.encoder:
        parser.error("--fine-tune needs --encoder FOLDER")
    settings = SimulationSettings(steps=given.steps)
    data = data_folder()
    tasks: list[_Simulated] = []
    for name, loader in (("category", category_zh), ("sentiment", sentiment_zh)):
        task = loader(data)
        pool, dev = _sample(task.train, POOL), _sample(task.dev, DEV)
        curves = _curves(given.encoder, task, pool, dev, settings, seeds=given.seeds)
        plots.curves(
            curves[Strategy.RANDOM][0].labels,
            {
                str(strategy).replace("_", " "): [run.accuracies for run in runs]
                for strategy, runs in curves.items()
            },
            ("labelled reviews", f"accuracy of {name}, dev"),
            report.PLOTS / f"active_learning_{name}.svg",
        )
        tasks.append(_Simulated(name, task, pool, dev, curves))
    _write(tasks, settings, given)
    if given.fine_tune:
        first = tasks[0]
        confirmed = _confirm(given.encoder, first, seeds=given.fine_tune)
        tasks[0] = dataclasses.replace(first, confirmed=confirmed)
        _write(tasks, settings, given)


@dataclasses.dataclass(frozen=True)
class _Simulated:
    """One task with its curves, and what full fine-tuning says of them."""

    name: str
    task: TaskData
    pool: Sequence[Example]
    dev: Sequence[Example]
    curves: dict[Strategy, list[Curve]]
    confirmed: dict[str, list[float]] = dataclasses.field(default_factory=dict)


def _write(
    tasks: Sequence[_Simulated], settings: SimulationSettings, given: argparse.Namespace
) -> None:
    compared = [(item, compare(item.curves)) for item in tasks]
    found = {
        item.name: {
            "comparisons": [dataclasses.asdict(row) for row in rows],
            "fine_tuned": item.confirmed,
            "labels": item.curves[Strategy.RANDOM][0].labels,
            "accuracies": {
                str(strategy): [run.accuracies for run in runs]
                for strategy, runs in item.curves.items()
            },
        }
        for item, rows in compared
    }
    RUNS.mkdir(parents=True, exist_ok=True)
    (RUNS / "results.json").write_text(json.dumps(found, ensure_ascii=False, indent=1))
    parts = [_part(item.name, rows, given.seeds, item.confirmed) for item, rows in compared]
    report.update_section("active-learning", _section(parts, settings, given))
    print("\n\n".join(parts), flush=True)


def _sample(examples: Sequence[Example], count: int) -> list[Example]:
    return Random(SAMPLE_SEED).sample(list(examples), count)  # noqa: S311 - a choice to repeat


def _curves(
    encoder: Path | None,
    task: TaskData,
    pool: Sequence[Example],
    dev: Sequence[Example],
    settings: SimulationSettings,
    *,
    seeds: int,
) -> dict[Strategy, list[Curve]]:
    together = [*pool, *dev]
    texts = [example.text for example in together]
    vectors = (
        frozen_vectors(encoder, texts, word_places=True, cache=RUNS / "vectors")
        if encoder
        else latent_vectors(texts, texts[: len(pool)])
    )
    classes = np.array([task.labels.index(example.label) for example in together])
    sides = [
        Labelled(vectors[part], classes[part])
        for part in (slice(len(pool)), slice(len(pool), None))
    ]
    return {
        strategy: [simulate(*sides, strategy, settings, seed) for seed in range(seeds)]
        for strategy in Strategy
    }


def _confirm(encoder: Path, simulated: _Simulated, *, seeds: int) -> dict[str, list[float]]:
    """Fine-tunes the whole encoder on all the texts that two strategies chose."""
    from services.nlu.train.fine_tuned import fine_tuned_fit
    from services.nlu.train.pseudo_labels import accuracy

    fit = fine_tuned_fit(
        str(encoder), RUNS / "fine_tuned", word_places=True, epochs=8, learning_rate=5e-4
    )
    task = dataclasses.replace(simulated.task, dev=simulated.dev)
    return {
        str(strategy): [
            accuracy(fit([simulated.pool[at] for at in run.chosen], task.labels, seed), task)
            for seed, run in enumerate(simulated.curves[strategy][:seeds])
        ]
        for strategy in (Strategy.RANDOM, CONFIRMED)
    }


def _part(
    name: str, comparisons: list[Comparison], seeds: int, confirmed: dict[str, list[float]]
) -> str:
    rows = [
        [
            str(item.strategy).replace("_", " "),
            f"{item.area:.4f}",
            f"{item.gain:+.4f} ± {item.gain_spread:.4f}",
            f"{item.wins} of {seeds}",
            f"{item.final:.4f} ± {item.final_spread:.4f}",
            str(item.labels_to_match or "never"),
        ]
        for item in comparisons
    ]
    headings = (
        "strategy",
        "area",
        "against random",
        "seeds ahead",
        "last point",
        "labels to random's last point",
    )
    lines = [f"### {name.capitalize()}", "", report.table(headings, rows), ""]
    lines.append(f"![Learning curves, {name}](plots/active_learning_{name}.svg)")
    if confirmed:
        said = "; ".join(
            f"{key.replace('_', ' ')} {mean(values):.4f} ({', '.join(f'{v:.4f}' for v in values)})"
            for key, values in confirmed.items()
        )
        lines += ["", f"The whole encoder fine-tuned on all the chosen texts, accuracy: {said}."]
    return "\n".join(lines)


def _section(parts: list[str], settings: SimulationSettings, given: argparse.Namespace) -> str:
    last = settings.initial + settings.batch * settings.steps
    command = f"python -m benchmarks.active_learning --seeds {given.seeds}"
    vectors = "latent semantic analysis of the pool (TF-IDF of characters, 256 dimensions)"
    if given.encoder:
        command += " --encoder FOLDER"
        vectors = "the frozen Chinese encoder"
    if given.fine_tune:
        command += f" --fine-tune {given.fine_tune}"
    source = report.provenance(
        command, f"reviews_zh: a pool of {POOL:,} of train, {DEV:,} of dev, drawn by chance"
    )
    return "\n\n".join(
        [
            "## Active learning",
            f"From {settings.initial} labels drawn by chance to {last}, {settings.batch} at a "
            f"time. The learner is a logistic regression on vectors of {vectors}: what the curves "
            "say holds for it. Area is the mean accuracy along "
            "the curve; ± is one standard deviation over the seeds, and the difference to random "
            "sampling is taken seed by seed, from the same first labels.",
            *parts,
            source,
        ]
    )


if __name__ == "__main__":
    main()
