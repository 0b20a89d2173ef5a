"""Runs the recommendation service: `python -m services.recommend`."""

import sys

from services.recommend.config import Settings
from services.recommend.server import RecommendServer
from shared.server import run


def main() -> int:
    """Serves until SIGTERM; returns the exit code."""
    settings = Settings()
    return run(RecommendServer(settings), settings)


if __name__ == "__main__":
    sys.exit(main())
