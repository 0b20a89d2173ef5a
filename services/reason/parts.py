"""What a page of reasons is told in, part by part, and the whole of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.reason.explainer import WrittenReason
from services.reason.facts import Claim
from shared.errors import WhereforeError


@dataclass(frozen=True, slots=True)
class ClausePart:
    """More of a reason that is not whole yet: a clause that stands.

    Attributes:
        index: Of the item.
        text: What the sentence grew by.
        claim: The clause.
    """

    index: int
    text: str
    claim: Claim


@dataclass(frozen=True, slots=True)
class ReasonPart:
    """A whole reason; `index` is that of the item."""

    index: int
    reason: WrittenReason


@dataclass(frozen=True, slots=True)
class Lost:
    """Why the model did not write all that it was asked."""

    error: WhereforeError


Part = ClausePart | ReasonPart | Lost


@dataclass(frozen=True, slots=True)
class Page:
    """Reasons of a page in the order of the items.

    `lost` says why the model did not write all that it was asked.
    """

    reasons: Sequence[WrittenReason]
    lost: WhereforeError | None = None
