"""How long calls may take where the caller does not say."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds by kind of call. The suite shares a call's deadline out among its stages."""

    page: float = 2.0
    """Search, recommend, complete, read a product: somebody waits for it."""
    study: float = 10.0
    """Explain, sum up, reports: what computes more than a page does."""
    stream: float = 10.0
    """A page whose reasons come as they are written."""
    write: float = 5.0
    """An event, a product, a user's choice: done when it is on disk."""
    bulk: float = 24 * 3600.0
    """Imports and exports, each one long call."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: must be more than 0 seconds, is {getattr(self, name)}")


def chosen(timeout: float | None, default: float) -> float:
    """Returns the caller's timeout in seconds, or the default where there is none."""
    return default if timeout is None else timeout
