"""What one server needs while security is on: its certificate, its guard and its audit log."""

import grpc.aio

from shared.security.audit_log import AuditLog
from shared.security.certificates import server_credentials
from shared.security.guard import Guard
from shared.security.identity import load_identity, use_identity
from shared.security.settings import SecuritySettings


class ServerSecurity:
    """Opened before the server's ports; channels of the process show its certificate from then on.

    Args:
        settings: Of security.
        name: Of the service, such as "nlu".

    Raises:
        OSError: Its certificate or the key of the audit log is missing or wrong.
    """

    def __init__(self, settings: SecuritySettings, name: str) -> None:
        self._settings = settings
        try:
            self._identity = load_identity(settings, name)
        except ValueError as error:
            raise OSError(f"security is on: {error}") from error
        use_identity(self._identity)
        key_file = settings.audit_key_file
        key = key_file.read_bytes() if key_file.exists() else b""
        self._audit = AuditLog(settings.audit_dir / f"{name}.jsonl", key)
        self.guard = Guard(settings, self._audit)

    def add_inner_port(self, server: grpc.aio.Server, address: str) -> int:
        """Adds a port on which both sides show certificates; returns it."""
        credentials = server_credentials(
            self._identity.certificate, require_client_certificate=True
        )
        return server.add_secure_port(address, credentials)

    def add_public_port(self, server: grpc.aio.Server, address: str) -> int:
        """Adds a port whose callers show a key or a token; returns it."""
        if not self._settings.edge_tls:
            return server.add_insecure_port(address)
        credentials = server_credentials(
            self._identity.certificate, require_client_certificate=False
        )
        return server.add_secure_port(address, credentials)

    def close(self) -> None:
        """Closes the audit log."""
        self._audit.close()
        use_identity(None)
