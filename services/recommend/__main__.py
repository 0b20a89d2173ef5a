"""Runs the recommendation service: `python -m services.recommend`."""

import sys

from services.recommend.config import Settings
from services.recommend.server import RecommendServer
from shared.server import run
from shared.tenant_service import tenanted


def main() -> int:
    """Serves until SIGTERM; returns the exit code."""
    settings = Settings()
    # What it learns lives in memory: each tenant's service reads that tenant's log and catalogue.
    return run(tenanted(lambda _: RecommendServer(settings), settings), settings)


if __name__ == "__main__":
    sys.exit(main())
