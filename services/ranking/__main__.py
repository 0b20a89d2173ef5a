"""Runs the ranking service: `python -m services.ranking`."""

import asyncio
import sys

from services.ranking.config import Settings
from services.ranking.server import RankingServer
from shared.server import run
from shared.tenant_folder import delete_tenant_folder, tenant_folder
from shared.tenant_service import tenanted


def main() -> int:
    """Serves until SIGTERM; returns the exit code."""
    settings = Settings()

    def make(tenant: str) -> RankingServer:
        folder = tenant_folder(settings.data_dir, tenant)
        return RankingServer(settings.model_copy(update={"data_dir": folder}))

    async def forget(tenant: str) -> None:
        await asyncio.to_thread(delete_tenant_folder, settings.data_dir, tenant)

    return run(tenanted(make, settings, forget), settings)


if __name__ == "__main__":
    sys.exit(main())
