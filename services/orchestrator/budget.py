"""How much of a request's deadline one stage may spend."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from services.orchestrator.stage_budgets import StageBudget
from shared.deadline import current_deadline
from shared.errors import DeadlineExceededError
from shared.latency import LatencyWindow
from shared.metrics import STAGE_BUDGET

_Answer = TypeVar("_Answer")

# With little time left, later stages get half of it rather than all of their reserve: a short
# answer by fallbacks beats none.
_LARGEST_RESERVE = 0.5
# Of a second try, for callers without a deadline.
_LONGEST_SECONDS = 30.0
_QUANTILE: Final = 0.95
_FACTOR: Final = 4.0
"""Of the quantile: what takes longer than this is more likely lost than late."""

_learnt: dict[str, LatencyWindow] = {}


def stage_timeout(budget: StageBudget) -> float:
    """Returns the seconds that a stage may take now; 0 when there is no time for it."""
    return _timeout(stage_seconds(budget), budget.reserve)


def stage_seconds(budget: StageBudget) -> float:
    """Returns the seconds that a stage may take whatever the deadline, learnt where it is to be."""
    seconds = budget.seconds
    if budget.learn and (window := _learnt.get(budget.stage)):
        usual = window.quantile(_QUANTILE)
        if usual is not None:
            seconds = max(budget.least_share * seconds, min(seconds, _FACTOR * usual))
    if budget.stage:
        STAGE_BUDGET.labels(budget.stage).set(seconds)
    return seconds


def learn(budget: StageBudget, seconds: float) -> None:
    """Takes account of a call of a stage; one that was given up took so long at least."""
    if budget.learn:
        _learnt.setdefault(budget.stage, LatencyWindow()).add(seconds)


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
        if seconds < stage_seconds(budget):  # it was the caller's time that ran out
            raise
        return await ask(_timeout(_LONGEST_SECONDS, budget.reserve))


def _timeout(seconds: float, reserve: float) -> float:
    deadline = current_deadline()
    return deadline.stage_timeout(seconds, min(reserve, deadline.remaining() * _LARGEST_RESERVE))
