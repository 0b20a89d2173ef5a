"""`python -m services.nlu.train.evaluate_folder`: a model's folder against labelled texts, offline.

Files, figures and the way from logits to labels are those of the served model, so that the two are
comparable; only the forward pass is torch's, in full precision.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from services.nlu.learnt.port import LabelledSpan as ReadSpan
from services.nlu.learnt.port import Reading, Scored
from shared.evaluation.labelled_texts import LabelledSpan, LabelledText, LabelledTextsError
from shared.evaluation.text_tasks import TASKS, TextTask

CHUNK = 1_024
"""Texts between steps of the progress bar."""


def read_folder(folder: Path, texts: Sequence[str]) -> list[Reading]:
    """Returns what the model of a folder reads in each text.

    Args:
        folder: As `storage.save_model` wrote it.
        texts: In any order and of any length; what is beyond the model's window is cut.

    Raises:
        FileNotFoundError: The folder holds no model.
    """
    from tqdm import tqdm

    from services.nlu.learnt.labels import ClassHead, TokenHead, read_labels
    from services.nlu.learnt.reader import decode
    from services.nlu.learnt.tokens import ModelTokenizer
    from services.nlu.train.evaluate import head_outputs
    from services.nlu.train.storage import load_model

    model = load_model(folder)
    spec = model.spec
    tokenizer = ModelTokenizer(
        folder / "tokenizer.json", spec.max_tokens, word_places=spec.word_places
    )
    heads = {
        name: head
        for name, head in read_labels(folder / "labels.json").items()
        if isinstance(head, (TokenHead, ClassHead))
    }
    readings: list[Reading] = []
    with tqdm(total=len(texts), unit="text", dynamic_ncols=True) as bar:
        for start in range(0, len(texts), CHUNK):
            rows = tokenizer.encode(texts[start : start + CHUNK])
            outputs = {name: head_outputs(model, rows, name) for name in heads}
            for at, row in enumerate(rows):
                alone = {name: output[at][None] for name, output in outputs.items()}
                readings.extend(decode(alone, [row], heads))
            bar.update(len(rows))
    return readings


def understand(task: TextTask, reading: Reading) -> LabelledText:
    """Returns what a reading says, in the form that the task's scores take."""
    head, _ = task.name.rsplit("_", 1)
    match head:
        case "entities":
            return LabelledText("", spans=_spans(reading.entities))
        case "reason_tags":
            return LabelledText("", spans=_spans(reading.reason_tags))
        case "sentiment":
            return LabelledText("", _best(reading.sentiment))
        case "category":
            return LabelledText("", _best(reading.category))
        case _:
            return LabelledText("", _best(reading.intent).removeprefix("support/"))


def _spans(spans: Sequence[ReadSpan]) -> frozenset[LabelledSpan]:
    return frozenset(LabelledSpan(span.start, span.end, span.label) for span in spans)


def _best(scored: Scored) -> str:
    return scored[0][0] if scored else ""


def main() -> int:
    """Prints the figures; returns the exit code, 2 for files that cannot be used."""
    parser = argparse.ArgumentParser(prog="services.nlu.train.evaluate_folder", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="the folder")
    parser.add_argument("--task", choices=list(TASKS), required=True)
    parser.add_argument("--data", type=Path, required=True, help="labelled texts")
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    given = parser.parse_args()
    # Read by the libraries as they are imported: models come from packages and folders alone.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    task = TASKS[given.task]
    try:
        gold = task.read(given.data)
        readings = read_folder(given.model, [text.text for text in gold])
    except (LabelledTextsError, FileNotFoundError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    scores = task.score(gold, [understand(task, reading) for reading in readings])
    if given.json:
        figure = {
            "task": task.name,
            "metric": task.metric,
            "value": scores.value,
            "n": len(gold),
        }
        print(json.dumps(figure, ensure_ascii=False, indent=2))
        return 0
    for label, score in scores.by_label.items():
        print(
            f"{label}\tprecision {score.precision:.3f}\trecall {score.recall:.3f}"
            f"\tF1 {score.f1:.3f}\ttrue {score.support}"
        )
    print(f"{task.name}: {task.metric} {scores.value:.4f} over {len(gold):,} texts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
