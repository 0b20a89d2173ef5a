"""How much of a request's deadline one stage may spend."""

from services.orchestrator.config import StageBudget
from shared.deadline import current_deadline

# With little time left, later stages get half of it rather than all of their reserve: a short
# answer by fallbacks beats none.
_LARGEST_RESERVE = 0.5


def stage_timeout(budget: StageBudget) -> float:
    """Returns the seconds that a stage may take now; 0 when there is no time for it."""
    deadline = current_deadline()
    reserve = min(budget.reserve, deadline.remaining() * _LARGEST_RESERVE)
    return deadline.stage_timeout(budget.seconds, reserve)
