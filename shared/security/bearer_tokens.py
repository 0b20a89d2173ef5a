"""JSON web tokens (RFC 7519) of an issuer whose public keys are in a file (RFC 7517)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import jwt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.security.names import AccountNames, CallerName, GrantedRoles, TenantName

# Signatures by a private key that the issuer alone has. HMAC is not here: with it, whoever can
# check a token can make one.
_ALGORITHMS: Final = ("ES256", "ES384", "EdDSA", "RS256", "PS256")
_MAX_LENGTH: Final = 8_192


class Claims(BaseModel):
    """What a token says."""

    model_config = ConfigDict(frozen=True)

    sub: CallerName
    tenant: TenantName = ""
    roles: GrantedRoles = Field(min_length=1)
    accounts: AccountNames = ()


class InvalidTokenError(Exception):
    """A token that does not hold; the text is for logs."""


class TokenVerifier:
    """Checks tokens against the keys of one file.

    Args:
        keys: By key id.
        issuer: The `iss` that they must have.
        audience: The `aud` that they must have.
        leeway_seconds: How far clocks may be apart.
    """

    def __init__(
        self, keys: Mapping[str, jwt.PyJWK], issuer: str, audience: str, leeway_seconds: float
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._leeway = leeway_seconds

    def verify(self, token: str) -> Claims:
        """Returns what a token says.

        Raises:
            InvalidTokenError: It does not hold.
        """
        if len(token) > _MAX_LENGTH:
            raise InvalidTokenError("too long")
        try:
            header = jwt.get_unverified_header(token)
            key = self._keys.get(str(header.get("kid", "")))
            if key is None:
                raise InvalidTokenError("unknown key id")
            if key.algorithm_name not in _ALGORITHMS:
                raise InvalidTokenError("algorithm not allowed")
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                issuer=self._issuer,
                audience=self._audience,
                leeway=self._leeway,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
            return Claims.model_validate(claims)
        except jwt.PyJWTError as error:
            raise InvalidTokenError(type(error).__name__) from error
        except ValidationError as error:
            raise InvalidTokenError("claims of another form") from error


def read_verifier(path: Path, issuer: str, audience: str, leeway_seconds: float) -> TokenVerifier:
    """Reads a key set.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no key set, or holds a key without id.
    """
    try:
        keys = jwt.PyJWKSet.from_json(path.read_text()).keys
    except (jwt.PyJWTError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    by_id = {key.key_id: key for key in keys if key.key_id}
    if len(by_id) < len(keys):
        raise ValueError(f"{path}: each key needs an id (kid) of its own")
    return TokenVerifier(by_id, issuer, audience, leeway_seconds)
