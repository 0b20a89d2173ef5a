"""What is asked of the people who label: a head of a query model and its labels."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.nlu.train.examples import Span, TaskKind


class LabellingError(ValueError):
    """Something that whoever labels can put right; the text says how."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said of one text: `label` of a task of CLASSES, `spans` of one of TOKENS."""

    label: str = ""
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelTask:
    """One question, asked of every text.

    Attributes:
        head: Name of the head that is to learn it, such as "sentiment".
        kind: CLASSES (one label a text) or TOKENS (labelled spans).
        labels: What may be answered, in the order in which the forms show it.
    """

    head: str
    kind: TaskKind
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.kind is TaskKind.PAIRS:
            raise LabellingError("pairs cannot be labelled; kinds are classes and tokens")
        if len(set(self.labels)) != len(self.labels) or not all(map(str.strip, self.labels)):
            raise LabellingError("labels must be different and not empty")
        if len(self.labels) < (2 if self.kind is TaskKind.CLASSES else 1):
            raise LabellingError(f"{self.kind} of {self.head!r}: too few labels")

    def check(self, answer: Answer, text: str) -> Answer:
        """Returns the answer with its spans in order.

        Raises:
            LabellingError: It does not fit the task or the text.
        """
        if self.kind is TaskKind.CLASSES:
            if answer.spans:
                raise LabellingError("this task asks for a label, not for spans")
            self._check_label(answer.label)
            return answer
        if answer.label:
            raise LabellingError("this task asks for spans, not for a label")
        spans = tuple(sorted(answer.spans, key=lambda span: (span.start, span.end)))
        end = 0
        for span in spans:
            self._check_label(span.label)
            if not 0 <= span.start < span.end <= len(text):
                raise LabellingError(
                    f"span {span.start} to {span.end} is not within the {len(text)} characters"
                )
            if not text[span.start : span.end].strip():
                raise LabellingError(f"span {span.start} to {span.end} holds blanks alone")
            if span.start < end:
                raise LabellingError(f"span {span.start} to {span.end} overlaps the one before it")
            end = span.end
        return Answer(spans=spans)

    def _check_label(self, label: str) -> None:
        if label not in self.labels:
            raise LabellingError(f"no label {label!r}; there are {', '.join(self.labels)}")


def served_task(head: str, repository: Path) -> LabelTask:
    """Returns the task of a head that a served model has.

    Models that share the name of a head, one a language, may differ in labels: all of them may be
    answered.

    Args:
        head: Such as "entities".
        repository: The models' folder: `<model>/<version>/labels.json`.

    Raises:
        LabellingError: No model has such a head with labels.
    """
    found: dict[str, TaskKind] = {}
    heads: set[str] = set()
    for model in sorted(repository.iterdir()) if repository.is_dir() else ():
        versions = [path for path in model.glob("*/labels.json") if path.parent.name.isdecimal()]
        if not versions:
            continue
        newest = max(versions, key=lambda path: int(path.parent.name))
        for name, spec in json.loads(newest.read_text(encoding="utf-8")).items():
            if spec["kind"] not in (TaskKind.CLASSES, TaskKind.TOKENS):
                continue
            heads.add(name)
            if name == head:
                kind = TaskKind(spec["kind"])
                found |= dict.fromkeys(_without_bio(spec["labels"], kind), kind)
    if not found:
        known = f"served heads: {', '.join(sorted(heads))}" if heads else "no model has heads yet"
        raise LabellingError(f"no model has a head {head!r} ({known}); name its labels yourself")
    return LabelTask(head, next(iter(found.values())), tuple(found))


def _without_bio(labels: Sequence[str], kind: TaskKind) -> list[str]:
    """Returns the types of BIO tags, each once; classes as they are."""
    if kind is TaskKind.CLASSES:
        return list(labels)
    return list(dict.fromkeys(label[2:] for label in labels if label != "O"))
