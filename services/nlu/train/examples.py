"""What every task of the multi-task model is taught with."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class TaskKind(StrEnum):
    """What a head answers with."""

    TOKENS = "tokens"
    """A label a token, in BIO."""
    CLASSES = "classes"
    """One label a text."""
    PAIRS = "pairs"
    """Vectors in which texts that belong together are near."""


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled part of a text, half-open in code points."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Example:
    """One text with what its task asks for.

    Attributes:
        text: As a user would write it.
        spans: Of TOKENS.
        label: Of CLASSES; empty when `soft` alone is known.
        soft: Of CLASSES: probabilities that a teacher gave, in the order of the labels.
        other: Of PAIRS: a text that belongs to it; empty for the text itself under other dropout.
        negatives: Of PAIRS: texts that look alike and do not belong to it.
        weight: Of its loss.
    """

    text: str
    spans: tuple[Span, ...] = ()
    label: str = ""
    soft: tuple[float, ...] = ()
    other: str = ""
    negatives: tuple[str, ...] = ()
    weight: float = 1.0


@dataclass(frozen=True)
class TaskData:
    """The examples of one task.

    Attributes:
        head: Name of the head that learns it, such as "entities".
        labels: Of TOKENS the types without BIO, of CLASSES the classes; empty for PAIRS.
    """

    head: str
    kind: TaskKind
    labels: tuple[str, ...]
    train: Sequence[Example]
    dev: Sequence[Example]


def bio_labels(types: Sequence[str]) -> list[str]:
    """Returns "O" and the two tags of each type, in the order in which heads give their logits."""
    return ["O", *(f"{place}-{name}" for name in types for place in "BI")]
