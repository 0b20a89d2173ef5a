"""Logged pages: what rankers learn from, and what one that never served is estimated from.

One JSON object a line, for each page that was shown:

    {"query": "kettle", "results": [
      {"id": "A", "place": 1, "propensity": 0.7, "clicked": true, "features": {"rating": 0.8}},
      {"id": "B", "features": {"rating": 0.4}}]}

`results` holds every candidate that was ranked; those with a `place`, from 1, were shown. The
`propensity` is the probability, above 0, with which the ranker that served puts this product in
this place; a feature that is not named is 0. Beside `clicked` there may be `carted` and
`purchased`: what was bought was put into the cart, and what was put there was clicked, said or not.
`facts` may hold more numbers by name: what the shopper saw and ranking does not know, such as
{"discounted": 1, "reason": 1}; one that is not named is 0.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.ranking.features import FEATURES
from services.ranking.weights import Finite
from shared.model_faults import told
from shared.text_file import open_text

OUTCOMES: Final = ("clicked", "carted", "purchased")
"""What may happen to a product that is shown; each is part of the one before."""


class PageLogError(ValueError):
    """A log cannot be used; the message says where and why."""


class _Result(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str = Field(min_length=1)
    place: int | None = Field(default=None, ge=1)
    propensity: float | None = Field(default=None, gt=0.0, le=1.0)
    clicked: bool = False
    carted: bool = False
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
            if (result.clicked or result.carted or result.purchased) and not result.place:
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
    carted: NDArray[np.bool_] = field(default_factory=_nothing)
    """(places,) put into the cart."""
    purchased: NDArray[np.bool_] = field(default_factory=_nothing)
    """(places,)."""
    ids: Sequence[str] = ()
    """By candidate: the product's id."""
    facts: Sequence[Mapping[str, float]] = ()
    """By place, or empty: what the shopper saw and ranking does not know."""

    def outcomes(self) -> NDArray[np.bool_]:
        """Returns (places, OUTCOMES) what happened to each product shown."""
        none = np.zeros(len(self.shown), dtype=np.bool_)
        return np.stack(
            [each if len(each) else none for each in (self.clicked, self.carted, self.purchased)],
            axis=1,
        )


def read_pages(path: Path) -> Iterator[LoggedPage]:
    """Reads pages one by one, gzipped (.gz) or not.

    Raises:
        PageLogError: The file cannot be read, or a line is wrong; the message names it.
    """
    try:
        with open_text(path) as stream:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    yield _read(line, f"{path}:{number}")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise PageLogError(f"{path}: {error}") from error


def write_pages(pages: Iterable[LoggedPage], path: Path) -> int:
    """Writes pages as `read_pages` reads them; returns how many."""
    count = 0
    with open_text(path, "w") as stream:
        for page in pages:
            stream.write(json.dumps(_document(page), ensure_ascii=False) + "\n")
            count += 1
    return count


def _read(line: str, where: str) -> LoggedPage:
    try:
        page = _Page.model_validate_json(line)
    except ValidationError as error:
        raise PageLogError(f"{where}: {told(error)}") from error
    numbers = [number for number, result in enumerate(page.results) if result.place]
    numbers.sort(key=lambda number: page.results[number].place or 0)
    shown = [page.results[number] for number in numbers]
    purchased = np.array([result.purchased for result in shown], dtype=np.bool_)
    carted = purchased | np.array([result.carted for result in shown], dtype=np.bool_)
    return LoggedPage(
        page.query,
        np.array([[r.features.get(name, 0.0) for name in FEATURES] for r in page.results]),
        np.array(numbers, dtype=np.int64),
        np.array([result.propensity for result in shown], dtype=np.float64),
        carted | np.array([result.clicked for result in shown], dtype=np.bool_),
        carted,
        purchased,
        tuple(result.id for result in page.results),
        tuple(result.facts for result in shown),
    )


def _document(page: LoggedPage) -> dict[str, object]:
    results: list[dict[str, object]] = []
    for id_, values in zip(page.ids, page.features.tolist(), strict=True):
        features = {name: value for name, value in zip(FEATURES, values, strict=True) if value}
        results.append({"id": id_, "features": features})
    outcomes: list[list[bool]] = page.outcomes().tolist()
    for place, number in enumerate(page.shown.tolist()):
        happened = zip(OUTCOMES, outcomes[place], strict=True)
        results[number] |= {
            "place": place + 1,
            "propensity": float(page.propensities[place]),
            **{name: True for name, did in happened if did},
        }
        if page.facts and page.facts[place]:
            results[number]["facts"] = dict(page.facts[place])
    return {"query": page.query, "results": results}
