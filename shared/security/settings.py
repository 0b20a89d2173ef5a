"""Settings of security, the same for all processes of a suite."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class SecuritySettings(BaseSettings):
    """Read from WHEREFORE_SECURITY_*. Off unless `enabled`."""

    model_config = SettingsConfigDict(env_prefix="WHEREFORE_SECURITY_", env_ignore_empty=True)

    enabled: bool = False
    """Whether calls need a credential and connections between services certificates."""

    dir: Path = Path(".wherefore/security")
    """Folder that `wherefore security init` fills: ca.crt, NAME.crt and NAME.key of each service,
    api_keys.json, jwks.json. Files are read again when they change."""

    certificate: str = ""
    """NAME of the certificate that this process shows; empty for that of its service."""

    edge_tls: bool = True
    """Whether the public port speaks TLS; off only behind a balancer that does."""

    jwt_issuer: str = ""
    """The `iss` that tokens must have; empty accepts no tokens (API keys only)."""

    jwt_audience: str = "wherefore"
    """The `aud` that tokens must have."""

    jwt_leeway_seconds: float = Field(default=10, ge=0)
    """How far the clocks of the issuer and ours may be apart."""

    calls_per_second: float = Field(default=0, ge=0)
    """Calls that one caller may make in the long run, each second; 0 for no limit. A key may have a
    limit of its own."""

    call_burst: int = Field(default=50, ge=1)
    """Calls that a caller who was quiet may make at once."""

    max_tenants: int = Field(default=16, ge=1)
    """Tenants that one process keeps data of; the index of each takes memory."""

    audit_dir: Path = Path(".wherefore/audit")
    """Folder of the audit logs, one file a service."""

    @property
    def ca_file(self) -> Path:
        """Certificates of the authorities that peers are checked against."""
        return self.dir / "ca.crt"

    @property
    def api_keys_file(self) -> Path:
        """Hashes of the API keys."""
        return self.dir / "api_keys.json"

    @property
    def removed_tenants_file(self) -> Path:
        """Names of the tenants whose data is deleted."""
        return self.dir / "removed_tenants.json"

    @property
    def jwks_file(self) -> Path:
        """Public keys of the issuer of tokens (RFC 7517)."""
        return self.dir / "jwks.json"

    @property
    def operator_token_file(self) -> Path:
        """The API key that the command line sends."""
        return self.dir / "operator.token"

    @property
    def audit_key_file(self) -> Path:
        """Key of the chain of audit entries; without it the chain is a plain hash."""
        return self.dir / "audit.key"

    def pair(self, name: str) -> tuple[Path, Path]:
        """Returns the files of the certificate and of the private key called `name`."""
        chosen = self.certificate or name
        return self.dir / f"{chosen}.crt", self.dir / f"{chosen}.key"
