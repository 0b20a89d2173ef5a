"""Runs the orchestrator: `python -m services.orchestrator`."""

import sys

from services.orchestrator.config import OrchestratorSettings
from services.orchestrator.server import OrchestratorService
from services.orchestrator.tenants import forget_tenant
from shared.server import run
from shared.tenant_service import tenanted


def main() -> int:
    """Runs until a signal; returns the exit code."""
    settings = OrchestratorSettings()

    def make(tenant: str) -> OrchestratorService:
        return OrchestratorService(settings.of_tenant(tenant))

    async def forget(tenant: str) -> None:
        await forget_tenant(settings, tenant)

    return run(tenanted(make, settings, forget), settings)


if __name__ == "__main__":
    sys.exit(main())
