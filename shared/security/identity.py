"""What this process shows when it calls others: its certificate, and a key where it has one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.security.certificates import CertificateFiles
from shared.security.settings import SecuritySettings

OPERATOR: Final = "operator"
"""Name of the certificate of those who run the suite, and of the command line."""


@dataclass(frozen=True, slots=True)
class Identity:
    """How channels are opened while security is on."""

    certificate: CertificateFiles
    api_key: str = ""
    """Sent with each call; empty for none."""


class _Process:
    identity: Identity | None = None


def use_identity(identity: Identity | None) -> None:
    """Lets all channels that this process opens from now on show `identity`; None for none."""
    _Process.identity = identity


def process_identity() -> Identity | None:
    """Returns what channels show; None while security is off."""
    return _Process.identity


def load_identity(
    settings: SecuritySettings, name: str, api_key_file: Path | None = None
) -> Identity:
    """Returns the identity called `name`.

    Args:
        settings: Name the files.
        name: Of the certificate, such as "nlu".
        api_key_file: Holds the key that is sent too, where it is there.

    Raises:
        ValueError: There is no such certificate, or it is wrong.
        OSError: The key cannot be read.
    """
    files = CertificateFiles(*settings.pair(name), settings.ca_file)
    files.current()
    key = api_key_file.read_text().strip() if api_key_file and api_key_file.exists() else ""
    return Identity(files, key)
