"""Removes tenants from one process: what stands in the file of removed ones is done here.

Nobody is told to do it: each process looks at the file, so that all replicas do it, and one that
was not up does it at its start. What could not be done is tried again at the next look.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from shared.errors import WhereforeError
from shared.security.guard import Guard

_LOOK_SECONDS: Final = 0.5
_log: structlog.stdlib.BoundLogger = structlog.get_logger()

Forget = Callable[[str], Awaitable[None]]
"""Deletes what is kept of a tenant whose object is closed; done again it finds nothing.

It raises an OSError or a WhereforeError where it has to be done again.
"""


class TenantRemoval:
    """For one process.

    Args:
        guard: Knows the file, and writes the audit log.
        close: Closes the object of a tenant.
        forget: Deletes what is kept of it elsewhere; nothing is when None.
    """

    def __init__(
        self, guard: Guard, close: Callable[[str], Awaitable[None]], forget: Forget | None
    ) -> None:
        self._guard = guard
        self._close = close
        self._forget = forget
        self._begun: set[str] = set()
        self._done: set[str] = set()
        self._problem = ""

    def covers(self, tenant: str) -> bool:
        """Whether a tenant is removed, or is to be: no object is made for it any more."""
        return tenant in self._guard.removed_tenants()

    async def look(self) -> None:
        """Removes who was added to the file, and who could not be removed before."""
        removed = self._guard.removed_tenants()
        self._begun &= removed  # who was taken out of the file may come back
        self._done &= removed
        for tenant in sorted(removed - self._done):
            try:
                await self._remove(tenant)
            except (OSError, WhereforeError) as error:
                self._tell_once(tenant, f"{type(error).__name__}: {error}")

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await self.look()

    async def _remove(self, tenant: str) -> None:
        if tenant not in self._begun:
            await self._guard.tell_removal(tenant, done=False)
            self._begun.add(tenant)
        await self._close(tenant)
        if self._forget:
            await self._forget(tenant)
        await self._guard.tell_removal(tenant, done=True)
        self._done.add(tenant)
        _log.info("tenant_removed", tenant=tenant)

    def _tell_once(self, tenant: str, problem: str) -> None:
        if problem != self._problem:
            _log.error("tenant_not_removed_yet", tenant=tenant, reason=problem)
        self._problem = problem
