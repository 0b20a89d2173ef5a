"""Impressions: what was shown, row by row, as the network learns from it; and who learns what.

Queries, not pages, are held out, by a hash of their words: a query falls to the same part in every
shard and on every machine.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.ranking.clicks.page_log import OUTCOMES, LoggedPage, PageLogError, read_pages
from services.ranking.features import FEATURES

TRAINING, VALIDATION, TEST = "training", "validation", "test"
_TENTHS: Final = (*(TRAINING,) * 6, *(VALIDATION,) * 2, *(TEST,) * 2)


@dataclass(frozen=True, slots=True)
class Impressions:
    """Rows of what was shown."""

    features: NDArray[np.float32]
    """(rows, features)."""
    places: NDArray[np.int64]
    """(rows,) from 0."""
    outcomes: NDArray[np.float32]
    """(rows, OUTCOMES) 0 or 1."""

    def __len__(self) -> int:
        return len(self.places)

    @classmethod
    def of(cls, pages: Iterable[LoggedPage]) -> "Impressions":
        """Takes what pages showed; there may be none."""
        features: list[NDArray[np.float32]] = []
        places: list[NDArray[np.int64]] = []
        outcomes: list[NDArray[np.float32]] = []
        for page in pages:
            features.append(page.features[page.shown].astype(np.float32))
            places.append(np.arange(len(page.shown)))
            outcomes.append(page.outcomes().astype(np.float32))
        if not places:
            empty = np.zeros((0, len(FEATURES)), dtype=np.float32)
            return cls(empty, np.zeros(0, np.int64), np.zeros((0, len(OUTCOMES)), np.float32))
        return cls(np.concatenate(features), np.concatenate(places), np.concatenate(outcomes))


@dataclass(slots=True)
class Split:
    """Pages by part."""

    training: list[LoggedPage]
    validation: list[LoggedPage]
    test: list[LoggedPage]

    @classmethod
    def of(cls, pages: Iterable[LoggedPage], seed: int = 0) -> "Split":
        """Deals pages out by their queries: six tenths, two and two."""
        parts: dict[str, list[LoggedPage]] = {TRAINING: [], VALIDATION: [], TEST: []}
        for page in pages:
            parts[part_of(page.query, seed)].append(page)
        return cls(parts[TRAINING], parts[VALIDATION], parts[TEST])


def part_of(query: str, seed: int = 0) -> str:
    """Returns the part that a query belongs to; the same everywhere."""
    digest = hashlib.blake2b(f"{seed}/{query}".encode(), digest_size=8).digest()
    return _TENTHS[int.from_bytes(digest, "big") % len(_TENTHS)]


def shards(path: Path) -> list[Path]:
    """Returns the files of a log: itself, or the `.jsonl` and `.jsonl.gz` of a folder, by name.

    Raises:
        PageLogError: There are none.
    """
    if not path.is_dir():
        return [path]
    found = sorted((*path.glob("*.jsonl"), *path.glob("*.jsonl.gz")))
    if not found:
        raise PageLogError(f"{path} holds no .jsonl or .jsonl.gz file")
    return found


def read_share(files: Sequence[Path], rank: int = 0, processes: int = 1) -> Iterator[LoggedPage]:
    """Reads what falls to one of several processes: whole files, or pages where files are too few.

    Raises:
        PageLogError: As `read_pages`.
    """
    if len(files) >= processes:
        for file in files[rank::processes]:
            yield from read_pages(file)
        return
    number = 0
    for file in files:
        for page in read_pages(file):
            if number % processes == rank:
                yield page
            number += 1
