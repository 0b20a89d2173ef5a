"""Turns what a query demands into a filter, leaving out what the catalogue cannot answer."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from services.retrieval.filters import ATTRIBUTES, FILTER_FIELDS, FilterCompiler
from services.retrieval.store.conditions import (
    AllOf,
    Condition,
    Negated,
    Present,
    Range,
    SomeOf,
    all_of,
)
from shared.currency_words import currency_codes
from shared.errors import InvalidArgumentError
from shared.filter_syntax import And, Expression, Not, Operator, Restriction, Value, format_filter
from wherefore.nlu.v1.query_understanding_pb2 import Constraint, NumberRange


@dataclass(frozen=True, slots=True)
class Demands:
    """The hard constraints of a query, as far as they can be met."""

    condition: Condition | None
    applied: tuple[str, ...]
    """As filter expressions."""
    ignored: tuple[str, ...]
    """As filter expressions: no product has the field or the value."""


def compile_constraints(
    constraints: Iterable[Constraint],
    compiler: FilterCompiler,
    exists: Callable[[Condition], bool],
) -> Demands:
    """Compiles the hard constraints of a query.

    Args:
        constraints: As the NLU read them; soft ones are passed over.
        compiler: Knows the fields of the catalogue.
        exists: Whether any product at all meets a condition.
    """
    conditions: list[Condition] = []
    applied: list[str] = []
    ignored: list[str] = []
    for constraint in constraints:
        expression = _expression(constraint) if constraint.hard else None
        if expression is None:
            continue
        try:
            condition = compiler.compile(expression)
        except InvalidArgumentError:  # no such field, or a value that does not suit it
            ignored.append(format_filter(expression))
            continue
        if exists(_evidence(condition)):
            conditions.append(condition)
            applied.append(format_filter(expression))
        else:
            ignored.append(format_filter(expression))
    return Demands(all_of(*conditions), tuple(applied), tuple(ignored))


def _expression(constraint: Constraint) -> Expression | None:
    field = constraint.field
    if field not in FILTER_FIELDS and not field.startswith(ATTRIBUTES):
        field = f"{ATTRIBUTES}{field}"
    match constraint.WhichOneof("condition"):
        case "range":
            return _range(field, constraint.range)
        case "any_of" if constraint.any_of.values:
            return Restriction(field, Operator.HAS, tuple(map(Value, constraint.any_of.values)))
        case "none_of" if constraint.none_of.values:
            values = tuple(map(Value, constraint.none_of.values))
            return Not(Restriction(field, Operator.HAS, values))
        case _:
            return None


def _range(field: str, bounds: NumberRange) -> Expression | None:
    # Plainly named, a size is a word ("XL"); its numbers are found as the attribute's.
    field = f"{ATTRIBUTES}size" if field == "size" else field
    parts: list[Expression] = []
    if bounds.HasField("min"):
        parts.append(_compare(field, Operator.GREATER_EQUAL, bounds.min))
    if bounds.HasField("max"):
        parts.append(_compare(field, Operator.LESS_EQUAL, bounds.max))
    if not parts:
        return None
    if field == "price" and bounds.unit:
        # Amounts are never compared across currencies.
        codes = tuple(map(Value, currency_codes(bounds.unit)))
        parts.append(Restriction("currency", Operator.HAS, codes))
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _compare(field: str, operator: Operator, number: float) -> Restriction:
    return Restriction(field, operator, (Value(f"{number:.15g}", quoted=False),))


def _evidence(condition: Condition) -> Condition:
    """Returns what a product must have for a condition to say anything of it.

    A range asks for the field alone: that nothing is that cheap is an answer, not a reason to show
    what is dear. A named value must be there, and an excluded one likewise.
    """
    match condition:
        case Range(key):
            return Present(key)
        case AllOf(operands):
            return AllOf(tuple(map(_evidence, operands)))
        case SomeOf(operands):
            return SomeOf(tuple(map(_evidence, operands)))
        case Negated(operand):
            return _evidence(operand)
        case _:
            return condition
