"""What of a filter is one field's own: that is left out where the field's values are counted."""

from collections.abc import Iterable

from shared.filter_syntax import (
    MAX_LENGTH,
    And,
    Expression,
    Not,
    Or,
    Restriction,
    format_filter,
    parse_filter,
)


def own_condition_dropped(filter_text: str, key: str) -> str:
    """Returns a filter without the conditions joined by AND that name `key` alone.

    Raises:
        InvalidArgumentError: It does not parse.
    """
    if not filter_text.strip():
        return filter_text
    tree = parse_filter(filter_text, max_length=10 * MAX_LENGTH)
    operands = tree.operands if isinstance(tree, And) else (tree,)
    kept = tuple(operand for operand in operands if set(_fields(operand)) != {key})
    if len(kept) == len(operands):
        return filter_text
    if not kept:
        return ""
    return format_filter(kept[0] if len(kept) == 1 else And(kept))


def _fields(expression: Expression) -> Iterable[str]:
    match expression:
        case Restriction(name):
            yield name
        case Not(operand):
            yield from _fields(operand)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from _fields(operand)
