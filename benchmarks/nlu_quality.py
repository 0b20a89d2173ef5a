"""How well the served models read texts, beside baselines: `python -m benchmarks.nlu_quality`.

Starts an nlu service and Triton of its own; with --target it asks one that runs. The served figures
are those of `wherefore eval nlu`. Baselines are trained on the training halves in the same run and
kept beside the other runs, since they do not change.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import nlu_rules, report
from benchmarks.data import data_folder
from services.nlu.train.baselines import BASELINES
from shared.cli.connection import connect
from shared.cli.private_suite import private_suite
from shared.evaluation.labelled_texts import LabelledText
from shared.evaluation.text_evaluation import TextEvaluation, evaluate_texts
from shared.evaluation.text_tasks import TASKS, TextTask

OWN = report.ROOT / "services" / "nlu" / "train" / "data"
KEPT = report.ROOT / ".wherefore" / "train" / "baselines.json"
BASELINE_OF = {
    "entities_zh": "entities_zh",
    "sentiment_zh": "sentiment_zh",
    "category_zh": "category_zh",
    "intents_en": "intents_en.support",
}
"""Task -> its baseline; our own sets have no training half, so rules alone are beside those."""

Figure = Mapping[str, Any]
"""`method` and `value`, among others."""
Baseline = Callable[[Path], Figure]


@dataclass(frozen=True, slots=True)
class Subject:
    """One row of the table.

    Attributes:
        title: What is read.
        task: Name of the task.
        file: Below the data folder, or of this checkout when absolute.
        wanted: What the figure must reach at least; None where nothing was set.
    """

    title: str
    task: str
    file: Path
    wanted: float | None = None


SUBJECTS = (
    Subject(
        "Chinese entities (titles)",
        "entities_zh",
        Path("ecommerce_ner_zh/dev.jsonl.gz"),
        0.74,
    ),
    Subject("Chinese sentiment (reviews)", "sentiment_zh", Path("reviews_zh/dev.jsonl.gz"), 0.95),
    Subject(
        "Product category (Chinese reviews)",
        "category_zh",
        Path("reviews_zh/dev.jsonl.gz"),
        0.915,
    ),
    Subject(
        "Support intents (27, English)", "intents_en", Path("support_intents_en/dev.csv"), 0.99
    ),
    Subject("English entities (own queries)", "entities_en", OWN / "queries_en_dev.txt", 0.80),
    Subject("the same, held back to the end", "entities_en", OWN / "queries_en_check.txt"),
    Subject(
        "Reasons to buy (own sentences, Chinese)", "reason_tags_zh", OWN / "reason_tags_zh_dev.txt"
    ),
)


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of a subject."""

    subject: Subject
    served: TextEvaluation
    rules: float | None
    baseline: Figure | None
    """What was trained by simple means."""

    @property
    def verdict(self) -> str:
        """Whether the figure is what was wanted."""
        if self.subject.wanted is None:
            return "–"
        kept = self.served.value >= self.subject.wanted
        return f"≥ {self.subject.wanted:.3f}: {'yes' if kept else 'no'}"


def measured_rules(subject: Subject, gold: Sequence[LabelledText]) -> float | None:
    """The figure of the rules alone; None where no rule reads such texts."""
    read = nlu_rules.by_rules(subject.task)
    if read is None:
        return None
    return TASKS[subject.task].score(gold, [read(text.text) for text in gold]).value


def measured_baseline(
    task: str, data: Path, kept: Path = KEPT, baselines: Mapping[str, Baseline] = BASELINES
) -> Figure | None:
    """What a simple trained method reaches on a task's dev half; None where none was built.

    Args:
        task: Name of the task.
        data: Folder of the data sets.
        kept: File of figures that were measured before, which do not change.
        baselines: How to measure, by the names of `services.nlu.train.baselines`.
    """
    name = BASELINE_OF.get(task)
    if name is None:
        return None
    known: dict[str, Figure] = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    if name not in known:
        _say(f"{task}: training its baseline")
        known[name] = baselines[name](data)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(known, indent=1) + "\n", "utf-8")
    return known[name]


async def measure_served(
    subjects: Sequence[Subject], golds: Sequence[Sequence[LabelledText]], target: str | None
) -> list[TextEvaluation]:
    """The served figure of every subject."""
    found: list[TextEvaluation] = []
    async with nlu_service(target) as address, connect(address) as channel:
        for subject, gold in zip(subjects, golds, strict=True):
            _say(f"{subject.task}: {len(gold):,} texts")
            task: TextTask = TASKS[subject.task]
            found.append(await evaluate_texts(channel, task, gold, timeout=60))
    return found


@asynccontextmanager
async def nlu_service(target: str | None) -> AsyncGenerator[str]:
    """The service at a target, or one of its own."""
    if target:
        yield target
        return
    async with private_suite(services=("nlu",)) as own:
        yield own.targets.nlu


def section(rows: Sequence[Row]) -> str:
    """The section of RESULTS.md."""
    cells = [
        [
            row.subject.title,
            f"{row.served.n:,}",
            {"f1": "F1, exact spans"}.get(row.served.metric, row.served.metric),
            _figure(row.rules),
            f"{row.baseline['value']:.3f} ({row.baseline['method']})" if row.baseline else "–",
            f"**{row.served.value:.4f}**",
            row.verdict,
        ]
        for row in rows
    ]
    models = ", ".join(sorted({name for row in rows for name in row.served.models}))
    return "\n".join(
        [
            "## Reading texts",
            "",
            report.provenance(
                "python -m benchmarks.nlu_quality", "the dev halves of the data sets and our own"
            ),
            f"Served by {models}, asked through gRPC as `wherefore eval nlu` does.",
            "",
            report.table(
                ("texts", "number", "measure", "rules alone", "baseline", "served", "wanted"), cells
            ),
            "",
            "Dev halves chose the models, so expect a little less elsewhere. Our own English set",
            "was written by the authors of the models; a smaller part of it was looked at once, at",
            "the end. Rules: lexicons, patterns and terms of a catalogue, what Parse has without",
            "models. Baselines are trained on the same training halves. An intent of another kind,",
            "a missing span or no answer counts as wrong.",
        ]
    )


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def main() -> int:
    """Run the benchmark; writes its section of RESULTS.md unless told not to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", help="HOST:PORT of an nlu service that runs")
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), help="these alone, not written")
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    data = data_folder(*(str(item.file) for item in SUBJECTS if not item.file.is_absolute()))
    subjects = [item for item in SUBJECTS if not options.tasks or item.task in options.tasks]
    golds = [TASKS[item.task].read(data / item.file) for item in subjects]
    served = asyncio.run(measure_served(subjects, golds, options.target))
    rows = [
        Row(
            subject,
            figure,
            measured_rules(subject, gold),
            None if subject.file.is_absolute() else measured_baseline(subject.task, data),
        )
        for subject, gold, figure in zip(subjects, golds, served, strict=True)
    ]
    body = section(rows)
    print(body)
    if not (options.no_write or options.tasks):
        report.update_section("nlu-quality", body)
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
