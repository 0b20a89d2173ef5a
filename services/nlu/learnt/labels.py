"""What the numbers of a model's heads stand for: its `labels.json`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, TypeAdapter

from shared.errors import UnavailableError


@dataclass(frozen=True, slots=True)
class TokenHead:
    """Tags of tokens in BIO, scored together by a linear chain.

    Attributes:
        tags: "O", "B-X", "I-X", ... in the order of the logits.
        transitions: (tags, tags) float32, log scores of a step from row to column.
        start: (tags,) float32, log scores of beginning with a tag.
        end: (tags,) float32, of ending with it.
    """

    tags: tuple[str, ...]
    transitions: NDArray[np.float32]
    start: NDArray[np.float32]
    end: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ClassHead:
    """One of several labels a text; logits are divided by the temperature first."""

    labels: tuple[str, ...]
    temperature: float


@dataclass(frozen=True, slots=True)
class VectorHead:
    """A unit vector a text."""

    dimension: int


Head = TokenHead | ClassHead | VectorHead


class _Tokens(BaseModel):
    kind: Literal["tokens"]
    labels: list[str] = Field(min_length=1)
    transitions: list[list[float]]
    start: list[float]
    end: list[float]


class _Classes(BaseModel):
    kind: Literal["classes"]
    labels: list[str] = Field(min_length=1)
    temperature: float = Field(default=1.0, gt=0)


class _Vector(BaseModel):
    kind: Literal["vector"]
    dimension: int = Field(ge=1)


_FILE: TypeAdapter[dict[str, _Tokens | _Classes | _Vector]] = TypeAdapter(
    dict[str, _Tokens | _Classes | _Vector]
)


def read_labels(path: Path) -> Mapping[str, Head]:
    """Returns the heads of a model by the names of its outputs.

    Args:
        path: Its `labels.json`.

    Raises:
        UnavailableError: The file is not there.
        ValueError: It does not hold together.
    """
    if not path.is_file():
        raise UnavailableError(f"{path} is missing; the model's files are not complete")
    content: Any = json.loads(path.read_text("utf-8"))
    return {name: _head(name, item) for name, item in _FILE.validate_python(content).items()}


def _head(name: str, item: _Tokens | _Classes | _Vector) -> Head:
    if isinstance(item, _Vector):
        return VectorHead(item.dimension)
    if isinstance(item, _Classes):
        return ClassHead(tuple(item.labels), item.temperature)
    count = len(item.labels)
    head = TokenHead(
        tuple(item.labels), _floats(item.transitions), _floats(item.start), _floats(item.end)
    )
    if head.transitions.shape != (count, count) or not len(head.start) == len(head.end) == count:
        raise ValueError(f"head {name!r}: its scores do not fit its {count} labels")
    return head


def _floats(values: Sequence[Any]) -> NDArray[np.float32]:
    return np.asarray(values, dtype=np.float32)
