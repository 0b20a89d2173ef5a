"""How near a service is to refusing calls."""

from contextvars import ContextVar

_pressure: ContextVar[float] = ContextVar("pressure", default=0.0)


def current_pressure() -> float:
    """Returns the pressure when the current request came, see `Admission.pressure`; else 0."""
    return _pressure.get()


def set_pressure(pressure: float) -> None:
    """Makes `pressure` that of everything that this task does from now on."""
    _pressure.set(pressure)
