"""Giving up what a query asks for when nothing meets it. The caller's filter is never given up."""

from shared.filter_syntax import And, format_filter, parse_filter
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding


def hard_conditions(understanding: QueryUnderstanding) -> list[str]:
    """Returns the query's own hard conditions as filter expressions, one each."""
    if not any(constraint.hard for constraint in understanding.constraints):
        return []
    if not understanding.filter:
        return [c.field for c in understanding.constraints if c.hard]
    expression = parse_filter(understanding.filter)
    parts = expression.operands if isinstance(expression, And) else (expression,)
    return [format_filter(part) for part in parts]


def softened(understanding: QueryUnderstanding) -> QueryUnderstanding:
    """Returns a copy whose constraints only rank: what comes nearest is still shown first."""
    copy = QueryUnderstanding()
    copy.CopyFrom(understanding)
    copy.filter = ""
    for constraint in copy.constraints:
        constraint.hard = False
    return copy
