"""Runs the assistant: `python -m services.assistant`."""

import asyncio
import sys

from services.assistant.config import Settings
from services.assistant.server import AssistantServer
from shared.server import run
from shared.tenant_folder import delete_tenant_folder
from shared.tenant_service import tenanted


def main() -> int:
    """Serves until SIGTERM; returns the exit code."""
    settings = Settings()

    async def forget(tenant: str) -> None:
        await asyncio.to_thread(delete_tenant_folder, settings.data_dir, tenant)

    def make(tenant: str) -> AssistantServer:
        return AssistantServer(settings.of_tenant(tenant))

    return run(tenanted(make, settings, forget), settings)


if __name__ == "__main__":
    sys.exit(main())
