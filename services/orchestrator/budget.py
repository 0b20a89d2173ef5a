"""How much of a request's deadline one stage may spend."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from services.orchestrator.config import StageBudget
from shared.deadline import current_deadline
from shared.errors import DeadlineExceededError

_Answer = TypeVar("_Answer")

# With little time left, later stages get half of it rather than all of their reserve: a short
# answer by fallbacks beats none.
_LARGEST_RESERVE = 0.5
# Of a second try, for callers without a deadline.
_LONGEST_SECONDS = 30.0


def stage_timeout(budget: StageBudget) -> float:
    """Returns the seconds that a stage may take now; 0 when there is no time for it."""
    return _timeout(budget.seconds, budget.reserve)


async def ask_again(ask: Callable[[float], Awaitable[_Answer]], budget: StageBudget) -> _Answer:
    """Asks for what an answer cannot do without, a second time when the stage's time runs out.

    One replica that stands still for a moment must not fail a caller who has time to wait: the
    second try goes to the next replica, where there is one, and may take all that is left.

    Args:
        ask: Makes the call, which must be a read, within the seconds that it is given.
        budget: Of the stage.

    Raises:
        DeadlineExceededError: Nor was there an answer to the second try, or no time for one.
        WhereforeError: As `ask` raises.
    """
    seconds = stage_timeout(budget)
    try:
        return await ask(seconds)
    except DeadlineExceededError:
        if seconds < budget.seconds:  # it was the caller's time that ran out
            raise
        return await ask(_timeout(_LONGEST_SECONDS, budget.reserve))


def _timeout(seconds: float, reserve: float) -> float:
    deadline = current_deadline()
    return deadline.stage_timeout(seconds, min(reserve, deadline.remaining() * _LARGEST_RESERVE))
