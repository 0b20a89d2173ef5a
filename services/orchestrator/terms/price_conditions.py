"""Conditions on prices, for accounts that have prices of their own.

The index knows the catalogue's prices alone. So retrieval is asked a wider question, which no
product fails that the account's price lets pass, and what it finds is held against the condition.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Final

from shared.currency_words import currency_codes
from shared.errors import InvalidArgumentError
from shared.filter_syntax import And, Expression, Not, Operator, Or, Restriction, Value
from wherefore.nlu.v1.query_understanding_pb2 import Constraint

_PRICE: Final = "price"
_CURRENCY: Final = "currency"
PRICES: Final = (_PRICE, _CURRENCY)
"""Fields of filters and facets that are another for an account."""
_EQUALITY: Final = (Operator.EQUAL, Operator.NOT_EQUAL, Operator.HAS)
_ROUNDING: Final = 1.0
"""More than any rounding of a price may change it, in major units."""


def names_price(expression: Expression) -> bool:
    """Whether a condition is about the price or its currency."""
    match expression:
        case Restriction(field):
            return field in PRICES
        case Not(operand):
            return names_price(operand)
        case And(operands) | Or(operands):
            return any(map(names_price, operands))


def check_values(expression: Expression) -> None:
    """Refuses what retrieval would refuse of a price, were it asked.

    Raises:
        InvalidArgumentError: A value is no number, or a currency is compared by order.
    """
    match expression:
        case Restriction(field, operator, values) if field == _PRICE:
            for value in values:
                if not value.is_star and not math.isfinite(_number(value)):
                    told = f"price is compared with a number, not with {value.text[:50]!r}"
                    raise InvalidArgumentError.of("filter", told)
        case Restriction(field, operator) if field == _CURRENCY:
            if operator not in _EQUALITY:
                raise InvalidArgumentError.of("filter", "currency has no order: use = or :")
        case Not(operand):
            check_values(operand)
        case And(operands) | Or(operands):
            for operand in operands:
                check_values(operand)
        case _:
            pass


def demanded(constraint: Constraint) -> Expression | None:
    """Returns what a query demands of the price; None where that is nothing."""
    if constraint.field != _PRICE or not constraint.hard or not constraint.HasField("range"):
        return None
    bounds = constraint.range
    parts: list[Expression] = []
    if bounds.HasField("min"):
        parts.append(_compared(Operator.GREATER_EQUAL, bounds.min))
    if bounds.HasField("max"):
        parts.append(_compared(Operator.LESS_EQUAL, bounds.max))
    if parts and bounds.unit:
        codes = tuple(map(Value, currency_codes(bounds.unit)))
        parts.append(Restriction(_CURRENCY, Operator.HAS, codes))
    return None if not parts else parts[0] if len(parts) == 1 else And(tuple(parts))


def free_parts(expression: Expression) -> Iterator[Expression]:
    """Yields the largest parts of a condition that are not about the price."""
    if not names_price(expression):
        yield expression
        return
    match expression:
        case Not(operand):
            yield from free_parts(operand)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from free_parts(operand)
        case _:
            pass


def holds(
    expression: Expression, amount: float | None, currency: str, known: Mapping[Expression, bool]
) -> bool:
    """Whether a product meets a condition.

    Args:
        expression: The condition.
        amount: Its price in major units; None where it has none, which meets no comparison.
        currency: Of the price.
        known: Whether it meets each of the condition's `free_parts`.
    """
    if expression in known:
        return known[expression]
    match expression:
        case Restriction():
            return _compares(expression, amount, currency)
        case Not(operand):
            return not holds(operand, amount, currency, known)
        case And(operands):
            return all(holds(each, amount, currency, known) for each in operands)
        case Or(operands):
            return any(holds(each, amount, currency, known) for each in operands)


def widened(expression: Expression, least_share: float) -> Expression | None:
    """Returns a condition on the catalogue's prices that no product fails which meets another one.

    None where there is no such condition.

    Args:
        expression: The condition on prices that are a share of the catalogue's.
        least_share: The least share that is asked, 0 to 1; at most all of it is.
    """
    if not names_price(expression):
        return expression
    match expression:
        case Restriction(field) if field == _CURRENCY:
            return expression  # a discount leaves it as it is
        case Restriction():
            return _widened_price(expression, least_share)
        case Not():
            return None
        case And(operands):
            parts = [w for each in operands if (w := widened(each, least_share)) is not None]
            return None if not parts else parts[0] if len(parts) == 1 else And(tuple(parts))
        case Or(operands):
            options = [widened(each, least_share) for each in operands]
            found = tuple(each for each in options if each is not None)
            return Or(found) if len(found) == len(options) else None


def _widened_price(restriction: Restriction, least_share: float) -> Expression | None:
    if restriction.operator is Operator.NOT_EQUAL or restriction.values[0].is_star:
        return None
    numbers = [_number(value) for value in restriction.values]
    least: Expression = _compared(Operator.GREATER_EQUAL, min(numbers) - _ROUNDING)
    most: Expression | None = None
    if least_share > 0.0 and math.isfinite(top := (max(numbers) + _ROUNDING) / least_share):
        most = _compared(Operator.LESS_EQUAL, top)
    match restriction.operator:
        case Operator.LESS | Operator.LESS_EQUAL:
            return most
        case Operator.GREATER | Operator.GREATER_EQUAL:
            return least
        case _:
            return least if most is None else And((least, most))


def _compares(restriction: Restriction, amount: float | None, currency: str) -> bool:  # noqa: PLR0911 # one per operator
    if amount is None:
        return restriction.operator is Operator.NOT_EQUAL
    if restriction.values[0].is_star:
        return True
    if restriction.field == _CURRENCY:
        same = currency in {value.text.upper() for value in restriction.values}
        return same != (restriction.operator is Operator.NOT_EQUAL)
    numbers = [_number(value) for value in restriction.values]
    match restriction.operator:
        case Operator.LESS:
            return amount < numbers[0]
        case Operator.LESS_EQUAL:
            return amount <= numbers[0]
        case Operator.GREATER:
            return amount > numbers[0]
        case Operator.GREATER_EQUAL:
            return amount >= numbers[0]
        case Operator.NOT_EQUAL:
            return amount not in numbers
        case _:
            return amount in numbers


def _number(value: Value) -> float:
    try:
        return float(value.text)
    except ValueError:
        return math.nan


def _compared(operator: Operator, number: float) -> Restriction:
    return Restriction(_PRICE, operator, (Value(f"{number:.15g}", quoted=False),))
