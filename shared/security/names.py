"""Names of tenants and callers: safe in file names, metadata and logs."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from shared.security.policy import GRANTABLE, Role

_TENANT = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_CALLER = r"[A-Za-z0-9._:@|-]{1,128}"
_tenant = re.compile(_TENANT)
_caller = re.compile(_CALLER)

CallerName = Annotated[str, StringConstraints(pattern=rf"^{_CALLER}$")]
AccountNames = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")], ...],
    Field(max_length=1_000),
]
"""Accounts of a shop, as its file of terms names them."""
TenantName = Annotated[str, StringConstraints(pattern=rf"^(?:{_TENANT})?$")]


def is_tenant(name: str) -> bool:
    """Whether `name` can be a tenant: a host name's label (RFC 1123), in lower case."""
    return _tenant.fullmatch(name) is not None


def is_caller(name: str) -> bool:
    """Whether `name` can be that of a caller."""
    return _caller.fullmatch(name) is not None


def _grantable(roles: frozenset[Role]) -> frozenset[Role]:
    if services := roles - GRANTABLE:
        raise ValueError(f"{min(services)} is given by certificates alone")
    return roles


GrantedRoles = Annotated[frozenset[Role], AfterValidator(_grantable)]
"""Roles that a key or token may have."""
