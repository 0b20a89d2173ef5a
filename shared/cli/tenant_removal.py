"""Removes a tenant from a suite, and waits until its services say that they have."""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from shared.cli import failures

if TYPE_CHECKING:
    from shared.security.settings import SecuritySettings

SERVICES: Final = (
    "orchestrator",
    "retrieval",
    "nlu",
    "ranking",
    "recommend",
    "assistant",
    "insight",
)
"""Those that keep something of a tenant."""
_LOOK_SECONDS: Final = 0.25


def remove(settings: SecuritySettings, tenant: str, wait_seconds: float) -> int:
    """Removes a tenant; returns the exit code: whether all services have said that it is done.

    Raises:
        OSError: A file of the folder cannot be read or written.
        ValueError: It is wrong, or the name cannot be a tenant's.
    """
    from shared.security.api_keys import revoke_tenant
    from shared.security.removed_tenants import add_removed

    # In this order: from here on no call gets through, whatever becomes of this command.
    since = add_removed(settings.removed_tenants_file, tenant)
    revoked = revoke_tenant(settings.api_keys_file, tenant)
    print(f"{tenant} is removed; {len(revoked)} keys are revoked")
    until = time.monotonic() + wait_seconds
    logs = {
        name: _Listener(settings.audit_dir / f"{name}.jsonl", tenant, since) for name in SERVICES
    }
    while (left := [name for name in SERVICES if not logs[name].listen()]) and (
        time.monotonic() < until
    ):
        time.sleep(_LOOK_SECONDS)
    if told := [name for name in SERVICES if logs[name].heard]:
        print(f"deleted by: {', '.join(told)}")
    if not left:
        return failures.OK
    failures.say(f"not heard of: {', '.join(left)}; what does not run deletes it when it starts")
    failures.say(f"the audit logs in {settings.audit_dir} tell of it as RemoveTenant")
    return failures.FAILED


class _Listener:
    """Reads on in the audit log of a service until it tells that a tenant's data is deleted."""

    def __init__(self, path: Path, tenant: str, since: float) -> None:
        self._path, self._tenant, self._since = path, tenant, since
        self._place = 0
        self.heard = False

    def listen(self) -> bool:
        """Returns whether it has told."""
        from shared.security.guard import REMOVE_TENANT

        if self.heard or not self._path.exists():
            return self.heard
        wanted = REMOVE_TENANT.encode()
        with self._path.open("rb") as file:
            file.seek(self._place)
            for line in file:
                if not line.endswith(b"\n"):  # is being written
                    break
                self._place += len(line)
                self.heard |= wanted in line and _is_of(line, self._tenant, self._since)
        return self.heard


def _is_of(line: bytes, tenant: str, since: float) -> bool:
    from shared.security.guard import REMOVE_TENANT

    try:
        entry: dict[str, Any] = json.loads(line)
        at = datetime.fromisoformat(entry["time"]).timestamp()
    except (ValueError, KeyError):
        return False
    named = entry.get("method") == REMOVE_TENANT and entry.get("tenant") == tenant
    # Entries have milliseconds, the file of removed tenants has more.
    return named and entry.get("code") == "OK" and at >= since - 0.001
