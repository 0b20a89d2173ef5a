"""Labels to what the training reads: a file of JSON lines, and back to examples."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.nlu.labelling.items import read_spans, span_rows
from services.nlu.labelling.queue import Given, LabelQueue
from services.nlu.labelling.task import Answer, LabellingError
from services.nlu.train.examples import Example, TaskKind
from services.nlu.train.rows import read_rows
from shared.durable_file import write_durably


def examples(queue: LabelQueue) -> list[Example]:
    """Returns an example per answered text, in the order of the queue.

    Where annotators differ, the answer of most of them holds; a text on which none has a majority
    is left out, since teaching a guess is worse than teaching nothing.
    """
    answers = queue.answers()
    found: list[Example] = []
    for item, text in ((name, item.text) for name, item in queue.items.items() if name in answers):
        answer = _agreed(answers[item])
        if answer is not None:
            found.append(Example(text, spans=answer.spans, label=answer.label))
    return found


def export_labels(queue: LabelQueue, path: Path) -> int:
    """Writes the examples as JSON lines, whole or not at all; returns how many there are.

    A line is {"head": …, "text": …, "label": …}, or has "spans": [[start, end, label], …].

    Raises:
        LabellingError: There is nothing to export, or the file cannot be written.
    """
    found = examples(queue)
    if not found:
        raise LabellingError(f"{queue.folder} has no answers yet")
    rows = (
        {"head": queue.task.head, "text": example.text, **_said(queue, example)}
        for example in found
    )
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    try:
        write_durably(path, lines.encode())
    except OSError as error:
        raise LabellingError(f"cannot write {path}: {error}") from error
    return len(found)


def read_labels(path: Path) -> tuple[str, list[Example]]:
    """Returns the head and the examples of a file that `export_labels` wrote.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is empty, a line is malformed (the text names it), or heads are mixed.
    """
    heads: set[str] = set()
    found: list[Example] = []
    for number, row in enumerate(read_rows(path), start=1):
        match row:
            case {"head": str(head), "text": str(text), "label": str(label)} if text and label:
                found.append(Example(text, label=label))
            case {"head": str(head), "text": str(text), "spans": rows} if text:
                spans = read_spans(rows)
                if any(not 0 <= span.start < span.end <= len(text) for span in spans):
                    raise ValueError(f"{path}, label {number}: a span is not within the text")
                found.append(Example(text, spans=spans))
            case _:
                raise ValueError(
                    f'{path}, label {number}: needs "head", "text" and "label" or "spans"'
                )
        heads.add(head)
    if len(heads) != 1:
        raise ValueError(f"{path} has labels of {len(heads)} heads; one is needed")
    return heads.pop(), found


def _said(queue: LabelQueue, example: Example) -> dict[str, Any]:
    if queue.task.kind is TaskKind.CLASSES:
        return {"label": example.label}
    return {"spans": span_rows(example.spans)}


def _agreed(answers: Mapping[str, Given]) -> Answer | None:
    votes: Counter[Answer] = Counter(
        given.answer for given in answers.values() if given.answer is not None
    )
    (best, count), *others = votes.most_common()
    return None if others and others[0][1] == count else best
