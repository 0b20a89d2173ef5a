"""The one door: who calls, whether they may, how fast, and what is written down about it."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import grpc

from shared.errors import PermissionDeniedError, ResourceExhaustedError, WhereforeError
from shared.metrics import REFUSED
from shared.request_context import Caller, set_caller
from shared.security.audit_log import AuditLog, AuditRecord
from shared.security.authenticator import Authenticator, Metadata
from shared.security.policy import SERVICES, Rule, rule_of
from shared.security.rate_limit import RateLimiter
from shared.security.removed_tenants import RemovedTenants
from shared.security.settings import SecuritySettings

NOT_ALLOWED: Final = "the credential does not allow this call"
REMOVE_TENANT: Final = "RemoveTenant"
"""What stands in the audit log as the method, where a process deletes the data of a tenant."""
_BEGUN: Final = "BEGUN"


@dataclass(slots=True)
class Attempt:
    """A call that wants in."""

    method: str
    """Full name, such as "/wherefore.nlu.v1.NluService/Parse"."""
    metadata: Metadata
    connection: Mapping[str, Iterable[bytes]] = field(default_factory=dict[str, Iterable[bytes]])
    """`ServicerContext.auth_context()`; empty where there is none."""
    peer: str = ""
    """Address it comes from."""
    record: AuditRecord = field(default_factory=AuditRecord)
    """What is told of it in the audit log, filled while it is answered."""


class Guard:
    """Lets calls in. One for each server whose security is on.

    Args:
        settings: Of security.
        audit: Where refused and audited calls are written.
    """

    def __init__(self, settings: SecuritySettings, audit: AuditLog) -> None:
        self._settings = settings
        self._audit = audit
        self._authenticator = Authenticator(settings)
        self._limiter = RateLimiter(settings.call_burst)
        self._removed = RemovedTenants(settings.removed_tenants_file)

    def pseudonym(self, user_id: str) -> str:
        """Returns what stands for a user in the audit log."""
        return self._audit.pseudonym(user_id)

    def removed_tenants(self) -> frozenset[str]:
        """Returns the tenants for whom nothing is done any more."""
        return self._removed.names()

    async def tell_removal(self, tenant: str, *, done: bool) -> None:
        """Writes into the audit log that the data of a tenant is to be deleted, or that it is.

        Raises:
            UnavailableError: It could not be written.
        """
        record = AuditRecord(REMOVE_TENANT, caller=Caller(tenant=tenant))
        record.code = grpc.StatusCode.OK.name if done else _BEGUN
        await self._audit.begun(record)

    @asynccontextmanager
    async def admit(self, attempt: Attempt) -> AsyncGenerator[None, None]:
        """Holds the door while a call is answered: the block runs for its caller.

        Raises:
            UnauthenticatedError: No credential, or one that does not hold.
            PermissionDeniedError: The credential does not cover the method or the tenant.
            ResourceExhaustedError: The caller calls too fast.
            UnavailableError: The call is to be audited, and the log cannot be written.
        """
        record = attempt.record
        record.method, record.peer = attempt.method, attempt.peer
        try:
            rule = self._check(attempt)
        except WhereforeError as error:
            REFUSED.labels(error.code.name).inc()
            record.code = error.code.name
            await self._audit.refused(record)
            raise
        if not rule.audited:
            yield
            return
        # Before anything is done: what cannot be written down is not done.
        record.code = _BEGUN
        await self._audit.begun(record)
        record.code = grpc.StatusCode.OK.name
        try:
            yield
        except BaseException as error:
            record.code = _code(error)
            raise
        finally:
            # Also where the caller went away: what was done was done.
            await self._audit.ended(record)

    def _check(self, attempt: Attempt) -> Rule:
        found = self._authenticator.authenticate(attempt.metadata, attempt.connection)
        attempt.record.caller = caller = found.caller
        self._limit(caller, found.calls_per_second)
        rule = rule_of(attempt.method)
        if caller.tenant and caller.tenant in self.removed_tenants():
            raise PermissionDeniedError(NOT_ALLOWED)
        if rule is None or not rule.roles & caller.roles:
            raise PermissionDeniedError(NOT_ALLOWED)
        set_caller(caller)
        return rule

    def _limit(self, caller: Caller, own: float | None) -> None:
        per_second = self._settings.calls_per_second if own is None else own
        if not per_second or caller.roles & SERVICES:
            return
        wait = self._limiter.take(f"{caller.tenant}/{caller.name}", per_second)
        if wait:
            raise ResourceExhaustedError("this caller calls too fast", wait)


def _code(error: BaseException) -> str:
    code: Any = getattr(error, "code", None)
    return code.name if isinstance(code, grpc.StatusCode) else type(error).__name__
