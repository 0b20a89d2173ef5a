"""API keys: random secrets, of which the file keeps a hash only.

A key is "wk_ID_SECRET". SECRET has 256 random bits, so one SHA-256 of it is enough: what slow
password hashes protect from, guessing, is out of reach.
"""

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.durable_file import write_durably
from shared.security.names import AccountNames, CallerName, GrantedRoles, TenantName

PREFIX: Final = "wk_"
_SECRET_BYTES: Final = 32
_ID_BYTES: Final = 6
_NO_HASH: Final = hashlib.sha256(b"").hexdigest()


class ApiKey(BaseModel):
    """One key as the file keeps it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[0-9a-f]{4,32}$")
    """Names the key in the file and in the key itself."""
    name: CallerName
    """Who holds it; stands in logs."""
    tenant: TenantName = ""
    """Whose data it opens; empty in a suite without tenants."""
    roles: GrantedRoles
    """What its holder may do."""
    accounts: AccountNames = ()
    """Accounts that its holder may name, and no other; a shop's without any may name all."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Hash of its secret."""
    expires: int = Field(default=0, ge=0)
    """Seconds since 1970 at which it ends; 0 for never."""
    disabled: bool = False
    """Whether it is refused for now."""
    calls_per_second: float | None = Field(default=None, ge=0)
    """Limit of its own, above that of the settings; 0 for none."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    keys: list[ApiKey]


class ApiKeys:
    """The keys of one file.

    Args:
        keys: With distinct ids.
    """

    def __init__(self, keys: Iterable[ApiKey] = ()) -> None:
        self._keys = {key.id: key for key in keys}

    def find(self, presented: str) -> ApiKey | None:
        """Returns the key of what a caller presents; None where it is none, or holds no more."""
        key_id, _, secret = presented.removeprefix(PREFIX).partition("_")
        key = self._keys.get(key_id)
        given = _hash(secret)
        # Compared also where there is none: the time does not tell which ids exist.
        same = hmac.compare_digest(given, key.sha256 if key else _NO_HASH)
        if key is None or not same or key.disabled:
            return None
        return None if key.expires and time.time() >= key.expires else key


def read_keys(path: Path) -> ApiKeys:
    """Reads a file of keys.

    Raises:
        OSError: It cannot be read.
        ValueError: It is wrong; the text says where, and holds nothing of the keys.
    """
    return ApiKeys(_load(path))


def new_key(
    path: Path,
    name: str,
    roles: Iterable[str],
    *,
    tenant: str = "",
    accounts: Iterable[str] = (),
    expires: int = 0,
    calls_per_second: float | None = None,
) -> str:
    """Adds a key to a file, made where there is none.

    Returns:
        The key, which is kept nowhere else.

    Raises:
        OSError: The file cannot be read or written.
        ValueError: The file or one of the arguments is wrong.
    """
    kept = _load(path) if path.exists() else []
    key_id, secret = secrets.token_hex(_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES)
    made = _validated(
        {
            "id": key_id,
            "name": name,
            "tenant": tenant,
            "roles": list(roles),
            "accounts": list(accounts),
            "sha256": _hash(secret),
            "expires": expires,
            "calls_per_second": calls_per_second,
        }
    )
    _save(path, [*kept, made])
    return f"{PREFIX}{key_id}_{secret}"


def revoke(path: Path, key_id: str) -> bool:
    """Takes a key out of a file; returns whether it was there.

    Raises:
        OSError: The file cannot be read or written.
        ValueError: It is wrong.
    """
    keys = _load(path)
    left = [key for key in keys if key.id != key_id]
    if len(left) == len(keys):
        return False
    _save(path, left)
    return True


def revoke_tenant(path: Path, tenant: str) -> list[str]:
    """Takes all keys of a tenant out of a file; returns their ids, none where there is no file.

    Raises:
        OSError: The file cannot be read or written.
        ValueError: It is wrong.
    """
    keys = _load(path) if path.exists() else []
    theirs = [key.id for key in keys if key.tenant == tenant]
    if theirs:
        _save(path, [key for key in keys if key.tenant != tenant])
    return theirs


def listed(path: Path) -> list[ApiKey]:
    """Returns the keys of a file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is wrong.
    """
    return _load(path)


def _load(path: Path) -> list[ApiKey]:
    try:
        keys = _File.model_validate_json(path.read_bytes()).keys
    except ValidationError as error:
        raise ValueError(f"{path}: {_told(error)}") from error
    if len({key.id for key in keys}) < len(keys):
        raise ValueError(f"{path}: two keys have one id")
    return keys


def _validated(values: dict[str, object]) -> ApiKey:
    try:
        return ApiKey.model_validate(values)
    except ValidationError as error:
        raise ValueError(_told(error)) from error


def _told(error: ValidationError) -> str:
    """Says what is wrong without the values, which may be secrets."""
    return "; ".join(
        f"{'.'.join(map(str, each['loc']))}: {each['msg']}"
        for each in error.errors(include_input=False, include_url=False)
    )


def _save(path: Path, keys: Iterable[ApiKey]) -> None:
    content = {"keys": [key.model_dump(mode="json", exclude_defaults=True) for key in keys]}
    write_durably(path, f"{json.dumps(content, indent=2)}\n".encode(), mode=0o600)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
