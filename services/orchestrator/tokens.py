"""Tokens that clients carry: signed, so that what comes back is what was given out.

A token is base64url(payload + MAC), the MAC being HMAC-SHA256 (RFC 2104) cut to 16 bytes over the
token's purpose and payload, so that a token of one purpose is never taken for another's.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from shared.durable_file import make_durably
from shared.errors import InvalidArgumentError

_MAC_BYTES: Final = 16
_MAX_TOKEN: Final = 1_024
_KEY_BYTES: Final = 32
_PAGE: Final = "page"
_ATTRIBUTION: Final = "attribution"


@dataclass(frozen=True, slots=True)
class PageToken:
    """Where the next page starts."""

    ranking_id: str
    """The ranking that the pages are cut from; the id to go on after, for lists."""
    offset: int
    """Results on the pages before."""
    index_version: int
    """Version of the index that was ranked."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """The ranking that a user event followed from."""

    ranking_id: str
    serving_config: str
    query_hash: str
    order_hash: str
    """Hash of the product ids shown, in order."""
    time: int
    """Seconds since 1970 at which it was given out."""
    unit: str = ""
    """Pseudonym under which experiments drew the user; empty for none."""
    arms: Sequence[tuple[str, str]] = ()
    """Keys of the experiments that had a part in the ranking, and the arm of each."""
    offers: str = ""
    """What was sold on the page, sealed; empty for nothing."""


class TokenSigner:
    """Makes tokens with one key, and reads those of the keys before too.

    Args:
        key: At least 32 bytes.
        previous: Keys that tokens were made with before, still good; as long.
    """

    def __init__(self, key: bytes, previous: Iterable[bytes] = ()) -> None:
        self._keys = (key, *previous)
        if any(len(each) < _KEY_BYTES for each in self._keys):
            raise ValueError(f"a token key has at least {_KEY_BYTES} bytes")

    def page(self, token: PageToken, fingerprint: str) -> str:
        """Returns a page token that only the request of this fingerprint may use."""
        payload = [fingerprint, token.ranking_id, token.offset, token.index_version]
        return self._sign(_PAGE, payload)

    def read_page(self, text: str, fingerprint: str) -> PageToken:
        """Returns what `page` was given.

        Raises:
            InvalidArgumentError: It was altered, or belongs to another request.
        """
        owner, ranking_id, offset, version = self._verify(_PAGE, text, "page_token")
        if owner != fingerprint:
            raise InvalidArgumentError.of("page_token", "belongs to another request")
        return PageToken(ranking_id, offset, version)

    def attribution(
        self,
        ranking_id: str,
        serving_config: str,
        query: str,
        product_ids: Iterable[str],
        *,
        unit: str = "",
        arms: Sequence[tuple[str, str]] = (),
        offers: str = "",
    ) -> str:
        """Returns the token that names a ranking in later user events.

        Args:
            ranking_id: The ranking.
            serving_config: Configuration that answered.
            query: What was asked.
            product_ids: As shown, in order.
            unit: Pseudonym under which experiments drew the user.
            arms: Experiments that had a part in it, and the arm of each.
            offers: What was sold on the page, sealed.
        """
        shown = fingerprint(list(product_ids))
        payload: list[Any] = [ranking_id, serving_config, fingerprint(query), shown]
        payload.append(int(time.time()))
        if arms or offers:
            payload += [unit, arms]
        if offers:
            payload.append(offers)
        return self._sign(_ATTRIBUTION, payload)

    def read_attribution(self, text: str, field: str = "attribution_token") -> Attribution:
        """Returns what an attribution token says.

        Raises:
            InvalidArgumentError: It was not made by this key, or was altered.
        """
        attribution = Attribution(*self._verify(_ATTRIBUTION, text, field))
        return replace(attribution, arms=[(key, arm) for key, arm in attribution.arms])

    def pseudonym(self, actor: str) -> str:
        """Returns what tells users of experiments apart, and says nothing of who they are."""
        return hmac.digest(self._keys[0], b"unit\x00" + actor.encode(), "sha256")[:8].hex()

    def _sign(self, purpose: str, payload: list[Any]) -> str:
        data = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        mac = _mac(self._keys[0], purpose, data)
        return base64.urlsafe_b64encode(data + mac).rstrip(b"=").decode()

    def _verify(self, purpose: str, text: str, field: str) -> list[Any]:
        raw = _decode(text)
        data, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        fits = [hmac.compare_digest(mac, _mac(key, purpose, data)) for key in self._keys]
        if not data or not any(fits):
            raise InvalidArgumentError.of(
                field, "is not a token of this service: send back what it gave, unchanged"
            )
        return json.loads(data)


def fingerprint(value: object) -> str:
    """Returns a short hash of a JSON value."""
    data = json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(hashlib.blake2b(data, digest_size=12).digest()).decode()


def load_key(configured: str, data_dir: Path) -> bytes:
    """Returns the configured key, or the one kept in `data_dir`, made on first use.

    Raises:
        ValueError: A configured key shorter than 32 bytes.
    """
    if configured:
        return configured.encode()
    path = data_dir / "token.key"
    make_durably(path, secrets.token_bytes(_KEY_BYTES), mode=0o600)
    return path.read_bytes()


def _mac(key: bytes, purpose: str, data: bytes) -> bytes:
    message = purpose.encode() + b"\x00" + data
    return hmac.digest(key, message, "sha256")[:_MAC_BYTES]


def _decode(text: str) -> bytes:
    """Returns the bytes of a token, or nothing for what is no token."""
    if len(text) > _MAX_TOKEN or not text.isascii():
        return b""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
    # The last character has bits that decoding drops; a flip of those must not pass either.
    return raw if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == text else b""
