"""What the orchestrator keeps of a tenant beyond its process, and how that is deleted."""

import asyncio

from services.orchestrator.answer_cache import redis_prefix
from services.orchestrator.config import OrchestratorSettings
from shared.redis_keys import delete_keys
from shared.tenant_folder import delete_tenant_folder


async def forget_tenant(settings: OrchestratorSettings, tenant: str) -> None:
    """Deletes events, their keys, experiments, the ledger and kept answers of a tenant.

    Raises:
        OSError: A file cannot be deleted.
        UnavailableError: Redis is lost, or another process has the events open.
    """
    own = settings.of_tenant(tenant)
    # First the folder: the keys lie there without which nobody reads events, wherever they are.
    await asyncio.to_thread(delete_tenant_folder, settings.data_dir, tenant)
    if url := own.events.redis_url.get_secret_value():
        await delete_keys(url, f"{{{own.events.prefix}}}")  # in braces, as the log has them
    if url := own.cache.redis_url.get_secret_value():
        await delete_keys(url, redis_prefix(tenant))
