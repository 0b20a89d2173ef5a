"""Spans written into their text, so that a line of a terminal can be edited: [iPhone](1) case."""

import re
from typing import Final

from services.nlu.labelling.task import LabellingError, LabelTask
from services.nlu.train.examples import Span

_MARK: Final = re.compile(r"\[([^\[\]]+)\]\((\w+)\)")


def keys(task: LabelTask) -> dict[str, str]:
    """Returns what is typed for each label: 1, 2 and so on in their order."""
    return {str(place): label for place, label in enumerate(task.labels, start=1)}


def with_marks(text: str, spans: tuple[Span, ...], task: LabelTask) -> str:
    """Returns the text with its spans marked by the keys of their labels."""
    written: list[str] = []
    place, key_of = 0, {label: key for key, label in keys(task).items()}
    for span in sorted(spans, key=lambda span: span.start):
        inside = text[span.start : span.end]
        written += [text[place : span.start], f"[{inside}]({key_of[span.label]})"]
        place = span.end
    return "".join([*written, text[place:]])


def without_marks(marked: str) -> str:
    """Returns the text alone."""
    return _MARK.sub(r"\1", marked)


def read_marks(marked: str, text: str, task: LabelTask) -> tuple[Span, ...]:
    """Returns the spans that a marked text stands for; labels go by key or by name.

    Raises:
        LabellingError: Without its marks it is another text, or a label is none of the task's.
    """
    labels = keys(task) | {label.casefold(): label for label in task.labels}
    if without_marks(marked) != text:
        raise LabellingError("the text itself was changed; add or move marks alone")
    spans: list[Span] = []
    written = 0
    for mark in _MARK.finditer(marked):
        inside, key = mark.groups()
        if key.casefold() not in labels:
            raise LabellingError(f"({key}) is no label; there are {', '.join(keys(task))}")
        # What earlier marks added to the line is no part of the text.
        start = mark.start() - written
        spans.append(Span(start, start + len(inside), labels[key.casefold()]))
        written += len(mark[0]) - len(inside)
    return tuple(spans)
