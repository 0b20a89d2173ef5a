"""Reader of logged pages, from which a ranker that never served is estimated.

One JSON object a line, for each page that was shown:

    {"query": "kettle", "results": [
      {"id": "A", "place": 1, "propensity": 0.7, "clicked": true, "features": {"rating": 0.8}},
      {"id": "B", "features": {"rating": 0.4}}]}

`results` holds every candidate that was ranked; those with a `place`, from 1, were shown. The
`propensity` is the probability, above 0, with which the ranker that served puts this product in
this place; a feature that is not named is 0. Beside `clicked` there may be `purchased`. `facts` may
hold more numbers by name: what the shopper saw and ranking does not know, such as
{"discounted": 1, "reason": 1}; one that is not named is 0.
"""

import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TextIO, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.ranking.features import FEATURES
from services.ranking.weights import Finite


class PageLogError(ValueError):
    """A log cannot be used; the message says where and why."""


class _Result(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str = Field(min_length=1)
    place: int | None = Field(default=None, ge=1)
    propensity: float | None = Field(default=None, gt=0.0, le=1.0)
    clicked: bool = False
    purchased: bool = False
    features: Mapping[str, Finite] = {}
    facts: Mapping[str, Finite] = {}


class _Page(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    query: str = Field(min_length=1)
    results: Sequence[_Result] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        ids = [result.id for result in self.results]
        if len(set(ids)) < len(ids):
            raise ValueError("a product is there twice")
        places = sorted(result.place for result in self.results if result.place)
        if places != list(range(1, len(places) + 1)) or not places:
            raise ValueError("places must be 1, 2, 3 and so on, each once")
        for result in self.results:
            if result.place and result.propensity is None:
                raise ValueError(f"{result.id!r} was shown without a propensity")
            if (result.clicked or result.purchased) and not result.place:
                raise ValueError(f"{result.id!r} was clicked without a place")
            if unknown := sorted(set(result.features) - set(FEATURES)):
                raise ValueError(f"unknown features: {', '.join(unknown)}")
        return self


def _nothing() -> NDArray[np.bool_]:
    return np.zeros(0, dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class LoggedPage:
    """One page that was shown, with all that could have been."""

    query: str
    features: NDArray[np.float64]
    """(candidates, len(FEATURES))."""
    shown: NDArray[np.int64]
    """(places,) number of the candidate in each place, the first place first."""
    propensities: NDArray[np.float64]
    """(places,) probability of what was shown there, above 0."""
    clicked: NDArray[np.bool_]
    """(places,)."""
    purchased: NDArray[np.bool_] = field(default_factory=_nothing)
    """(places,)."""
    facts: Sequence[Mapping[str, float]] = ()
    """By place, or empty: what the shopper saw and ranking does not know."""


def read_pages(path: Path) -> Iterator[LoggedPage]:
    """Reads pages one by one, gzipped (.gz) or not.

    Raises:
        PageLogError: The file cannot be read, or a line is wrong; the message names it.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with cast("TextIO", opener(path, "rt", encoding="utf-8")) as stream:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    yield _read(line, f"{path}:{number}")
    except (OSError, UnicodeDecodeError) as error:
        raise PageLogError(f"{path}: {error}") from error


def _read(line: str, where: str) -> LoggedPage:
    try:
        page = _Page.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise PageLogError(f"{where}: {f'{field}: ' if field else ''}{message}") from error
    shown = sorted(
        (number for number, result in enumerate(page.results) if result.place),
        key=lambda number: page.results[number].place or 0,
    )
    return LoggedPage(
        page.query,
        np.array([[r.features.get(name, 0.0) for name in FEATURES] for r in page.results]),
        np.array(shown, dtype=np.int64),
        np.array([page.results[number].propensity for number in shown], dtype=np.float64),
        np.array([page.results[number].clicked for number in shown], dtype=np.bool_),
        np.array([page.results[number].purchased for number in shown], dtype=np.bool_),
        tuple(page.results[number].facts for number in shown),
    )
