"""A head of intents over the vectors of a reader: what shops that share no data train together.

An entry of the model repository without a graph. A reader's forward pass gives the vector of a text
anyway, so numpy adds the head in 0.1 ms and Triton has nothing to serve:

    NAME/README.md            the model card
    NAME/VERSION/head.npz     weights (labels, width) and bias (labels,), float32
    NAME/VERSION/labels.json  the labels, as those of any model's head `intent`
    NAME/VERSION/config.json  the name and version of the reader whose vectors it was trained on
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from services.nlu.domain import IntentType
from services.nlu.learnt.decode import read_classes
from services.nlu.learnt.labels import ClassHead, Head, VectorHead, read_labels
from services.nlu.learnt.port import Reading
from shared.inference.encoder import VECTORS
from shared.numpy_file import UNREADABLE, open_arrays

INTENT: Final = "intent"
HEAD_FILE: Final = "head.npz"
LABELS_FILE: Final = "labels.json"
CONFIG_FILE: Final = "config.json"
_SUPPORT: Final = f"{IntentType.SUPPORT}/"


class HeadConfig(BaseModel):
    """`config.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    encoder: str = Field(pattern=r"^[^@/]+@[1-9][0-9]*$")
    """The reader, such as "query_en@1"."""


@dataclass(frozen=True, slots=True)
class IntentHead:
    """One version of a head.

    Attributes:
        model: Its name and version.
        encoder: Name and version of the reader whose vectors it reads.
        classes: Labels such as "support/track_order", and the temperature.
        weights: (labels, width) float32.
        bias: (labels,) float32.
    """

    model: str
    encoder: str
    classes: ClassHead
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def refine(self, reading: Reading) -> Reading:
        """Returns the reading with this head's intents in place of its own.

        A head that knows concerns of support alone says which one it is; how likely it is one at
        all stays as the reader has it.

        Args:
            reading: Of `encoder`, with its vector.
        """
        if reading.vector is None:
            return reading
        logits = self.weights @ reading.vector + self.bias
        [scored] = read_classes(logits[None, :], self.classes)
        if concerns_alone(self.classes.labels):
            rest = [each for each in reading.intent if not each[0].startswith(_SUPPORT)]
            support = sum(share for label, share in reading.intent if label.startswith(_SUPPORT))
            shares = [*rest, *((label, support * share) for label, share in scored)]
            scored = tuple(sorted(shares, key=lambda each: -each[1]))
        return replace(reading, intent=scored, intent_model=self.model)


def suite_label(name: str) -> str:
    """Returns the suite's label of a shop's intent: "track_order" is a concern of support."""
    known = name.startswith(_SUPPORT) or name in set(IntentType) - {IntentType.UNSPECIFIED}
    return name if known else f"{_SUPPORT}{name}"


def concerns_alone(labels: Collection[str]) -> bool:
    """Whether all labels are concerns of support."""
    return all(label.startswith(_SUPPORT) for label in labels)


def check_fit(labels: Collection[str], width: int, encoder: str, repository: Path) -> None:
    """Checks that a head can be added to a reader.

    Args:
        labels: Of the head, as the suite writes them.
        width: Numbers of a vector that it reads.
        encoder: Name and version of the reader.
        repository: The model repository.

    Raises:
        UnavailableError: The reader's labels are not there.
        ValueError: It cannot.
    """
    name, _, version = encoder.partition("@")
    heads: dict[str, Head] = dict(read_labels(repository / name / version / LABELS_FILE))
    vector = heads.get(VECTORS)
    if not isinstance(vector, VectorHead) or vector.dimension != width:
        raise ValueError(f"{encoder} has no vectors of {width} numbers")
    if concerns_alone(labels) and INTENT not in heads:
        raise ValueError(
            f"{encoder} does not tell support from other intents: the labels must name those, too "
            f"({', '.join(kind for kind in IntentType if kind is not IntentType.UNSPECIFIED)})"
        )


def load_head(repository: Path, name: str, version: int) -> IntentHead:
    """Reads a version of a head.

    Raises:
        UnavailableError: A file is not there.
        ValueError: The files do not hold together, or are damaged.
    """
    folder = repository / name / str(version)
    classes = read_labels(folder / LABELS_FILE).get(INTENT)
    if not isinstance(classes, ClassHead):
        raise ValueError(f"{folder / LABELS_FILE} names no intents")  # noqa: TRY004 - of a file
    try:
        config = HeadConfig.model_validate_json((folder / CONFIG_FILE).read_bytes())
        with open_arrays(folder / HEAD_FILE) as file:
            weights = file["weights"].astype(np.float32)
            bias = file["bias"].astype(np.float32)
    except UNREADABLE as error:
        raise ValueError(f"{folder} holds no head of intents: {error}") from error
    count = len(classes.labels)
    if weights.ndim != 2 or len(weights) != count or bias.shape != (count,):  # noqa: PLR2004
        raise ValueError(f"{folder}: its weights do not fit its {count} labels")
    if not (np.isfinite(weights).all() and np.isfinite(bias).all()):
        raise ValueError(f"{folder / HEAD_FILE} holds what is no number")
    check_fit(classes.labels, weights.shape[1], config.encoder, repository)
    return IntentHead(f"{name}@{version}", config.encoder, classes, weights, bias)
