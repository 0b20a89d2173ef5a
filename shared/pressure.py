"""How near a service is to refusing calls."""

from collections.abc import Callable
from contextvars import ContextVar

_pressure: ContextVar[Callable[[], float]] = ContextVar("pressure", default=lambda: 0.0)


def current_pressure() -> float:
    """Returns what `Admission.pressure` is now for the current request; outside of one 0."""
    return _pressure.get()()


def set_pressure(pressure: Callable[[], float]) -> None:
    """Makes `pressure` what tells everything that this task does from now on."""
    _pressure.set(pressure)
