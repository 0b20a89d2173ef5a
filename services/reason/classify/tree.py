"""Categories as paths from the root, and what follows from one being above another."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Path = tuple[str, ...]


@dataclass(frozen=True)
class CategoryTree:
    """Categories that products are told apart by, and all their parents.

    Attributes:
        categories: Distinct paths, in the order of the classifier's columns.
        columns: Path -> columns of the categories that are it or lie below, parents included.
    """

    categories: Sequence[Path]
    columns: dict[Path, NDArray[np.intp]] = field(init=False)
    _places: dict[Path, int] = field(init=False)

    def __post_init__(self) -> None:
        below: dict[Path, list[int]] = defaultdict(list)
        for column, path in enumerate(self.categories):
            for depth in range(1, len(path) + 1):
                below[path[:depth]].append(column)
        found = {path: np.array(columns, dtype=np.intp) for path, columns in below.items()}
        object.__setattr__(self, "columns", found)
        places = {path: column for column, path in enumerate(self.categories)}
        object.__setattr__(self, "_places", places)

    def column(self, category: Path) -> int:
        """Returns a category's place."""
        return self._places[category]

    def probability(self, path: Path, probabilities: NDArray[np.float64]) -> float:
        """Returns what the categories at and below a path have together; 0 for an unknown path.

        Args:
            path: From the root.
            probabilities: One for each category.
        """
        if path not in self.columns:
            return 0.0
        return float(min(1.0, probabilities[self.columns[path]].sum()))

    def surest_parent(
        self, probabilities: NDArray[np.float64], least: float
    ) -> tuple[Path, float] | None:
        """Returns the deepest parent that is at least so probable, likeliest first, or None.

        It follows the likeliest child from the root, so that what it says is one line of parents.
        """
        found: tuple[Path, float] | None = None
        at: Path = ()
        while True:
            children = [
                path
                for path in self.columns
                if len(path) == len(at) + 1 and path[: len(at)] == at and self.is_parent(path)
            ]
            if not children:
                return found
            at = max(children, key=lambda path: self.probability(path, probabilities))
            probability = self.probability(at, probabilities)
            if probability < least:
                return found
            found = at, probability

    def is_parent(self, path: Path) -> bool:
        """Whether categories lie below the path."""
        columns = self.columns[path]
        return len(columns) > 1 or self.categories[int(columns[0])] != path


def agree(one: Path, other: Path) -> bool:
    """Whether one of two paths begins with the other."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def roll_up(paths: Sequence[Path], least: int) -> list[Path]:
    """Returns the paths, each cut until at least `least` of them are the same.

    A path none of whose parents has as many becomes empty. What is cut goes to the parent, the
    deepest first, so that small siblings can make one category together.
    """
    kept = list(paths)
    for depth in range(max(map(len, kept), default=0), 0, -1):
        counts: dict[Path, int] = defaultdict(int)
        for path in kept:
            counts[path] += 1
        kept = [path[:-1] if len(path) == depth and counts[path] < least else path for path in kept]
    return kept
