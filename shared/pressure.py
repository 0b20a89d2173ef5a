"""How much a service is asked for, beside how much it can work on at once."""

from contextvars import ContextVar

_pressure: ContextVar[float] = ContextVar("pressure", default=0.0)


def current_pressure() -> float:
    """Returns the pressure when the current request was let in; 0 outside any.

    Calls that are worked on or wait, for each that may be worked on at once: beyond 1 calls wait.
    """
    return _pressure.get()


def set_pressure(pressure: float) -> None:
    """Makes `pressure` that of everything that this task does from now on."""
    _pressure.set(pressure)
