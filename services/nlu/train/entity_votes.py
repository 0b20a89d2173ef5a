"""Entities of unlabelled queries by the vote of several taggers: what a model of all tasks learns.

Taggers that differ in their seed alone err in different places (Lakshminarayanan et al., 2017), and
one model that learns from what most of them say comes near their vote (Hinton et al., 2015; Xie et
al., "Noisy Student", 2020). `python -m services.nlu.train.entity_votes --train 1` teaches a tagger,
in a process of its own if wanted, and `--vote` writes the labels.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from services.nlu.labelling.items import span_rows
from services.nlu.train.examples import Span, TaskData

if TYPE_CHECKING:
    from services.nlu.train.multitask import MultitaskSettings

REPOSITORY = Path(__file__).resolve().parents[3]
TASK = "entities_zh"
RECIPE = "entities_teacher"
LABELS = "labels.jsonl"
MAJORITY = 0.75
"""Share of the taggers that must say the same of a whole query, all spans and types alike."""


def agreed(votes: Sequence[tuple[Span, ...]], majority: float) -> tuple[Span, ...] | None:
    """Returns the spans that enough taggers find in a text; None where they do not agree.

    Args:
        votes: The spans that each tagger finds, at least one vote.
        majority: Share of the votes that it takes.
    """
    spans, count = Counter(votes).most_common(1)[0]
    return spans if count >= majority * len(votes) else None


def train_tagger(settings: "MultitaskSettings", data: Path, folder: Path) -> float:
    """Teaches one tagger, or takes it up, and returns its F1 on dev."""
    from services.nlu.train.multitask import train_multitask
    from services.nlu.train.storage import save_model

    trained = train_multitask(settings, data, folder)
    save_model(trained.model, folder / "model", trained.tokenizer.path)
    return trained.figures["entities.f1"]


def vote(
    models: Sequence[Path], texts: Sequence[str], task: TaskData
) -> tuple[list[tuple[Span, ...] | None], float]:
    """Returns what the taggers agree on in each text, and the F1 of their vote on dev.

    Args:
        models: Folders of the taggers.
        texts: Without labels.
        task: Of the taggers; on its dev half the plurality of whole titles is measured.
    """
    from tqdm import tqdm

    from services.nlu.learnt.tokens import ModelTokenizer
    from services.nlu.train.evaluate import predict_spans, span_f1
    from services.nlu.train.storage import load_model

    asked = [item.text for item in task.dev]
    found: list[list[tuple[Span, ...]]] = []
    for path in tqdm(models, desc="vote", unit="tagger"):
        model = load_model(path)
        spec = model.spec
        tokenizer = ModelTokenizer(
            path / "tokenizer.json", spec.max_tokens, word_places=spec.word_places
        )
        found.append(predict_spans(model, tokenizer, task, [*asked, *texts]))
    ballots = list(zip(*found, strict=True))
    plurality = [agreed(ballot, 0.0) or () for ballot in ballots[: len(asked)]]
    value = span_f1([item.spans for item in task.dev], plurality)
    return [agreed(ballot, MAJORITY) for ballot in ballots[len(asked) :]], value


def unlabelled_queries(data: Path, known: set[str], count: int) -> list[str]:
    """Returns so many of the Chinese queries, drawn at random but always the same ones."""
    with (data / "queries" / "zh.tsv").open(encoding="utf-8") as lines:
        queries = [line.rstrip("\n").split("\t", 1)[1].strip() for line in lines]
    queries = [query for query in dict.fromkeys(queries) if query and query not in known]
    # Only an order that can be repeated is wanted of this generator.
    return Random(17).sample(queries, min(count, len(queries)))  # noqa: S311


def write_labels(
    path: Path, head: str, labels: Mapping[str, tuple[Span, ...] | None]
) -> dict[str, int]:
    """Writes what was agreed on, as `wherefore label export` does; returns what was counted."""
    kept = {text: spans for text, spans in labels.items() if spans is not None}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for text, spans in kept.items():
            row: dict[str, Any] = {"head": head, "text": text, "spans": span_rows(spans)}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return {
        "texts": len(labels),
        "agreed": len(kept),
        "spans": sum(len(spans) for spans in kept.values()),
    }


def main() -> int:
    """Teaches taggers, or lets them vote; prints the figures as JSON."""
    parser = argparse.ArgumentParser(prog="entity_votes", description=__doc__)
    data = Path(os.environ.get("WHEREFORE_DATA", REPOSITORY.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=data, help="folder of the data sets")
    runs = REPOSITORY / ".wherefore" / "train"
    parser.add_argument("--runs", type=Path, default=runs, help="folder of all runs")
    parser.add_argument("--train", type=int, nargs="*", default=[], help="seeds of taggers")
    parser.add_argument("--vote", type=int, nargs="*", default=[], help="seeds that vote")
    parser.add_argument("--queries", type=int, default=60_000, help="queries to label")
    given = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from services.nlu.train.multitask import MultitaskSettings
    from services.nlu.train.run import RECIPES, read_recipe
    from services.nlu.train.tasks import load_task

    figures: dict[str, float] = {}
    recipe = read_recipe(RECIPES / f"{RECIPE}.toml")
    recipe.pop("kind")
    settings = MultitaskSettings.model_validate(recipe)
    for seed in given.train:
        loop = settings.loop.model_copy(update={"seed": seed})
        folder = given.runs / f"{RECIPE}-{seed}"
        taught = settings.model_copy(update={"loop": loop})
        figures[folder.name] = train_tagger(taught, given.data, folder)
    if given.vote:
        task = load_task(TASK, given.data)
        known = {item.text for half in (task.train, task.dev) for item in half}
        texts = unlabelled_queries(given.data, known, given.queries)
        models = [given.runs / f"{RECIPE}-{seed}" / "model" for seed in given.vote]
        spans, figures["vote.f1"] = vote(models, texts, task)
        labels = dict(zip(texts, spans, strict=True))
        figures |= write_labels(given.runs / "entity_votes" / LABELS, task.head, labels)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
