"""Conditions on stored products, in no store's own terms; each adapter translates them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnyOf:
    """A keyword field holds at least one of the values."""

    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """A number field holds a value in the range; open ends are None."""

    key: str
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None


@dataclass(frozen=True, slots=True)
class Present:
    """A field has any value."""

    key: str


@dataclass(frozen=True, slots=True)
class IdIn:
    """The product is one of these."""

    product_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PointIn:
    """The point is one of these."""

    points: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every operand holds."""

    operands: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class SomeOf:
    """At least one operand holds."""

    operands: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """The operand does not hold."""

    operand: "Condition"


Condition = AnyOf | Range | Present | IdIn | PointIn | AllOf | SomeOf | Negated


def all_of(*conditions: Condition | None) -> Condition | None:
    """Joins conditions by AND; None stands for "no condition"."""
    present = tuple(condition for condition in conditions if condition is not None)
    if not present:
        return None
    return present[0] if len(present) == 1 else AllOf(present)
