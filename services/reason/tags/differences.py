"""What changed between two runs over a catalogue, for a person to look at."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from services.reason.tags.vocabulary import TermId

TOLERANCE: Final = 0.1
"""Change of confidence that is told."""
TaggedProduct = Mapping[TermId, float]
"""Tags of a product -> confidence."""


@dataclass(frozen=True, slots=True)
class Change:
    """One tag of one product; None where it was not there before, or is not now."""

    product_id: str
    term: TermId
    before: float | None
    now: float | None

    @property
    def kind(self) -> str:
        """Which it is: "added", "removed" or "changed"."""
        if self.before is None:
            return "added"
        return "removed" if self.now is None else "changed"


@dataclass(frozen=True, slots=True)
class Differences:
    """What differs.

    Attributes:
        changes: Of products of both runs, in the order of the new one.
        new: Products that were not there before.
        gone: Products that are not there now.
    """

    changes: list[Change] = field(default_factory=list[Change])
    new: list[str] = field(default_factory=list[str])
    gone: list[str] = field(default_factory=list[str])

    def counts(self) -> dict[str, Counter[TermId]]:
        """Returns how many products each kind of change touches, by term."""
        found = {kind: Counter[TermId]() for kind in ("added", "removed", "changed")}
        for change in self.changes:
            found[change.kind][change.term] += 1
        return found


def compare_runs(
    before: Mapping[str, TaggedProduct],
    now: Mapping[str, TaggedProduct],
    tolerance: float = TOLERANCE,
) -> Differences:
    """Compares two runs by product id.

    Args:
        before: The earlier run.
        now: The later one.
        tolerance: Changes of confidence under it are not told.
    """
    found = Differences(
        new=[product_id for product_id in now if product_id not in before],
        gone=[product_id for product_id in before if product_id not in now],
    )
    for product_id, tags in now.items():
        old = before.get(product_id)
        if old is None:
            continue
        for term in dict.fromkeys((*old, *tags)):
            was, is_now = old.get(term), tags.get(term)
            # 0.7 - 0.6 is a hair under 0.1 in binary.
            if was is None or is_now is None or abs(is_now - was) >= tolerance - 1e-9:
                found.changes.append(Change(product_id, term, was, is_now))
    return found
