"""Runs the ranking service: `python -m services.ranking`."""

import sys

from services.ranking.config import Settings
from services.ranking.server import RankingServer
from shared.server import run


def main() -> int:
    """Serves until SIGTERM; returns the exit code."""
    settings = Settings()
    return run(RankingServer(settings), settings)


if __name__ == "__main__":
    sys.exit(main())
