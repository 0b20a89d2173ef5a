"""Offers: what was sold on a page, carried by its attribution token, sealed.

Prices are nobody's business but the shop's, and a token goes to browsers: so they are sealed with
AES-GCM under a key of the token's, and a click after a restart costs what the page said.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_PURPOSE: Final = b"sponsored offers"
_NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class Offer:
    """A slot that was sold.

    Attributes:
        product: Short hash of the product's id.
        campaign_id: Who pays for a click.
        price: In micros.
    """

    product: str
    campaign_id: str
    price: int


class OfferSeal:
    """Seals offers and opens them.

    Args:
        keys: Those of tokens, the one in use first.
    """

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._ciphers = [AESGCM(hmac.digest(key, _PURPOSE, "sha256")) for key in keys]

    def seal(self, offers: Sequence[Offer], ranking_id: str) -> str:
        """Returns text that says nothing to others; "" for no offers."""
        if not offers:
            return ""
        rows = [[each.product, each.campaign_id, each.price] for each in offers]
        nonce = secrets.token_bytes(_NONCE_BYTES)
        plain = json.dumps(rows, separators=(",", ":")).encode()
        sealed = self._ciphers[0].encrypt(nonce, plain, ranking_id.encode())
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    def open(self, text: str, ranking_id: str) -> list[Offer]:
        """Returns what was sealed for a ranking; nothing where no key opens it."""
        try:
            raw = base64.urlsafe_b64decode(text)
        except (binascii.Error, ValueError):
            return []
        for cipher in self._ciphers:
            try:
                plain = cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], ranking_id.encode())
            except (InvalidTag, ValueError):
                continue
            return [Offer(*row) for row in json.loads(plain)]
        return []


def product_mark(product_id: str) -> str:
    """Returns what stands for a product in offers: ids may be long, and tokens may not."""
    return hashlib.blake2b(product_id.encode(), digest_size=8).hexdigest()
