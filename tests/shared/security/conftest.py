"""A suite's certificates and keys in a folder of their own."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.security.api_keys import new_key
from shared.security.authority import issue, open_authority
from shared.security.settings import SecuritySettings


@dataclass
class Secured:
    """A folder of certificates and keys, and the settings that name it."""

    settings: SecuritySettings

    @property
    def folder(self) -> Path:
        return self.settings.dir

    def key(self, *roles: str, tenant: str = "", **options) -> str:
        return new_key(
            self.settings.api_keys_file,
            "-".join(roles) or "nobody",
            roles,
            tenant=tenant,
            **options,
        )

    def certificate(self, name: str, role: str, **options) -> None:
        issue(open_authority(self.folder), self.folder, name, role, **options)


@pytest.fixture
def secured(tmp_path: Path) -> Secured:
    folder = tmp_path / "security"
    made = Secured(SecuritySettings(enabled=True, dir=folder, audit_dir=tmp_path / "audit"))
    for name in ("nlu", "retrieval", "orchestrator"):
        made.certificate(name, f"service.{name}")
    made.certificate("operator", "operator")
    return made
