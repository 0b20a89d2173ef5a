"""Runs the retrieval service: `python -m services.retrieval`."""

import asyncio
import sys

from services.retrieval.config import RetrievalSettings
from services.retrieval.server import RetrievalService
from services.retrieval.store.factory import drop_store
from shared.server import run
from shared.tenant_service import tenanted


def main() -> int:
    """Runs until a signal; returns the exit code."""
    settings = RetrievalSettings()

    def make(tenant: str) -> RetrievalService:
        return RetrievalService(settings.of_tenant(tenant))

    async def forget(tenant: str) -> None:
        await asyncio.to_thread(drop_store, settings, tenant)

    return run(tenanted(make, settings, forget), settings)


if __name__ == "__main__":
    sys.exit(main())
