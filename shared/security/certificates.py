"""Certificates from files, taken anew when the files change, and what a peer's certificate says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from shared.metrics import CERTIFICATE_EXPIRES
from shared.watched_file import Look, WatchedFile

TRUST_DOMAIN: Final = "spiffe://wherefore/"
"""Names in our certificates are SPIFFE ids (https://spiffe.io/docs): spiffe://wherefore/ROLE."""
_LOOK_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Certificate:
    """What one side of a connection shows and trusts, as PEM."""

    chain: bytes
    key: bytes
    authorities: bytes


class CertificateFiles:
    """Certificate, key and authorities in three files.

    A half-written change (a key that is not of the certificate) is refused, and what was read last
    stays in use until the files are right.

    Args:
        certificate: File of the certificate, and of those between it and the authority's.
        key: File of its private key.
        authorities: File of the certificates that peers are checked against.
    """

    def __init__(self, certificate: Path, key: Path, authorities: Path) -> None:
        def read(_: Path) -> Certificate:
            return _read(certificate, key, authorities)

        self._file = WatchedFile(certificate, read, OSError, ValueError, beside=(key, authorities))
        self.version = 0
        """Grows by one with each change."""

    def current(self) -> Certificate:
        """Returns the certificate, looking at the files once a second at most.

        Raises:
            ValueError: They never were right.
        """
        if self._file.look_every(_LOOK_SECONDS) is Look.READ:
            self.version += 1
        if self._file.value is None:
            raise ValueError(f"no certificate: {self._file.problem}")
        return self._file.value


def server_credentials(
    files: CertificateFiles, *, require_client_certificate: bool
) -> grpc.ServerCredentials:
    """Returns credentials that show the files as they are at each handshake.

    Raises:
        ValueError: The files hold no certificate.
    """
    shown = files.version

    def configuration(certificate: Certificate) -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration(
            [(certificate.key, certificate.chain)], certificate.authorities
        )

    def changed() -> grpc.ServerCertificateConfiguration | None:
        nonlocal shown
        certificate = files.current()
        if files.version == shown:
            return None
        shown = files.version
        return configuration(certificate)

    first = configuration(files.current())
    shown = files.version
    # The stubs do not say that None stands for no change, as gRPC's documentation does.
    fetch: Any = changed
    return grpc.dynamic_ssl_server_credentials(first, fetch, require_client_certificate)


def channel_credentials(certificate: Certificate) -> grpc.ChannelCredentials:
    """Returns credentials that show a certificate and check the server's."""
    return grpc.ssl_channel_credentials(certificate.authorities, certificate.key, certificate.chain)


def peer_identity(context: Mapping[str, Iterable[bytes]]) -> str:
    """Returns what a verified certificate of the peer calls it; empty without one.

    Args:
        context: `ServicerContext.auth_context()`.
    """
    for name in context.get("peer_spiffe_id", ()):
        text = name.decode(errors="replace")
        if text.startswith(TRUST_DOMAIN):
            return text.removeprefix(TRUST_DOMAIN)
    return ""


def _read(certificate: Path, key: Path, authorities: Path) -> Certificate:
    read = Certificate(certificate.read_bytes(), key.read_bytes(), authorities.read_bytes())
    shown = x509.load_pem_x509_certificates(read.chain)[0]
    private = load_pem_private_key(read.key, password=None)
    if private.public_key() != shown.public_key():
        raise ValueError(f"{key} is not the key of {certificate}")
    x509.load_pem_x509_certificates(read.authorities)
    CERTIFICATE_EXPIRES.labels(certificate.stem).set(shown.not_valid_after_utc.timestamp())
    return read
