"""Runs the ranking service: `python -m services.ranking`."""

import sys

from services.ranking.config import Settings
from services.ranking.server import RankingServer
from shared.server import run
from shared.tenant_service import tenanted


def main() -> int:
    """Serves until SIGTERM; returns the exit code."""
    settings = Settings()

    def make(tenant: str) -> RankingServer:
        folder = settings.data_dir / "tenants" / tenant if tenant else settings.data_dir
        return RankingServer(settings.model_copy(update={"data_dir": folder}))

    return run(tenanted(make, settings), settings)


if __name__ == "__main__":
    sys.exit(main())
