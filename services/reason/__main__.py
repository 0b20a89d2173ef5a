"""Runs the reason service: `python -m services.reason`."""

import sys

from services.reason.config import Settings
from services.reason.server import ReasonServer
from shared.server import run


def main() -> int:
    """Serves until SIGTERM; returns the exit code."""
    settings = Settings()
    return run(ReasonServer(settings), settings)


if __name__ == "__main__":
    sys.exit(main())
