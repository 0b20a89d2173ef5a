"""Runs the insight service: `python -m services.insight`."""

import asyncio
import sys

from services.insight.config import Settings
from services.insight.server import InsightServer
from shared.server import run
from shared.tenant_folder import delete_tenant_folder, tenant_folder
from shared.tenant_service import tenanted


def main() -> int:
    """Serves until SIGTERM; returns the exit code."""
    settings = Settings()

    def make(tenant: str) -> InsightServer:
        return InsightServer(settings, tenant_folder(settings.data_dir, tenant))

    async def forget(tenant: str) -> None:
        await asyncio.to_thread(delete_tenant_folder, settings.data_dir, tenant)

    return run(tenanted(make, settings, forget), settings)


if __name__ == "__main__":
    sys.exit(main())
