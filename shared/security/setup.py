"""Makes what a secured suite needs on one machine: certificates, a first key, the audit key."""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from shared.durable_file import write_durably
from shared.security.api_keys import new_key
from shared.security.authority import CERTIFICATE_DAYS, LOCAL_HOSTS, issue, open_authority
from shared.security.identity import OPERATOR
from shared.security.policy import SERVICES, Role
from shared.security.settings import SecuritySettings

_AUDIT_KEY_BYTES: Final = 32


def set_up(folder: Path, *, hosts: Sequence[str] = (), days: int = CERTIFICATE_DAYS) -> list[str]:
    """Fills a folder; certificates are made anew, all else is kept where it is there.

    Args:
        folder: Where to.
        hosts: Names and addresses that the services are reached by, besides this machine's own.
        days: How long certificates are good for.

    Returns:
        What was made.

    Raises:
        OSError: The folder cannot be written.
        ValueError: Half of an authority is there, or the file of keys is wrong.
    """
    settings = SecuritySettings(dir=folder)
    authority = open_authority(folder)
    names = {role.removeprefix("service."): role for role in sorted(SERVICES)}
    for name, role in {**names, OPERATOR: Role.OPERATOR}.items():
        issue(authority, folder, name, role, hosts=(*LOCAL_HOSTS, *hosts), days=days)
    made = ["ca.crt", *(f"{name}.crt" for name in names), f"{OPERATOR}.crt"]
    if not settings.operator_token_file.exists():
        key = new_key(settings.api_keys_file, OPERATOR, [Role.OPERATOR])
        write_durably(settings.operator_token_file, f"{key}\n".encode(), mode=0o600)
        made += [settings.api_keys_file.name, settings.operator_token_file.name]
    if not settings.audit_key_file.exists():
        # In hexadecimal: the key is to be copied to where the log is checked.
        key = secrets.token_hex(_AUDIT_KEY_BYTES)
        write_durably(settings.audit_key_file, key.encode(), mode=0o600)
        made.append(settings.audit_key_file.name)
    return made
