"""Who calls: by the certificate of the connection, an API key or a token."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from shared.errors import PermissionDeniedError, UnauthenticatedError
from shared.request_context import API_KEY_KEY, CALLER_KEY, TENANT_KEY, Caller
from shared.security.api_keys import PREFIX, ApiKey, ApiKeys, read_keys
from shared.security.bearer_tokens import InvalidTokenError, TokenVerifier, read_verifier
from shared.security.certificates import peer_identity
from shared.security.names import is_caller, is_tenant
from shared.security.policy import CROSS_TENANT, SERVICES, Role
from shared.security.settings import SecuritySettings
from shared.watched_file import Look, WatchedFile

Metadata = Mapping[str, str | bytes]

AUTHORIZATION_KEY: Final = "authorization"
BEARER: Final = "bearer "
NO_CREDENTIAL: Final = "a valid credential is needed"
"""All that a caller is told, whatever is wrong with what it sent."""
_OTHER_TENANT: Final = "the credential is not for this tenant"
_LOOK_SECONDS: Final = 1.0
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Authenticated:
    """A caller, and how fast it may call where its key says so."""

    caller: Caller
    calls_per_second: float | None = None


class Authenticator:
    """Reads credentials; keys are taken from files, and taken anew when those change.

    Args:
        settings: Name the files.
    """

    def __init__(self, settings: SecuritySettings) -> None:
        self._settings = settings

        def verifier(path: object) -> TokenVerifier:
            return read_verifier(
                settings.jwks_file,
                settings.jwt_issuer,
                settings.jwt_audience,
                settings.jwt_leeway_seconds,
            )

        self._keys: WatchedFile[ApiKeys] = WatchedFile(
            settings.api_keys_file, read_keys, OSError, ValueError
        )
        self._tokens: WatchedFile[TokenVerifier] = WatchedFile(
            settings.jwks_file if settings.jwt_issuer else None, verifier, OSError, ValueError
        )

    def authenticate(
        self, metadata: Metadata, connection: Mapping[str, Iterable[bytes]]
    ) -> Authenticated:
        """Returns who calls, and for which tenant.

        Args:
            metadata: Of the call.
            connection: `ServicerContext.auth_context()`; empty where there is none.

        Raises:
            UnauthenticatedError: No credential, or one that does not hold.
            PermissionDeniedError: It names a tenant that its credential is not for.
        """
        if identity := peer_identity(connection):
            found = Authenticated(_of_certificate(identity, metadata))
        else:
            found = self._of_secret(_secret(metadata))
        return Authenticated(_for_tenant(found.caller, metadata), found.calls_per_second)

    def _of_secret(self, secret: str) -> Authenticated:
        if secret.startswith(PREFIX):
            self._keys.look_every(_LOOK_SECONDS)
            # A key that was made just now works at once: a look costs a stat.
            key = self._key(secret)
            if key is None and self._keys.look() is Look.READ:
                key = self._key(secret)
            if key is not None:
                return Authenticated(
                    Caller(key.name, key.tenant, frozenset(key.roles), frozenset(key.accounts)),
                    key.calls_per_second,
                )
            _log.info("credential_refused", kind="api_key", reason="unknown, expired or disabled")
        elif secret and self._settings.jwt_issuer:
            self._tokens.look_every(_LOOK_SECONDS)
            try:
                if self._tokens.value:
                    claims = self._tokens.value.verify(secret)
                    roles, accounts = frozenset(claims.roles), frozenset(claims.accounts)
                    return Authenticated(Caller(claims.sub, claims.tenant, roles, accounts))
            except InvalidTokenError as error:
                _log.info("credential_refused", kind="jwt", reason=str(error))
        raise UnauthenticatedError(NO_CREDENTIAL)

    def _key(self, secret: str) -> ApiKey | None:
        return self._keys.value.find(secret) if self._keys.value else None


def _secret(metadata: Metadata) -> str:
    """Returns the key or token of a call; empty where it has none."""
    authorization = metadata.get(AUTHORIZATION_KEY, "")
    if isinstance(authorization, str) and authorization[: len(BEARER)].lower() == BEARER:
        return authorization[len(BEARER) :].strip()
    key = metadata.get(API_KEY_KEY, "")
    return key if isinstance(key, str) else ""


def _of_certificate(identity: str, metadata: Metadata) -> Caller:
    name, _, given = identity.partition("/")
    if name not in SERVICES | {Role.OPERATOR}:
        _log.info("credential_refused", kind="certificate", reason="no such role")
        raise UnauthenticatedError(NO_CREDENTIAL)
    # A service says on whose behalf it calls; that is for logs, and gives no rights.
    behalf = metadata.get(CALLER_KEY, "") if name in SERVICES else ""
    shown = behalf if isinstance(behalf, str) and is_caller(behalf) else given or name
    return Caller(shown, "", frozenset({Role(name)}))


def _for_tenant(caller: Caller, metadata: Metadata) -> Caller:
    named = metadata.get(TENANT_KEY, "")
    if not named or named == caller.tenant:
        return caller
    free = not caller.tenant and caller.roles & CROSS_TENANT
    if not free or not isinstance(named, str) or not is_tenant(named):
        raise PermissionDeniedError(_OTHER_TENANT)
    return Caller(caller.name, named, caller.roles, caller.accounts)
