import hmac
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.security.bearer_tokens import InvalidTokenError, TokenVerifier, read_verifier

ISSUER, AUDIENCE = "https://id.example", "wherefore"


@pytest.fixture
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_set(path: Path, **keys: ec.EllipticCurvePrivateKey) -> Path:
    made = [
        json.loads(jwt.algorithms.ECAlgorithm.to_jwk(each.public_key()))
        | {"kid": kid, "alg": "ES256", "use": "sig"}
        for kid, each in keys.items()
    ]
    path.write_text(json.dumps({"keys": made}))
    return path


@pytest.fixture
def verifier(tmp_path: Path, key: ec.EllipticCurvePrivateKey) -> TokenVerifier:
    return read_verifier(key_set(tmp_path / "jwks.json", one=key), ISSUER, AUDIENCE, 0)


def token(key: Any, *, kid: str = "one", algorithm: str = "ES256", **changes: Any) -> str:
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "shop",
        "exp": time.time() + 60,
        "tenant": "acme",
        "roles": ["shop"],
    } | changes
    left = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(left, key, algorithm=algorithm, headers={"kid": kid})


def test_a_token_says_who_calls(verifier: TokenVerifier, key: ec.EllipticCurvePrivateKey) -> None:
    claims = verifier.verify(token(key))
    assert (claims.sub, claims.tenant, claims.roles) == ("shop", "acme", {"shop"})
    assert claims.accounts == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1},
        {"exp": None},
        {"iss": "https://other.example"},
        {"iss": None},
        {"aud": "other"},
        {"aud": None},
        {"sub": None},
        {"sub": "a b"},
        {"nbf": 4_000_000_000},
        {"roles": []},
        {"roles": None},
        {"roles": ["god"]},
        {"roles": ["service.orchestrator"]},
        {"tenant": "../acme"},
        {"kid": "two"},
    ],
    ids=str,
)
def test_what_does_not_hold_is_refused(
    verifier: TokenVerifier, key: ec.EllipticCurvePrivateKey, changes: dict[str, Any]
) -> None:
    with pytest.raises(InvalidTokenError):
        verifier.verify(token(key, **changes))


def test_forged_signatures_are_refused(
    verifier: TokenVerifier, key: ec.EllipticCurvePrivateKey
) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    good = token(key)
    head, body, signature = good.split(".")
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    confused = jwt.utils.base64url_encode(b'{"alg":"HS256","kid":"one"}').decode() + f".{body}"
    mac = jwt.utils.base64url_encode(hmac.digest(public, confused.encode(), "sha256")).decode()
    for forged in (
        token(other),
        token(None, algorithm="none"),
        f"{confused}.{mac}",  # the public key as a shared secret
        f"{head}.{body}.",
        f"{head}.{body[:-2]}.{signature}",
        "x.y.z",
        "",
        "a" * 10_000,
    ):
        with pytest.raises(InvalidTokenError):
            verifier.verify(forged)


def test_two_keys_hold_while_one_is_changed_for_the_other(
    tmp_path: Path, key: ec.EllipticCurvePrivateKey
) -> None:
    new = ec.generate_private_key(ec.SECP256R1())
    path = key_set(tmp_path / "jwks.json", one=key, two=new)
    both = read_verifier(path, ISSUER, AUDIENCE, 0)
    assert both.verify(token(key)).sub == both.verify(token(new, kid="two")).sub
    only = read_verifier(key_set(path, two=new), ISSUER, AUDIENCE, 0)
    with pytest.raises(InvalidTokenError):
        only.verify(token(key))


@pytest.mark.parametrize("content", ["", "{}", '{"keys": []}', '{"keys": [{"kty": "EC"}]}'])
def test_what_is_no_key_set_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(content)
    with pytest.raises(ValueError, match="jwks"):
        read_verifier(path, ISSUER, AUDIENCE, 0)
