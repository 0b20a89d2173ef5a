"""A local certificate authority: for one machine, tests, and whoever has no other."""

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shared.durable_file import write_durably
from shared.security.certificates import TRUST_DOMAIN

CA_DAYS: Final = 3650
CERTIFICATE_DAYS: Final = 90
LOCAL_HOSTS: Final = ("localhost", "127.0.0.1", "::1")
_BACKDATE: Final = datetime.timedelta(minutes=5)
"""For peers whose clock is a little behind."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate and the key that signs with it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def open_authority(folder: Path) -> Authority:
    """Returns the authority in `folder` (ca.crt, ca.key), made where there is none.

    Raises:
        ValueError: One of the two files is missing or is something else.
    """
    certificate_file, key_file = folder / "ca.crt", folder / "ca.key"
    if certificate_file.exists() or key_file.exists():
        try:
            certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
            key = load_pem_private_key(key_file.read_bytes(), password=None)
        except OSError as error:
            raise ValueError(f"half of an authority is missing: {error.filename}") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{key_file} is no key on an elliptic curve")
        return Authority(certificate, key)
    authority = _new_authority()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_durably(key_file, _key_pem(authority.key), mode=0o600)
    write_durably(certificate_file, authority.certificate.public_bytes(Encoding.PEM))
    return authority


def issue(
    authority: Authority,
    folder: Path,
    name: str,
    role: str,
    *,
    hosts: Sequence[str] = LOCAL_HOSTS,
    days: int = CERTIFICATE_DAYS,
) -> None:
    """Writes NAME.key and NAME.crt into `folder`, in place of those before.

    Args:
        authority: Signs it.
        folder: Where to.
        name: Of the files, and a host name that the certificate is good for.
        role: What it makes of its holder, as `shared.security.policy.Role`.
        hosts: Names and addresses that clients may reach it by.
        days: How long it is good for.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(f"{TRUST_DOMAIN}{role}")]
    names += [_host(host) for host in dict.fromkeys((name, *hosts))]
    certificate = (
        _builder(name, authority.certificate.subject, key, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(
            x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            ),
            critical=False,
        )
        .sign(authority.key, hashes.SHA256())
    )
    # The key first: a reader that sees it alone refuses the pair and looks again.
    write_durably(folder / f"{name}.key", _key_pem(key), mode=0o600)
    write_durably(folder / f"{name}.crt", certificate.public_bytes(Encoding.PEM))


def _new_authority() -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Wherefore local authority")])
    certificate = (
        _builder("Wherefore local authority", subject, key, CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=False,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def _builder(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATE)
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
