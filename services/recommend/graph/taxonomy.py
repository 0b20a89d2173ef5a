"""A category tree from outside the catalogue, and where a product type has its place in it.

The file is BestBuy's `categories_en.json` (open data, CC0): a JSON list of objects with `name` and
`path`, the path a list of objects with `name` from the root to the category itself.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.text.analysis import terms


class TaxonomyError(ValueError):
    """A file is no category tree; the message names it."""


class _Level(BaseModel):
    name: str | None = None


class _Category(BaseModel):
    path: list[_Level]


_CATEGORIES = TypeAdapter(list[_Category])
# Pages of a shop that sort no goods: brands, help, campaigns, gifts. What they hold has a place
# among the goods too.
_NO_GOODS = re.compile(
    r"^(?:name brands|geek squad|more categories|gift|best buy|in-store|outlet|.*services?$"
    r"|.*tests?\b|.*promo)",
    re.IGNORECASE,
)
# Names that tell a kind only below the category above them: "Cordless Telephones > Systems".
_VAGUE = frozenset(
    terms("accessories adapters components devices kits mounting other parts portable sets systems")
)


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """Paths of categories, from root to leaf, sorted and each once."""

    paths: tuple[tuple[str, ...], ...]

    def places(self, names: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
        """Return the path of each category name that the tree knows.

        A name may stand below several roots ("Keyboards": computers, music). It goes to the root
        that most products of the catalogue go to by names that stand below one root only, then to
        the shortest path, then to the first in order of letters.

        Args:
            names: Names as the catalogue spells them, with the number of their products.
        """
        by_name: dict[frozenset[str], list[tuple[str, ...]]] = defaultdict(list)
        for path in self.paths:
            if not _NO_GOODS.match(path[0]):
                by_name[name_key(path[-1])].append(path)
        found = {name: by_name.get(name_key(name), []) for name in sorted(names)}
        votes: Counter[str] = Counter()
        for name, paths in found.items():
            if len({path[0] for path in paths}) == 1:
                votes[paths[0][0]] += names[name]
        return {
            name: min(paths, key=lambda path: (-votes[path[0]], len(path), path))
            for name, paths in found.items()
            if paths and not name_key(name) <= _VAGUE
        }


def name_key(name: str) -> frozenset[str]:
    """Return what two spellings of a name share: "Network Cables" and "network cable"."""
    return frozenset(terms(name))


def make_taxonomy(paths: Iterable[Iterable[str]]) -> Taxonomy:
    """Make a taxonomy of paths; the levels above each belong to it too."""
    every: set[tuple[str, ...]] = set()
    for path in paths:
        levels = tuple(" ".join(level.split()) for level in path)
        every.update(levels[:end] for end in range(1, len(levels) + 1))
    return Taxonomy(tuple(sorted(every)))


def read_taxonomy(path: Path) -> Taxonomy:
    """Read the file; categories without a name, which are a shop's drafts, are left out.

    Raises:
        FileNotFoundError: There is no such file.
        TaxonomyError: It is not a category tree.
    """
    try:
        categories = _CATEGORIES.validate_json(path.read_bytes())
    except ValidationError as error:
        raise TaxonomyError(f"{path} is no category tree: {error.errors()[0]['msg']}") from error
    named: list[list[str]] = []
    for category in categories:
        levels = [level.name.strip() if level.name else "" for level in category.path]
        if levels and all(levels):
            named.append(levels)
    return make_taxonomy(named)
